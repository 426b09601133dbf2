//! Which statistics are bootstrapped, and what came of it.

use super::{
    compare::Comparison,
    groups::Cells,
    shares::Share,
    statistic::{Statistic, position},
};
use crate::{
    AnalysisSpec,
    disparities::Definition,
    intervals::{bootstrap, drawn::Drawn},
    lanes::{self, LANES, Lanes, PLACES, Table},
    metrics::{self, Measure, Smooth},
};

/// The most values that a bootstrap makes; fewer draws are made of wider results.
const MAX_VALUES: usize = 20_000_000;
/// The most buckets times draws.
const MAX_WORK: usize = 40_000_000;
/// Fewer draws than this tell nothing.
const LEAST_DRAWS: usize = 200;

/// The bootstrap of an analysis.
pub(crate) struct Draws {
    /// How many were made; fewer than asked for when the data have very many groups.
    pub made: usize,
    /// By comparison, then compared group, then smooth metric.
    groups: Vec<Vec<Vec<Option<Drawn>>>>,
    /// By comparison, then definition.
    disparities: Vec<Vec<Option<Drawn>>>,
    overall: Vec<Option<Drawn>>,
}

/// A bucket of the cube: its cell, and its place in the table of label and prediction.
struct Bucket {
    cell: usize,
    place: usize,
}

impl Draws {
    /// Draws the cube anew, and computes from each draw what has no interval of its own.
    pub(crate) fn make(
        spec: &AnalysisSpec,
        cells: &Cells,
        comparisons: &[Comparison],
        definitions: &[&Definition],
    ) -> Self {
        let smooth: Vec<Smooth> = smooth_metrics().map(|(_, smooth)| smooth).collect();
        let statistics: Vec<Option<Statistic>> = definitions
            .iter()
            .map(|definition| {
                Some(Statistic::of(definition.kind)).filter(|statistic| statistic.drawn())
            })
            .collect();
        let drawn: Vec<Statistic> = statistics.iter().copied().flatten().collect();
        let (mut buckets, mut counts) = (Vec::new(), Vec::new());
        for cell in cells.order.iter().copied() {
            let tally = &cells.tallies[cell];
            for (place, count) in tally.cells.iter().flatten().enumerate() {
                if count.n > 0 {
                    buckets.push(Bucket { cell, place });
                    counts.push(*count);
                }
            }
        }
        let width = smooth.len()
            + comparisons
                .iter()
                .map(|comparison| comparison.compared.len() * smooth.len() + drawn.len())
                .sum::<usize>();
        let affordable = (MAX_VALUES / width.max(1)).min(MAX_WORK / counts.len().max(1));
        let made = (spec.bootstrap_draws as usize).min(affordable);
        let made = if made < LEAST_DRAWS.min(spec.bootstrap_draws as usize) { 0 } else { made };
        // Of many cells in many combinations they are very many: there are none where nothing is drawn.
        let places = comparisons.iter().filter(|_| made > 0).map(|comparison| {
            let outside = comparison.groups.all.len();
            let place = |bucket: &Bucket| {
                let group = comparison.groups.of_cell[bucket.cell].min(outside);
                group * PLACES + if group < outside { bucket.place } else { 0 }
            };
            buckets.iter().map(place).collect()
        });
        let plan = Plan {
            whole: buckets.iter().map(|bucket| bucket.place).collect(),
            places: places.collect(),
            comparisons,
            smooth: &smooth,
            between: between(&drawn),
            drawn: &drawn,
        };
        let statistics_of = || {
            let (plan, mut scratch) = (&plan, Scratch::default());
            move |weights: &[Lanes], out: &mut [Lanes]| plan.statistics(weights, &mut scratch, out)
        };
        let mut values =
            bootstrap::drawn(&counts, made, spec.seed, width, spec.confidence, statistics_of)
                .into_iter();

        let overall = values.by_ref().take(smooth.len()).collect();
        let (mut groups, mut disparities) = (Vec::new(), Vec::new());
        for comparison in comparisons {
            groups.push(
                comparison
                    .compared
                    .iter()
                    .map(|_| values.by_ref().take(smooth.len()).collect())
                    .collect(),
            );
            disparities.push(
                statistics
                    .iter()
                    .map(|statistic| statistic.and_then(|_| values.next().flatten()))
                    .collect(),
            );
        }
        Self { made, groups, disparities, overall }
    }

    /// Gives the smooth metrics of groups and everybody their intervals.
    pub(crate) fn apply(
        &self,
        comparisons: &mut [Comparison],
        overall: &mut [super::estimates::Estimated],
    ) {
        for ((metric, _), drawn) in smooth_metrics().zip(&self.overall) {
            overall[metric].draw(*drawn);
        }
        for (comparison, groups) in comparisons.iter_mut().zip(&self.groups) {
            for (index, metrics) in comparison.compared.iter().zip(groups) {
                for ((metric, _), drawn) in smooth_metrics().zip(metrics) {
                    comparison.estimates[*index][metric].draw(*drawn);
                }
            }
        }
    }

