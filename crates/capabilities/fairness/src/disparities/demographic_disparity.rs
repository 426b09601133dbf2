//! Are groups more among the rejected than among the accepted?

use super::{Definition, Outcome, Outcomes, Peer, peer::About};

pub(super) fn definitions() -> Vec<Definition> {
    [
        (
            "dataset_conditional_demographic_disparity",
            "Conditional demographic disparity of labels",
            Outcome::Labels,
        ),
        (
            "conditional_demographic_disparity",
            "Conditional demographic disparity of predictions",
            Outcome::Predictions,
        ),
    ]
    .into_iter()
    .map(|(id, title, outcome)| {
        let about = About {
            id,
            title,
            formula: "sum over groups of n * (the group's share of all negatives - its share of all positives) / sum of n",
            range: (-1.0, 1.0),
            source: "aif360.sklearn conditional_demographic_disparity; Wachter, Mittelstadt, Russell 2021",
            edge_cases: "As the peer has it, the groups themselves are what it is summed over; for groups within strata see conditional_demographic_parity. Groups' disparities of either sign offset one another. Undefined if all rows are positive, or all negative.",
            needs: outcome.needs(),
            peer: Peer::DemographicDisparity(outcome),
        };
        about.definition()
    })
    .collect()
}

/// Its value, of all groups.
pub(crate) fn value(groups: &[Outcomes]) -> Result<f64, &'static str> {
    let all: Outcomes = groups.iter().copied().sum();
    if all.positive <= 0.0 {
        return Err("nobody is positive");
    }
    if all.negative <= 0.0 {
        return Err("nobody is negative");
    }
    let sum: f64 = groups
        .iter()
        .map(|group| {
            group.total() * (group.negative / all.negative - group.positive / all.positive)
        })
        .sum();
    Ok(sum / all.total())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shares_have_none() {
        let of = |positive, negative| Outcomes { positive, negative };
        assert_eq!(value(&[of(1.0, 3.0), of(2.0, 6.0)]), Ok(0.0));
        // 3 of 4 rejected and 1 of 2 accepted of four; 1 of 4 and 1 of 2 of two.
        let found = value(&[of(1.0, 3.0), of(1.0, 1.0)]).unwrap_or(f64::NAN);
        assert!((found - (4.0 * 0.25 - 2.0 * 0.25) / 6.0).abs() < 1e-15);
        assert!(value(&[of(1.0, 0.0), of(2.0, 0.0)]).is_err());
        assert!(value(&[of(0.0, 1.0), of(0.0, 2.0)]).is_err());
    }
}
