//! Models asked in batches of bounded size.

use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, Scorer, shap::Progress};

/// So many values, of at most so many rows, are sent at once, and no more are answered.
const MOST_VALUES: usize = 1 << 20;
const MOST_ROWS: usize = 1 << 14;

/// A model that answers many made-up rows, and who waits for it.
pub(crate) struct Asked<'a> {
    pub scorer: &'a dyn Scorer,
    pub cancel: &'a CancellationToken,
}

impl<'a> Asked<'a> {
    pub fn new(scorer: &'a dyn Scorer, cancel: &'a CancellationToken) -> Self {
        Self { scorer, cancel }
    }

    pub fn features(&self) -> usize {
        self.scorer.features().len()
    }

    pub fn outputs(&self) -> usize {
        self.scorer.outputs()
    }

    /// How many rows a batch has.
    pub fn batch(&self) -> usize {
        (MOST_VALUES / self.features().max(self.outputs()).max(1)).clamp(1, MOST_ROWS)
    }

    /// Is it still wanted?
    pub fn go_on(&self) -> Result<(), ExplainError> {
        if self.cancel.is_cancelled() { Err(ExplainError::Cancelled) } else { Ok(()) }
    }

    /// What is predicted, row by row, in a row output by output.
    pub fn score(&self, rows: &Rows) -> Result<Vec<f64>, ExplainError> {
        let mut all = Vec::with_capacity(rows.len() * self.outputs());
        self.each(rows.iter().map(<[f64]>::to_vec), |_, predicted| all.extend(predicted))?;
        Ok(all)
    }

    /// Hands on what is predicted for each of the rows, in their order.
    pub fn each(
        &self,
        rows: impl Iterator<Item = Vec<f64>>,
        mut act: impl FnMut(usize, &[f64]),
    ) -> Result<(), ExplainError> {
        let mut place = 0;
        self.each_row(rows, |_, predicted| {
            act(place, predicted);
            place += 1;
        })
    }

    /// Hands on each of the rows with what is predicted for it, in their order; no more than a batch is kept.
    pub fn each_row(
        &self,
        rows: impl Iterator<Item = Vec<f64>>,
        mut act: impl FnMut(&[f64], &[f64]),
    ) -> Result<(), ExplainError> {
        let (width, outputs) = (self.features(), self.outputs());
        let (mut values, mut waiting) = (Vec::new(), 0);
        let mut send = |values: Vec<f64>, count: usize| -> Result<(), ExplainError> {
            if self.cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            let rows = Rows::new(values, width);
            let found = self.scorer.score_until(&rows, self.cancel)?;
            if found.len() != count * outputs {
                let expected = count * outputs;
                return Err(ExplainError::Answers { expected, found: found.len() });
            }
            for (place, predicted) in found.chunks_exact(outputs.max(1)).enumerate() {
                if let Some(odd) = predicted.iter().find(|value| !value.is_finite()) {
                    return Err(ExplainError::NoNumber { found: *odd, row: told(rows.row(place)) });
                }
                act(rows.row(place), predicted);
            }
            Ok(())
        };
        for row in rows {
            values.extend_from_slice(&row);
            waiting += 1;
            if waiting == self.batch() {
                send(std::mem::take(&mut values), waiting)?;
                waiting = 0;
            }
        }
        if waiting > 0 { send(values, waiting) } else { Ok(()) }
    }

    /// Are the rows the model's, is there one at least, and is there such an output?
    pub fn fits<'r>(&self, rows: &'r Rows, output: usize) -> Result<&'r Rows, ExplainError> {
        self.has(output)?;
        let rows = rows.of(self.features())?;
        if rows.is_empty() { Err(ExplainError::NoRows) } else { Ok(rows) }
    }

    /// Is there such an output, and a feature?
    pub fn has(&self, output: usize) -> Result<(), ExplainError> {
        let mut faults = Vec::new();
        if self.features() == 0 {
            faults.push("the model has no features".to_owned());
        }
        if output >= self.outputs() {
            faults.push(format!(
                "there is no output {output}: the model has {}, counted from 0",
                self.outputs()
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(ExplainError::Asked(faults)) }
    }

    /// Tells how far it is, and stops where it is not wanted any more.
    pub fn told(
        &self,
        progress: &dyn Progress,
        done: usize,
        all: usize,
    ) -> Result<(), ExplainError> {
        if self.cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        progress.rows(done, all);
        Ok(())
    }
}

/// The first values of a row.
fn told(row: &[f64]) -> String {
    let first: Vec<String> = row.iter().take(8).map(f64::to_string).collect();
    first.join(", ") + if row.len() > 8 { ", …" } else { "" }
}
