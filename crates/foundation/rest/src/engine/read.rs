//! Lists and single rows.

use ephor_kernel::Problem;
use ephor_store::OrgTx;
use serde_json::Value;
use uuid::Uuid;

use super::Engine;
use crate::{
    ListRequest, Resource,
    cursor::{Binding, Keys},
    plan::{self, MAX_ROWS, PAGE_ROWS, Plan, Tenancy, order_text},
    refusal::{self, Doing},
    sql::{self, RowText, Statement},
};

/// Rows that an index of words finds at most. Of more, a page is full after reading a few.
const MAX_FOUND: i32 = 2000;
/// Bytes of a page's rows as JSON at most, but for a first row that alone is longer. Whole rows of
/// JSON columns, as many as a page may have, would be hundreds of megabytes.
const PAGE_BYTES: usize = 8 << 20;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
    /// How many rows there are in all, when that was asked.
    pub count: Option<i64>,
}

/// A page as PostgreSQL wrote it: each row is JSON text.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) rows: Vec<RowText>,
    pub(crate) next: Option<Keys>,
    pub(crate) count: Option<i64>,
}

/// A row as PostgreSQL wrote it, with its version.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) version: Option<String>,
}

impl Engine {
    /// A page of the resource's rows, as the transaction's scope may see them.
    ///
    /// # Errors
    /// `forbidden` without the permission to read; `invalid` with everything that is wrong with
    /// the request; `unavailable` without a database.
    pub async fn list(
        &self,
        tx: &mut OrgTx,
        path: &str,
        request: &ListRequest,
    ) -> Result<Page<Value>, Problem> {
        let resource = self.known(path)?;
        let plan = self.list_plan(tx, resource, request, (PAGE_ROWS, MAX_ROWS))?;
        let listed = self.fetch(tx, resource, &plan).await?;
        let next = listed.next.as_ref().map(|keys| self.seal(resource, &plan, keys));
        let mut data = Vec::with_capacity(listed.rows.len());
        for row in &listed.rows {
            data.push(parse(row.item().map_err(|error| failed(resource, error))?)?);
        }
        Ok(Page { data, next, count: listed.count })
    }

    /// One row. `request` may ask for `fields`, `include` and `organizations`.
    ///
    /// # Errors
    /// `not_found` when there is no such row, or the scope may not know of it; else as
    /// [`Engine::list`].
    pub async fn get(
        &self,
        tx: &mut OrgTx,
        path: &str,
        id: Uuid,
        request: &ListRequest,
    ) -> Result<Value, Problem> {
        parse(&self.item(tx, path, id, request).await?.text)
    }

    pub(crate) async fn item(
        &self,
        tx: &mut OrgTx,
        path: &str,
        id: Uuid,
        request: &ListRequest,
    ) -> Result<Item, Problem> {
        let resource = self.known(path)?;
        resource.spec.require_read(tx.scope())?;
        let plan = plan::point(resource, id, request, tx.scope())?;
        let rows = sql::rows(tx.conn(), sql::list(resource, &plan))
            .await
            .map_err(|error| failed(resource, error))?;
        let row = rows.first().ok_or_else(|| Problem::not_found(resource.spec.singular))?;
        let read = || -> Result<Item, sqlx::Error> {
            let version = if resource.versioned() { row.keys()?.pop().flatten() } else { None };
            Ok(Item { text: row.item()?.to_owned(), version })
        };
        read().map_err(|error| failed(resource, error))
    }

    pub(crate) fn list_plan(
        &self,
        tx: &OrgTx,
        resource: &Resource,
        request: &ListRequest,
        rows: (u32, u32),
    ) -> Result<Plan, Problem> {
        resource.spec.require_read(tx.scope())?;
        plan::plan(resource, request, tx.scope(), self.cursors(), rows)
    }

    pub(crate) async fn fetch(
        &self,
        tx: &mut OrgTx,
        resource: &Resource,
        plan: &Plan,
    ) -> Result<Listed, Problem> {
        let narrowed = narrowed(tx, resource, plan).await?;
        let plan = narrowed.as_ref().unwrap_or(plan);
        let read = async {
            let statement = self.list_statement(resource, plan);
            let (rows, more) =
                sql::page(tx.conn(), statement, plan.limit as usize, PAGE_BYTES).await?;
            let mut listed = listed(rows, more)?;
            if plan.count {
                let all_is_here = plan.after.is_none() && listed.next.is_none();
                listed.count = Some(if all_is_here {
                    listed.rows.len() as i64
                } else {
                    self.count(tx, resource, plan).await?
                });
            }
            Ok(listed)
        };
        read.await.map_err(|error| failed(resource, error))
    }

    fn list_statement(&self, resource: &Resource, plan: &Plan) -> Statement {
        match plan.tenancy {
            Tenancy::One(organization) if self.large().knows(resource.spec.path, organization) => {
                sql::list_of_large(resource, plan)
            }
            _ => sql::list(resource, plan),
        }
    }

    async fn count(
        &self,
        tx: &mut OrgTx,
        resource: &Resource,
        plan: &Plan,
    ) -> Result<i64, sqlx::Error> {
        let count = sql::number(tx.conn(), sql::count(resource, plan), self.sizes()).await?;
        if let Tenancy::One(organization) = plan.tenancy {
            let in_part =
                plan.owner.is_some() || plan.search.is_some() || !plan.conditions.is_empty();
            self.large().learn(resource.spec.path, organization, count, in_part);
        }
        Ok(count)
    }

    pub(crate) fn seal(&self, resource: &Resource, plan: &Plan, keys: &Keys) -> String {
        let order = order_text(&plan.order);
        let binding = Binding {
            resource: resource.spec.path,
            order: &order,
            organizations: plan.tenancy.organizations(),
        };
        self.cursors().seal(binding, keys)
    }
}

/// The plan with the ids of the rows that may hold the searched words, when an index of words knows
/// them and they are few. Under row-level security the search itself reads every row.
async fn narrowed(
    tx: &mut OrgTx,
    resource: &Resource,
    plan: &Plan,
) -> Result<Option<Plan>, Problem> {
    // Who looks in from outside reads as a holding does, to whom the index of words is closed.
    let indexed = resource.spec.words_index && !tx.scope().only_reads();
    let (Some(query), Tenancy::One(_), true) = (&plan.search, &plan.tenancy, indexed) else {
        return Ok(None);
    };
    let ids: Option<Vec<Uuid>> = sqlx::query_scalar("select search.ids($1, $2, $3)")
        .bind(resource.table.qualified())
        .bind(query)
        .bind(MAX_FOUND)
        .fetch_one(tx.conn())
        .await
        .map_err(|error| failed(resource, error))?;
    Ok(ids.map(|ids| plan.clone().among(&ids)))
}

/// A page that ends with its last row; there is a next one if there are `more` behind it.
fn listed(rows: Vec<RowText>, more: bool) -> Result<Listed, sqlx::Error> {
    let next = match rows.last() {
        Some(row) if more => Some(row.keys()?),
        _ => None,
    };
    Ok(Listed { rows, next, count: None })
}

pub(super) fn failed(resource: &Resource, error: sqlx::Error) -> Problem {
    refusal::problem(resource, Doing::Reading, error, "")
}

pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, "PostgreSQL wrote JSON that does not read back");
        Problem::internal()
    })
}
