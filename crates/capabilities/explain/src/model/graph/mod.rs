//! Graphs of ONNX that are run as a whole: they answer, and are not known from inside.

mod attributes;
mod bounds;
mod cost;
mod guard;
mod plan;
mod told;
mod windows;

use std::{ops::Range, sync::Arc, thread};

use bounds::MOST_ELEMENTS;
use guard::{guarded, panicked};
use plan::Plan;
use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, shap::of_each};

/// An attribute that marks what takes one of two values as a whole: they have to be of one shape.
pub(crate) const CHOICE: &str = "choice";

/// A file's graph is followed to its ends, which takes more room than a thread mostly has.
const STACK: usize = 32 << 20;

/// A model that only answers: a neural network, say. What asks a model explains it, exact SHAP values do not.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The features' names, in the order of a row's values.
    pub features: Vec<String>,
    plan: Arc<Plan>,
}

/// Equal when read from one file, once.
impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.features == other.features && Arc::ptr_eq(&self.plan, &other.plan)
    }
}

impl Graph {
    /// Of ONNX with one input of rows of features, in 32 or 64 bits, and one output; `rows` where it takes so many at once and
    /// no others. The content must have been checked: sizes of constants, and kinds of nodes. Gives what is wrong.
    pub(crate) fn load(
        features: Vec<String>,
        content: &[u8],
        rows: Option<usize>,
        double: bool,
    ) -> Result<Self, String> {
        let width = features.len();
        let plan = thread::scope(|scope| {
            let load = || guarded(|| Plan::load(content, width, rows, double));
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, load);
            let thread = thread.map_err(|error| error.to_string())?;
            thread.join().unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
        })?;
        Ok(Self { features, plan: Arc::new(plan) })
    }

    /// How many numbers it predicts for a row: one, or one for each class.
    pub fn outputs(&self) -> usize {
        self.plan.outputs
    }

    /// What is predicted for each row.
    ///
    /// # Errors
    /// When the rows do not have the model's features, or it cannot be run.
    pub fn predict(&self, rows: &Rows) -> Result<Vec<Vec<f64>>, ExplainError> {
        let all = self.scores(rows, &CancellationToken::new())?;
        Ok(all.chunks_exact(self.outputs()).map(<[f64]>::to_vec).collect())
    }

    /// The same, row by row, in a row output by output; given up between batches when it is no longer wanted.
    pub(super) fn scores(
        &self,
        rows: &Rows,
        cancel: &CancellationToken,
    ) -> Result<Vec<f64>, ExplainError> {
        let rows = rows.of(self.features.len())?;
        let batches: Vec<Range<usize>> = (0..rows.len())
            .step_by(self.plan.rows)
            .map(|start| start..(start + self.plan.rows).min(rows.len()))
            .collect();
        let answer = |batch: &Range<usize>| {
            let values: Vec<f64> = batch.clone().flat_map(|row| rows.row(row).to_vec()).collect();
            guarded(|| self.plan.answer(&values)).map_err(ExplainError::Run)
        };
        let found = match &batches[..] {
            [one] => vec![answer(one)],
            many => {
                // Each batch has values of its own: together they are bounded as those of one are.
                let at_once = (MOST_ELEMENTS / self.plan.elements.max(1)).max(1);
                let mut found = Vec::with_capacity(many.len());
                for some in many.chunks(at_once) {
                    found.extend(of_each(some, cancel, answer)?);
                }
                found
            }
        };
        let mut all = Vec::with_capacity(rows.len() * self.outputs());
        for batch in found {
            all.extend(batch?);
        }
        Ok(all)
    }
}
