//! What an analysis found within strata: plain data of the result.

use serde::{Deserialize, Serialize};

/// Groups compared within strata.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Strata {
    /// The column of strata.
    pub column: String,
    /// How many strata have rows.
    pub count: u64,
    /// How many of them are large enough to be compared in.
    pub compared: u64,
    /// Those, the largest first; `compared` says whether there are more than these.
    pub strata: Vec<StratumRates>,
    /// Those with fewer rows than the least group size, the largest first: in no comparison.
    pub too_small: Vec<SmallStratum>,
    /// How many these are, listed or not.
    pub too_small_count: u64,
    /// How many rows they have together.
    pub too_small_rows: u64,
    /// Each group against the reference group, and the pairs that make the disparities, by metric.
    pub pairs: Vec<StrataPair>,
    /// What the reader must know, such as that the whole and its strata disagree.
    pub notes: Vec<String>,
}

/// One stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StratumRates {
    /// Its name; a missing one is `(missing)`.
    pub stratum: String,
    /// Rows.
    pub n: u64,
    /// The rates of its groups, by metric.
    pub rates: Vec<StratumRate>,
}

/// The rate of a group in a stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StratumRate {
    /// The metric's id.
    pub metric: String,
    /// The group.
    pub group: String,
    /// Rows that it is computed from.
    pub n: u64,
    /// `None` without such rows.
    pub value: Option<f64>,
}

/// A stratum that is too small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmallStratum {
    /// Its name.
    pub stratum: String,
    /// Its rows.
    pub n: u64,
}

/// Two groups compared within strata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrataPair {
    /// The metric's id.
    pub metric: String,
    /// The group.
    pub group: String,
    /// The other: the reference group, where there is one and it is not the group.
    pub other: String,
    /// Strata that have both.
    pub strata: u64,
    /// The group's rate less the other's, of all rows together.
    pub pooled: Option<f64>,
    /// The same within strata, weighted by n1 n2 / (n1 + n2); `None` if no stratum has both.
    pub conditional: Option<f64>,
    /// The group's rate by the other's within strata; `None` if the other's is 0.
    pub ratio: Option<f64>,
    /// Mantel and Haenszel's common odds ratio; `None` with weights, or if it is infinite.
    pub odds_ratio: Option<f64>,
    /// Cochran's and Mantel's test, not adjusted; `None` with weights.
    pub p_value: Option<f64>,
    /// The strata say the opposite of the whole.
    pub reverses: bool,
}
