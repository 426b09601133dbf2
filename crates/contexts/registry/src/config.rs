//! Where data sets are stored.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc};

use object_store::{
    ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem, prefix::PrefixStore,
};

/// A folder by default, an S3 bucket by configuration.
#[derive(Debug, Clone)]
pub struct ObjectStoreConfig {
    /// `s3://bucket/prefix`; region, endpoint and keys come from the usual `AWS_*` variables.
    pub url: Option<String>,
    /// The folder, when there is no URL; made if it is not there.
    pub folder: PathBuf,
    /// The largest upload, in bytes.
    pub max_upload_bytes: u64,
}

/// Why the object store can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The folder can't be made.
    #[error("the folder {folder} for data sets can't be made: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The URL is none of S3.
    #[error("objects.url: `{0}` is not written s3://bucket or s3://bucket/prefix")]
    Url(String),
    /// The store itself refused.
    #[error("the object store can't be opened: {0}")]
    Store(#[from] object_store::Error),
}

impl ObjectStoreConfig {
    /// Opens it; the folder is made if it is not there.
    pub fn open(&self) -> Result<Arc<dyn ObjectStore>, ConfigError> {
        match &self.url {
            Some(url) => s3(url),
            None => self.local(),
        }
    }

    fn local(&self) -> Result<Arc<dyn ObjectStore>, ConfigError> {
        self.make_folder()
            .map_err(|source| ConfigError::Folder { folder: self.folder.clone(), source })?;
        Ok(Arc::new(LocalFileSystem::new_with_prefix(&self.folder)?.with_automatic_cleanup(true)))
    }

    /// A folder for its owner alone: what lies there is everybody's data, and its files have no modes of their own.
    fn make_folder(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::set_permissions(&self.folder, Permissions::from_mode(0o700))
    }
}

fn s3(url: &str) -> Result<Arc<dyn ObjectStore>, ConfigError> {
    let (bucket, prefix) =
        bucket_and_prefix(url).ok_or_else(|| ConfigError::Url(url.to_owned()))?;
    let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
    Ok(match prefix {
        "" => Arc::new(store),
        prefix => Arc::new(PrefixStore::new(store, prefix)),
    })
}

fn bucket_and_prefix(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, prefix.trim_matches('/')))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_have_a_prefix() {
        assert_eq!(bucket_and_prefix("s3://b"), Some(("b", "")));
        assert_eq!(bucket_and_prefix("s3://b/a/c/"), Some(("b", "a/c")));
        for url in ["", "b", "s3://", "s3:///a", "http://b"] {
            assert_eq!(bucket_and_prefix(url), None, "{url}");
        }
    }

    #[test]
    fn a_folder_is_made() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        let config = ObjectStoreConfig { url: None, folder: folder.clone(), max_upload_bytes: 1 };
        config.open().unwrap();
        assert!(folder.is_dir());
    }
}
