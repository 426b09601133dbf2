//! The groups within each bin of scores: does a score mean the same for each?

use super::{compare::Comparison, strata::Rated};
use crate::{
    disparities::Fold,
    intervals::{
        Proportion,
        pairs::{Member, greatest_difference, mean_greatest_difference},
    },
    metrics::reliability::BINS,
    tally::{NEGATIVE, POSITIVE},
};

/// A bin, and the share of positive labels there of each group that is large enough.
type Bin = (usize, Vec<(usize, Proportion)>);

/// The bins that have two such groups.
pub(super) struct Bins(Vec<Bin>);

impl Comparison {
    /// The bins in which groups have at least so many rows.
    pub(super) fn bins(&self, least: u64) -> Bins {
        let in_bin = |bin: usize| {
            let of_group = |index: &usize| {
                let tally = &self.group(*index).tally;
                let sums = tally.reliability.as_ref()?.get(bin)?;
                let weight = sums.w[NEGATIVE] + sums.w[POSITIVE];
                if sums.n < least.max(1) || weight <= 0.0 {
                    return None;
                }
                let rows = tally.labelled_scores().count;
                // The group's ratio of effective to actual rows stands for the bin's.
                let n = sums.n as f64 * rows.effective() / rows.n as f64;
                let p = (sums.w[POSITIVE] / weight).clamp(0.0, 1.0);
                Some((*index, Proportion { p, n }))
            };
            (bin, self.compared.iter().filter_map(of_group).collect::<Vec<_>>())
        };
        Bins((0..BINS).map(in_bin).filter(|(_, groups)| groups.len() >= 2).collect())
    }
}

impl Bins {
    /// The greatest or the mean difference between groups of a bin.
    pub(super) fn value(&self, fold: Fold) -> Option<f64> {
        let apart = self.0.iter().map(|(_, groups)| {
            let (low, high) = extremes(groups)?;
            Some(high.1 - low.1)
        });
        let apart: Vec<f64> = apart.collect::<Option<_>>()?;
        if apart.is_empty() {
            return None;
        }
        Some(match fold {
            Fold::WorstCase => apart.into_iter().fold(0.0, f64::max),
            Fold::Mean => apart.iter().sum::<f64>() / apart.len() as f64,
        })
    }

    /// Its interval, from all pairs of groups of all bins.
    pub(super) fn bounds(&self, fold: Fold, confidence: f64) -> Option<(f64, f64)> {
        let families: Vec<Vec<Member>> = self
            .0
            .iter()
            .map(|(_, groups)| groups.iter().map(|(_, rate)| Member::Rate(*rate)).collect())
            .collect();
        match fold {
            Fold::WorstCase => greatest_difference(&families, confidence),
            Fold::Mean => mean_greatest_difference(&families, confidence),
        }
    }

    /// Which rate of which two groups differs the most.
    pub(super) fn worst(&self) -> Option<(String, Rated, Rated)> {
        let mut worst: Option<(usize, Rated, Rated)> = None;
        for (bin, groups) in &self.0 {
            let (low, high) = extremes(groups)?;
            if worst.is_none_or(|(_, before, after)| high.1 - low.1 > after.1 - before.1) {
                worst = Some((*bin, low, high));
            }
        }
        let (bin, low, high) = worst?;
        let edge = |bin: usize| bin as f64 / BINS as f64;
        let what =
            format!("Share of positive labels among scores {} to {}", edge(bin), edge(bin + 1));
        Some((what, low, high))
    }
}

/// The groups with the least and the greatest share.
fn extremes(groups: &[(usize, Proportion)]) -> Option<(Rated, Rated)> {
    let plain = |(index, rate): &(usize, Proportion)| (*index, rate.p);
    let low = groups.iter().min_by(|left, right| left.1.p.total_cmp(&right.1.p))?;
    let high = groups.iter().rev().max_by(|left, right| left.1.p.total_cmp(&right.1.p))?;
    Some((plain(low), plain(high)))
}
