//! Exports: many rows, fetched page by page under the hood.

use ephor_kernel::{Problem, Scope};
use ephor_store::Store;

use super::{Engine, read::failed};
use crate::{
    ListRequest, Resource,
    plan::{MAX_ROWS, Plan},
    sql::{self, RowText},
};

/// Rows of one export at most; what lies behind them is reached by its cursor.
pub(crate) const EXPORT_ROWS: u32 = 100_000;

/// An export under way. Between pages it holds no connection: a caller that reads slowly keeps
/// nobody else from the database.
pub(crate) struct Export {
    engine: Engine,
    store: Store,
    scope: Scope,
    path: &'static str,
    asked: ListRequest,
    plan: Plan,
    left: u32,
    /// Rows to ask for at once: fewer where rows are so long that a page ends before they are all read,
    /// lest PostgreSQL makes them again for every page.
    step: u32,
}

impl Engine {
    /// Begins an export, and gives the cursor behind its end if there is more than it may hold.
    pub(crate) async fn export(
        &self,
        store: &Store,
        scope: &Scope,
        path: &str,
        asked: &ListRequest,
    ) -> Result<(Export, Option<String>), Problem> {
        let resource = self.known(path)?;
        let mut tx = self.begin_read(store, scope, path, asked).await?;
        let mut plan = self.list_plan(&tx, resource, asked, (EXPORT_ROWS, EXPORT_ROWS))?;
        plan.count = false;
        let left = plan.limit;
        let end = sql::export_end(resource, &plan, left);
        let ends = sql::rows(tx.conn(), end).await.map_err(|error| failed(resource, error))?;
        let next = match ends.as_slice() {
            [last, _] => {
                let keys = last.keys().map_err(|error| failed(resource, error))?;
                Some(self.seal(resource, &plan, &keys))
            }
            _ => None,
        };
        let export = Export {
            engine: self.clone(),
            store: store.clone(),
            scope: scope.clone(),
            path: resource.spec.path,
            asked: asked.clone(),
            plan,
            left,
            step: MAX_ROWS,
        };
        Ok((export, next))
    }
}

impl Export {
    /// The columns and related rows of each row, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let includes = self.plan.includes.iter().map(|inclusion| inclusion.name.to_owned());
        self.plan.columns.iter().cloned().chain(includes).collect()
    }

    /// The resource.
    pub(crate) fn resource(&self) -> Result<&Resource, Problem> {
        self.engine.known(self.path)
    }

    /// The next rows; none at the end.
    pub(crate) async fn rows(&mut self) -> Result<Vec<RowText>, Problem> {
        if self.left == 0 {
            return Ok(Vec::new());
        }
        self.plan.limit = self.left.min(self.step);
        let resource = self.engine.known(self.path)?;
        let mut tx =
            self.engine.begin_read(&self.store, &self.scope, self.path, &self.asked).await?;
        let listed = self.engine.fetch(&mut tx, resource, &self.plan).await?;
        let given = u32::try_from(listed.rows.len()).unwrap_or(MAX_ROWS);
        self.left = match listed.next {
            Some(_) => self.left.saturating_sub(given),
            None => 0,
        };
        // Powers of two: a page's text names its limit, and each text is a plan that PostgreSQL keeps.
        let enough = if given < self.plan.limit { given } else { given.saturating_mul(2) };
        self.step = enough.max(1).next_power_of_two().min(MAX_ROWS);
        self.plan.after = listed.next;
        Ok(listed.rows)
    }
}
