//! Models: trends over versions, and cards.

use chrono::Days;
use ephor_assurance::{
    analysis::Completed,
    card::{Details, ModelCard},
    trend::{Line, Mark, Point, Trend},
};

use super::{frame, moment, results::completed};
use crate::pages::model::trend::TrendPage;

/// A model's analyses: three, of two versions and of none that is known.
pub(super) fn trend_of(many: usize) -> Trend {
    let point = |index: usize| Point {
        analysis_id: format!("01930b2e-7c1a-7def-8000-1b2c3d4e5f0{index}").parse().unwrap(),
        name: format!("Income model, <{index}>"),
        completed_at: moment() + Days::new(7 * index as u64),
        model_version_id: None,
        semantic_version: [None, Some("1.0.0".to_owned()), Some("1.1.0".to_owned())][index].clone(),
        dataset_id: None,
        task: "binary".into(),
        outcome: Some(["fail", "warning", "pass"][index].into()),
        compliance_score: (index != 1).then(|| "78.42".parse().unwrap()),
        failed_count: Some(1),
        warning_count: Some(0),
    };
    let points: Vec<Point> = (0..many).map(point).collect();
    let mark = |(index, point): (usize, &Point)| Mark {
        analysis_id: point.analysis_id,
        value: (index != 1).then_some(0.3 - 0.1 * index as f64),
        interval_low: (index != 1).then_some(0.02),
        interval_high: (index != 1).then_some(0.4),
        threshold: Some(0.1),
        status: (index != 1).then(|| "fail".to_owned()),
        undefined_reason: (index == 1).then(|| "One <group>".to_owned()),
    };
    let line = |metric: &str, title: &str, ideal| Line {
        task: "binary".into(),
        attribute: "sex <a>".into(),
        metric: metric.into(),
        title: title.into(),
        ideal: Some(ideal),
        marks: points.iter().enumerate().map(mark).collect(),
    };
    let lines = match many {
        0 => Vec::new(),
        _ => vec![
            line("demographic_parity_difference", "Demographic parity difference", 0.0),
            line("demographic_parity_ratio", "Demographic parity ratio", 1.0),
        ],
    };
    Trend {
        model_id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f62".parse().unwrap(),
        model: "Income <classifier>".into(),
        metric: None,
        truncated: many > 2,
        points,
        lines,
    }
}

pub(super) fn trend(many: usize) -> TrendPage {
    TrendPage::new(frame("Trend", "/models").crumb("Models", "/models"), &trend_of(many))
}

/// A card of a model of which some is stated, and much is not.
pub(crate) fn card() -> ModelCard {
    card_of(&completed("Income model, 1.1", 0.0))
}

/// The card of what such an analysis found.
pub(crate) fn card_of(measured: &Completed) -> ModelCard {
    let details = Details {
        id: trend_of(0).model_id,
        name: "Income <classifier>".into(),
        description: None,
        model_type: "classification".into(),
        status: "active".into(),
        version: "1.1.0".into(),
        version_date: Some(moment().date_naive()),
        base_model: None,
        schema: Some(serde_json::json!({ "inputs": ["age"] })),
        registered_at: moment(),
    };
    let metadata = serde_json::json!({ "intended_use": "Screening of applications" });
    ModelCard::new(details, &metadata, trend_of(3).points, Some(measured), moment())
}
