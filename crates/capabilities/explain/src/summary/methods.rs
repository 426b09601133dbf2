//! What methods that give rows no values are told as.

use serde::{Deserialize, Serialize};

use super::{
    Group, Groups, MOST_CELLS, MOST_FEATURES, MOST_GROUPS, MOST_LINES, MOST_POINTS, MOST_ROWS,
    rounded, thinned,
};
use crate::{
    Rows,
    counterfactual::{Outcome, Sought},
    effects::{Accumulated, Pair, Partial},
    groups::Compared,
    lime::{Lime, Local, Told},
    permutation::{Importances, Metric},
};

/// What the model loses without each feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// By which measure.
    pub metric: Metric,
    /// The measure of the rows as they are.
    pub baseline: f64,
    /// How often each feature was shuffled.
    pub repeats: usize,
    /// By feature, in the model's order.
    pub features: Vec<Lost>,
}

/// What the model loses without a feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    /// The mean of all repeats.
    pub mean: f64,
    /// Their standard deviation, divided by their number.
    pub deviation: f64,
    /// The least of them.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Importance {
    /// What permutation found.
    pub fn of(metric: Metric, found: &Importances) -> Self {
        let lost = |one: &crate::permutation::Importance| Lost {
            mean: one.mean,
            deviation: one.deviation,
            least: one.repeats.iter().copied().fold(one.mean, f64::min),
            greatest: one.repeats.iter().copied().fold(one.mean, f64::max),
        };
        Self {
            metric,
            baseline: found.baseline,
            repeats: found.features.first().map_or(0, |one| one.repeats.len()),
            features: found.features.iter().map(lost).collect(),
        }
    }
}

/// Which effect a curve shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The mean prediction: partial dependence.
    Partial,
    /// That of single rows too: individual conditional expectation.
    Individual,
    /// Accumulated local effects, whose mean is 0.
    Accumulated,
}

/// The effect of a feature, from value to value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Which effect.
    pub effect: Effect,
    /// Of which feature.
    pub feature: usize,
    /// Are its values categories, which lie on no line?
    pub categorical: bool,
    /// Are all curves differences from their first value?
    pub centred: bool,
    /// The feature's values; ascending, but for categories.
    pub grid: Vec<f64>,
    /// The mean at each.
    pub mean: Vec<f64>,
    /// Of some rows, the prediction at each.
    #[serde(default)]
    pub lines: Vec<Vec<f64>>,
    /// How many rows there are at each category, or in each range up to a value; empty where that is not known.
    #[serde(default)]
    pub rows: Vec<u64>,
}

impl Curves {
    /// Partial dependence, with the lines of single rows where some were kept.
    pub fn partial(feature: usize, categorical: bool, centred: bool, found: &Partial) -> Self {
        let places = thinned(found.grid.len(), MOST_POINTS);
        let at = |curve: &[f64]| -> Vec<f64> {
            places.iter().filter_map(|place| curve.get(*place).copied().map(rounded)).collect()
        };
        let lines = thinned(found.curves.len(), MOST_LINES);
        Self {
            effect: if lines.is_empty() { Effect::Partial } else { Effect::Individual },
            feature,
            categorical,
            centred,
            grid: at(&found.grid),
            mean: at(&found.average),
            lines: lines.into_iter().map(|line| at(&found.curves[line])).collect(),
            rows: Vec::new(),
        }
    }

    /// Accumulated local effects.
    pub fn accumulated(feature: usize, categorical: bool, found: &Accumulated) -> Self {
        let places = thinned(found.grid.len(), MOST_POINTS);
        let at = |curve: &[f64]| -> Vec<f64> {
            places.iter().filter_map(|place| curve.get(*place).copied().map(rounded)).collect()
        };
        // Ranges are one fewer than their ends; nobody is below the first.
        let shift = found.grid.len().saturating_sub(found.rows.len());
        let mut rows: Vec<u64> = vec![0; shift];
        rows.extend(found.rows.iter().map(|rows| *rows as u64));
        let thin = places.len() < found.grid.len();
        Self {
            effect: Effect::Accumulated,
            feature,
            categorical,
            centred: false,
            grid: at(&found.grid),
            mean: at(&found.effect),
            lines: Vec::new(),
            rows: if thin { Vec::new() } else { rows },
        }
    }
}

/// The effect of two features together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// Which.
    pub features: [usize; 2],
    /// Their values.
    pub grids: [Vec<f64>; 2],
    /// The mean prediction: for each value of the first, of each value of the second.
    pub mean: Vec<Vec<f64>>,
}

impl Surface {
    /// Partial dependence on two features.
    pub fn of(features: [usize; 2], found: &Pair) -> Self {
        let [first, second] = [0, 1].map(|side| thinned(found.grids[side].len(), MOST_CELLS));
        let line = |place: &usize| -> Vec<f64> {
            second.iter().map(|cell| rounded(found.average[*place][*cell])).collect()
        };
        let grid = |side: usize, places: &[usize]| -> Vec<f64> {
            places.iter().map(|place| rounded(found.grids[side][*place])).collect()
        };
        Self {
            features,
            grids: [grid(0, &first), grid(1, &second)],
            mean: first.iter().map(line).collect(),
        }
    }
}

/// A linear model near a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// Which row, counted from 0.
    pub row: u64,
    /// What the model predicts.
    pub prediction: f64,
    /// What the linear model does.
    pub local: f64,
    /// What it answers when all is 0.
    pub intercept: f64,
    /// The share of the variance that it tells.
    pub r2: Option<f64>,
    /// Its weights, the greatest size first.
    pub weights: Vec<Weight>,
}

