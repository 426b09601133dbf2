//! What to do about it, with what it is expected to do.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{GroupScoreRule, Mitigation, Recommendation};

use super::summary::disparity_title;
use crate::{
    pages::mitigation::view::words,
    view::{Head, Html, Table, format},
};

/// One recommendation.
#[derive(Debug, Clone, Template)]
#[template(path = "result/recommendation.html")]
pub(super) struct Advice {
    pub(super) title: String,
    pub(super) about: String,
    pub(super) evidence: String,
    pub(super) investigate: Option<String>,
    pub(super) table: Option<Table>,
    pub(super) effect: Option<EffectView>,
    /// Where it can be computed, kept and applied.
    pub(super) offer: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct EffectView {
    pub(super) sentence: String,
    pub(super) facts: Vec<(String, String)>,
}

impl HtmlSafe for Advice {}

impl Advice {
    pub(super) fn new(recommendation: &Recommendation) -> Self {
        let (investigate, table) = match &recommendation.mitigation {
            Mitigation::Investigate { advice } => (Some(advice.clone()), None),
            Mitigation::Reweighing { weights } => (
                None,
                Some(Table {
                    label: "Training weights by group and label".to_owned(),
                    heads: vec![
                        Head::new("Group"),
                        Head::new("Label"),
                        Head::right("Weight of each row"),
                    ],
                    rows: weights
                        .iter()
                        .map(|cell| {
                            vec![
                                Html::text(&cell.group),
                                Html::text(&cell.label),
                                Html::text(&format::decimal(cell.weight)),
                            ]
                        })
                        .collect(),
                }),
            ),
            Mitigation::GroupThresholds { thresholds, equalises } => (
                None,
                Some(Table {
                    label: format!("Score thresholds that equalise {}", metric_title(equalises)),
                    heads: vec![
                        Head::new("Group"),
                        Head::right("Positive from score"),
                        Head::right(metric_title(equalises)),
                    ],
                    rows: thresholds
                        .iter()
                        .map(|at| {
                            vec![
                                Html::text(&at.group),
                                Html::text(&format::decimal(at.threshold)),
                                Html::text(&format::percent(at.rate)),
                            ]
                        })
                        .collect(),
                }),
            ),
            Mitigation::DrawnThresholds { rules, equalises } => {
                (None, Some(drawn(rules, equalises)))
            }
        };
        let effect = recommendation.effect.as_ref().map(|effect| {
            let change = |before: f64, after: f64| {
                format!("{} \u{2192} {}", format::decimal(before), format::decimal(after))
            };
            let mut facts =
                vec![(disparity_title(&effect.measure), change(effect.before, effect.after))];
            if let (Some(before), Some(after)) = (effect.accuracy_before, effect.accuracy_after) {
                facts.push(("Accuracy".to_owned(), change(before, after)));
            }
            EffectView { sentence: effect.sentence.clone(), facts }
        });
        Self {
            title: recommendation.title.clone(),
            about: format!(
                "{}: {}",
                recommendation.attribute,
                disparity_title(&recommendation.disparity)
            ),
            evidence: recommendation.evidence.clone(),
            investigate,
            table,
            effect,
            offer: None,
        }
    }
}

/// Rules that leave some scores to a draw.
fn drawn(rules: &[GroupScoreRule], equalises: &str) -> Table {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), format::percent);
    Table {
        label: format!("Score rules that equalise {}", metric_title(equalises)),
        heads: vec![
            Head::new("Group"),
            Head::new("Positive"),
            Head::right(metric_title("tpr")),
            Head::right(metric_title("fpr")),
        ],
        rows: rules
            .iter()
            .map(|of| {
                vec![
                    Html::text(&of.group),
                    Html::text(&words(&of.rule)),
                    Html::text(&rate(of.true_positive_rate)),
                    Html::text(&rate(of.false_positive_rate)),
                ]
            })
            .collect(),
    }
}

fn metric_title(id: &str) -> String {
    ephor_fairness::metrics::find(id)
        .map_or_else(|| format::label(id), |metric| metric.title.to_string())
}
