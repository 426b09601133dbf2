//! Creates, updates and deletes.

use ephor_kernel::{Code, Fault, Problem};
use ephor_store::OrgTx;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Engine,
    people::{self, Sent},
    read::parse,
};
use crate::{
    Change, Resource,
    body::{self, Write},
    plan,
    refusal::{self, Doing},
    sql::{self, Row},
};

/// Rows of one bulk create, at most.
pub const MAX_BULK_ROWS: usize = 1000;
/// Rows of a refused bulk whose faults are looked for one by one, at most.
const MAX_BULK_FAULTS: usize = 20;

/// A row that was written: as PostgreSQL wrote it, every digit in place, and parsed.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) row: Value,
}

impl Written {
    pub(super) fn of(text: String) -> Result<Self, Problem> {
        Ok(Self { row: parse(&text)?, text })
    }
}

impl Engine {
    /// Makes a row and gives it back. The transaction is the caller's to commit; after an error
    /// it can only be rolled back.
    ///
    /// # Errors
    /// `forbidden` without the permission; `invalid` with every fault of the body; `conflict`
    /// when there is one like it.
    pub async fn create(&self, tx: &mut OrgTx, path: &str, body: &Value) -> Result<Value, Problem> {
        Ok(self.write_new(tx, path, body).await?.row)
    }

    pub(crate) async fn write_new(
        &self,
        tx: &mut OrgTx,
        path: &str,
        body: &Value,
    ) -> Result<Written, Problem> {
        let resource = self.known(path)?;
        tx.scope().require(resource.spec.permission, "create")?;
        let mut faults = row_faults(resource, body, "");
        let sent = Sent { at: "", row: body, old: None };
        faults.extend(people::faults(tx, resource, &[sent]).await?);
        Problem::unless_empty(faults)?;
        let made = insert(tx, resource, std::slice::from_ref(body))
            .await
            .map_err(|error| refusal::problem(resource, Doing::Writing, error, ""))?;
        let made = Written::of(made.into_iter().next().ok_or_else(Problem::internal)?)?;
        emit(tx, resource, Change::Created, &made.row).await?;
        Ok(made)
    }

    /// Makes all rows or none, in one statement, and gives them back in their order.
    ///
    /// # Errors
    /// As [`Engine::create`]; the pointer of each fault begins with the row's place.
    pub async fn create_all(
        &self,
        tx: &mut OrgTx,
        path: &str,
        rows: &[Value],
    ) -> Result<Vec<Value>, Problem> {
        let made = self.write_all(tx, path, rows).await?;
        Ok(made.into_iter().map(|written| written.row).collect())
    }

    pub(crate) async fn write_all(
        &self,
        tx: &mut OrgTx,
        path: &str,
        rows: &[Value],
    ) -> Result<Vec<Written>, Problem> {
        let resource = self.known(path)?;
        tx.scope().require(resource.spec.permission, "create")?;
        if rows.len() > MAX_BULK_ROWS {
            let detail =
                format!("There are {} rows; {MAX_BULK_ROWS} are the most at once", rows.len());
            return Err(Problem::new(Code::TooLarge, detail));
        }
        let places: Vec<_> = (0..rows.len()).map(|place| format!("/{place}")).collect();
        let placed = || places.iter().zip(rows);
        let mut faults: Vec<_> =
            placed().flat_map(|(at, row)| row_faults(resource, row, at)).collect();
        let sent: Vec<_> = placed().map(|(at, row)| Sent { at, row, old: None }).collect();
        faults.extend(people::faults(tx, resource, &sent).await?);
        Problem::unless_empty(faults)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let texts = bulk(tx, resource, rows).await?;
        let made: Vec<_> = texts.into_iter().map(Written::of).collect::<Result<_, _>>()?;
        for written in &made {
            emit(tx, resource, Change::Created, &written.row).await?;
        }
        Ok(made)
    }

