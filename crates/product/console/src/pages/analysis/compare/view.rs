//! What changed between two analyses, ready to be shown.

use askama::{Template, filters::HtmlSafe};
use ephor_assurance::analysis::{Compared, Completed};
use ephor_fairness::{
    Disparity, Status,
    comparison::{AttributeChange, DisparityChange, MOST_GROUPS, Verdict},
    task::Task,
};

use super::tables::{groups, overall, row, table};
use crate::{
    plot::{self, Pair, Plot},
    view::{Badge, Html, Notice, Table, format},
};

/// The most plots: of the attributes that changed most for the worse.
const MOST_PLOTS: usize = 8;
/// The most metrics of groups that an attribute lists: those that changed most for the worse.
pub(super) const MOST_METRICS: usize = 200;
/// The most attributes, places where several meet, and classes against the rest: single attributes, then what is worst.
const MOST_CARDS: usize = 200;

/// What changed.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/analysis/compare/view.html")]
pub(crate) struct CompareView {
    sentence: String,
    notice: Option<Notice>,
    tally: Vec<(u64, Badge)>,
    facts: Vec<(&'static str, Html)>,
    cards: Vec<Card>,
    /// What is said of the cards that are left out.
    left_out: Option<String>,
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
    /// The metrics of each group.
    groups: Option<Table>,
}

impl CompareView {
    pub(crate) fn new(compared: &Compared) -> Self {
        let Compared { before, after, comparison } = compared;
        let counts = comparison.counts;
        let (attributes, left_out) = listed(&comparison.attributes);
        let mut plots = 0;
        let cards = attributes
            .into_iter()
            .enumerate()
            .map(|(index, attribute)| {
                let draw = !folded(attribute) && plots < MOST_PLOTS;
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
            left_out: (left_out > 0).then(|| {
                format!(
                    "{} more are left out, none of which changed more for the worse; the API has all of them.",
                    format::count(left_out as u64)
                )
            }),
            overall: overall(&comparison.overall),
        }
    }
}

/// What is shown, in its order, and how many are left out: classes are many, and each has every attribute and combination.
fn listed(all: &[AttributeChange]) -> (Vec<&AttributeChange>, usize) {
    let mut attributes: Vec<&AttributeChange> = all.iter().collect();
    // Stable, as are all of these.
    attributes.sort_by_key(|one| (folded(one), rank(one.verdict)));
    attributes.truncate(MOST_CARDS);
    // All classes together come before single ones, and single attributes before where they meet; of classes the worst.
    attributes.sort_by_key(|one| {
        let meet = u8::from(one.attributes.len() > 1);
        match one.class {
            None => (false, meet, rank(one.verdict)),
            Some(_) => (true, rank(one.verdict), meet),
        }
    });
    (attributes, all.len().saturating_sub(MOST_CARDS))
}

/// What is worst comes first.
pub(super) fn rank(verdict: Verdict) -> u8 {
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

pub(super) fn badge(verdict: Verdict) -> Badge {
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
    let mut facts = vec![("Before", side(&compared.before)), ("After", side(&compared.after))];
    // No other task has one.
    if comparison.task == Task::Binary {
        facts.push((
            "Compliance score",
            Html::text(&arrow(score(comparison.score.baseline), score(comparison.score.current)))
                .then(&change),
        ));
    }
    facts.extend([
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
    ]);
    facts
}

pub(super) fn word(status: Option<Status>) -> String {
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
    let mut name = change.attributes.join(" and ");
    if let Some(class) = &change.class {
        name.push_str(&format!(": {class} against the rest"));
    }
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
        folded: folded(change),
        judged: table(
            &format!("Judged disparities of {name}, the worst change first"),
            judged.iter().map(row).collect(),
        ),
        plot: plot.flatten(),
        others: (!others.is_empty()).then(|| {
            table(&format!("Other disparities of {name}"), others.iter().map(row).collect())
        }),
        groups: groups(&name, &change.groups),
        name,
    }
}

/// Where several attributes meet, and one class against the rest: shown to whoever opens it.
fn folded(change: &AttributeChange) -> bool {
    change.attributes.len() > 1 || change.class.is_some()
}

/// The disparities on one side.
fn found<'a>(side: &'a Completed, change: &AttributeChange) -> &'a [Disparity] {
    side.result.disparities_of(change.class.as_deref(), &change.attributes)
}

