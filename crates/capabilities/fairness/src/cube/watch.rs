//! Rows read so far, told from the function to whoever waits for the scan, in the same process.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

static NEXT: AtomicU64 = AtomicU64::new(1);
static WATCHED: LazyLock<Mutex<HashMap<u64, Arc<AtomicU64>>>> = LazyLock::new(Mutex::default);

/// A watched scan. Its number travels in the function's first argument; on another machine it means nothing, and does no harm.
#[derive(Debug)]
pub(crate) struct Watch {
    number: u64,
    rows: Arc<AtomicU64>,
}

impl Watch {
    pub(crate) fn start() -> Self {
        let watch = Self { number: NEXT.fetch_add(1, Ordering::Relaxed), rows: Arc::default() };
        WATCHED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(watch.number, Arc::clone(&watch.rows));
        watch
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// The counter of a scan that is watched here.
pub(crate) fn counter(number: u64) -> Option<Arc<AtomicU64>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
}
