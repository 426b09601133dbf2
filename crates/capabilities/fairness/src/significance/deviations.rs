//! The courts' two or three standard deviations.

use super::Selection;

/// A difference beyond this many standard deviations is suspect.
pub const SUSPECT: f64 = 2.0;

/// How many standard deviations the group's rate lies above the other's (below: negative), if both had one rate.
///
/// The square of it is Pearson's chi-square. `None` if a group is empty, or all or none are selected.
///
/// Source: Castaneda v. Partida, 430 U.S. 482, 496 n. 17 (1977); Hazelwood School District v. United States, 433 U.S. 299,
/// 308 n. 14 (1977): a difference greater than two or three standard deviations is suspect.
pub fn standard_deviations(group: Selection, other: Selection) -> Option<f64> {
    let pooled = (group + other).rate()?;
    let difference = group.rate()? - other.rate()?;
    let variance = pooled * (1.0 - pooled) * (1.0 / group.of as f64 + 1.0 / other.of as f64);
    (variance > 0.0).then(|| difference / variance.sqrt())
}

/// How many more of the group would have to be selected to have the other's rate; negative if there are more than that.
pub fn shortfall(group: Selection, other: Selection) -> Option<f64> {
    Some(group.of as f64 * other.rate()? - group.selected as f64)
}
