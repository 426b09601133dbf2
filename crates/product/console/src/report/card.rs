//! The model card as a single file: it fetches nothing, runs nothing and prints well.

use askama::Template;
use ephor_assurance::card::{
    CardAttribute, CardDisparity, CardGroup, CardMetric, ModelCard, NOT_STATED, Quantities,
};
use ephor_fairness::{Interval, NotCompared, Status};
use ephor_kernel::Problem;
use ephor_report::{Block, Figure};

use super::source;
use crate::{
    assets,
    pages::trend_score,
    plot::{Drawing, TrendChart},
    view::{Badge, Head, Html, Moment, Sprite, Table, format},
};

const DETAILS: &str = "Model details";
const MEASURED: &str = "Quantitative analyses";
const BELOW: &str = "value, interval below";
const TREND: &str = "Over the versions";
const CAVEATS: &str = "Caveats";
const NO_CAVEATS: &str = "None were found by the analysis.";
/// Whose shape a card has.
pub(super) const SHAPE: &str =
    "in the shape of Mitchell et al., Model Cards for Model Reporting (2019).";

/// Names and what goes with them.
type Facts = Vec<(&'static str, Html)>;

/// What the latest analysis measured.
struct Measured {
    facts: Facts,
    parts: Vec<Part>,
}

/// An attribute's groups and disparities.
struct Part {
    name: String,
    groups: Table,
    disparities: Option<Table>,
}

#[derive(Template)]
#[template(path = "report/card.html")]
struct Card<'a> {
    model: &'a ModelCard,
    lede: String,
    policy: String,
    style: String,
    sprite: Sprite,
    details: Facts,
    measured: Option<Measured>,
    chart: Option<TrendChart>,
    trend: Option<Table>,
    version: &'a str,
}

/// The card as one HTML file.
pub(super) fn html(card: &ModelCard) -> Result<String, Problem> {
    let style = assets::inline_stylesheet();
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        source(&style)
    );
    let measured = card.quantitative_analyses.as_ref();
    let trend = (!card.trend.is_empty()).then(|| trend(card));
    Card {
        model: card,
        lede: lede(card),
        policy,
        style,
        sprite: Sprite,
        details: details(card),
        measured: measured.map(|found| Measured { facts: facts(found), parts: parts(found) }),
        chart: (card.trend.len() > 1).then(|| trend_score(&card.trend)),
        trend,
        version: env!("CARGO_PKG_VERSION"),
    }
    .render()
    .map_err(|error| {
        tracing::error!(%error, model = %card.model_details.id, "a model card could not be rendered");
        Problem::internal()
    })
}

/// What the model does and for whom.
pub(super) fn lede(card: &ModelCard) -> String {
    let description = card.model_details.description.clone();
    description.unwrap_or_else(|| format!("Description: {NOT_STATED}"))
}

/// The card for paper.
pub(super) fn blocks(card: &ModelCard) -> Vec<Block> {
    let items = |facts: Facts| Block::Facts {
        items: facts.iter().map(|(name, value)| ((*name).to_owned(), value.plain())).collect(),
    };
    let mut all = vec![Block::section(DETAILS), items(details(card))];
    for (title, text) in card.stated.sections() {
        all.push(Block::section(title));
        all.extend(text.unwrap_or(NOT_STATED).lines().map(Block::paragraph));
    }
    all.push(Block::section(MEASURED));
    match &card.quantitative_analyses {
        Some(found) => {
            all.push(items(facts(found)));
            for part in parts(found) {
                all.push(Block::part(format!("By {}", part.name)));
                all.push(Block::small(BELOW));
                all.push(part.groups.on_paper(""));
                all.extend(part.disparities.map(|table| table.on_paper(&table.label)));
            }
        }
        None => all.push(Block::paragraph(NOT_STATED)),
    }
    if !card.trend.is_empty() {
        all.push(Block::section(TREND));
        if card.trend.len() > 1 {
            let chart = trend_score(&card.trend);
            let Drawing { svg, width } = chart.drawing();
            all.push(Block::Figure(Figure {
                title: String::new(),
                reading: String::new(),
                alt: chart.label,
                svg,
                width,
            }));
        }
        all.push(trend(card).on_paper(""));
    }
    all.push(Block::section(CAVEATS));
    all.push(if card.caveats.is_empty() {
        Block::paragraph(NO_CAVEATS)
    } else {
        Block::points(card.caveats.iter().cloned())
    });
    all
}

