//! What changed between two analyses, ready to be shown.

use askama::{Template, filters::HtmlSafe};
use ephor_assurance::analysis::{Compared, Completed};
use ephor_fairness::{
    AttributeResult, Disparity, Status,
    comparison::{AttributeChange, ChangeInterval, DisparityChange, MetricChange, Verdict},
};

use crate::{
    plot::{self, Pair, Plot},
    view::{Badge, Head, Html, Notice, Table, format},
};

/// The most plots: of the attributes that changed most for the worse.
const MOST_PLOTS: usize = 8;

/// What changed.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/analysis/compare/view.html")]
pub(crate) struct CompareView {
    sentence: String,
    notice: Option<Notice>,
    tally: Vec<(u64, Badge)>,
    facts: Vec<(&'static str, Html)>,
    cards: Vec<Card>,
    overall: Option<Table>,
}

impl HtmlSafe for CompareView {}

/// One attribute, or where several meet.
#[derive(Debug, Clone)]
struct Card {
    anchor: String,
    name: String,
    verdict: Badge,
    statuses: (Badge, Badge),
    /// Groups that are new or gone, and another reference group.
    notes: Vec<String>,
    /// An intersection, which is opened by whoever wants it.
    folded: bool,
    /// What is judged, the worst change first.
    judged: Table,
    plot: Option<Plot>,
    others: Option<Table>,
}

impl CompareView {
    pub(crate) fn new(compared: &Compared) -> Self {
        let Compared { before, after, comparison } = compared;
        let counts = comparison.counts;
        let mut attributes: Vec<&AttributeChange> = comparison.attributes.iter().collect();
        // Stable: single attributes stay before where they meet, within each kind of change.
        attributes
            .sort_by_key(|attribute| (attribute.attributes.len() > 1, rank(attribute.verdict)));
        let mut plots = 0;
        let cards = attributes
            .into_iter()
            .enumerate()
            .map(|(index, attribute)| {
                let draw = attribute.attributes.len() == 1 && plots < MOST_PLOTS;
                plots += usize::from(draw);
                card(index, attribute, before, after, draw)
            })
            .collect();
        Self {
            sentence: comparison.sentence.clone(),
            notice: (!comparison.differences.is_empty()).then(|| {
                let title = if comparison.comparable {
                    "The two were asked differently"
                } else {
                    "The numbers do not mean the same on both sides"
                };
                let items = comparison.differences.iter().map(|one| {
                    format!(
                        "{} ({}: {} \u{2192} {})",
                        one.sentence, one.field, one.baseline, one.current
                    )
                });
                let notice = if comparison.comparable {
                    Notice::info(title)
                } else {
                    Notice::warning(title)
                };
                notice.items(items.collect())
            }),
            tally: vec![
                (counts.regressed, Badge::new("fail", "fail", "fail now and did not before")),
                (counts.worse, Badge::new("fail", "warning", "worse beyond noise")),
                (counts.improved, Badge::new("pass", "pass", "better beyond noise")),
                (counts.unchanged, Badge::new("", "info", "unchanged within noise")),
                (counts.new, Badge::new("", "plus", "new")),
                (counts.gone, Badge::new("", "cancelled", "gone")),
                (counts.undefined, Badge::new("", "info", "not comparable")),
            ]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .collect(),
            facts: facts(compared),
            cards,
            overall: overall(&comparison.overall),
        }
    }
}

/// What is worst comes first.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Worse => 0,
        Verdict::New => 1,
        Verdict::Undefined => 2,
        Verdict::Changed => 3,
        Verdict::Gone => 4,
        Verdict::Improved => 5,
        Verdict::Unchanged => 6,
    }
}

fn badge(verdict: Verdict) -> Badge {
    match verdict {
        Verdict::Improved => Badge::new("pass", "pass", "better"),
        Verdict::Unchanged => Badge::new("", "info", "unchanged"),
        Verdict::Changed => Badge::new("", "info", "changed"),
        Verdict::Worse => Badge::new("fail", "fail", "worse"),
        Verdict::New => Badge::new("", "plus", "new"),
        Verdict::Gone => Badge::new("", "cancelled", "gone"),
        Verdict::Undefined => Badge::new("", "info", "not comparable"),
    }
}

