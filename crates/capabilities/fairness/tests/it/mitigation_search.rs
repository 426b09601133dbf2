//! Thresholds against a search through all there are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use ephor_fairness::{
    cube::{Cube, Layout},
    mitigation::{Constraint, Method, MitigationArtifact, MitigationSpec, Objective, fit_cube},
};
use proptest::prelude::*;

/// Group, label and score of a person.
type Row = (i64, bool, u8);

fn made(rows: &[Row], spec: &MitigationSpec) -> Option<MitigationArtifact> {
    let mut cube = Cube::new(Layout {
        attributes: 1,
        label: true,
        prediction: false,
        score: true,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(row.1)))),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| f64::from(row.2) / 8.0))),
    ];
    cube.update(&columns).unwrap();
    fit_cube(&cube, spec).ok()
}

fn spec(constraint: Constraint, randomized: bool, tolerance: f64) -> MitigationSpec {
    MitigationSpec {
        constraint,
        objective: Objective::Accuracy,
        tolerance: Some(tolerance),
        randomized,
        score: Some("score".to_owned()),
        min_group_size: 1,
        ..MitigationSpec::new(Method::Threshold, "label", ["group"])
    }
}

/// The rate of each group and how many decisions are right, if it selects scores of at least these.
fn decided(rows: &[Row], group: i64, least: u8, constraint: Constraint) -> Option<(f64, u32)> {
    let (mut part, mut whole, mut right) = (0, 0, 0);
    for (_, label, score) in rows.iter().filter(|row| row.0 == group) {
        let selected = *score >= least;
        let counts = match constraint {
            Constraint::DemographicParity => true,
            Constraint::FalsePositiveRateParity => !label,
            _ => *label,
        };
        whole += u32::from(counts);
        part += u32::from(counts && selected);
        right += u32::from(selected == *label);
    }
    (whole > 0).then(|| (f64::from(part) / f64::from(whole), right))
}

proptest! {
    #[test]
    fn single_thresholds_are_the_best_of_all(
        rows in prop::collection::vec((0_i64..3, any::<bool>(), 0_u8..9), 4..40),
        tolerance in prop::sample::select(vec![0.0, 0.05, 0.2, 0.5, 1.0]),
        constraint in prop::sample::select(vec![
            Constraint::DemographicParity, Constraint::EqualOpportunity, Constraint::FalsePositiveRateParity,
        ]),
    ) {
        let Some(artifact) = made(&rows, &spec(constraint, false, tolerance)) else { return Ok(()) };
        if !artifact.left_out.is_empty() {
            return Ok(());
        }
        let groups: Vec<i64> = artifact.expected.after.groups.iter().map(|group| group.values[0].parse().unwrap()).collect();
        let mut best = 0;
        let mut places = vec![0_u8; groups.len()];
        loop {
            let all: Vec<(f64, u32)> = groups.iter().zip(&places).map(|(group, least)| decided(&rows, *group, *least, constraint).unwrap()).collect();
            let low = all.iter().map(|one| one.0).fold(f64::INFINITY, f64::min);
            let high = all.iter().map(|one| one.0).fold(0.0, f64::max);
            if high - low <= tolerance + 1e-12 {
                best = best.max(all.iter().map(|one| one.1).sum());
            }
            let Some(next) = places.iter().position(|place| *place < 9) else { break };
            places[next] += 1;
            places[..next].fill(0);
        }
        let after = &artifact.expected.after;
        let right = (after.accuracy.unwrap() * rows.len() as f64).round() as u32;
        prop_assert_eq!(right, best);
        prop_assert!(after.disparity(constraint).unwrap() <= tolerance + 1e-9);
        // What may be drawn is at least as good.
        let drawn = made(&rows, &spec(constraint, true, tolerance)).unwrap();
        prop_assert!(drawn.expected.after.accuracy.unwrap() >= after.accuracy.unwrap() - 1e-9);
        prop_assert!(drawn.expected.after.disparity(constraint).unwrap() <= tolerance + 1e-9);
    }

    #[test]
    fn equalized_odds_are_equal_and_no_worse_than_deciding_nothing(
        rows in prop::collection::vec((0_i64..4, any::<bool>(), 0_u8..9), 8..60),
    ) {
        let Some(artifact) = made(&rows, &spec(Constraint::EqualizedOdds, true, 0.0)) else { return Ok(()) };
        let after = &artifact.expected.after;
        prop_assert!(after.equalized_odds_difference.unwrap() < 1e-9, "{:?}", after);
        if artifact.left_out.is_empty() {
            let positives = rows.iter().filter(|row| row.1).count() as f64 / rows.len() as f64;
            prop_assert!(after.accuracy.unwrap() >= positives.max(1.0 - positives) - 1e-9);
        }
        for point in &artifact.frontier {
            prop_assert!(point.disparity.unwrap() <= point.tolerance + 1e-9);
        }
    }
}
