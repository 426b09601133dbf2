//! A forest and the rows that it is compared with, made ready part by part on all processors.
//!
//! What fits into memory is kept from one piece of the rows that are explained to the next.

use std::{
    ops::Range,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use super::{
    limits::Limits,
    parts::{Cutting, Part},
    paths::Edge,
    ways::Ways,
    work::of_each,
};
use crate::{ExplainError, Forest, Rows};

/// A part of a tree that is made ready.
pub(super) struct ReadyPart<'a> {
    pub output: usize,
    pub edges: Vec<Edge<'a>>,
    pub ways: &'a Ways,
}

/// A forest in parts, with the rows of a background.
#[derive(Debug)]
pub(super) struct Against {
    /// The background's rows as trees see them.
    background: Vec<Vec<f64>>,
    keeps_rows: bool,
    parts: Vec<Part>,
    /// Which parts are made ready together.
    batches: Vec<Batch>,
    /// So many bytes more may be kept.
    room: AtomicUsize,
}

#[derive(Debug)]
struct Batch {
    parts: Range<usize>,
    /// What was made and is kept.
    kept: OnceLock<Vec<Ways>>,
}

impl Against {
    /// Cuts a forest into parts. Where it is asked for, each way is to know its rows.
    ///
    /// # Errors
    /// When a path tests more than 64 features, when a question takes too much memory, and when it is cancelled.
    pub(super) fn new(
        forest: &Forest,
        background: &Rows,
        keeps_rows: bool,
        limits: &Limits,
        cancel: &CancellationToken,
    ) -> Result<Self, ExplainError> {
        let cutting = Cutting { background: background.len(), keeps_rows, limits, cancel };
        let parts = cutting.parts(forest)?;
        let batches = limits.batches(parts.iter().map(|part| part.bytes)).into_iter();
        let batches = batches.map(|parts| Batch { parts, kept: OnceLock::new() }).collect();
        let seen = |row: &[f64]| row.iter().map(|value| forest.seen(*value)).collect::<Vec<f64>>();
        let background = background.iter().map(seen).collect();
        Ok(Self { background, keeps_rows, parts, batches, room: AtomicUsize::new(0) })
    }

    /// From now on keeps what it makes ready, up to so many bytes.
    pub(super) fn keep(&mut self, bytes: usize) {
        self.room = AtomicUsize::new(bytes);
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Does something with all parts, batch by batch. The forest is the one that was cut.
    ///
    /// # Errors
    /// What is done may fail; and when it is cancelled.
    pub(super) fn each(
        &self,
        forest: &Forest,
        cancel: &CancellationToken,
        mut act: impl FnMut(Vec<ReadyPart<'_>>) -> Result<(), ExplainError>,
    ) -> Result<(), ExplainError> {
        for batch in &self.batches {
            let parts = &self.parts[batch.parts.clone()];
            let output = |part: &Part| forest.trees[part.tree].0;
            if let Some(kept) = batch.kept.get() {
                let edges = of_each(parts, cancel, |part| part.edges(forest, cancel))?;
                let ready = parts.iter().zip(edges).zip(kept).map(|((part, edges), ways)| {
                    Ok(ReadyPart { output: output(part), edges: edges?, ways })
                });
                act(ready.collect::<Result<Vec<_>, ExplainError>>()?)?;
                continue;
            }
            let made = of_each(parts, cancel, |part| self.made(part, forest, cancel))?;
            let made = made.into_iter().collect::<Result<Vec<_>, ExplainError>>()?;
            let (edges, ways): (Vec<_>, Vec<_>) = made.into_iter().unzip();
            let ready = parts.iter().zip(edges).zip(&ways).map(|((part, edges), ways)| ReadyPart {
                output: output(part),
                edges,
                ways,
            });
            act(ready.collect())?;
            let bytes: usize = ways.iter().map(Ways::bytes).sum();
            let less = |room: usize| room.checked_sub(bytes);
            if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
                drop(batch.kept.set(ways));
            }
        }
        Ok(())
    }

    fn made<'a>(
        &self,
        part: &Part,
        forest: &'a Forest,
        cancel: &CancellationToken,
    ) -> Result<(Vec<Edge<'a>>, Ways), ExplainError> {
        let edges = part.edges(forest, cancel)?;
        let ways = Ways::new(&edges, part, &self.background, self.keeps_rows, cancel)?;
        Ok((edges, ways))
    }
}

/// The most that is made ready at a time for so many background rows.
///
/// # Errors
/// As [`Against::new`].
pub(super) fn takes(
    forest: &Forest,
    background: usize,
    cancel: &CancellationToken,
) -> Result<usize, ExplainError> {
    let limits = &Limits::USUAL;
    let parts = Cutting { background, keeps_rows: true, limits, cancel }.parts(forest)?;
    let batches = limits.batches(parts.iter().map(|part| part.bytes));
    let bytes = |batch: Range<usize>| parts[batch].iter().map(|part| part.bytes).sum::<usize>();
    Ok(batches.into_iter().map(bytes).max().unwrap_or(0))
}
