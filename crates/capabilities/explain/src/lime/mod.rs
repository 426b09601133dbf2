//! LIME for tables (Ribeiro, Singh and Guestrin 2016), as the package `lime` 0.2.0.1: a linear model that answers as the model does
//! near one row.

mod bins;
mod fit;
mod select;

use bins::Bins;
pub use bins::Discretizer;
pub use fit::{Local, Sample, fit};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
pub use select::Selection;
use tokio_util::sync::CancellationToken;

use crate::{
    ExplainError, Rows, Scorer,
    ask::Asked,
    chance::chance,
    shap::Progress,
    statistics::{deviation, mean},
};

/// How it explains.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Into which ranges numbers are put.
    pub discretizer: Discretizer,
    /// The features whose numbers are categories.
    pub categorical: Vec<usize>,
    /// How many made-up rows are asked for, the row itself among them.
    pub samples: usize,
    /// How many features the linear model has at most.
    pub features: usize,
    /// How they are chosen.
    pub selection: Selection,
    /// How near counts as near: 0.75 x the root of the number of features by default.
    pub width: Option<f64>,
    /// How strongly the linear model is held back.
    pub alpha: f64,
    /// How often it is done again, to say how much hangs on chance.
    pub repeats: usize,
    /// The chance by which rows are made up.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            discretizer: Discretizer::Quartiles,
            categorical: Vec::new(),
            samples: 5_000,
            features: 10,
            selection: Selection::Auto,
            width: None,
            alpha: 1.0,
            repeats: 1,
            seed: 0,
        }
    }
}

/// So many values of made-up rows fit into memory.
const MOST_VALUES: usize = 1 << 27;
/// More features are not explained.
const MOST_FEATURES: usize = 4_096;

/// What is known of the rows that a model was trained with, or of others like them.
#[derive(Debug, Clone)]
pub struct Lime {
    settings: Settings,
    width: f64,
    columns: Vec<Column>,
}

/// What a feature's values are made up from.
#[derive(Debug, Clone)]
enum Column {
    /// Its numbers as they are: mean and standard deviation.
    Number { mean: f64, scale: f64 },
    /// Ranges, each with the number of rows up to it.
    Ranges(Bins, Vec<f64>),
    /// Categories, each with the number of rows up to it.
    Categories(Vec<f64>, Vec<f64>),
}

impl Lime {
    /// Looks at the rows of a background: quartiles, frequencies and scales come from them.
    ///
    /// # Errors
    /// When there are no rows, a feature has no finite value in any of them, or a setting cannot be met.
    pub fn new(background: &Rows, settings: Settings) -> Result<Self, ExplainError> {
        if background.is_empty() {
            return Err(ExplainError::NoBackground);
        }
        let features = background.width();
        let mut faults = settings.faults(features);
        let columns: Vec<Option<Column>> = (0..features)
            .map(|feature| {
                let column =
                    Column::new(background.iter().map(|row| row[feature]), feature, &settings);
                if column.is_none() {
                    faults.push(format!("feature {feature} has no value in the background"));
                }
                column
            })
            .collect();
        if !faults.is_empty() {
            return Err(ExplainError::Asked(faults));
        }
        let width = settings.width.unwrap_or(0.75 * (features as f64).sqrt());
        Ok(Self { settings, width, columns: columns.into_iter().flatten().collect() })
    }

