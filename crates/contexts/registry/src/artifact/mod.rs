//! Models as files: an artefact of a model's version. It is read when it comes in, kept as it came, and never run.

mod delete;
mod get;
mod open;
mod upload;

use ephor_kernel::{ModelArtifactId, OrganizationId};
use object_store::path::Path;

pub use get::{Artifact, artifact_get, artifact_of_version};
pub use upload::NewArtifact;

/// The largest file, in bytes: a model is held in memory while it is read.
pub const MAX_ARTIFACT_BYTES: u64 = 256 << 20;
/// So many files are read at once.
pub(crate) const READERS: usize = 2;

/// Where an artefact lies. Made of ids alone, so that no name can lead elsewhere.
pub(crate) fn artifact_path(organization: OrganizationId, artifact: ModelArtifactId) -> Path {
    folder(organization).join(format!("{artifact}.model"))
}

/// Where those of an organization lie.
fn folder(organization: OrganizationId) -> Path {
    Path::from_iter(["models".to_owned(), organization.to_string()])
}