fn facts(compared: &Compared) -> Vec<(&'static str, Html)> {
    let comparison = &compared.comparison;
    let side = |completed: &Completed| {
        let analysis = &completed.analysis;
        let done = analysis.completed_at.unwrap_or(analysis.created_at);
        let date = done.format("%Y-%m-%d").to_string();
        let about: Vec<String> = completed.dataset.iter().cloned().chain([date]).collect();
        Html::link(&format!("/analyses/{}", analysis.id), &analysis.name)
            .sub(&about.join(" \u{b7} "))
    };
    let score = |value: Option<f64>| {
        value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.2}"))
    };
    let change = comparison
        .score
        .change
        .filter(|change| *change != 0.0)
        .map_or_else(String::new, |change| {
            format!(" ({}{})", if change > 0.0 { "+" } else { "" }, format::decimal(change))
        });
    let arrow = |from: String, to: String| format!("{from} \u{2192} {to}");
    vec![
        ("Before", side(&compared.before)),
        ("After", side(&compared.after)),
        (
            "Compliance score",
            Html::text(&arrow(score(comparison.score.baseline), score(comparison.score.current)))
                .then(&change),
        ),
        (
            "Rows used",
            Html::text(&arrow(
                format::count(comparison.rows.baseline),
                format::count(comparison.rows.current),
            )),
        ),
        (
            "Verdict",
            Html::text(&arrow(word(comparison.status.baseline), word(comparison.status.current))),
        ),
    ]
}

fn word(status: Option<Status>) -> String {
    status.map_or("not judged", Status::as_str).to_owned()
}

fn card(
    index: usize,
    change: &AttributeChange,
    before: &Completed,
    after: &Completed,
    draw: bool,
) -> Card {
    let (mut judged, others): (Vec<_>, Vec<_>) =
        change.disparities.iter().partition(|disparity| disparity.judged);
    judged.sort_by(|one, other| {
        let key = |disparity: &DisparityChange| (!disparity.regressed, rank(disparity.verdict));
        let gap = |disparity: &DisparityChange| disparity.gap_change.unwrap_or(f64::NEG_INFINITY);
        key(one).cmp(&key(other)).then(gap(other).total_cmp(&gap(one)))
    });
    let name = change.attributes.join(" and ");
    let sides = (found(before, change), found(after, change));
    let plot = draw.then(|| {
        let pairs: Vec<Pair<'_>> = judged
            .iter()
            .map(|one| Pair {
                title: &one.title,
                before: disparity(sides.0, &one.id),
                after: disparity(sides.1, &one.id),
            })
            .collect();
        plot::changes(&name, &pairs)
    });
    let row =
        |one: &&DisparityChange| row(one, disparity(sides.0, &one.id), disparity(sides.1, &one.id));
    Card {
        anchor: format!("change-{index}"),
        verdict: badge(change.verdict),
        statuses: (Badge::verdict(change.status.baseline), Badge::verdict(change.status.current)),
        notes: notes(change),
        folded: change.attributes.len() > 1,
        judged: table(
            &format!("Judged disparities of {name}, the worst change first"),
            judged.iter().map(row).collect(),
        ),
        plot: plot.flatten(),
        others: (!others.is_empty()).then(|| {
            table(&format!("Other disparities of {name}"), others.iter().map(row).collect())
        }),
        name,
    }
}

/// The attribute on one side.
fn found<'a>(side: &'a Completed, change: &AttributeChange) -> Option<&'a AttributeResult> {
    let found = side.result.binary();
    let all =
        found.into_iter().flat_map(|found| found.attributes.iter().chain(&found.intersections));
    let wanted: std::collections::BTreeSet<_> = change.attributes.iter().collect();
    let mut all = all.filter(|one| one.attributes.len() == wanted.len());
    all.find(|one| one.attributes.iter().all(|name| wanted.contains(name)))
}

