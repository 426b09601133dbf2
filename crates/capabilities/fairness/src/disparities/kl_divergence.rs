//! How far the reference group's outcomes are from those of all others, as distributions.

use super::{Definition, Outcome, Outcomes, Peer, peer::About};

pub(super) fn definitions() -> Vec<Definition> {
    [
        ("dataset_kl_divergence", "KL divergence of labels", Outcome::Labels),
        ("kl_divergence", "KL divergence of predictions", Outcome::Predictions),
    ]
    .into_iter()
    .map(|(id, title, outcome)| {
        let about = About {
            id,
            title,
            formula: "p ln(p / q) + (1 - p) ln((1 - p) / (1 - q)), p being the share of positives in the reference group, q of all other groups together",
            range: (0.0, f64::MAX),
            source: "aif360.sklearn kl_divergence; Kullback and Leibler 1951",
            edge_cases: "0 ln 0 counts as 0. Undefined where the others have no such outcome and the reference group has: it is infinite. It is not the same the other way round.",
            needs: outcome.needs(),
            peer: Peer::Divergence(outcome),
        };
        about.definition()
    })
    .collect()
}

/// Its value in nats.
pub(crate) fn value(reference: Outcomes, others: Outcomes) -> Result<f64, &'static str> {
    if reference.total() <= 0.0 {
        return Err("the reference group has no such rows");
    }
    if others.total() <= 0.0 {
        return Err("the other groups have no such rows");
    }
    let mut sum = 0.0;
    for (p, q) in [
        (reference.positive / reference.total(), others.positive / others.total()),
        (reference.negative / reference.total(), others.negative / others.total()),
    ] {
        if p > 0.0 {
            if q <= 0.0 {
                return Err(
                    "the other groups lack an outcome that the reference group has: it is infinite",
                );
            }
            sum += p * (p / q).ln();
        }
    }
    // What is 0 may come out a little below.
    Ok(f64::max(sum, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_zero_of_equal_shares_and_undefined_where_infinite() {
        let of = |positive, negative| Outcomes { positive, negative };
        assert_eq!(value(of(1.0, 3.0), of(2.0, 6.0)), Ok(0.0));
        // All positive against half: ln 2.
        let found = value(of(4.0, 0.0), of(1.0, 1.0)).unwrap_or(f64::NAN);
        assert!((found - std::f64::consts::LN_2).abs() < 1e-15);
        assert!(value(of(1.0, 1.0), of(4.0, 0.0)).is_err());
        assert!(value(of(0.0, 0.0), of(4.0, 1.0)).is_err());
    }
}