fn disparity<'a>(side: &'a [Disparity], id: &str) -> Option<&'a Disparity> {
    side.iter().find(|one| one.id == id)
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
    let metrics: usize = change.groups.iter().map(|group| group.metrics.len()).sum();
    if change.groups_left_out > 0 {
        notes.push(format!(
            "Metrics are compared of the {MOST_GROUPS} largest groups, and not of {} others.",
            format::count(change.groups_left_out)
        ));
    }
    if metrics > MOST_METRICS {
        notes.push(format!(
            "Of {} metrics of groups the {MOST_METRICS} that changed most for the worse are listed; the API has all of them.",
            format::count(metrics as u64)
        ));
    }
    notes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_fairness::comparison::{Comparison, compare_tasks};

    use super::*;
    use crate::samples;

    #[test]
    fn every_task_is_shown_group_by_group_and_without_a_score_that_it_does_not_have() {
        for result in [samples::regression(), samples::multiclass(), samples::ranking()] {
            let side = |name: &str| {
                let mut side = samples::completed(name, 0.0);
                side.result = result.clone();
                side
            };
            let (before, after) = (side("before"), side("after"));
            let comparison = compare_tasks(&before.result, &after.result).unwrap();
            let html = CompareView::new(&Compared { before, after, comparison }).render().unwrap();
            for text in ["Metrics of each group of sex", "Everybody together", "plot-changes-sex"] {
                assert!(html.contains(text), "{text} is not in {html}");
            }
            assert!(!html.contains("<f>") && !html.contains("Compliance score"), "{html}");
        }
    }
    #[test]
    fn of_very_many_classes_the_worst_are_shown_and_the_rest_is_counted() {
        let result = samples::multiclass();
        let comparison = compare_tasks(&result, &result).unwrap();
        let whole = comparison.attributes.iter().find(|one| one.class.is_none()).unwrap().clone();
        let of_class = |class: usize, verdict| AttributeChange {
            class: Some(class.to_string()),
            verdict,
            ..whole.clone()
        };
        let mut all: Vec<AttributeChange> =
            (0..300).map(|class| of_class(class, Verdict::Unchanged)).collect();
        all.push(AttributeChange {
            attributes: vec!["a".to_owned(), "b".to_owned()],
            ..of_class(300, Verdict::Worse)
        });
        all.push(whole.clone());
        let (shown, left_out) = listed(&all);
        assert_eq!((shown.len(), left_out), (MOST_CARDS, 302 - MOST_CARDS));
        let classes: Vec<_> = shown.iter().take(3).map(|one| one.class.as_deref()).collect();
        assert_eq!(classes, [None, Some("300"), Some("0")]);

        let side = |name: &str| {
            let mut side = samples::completed(name, 0.0);
            side.result = result.clone();
            side
        };
        let comparison = Comparison { attributes: all, ..comparison };
        let compared = Compared { before: side("before"), after: side("after"), comparison };
        let html = CompareView::new(&compared).render().unwrap();
        assert!(html.contains("102 more are left out"), "{html}");
    }

    #[test]
    fn what_is_not_listed_is_told_as_it_is() {
        let result = samples::multiclass();
        let comparison = compare_tasks(&result, &result).unwrap();
        let mut one = comparison.attributes.into_iter().find(|one| !one.groups.is_empty()).unwrap();
        assert!(notes(&one).is_empty(), "{:?}", notes(&one));
        one.groups_left_out = 3;
        let told = notes(&one);
        assert_eq!(told, ["Metrics are compared of the 40 largest groups, and not of 3 others."]);
        one.groups_left_out = 0;
        one.groups = one.groups.iter().cycle().take(101).cloned().collect();
        let told = notes(&one);
        assert!(told.len() == 1 && told[0].ends_with("the API has all of them."), "{told:?}");
    }
}
