//! How much can an outcome tell of who somebody is? The greatest ratio of groups' shares, as a logarithm.

use super::{Definition, Outcome, Outcomes, Peer, peer::About};

/// Rows that are added to each group, half of them positive: AIF360's concentration of the Dirichlet prior.
const CONCENTRATION: f64 = 1.0;

pub(super) fn definitions() -> Vec<Definition> {
    [
        (
            "smoothed_empirical_differential_fairness",
            "Smoothed empirical differential fairness of labels",
            Outcome::Labels,
        ),
        (
            "predicted_smoothed_empirical_differential_fairness",
            "Smoothed empirical differential fairness of predictions",
            Outcome::Predictions,
        ),
    ]
    .into_iter()
    .map(|(id, title, outcome)| {
        let about = About {
            id,
            title,
            formula: "max over pairs of groups of max(|ln(p1 / p2)|, |ln((1 - p1) / (1 - p2))|), p = (positives + 1/2) / (rows + 1)",
            range: (0.0, f64::MAX),
            source: "Foulds et al. 2020; AIF360 smoothed_empirical_differential_fairness, aif360.sklearn smoothed_edf (concentration 1)",
            edge_cases: "Groups without such rows are left out. Smoothing keeps it finite where a group has only one outcome; with weights one unit of weight is added.",
            needs: outcome.needs(),
            peer: Peer::DifferentialFairness(outcome),
        };
        about.definition()
    })
    .collect()
}

/// Its value, of all groups.
pub(crate) fn value(groups: &[Outcomes]) -> Result<f64, &'static str> {
    // The farthest pair is the least and the greatest share.
    let (mut least, mut greatest, mut found) = (f64::INFINITY, f64::NEG_INFINITY, 0_usize);
    for group in groups.iter().filter(|group| group.total() > 0.0) {
        let share = (group.positive + CONCENTRATION / 2.0) / (group.total() + CONCENTRATION);
        (least, greatest, found) = (least.min(share), greatest.max(share), found + 1);
    }
    if found < 2 {
        return Err("fewer than two groups have such rows");
    }
    let of_positives = (greatest / least).ln();
    let of_negatives = ((1.0 - least) / (1.0 - greatest)).ln();
    Ok(of_positives.max(of_negatives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_smoothed_and_takes_the_worse_outcome() {
        let of = |positive, negative| Outcomes { positive, negative };
        assert_eq!(value(&[of(1.0, 2.0), of(1.0, 2.0)]), Ok(0.0));
        // Shares of 1/4 and 3/4.
        let found = value(&[of(0.0, 1.0), of(1.0, 0.0), of(1.0, 1.0)]).unwrap_or(f64::NAN);
        assert!((found - 3_f64.ln()).abs() < 1e-15);
        // Of shares of 0.8 and 0.9 (with the half added to each), the negatives tell more.
        let found = value(&[of(7.5, 1.5), of(8.5, 0.5)]).unwrap_or(f64::NAN);
        assert!((found - 2_f64.ln()).abs() < 1e-12);
        assert!(value(&[of(1.0, 1.0), of(0.0, 0.0)]).is_err());
    }
}
