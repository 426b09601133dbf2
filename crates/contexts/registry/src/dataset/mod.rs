//! Data sets: they come in as streams, and lie in the object store as Parquet.

mod delete;
mod get;
mod open;
mod rows;
mod sweep;
mod upload;

use ephor_kernel::{DatasetId, OrganizationId};
use object_store::path::Path;

pub use get::{Dataset, dataset_get};
pub use rows::{MAX_PREVIEW_ROWS, RowFormat};
pub use upload::{NewDataset, Settle, UploadProgress};

/// Where a data set lies. Made of ids alone, so that no name can lead elsewhere.
pub(crate) fn object_path(organization: OrganizationId, dataset: DatasetId) -> Path {
    Path::from_iter(["datasets".to_owned(), organization.to_string(), format!("{dataset}.parquet")])
}