/// A weight of a linear model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// Of which feature.
    pub feature: usize,
    /// The feature's value is greater than this.
    pub above: Option<f64>,
    /// It is this at most.
    pub at_most: Option<f64>,
    /// It is this category.
    pub category: Option<f64>,
    /// How much that counts.
    pub weight: f64,
    /// The standard error of that over the repeats.
    pub error: Option<f64>,
}

impl Weight {
    /// What it stands for: `30 < age <= 40`, with numbers written as the caller writes them.
    pub fn words(&self, name: &str, number: impl Fn(f64) -> String) -> String {
        match (self.above, self.at_most, self.category) {
            (_, _, Some(category)) => format!("{name} = {}", number(category)),
            (None, Some(most), _) => format!("{name} <= {}", number(most)),
            (Some(least), None, _) => format!("{name} > {}", number(least)),
            (Some(least), Some(most), _) => {
                format!("{} < {name} <= {}", number(least), number(most))
            }
            (None, None, None) => name.to_owned(),
        }
    }
}

impl Near {
    /// Of the first rows. What is no number is left out, as infinite ends of ranges.
    pub fn of(lime: &Lime, rows: &Rows, found: &[Local]) -> Vec<Self> {
        let all = found.iter().zip(rows.iter()).take(MOST_ROWS).enumerate();
        all.map(|(row, (local, x))| Self {
            row: row as u64,
            prediction: local.predicted,
            local: local.local,
            intercept: local.intercept,
            r2: local.r2,
            weights: local
                .coefficients
                .iter()
                .take(MOST_FEATURES)
                .map(|(feature, weight, error)| {
                    let told = lime.told(*feature, x.get(*feature).copied().unwrap_or(f64::NAN));
                    let (above, at_most) = match told {
                        Told::Range { above, at_most } => (above, at_most),
                        Told::Category(_) | Told::Number => (None, None),
                    };
                    let category = match told {
                        Told::Category(category) => Some(category),
                        Told::Range { .. } | Told::Number => None,
                    };
                    let finite = |value: &f64| value.is_finite();
                    Weight {
                        feature: *feature,
                        above: above.filter(finite),
                        at_most: at_most.filter(finite),
                        category: category.filter(finite),
                        weight: *weight,
                        error: *error,
                    }
                })
                .collect(),
        })
        .collect()
    }
}

/// What would have to be different for another decision about a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flips {
    /// Which row, counted from 0.
    pub row: u64,
    /// What is predicted of it.
    pub prediction: f64,
    /// How the search ended.
    pub outcome: Wish,
    /// How many made-up rows the model was asked about.
    pub asked: u64,
    /// The ways to the wanted decision, the nearest first.
    pub ways: Vec<Way>,
}

/// How a search for another decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Something was found.
    Found,
    /// The row has the wanted decision already.
    Already,
    /// Nothing was found among as many rows as were allowed.
    NoneWithinBudget,
    /// No feature may change.
    NothingMayChange,
}

/// A way to another decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// What changes.
    pub changes: Vec<Change>,
    /// What is predicted then.
    pub prediction: f64,
    /// How far it is: in median absolute deviations, and one for each feature that changes.
    pub distance: f64,
}

/// A feature's change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub feature: usize,
    /// From this; none where it is missing.
    pub from: Option<f64>,
    /// To this.
    pub to: Option<f64>,
}

/// Of a row, so many ways are kept.
const MOST_WAYS: usize = 10;

impl Flips {
    /// Of the first rows; `output` is the one whose prediction is told.
    pub fn of(rows: &Rows, found: &[Sought], output: usize) -> Vec<Self> {
        let predicted = |all: &[f64]| all.get(output).copied().unwrap_or_default();
        let all = found.iter().zip(rows.iter()).take(MOST_ROWS).enumerate();
        all.map(|(row, (sought, own))| {
            let change = |feature: &usize, to: &[f64]| Change {
                feature: *feature,
                from: own.get(*feature).copied().filter(|value| value.is_finite()),
                to: to.get(*feature).copied().filter(|value| value.is_finite()),
            };
            Self {
                row: row as u64,
                prediction: predicted(&sought.predicted),
                outcome: match sought.outcome {
                    Outcome::Found => Wish::Found,
                    Outcome::Already => Wish::Already,
                    Outcome::NoneWithinBudget => Wish::NoneWithinBudget,
                    Outcome::Nothing => Wish::NothingMayChange,
                },
                asked: sought.asked as u64,
                ways: sought
                    .found
                    .iter()
                    .take(MOST_WAYS)
                    .map(|way| Way {
                        changes: way
                            .changed
                            .iter()
                            .map(|feature| change(feature, &way.row))
                            .collect(),
                        prediction: predicted(&way.predicted),
                        distance: way.distance,
                    })
                    .collect(),
            }
        })
        .collect()
    }
}

impl Groups {
    /// Groups that were compared, the largest of them; `column` names them.
    pub fn of(column: Option<String>, confidence: f64, found: &Compared) -> Self {
        let group = |one: &crate::groups::Group| Group {
            name: one.name.clone(),
            rows: one.rows as u64,
            size: one.size.clone(),
            value: one.value.clone(),
            differences: one.differences.clone(),
        };
        Self {
            column,
            reference: Some(found.reference.clone()),
            confidence: Some(confidence),
            groups: found.groups.iter().take(MOST_GROUPS).map(group).collect(),
            others: found.groups.len().saturating_sub(MOST_GROUPS),
            without: found.without as u64,
            resamples: Some(found.resamples),
            tests: Some(found.tests),
            least_p: Some(found.least_p),
            untested: found.untested.clone(),
        }
    }
}