    /// Explains an output for each row.
    ///
    /// # Errors
    /// When the rows are not as wide as the background or have missing values, when the model cannot be asked or answers
    /// what is no number, and when it is cancelled.
    pub fn explain(
        &self,
        scorer: &dyn Scorer,
        rows: &Rows,
        output: usize,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Vec<Local>, ExplainError> {
        let asked = Asked::new(scorer, cancel);
        asked.has(output)?;
        if asked.features() != self.columns.len() {
            let (expected, found) = (asked.features(), self.columns.len());
            return Err(ExplainError::Width { expected, found });
        }
        let rows = rows.of(self.columns.len())?;
        let holes: Vec<String> = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.iter().any(|value| !value.is_finite()))
            .map(|(index, _)| index.to_string())
            .collect();
        if !holes.is_empty() {
            let shown = holes.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            return Err(ExplainError::Asked(vec![format!(
                "LIME cannot explain rows with missing or infinite values: {} of them, among these {shown}",
                holes.len()
            )]));
        }
        let mut all = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            asked.told(progress, index, rows.len())?;
            all.push(self.explain_row(&asked, row, index, output)?);
        }
        asked.told(progress, rows.len(), rows.len())?;
        Ok(all)
    }

    fn explain_row(
        &self,
        asked: &Asked<'_>,
        row: &[f64],
        index: usize,
        output: usize,
    ) -> Result<Local, ExplainError> {
        let (mut runs, mut chosen) = (Vec::new(), None);
        for repeat in 0..self.settings.repeats {
            let stream = (index * self.settings.repeats + repeat) as u64;
            let (made_up, simple) = self.near(row, &mut chance(self.settings.seed, stream));
            let predicted = asked.score(&made_up)?;
            let outputs = asked.outputs();
            let sample = Sample {
                targets: predicted.chunks_exact(outputs).map(|each| each[output]).collect(),
                weights: self.weights(&simple),
                rows: simple,
            };
            let of = match chosen.take() {
                Some(of) => of,
                None => self.settings.select(&sample, asked.cancel)?,
            };
            runs.push(fit(&sample, &of, self.settings.alpha, asked.cancel)?);
            chosen = Some(of);
        }
        Ok(joined(&runs))
    }

    /// Made-up rows for the model, and as the linear model sees them; the first is the row.
    fn near(&self, row: &[f64], chance: &mut ChaCha8Rng) -> (Rows, Rows) {
        let width = self.columns.len();
        let mut made_up = Vec::with_capacity(self.settings.samples * width);
        let mut simple = Vec::with_capacity(self.settings.samples * width);
        for sample in 0..self.settings.samples {
            for (column, own) in self.columns.iter().zip(row) {
                let (value, seen) =
                    if sample == 0 { (*own, column.seen(*own)) } else { column.draw(*own, chance) };
                made_up.push(value);
                simple.push(seen);
            }
        }
        (Rows::new(made_up, width), Rows::new(simple, width))
    }

    /// `sqrt(exp(-distance² / width²))`, from the first of them.
    fn weights(&self, simple: &Rows) -> Vec<f64> {
        let first = simple.row(0);
        let square = |row: &[f64]| row.iter().zip(first).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        simple.iter().map(|row| kernel(square(row).sqrt(), self.width)).collect()
    }

    /// What stands for a feature's value in the linear model: a range, `3`, or itself.
    pub fn told(&self, feature: usize, value: f64) -> Told {
        match self.columns.get(feature) {
            Some(Column::Ranges(bins, _)) => {
                let (above, at_most) = bins.edges(value);
                Told::Range { above, at_most }
            }
            Some(Column::Categories(..)) => Told::Category(value),
            Some(Column::Number { .. }) | None => Told::Number,
        }
    }
}

/// What a coefficient stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    /// The value is in the same range as the row's.
    Range {
        /// It is greater than this.
        above: Option<f64>,
        /// It is this at most.
        at_most: Option<f64>,
    },
    /// It is the same category.
    Category(f64),
    /// One standard deviation more.
    Number,
}

/// How much a made-up row weighs at a distance.
pub fn kernel(distance: f64, width: f64) -> f64 {
    (-(distance / width).powi(2)).exp().sqrt()
}

