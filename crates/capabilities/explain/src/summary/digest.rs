//! Values of rows, taken in batch by batch.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Estimate, Group, Groups, Interactions, MOST_DEPENDENCES, MOST_FEATURES, MOST_GROUPS, MOST_ROWS,
    MOST_SAMPLED, Single, Summary, Unit, Waterfall, moments::Moments, partner,
    reservoir::Reservoir, rounded,
};
use crate::{ExplainError, Explanation, Rows, kernel::Estimated};

/// What is kept of single rows, and by what chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// So many rows are drawn for plots of all rows; at most [`MOST_SAMPLED`].
    pub sample: usize,
    /// The rows to be kept each by itself, counted from 0; at most [`MOST_ROWS`] of them.
    pub rows: Vec<u64>,
    /// The seed of chance.
    pub seed: u64,
}

impl Default for Settings {
    /// 500 rows drawn by chance, and the first ten each by itself.
    fn default() -> Self {
        Self { sample: MOST_SAMPLED, rows: (0..10).collect(), seed: 0 }
    }
}

/// So many groups are counted; rows of any that come later belong to none.
const MOST_COUNTED: usize = 1_000;
/// So many sums of pairs are kept.
const MOST_PAIRS: usize = 1 << 24;

/// Values of rows, taken in batch by batch: what comes of it does not hang on how rows are cut into batches.
#[derive(Debug, Clone)]
pub struct Digest {
    summary: Summary,
    asked: BTreeSet<u64>,
    features: Vec<Moments>,
    reservoir: Reservoir,
    pairs: Option<Vec<f64>>,
    groups: Option<Counted>,
}

/// Sums by group.
#[derive(Debug, Clone, Default)]
struct Counted {
    column: Option<String>,
    by: BTreeMap<String, Sums>,
    without: u64,
    refused: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Sums {
    rows: u64,
    sizes: Vec<f64>,
    values: Vec<f64>,
}

/// Rows with what stands beside them.
#[derive(Debug, Clone, Copy)]
struct Batch<'a> {
    rows: &'a Rows,
    explanation: &'a Explanation,
    errors: Option<&'a [f64]>,
    groups: Option<&'a [Option<String>]>,
}

impl Digest {
    /// Begins with what is known before any row: [`Summary::new`], to which a name, a background and the like may have been
    /// added.
    pub fn new(summary: Summary, settings: &Settings) -> Self {
        let features = summary.features.len();
        Self {
            asked: settings.rows.iter().copied().take(MOST_ROWS).collect(),
            features: vec![Moments::default(); features],
            reservoir: Reservoir::new(settings.sample.min(MOST_SAMPLED), features, settings.seed),
            pairs: None,
            groups: None,
            summary,
        }
    }

    /// The same with sums by group, which a column names; it says so in [`Groups::column`].
    #[must_use]
    pub fn by_group(mut self, column: Option<String>) -> Self {
        self.groups = Some(Counted { column, ..Counted::default() });
        self
    }

    /// The next rows, with their SHAP values.
    ///
    /// # Errors
    /// When the values are not those of as many rows with as many features, have no such output, or are no numbers.
    pub fn add(&mut self, rows: &Rows, explanation: &Explanation) -> Result<(), ExplainError> {
        self.take(Batch { rows, explanation, errors: None, groups: None })
    }

    /// The same with the name of each row's group.
    ///
    /// # Errors
    /// As [`Digest::add`]; and when there are not as many names as rows.
    pub fn add_grouped(
        &mut self,
        rows: &Rows,
        explanation: &Explanation,
        groups: &[Option<String>],
    ) -> Result<(), ExplainError> {
        self.take(Batch { rows, explanation, errors: None, groups: Some(groups) })
    }

    /// The next rows, with values of kernel SHAP.
    ///
    /// # Errors
    /// As [`Digest::add`].
    pub fn add_estimated(&mut self, rows: &Rows, found: &Estimated) -> Result<(), ExplainError> {
        self.take_estimated(rows, found, None)
    }

