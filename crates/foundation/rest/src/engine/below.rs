//! What a holding decides: rows that its members make in a subsidiary.

use ephor_kernel::{Code, OrganizationId, Permission, PermissionSet, Problem, Scope};
use ephor_store::{OrgTx, Store};
use serde_json::Value;
use uuid::Uuid;

use super::{Engine, read::failed};
use crate::{ListRequest, Resource, spec::Below};

impl Engine {
    /// Opens the transaction in which a new row of `body` is made: in the scope's own organization or,
    /// of what a holding decides, in the subsidiary where the row lies that it is about.
    ///
    /// # Errors
    /// `forbidden` without the permission to make one, or without the second factor that the subsidiary
    /// requires; when no connection is to be had.
    pub async fn begin_create(
        &self,
        store: &Store,
        scope: &Scope,
        path: &str,
        body: &Value,
    ) -> Result<OrgTx, Problem> {
        let resource = self.known(path)?;
        if let Some(below) = resource.spec.below
            && let Some(id) = named(body, below.column)
        {
            scope.require(resource.spec.permission, "create")?;
            let place = self.place_below(store, scope, below, id).await?;
            let there = place.and_then(|place| scope.below(place, only_create(resource)));
            if let Some(there) = there {
                let mut tx = store.begin(&there).await?;
                require_second_factor(&mut tx, resource).await?;
                return Ok(tx);
            }
        }
        self.begin_write(store, scope, path).await
    }

    /// The subsidiary where the row of this id lies, if it is one that the holding decides on, and the
    /// caller may know of it.
    pub(crate) async fn place_below(
        &self,
        store: &Store,
        scope: &Scope,
        below: Below,
        id: Uuid,
    ) -> Result<Option<OrganizationId>, Problem> {
        let about = self.known(below.resource)?;
        if scope.readable().len() < 2 || !about.spec.readable_with(scope.permissions()) {
            return Ok(None);
        }
        let mut tx = store.begin_reach(scope).await?;
        let everywhere = ListRequest::new().everywhere();
        let row = match self.get(&mut tx, below.resource, id, &everywhere).await {
            Ok(row) => row,
            Err(problem) if problem.code == Code::NotFound => return Ok(None),
            Err(problem) => return Err(problem),
        };
        let (column, number) = below.condition;
        if row.get(column).and_then(Value::as_i64) != Some(number) {
            return Ok(None);
        }
        let place = row.get("organization_id").and_then(Value::as_str);
        let place = place.and_then(|place| place.parse::<OrganizationId>().ok());
        Ok(place.filter(|place| *place != scope.organization()))
    }
}

/// What a subsidiary requires of its members it requires of who decides there from the holding, whose
/// permissions come from the holding and do not tell.
async fn require_second_factor(tx: &mut OrgTx, resource: &Resource) -> Result<(), Problem> {
    let missing: bool = sqlx::query_scalar("select door.second_factor_missing()")
        .fetch_one(tx.conn())
        .await
        .map_err(|error| failed(resource, error))?;
    if missing {
        let message = "The subsidiary requires a second factor of whoever decides there: set one up for your account, and try again";
        return Err(Problem::new(Code::Forbidden, message));
    }
    Ok(())
}

/// The id in a field of a body.
fn named(body: &Value, column: &str) -> Option<Uuid> {
    body.get(column).and_then(Value::as_str).and_then(|text| Uuid::try_parse(text).ok())
}

/// All that may be done below.
fn only_create(resource: &Resource) -> PermissionSet {
    let permission = format!("{}:create", resource.spec.permission).parse::<Permission>();
    permission.into_iter().collect()
}
