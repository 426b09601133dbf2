//! Which statistics are bootstrapped, and what came of it.

use super::{
    compare::Comparison,
    groups::Cells,
    shares::{Share, Sums},
    statistic::{Statistic, Values, position},
};
use crate::{
    AnalysisSpec,
    disparities::Definition,
    intervals::bootstrap::{percentiles, sample, variance},
    metrics::{self, Measure},
    tally::Matrix,
};

/// The most values that a bootstrap keeps; fewer draws are made of wider results.
const MAX_KEPT: usize = 20_000_000;
/// The most buckets times draws.
const MAX_WORK: usize = 40_000_000;
/// Fewer draws than this tell nothing.
const LEAST_DRAWS: usize = 200;
/// The cells of a table of label and prediction, each yes, no or unknown.
const TABLE: usize = 9;

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

/// What the draws of one statistic say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub variance: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Drawn {
    fn of(mut values: Vec<f64>, draws: usize, confidence: f64) -> Option<Self> {
        let variance = variance(&values, draws)?;
        let (lower, upper) = percentiles(&mut values, draws, confidence)?;
        Some(Self { variance, lower, upper })
    }
}

/// A bucket of the cube: its cell, its place in the table of label and prediction, its rows.
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
        let smooth = smooth_metrics();
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
        let affordable = (MAX_KEPT / width.max(1)).min(MAX_WORK / counts.len().max(1));
        let made = (spec.bootstrap_draws as usize).min(affordable);
        let made = if made < LEAST_DRAWS.min(spec.bootstrap_draws as usize) { 0 } else { made };
        // Of many cells in many combinations they are very many: there are none where nothing is drawn.
        let places = comparisons.iter().filter(|_| made > 0).map(|comparison| {
            let outside = comparison.groups.all.len();
            let place = |bucket: &Bucket| {
                let group = comparison.groups.of_cell[bucket.cell].min(outside);
                (group * TABLE + if group < outside { bucket.place } else { 0 }) as u32
            };
            buckets.iter().map(place).collect()
        });
        let plan = Plan {
            whole: buckets.iter().map(|bucket| bucket.place).collect(),
            places: places.collect(),
            comparisons,
            smooth: &smooth,
            rates: shares_of(&drawn),
            drawn: &drawn,
        };
        let sample = sample(&counts, made, spec.seed, width, || {
            let (plan, mut scratch) = (&plan, Scratch::default());
            move |weights: &[f64], out: &mut [f64]| plan.statistics(weights, &mut scratch, out)
        });
        let mut values = sample.columns().map(|values| Drawn::of(values, made, spec.confidence));

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
        let smooth = smooth_metrics();
        for (metric, drawn) in smooth.iter().zip(&self.overall) {
            overall[*metric].draw(*drawn);
        }
        for (comparison, groups) in comparisons.iter_mut().zip(&self.groups) {
            for (index, metrics) in comparison.compared.iter().zip(groups) {
                for (metric, drawn) in smooth.iter().zip(metrics) {
                    comparison.estimates[*index][*metric].draw(*drawn);
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

fn smooth_metrics() -> Vec<usize> {
    metrics::registry()
        .iter()
        .filter(|metric| matches!(metric.measure, Measure::Matrix(_)))
        .map(|metric| position(metric))
        .collect()
}

/// The rates that some of the statistics are made of: no other is computed.
fn shares_of(drawn: &[Statistic]) -> Vec<(usize, Share)> {
    let mut rates: Vec<usize> = drawn.iter().flat_map(|statistic| statistic.metrics()).collect();
    rates.sort_unstable();
    rates.dedup();
    let share =
        |metric: usize| Some((metric, Share::of(metrics::registry().get(metric)?.measure)?));
    rates.into_iter().filter_map(share).collect()
}

struct Plan<'a> {
    /// Each bucket's place in the table of everybody.
    whole: Vec<usize>,
    /// By comparison: each bucket's place in the groups' tables, which lie one after another; behind the last, when its cell is
    /// of none of them.
    places: Vec<Vec<u32>>,
    comparisons: &'a [Comparison],
    smooth: &'a [usize],
    rates: Vec<(usize, Share)>,
    drawn: &'a [Statistic],
}

/// What a draw is computed in, kept for the next one.
#[derive(Default)]
struct Scratch {
    tables: Vec<f64>,
    values: Values,
}

impl Plan<'_> {
    /// All statistics of one draw, in the order in which [`Draws::make`] takes them apart.
    fn statistics(&self, weights: &[f64], scratch: &mut Scratch, out: &mut [f64]) {
        let Scratch { tables, values } = scratch;
        let mut whole = [0.0; TABLE];
        for (place, weight) in self.whole.iter().zip(weights) {
            whole[*place] += weight;
        }
        self.smooth_values(&whole, &mut values.overall);
        let mut out = out.iter_mut();
        let mut put = |value: f64| {
            if let Some(place) = out.next() {
                *place = value;
            }
        };
        self.smooth.iter().for_each(|metric| put(values.overall[*metric]));
        for (comparison, places) in self.comparisons.iter().zip(&self.places) {
            tables.clear();
            tables.resize(comparison.groups.all.len() * TABLE + 1, 0.0);
            for (place, weight) in places.iter().zip(weights) {
                tables[*place as usize] += weight;
            }
            self.compare(comparison, tables.as_chunks().0, values);
            for group in &values.groups {
                self.smooth.iter().for_each(|metric| put(group[*metric]));
            }
            self.drawn.iter().for_each(|statistic| put(statistic.value(values)));
        }
    }

    /// The values of a comparison's groups, whose tables are given: smooth metrics of each; and the rates too of the two that
    /// signed disparities compare.
    fn compare(&self, comparison: &Comparison, tables: &[[f64; TABLE]], values: &mut Values) {
        values.groups.resize_with(comparison.compared.len(), Vec::new);
        let mut others = [0.0; TABLE];
        for (index, group) in comparison.compared.iter().zip(&mut values.groups) {
            self.smooth_values(&tables[*index], group);
            if Some(*index) != comparison.reference {
                others.iter_mut().zip(&tables[*index]).for_each(|(sum, weight)| *sum += weight);
            }
        }
        if let Some(reference) = comparison.reference {
            self.values(&tables[reference], &mut values.reference);
            self.values(&others, &mut values.others);
        } else {
            values.reference.clear();
            values.others.clear();
        }
    }

    /// Every metric of the plan that is a function of the table; the others are undefined.
    fn values(&self, table: &[f64; TABLE], values: &mut Vec<f64>) {
        self.smooth_values(table, values);
        let sums = Sums::of(table);
        for (metric, share) in &self.rates {
            values[*metric] = share.value(&sums);
        }
    }

    /// Every smooth metric; the others stay as they were, undefined at first.
    fn smooth_values(&self, table: &[f64; TABLE], values: &mut Vec<f64>) {
        let registry = metrics::registry();
        values.resize(registry.len(), f64::NAN);
        let matrix = matrix(table);
        for metric in self.smooth {
            if let Measure::Matrix(of) = registry[*metric].measure {
                values[*metric] = of(&matrix).unwrap_or(f64::NAN);
            }
        }
    }
}

fn matrix(table: &[f64; TABLE]) -> Matrix {
    // Label times three plus prediction.
    Matrix { tn: table[0], fp: table[1], fn_: table[3], tp: table[4] }
}