    /// The interval of a disparity.
    pub(crate) fn interval(&self, comparison: usize, definition: usize) -> Option<(f64, f64)> {
        let drawn = self.disparities.get(comparison)?.get(definition)?.as_ref()?;
        Some((drawn.lower, drawn.upper))
    }
}

/// The smooth metrics, with their places in the registry.
fn smooth_metrics() -> impl Iterator<Item = (usize, Smooth)> {
    metrics::registry().iter().filter_map(|metric| match metric.measure {
        Measure::Matrix(smooth) => Some((position(metric), smooth)),
        _ => None,
    })
}

/// The metrics that some of the statistics are made of: no other is computed of the two sides that they compare.
fn between(drawn: &[Statistic]) -> Vec<(usize, Side)> {
    let mut needed: Vec<usize> = drawn.iter().flat_map(|statistic| statistic.metrics()).collect();
    needed.sort_unstable();
    needed.dedup();
    let side = |metric: usize| {
        Some((
            metric,
            match metrics::registry().get(metric)?.measure {
                Measure::Matrix(smooth) => Side::Smooth(smooth),
                measure => Side::Share(Share::of(measure)?),
            },
        ))
    };
    needed.into_iter().filter_map(side).collect()
}

/// How a metric is computed of a table.
#[derive(Clone, Copy)]
enum Side {
    Smooth(Smooth),
    Share(Share),
}

struct Plan<'a> {
    /// Each bucket's place in the table of everybody.
    whole: Vec<usize>,
    /// By comparison: each bucket's place in the groups' tables, which lie one after another; behind the last, when its cell is
    /// of none of them.
    places: Vec<Vec<usize>>,
    comparisons: &'a [Comparison],
    smooth: &'a [Smooth],
    between: Vec<(usize, Side)>,
    drawn: &'a [Statistic],
}

/// What draws are computed in, kept for the next ones.
#[derive(Default)]
struct Scratch {
    tables: Vec<Lanes>,
    /// By metric, of those that lie between.
    others: Vec<Lanes>,
    reference: Vec<Lanes>,
}

/// All undefined.
const UNDEFINED: Lanes = [f64::NAN; LANES];

impl Plan<'_> {
    /// All statistics of some draws, in the order in which [`Draws::make`] takes them apart.
    fn statistics(&self, weights: &[Lanes], scratch: &mut Scratch, out: &mut [Lanes]) {
        let mut whole: Table = [[0.0; LANES]; PLACES];
        for (place, weights) in self.whole.iter().zip(weights) {
            lanes::add(&mut whole[*place], weights);
        }
        let mut out = self.smooth_values(&whole, out);
        for (comparison, places) in self.comparisons.iter().zip(&self.places) {
            let Scratch { tables, .. } = scratch;
            tables.clear();
            tables.resize(comparison.groups.all.len() * PLACES + 1, [0.0; LANES]);
            for (place, weights) in places.iter().zip(weights) {
                lanes::add(&mut tables[*place], weights);
            }
            for index in &comparison.compared {
                out = self.smooth_values(&tables.as_chunks().0[*index], out);
            }
            out = self.signed_values(comparison, scratch, out);
        }
    }

    /// Puts every smooth metric of a table in front of `out`, and gives what is behind.
    fn smooth_values<'out>(&self, table: &Table, out: &'out mut [Lanes]) -> &'out mut [Lanes] {
        let (mine, behind) = out.split_at_mut(self.smooth.len());
        for (smooth, out) in self.smooth.iter().zip(mine) {
            (smooth.many)(table, out);
        }
        behind
    }

    /// Puts what compares a reference group with all others in front of `out`, and gives what is behind.
    fn signed_values<'out>(
        &self,
        comparison: &Comparison,
        scratch: &mut Scratch,
        out: &'out mut [Lanes],
    ) -> &'out mut [Lanes] {
        let (mine, behind) = out.split_at_mut(self.drawn.len());
        let Some(reference) = comparison.reference else {
            mine.fill(UNDEFINED);
            return behind;
        };
        let Scratch { tables, others: theirs, reference: its } = scratch;
        let tables: &[Table] = tables.as_chunks().0;
        let mut others: Table = [[0.0; LANES]; PLACES];
        for index in comparison.compared.iter().filter(|index| **index != reference) {
            for (sums, more) in others.iter_mut().zip(&tables[*index]) {
                lanes::add(sums, more);
            }
        }
        for (table, values) in [(&others, &mut *theirs), (&tables[reference], &mut *its)] {
            values.resize(metrics::registry().len(), UNDEFINED);
            for (metric, side) in &self.between {
                match side {
                    Side::Smooth(smooth) => (smooth.many)(table, &mut values[*metric]),
                    Side::Share(share) => share.values(table, &mut values[*metric]),
                }
            }
        }
        for (statistic, out) in self.drawn.iter().zip(mine) {
            for (lane, out) in out.iter_mut().enumerate() {
                *out = statistic.between(|metric| theirs[metric][lane], |metric| its[metric][lane]);
            }
        }
        behind
    }
}
