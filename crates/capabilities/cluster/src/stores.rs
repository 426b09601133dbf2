//! Where data lie: folders, and buckets of S3 as the environment says.

use std::{path::Path, sync::Arc};

use datafusion::{
    error::{DataFusionError, Result},
    execution::{
        object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry},
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
};
use object_store::{ObjectStore, aws::AmazonS3Builder};
use url::Url;

/// The stores that are known, and buckets as soon as somebody asks for them.
#[derive(Debug, Default)]
struct Stores(DefaultObjectStoreRegistry);

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.0.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let known = self.0.get_store(url);
        if known.is_ok() || url.scheme() != "s3" {
            return known;
        }
        let bucket = url.host_str().unwrap_or_default();
        let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let store: Arc<dyn ObjectStore> =
            Arc::new(store.map_err(|error| DataFusionError::ObjectStore(Box::new(error)))?);
        self.0.register_store(url, Arc::clone(&store));
        Ok(store)
    }
}

/// A runtime that finds data; what spills goes to `folder`, by default to the system's for temporary files.
pub(crate) fn runtime(folder: Option<&Path>) -> Result<Arc<RuntimeEnv>> {
    let mut runtime =
        RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Stores::default()));
    if let Some(folder) = folder {
        runtime = runtime.with_temp_file_path(folder);
    }
    runtime.build_arc()
}
