//! Rows in blocks, on all processors.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::Progress;
use crate::{ExplainError, Forest, Rows};

/// Few enough that a tree and its block stay in the processor's cache, and that a cancelled work ends soon.
const BLOCK: usize = 32;
/// How often somebody is told.
const TOLD: Duration = Duration::from_millis(200);

/// Some rows as the trees see them, and the room for what comes of them.
pub(super) struct Block<'a> {
    pub rows: &'a [f64],
    pub values: &'a mut [f64],
}

/// Fills `each` values for each row.
pub(super) fn in_blocks(
    forest: &Forest,
    rows: &Rows,
    each: usize,
    progress: &dyn Progress,
    cancel: &CancellationToken,
    work: impl Fn(Block<'_>) + Sync,
) -> Result<Vec<f64>, ExplainError> {
    let width = rows.width();
    let mut values = vec![0.0; rows.len() * each];
    if values.is_empty() {
        return Ok(values);
    }
    let waiting = Mutex::new(values.chunks_mut(BLOCK * each).enumerate());
    let (done, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let told = Mutex::new(Instant::now());
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(rows.len().div_ceil(BLOCK)) {
            scope.spawn(|| {
                let mut seen = Vec::with_capacity(BLOCK * width);
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, values)) = next else { break };
                    if cancel.is_cancelled() {
                        stopped.store(true, Ordering::Relaxed);
                        break;
                    }
                    let count = values.len() / each;
                    seen.clear();
                    for row in index * BLOCK..index * BLOCK + count {
                        seen.extend(rows.row(row).iter().map(|value| forest.seen(*value)));
                    }
                    work(Block { rows: &seen, values });
                    let done = done.fetch_add(count, Ordering::Relaxed) + count;
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    if told.elapsed() >= TOLD {
                        *told = Instant::now();
                        progress.rows(done, rows.len());
                    }
                }
            });
        }
    });
    if stopped.into_inner() {
        return Err(ExplainError::Cancelled);
    }
    progress.rows(rows.len(), rows.len());
    Ok(values)
}
