//! Digests of explanations: what a page or a report shows of them, as large for a million rows as for a thousand.
//!
//! [`Digest`] takes the values of rows batch by batch, in one pass; what the other methods find is put beside it by
//! [`Importance::of`], [`Curves`], [`Surface::of`], [`Near::of`], [`Flips::of`] and [`Groups::of`].

mod digest;
mod methods;
mod moments;
mod partner;
mod reservoir;

use serde::{Deserialize, Serialize};

pub use digest::{Digest, Settings};
pub use methods::{
    Change, Curves, Effect, Flips, Importance, Lost, Near, Surface, Way, Weight, Wish,
};

use crate::{Format, Link, Model, groups};

/// So many features are kept of rows, of pairs, and in waterfalls: those that count most. What the others add is summed.
pub const MOST_FEATURES: usize = 20;
/// So many rows are kept for plots of all rows.
pub const MOST_SAMPLED: usize = 500;
/// So many rows are kept each by itself.
pub const MOST_ROWS: usize = 100;
/// So many groups are kept: the largest.
pub const MOST_GROUPS: usize = 50;
/// So many features are plotted against their values.
pub const MOST_DEPENDENCES: usize = 8;
/// So many rows' own lines are kept of a curve.
pub const MOST_LINES: usize = 50;
/// At so many values a curve is kept.
pub const MOST_POINTS: usize = 200;
/// At so many values of each feature a surface is kept.
pub const MOST_CELLS: usize = 40;

/// By which method something was explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Exact SHAP values.
    Shap,
    /// Kernel SHAP.
    Kernel,
    /// A linear model near each row.
    Lime,
    /// Permutation importance.
    Permutation,
    /// Partial dependence.
    Pdp,
    /// Individual conditional expectation.
    Ice,
    /// Accumulated local effects.
    Ale,
    /// What would have to be different.
    Counterfactual,
    /// Values compared between groups.
    Groups,
    /// What the model does as a whole: importance, values and effects together.
    Global,
}

/// In which unit values add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The sum before the link: log-odds, say.
    Margin,
    /// A probability that is explained as such.
    Probability,
    /// Whatever is predicted.
    Prediction,
}

/// The model that was explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// How it was written; none of one that is only asked.
    pub format: Option<Format>,
    /// How many trees; 0 of one without.
    pub trees: usize,
    /// From margins to predictions, where it is known.
    pub link: Option<Link>,
    /// How many outputs.
    pub outputs: usize,
}

impl About {
    /// Of a model that was read from a file.
    pub fn of(format: Format, model: &Model) -> Self {
        use crate::Scorer as _;
        Self {
            format: Some(format),
            trees: model.trees(),
            link: Some(model.link()),
            outputs: model.outputs(),
        }
    }

    /// Of one that is only asked.
    pub const fn asked(outputs: usize) -> Self {
        Self { format: None, trees: 0, link: None, outputs }
    }
}

/// A digest of explanations. Places of features are those in [`Summary::features`]; numbers that are sampled for plots have six
/// significant digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// By which method.
    pub method: Method,
    /// Of which model.
    pub model: About,
    /// Which output, counted from 0.
    pub output: usize,
    /// Its name: a class, say.
    #[serde(default)]
    pub output_name: Option<String>,
    /// In which unit values are.
    pub unit: Unit,
    /// What is predicted of nobody in particular, in that unit; none of methods without.
    #[serde(default)]
    pub base: Option<f64>,
    /// How many background rows were compared with; none where nothing was.
    #[serde(default)]
    pub background: Option<u64>,
    /// How many rows were explained.
    pub rows: u64,
    /// All features, in the model's order.
    pub features: Vec<Feature>,
    /// Rows drawn by chance with their values, of the features that count most.
    #[serde(default)]
    pub sample: Option<Sample>,
    /// The features whose values are worth to be plotted against what they add, the one that counts most first:
    /// [`Summary::points`] gives their points.
    #[serde(default)]
    pub dependence: Vec<Dependence>,
    /// Single rows.
    #[serde(default)]
    pub waterfalls: Vec<Waterfall>,
    /// What pairs of features add together.
    #[serde(default)]
    pub interactions: Option<Interactions>,
    /// What values are in each group.
    #[serde(default)]
    pub groups: Option<Groups>,
    /// What the model loses without each feature.
    #[serde(default)]
    pub importance: Option<Importance>,
    /// Effects of features.
    #[serde(default)]
    pub curves: Vec<Curves>,
    /// Features whose effect was asked for and is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_effect: Vec<Without>,
    /// The effect of two features together.
    #[serde(default)]
    pub surface: Option<Surface>,
    /// Linear models near single rows.
    #[serde(default)]
    pub near: Vec<Near>,
    /// What would have to be different for another decision about single rows.
    #[serde(default)]
    pub flips: Vec<Flips>,
    /// How sure estimated values are.
    #[serde(default)]
    pub estimate: Option<Estimate>,
}

