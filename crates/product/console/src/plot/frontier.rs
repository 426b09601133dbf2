//! The frontier of a mitigation: how much accuracy each disparity costs.

use ephor_fairness::mitigation::{FrontierPoint, Measures, MitigationArtifact, Objective};
use serde::Serialize;

use super::{Axis, Plot, block};
use crate::view::format;

#[derive(Debug, Serialize)]
struct Frontier {
    kind: &'static str,
    description: String,
    x: Axis,
    y: Axis,
    points: Vec<Point>,
    marks: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Point {
    x: f64,
    y: f64,
    tolerance: f64,
}

#[derive(Debug, Serialize)]
struct Named {
    name: &'static str,
    x: f64,
    y: f64,
}

/// Accuracy over disparity for each tolerance, with where decisions are now and where this mitigation brings them.
/// `None` of methods without a frontier.
pub fn frontier(artifact: &MitigationArtifact) -> Option<Plot> {
    let constraint = artifact.spec.constraint;
    let is_balanced = artifact.spec.objective == Objective::BalancedAccuracy;
    let of = |point: &FrontierPoint| {
        let y = if is_balanced { point.balanced_accuracy } else { point.accuracy };
        let (x, y) = point.disparity.zip(y)?;
        Some(Point { x, y, tolerance: point.tolerance })
    };
    let mut points: Vec<Point> = artifact.frontier.iter().filter_map(of).collect();
    if points.is_empty() {
        return None;
    }
    points.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
    let mark = |name: &'static str, measures: &Measures| {
        let y = if is_balanced { measures.balanced_accuracy } else { measures.accuracy };
        let (x, y) = measures.disparity(constraint).zip(y)?;
        Some(Named { name, x, y })
    };
    let expected = &artifact.expected;
    let marks = [("Now", &expected.before), ("This mitigation", &expected.after)];
    let marks = marks.into_iter().filter_map(|(name, measures)| mark(name, measures)).collect();
    let number = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), format::decimal);
    let row = |name: String, disparity, accuracy, balanced| {
        vec![name, number(disparity), number(accuracy), number(balanced)]
    };
    let measured = |name: &str, of: &Measures| {
        row(name.to_owned(), of.disparity(constraint), of.accuracy, of.balanced_accuracy)
    };
    let rows = [measured("now", &expected.before), measured("this mitigation", &expected.after)]
        .into_iter()
        .chain(artifact.frontier.iter().map(|point| {
            let name = format::decimal(point.tolerance);
            row(name, point.disparity, point.accuracy, point.balanced_accuracy)
        }))
        .collect();
    let heads = ["Tolerance", "Disparity", "Accuracy", "Balanced accuracy"];
    let title = "Accuracy against disparity".to_owned();
    let axis = |label: String, min| Axis { label, min, max: None, percent: false };
    let objective = if is_balanced { "Balanced accuracy" } else { "Accuracy" };
    let disparity = format!("Difference of {}", constraint_words(constraint));
    Some(Plot {
        id: "plot-frontier".to_owned(),
        reading: "What each tolerance would buy, on the data that it was made from: further left is more equal, higher is more often right.".to_owned(),
        size: "square",
        json: block(&Frontier {
            kind: "frontier",
            description: format!("{title}. The table below the plot holds all values."),
            x: axis(disparity, Some(0.0)),
            y: axis(objective.to_owned(), None),
            points,
            marks,
        }),
        heads: heads.map(str::to_owned).to_vec(),
        rows,
        title,
    })
}

/// What a constraint makes equal.
pub(crate) fn constraint_words(constraint: ephor_fairness::mitigation::Constraint) -> &'static str {
    use ephor_fairness::mitigation::Constraint;
    match constraint {
        Constraint::DemographicParity => "selection rates",
        Constraint::EqualOpportunity => "true positive rates",
        Constraint::FalsePositiveRateParity => "false positive rates",
        Constraint::EqualizedOdds => "true and false positive rates",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn the_frontier_holds_every_tolerance_and_both_states() {
        let plot = frontier(&samples::thresholds()).unwrap();
        assert_eq!(plot.rows.len(), 2 + samples::thresholds().frontier.len());
        let data: serde_json::Value = serde_json::from_str(&plot.json).unwrap();
        assert_eq!(data["marks"].as_array().unwrap().len(), 2);
        let xs: Vec<f64> = data["points"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| point["x"].as_f64().unwrap())
            .collect();
        assert!(xs.is_sorted());
    }

    #[test]
    fn weights_have_none() {
        assert!(frontier(&samples::weights()).is_none());
    }
}
