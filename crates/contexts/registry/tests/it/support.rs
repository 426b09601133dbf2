//! What the tests share.

use std::{io, path::PathBuf};

use bytes::Bytes;
use ephor_kernel::{DatasetId, Problem, Scope};
use ephor_registry::{ObjectStoreConfig, RESOURCES, Registry, dataset::NewDataset};
use ephor_rest::{Catalog, Engine};
use ephor_store::testing::{TestDatabase, database};
use futures::{Stream, stream};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct World {
    pub db: TestDatabase,
    pub registry: Registry,
    pub engine: Engine,
    pub scope: Scope,
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with_limit(100 << 20).await
    }

    /// With a limit on uploads, in bytes.
    pub async fn with_limit(max_upload_bytes: u64) -> Self {
        let db = database().await;
        let folder = tempfile::tempdir().unwrap();
        let config = ObjectStoreConfig {
            url: None,
            folder: folder.path().join("objects"),
            max_upload_bytes,
        };
        let registry = Registry::new(db.store(), &config, 64 << 20).unwrap();
        let catalog = Catalog::read(db.store().door().await.unwrap().conn()).await.unwrap();
        let engine = Engine::new(&catalog, RESOURCES.iter().copied(), [7; 32]).unwrap();
        let scope = db.organization("Analytics").await;
        Self { db, registry, engine, scope, folder }
    }

    pub async fn upload(
        &self,
        name: &str,
        content: impl AsRef<[u8]>,
    ) -> Result<DatasetId, Problem> {
        self.upload_as(&self.scope, name, pieces(content)).await
    }

    pub async fn upload_as<S>(
        &self,
        scope: &Scope,
        name: &str,
        body: S,
    ) -> Result<DatasetId, Problem>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let new = NewDataset { source_name: name.to_owned(), ..NewDataset::default() };
        self.registry.dataset_upload(scope, new, body, &|_| {}, &CancellationToken::new()).await
    }

    /// How many rows of data sets there are, whoever asks.
    pub async fn rows(&self) -> i64 {
        sqlx::query_scalar("select count(*) from registry.datasets")
            .fetch_one(&self.db.admin())
            .await
            .unwrap()
    }

    /// All files in the folder of objects.
    pub fn objects(&self) -> Vec<PathBuf> {
        fn files(folder: &std::path::Path) -> Vec<PathBuf> {
            let mut found = Vec::new();
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
            }
            found
        }
        files(self.folder.path())
    }

    /// Waits until neither a row nor an object is left.
    pub async fn nothing_left(&self) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        while self.rows().await > 0 || !self.objects().is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "left: {:?}", self.objects());
            tokio::task::yield_now().await;
        }
    }
}

/// A body that comes in pieces.
pub fn pieces(content: impl AsRef<[u8]>) -> stream::Iter<std::vec::IntoIter<io::Result<Bytes>>> {
    let pieces: Vec<_> =
        content.as_ref().chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

pub fn broken(reason: &'static str) -> io::Result<Bytes> {
    Err(io::Error::other(reason))
}
