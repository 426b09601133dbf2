//! What an analysis found: plain data, serialisable, complete enough to draw every page from.

use serde::{Deserialize, Serialize};

use crate::{
    AnalysisSpec, Parity, Strata,
    cube::OTHER_NAME,
    data::DataReport,
    flips::FlipReport,
    individual::Individual,
    law::LawReport,
    recommendation::Recommendation,
    significance::{all_pairs::Test, flip_flop::FlipFlop},
};

/// What an analysis found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisResult {
    /// What was asked for, as it was asked for.
    pub spec: AnalysisSpec,
    /// Version of this engine: the same version, data and spec give the same result.
    pub engine_version: String,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// How the labels were read.
    pub labels: Labels,
    /// How scores were kept; `None` without a score column.
    pub scores: Option<ScorePrecision>,
    /// How many rows were read and used.
    pub rows: Rows,
    /// Rows that could not take part in some or all metrics, by reason; empty when there are none.
    pub excluded: Vec<Exclusion>,
    /// The metrics of everybody together.
    pub overall: Group,
    /// One entry for each protected attribute, in the order of the spec.
    pub attributes: Vec<AttributeResult>,
    /// One entry for each combination of attributes, to the depth of the spec.
    pub intersections: Vec<AttributeResult>,
    /// 0 to 100 with two decimals; `None` when no scored disparity is defined.
    pub compliance_score: Option<f64>,
    /// What the score was computed from.
    pub scored: Vec<ScoredDisparity>,
    /// What the score had to leave out, and why.
    pub left_out: Vec<LeftOut>,
    /// What to do, the most effective first.
    pub recommendations: Vec<Recommendation>,
    /// What the reader must know before trusting the numbers.
    pub warnings: Vec<String>,
    /// How many judged disparities passed and did not.
    pub counts: StatusCounts,
    /// The worst status of any judged disparity; `None` when nothing could be judged.
    pub status: Option<Status>,
    /// How alike similar people are treated; only of an analysis of individual fairness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual: Option<Individual>,
    /// How many decisions flip with a protected attribute, if the spec names the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flips: Option<FlipReport>,
    /// The data alone, if the spec asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataReport>,
    /// The reports of the law that the spec asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub law: Vec<LawReport>,
}

/// Why rows are excluded whose values are counted together as “(other)”.
pub(crate) const POOLED_VALUES: &str = "pooled_values";

impl AnalysisResult {
    /// Whether values of this attribute are counted together as “(other)”, of whom each alone nothing is known.
    pub(crate) fn pools(&self, attribute: &str) -> bool {
        let is_pooled = |one: &Exclusion| one.reason == POOLED_VALUES && one.column == attribute;
        self.excluded.iter().any(is_pooled)
    }

    /// Whether a group of an attribute, or of several, is such values.
    pub(crate) fn is_rest(&self, of: &AttributeResult, group: &Group) -> bool {
        let mut values = of.attributes.iter().zip(&group.values);
        values.any(|(attribute, value)| value == OTHER_NAME && self.pools(attribute))
    }

    /// Every disparity with the name of its attribute or intersection: between groups, then of individuals, then of flips.
    pub fn disparities(&self) -> impl Iterator<Item = (&str, &Disparity)> {
        let groups = self.attributes.iter().chain(&self.intersections);
        let groups = groups.map(|one| (one.name.as_str(), &one.disparities));
        let people = self.individual.iter().flat_map(|found| &found.findings.comparisons);
        let flips = self.flips.iter().flat_map(|found| &found.findings.comparisons);
        let beside = people.chain(flips).map(|one| (one.name.as_str(), &one.disparities));
        groups.chain(beside).flat_map(|(name, found)| found.iter().map(move |one| (name, one)))
    }

    /// Adds what was found of individuals, whose disparities count as all others do.
    pub(crate) fn take_individual(&mut self, found: Individual) {
        self.count(found.findings.counts, found.findings.status);
        self.warnings.extend(found.findings.notes.iter().cloned());
        self.individual = Some(found);
    }

    /// Adds what was found of decisions under a changed attribute, whose disparities count as all others do.
    pub(crate) fn take_flips(&mut self, found: FlipReport) {
        self.count(found.findings.counts, found.findings.status);
        self.flips = Some(found);
    }

    fn count(&mut self, theirs: StatusCounts, status: Option<Status>) {
        self.counts.pass += theirs.pass;
        self.counts.warning += theirs.warning;
        self.counts.fail += theirs.fail;
        self.status = self.status.max(status);
    }
}

/// How the labels were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// The label that counts as positive.
    pub positive: String,
    /// The other label; `None` if the data hold none.
    pub negative: Option<String>,
    /// Where predictions come from.
    pub prediction: PredictionSource,
}

/// Where predictions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionSource {
    /// A column of predicted labels.
    Column,
    /// score >= threshold.
    Score,
    /// There is neither: the labels alone are analysed.
    None,
}