    /// Changes a row by a JSON merge patch (RFC 7396) and gives it back. `version` is the one
    /// that the caller saw; `None` overwrites whatever is there.
    ///
    /// # Errors
    /// `not_found`; `stale` when the version is another by now; else as [`Engine::create`].
    pub async fn update(
        &self,
        tx: &mut OrgTx,
        path: &str,
        id: Uuid,
        patch: &Value,
        version: Option<i64>,
    ) -> Result<Value, Problem> {
        Ok(self.write_change(tx, path, id, patch, version).await?.row)
    }

    pub(crate) async fn write_change(
        &self,
        tx: &mut OrgTx,
        path: &str,
        id: Uuid,
        patch: &Value,
        version: Option<i64>,
    ) -> Result<Written, Problem> {
        let resource = self.known(path)?;
        tx.scope().require(resource.spec.permission, "update")?;
        Problem::unless_empty(body::check(resource, Write::Update, patch, ""))?;
        let row = row_of(tx, resource, id);
        let failed = |error| refusal::problem(resource, Doing::Writing, error, "");
        let old = sql::text(tx.conn(), sql::lock(resource, row)).await.map_err(failed)?;
        let old = Written::of(old.ok_or_else(|| Problem::not_found(resource.spec.singular))?)?;
        fresh(&old.row, version)?;
        let Value::Object(patch) = patch else { return Ok(old) };
        let changed = body::changes(resource, &old.row, patch);
        if changed.is_empty() {
            return Ok(old);
        }
        let mut new = old.row.clone();
        if let Value::Object(fields) = &mut new {
            fields.extend(changed.clone());
        }
        let mut faults = body::within(resource, &changed);
        // The check may rely on the types, so it is asked only when those are right.
        if let Some(check) = resource.spec.check.filter(|_| faults.is_empty()) {
            faults = check(&new, Some(&old.row));
        }
        let sent = Sent { at: "", row: &Value::Object(changed.clone()), old: Some(&old.row) };
        faults.extend(people::faults(tx, resource, &[sent]).await?);
        Problem::unless_empty(faults)?;
        let actor = tx.scope().principal().uuid();
        let stamped = resource.table.column("updated_by").map(|_| ("updated_by", actor));
        let stamps: Vec<_> = stamped.into_iter().collect();
        let changed = body::readable(resource, Value::Object(changed));
        let statement = sql::update(resource, row, &stamps, &changed);
        let new = sql::text(tx.conn(), statement).await.map_err(failed)?;
        // A policy may let one see a row, but not change it.
        let new = Written::of(new.ok_or_else(|| Problem::not_found(resource.spec.singular))?)?;
        emit(tx, resource, Change::Updated, &new.row).await?;
        Ok(new)
    }

    /// Deletes a row and gives it back as it was.
    ///
    /// # Errors
    /// `not_found`; `conflict` while others refer to it; `stale` when a version was given and is
    /// another by now.
    pub async fn delete(
        &self,
        tx: &mut OrgTx,
        path: &str,
        id: Uuid,
        version: Option<i64>,
    ) -> Result<Value, Problem> {
        let resource = self.known(path)?;
        tx.scope().require(resource.spec.permission, "delete")?;
        let row = row_of(tx, resource, id);
        let failed = |error| refusal::problem(resource, Doing::Deleting, error, "");
        let version = version.filter(|_| resource.versioned());
        let gone =
            sql::text(tx.conn(), sql::delete(resource, row, version)).await.map_err(failed)?;
        let Some(gone) = gone else {
            let there = sql::text(tx.conn(), sql::look(resource, row)).await.map_err(failed)?;
            return Err(match there {
                Some(there) if version.is_some() => stale(&parse(&there)?),
                _ => Problem::not_found(resource.spec.singular),
            });
        };
        let gone = parse(&gone)?;
        emit(tx, resource, Change::Deleted, &gone).await?;
        Ok(gone)
    }
}

