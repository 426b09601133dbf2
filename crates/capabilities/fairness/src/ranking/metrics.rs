//! How much a group is seen.

use super::lists::{Lists, Sums};
use crate::{
    analysis::Estimated,
    frame::{About, estimated},
    intervals::{student, z},
    metrics::Better,
};

const fn metric(
    id: &'static str,
    title: &'static str,
    formula: &'static str,
    range: (f64, f64),
    source: &'static str,
    edge_cases: &'static str,
) -> About {
    About {
        id,
        title,
        formula,
        range,
        better: Better::Neither,
        source,
        edge_cases,
        difference_threshold: None,
        ratio_threshold: None,
    }
}

/// The metrics of a group, in the order in which results list them.
pub static METRICS: [About; 4] = [
    About {
        ratio_threshold: Some(crate::disparities::RATIO_THRESHOLD),
        ..metric(
            "exposure",
            "Exposure",
            "mean over the group's rows of 1 / log2(1 + rank)",
            (0.0, 1.0),
            "Singh and Joachims 2018, with the discount of DCG",
            "Rows of one score share their places. Intervals are of the variation between lists, by Student's distribution (with one degree fewer than lists, at most 511): of one list there are none, and nothing fails. The ratio between groups is judged; its test is Student's of how far two groups are apart in each list, at as many degrees.",
        )
    },
    metric(
        "relative_exposure",
        "Share of exposure / share of rows",
        "(exposure of the group's rows / of all rows) / (the group's rows / all rows)",
        (0.0, f64::MAX),
        "Singh and Joachims 2018; attention-weighted rank fairness, Sapiezynski et al. 2019",
        "1 if the group is seen as much as there are of it.",
    ),
    metric(
        "top_share",
        "Share of the top",
        "the group's rows among the first k of the lists / all rows among these",
        (0.0, 1.0),
        "Yang and Stoyanovich 2017",
        "k is the spec's top; of a shorter list all rows are its top.",
    ),
    metric(
        "skew",
        "Skew at k",
        "ln(share of the top / share of all rows)",
        (f64::MIN, f64::MAX),
        "Geyik, Ambler and Kenthapadi 2019",
        "0 is best; below 0 the group is in the top less than there are of it. Undefined for who is never in the top.",
    ),
];

/// The disparities that are no difference or ratio of a metric.
pub static DISPARITIES: [About; 1] = [About {
    better: Better::Lower,
    ..metric(
        "ndkl",
        "Normalised discounted divergence",
        "mean over lists of sum over ranks i of KL(groups of the first i, groups of the list) / log2(1 + i), / sum of 1 / log2(1 + i)",
        (0.0, f64::MAX),
        "Geyik, Ambler and Kenthapadi 2019 (NDKL), with the natural logarithm",
        "Of single attributes. 0 cannot be reached by a short list, so that no threshold is set. Rows of one score enter evenly; of a tie of very many rows and groups, the divergence is taken in the middle of runs of ranks.",
    )
}];

/// What is known of one group: sums of each block of lists.
pub(super) struct Seen {
    pub n: u64,
    pub total: Sums,
    pub blocks: Vec<Sums>,
}

impl Seen {
    pub(super) fn of(lists: &Lists, cells: &[usize]) -> Self {
        let mut blocks = vec![Sums::default(); lists.blocks.len()];
        let mut total = Sums::default();
        for by_block in cells.iter().filter_map(|cell| lists.sums.get(&(*cell as u32))) {
            for (block, sums) in lists.blocks.iter().zip(&mut blocks) {
                if let Some(found) = by_block.get(block) {
                    sums.merge(found);
                    total.merge(found);
                }
            }
        }
        Self { n: total.n, total, blocks }
    }

    /// The mean exposure of its rows.
    pub(super) fn exposure(&self) -> f64 {
        self.total.exposure.value() / self.n as f64
    }

    /// What each block adds to the mean exposure beyond its share, so that the sum of squares is its variance.
    pub(super) fn influence(&self) -> impl Iterator<Item = f64> {
        let (mean, n) = (self.exposure(), self.n as f64);
        self.blocks.iter().map(move |sums| (sums.exposure.value() - mean * sums.n as f64) / n)
    }

    /// The variance of a number whose blocks have these influences.
    pub(super) fn variance(&self, influence: impl Iterator<Item = f64>) -> Option<f64> {
        let blocks = self.blocks.len() as f64;
        let sum: f64 = influence.map(|one| one * one).sum();
        (self.blocks.len() >= 2)
            .then(|| sum * blocks / (blocks - 1.0))
            .filter(|variance| *variance > 0.0)
    }

    /// How many standard errors an interval reaches: of few lists nobody knows the error well.
    pub(super) fn reach(&self, confidence: f64) -> f64 {
        student(confidence, self.degrees())
    }

    /// With how many degrees of freedom a variance is known.
    pub(super) fn degrees(&self) -> f64 {
        self.blocks.len().saturating_sub(1) as f64
    }

    /// Its metrics, in the order of [`METRICS`].
    pub(super) fn metrics(&self, everybody: &Self, confidence: f64) -> Vec<Estimated> {
        // Their intervals are normal ones.
        let wider = (self.reach(confidence) / z(confidence)).powi(2);
        let sure = |variance: Option<f64>| variance.map(|variance| variance * wider);
        let exposure = self.exposure();
        let share = self.n as f64 / everybody.n as f64;
        let whole = (everybody.total.exposure.value(), everybody.total.top.value());
        let seen = self.total.exposure.value() / whole.0;
        let top = self.total.top.value() / whole.1;
        let both = || self.blocks.iter().zip(&everybody.blocks);
        let relative = both().map(|(mine, all)| {
            let seen = (mine.exposure.value() - seen * all.exposure.value()) / whole.0;
            let rows = (mine.n as f64 - share * all.n as f64) / everybody.n as f64;
            seen / share - (self.total.exposure.value() / whole.0) / (share * share) * rows
        });
        let in_top = both().map(|(mine, all)| (mine.top.value() - top * all.top.value()) / whole.1);
        let skew = both().map(|(mine, all)| {
            let in_top = (mine.top.value() - top * all.top.value()) / whole.1;
            let rows = (mine.n as f64 - share * all.n as f64) / everybody.n as f64;
            in_top / top - rows / share
        });
        let skewed = if top > 0.0 {
            Ok(((top / share).ln(), sure(self.variance(skew))))
        } else {
            Err("nobody of the group is in the top of a list")
        };
        vec![
            estimated(Ok((exposure, sure(self.variance(self.influence())))), self.n),
            estimated(Ok((seen / share, sure(self.variance(relative)))), self.n),
            estimated(Ok((top, sure(self.variance(in_top)))), self.n),
            estimated(skewed, self.n),
        ]
    }
}
