//! Row feeds: programs push rows to an address with a token; they become data sets, and are analysed
//! when there are enough.
//!
//! What is acknowledged is committed: a batch lies in `assurance.row_feed_batches`, in the transaction
//! that counts it, until a job has stored it. So it outlives a server that is killed, and stands in
//! every backup, and memory is bounded by a few batches. Data sets never change once they are stored: each
//! flush makes a new one of the newest rows, in whose transaction its batches are marked and the
//! analysis is asked for.

mod accept;
mod columns;
mod create;
mod due;
mod flush;
mod intake;
mod operations;
mod rate;
mod rows;
mod runner;
mod settle;
mod token;
mod web;

use std::{io, sync::Arc};

use bytes::Bytes;
use ephor_fairness::CancellationToken;
use ephor_kernel::{DatasetId, Problem, Scope};
use ephor_store::{OrgTx, Store};
use ephor_tabular::Format;
use futures::{future::BoxFuture, stream::BoxStream};
use tokio::sync::Semaphore;

pub use accept::PushedBatch;
pub(crate) use columns::checked_specification;
pub use columns::{FeedColumn, FeedType};
pub use create::{
    MOST_FEEDS, RowFeedCreate, RowFeedSecret, row_feed_create, row_feed_revoke_token,
    row_feed_rotate_token,
};
pub(crate) use due::start_due;
pub use flush::{FLUSH_JOB, FlushAsked, MOST_FLUSHES, row_feed_flush};
pub use intake::{admit, intake};
pub(crate) use operations::operations;
pub use rows::{Batch, BatchFormat, MAX_BATCH_BYTES, MAX_BATCH_ROWS, Refused, read as read_batch};
pub use runner::FlushRunner;
pub use token::RowFeedToken;
pub use web::routes;

/// What becomes true with a data set, in the transaction that makes it ready.
pub type Settle =
    Box<dyn for<'a> FnOnce(&'a mut OrgTx, DatasetId) -> BoxFuture<'a, Result<(), Problem>> + Send>;

/// Rows that are to be a data set.
pub struct RowsToStore {
    /// A name for people.
    pub name: String,
    /// Where they come from.
    pub description: String,
    /// What else to keep with it.
    pub metadata: serde_json::Value,
    /// What the rows are written in.
    pub format: Format,
    /// The rows.
    pub body: BoxStream<'static, io::Result<Bytes>>,
    /// Fires when it is to stop.
    pub cancel: CancellationToken,
    /// What becomes true with it.
    pub settle: Settle,
}

/// Stores rows as a data set of the scope's organization. The registry owns data sets: the composition
/// root gives the way.
pub type StoreRows =
    Arc<dyn Fn(Scope, RowsToStore) -> BoxFuture<'static, Result<DatasetId, Problem>> + Send + Sync>;

/// Row feeds. Cheap to clone.
#[derive(Clone)]
pub struct RowFeeds {
    pub(crate) store: Store,
    pub(crate) store_rows: StoreRows,
    pub(crate) rates: Arc<rate::Rates>,
    /// Turns to read a batch: while it is read, it takes many times its size.
    pub(crate) reading: Arc<Semaphore>,
}

/// Batches that are read at a time.
const READERS: usize = 4;

impl RowFeeds {
    /// Row feeds over a database, whose rows are stored in this way.
    pub fn new(store: Store, store_rows: StoreRows) -> Self {
        let reading = Arc::new(Semaphore::new(READERS));
        Self { store, store_rows, rates: Arc::default(), reading }
    }
}