fn disparity<'a>(side: Option<&'a AttributeResult>, id: &str) -> Option<&'a Disparity> {
    side?.disparities.iter().find(|one| one.id == id)
}

fn notes(change: &AttributeChange) -> Vec<String> {
    let listed = |groups: &[String]| {
        let mut names: Vec<&str> = groups.iter().take(12).map(String::as_str).collect();
        let more = groups.len().saturating_sub(names.len());
        let more = format!("and {more} more");
        if groups.len() > names.len() {
            names.push(&more);
        }
        names.join(", ")
    };
    let mut notes = Vec::new();
    if !change.groups_new.is_empty() {
        notes.push(format!("New groups: {}.", listed(&change.groups_new)));
    }
    if !change.groups_gone.is_empty() {
        notes.push(format!("Groups that are gone: {}.", listed(&change.groups_gone)));
    }
    if let Some(references) = &change.references {
        let name = |group: &Option<String>| group.clone().unwrap_or_else(|| "none".to_owned());
        notes.push(format!(
            "The reference group was {}, and is {}.",
            name(&references.baseline),
            name(&references.current)
        ));
    }
    notes
}

fn table(label: &str, rows: Vec<Vec<Html>>) -> Table {
    let mut heads = vec![Head::new("Disparity"), Head::new("Change")];
    heads.extend([
        Head::right("Before"),
        Head::right("After"),
        Head::right("Difference"),
        Head::new("Status"),
    ]);
    Table { label: label.to_owned(), heads, rows }
}

fn row(
    change: &DisparityChange,
    before: Option<&Disparity>,
    after: Option<&Disparity>,
) -> Vec<Html> {
    let verdict = if change.regressed && change.verdict != Verdict::Worse {
        Html::of(&badge(change.verdict)).then(" ").sub("fails now and did not before")
    } else {
        Html::of(&badge(change.verdict))
    };
    vec![
        Html::text(&change.title).sub(&change.sentence),
        verdict,
        value(change.baseline, before),
        value(change.current, after),
        difference(change.change, change.interval),
        Html::text(&format!(
            "{} \u{2192} {}",
            word(change.baseline_status),
            word(change.current_status)
        )),
    ]
}

fn value(value: Option<f64>, side: Option<&Disparity>) -> Html {
    let interval = side.and_then(|one| one.interval.as_ref()).map_or_else(String::new, |at| {
        format!("{} to {}", format::decimal(at.lower), format::decimal(at.upper))
    });
    match value {
        Some(value) => Html::text(&format::decimal(value)).sub(&interval),
        None => Html::text("\u{2013}"),
    }
}

fn difference(change: Option<f64>, interval: Option<ChangeInterval>) -> Html {
    let Some(change) = change else { return Html::text("\u{2013}") };
    let sign = if change > 0.0 { "+" } else { "" };
    let range = interval.map_or_else(String::new, |at| {
        format!("{} to {}", format::decimal(at.lower), format::decimal(at.upper))
    });
    Html::text(&format!("{sign}{}", format::decimal(change))).sub(&range)
}

fn overall(changes: &[MetricChange]) -> Option<Table> {
    let rows: Vec<Vec<Html>> = changes
        .iter()
        .map(|change| {
            let title = ephor_fairness::metrics::find(&change.id)
                .map_or_else(|| format::label(&change.id), |known| known.title.to_string());
            let value = |value: Option<f64>| {
                Html::text(&value.map_or_else(|| "\u{2013}".to_owned(), format::decimal))
            };
            vec![
                Html::text(&title).sub(&change.sentence),
                Html::of(&badge(change.verdict)),
                value(change.baseline),
                value(change.current),
                difference(change.change, change.interval),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        label: "Metrics of everybody, before and after".to_owned(),
        heads: vec![
            Head::new("Metric"),
            Head::new("Change"),
            Head::right("Before"),
            Head::right("After"),
            Head::right("Difference"),
        ],
        rows,
    })
}