    /// The same with the name of each row's group.
    ///
    /// # Errors
    /// As [`Digest::add_grouped`].
    pub fn add_estimated_grouped(
        &mut self,
        rows: &Rows,
        found: &Estimated,
        groups: &[Option<String>],
    ) -> Result<(), ExplainError> {
        self.take_estimated(rows, found, Some(groups))
    }

    fn take_estimated(
        &mut self,
        rows: &Rows,
        found: &Estimated,
        groups: Option<&[Option<String>]>,
    ) -> Result<(), ExplainError> {
        let errors = found.errors.iter().copied().filter(|error| error.is_finite());
        let error = errors.fold(0.0, f64::max);
        let exact = found.exact.iter().filter(|exact| **exact).count() as u64;
        let (explanation, errors) = (&found.explanation, Some(found.errors.as_slice()));
        self.take(Batch { rows, explanation, errors, groups })?;
        let before = self.summary.estimate.get_or_insert(Estimate { error: 0.0, exact: 0 });
        before.error = before.error.max(error);
        before.exact += exact;
        Ok(())
    }

    /// The next rows, with what pairs of features add ([`shap::interactions`](crate::shap::interactions)): a feature's value is
    /// the sum over its pairs.
    ///
    /// # Errors
    /// As [`Digest::add`]; and when there are too many pairs.
    pub fn add_pairs(&mut self, rows: &Rows, pairs: &Explanation) -> Result<(), ExplainError> {
        let (features, outputs) = (self.features.len(), pairs.base.len());
        let square = features * features;
        let output = self.summary.output;
        let mut faults = Vec::new();
        if pairs.features != square {
            faults.push(format!("{features} features have {square} pairs, not {}", pairs.features));
        }
        if square > MOST_PAIRS {
            faults.push(format!("at most {MOST_PAIRS} pairs are summed, and there are {square}"));
        }
        if pairs.values.len() != rows.len() * outputs * pairs.features {
            faults.push("the values of pairs are not of as many rows".to_owned());
        }
        if !faults.is_empty() {
            return Err(ExplainError::Asked(faults));
        }
        let line = |line: &[f64]| line.iter().sum::<f64>();
        let explanation = Explanation {
            base: pairs.base.clone(),
            values: pairs.values.chunks_exact(features.max(1)).map(line).collect(),
            features,
        };
        self.take(Batch { rows, explanation: &explanation, errors: None, groups: None })?;
        let sums = self.pairs.get_or_insert_with(|| vec![0.0; square]);
        for row in 0..rows.len() {
            let matrix = pairs.row(row, output);
            for one in 0..features {
                for two in 0..features {
                    let both = matrix[one * features + two]
                        + if one == two { 0.0 } else { matrix[two * features + one] };
                    sums[one * features + two] += both.abs();
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, batch: Batch<'_>) -> Result<(), ExplainError> {
        self.check(&batch)?;
        let Batch { rows, explanation, errors, groups } = batch;
        let (output, outputs) = (self.summary.output, explanation.base.len());
        let width = self.features.len();
        let base = explanation.base[output];
        self.summary.base = Some(base);
        for (index, x) in rows.iter().enumerate() {
            let (row, values) = (self.summary.rows, explanation.row(index, output));
            for ((moments, x), value) in self.features.iter_mut().zip(x).zip(values) {
                moments.add(*x, *value);
            }
            self.reservoir.add(row, x, values);
            if self.asked.contains(&row) {
                let start = (index * outputs + output) * width;
                let errors = errors.and_then(|errors| errors.get(start..start + width));
                let single = Single { row, x, values, errors };
                let prediction = self.prediction(explanation, index);
                self.summary.waterfalls.push(Waterfall::of(&single, base, prediction));
            }
            if let Some(counted) = &mut self.groups {
                counted.add(groups.and_then(|groups| groups[index].as_ref()), values);
            }
            self.summary.rows += 1;
        }
        Ok(())
    }

    fn check(&self, batch: &Batch<'_>) -> Result<(), ExplainError> {
        let Batch { rows, explanation, groups, .. } = batch;
        let width = self.features.len();
        rows.of(width)?;
        let mut faults = Vec::new();
        if explanation.features != width {
            faults.push(format!("values are of {} features, not {width}", explanation.features));
        }
        if explanation.values.len() != rows.len() * explanation.base.len() * width {
            faults.push("the values are not of as many rows".to_owned());
        }
        if self.summary.output >= explanation.base.len() {
            faults.push(format!("there is no output {}", self.summary.output));
        }
        if let Some(groups) = groups.filter(|groups| groups.len() != rows.len()) {
            faults.push(format!("there are {} rows, and {} groups", rows.len(), groups.len()));
        }
        let numbers = explanation.base.iter().chain(&explanation.values);
        if numbers.copied().any(|value| !value.is_finite()) {
            faults.push("a value is no number".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(ExplainError::Asked(faults)) }
    }

    /// What is predicted of a row: the sums of all outputs through the link.
    fn prediction(&self, explanation: &Explanation, row: usize) -> Option<f64> {
        let sums = explanation
            .base
            .iter()
            .enumerate()
            .map(|(output, base)| base + explanation.row(row, output).iter().sum::<f64>());
        let sums: Vec<f64> = sums.collect();
        match self.summary.unit {
            Unit::Margin => self.summary.model.link?.apply(sums).get(self.summary.output).copied(),
            Unit::Probability | Unit::Prediction => sums.get(self.summary.output).copied(),
        }
    }

    /// What came of all rows.
    pub fn finish(self) -> Summary {
        let Self { mut summary, features, reservoir, pairs, groups, .. } = self;
        if summary.rows == 0 {
            return summary;
        }
        let all: f64 = features.iter().map(Moments::size).sum();
        for (feature, moments) in summary.features.iter_mut().zip(&features) {
            feature.values = Some(moments.spread(all));
        }
        let top: Vec<usize> =
            summary.ranked().into_iter().take(MOST_FEATURES).map(|(place, _)| place).collect();
        let rows = summary.rows as f64;
        summary.interactions = pairs.map(|sums| {
            let cell = |one: usize, two: usize| rounded(sums[one * features.len() + two] / rows);
            let line = |one: &usize| top.iter().map(|two| cell(*one, *two)).collect();
            Interactions { features: top.clone(), size: top.iter().map(line).collect() }
        });
        let sample = reservoir.sample(&top);
        summary.dependence =
            partner::dependences(&sample, summary.interactions.as_ref(), MOST_DEPENDENCES);
        summary.sample = Some(sample);
        summary.groups = groups.map(Counted::finish);
        summary
    }
}

impl Counted {
    fn add(&mut self, group: Option<&String>, values: &[f64]) {
        let Some(name) = group else {
            self.without += 1;
            return;
        };
        if !self.by.contains_key(name) {
            if self.by.len() >= MOST_COUNTED {
                self.without += 1;
                if self.refused.len() < MOST_COUNTED {
                    self.refused.insert(name.clone());
                }
                return;
            }
            let nothing = vec![0.0; values.len()];
            let sums = Sums { rows: 0, sizes: nothing.clone(), values: nothing };
            self.by.insert(name.clone(), sums);
        }
        let Some(sums) = self.by.get_mut(name) else { return };
        sums.rows += 1;
        for (place, value) in values.iter().enumerate() {
            sums.sizes[place] += value.abs();
            sums.values[place] += value;
        }
    }

    fn finish(self) -> Groups {
        let mean = |sums: Vec<f64>, rows: u64| -> Vec<f64> {
            sums.into_iter().map(|sum| sum / rows.max(1) as f64).collect()
        };
        let (counted, refused) = (self.by.len(), self.refused.len());
        let mut groups: Vec<Group> = self
            .by
            .into_iter()
            .map(|(name, sums)| Group {
                name,
                rows: sums.rows,
                size: mean(sums.sizes, sums.rows),
                value: mean(sums.values, sums.rows),
                differences: None,
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.rows));
        groups.truncate(MOST_GROUPS);
        Groups {
            column: self.column,
            reference: None,
            confidence: None,
            others: counted - groups.len() + refused,
            groups,
            without: self.without,
            resamples: None,
            tests: None,
            least_p: None,
            untested: None,
        }
    }
}