/// A feature, and what its values are over all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// None of methods that give rows no values.
    #[serde(default)]
    pub values: Option<Spread>,
}

/// What a feature adds over all rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean of its values' sizes: how much it counts.
    pub size: f64,
    /// That as a share of all features' sizes; 0 where all are 0.
    pub share: f64,
    /// The mean of its values: which way it counts.
    pub mean: f64,
    /// Their standard deviation, divided by their number.
    pub deviation: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
    /// The correlation of what it adds with its own value, over rows that have one; none where either is always the same.
    pub correlation: Option<f64>,
}

/// Rows drawn by chance, each as likely as any other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The features that count most, the greatest first.
    pub features: Vec<usize>,
    /// Which rows, counted from 0, in ascending order.
    pub rows: Vec<u64>,
    /// By feature as in `features`, by row: the feature's own value; none where it is missing.
    pub x: Vec<Vec<Option<f64>>>,
    /// Likewise, what it adds.
    pub values: Vec<Vec<f64>>,
}

/// A feature to be plotted against what it adds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dependence {
    /// Which.
    pub feature: usize,
    /// What colours its points: the feature with which it adds most together on average, where pairs were asked for. Else the
    /// one whose value goes furthest with what the feature adds among rows that have about the same value of it: the greatest
    /// mean size of the correlations within ten ranges with as many sampled rows each. None where no other goes with it.
    pub partner: Option<usize>,
}

/// A point of such a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The feature's own value.
    pub x: f64,
    /// What it adds.
    pub value: f64,
    /// The partner's own value.
    pub colour: Option<f64>,
}

/// How one row's prediction is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waterfall {
    /// Which row, counted from 0.
    pub row: u64,
    /// Where it begins.
    pub base: f64,
    /// Where it ends: base + all that is added.
    pub total: f64,
    /// What is predicted, where the link is known.
    pub prediction: Option<f64>,
    /// The features that add most, the greatest size first.
    pub parts: Vec<Part>,
    /// How many other features there are.
    pub others: usize,
    /// What these add.
    pub others_add: f64,
}

/// What a feature adds to one row's prediction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub feature: usize,
    /// Its own value; none where it is missing.
    pub x: Option<f64>,
    /// What it adds.
    pub adds: f64,
    /// The standard error of that, where it is estimated.
    #[serde(default)]
    pub error: Option<f64>,
}

/// What pairs of features add together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interactions {
    /// The features that count most, the greatest first.
    pub features: Vec<usize>,
    /// For each of them, for each of them: the mean size of what the two add together (both halves of it); on the diagonal of
    /// what the feature adds without others.
    pub size: Vec<Vec<f64>>,
}

/// A feature whose effect is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Without {
    /// Which.
    pub feature: usize,
    /// Why: that it has too many categories, say.
    pub reason: String,
}

impl Without {
    /// Of what was refused, which calls the feature by its place: a reader knows its name.
    pub fn of(feature: usize, reasons: &[String]) -> Self {
        let place = format!("feature {feature} ");
        let each = reasons.iter().map(|reason| match reason.strip_prefix(&place) {
            Some(rest) => format!("it {rest}"),
            None => reason.clone(),
        });
        Self { feature, reason: each.collect::<Vec<_>>().join("; ") }
    }
}

/// What values are in each group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// The column that names them.
    pub column: Option<String>,
    /// The group that the others are compared with, where they are.
    pub reference: Option<String>,
    /// How sure the intervals are.
    pub confidence: Option<f64>,
    /// The groups, the largest first.
    pub groups: Vec<Group>,
    /// How many groups more there are, of which nothing is kept.
    pub others: usize,
    /// Rows without a group.
    pub without: u64,
    /// How often rows were shuffled, where differences were tested.
    #[serde(default)]
    pub resamples: Option<usize>,
    /// How many differences were tested.
    #[serde(default)]
    pub tests: Option<usize>,
    /// The least adjusted p-value that so many shuffles can give to one of so many tests.
    #[serde(default)]
    pub least_p: Option<f64>,
    /// Where differences were to be tested and were not: why.
    #[serde(default)]
    pub untested: Option<String>,
}

/// What values are in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// By feature, the mean of its values' sizes.
    pub size: Vec<f64>,
    /// By feature, the mean of its values.
    pub value: Vec<f64>,
    /// By feature, how it differs from the reference, where that was tested.
    #[serde(default)]
    pub differences: Option<Vec<groups::Difference>>,
}

