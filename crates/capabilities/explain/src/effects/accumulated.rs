//! Accumulated local effects.

use tokio_util::sync::CancellationToken;

use super::{partial::checked, similar};
use crate::{
    ExplainError, Rows, Scorer,
    ask::Asked,
    shap::Progress,
    statistics::{ascending, distinct},
};

/// What a feature adds to predictions, from value to value, among rows that have about such values; its mean over all rows is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Accumulated {
    /// The values: edges of ranges, or categories in their order.
    pub grid: Vec<f64>,
    /// The effect at each.
    pub effect: Vec<f64>,
    /// How many rows: of numbers in each range between two edges, of categories in each.
    pub rows: Vec<usize>,
}

/// How categories stand beside one another.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Those beside one another whose rows are most alike in the other features; `true` marks which of these are categories.
    Similarity(Vec<bool>),
    /// In this order.
    Given(Vec<f64>),
}

/// Comparing each with each takes the square of their number.
const MOST_CATEGORIES: usize = 512;
const MOST_BINS: usize = 10_000;

/// Accumulated local effects of a feature of numbers, in at most `bins` ranges with as many rows each.
///
/// Unlike partial dependence it makes up no rows that cannot be, where features hang together. Rows without a value take no part.
///
/// # Errors
/// When the rows do not have the model's features or none has a value, when there is no such feature or output, when the
/// model cannot be asked or answers what is no number, and when it is cancelled.
#[allow(clippy::too_many_arguments, reason = "each is another thing, and none has a default")]
pub fn accumulated(
    scorer: &dyn Scorer,
    rows: &Rows,
    feature: usize,
    output: usize,
    bins: usize,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Accumulated, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    let rows = checked(&asked, rows, &[feature], output)?;
    if !(1..=MOST_BINS).contains(&bins) {
        return Err(ExplainError::Asked(vec![format!("bins: between 1 and {MOST_BINS}")]));
    }
    let values = ascending(rows.iter().map(|row| row[feature]));
    let Some(least) = values.first().copied() else { return Err(nothing(feature)) };
    // Edges are values that occur, as Apley's own: the least, and the last of each share.
    let last = |bin: usize| values[(bin * values.len()).div_ceil(bins).max(1) - 1];
    let edges = distinct(std::iter::once(least).chain((1..=bins).map(last)).collect());
    if edges.len() < 2 {
        return Ok(Accumulated { grid: edges, effect: vec![0.0], rows: vec![values.len()] });
    }
    let of = |value: f64| edges[1..].partition_point(|edge| *edge < value).min(edges.len() - 2);
    asked.told(progress, 0, rows.len())?;
    let finite = || rows.iter().filter(|row| row[feature].is_finite());
    let mut steps = vec![(0.0, 0_usize); edges.len() - 1];
    let ends = finite().flat_map(|row| {
        let bin = of(row[feature]);
        [edges[bin], edges[bin + 1]].map(|edge| with(row, feature, edge))
    });
    let bins: Vec<usize> = finite().map(|row| of(row[feature])).collect();
    asked.each(ends, |place, predicted| {
        let step = &mut steps[bins[place / 2]];
        if place % 2 == 0 {
            step.0 -= predicted[output];
        } else {
            step.0 += predicted[output];
            step.1 += 1;
        }
    })?;
    let mut effect = vec![0.0];
    for (sum, count) in &steps {
        effect.push(effect[effect.len() - 1] + sum / (*count).max(1) as f64);
    }
    let counted = steps.iter().zip(effect.windows(2));
    let mean: f64 =
        counted.map(|((_, count), ends)| *count as f64 * (ends[0] + ends[1]) / 2.0).sum();
    let mean = mean / values.len() as f64;
    asked.told(progress, rows.len(), rows.len())?;
    Ok(Accumulated {
        grid: edges,
        effect: effect.into_iter().map(|value| value - mean).collect(),
        rows: steps.into_iter().map(|(_, count)| count).collect(),
    })
}

/// Accumulated local effects of a feature of categories: of rows of a category, what one step to its neighbours does.
///
/// # Errors
/// As [`accumulated`]; and when the order does not name every category that occurs, once.
#[allow(clippy::too_many_arguments, reason = "each is another thing, and none has a default")]
pub fn accumulated_categories(
    scorer: &dyn Scorer,
    rows: &Rows,
    feature: usize,
    output: usize,
    order: &Order,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Accumulated, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    let rows = checked(&asked, rows, &[feature], output)?;
    let categories = distinct(ascending(rows.iter().map(|row| row[feature])));
    if categories.is_empty() {
        return Err(nothing(feature));
    }
    if categories.len() > MOST_CATEGORIES {
        return Err(ExplainError::Asked(vec![format!(
            "feature {feature} has {} categories; at most {MOST_CATEGORIES} are put into an order",
            categories.len()
        )]));
    }
    let grid = match order {
        Order::Similarity(kinds) => similar::order(rows, feature, &categories, kinds, cancel)?,
        Order::Given(given) => {
            if distinct(ascending(given.iter().copied())) != categories
                || given.len() != categories.len()
            {
                return Err(ExplainError::Asked(vec![format!(
                    "order: it has to name each of the {} categories of feature {feature} once",
                    categories.len()
                )]));
            }
            given.clone()
        }
    };
    asked.told(progress, 0, rows.len())?;
    let finite = || rows.iter().filter(|row| row[feature].is_finite());
    let place = |row: &[f64]| grid.iter().position(|category| *category == row[feature]);
    let mut counts = vec![0; grid.len()];
    // Of each row, the steps that it is asked about: to the category before its own, and to the one after.
    let mut asks = Vec::new();
    for (index, row) in finite().enumerate() {
        let Some(own) = place(row) else { continue };
        counts[own] += 1;
        asks.extend((own > 0).then(|| (index, own - 1)));
        asks.extend((own + 1 < grid.len()).then_some((index, own)));
    }
    let present: Vec<&[f64]> = finite().collect();
    let mut steps = vec![(0.0, 0_usize); grid.len() - 1];
    let ends = asks.iter().flat_map(|(row, step)| {
        [grid[*step], grid[*step + 1]].map(|category| with(present[*row], feature, category))
    });
    asked.each(ends, |place, predicted| {
        let step = &mut steps[asks[place / 2].1];
        if place % 2 == 0 {
            step.0 -= predicted[output];
        } else {
            step.0 += predicted[output];
            step.1 += 1;
        }
    })?;
    let mut effect = vec![0.0];
    for (sum, count) in &steps {
        effect.push(effect[effect.len() - 1] + sum / (*count).max(1) as f64);
    }
    let weighted = effect.iter().zip(&counts).map(|(effect, count)| effect * f64::from(*count));
    let mean = weighted.sum::<f64>() / present.len() as f64;
    asked.told(progress, rows.len(), rows.len())?;
    Ok(Accumulated {
        grid,
        effect: effect.into_iter().map(|value| value - mean).collect(),
        rows: counts.into_iter().map(|count: u32| count as usize).collect(),
    })
}

fn with(row: &[f64], feature: usize, value: f64) -> Vec<f64> {
    let mut row = row.to_vec();
    row[feature] = value;
    row
}

fn nothing(feature: usize) -> ExplainError {
    ExplainError::Asked(vec![format!("feature {feature} has no value in any row")])
}
