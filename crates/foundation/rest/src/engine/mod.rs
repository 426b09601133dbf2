//! The engine: resources, and what may be done with them from Rust. HTTP takes the same way.

mod below;
mod export;
mod offer;
mod people;
mod read;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use ephor_kernel::{Problem, Scope};
use ephor_store::{OrgTx, Store, StoreError};
pub(crate) use export::Export;
pub use offer::OfferAnswer;
pub(crate) use read::Item;
pub use read::Page;
use serde_json::Value;
pub use write::MAX_BULK_ROWS;
pub(crate) use write::Written;

use crate::{
    Catalog, ListRequest, Operation, Resource, ResourceSpec, SpecError,
    cursor::Cursors,
    resource::resolve,
    sql::{Large, Sizes},
};

/// All resources of an installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    resources: BTreeMap<&'static str, Resource>,
    operations: Vec<Operation>,
    cursors: Cursors,
    sizes: Sizes,
    large: Large,
}

impl Engine {
    /// Holds the specifications against the catalog. `cursor_key` signs cursors; it is the same in
    /// every process of an installation.
    ///
    /// # Errors
    /// Lists every table, column and resource that a specification names and that is not there.
    pub fn new(
        catalog: &Catalog,
        specs: impl IntoIterator<Item = ResourceSpec>,
        cursor_key: [u8; 32],
    ) -> Result<Self, SpecError> {
        Self::with_operations(catalog, specs, cursor_key, [])
    }

    /// The same, with the action routes that contexts serve themselves, for the OpenAPI document.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_operations(
        catalog: &Catalog,
        specs: impl IntoIterator<Item = ResourceSpec>,
        cursor_key: [u8; 32],
        operations: impl IntoIterator<Item = Operation>,
    ) -> Result<Self, SpecError> {
        let resources = resolve(catalog, specs)?;
        let operations: Vec<_> = operations.into_iter().collect();
        Ok(Self(Arc::new(Parts {
            resources,
            operations,
            cursors: Cursors::new(cursor_key),
            sizes: Sizes::default(),
            large: Large::default(),
        })))
    }

    /// All resources, by path.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.0.resources.values()
    }

    /// The resource at `/v1/{path}`.
    pub fn resource(&self, path: &str) -> Option<&Resource> {
        self.0.resources.get(path)
    }

    /// The operations that contexts contributed.
    pub fn operations(&self) -> &[Operation] {
        &self.0.operations
    }

    /// The OpenAPI 3.1 document. It is made anew at each call, which takes tens of milliseconds and some 20 MB.
    pub fn openapi(&self) -> Value {
        crate::openapi::document(&self.0.resources, &self.0.operations)
    }

    pub(crate) fn cursors(&self) -> &Cursors {
        &self.0.cursors
    }

    pub(crate) fn sizes(&self) -> &Sizes {
        &self.0.sizes
    }

    pub(crate) fn large(&self) -> &Large {
        &self.0.large
    }

    /// The resource, or a failure of ours: paths are written in our own code.
    pub(crate) fn known(&self, path: &str) -> Result<&Resource, Problem> {
        self.resource(path).ok_or_else(|| {
            tracing::error!(path, "no resource has this path");
            Problem::internal()
        })
    }

    /// Opens the transaction that a read needs: one that reaches subsidiaries when the request
    /// names several organizations, one of the system role when it reads everybody's personal rows.
    ///
    /// # Errors
    /// When no connection is to be had, or the request names organizations that may not be read.
    pub async fn begin_read(
        &self,
        store: &Store,
        scope: &Scope,
        path: &str,
        request: &ListRequest,
    ) -> Result<OrgTx, Problem> {
        let resource = self.known(path)?;
        let reaching = resource.spec.reach && request.get("organizations").is_some();
        let begun = if reaching {
            store.begin_reach(scope).await
        } else {
            begin_own(resource, store, scope).await
        };
        begun.map_err(Problem::from)
    }

    /// Opens the transaction that a write needs.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin_write(
        &self,
        store: &Store,
        scope: &Scope,
        path: &str,
    ) -> Result<OrgTx, Problem> {
        begin_own(self.known(path)?, store, scope).await.map_err(Problem::from)
    }
}

async fn begin_own(resource: &Resource, store: &Store, scope: &Scope) -> Result<OrgTx, StoreError> {
    let owner = crate::plan::owner(resource.spec.personal, resource.spec.permission, scope);
    if resource.spec.personal.is_some() && owner.is_none() {
        // Policies keep personal rows from the application's role, whatever the permission.
        store.begin_system(scope).await
    } else {
        store.begin(scope).await
    }
}