impl Settings {
    fn faults(&self, features: usize) -> Vec<String> {
        let mut faults = Vec::new();
        let mut wrong = |wrong: bool, what: &str| {
            if wrong {
                faults.push(what.to_owned());
            }
        };
        wrong(features == 0, "there are no features");
        // Their number's square has to fit into memory.
        wrong(features > MOST_FEATURES, "LIME explains models of at most 4096 features");
        wrong(
            self.samples < 10 || self.samples.saturating_mul(features) > MOST_VALUES,
            "samples: at least 10, and with all features not more than 134217728 values",
        );
        wrong(self.features == 0, "features: at least 1");
        wrong(!(1..=1_000).contains(&self.repeats), "repeats: between 1 and 1000");
        wrong(!(self.alpha >= 0.0 && self.alpha.is_finite()), "alpha: a number, 0 or greater");
        wrong(
            self.width.is_some_and(|width| !(width > 0.0 && width.is_finite())),
            "width: a number greater than 0",
        );
        wrong(
            self.categorical.iter().any(|feature| *feature >= features),
            "categorical: a feature that is not there",
        );
        faults
    }

    fn select(
        &self,
        sample: &Sample,
        cancel: &CancellationToken,
    ) -> Result<Vec<usize>, ExplainError> {
        self.selection.choose(sample, self.features, cancel)
    }
}

impl Column {
    /// Nothing where there is no finite value.
    fn new(values: impl Iterator<Item = f64>, feature: usize, settings: &Settings) -> Option<Self> {
        let values = crate::statistics::ascending(values);
        if values.is_empty() {
            return None;
        }
        if settings.categorical.contains(&feature) {
            let counted = values.chunk_by(|a, b| a == b);
            let (categories, counts): (Vec<f64>, Vec<f64>) =
                counted.map(|same| (same[0], same.len() as f64)).unzip();
            return Some(Self::Categories(categories, summed(&counts)));
        }
        if settings.discretizer == Discretizer::None {
            let scale = deviation(&values, 0);
            let scale = if scale > 0.0 { scale } else { 1.0 };
            return Some(Self::Number { mean: mean(&values), scale });
        }
        let bins = Bins::new(&values, settings.discretizer);
        let sums = summed(&bins.counts);
        Some(Self::Ranges(bins, sums))
    }

    /// The row's own value as the linear model sees it.
    fn seen(&self, own: f64) -> f64 {
        match self {
            Self::Number { mean, scale } => (own - mean) / scale,
            Self::Ranges(..) | Self::Categories(..) => 1.0,
        }
    }

    /// A made-up value, and as the linear model sees it.
    fn draw(&self, own: f64, chance: &mut ChaCha8Rng) -> (f64, f64) {
        match self {
            Self::Number { mean, scale } => {
                let normal: f64 = StandardNormal.sample(chance);
                (mean + scale * normal, normal)
            }
            Self::Ranges(bins, sums) => {
                let bin = drawn(sums, chance);
                (bins.draw(bin, chance), f64::from(bin == bins.of(own)))
            }
            Self::Categories(categories, sums) => {
                let category = categories[drawn(sums, chance)];
                (category, f64::from(category == own))
            }
        }
    }
}

fn summed(counts: &[f64]) -> Vec<f64> {
    let sums = counts.iter().scan(0.0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    sums.collect()
}

fn drawn(sums: &[f64], chance: &mut ChaCha8Rng) -> usize {
    let Some(all) = sums.last() else { return 0 };
    let at = chance.random::<f64>() * all;
    sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)
}

/// The means of all runs, with the standard errors of the coefficients.
fn joined(runs: &[Local]) -> Local {
    let over = |of: &dyn Fn(&Local) -> f64| -> Vec<f64> { runs.iter().map(of).collect() };
    let Some(first) = runs.first() else { return Local::default() };
    let mut coefficients = Vec::new();
    for place in 0..first.coefficients.len() {
        let each = over(&|run| run.coefficients[place].1);
        let error = deviation(&each, 1) / (each.len() as f64).sqrt();
        let error = (each.len() > 1).then_some(error);
        coefficients.push((first.coefficients[place].0, mean(&each), error));
    }
    coefficients.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let fits: Option<Vec<f64>> = runs.iter().map(|run| run.r2).collect();
    Local {
        intercept: mean(&over(&|run| run.intercept)),
        coefficients,
        r2: fits.map(|fits| mean(&fits)),
        predicted: first.predicted,
        local: mean(&over(&|run| run.local)),
    }
}