fn said(text: Option<&str>) -> Html {
    Html::text(text.unwrap_or(NOT_STATED))
}

fn details(card: &ModelCard) -> Facts {
    let details = &card.model_details;
    let version = Html::text(&details.version);
    let version = match details.version_date {
        Some(since) => version.then(&format!(", since {since}")),
        None => version,
    };
    vec![
        ("Kind", Html::text(&format::label(&details.model_type))),
        ("Version", version),
        ("Status", Html::text(&details.status)),
        ("Base model", said(details.base_model.as_deref())),
        ("Developers", said(card.stated.developers.as_deref())),
        ("License", said(card.stated.license.as_deref())),
        ("Citation", said(card.stated.citation.as_deref())),
        ("Contact", said(card.stated.contact.as_deref())),
        ("Registered", Html::of(&Moment(details.registered_at))),
        ("Inputs and outputs", said(details.schema.as_ref().map(ToString::to_string).as_deref())),
    ]
}

fn facts(found: &Quantities) -> Facts {
    let score = found
        .compliance_score
        .map_or_else(|| "undefined".to_owned(), |score| format!("{score} of 100"));
    vec![
        ("Analysis", Html::text(&found.name)),
        ("Completed", found.completed_at.map_or_else(|| said(None), |at| Html::of(&Moment(at)))),
        ("Model version", said(found.model_version.as_deref())),
        ("Data set", said(found.dataset.as_deref())),
        (
            "Rows used",
            Html::text(&format!(
                "{} of {}",
                format::count(found.rows_used),
                format::count(found.rows_read)
            )),
        ),
        ("Task", Html::text(found.task.as_str())),
        ("Label", Html::text(&found.label().unwrap_or_else(|| "none".to_owned()))),
        ("Compliance score", Html::text(&score)),
        ("Outcome", Html::of(&Badge::verdict(found.outcome))),
    ]
}

fn parts(found: &Quantities) -> Vec<Part> {
    found
        .attributes
        .iter()
        .map(|attribute| Part {
            name: attribute.name.clone(),
            groups: groups(attribute, &found.overall),
            disparities: (!attribute.disparities.is_empty()).then(|| Table {
                label: format!("Disparities of {}", attribute.name),
                heads: vec![
                    Head::new("Disparity"),
                    Head::new("Status"),
                    Head::right("Value"),
                    Head::right("Accepted deviation"),
                ],
                rows: attribute.disparities.iter().map(disparity).collect(),
            }),
        })
        .collect()
}

fn groups(attribute: &CardAttribute, overall: &CardGroup) -> Table {
    let mut heads = vec![Head::new("Group"), Head::right("Rows")];
    heads.extend(overall.metrics.iter().map(|metric| Head::right(&metric.title)));
    let row = |group: &CardGroup| {
        let name = Html::text(&group.name).sub(group.not_compared.map_or("", NotCompared::title));
        let cells = overall.metrics.iter().map(|wanted| {
            let metric = group.metrics.iter().find(|metric| metric.id == wanted.id);
            metric.map_or_else(|| Html::text("undefined"), cell)
        });
        [name, Html::text(&format::count(group.n))].into_iter().chain(cells).collect()
    };
    Table {
        label: format!("Groups of {}", attribute.name),
        heads,
        rows: std::iter::once(overall).chain(&attribute.groups).map(row).collect(),
    }
}

fn cell(metric: &CardMetric) -> Html {
    number(metric.value, metric.interval.as_ref())
}

