//! Exact values of a file's rows, a piece at a time: memory does not grow with the file.

use std::sync::Arc;

use ephor_explain::{
    CancellationToken, ExplainError, Explanation, Format, Model, Rows, Scorer as _,
    shap::{self, Progress as _},
    summary::{Digest, Summary},
};
use tokio::sync::mpsc::Receiver;

use super::{progress::Line, refused};

/// The values of a piece take so many bytes at most.
const PIECE_BYTES: usize = 32 << 20;
/// A piece has so many rows at most.
const PIECE_ROWS: usize = 1 << 16;
/// Of a piece there are three at a time at most: one is computed, one waits, one is read.
const PIECES: usize = 3;
/// So many bytes of trees are kept from piece to piece, where memory allows it.
pub(super) const KEPT: usize = 512 << 20;

/// How many rows a piece has, of which each takes so many bytes with its values; none if not even one fits into the memory.
pub(super) fn size(each: usize, left: usize) -> Option<usize> {
    let most = (left / PIECES).min(PIECE_BYTES.max(each));
    let rows = most / each.max(1);
    (rows > 0).then_some(rows.min(PIECE_ROWS))
}

/// What is asked of each piece.
pub(super) struct Asked {
    pub format: Format,
    pub model: Arc<Model>,
    /// The rows that they are compared with, where there are some.
    pub background: Option<Rows>,
    /// Do the values stand for pairs of features?
    pub pairs: bool,
    /// Do they add up to the probability, not to the margin?
    pub probability: bool,
}

/// A piece: rows with their values.
pub(super) struct Part {
    /// The number of the first of them, counted from 0.
    pub first: usize,
    pub rows: Rows,
    pub values: Explanation,
}

/// The pieces of a file, computed as they are asked for.
pub(super) struct Parts {
    asked: Arc<Asked>,
    /// Trees made ready for all pieces, where they are kept.
    ready: Option<shap::Ready>,
    rows: Receiver<anyhow::Result<Rows>>,
    /// How many rows there will be.
    all: usize,
    done: usize,
    is_begun: bool,
    digests: Vec<Digest>,
    line: Line,
    cancel: CancellationToken,
}

impl Parts {
    /// Of the rows that come, of which there will be `all`; what they are compared with is made ready once if `keeps`.
    pub(super) fn new(
        asked: &Arc<Asked>,
        rows: Receiver<anyhow::Result<Rows>>,
        all: usize,
        keeps: bool,
        line: Line,
        cancel: CancellationToken,
    ) -> Result<Self, ExplainError> {
        let ready = match &asked.background {
            Some(background) if keeps => {
                shap::Ready::new(&asked.model, background, asked.probability, &cancel)?
            }
            _ => None,
        };
        let asked = Arc::clone(asked);
        Ok(Self {
            asked,
            ready,
            rows,
            all,
            done: 0,
            is_begun: false,
            digests: Vec::new(),
            line,
            cancel,
        })
    }

    /// The same with digests, which take each piece as it goes by.
    pub(super) fn digested(mut self, digests: Vec<Digest>) -> Self {
        self.digests = digests;
        self
    }

    /// What is asked.
    pub(super) fn asked(&self) -> &Arc<Asked> {
        &self.asked
    }

    /// The next piece; of a file without rows there is one, which has none either, and says what the base is.
    ///
    /// # Errors
    /// When the file cannot be read on, when a row cannot be explained, and when it is given up.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Part>> {
        let rows = match self.rows.blocking_recv() {
            Some(rows) => rows?,
            // The rows ended because somebody gave up, not because there are no more.
            None if self.cancel.is_cancelled() => return Err(refused(ExplainError::Cancelled)),
            None if self.is_begun => return Ok(None),
            None => Rows::new(Vec::new(), self.asked.model.features().len()),
        };
        self.is_begun = true;
        let (first, all) = (self.done, self.all.max(self.done + rows.len()));
        let values = self.values(&rows, all).map_err(|error| refused(error.after(first)))?;
        for digest in &mut self.digests {
            if self.asked.pairs {
                digest.add_pairs(&rows, &values).map_err(refused)?;
            } else {
                digest.add(&rows, &values).map_err(refused)?;
            }
        }
        self.done += rows.len();
        Ok(Some(Part { first, rows, values }))
    }

    fn values(&self, rows: &Rows, all: usize) -> Result<Explanation, ExplainError> {
        let (before, line, cancel) = (self.done, &self.line, &self.cancel);
        let told = move |done: usize, _: usize| line.rows(before + done, all);
        match &self.ready {
            Some(ready) => ready.values(rows, &told, cancel),
            None => super::values(&self.asked, rows, &told, cancel),
        }
    }

    /// Takes the line that tells how far it is away.
    pub(super) fn over(&self) {
        self.line.over();
    }

    /// What the digests found.
    pub(super) fn finish(self) -> Vec<Summary> {
        self.digests.into_iter().map(Digest::finish).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::cli::explain::progress;

    /// Rows of two features in pieces of `size`.
    pub fn parts(asked: &Arc<Asked>, values: &[f64], size: usize) -> Parts {
        let (sender, rows) = mpsc::channel(64);
        for piece in values.chunks(2 * size) {
            sender.try_send(Ok(Rows::new(piece.to_vec(), 2))).unwrap();
        }
        let all = values.len() / 2;
        Parts::new(asked, rows, all, true, progress::quiet(), CancellationToken::new()).unwrap()
    }

    #[test]
    fn pieces_fit_into_the_memory() {
        assert_eq!(size(100, 299), None);
        assert_eq!(size(100, 300), Some(1));
        assert_eq!(size(1 << 10, usize::MAX), Some(1 << 15));
        assert_eq!(size(8, usize::MAX), Some(PIECE_ROWS));
        assert_eq!(size(1 << 30, 3 << 30), Some(1), "one row may be more than a piece usually is");
    }
}