fn row_faults(resource: &Resource, row: &Value, at: &str) -> Vec<Fault> {
    let faults = body::check(resource, Write::Create, row, at);
    match resource.spec.check {
        // The check may rely on the types, so it is asked only when those are right.
        Some(check) if faults.is_empty() => check(row, None)
            .into_iter()
            .map(|fault| Fault { pointer: format!("{at}{}", fault.pointer).into(), ..fault })
            .collect(),
        _ => faults,
    }
}

pub(super) fn row_of(tx: &OrgTx, resource: &Resource, id: Uuid) -> Row {
    let owner = plan::owner(resource.spec.personal, resource.spec.permission, tx.scope());
    Row { organization: tx.organization().uuid(), id, owner }
}

async fn insert(
    tx: &mut OrgTx,
    resource: &Resource,
    rows: &[Value],
) -> Result<Vec<String>, sqlx::Error> {
    let organization = tx.organization().uuid();
    let actor = tx.scope().principal().uuid();
    let stamps: Vec<_> = resource
        .table
        .columns
        .iter()
        .filter(|column| column.name != "organization_id" && resource.stamped(&column.name))
        .map(|column| (column.name.as_str(), actor))
        .collect();
    let rows: Vec<_> = rows.iter().map(|row| body::readable(resource, row.clone())).collect();
    let statement = sql::insert(resource, organization, &stamps, &rows);
    sql::texts(tx.conn(), statement).await
}

/// One statement. When PostgreSQL refuses it, the rows are tried one by one in order to say which
/// of them it is, and all is undone.
async fn bulk(tx: &mut OrgTx, resource: &Resource, rows: &[Value]) -> Result<Vec<String>, Problem> {
    let failed = |error| refusal::problem(resource, Doing::Writing, error, "");
    sqlx::raw_sql("savepoint bulk").execute(tx.conn()).await.map_err(failed)?;
    let refused = match insert(tx, resource, rows).await {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    let whole = failed(refused);
    if !matches!(whole.code, Code::Invalid | Code::Conflict) {
        return Err(whole);
    }
    sqlx::raw_sql("rollback to savepoint bulk").execute(tx.conn()).await.map_err(failed)?;
    let mut faults = Vec::new();
    let mut code = Code::Conflict;
    for (place, row) in rows.iter().enumerate() {
        sqlx::raw_sql("savepoint bulk_row").execute(tx.conn()).await.map_err(failed)?;
        let Err(error) = insert(tx, resource, std::slice::from_ref(row)).await else { continue };
        sqlx::raw_sql("rollback to savepoint bulk_row").execute(tx.conn()).await.map_err(failed)?;
        let at = format!("/{place}");
        let problem = refusal::problem(resource, Doing::Writing, error, &at);
        if problem.code != Code::Conflict {
            code = Code::Invalid;
        }
        if problem.faults.is_empty() {
            faults.push(Fault::new(at, problem.code.as_str(), problem.detail));
        } else {
            faults.extend(problem.faults);
        }
        if faults.len() >= MAX_BULK_FAULTS {
            break;
        }
    }
    sqlx::raw_sql("rollback to savepoint bulk").execute(tx.conn()).await.map_err(failed)?;
    if faults.is_empty() {
        return Err(whole);
    }
    Err(Problem { code, ..Problem::invalid(faults) })
}

pub(super) fn fresh(old: &Value, version: Option<i64>) -> Result<(), Problem> {
    match version {
        Some(version) if old.get("version").and_then(Value::as_i64) != Some(version) => {
            Err(stale(old))
        }
        _ => Ok(()),
    }
}

fn stale(row: &Value) -> Problem {
    let now = row.get("version").and_then(Value::as_i64).unwrap_or_default();
    Problem::new(
        Code::Stale,
        format!(
            "Somebody changed it in the meantime: it is at version {now} now. Read it again, and send your change with that version"
        ),
    )
}

pub(super) async fn emit(
    tx: &mut OrgTx,
    resource: &Resource,
    change: Change,
    row: &Value,
) -> Result<(), Problem> {
    match resource.spec.event.and_then(|event| event(change, row)) {
        Some(event) => tx.emit(&event).await.map_err(Problem::from),
        None => Ok(()),
    }
}
