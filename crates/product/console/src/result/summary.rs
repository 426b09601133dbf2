//! The head of a result: the score, the verdict, and what it stands on.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{AnalysisResult, PredictionSource, Status};

use crate::view::{Badge, Head, Html, Table, format};

/// The score, the verdict and the facts.
#[derive(Debug, Clone, Template)]
#[template(path = "result/summary.html")]
pub(super) struct Summary {
    pub(super) score: String,
    pub(super) tone: &'static str,
    pub(super) verdict: Badge,
    pub(super) meaning: String,
    pub(super) counts: [(u64, Badge); 3],
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) scored: Option<Table>,
}

impl HtmlSafe for Summary {}

impl Summary {
    pub(super) fn new(result: &AnalysisResult) -> Self {
        Self {
            score: result
                .compliance_score
                .map_or_else(|| "\u{2013}".to_owned(), |score| format!("{score:.2}")),
            tone: result.status.map_or("", Status::as_str),
            verdict: Badge::verdict(result.status),
            meaning: meaning(result),
            counts: [
                (result.counts.fail, Badge::verdict(Some(Status::Fail))),
                (result.counts.warning, Badge::verdict(Some(Status::Warning))),
                (result.counts.pass, Badge::verdict(Some(Status::Pass))),
            ],
            facts: facts(result),
            scored: scored(result),
        }
    }
}

/// What the verdict means, in sentences.
fn meaning(result: &AnalysisResult) -> String {
    let judged = result.counts.pass + result.counts.warning + result.counts.fail;
    let many = format::plural(judged, "disparity was judged", "disparities were judged");
    let verdict = match result.status {
        None => {
            return "No disparity could be judged: what was left out, and why, is listed below."
                .to_owned();
        }
        Some(Status::Pass) => "all are within their thresholds.".to_owned(),
        Some(Status::Warning) => format!(
            "{} beyond the threshold, but chance alone could explain it.",
            are(result.counts.warning)
        ),
        Some(Status::Fail) => format!(
            "{} beyond the threshold with their whole confidence interval: chance does not explain it.",
            are(result.counts.fail)
        ),
    };
    let score = match result.compliance_score {
        Some(_) => {
            " The score is 100 when no scored disparity exceeds its threshold, and falls by one point for each hundredth beyond."
        }
        None => " No scored disparity is defined, so there is no score.",
    };
    format!("{many}; {verdict}{score}")
}

fn are(count: u64) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{} are", format::count(count)) }
}

fn facts(result: &AnalysisResult) -> Vec<(&'static str, String)> {
    let spec = &result.spec;
    let positive = match &spec.target {
        Some(target) => format!(
            "{target} (positive: {}{})",
            result.labels.positive,
            result
                .labels
                .negative
                .as_ref()
                .map(|label| format!(", negative: {label}"))
                .unwrap_or_default()
        ),
        None => "none: predictions or scores alone".to_owned(),
    };
    let prediction = match result.labels.prediction {
        PredictionSource::Column => spec.prediction.clone().unwrap_or_default(),
        PredictionSource::Score => format!(
            "{} \u{2265} {}",
            spec.score.as_deref().unwrap_or_default(),
            format::number(spec.score_threshold)
        ),
        PredictionSource::None => "none: the labels alone".to_owned(),
    };
    let mut facts = vec![
        (
            "Rows used",
            format!("{} of {}", format::count(result.rows.used), format::count(result.rows.read)),
        ),
        ("Label", positive),
        ("Prediction", prediction),
    ];
    if let Some(score) = &spec.score {
        let exactness = match &result.scores {
            Some(scores) if !scores.exact => {
                format!("{score} (in {} bins)", format::count(u64::from(scores.bins.unwrap_or(0))))
            }
            _ => score.clone(),
        };
        facts.push(("Score", exactness));
    }
    if let Some(weight) = &spec.weight {
        facts.push((
            "Weight",
            format!(
                "{weight} (effective rows {})",
                format::count(result.rows.effective.round() as u64)
            ),
        ));
    }
    if let Some(strata) = &spec.strata {
        facts.push(("Strata", strata.clone()));
    }
    facts.push(("Protected", spec.protected.join(", ")));
    facts.push(("Kind", format::label(spec.analysis_type.as_str())));
    facts.push(("Confidence", format!("{} %", format::number(100.0 * spec.confidence))));
    facts.push(("Least group size", format::count(spec.min_group_size)));
    facts.push(("Engine and seed", format!("{}, seed {}", result.engine_version, result.seed)));
    facts
}

/// What went into the score, so that anybody can add it up again.
fn scored(result: &AnalysisResult) -> Option<Table> {
    let rows: Vec<_> = result
        .scored
        .iter()
        .map(|part| {
            let over = (part.value - part.threshold).max(0.0);
            vec![
                Html::text(&part.attribute),
                Html::text(&disparity_title(&part.id)),
                Html::text(&format::decimal(part.value)),
                Html::text(&format::decimal(part.threshold)),
                Html::text(&if over > 0.0 {
                    format!("\u{2212}{:.2}", 100.0 * over)
                } else {
                    "0".to_owned()
                }),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        label: "What the compliance score was computed from".to_owned(),
        heads: vec![
            Head::new("Attribute"),
            Head::new("Disparity"),
            Head::right("Value"),
            Head::right("Threshold"),
            Head::right("Points"),
        ],
        rows,
    })
}

/// Rows that could not take part.
pub(super) fn excluded(result: &AnalysisResult) -> Option<Table> {
    let rows: Vec<_> = result
        .excluded
        .iter()
        .map(|exclusion| {
            vec![
                Html::text(&format::label(&exclusion.reason)),
                Html::text(&exclusion.column),
                Html::text(&format::count(exclusion.rows)),
                Html::text(&exclusion.sentence),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        label: "Rows that could not take part".to_owned(),
        heads: vec![
            Head::new("Reason"),
            Head::new("Column"),
            Head::right("Rows"),
            Head::new("What that means"),
        ],
        rows,
    })
}

/// A disparity's name for people.
pub(super) fn disparity_title(id: &str) -> String {
    ephor_fairness::disparities::find(id)
        .map_or_else(|| format::label(id), |found| found.title.clone())
}
