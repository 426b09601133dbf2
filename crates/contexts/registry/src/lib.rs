//! What is governed: models with their versions and files, and data sets.
//!
//! Rows are the resource engine's ([`RESOURCES`]); here is what is more than storing a row: files
//! that come in as streams and lie in an object store, and versions that follow from changes.

pub mod artifact;
mod config;
pub mod dataset;
pub mod model;
mod operations;
mod resources;
mod routes;

use std::sync::Arc;

use ephor_store::Store;
use futures::StreamExt as _;
use object_store::ObjectStore;
use tokio::sync::Semaphore;

pub use config::{ConfigError, ObjectStoreConfig};
pub use operations::operations;
pub use resources::RESOURCES;
pub use routes::routes;

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    pub(crate) store: Store,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) max_upload_bytes: u64,
    pub(crate) memory_bytes: usize,
    /// Bounds how many models are read at once.
    pub(crate) readers: Arc<Semaphore>,
}

impl Registry {
    /// A registry over a database and an object store. `memory_bytes` bounds what opening and
    /// converting one data set may take before it spills to disk.
    ///
    /// # Errors
    /// When the object store can't be had: the folder can't be made, the URL can't be read.
    pub fn new(
        store: Store,
        config: &ObjectStoreConfig,
        memory_bytes: usize,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            store,
            objects: config.open()?,
            max_upload_bytes: config.max_upload_bytes,
            memory_bytes,
            readers: Arc::new(Semaphore::new(artifact::READERS)),
        })
    }

    /// Does the object store answer, and what is it called? For the page on health.
    ///
    /// # Errors
    /// What it said instead of an answer.
    pub async fn objects_answer(&self) -> Result<String, String> {
        let mut listed = self.objects.list(Some(&"health".into()));
        match listed.next().await {
            None | Some(Ok(_)) => Ok(self.objects.to_string()),
            Some(Err(error)) => Err(error.to_string()),
        }
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }
}
