//! What is made ready once, with the first of the rows that come piece by piece.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress, against, background::Interventional, limits::Limits,
    probability::InProbability, walk,
};
use crate::{ExplainError, Forest, Model, Rows};

/// So many bytes of what is made ready are kept from piece to piece; what is beyond is made anew for each.
const KEPT: usize = 512 << 20;

/// Trees and the rows that they are compared with, made ready with the first piece: [`interventional`](super::interventional) and
/// [`in_probability`](super::in_probability) for rows that come piece by piece. At most 512 MiB are kept from piece to piece.
#[derive(Debug)]
pub struct Ready {
    model: Arc<Model>,
    made: Made,
}

#[derive(Debug)]
enum Made {
    Margin(Interventional),
    Probability(InProbability),
}

impl Ready {
    /// Gets a model ready, in the unit of its margin or of the probability; `None` where it is not made of trees.
    ///
    /// # Errors
    /// As those two, but for the rows.
    pub fn new(
        model: &Arc<Model>,
        background: &Rows,
        is_probability: bool,
        cancel: &CancellationToken,
    ) -> Result<Option<Self>, ExplainError> {
        let Model::Forest(forest) = &**model else { return Ok(None) };
        let made = if is_probability {
            let mut made = InProbability::new(forest, background, &Limits::USUAL, cancel)?;
            made.against().keep(KEPT);
            Made::Probability(made)
        } else {
            let mut made = Interventional::new(forest, background, &Limits::USUAL, cancel)?;
            made.against.keep(KEPT);
            Made::Margin(made)
        };
        Ok(Some(Self { model: Arc::clone(model), made }))
    }

    /// What each feature adds for each of some rows.
    ///
    /// # Errors
    /// When the rows do not have the model's features, and when it is cancelled.
    pub fn values(
        &self,
        rows: &Rows,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Explanation, ExplainError> {
        let Model::Forest(forest) = &*self.model else { return Err(ExplainError::NoBackground) };
        match &self.made {
            Made::Margin(made) => made.values(forest, rows, progress, cancel),
            Made::Probability(made) => made.values(forest, rows, progress, cancel),
        }
    }
}

/// The memory that is taken at a time, in bytes, to make a forest ready: against so many background rows, or for path-dependent
/// values. Rows and values come to it.
///
/// # Errors
/// When a path tests too many features, when a tree is too large, and when it is cancelled.
pub fn takes(
    forest: &Forest,
    background: Option<usize>,
    cancel: &CancellationToken,
) -> Result<usize, ExplainError> {
    match background {
        Some(rows) => against::takes(forest, rows, cancel),
        None => walk::takes(forest, cancel),
    }
}