/// How scores were kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorePrecision {
    /// Every distinct score was kept: AUC, KS and calibration are exact.
    pub exact: bool,
    /// Equal-width bins between 0 and 1 when not exact.
    pub bins: Option<u32>,
    /// The greatest error that binning can cause in any group's AUC; 0 when exact.
    pub auc_error: f64,
    /// The greatest error that binning can cause in any group's KS; 0 when exact.
    pub ks_error: f64,
    /// All scores lie in [0, 1], so that they can be read as probabilities.
    pub probabilities: bool,
}

/// How many rows were read and used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Rows of the data.
    pub read: u64,
    /// Rows that took part (with missing parts listed in `excluded`).
    pub used: u64,
    /// Sum of the weights of the rows used; the number of rows without weights.
    pub weight: f64,
    /// Kish's effective sample size (sum w)² / sum w²; the number of rows without weights.
    pub effective: f64,
}

/// Rows that could not take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// `missing_target`, `missing_prediction`, `missing_score`, `nan_score`, `invalid_weight`, `missing_attribute`,
    /// `missing_stratum`, `pooled_values`.
    pub reason: String,
    /// The column.
    pub column: String,
    /// How many rows.
    pub rows: u64,
    /// What that means for the numbers.
    pub sentence: String,
}

/// One protected attribute, or a combination of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeResult {
    /// The attributes; one, or several for an intersection.
    pub attributes: Vec<String>,
    /// Its name: the attributes joined by `|`.
    pub name: String,
    /// Whether groups can be compared at all.
    pub comparable: bool,
    /// Why not, if they cannot.
    pub reason: Option<String>,
    /// The group that signed differences and ratios compare with, and whether the spec chose it.
    pub reference: Option<Reference>,
    /// All groups, ordered by name.
    pub groups: Vec<Group>,
    /// Groups below the least size, and values that are counted together as “(other)”: in `groups`, but not in any disparity.
    pub small_groups: Vec<SmallGroup>,
    /// Every disparity of the registry, in its order.
    pub disparities: Vec<Disparity>,
    /// Each group against the reference group, as Aequitas has it; `None` without predictions, or a group to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parity: Option<Parity>,
    /// The worst status of its judged disparities.
    pub status: Option<Status>,
    /// Its groups compared within strata; `None` without a column of strata, or fewer than two groups to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strata: Option<Strata>,
}

/// The group that signed differences compare with (the peers' "privileged" group).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The group's name.
    pub group: String,
    /// The spec named it; otherwise it is the largest group.
    pub chosen: bool,
}

/// A group that is compared with no other: too small, or values that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmallGroup {
    /// The group's name.
    pub group: String,
    /// Its rows.
    pub n: u64,
}

/// One group of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name: the values joined by `|`; `all` for everybody.
    pub name: String,
    /// Its value of each attribute; a missing one is `(missing)`.
    pub values: Vec<String>,
    /// Rows.
    pub n: u64,
    /// Sum of weights; equal to `n` without weights.
    pub weight: f64,
    /// Kish's effective sample size; equal to `n` without weights.
    pub effective: f64,
    /// Below the least group size, or values that are counted together as “(other)”: not compared.
    pub small: bool,
    /// Rows without a label.
    pub missing_target: u64,
    /// Rows without a prediction.
    pub missing_prediction: u64,
    /// Rows without a score, NaN included.
    pub missing_score: u64,
    /// Rows by label and prediction, unweighted.
    pub confusion: Option<Confusion>,
    /// Every metric of the registry that the given columns allow, in its order.
    pub metrics: Vec<MetricValue>,
    /// Ten equal-width bins of the score; empty without probabilities.
    pub reliability: Vec<ReliabilityBin>,
}

impl Group {
    /// The metric with this id or alias.
    pub fn metric(&self, id: &str) -> Option<&MetricValue> {
        let id = crate::metrics::find(id).map_or(id, |metric| metric.id);
        self.metrics.iter().find(|metric| metric.id == id)
    }
}

/// Rows by label and prediction, unweighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Label positive, predicted positive.
    pub true_positives: u64,
    /// Label negative, predicted positive.
    pub false_positives: u64,
    /// Label negative, predicted negative.
    pub true_negatives: u64,
    /// Label positive, predicted negative.
    pub false_negatives: u64,
}

/// A metric of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// Its id in [`metrics::registry`](crate::metrics::registry).
    pub id: String,
    /// `None` when undefined.
    pub value: Option<f64>,
    /// `None` when the metric has none, or is undefined.
    pub interval: Option<Interval>,
    /// Rows that it is computed from (its denominator, unweighted).
    pub n: u64,
    /// Why it is undefined.
    pub undefined: Option<String>,
}

/// A confidence interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Such as 0.95.
    pub confidence: f64,
    /// How it was computed.
    pub method: IntervalMethod,
}

