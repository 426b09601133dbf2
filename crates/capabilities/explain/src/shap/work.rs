//! Rows in blocks, on all processors.

use std::{
    num::NonZero,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{Progress, limits::WALKS};
use crate::{ExplainError, Forest, Rows};

/// How often somebody is told.
const TOLD: Duration = Duration::from_millis(200);

/// Some rows as the trees see them, and the room for what comes of them.
pub(super) struct Block<'a> {
    pub rows: &'a [f64],
    pub values: &'a mut [f64],
}

/// Values of all rows, to which one pass after the other adds those of some trees.
pub(super) struct Work<'a> {
    pub forest: &'a Forest,
    pub rows: &'a Rows,
    /// How many values a row has.
    each: usize,
    pub values: Vec<f64>,
    /// Trees that are added, of so many.
    added: usize,
    trees: usize,
    progress: &'a dyn Progress,
    cancel: &'a CancellationToken,
    told: Mutex<Instant>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        forest: &'a Forest,
        rows: &'a Rows,
        each: usize,
        trees: usize,
        progress: &'a dyn Progress,
        cancel: &'a CancellationToken,
    ) -> Self {
        let values = vec![0.0; rows.len() * each];
        let told = Mutex::new(Instant::now());
        Self { forest, rows, each, values, added: 0, trees, progress, cancel, told }
    }

    /// Adds so many of the trees, block by block of the rows, on all processors: on as many as have the room that each of them
    /// takes.
    pub(super) fn pass(
        &mut self,
        block: usize,
        trees: usize,
        room: usize,
        work: impl Fn(Block<'_>) + Sync,
    ) -> Result<(), ExplainError> {
        let Self { forest, rows, each, progress, cancel, .. } = *self;
        let width = rows.width();
        let waiting = Mutex::new(self.values.chunks_mut((block * each).max(1)).enumerate());
        let done = AtomicUsize::new(0);
        let most = (WALKS / room.max(1)).max(1);
        let threads = threads().min(most).min(rows.len().div_ceil(block));
        let (told, all, added) = (&self.told, self.trees.max(1), self.added);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut seen = Vec::with_capacity(block * width);
                    while !cancel.is_cancelled() {
                        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((index, values)) = next else { break };
                        let count = values.len() / each;
                        seen.clear();
                        for row in index * block..index * block + count {
                            seen.extend(rows.row(row).iter().map(|value| forest.seen(*value)));
                        }
                        work(Block { rows: &seen, values });
                        let done = done.fetch_add(count, Ordering::Relaxed) + count;
                        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                        if told.elapsed() >= TOLD {
                            *told = Instant::now();
                            let part = added * rows.len() + trees * done;
                            progress.rows(part / all, rows.len());
                        }
                    }
                });
            }
        });
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        self.added += trees;
        if self.added == self.trees {
            progress.rows(rows.len(), rows.len());
        }
        Ok(())
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Makes something of each, on all processors.
pub(crate) fn of_each<T: Sync, R: Send + Sync>(
    all: &[T],
    cancel: &CancellationToken,
    make: impl Fn(&T) -> R + Sync,
) -> Result<Vec<R>, ExplainError> {
    let made: Vec<OnceLock<R>> = all.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads().min(all.len()) {
            scope.spawn(|| {
                while !cancel.is_cancelled() {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(one), Some(room)) = (all.get(at), made.get(at)) else { break };
                    room.get_or_init(|| make(one));
                }
            });
        }
    });
    let made: Option<Vec<R>> = made.into_iter().map(OnceLock::into_inner).collect();
    made.ok_or(ExplainError::Cancelled)
}
