//! How many rows lack a value.

use super::registry::{BOTH, Definition};
use crate::{
    intervals::{Proportion, newcombe::newcombe, z},
    result::{Interval, IntervalMethod},
};

pub(super) const DEFINITION: Definition = Definition {
    id: "missing_share",
    title: "Missing values",
    formula: "share of current rows without a value - share of reference rows without one",
    range: (-1.0, 1.0),
    kinds: BOTH,
    default_threshold: Some(0.05),
    source: "Newcombe 1998, method 10, for the interval",
    edge_cases: "NaN and infinities are no values. Judged both ways: it fails when the whole interval is further from 0 than the threshold, and warns when only the difference is.",
};

/// The difference of the shares, of (missing, rows) of each table, with its interval; `None` if a table has no rows.
pub fn missing_share(
    reference: (u64, u64),
    current: (u64, u64),
    confidence: f64,
) -> Option<(f64, Interval)> {
    let of = |(missing, rows): (u64, u64)| {
        (rows > 0).then(|| Proportion { p: missing as f64 / rows as f64, n: rows as f64 })
    };
    let (current, reference) = (of(current)?, of(reference)?);
    let (lower, upper) = newcombe(current, reference, z(confidence));
    let interval = Interval { lower, upper, confidence, method: IntervalMethod::Newcombe };
    Some((current.p - reference.p, interval))
}
