//! Each group against everybody, of whom it is a part: what the intervals of such disparities are made of.

use std::sync::OnceLock;

use super::{compare::Comparison, estimates::Estimated, statistic::position};
use crate::{
    intervals::{
        Proportion,
        delong::Placements,
        pairs::Member,
        whole::{Known, Part},
    },
    metrics::{self, Measure, Metric, Smooth},
    tally::{Count, Matrix, NEGATIVE, POSITIVE, Tally},
};

/// So many rows are added to each cell of a confusion matrix when its function's variance is sought: a group in which all went
/// well by chance is no certainty.
const HALF: f64 = 0.5;

/// Everybody together, with their metrics.
pub(crate) struct Everybody<'a> {
    tally: &'a Tally,
    pub estimates: &'a [Estimated],
    placements: Placements,
    /// By metric, when they were first asked for.
    slopes: Vec<OnceLock<Option<Slopes>>>,
}

impl<'a> Everybody<'a> {
    pub(crate) fn new(tally: &'a Tally, estimates: &'a [Estimated]) -> Self {
        Self {
            tally,
            estimates,
            placements: Placements::of(&tally.points),
            slopes: estimates.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    fn slopes(&self, at: usize, of: Smooth) -> Option<&Slopes> {
        self.slopes.get(at)?.get_or_init(|| Slopes::of(of, self.tally)).as_ref()
    }
}

/// The groups of a comparison against everybody, by one metric.
#[derive(Debug, Default)]
pub(crate) struct Against {
    /// Those whose certainty is known.
    pub parts: Vec<Part>,
    /// Those that have a value and no variance.
    pub unsure: Vec<usize>,
}

/// A place for the groups of each metric against everybody.
pub(crate) fn unknown() -> Vec<OnceLock<Against>> {
    metrics::registry().iter().map(|_| OnceLock::new()).collect()
}

impl Comparison {
    /// The groups against everybody; computed once for all disparities of the metric.
    pub(super) fn against(&self, metric: &Metric, everybody: &Everybody<'_>) -> Option<&Against> {
        let at = position(metric);
        Some(self.against.get(at)?.get_or_init(|| {
            let mut against = Against::default();
            for index in &self.compared {
                let mine = self.estimates[*index].get(at);
                let Some(mine) = mine.filter(|estimate| estimate.value.is_some()) else { continue };
                match part(metric, at, mine, &self.group(*index).tally, everybody) {
                    Some(part) => against.parts.push(part),
                    None => against.unsure.push(*index),
                }
            }
            against
        }))
    }
}

fn part(
    metric: &Metric,
    at: usize,
    mine: &Estimated,
    tally: &Tally,
    everybody: &Everybody<'_>,
) -> Option<Part> {
    let all = everybody.estimates.get(at)?;
    match metric.measure {
        Measure::Exact(_) => None,
        Measure::Rate(of, _) => rate(of(tally), of(everybody.tally)),
        Measure::Matrix(of) => {
            let times = times(everybody.tally.judged(), tally.judged());
            let group = Slopes::of(of, tally)?;
            smooth((mine.value?, &group), (all.value?, everybody.slopes(at, of)?), times)
        }
        Measure::Mean(_, rows) => {
            let (group, whole) = (known(mine)?, known(all)?);
            // A row of the group counts in its mean, and by the group's share in everybody's.
            let share = (rows(tally).w / rows(everybody.tally).w).min(1.0);
            // Never less than the group's own variance leaves of the difference.
            let others = 1.0 - share;
            let most = f64::midpoint(group.variance * (1.0 - others * others), whole.variance);
            let times = times(rows(everybody.tally), rows(tally));
            value(group, whole, (share * group.variance).min(most), times)
        }
        Measure::Estimate(_) => {
            let (group, whole) = (known(mine)?, known(all)?);
            if metric.id != "roc_auc" {
                // What a group and everybody have in common only brings them nearer: as if apart, the interval is too wide.
                return value(group, whole, 0.0, 0.0);
            }
            let [negatives, positives] =
                [NEGATIVE, POSITIVE].map(|label| tally.scores[label].count);
            let covariance = everybody.placements.covariance(
                &tally.points,
                negatives.effective(),
                positives.effective(),
            );
            let scores = &everybody.tally.scores;
            let times = times(scores[NEGATIVE].count, negatives)
                .max(times(scores[POSITIVE].count, positives));
            value(group, whole, covariance, times)
        }
    }
}

fn known(estimate: &Estimated) -> Option<Known> {
    let found = match estimate.member()? {
        Member::Rate(Proportion { p, n }) => {
            Known { value: p, variance: p * (1.0 - p) / n, bias: 0.0 }
        }
        Member::Value { value, variance } => Known { value, variance, bias: 0.0 },
        Member::Biased { value, variance, bias } => Known { value, variance, bias },
    };
    found.variance.is_finite().then_some(found)
}

/// How many times the group's effective rows everybody has.
fn times(whole: Count, group: Count) -> f64 {
    whole.effective() / group.effective()
}

/// A value of a group and of everybody, who have so many `times` its rows.
fn value(mut group: Known, whole: Known, covariance: f64, times: f64) -> Option<Part> {
    // A group that is high by chance often looks surer than it is, and of many groups such a one is picked. So its variance is
    // taken to be no less than that of as many rows of everybody.
    if times.is_finite() {
        group.variance = group.variance.max(whole.variance * times);
    }
    // No two values have more in common than this.
    let most = (group.variance * whole.variance).sqrt();
    (covariance.is_finite() && most >= 0.0).then(|| Part::Value {
        group,
        whole,
        covariance: covariance.clamp(-most, most),
    })
}

/// A rate of a group, and of all others.
fn rate((hits, all): (Count, Count), (whole_hits, whole): (Count, Count)) -> Option<Part> {
    if all.w <= 0.0 {
        return None;
    }
    let group = Proportion { p: hits.w / all.w, n: all.effective() };
    let (rest, rows) = (whole.w - all.w, whole.effective());
    // What is left of weights by rounding is nobody.
    if rest <= whole.w * 1e-12 {
        return Some(Part::Rate { group, rest: group, share: 1.0, rows });
    }
    let p = (whole_hits.w - hits.w) / rest;
    let p = if p < 1e-12 { 0.0 } else { p.min(1.0) };
    let squares = whole.w2 - all.w2;
    let n = if squares > 0.0 { rest * rest / squares } else { 1.0 };
    Some(Part::Rate { group, rest: Proportion { p, n }, share: all.w / whole.w, rows })
}

/// A smooth function of the confusion matrix by the delta method: what each row of a cell moves it by, in the group and in
/// everybody.
fn smooth(
    (mine, group): (f64, &Slopes),
    (all, everybody): (f64, &Slopes),
    times: f64,
) -> Option<Part> {
    let known = |value: f64, slopes: &Slopes| Known {
        value,
        variance: slopes.covariance(slopes),
        bias: 0.0,
    };
    let (group_known, whole_known) = (known(mine, group), known(all, everybody));
    let sure = |known: &Known| known.variance > 0.0 && known.variance.is_finite();
    if !sure(&group_known) || !sure(&whole_known) {
        return None;
    }
    value(group_known, whole_known, group.covariance(everybody), times)
}

/// By cell of a confusion matrix: the sum of squared weights of its rows, and how far a row of weight 1 moves a function.
struct Slopes {
    squares: [f64; 4],
    slopes: [f64; 4],
}

impl Slopes {
    /// `None` where the function is undefined.
    fn of(of: Smooth, tally: &Tally) -> Option<Self> {
        // Some functions are undefined as soon as any row is in some cell.
        Self::at(of, tally, HALF).or_else(|| Self::at(of, tally, 0.0))
    }

    /// With so many rows more in each cell.
    ///
    /// Functions of shares only: a row's slope is its influence, for they sum to 0.
    fn at(of: Smooth, tally: &Tally, more: f64) -> Option<Self> {
        /// Of a cell's weight.
        const STEP: f64 = 1e-4;
        let cells = tally.confusion();
        let judged = tally.judged();
        let mean = judged.w / judged.n as f64;
        let weights = cells.map(|count| count.w + more * mean);
        let at = |weights: [f64; 4]| {
            let [tp, fp, tn, fn_] = weights;
            (of.one)(&Matrix { tp, fp, tn, fn_ }).ok().filter(|value| value.is_finite())
        };
        let mut slopes = [0.0; 4];
        for (place, slope) in slopes.iter_mut().enumerate() {
            let step = weights[place] * STEP;
            if step > 0.0 {
                let (mut up, mut down) = (weights, weights);
                up[place] += step;
                down[place] -= step;
                *slope = (at(up)? - at(down)?) / (2.0 * step);
            }
        }
        Some(Self { squares: cells.map(|count| count.w2 + more * mean * mean), slopes })
    }

    /// The covariance with the same function of a whole that these cells are a part of.
    fn covariance(&self, whole: &Self) -> f64 {
        let cells = self.squares.iter().zip(self.slopes).zip(whole.slopes);
        cells.map(|((squares, mine), all)| squares * mine * all).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn tally(cells: [u64; 4]) -> Tally {
        let mut tally = Tally::default();
        let [tp, fp, tn, fn_] = cells.map(|n| Count { n, w: n as f64, w2: n as f64 });
        tally.cells[POSITIVE] = [fn_, tp, Count::default()];
        tally.cells[NEGATIVE] = [tn, fp, Count::default()];
        tally
    }

    fn measure(id: &str) -> Measure {
        metrics::find(id).unwrap().measure
    }

    #[test]
    fn the_rest_is_everybody_without_the_group() {
        let Measure::Rate(of, _) = measure("tpr") else { panic!() };
        let (group, whole) = (tally([30, 5, 40, 10]), tally([90, 20, 120, 50]));
        let found = rate(of(&group), of(&whole)).unwrap();
        let (mine, rest) = (Proportion { p: 0.75, n: 40.0 }, Proportion { p: 0.6, n: 100.0 });
        let share = 40.0 / 140.0;
        assert_eq!(found, Part::Rate { group: mine, rest, share, rows: 140.0 });
        let alone = rate(of(&group), of(&group)).unwrap();
        assert_eq!(alone, Part::Rate { group: mine, rest: mine, share: 1.0, rows: 40.0 });
        assert_eq!(rate(of(&tally([0, 1, 1, 0])), of(&whole)), None);
    }

    #[test]
    fn a_smooth_function_varies_as_its_formula_says() {
        // Of a mean of two independent rates: (TPR + TNR) / 2.
        let Measure::Matrix(of) = measure("balanced_accuracy") else { panic!() };
        let (group, whole) = (tally([300, 50, 400, 100]), tally([3_000, 500, 4_000, 1_000]));
        let slopes = |tally: &Tally| Slopes::of(of, tally).unwrap();
        let part = smooth((0.8, &slopes(&group)), (0.8, &slopes(&whole)), 10.0).unwrap();
        let Part::Value { group: mine, whole: all, covariance } = part else { panic!() };
        let expected = (0.75 * 0.25 / 400.0 + 0.888_889 * 0.111_111 / 450.0) / 4.0;
        assert!((mine.variance / expected - 1.0).abs() < 0.02, "{} {expected}", mine.variance);
        assert!((all.variance / (expected / 10.0) - 1.0).abs() < 0.02, "{}", all.variance);
        // A tenth of everybody, alike.
        assert!((covariance / (expected / 10.0) - 1.0).abs() < 0.02, "{covariance}");
    }

    #[test]
    fn a_group_in_which_all_went_well_is_not_certain() {
        let Measure::Matrix(of) = measure("f1") else { panic!() };
        let slopes = |cells: [u64; 4]| Slopes::of(of, &tally(cells)).unwrap();
        let part = smooth((1.0, &slopes([20, 0, 20, 0])), (0.7, &slopes([70, 30, 70, 30])), 5.0);
        let Some(Part::Value { group, .. }) = part else { panic!("{part:?}") };
        assert!(group.variance > 1e-4, "{}", group.variance);
    }

    #[test]
    fn a_function_that_any_false_negative_makes_undefined_has_its_slopes_too() {
        let Measure::Matrix(of) = measure("generalized_entropy_index_0") else { panic!() };
        let slopes = |cells: [u64; 4]| Slopes::of(of, &tally(cells)).unwrap();
        let part = smooth((0.1, &slopes([20, 9, 20, 0])), (0.1, &slopes([60, 30, 70, 0])), 3.0);
        assert!(part.is_some());
    }
}