fn number(value: Option<f64>, interval: Option<&Interval>) -> Html {
    let range = interval.map_or_else(String::new, |at| {
        format!("{} to {}", format::decimal(at.lower), format::decimal(at.upper))
    });
    value.map_or_else(
        || Html::text("undefined"),
        |value| Html::text(&format::decimal(value)).sub(&range),
    )
}

fn disparity(one: &CardDisparity) -> Vec<Html> {
    vec![
        Html::text(&one.title).sub(one.undefined.as_deref().unwrap_or_default()),
        Html::of(&Badge::verdict(one.status)),
        number(one.value, one.interval.as_ref()),
        Html::text(&one.threshold.map(format::decimal).unwrap_or_default()),
    ]
}

fn trend(card: &ModelCard) -> Table {
    Table {
        label: "Analyses over the versions".to_owned(),
        heads: vec![
            Head::new("Version"),
            Head::new("Completed"),
            Head::new("Outcome"),
            Head::right("Compliance score"),
        ],
        rows: card
            .trend
            .iter()
            .map(|point| {
                let score = point
                    .compliance_score
                    .map_or_else(|| "\u{2013}".to_owned(), |score| score.to_string());
                vec![
                    said(point.semantic_version.as_deref()),
                    Html::of(&Moment(point.completed_at)),
                    Html::of(&Badge::verdict(status(point.outcome.as_deref()))),
                    Html::text(&score),
                ]
            })
            .collect(),
    }
}

fn status(word: Option<&str>) -> Option<Status> {
    match word? {
        "pass" => Some(Status::Pass),
        "warning" => Some(Status::Warning),
        "fail" => Some(Status::Fail),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_card_fetches_nothing_and_makes_nothing_up() {
        let page = html(&samples::card()).unwrap();
        for outside in ["src=\"", "href=\"http", "<script", "url(", " style=\"", "onclick"] {
            assert!(!page.contains(outside), "the card holds `{outside}`");
        }
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(page.replace("&#39;", "'").contains(&source(style)));
        assert!(page.contains("Income &#60;classifier&#62;") && !page.contains("<classifier>"));
        assert!(page.contains(NOT_STATED) && page.contains("Screening of applications"));
        assert!(page.contains("Demographic parity") && page.contains("class=\"trend\""));
    }

    #[test]
    fn a_card_says_why_groups_are_not_compared() {
        let card = samples::card_of(&samples::completed_of("Crowded", 0.0, samples::pooled()));
        let page = html(&card).unwrap();
        for words in ["values counted together, not compared", "too small to be compared"] {
            assert_eq!(page.matches(words).count(), 1, "{words}");
        }
        let text = card.markdown();
        // Brackets of names are text, and those of the reason are ours.
        let row = |words: &str| {
            text.lines().find(|line| line.starts_with('|') && line.contains(words)).unwrap()
        };
        assert!(row("values counted together, not compared").contains("| 4000 |"));
        assert!(row("few (too small to be compared)").contains("| 3 |"));
        let json = serde_json::to_value(&card).unwrap();
        let groups = &json["quantitative_analyses"]["attributes"][0]["groups"];
        let why = |name: &str| {
            let mut groups = groups.as_array().unwrap().iter();
            groups.find(|group| group["name"] == name).unwrap()["not_compared"].clone()
        };
        assert_eq!(why("(other)"), "counted_together");
        assert_eq!(why("few"), "too_small");
    }

    #[test]
    fn the_same_card_is_markdown_with_metadata() {
        let text = samples::card().markdown();
        let front = text.strip_prefix("---\n").unwrap().split("---\n").next().unwrap();
        let index = front.lines().find_map(|line| line.strip_prefix("model-index: ")).unwrap();
        let index: serde_json::Value = serde_json::from_str(index).unwrap();
        assert_eq!(index[0]["results"][0]["task"]["type"], "tabular-classification");
        assert!(index[0]["results"][0]["metrics"].as_array().unwrap().len() > 10);
        assert!(text.contains("# Model card: Income &lt;classifier&gt;"));
        assert!(text.contains("## Limitations\n\nnot stated"));
    }
}