/// How sure estimated values are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The largest standard error of any value.
    pub error: f64,
    /// Rows all of whose coalitions were tried, so that their values are exact.
    pub exact: u64,
}

impl Summary {
    /// One that says nothing yet.
    pub fn new(
        method: Method,
        model: About,
        output: usize,
        unit: Unit,
        features: &[String],
    ) -> Self {
        let named = |name: &String| Feature { name: name.clone(), values: None };
        Self {
            method,
            model,
            output,
            output_name: None,
            unit,
            base: None,
            background: None,
            rows: 0,
            features: features.iter().map(named).collect(),
            sample: None,
            dependence: Vec::new(),
            waterfalls: Vec::new(),
            interactions: None,
            groups: None,
            importance: None,
            curves: Vec::new(),
            without_effect: Vec::new(),
            surface: None,
            near: Vec::new(),
            flips: Vec::new(),
            estimate: None,
        }
    }

    /// A feature's name; empty of one that is not there.
    pub fn name(&self, feature: usize) -> &str {
        self.features.get(feature).map_or("", |feature| &feature.name)
    }

    /// The features with values, those that count most first.
    pub fn ranked(&self) -> Vec<(usize, Spread)> {
        let values = self.features.iter().enumerate();
        let mut all: Vec<_> =
            values.filter_map(|(place, feature)| Some((place, feature.values?))).collect();
        all.sort_by(|one, two| two.1.size.total_cmp(&one.1.size).then(one.0.cmp(&two.0)));
        all
    }

    /// The points of a plot of a feature's values against what it adds; none where the sample does not hold the feature.
    pub fn points(&self, of: Dependence) -> Vec<Point> {
        let Some(sample) = &self.sample else { return Vec::new() };
        let place = |feature| sample.features.iter().position(|other| *other == feature);
        let Some(own) = place(of.feature) else { return Vec::new() };
        let colours = of.partner.and_then(place);
        let each = sample.x[own].iter().zip(&sample.values[own]).enumerate();
        each.filter_map(|(row, (x, value))| {
            let colour = colours.and_then(|place| sample.x[place].get(row).copied().flatten());
            Some(Point { x: (*x)?, value: *value, colour })
        })
        .collect()
    }

    /// What the unit is called: `log-odds`, `probability`.
    pub fn unit_words(&self) -> &'static str {
        match (self.unit, self.model.link) {
            (Unit::Probability, _) => "probability",
            (Unit::Margin, Some(Link::Logistic { .. })) => "log-odds",
            (Unit::Margin, Some(Link::Exponential)) => "logarithm of the prediction",
            (Unit::Margin, Some(Link::Softmax)) => "sum before softmax",
            (Unit::Margin, Some(Link::Sign)) => "sum whose sign decides",
            (Unit::Margin, Some(Link::Identity) | None) | (Unit::Prediction, _) => {
                "unit of the prediction"
            }
        }
    }
}

/// A row to be explained by itself.
#[derive(Debug, Clone, Copy)]
pub struct Single<'a> {
    /// Which row, counted from 0.
    pub row: u64,
    /// The features' own values.
    pub x: &'a [f64],
    /// What each adds.
    pub values: &'a [f64],
    /// The standard error of each, where they are estimated.
    pub errors: Option<&'a [f64]>,
}

impl Waterfall {
    /// Of a row.
    pub fn of(single: &Single<'_>, base: f64, prediction: Option<f64>) -> Self {
        let Single { row, x, values, errors } = single;
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|one, two| {
            values[*two].abs().total_cmp(&values[*one].abs()).then(one.cmp(two))
        });
        let (shown, others) = order.split_at(order.len().min(MOST_FEATURES));
        let part = |feature: &usize| Part {
            feature: *feature,
            x: x.get(*feature).copied().filter(|x| x.is_finite()),
            adds: values[*feature],
            error: errors.and_then(|errors| errors.get(*feature).copied()),
        };
        Self {
            row: *row,
            base,
            total: base + values.iter().sum::<f64>(),
            prediction: prediction.filter(|prediction| prediction.is_finite()),
            parts: shown.iter().map(part).collect(),
            others: others.len(),
            others_add: others.iter().map(|feature| values[*feature]).sum(),
        }
    }
}

/// A number of six significant digits, which a plot cannot tell from the number itself.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// About as many places of `count`, as far from one another as can be, the first and the last among them.
fn thinned(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    let last = most.saturating_sub(1).max(1);
    (0..most).map(|place| place * (count - 1) / last).collect()
}