/// How an interval was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Wilson's score interval of a proportion.
    Wilson,
    /// Newcombe's hybrid score interval of a difference of proportions.
    Newcombe,
    /// Katz's logarithmic interval of a ratio of proportions.
    Katz,
    /// The normal interval of a mean, or of two means' difference or ratio.
    Normal,
    /// `DeLong`'s variance of an AUC, on the logit scale.
    DeLong,
    /// Percentiles of a multinomial bootstrap on the cube.
    Bootstrap,
    /// The extremes of all pairs' simultaneous intervals (Holm).
    SimultaneousPairs,
    /// The extremes of all groups' simultaneous intervals against everybody, of whom they are a part (Bonferroni).
    SimultaneousGroups,
    /// What chance could make at most of groups' distance from their mean: a chi-square of all groups, turned about.
    ChiSquare,
    /// Of a difference of two independent values, recovered from each one's own interval.
    Recovered,
    /// The band of Dvoretzky, Kiefer and Wolfowitz (with Massart's constant) around each group's distribution, simultaneously.
    DistributionBand,
}

/// A bin of the reliability curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower edge, inclusive.
    pub lower: f64,
    /// Upper edge, exclusive save for the last bin's.
    pub upper: f64,
    /// Rows.
    pub n: u64,
    /// Mean score in the bin (weighted, with weights).
    pub mean_score: f64,
    /// Share of positive labels in the bin (weighted, with weights).
    pub positive_rate: f64,
    /// Interval of the share.
    pub interval: Option<Interval>,
}

/// A disparity between groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disparity {
    /// Its id in [`disparities::registry`](crate::disparities::registry).
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// `None` when undefined.
    pub value: Option<f64>,
    /// The value without any disparity: 0 or 1.
    pub ideal: f64,
    /// `None` when undefined or not available.
    pub interval: Option<Interval>,
    /// How far from ideal is accepted (for a ratio r, as 1 - min(r, 1/r)); `None` when it is not judged.
    pub threshold: Option<f64>,
    /// `None` when it is undefined or not judged.
    pub status: Option<Status>,
    /// The two groups (or group and whole) that make the value.
    pub worst_pair: Option<WorstPair>,
    /// Rows of the groups compared.
    pub n: u64,
    /// Why it is undefined.
    pub undefined: Option<String>,
    /// Groups that had to be left out, and why.
    pub left_out: Vec<LeftOut>,
    /// What the number means.
    pub sentence: String,
    /// Of a judged disparity of rates, means or AUCs, and of any between groups of another task than yes or no, without weights:
    /// how likely two equal groups are to be so far apart as the two that make the value. Two-sided, of these two alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The same by Holm's method over all pairs of groups: at most 1 - confidence, chance does not explain it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// The value nearest to ideal that groups of these sizes would have shown to be no chance, with a probability of 0.8; `None`
    /// beside a `p_value`: the sample is too small to show any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// Which test it was, and what else the law's courts ask of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub significance: Option<Significance>,
}

/// How a disparity's p-values came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Significance {
    /// Which test.
    pub test: Test,
    /// How many tests `p_adjusted` is adjusted for.
    pub tests: u64,
    /// The p by Benjamini and Hochberg over these tests; `None` where there are too many groups to test every pair.
    pub p_benjamini_hochberg: Option<f64>,
    /// Of selection rates: the lower rate in standard deviations from the higher one, below 0. Beyond two it is suspect.
    pub standard_deviations: Option<f64>,
    /// Of selection rates: what one person more and one fewer would change.
    pub flip_flop: Option<FlipFlop>,
}

/// The two groups that make a disparity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstPair {
    /// The group with the lower value.
    pub low: String,
    /// Its value.
    pub low_value: f64,
    /// The group with the higher value; `overall` for the whole.
    pub high: String,
    /// Its value.
    pub high_value: f64,
    /// The metric in which they differ.
    pub metric: String,
}

/// A group or disparity that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The group, or the disparity as `attribute: id`.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A verdict, the worst greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Within the threshold.
    Pass,
    /// The point estimate is beyond the threshold, but chance alone could explain it.
    Warning,
    /// The whole interval is beyond the threshold.
    Fail,
}

impl Status {
    /// `pass`, `warning` or `fail`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warning => "warning",
            Self::Fail => "fail",
        }
    }
}

/// How many judged disparities have which status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCounts {
    /// Passed.
    pub pass: u64,
    /// Warned.
    pub warning: u64,
    /// Failed.
    pub fail: u64,
}

/// A disparity that the compliance score counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredDisparity {
    /// The protected attribute.
    pub attribute: String,
    /// The disparity's id.
    pub id: String,
    /// Its value, 0 ideal; a ratio r enters as 1 - min(r, 1/r).
    pub value: f64,
    /// Its threshold.
    pub threshold: f64,
}
