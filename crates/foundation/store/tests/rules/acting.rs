//! People with roles, and what they do as the application does it: by its own role, in their scope.

use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, UserId};
use ephor_store::{OrgTx, testing::TestDatabase};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// A person's scope in an organization. What they may do there, the rules of the database find out
/// for themselves.
pub fn scope_of(user: Uuid, organization: OrganizationId) -> Scope {
    Scope::new(
        Principal::User(UserId::from(user)),
        organization,
        PermissionSet::all(),
        RequestContext::default(),
    )
}

/// Somebody new.
pub async fn person(db: &TestDatabase) -> Uuid {
    let user = Uuid::now_v7();
    sqlx::query("insert into identity.users (id, email, full_name) values ($1, $2, 'Somebody')")
        .bind(user)
        .bind(format!("{}@example.org", user.simple()))
        .execute(&db.admin())
        .await
        .unwrap();
    user
}

/// Makes somebody an active member, with a role of their own that may do this.
pub async fn join(db: &TestDatabase, organization: OrganizationId, user: Uuid, may: &[&str]) {
    let may: Vec<String> = may.iter().map(|word| (*word).to_owned()).collect();
    sqlx::query(
        "with role as (
             insert into identity.roles (organization_id, name, permissions) values ($1, $3, $4) returning id)
         insert into identity.organization_members
             (organization_id, user_id, role_id, email, full_name, is_active, joined_at, created_by)
         select $1, $2, role.id, $3 || '@example.org', 'Somebody', true, now(), $2 from role",
    )
    .bind(organization.uuid())
    .bind(user)
    .bind(format!("r{}", Uuid::now_v7().simple()))
    .bind(may)
    .execute(&db.admin())
    .await
    .unwrap();
}

/// Somebody new who is an active member and may do this; theirs is the scope.
pub async fn member(db: &TestDatabase, organization: OrganizationId, may: &[&str]) -> Scope {
    let user = person(db).await;
    join(db, organization, user, may).await;
    scope_of(user, organization)
}

/// Who acts in a scope.
pub fn actor(scope: &Scope) -> Uuid {
    scope.principal().uuid()
}

/// A row's id.
pub fn id(row: &Value) -> Uuid {
    row["id"].as_str().unwrap().parse().unwrap()
}

/// Runs one writing statement whose `$1` is the organization, in somebody's scope, and answers the one
/// row that it wrote. When the database refuses: by which constraint, else with which code.
pub async fn act(db: &TestDatabase, scope: &Scope, sql: &str) -> Result<Value, String> {
    let mut tx = db.store().begin(scope).await.unwrap();
    let row = write(&mut tx, sql).await?;
    tx.commit().await.unwrap();
    Ok(row)
}

/// The same, as the background does it.
pub async fn act_system(db: &TestDatabase, scope: &Scope, sql: &str) -> Result<Value, String> {
    let mut tx = db.store().begin_system(scope).await.unwrap();
    let row = write(&mut tx, sql).await?;
    tx.commit().await.unwrap();
    Ok(row)
}

async fn write(tx: &mut OrgTx, sql: &str) -> Result<Value, String> {
    let organization = tx.organization().uuid();
    let sql =
        format!("with done as ({sql} returning *) select to_jsonb(done)::text as row from done");
    let done: Result<Vec<String>, sqlx::Error> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(organization).fetch_all(tx.conn()).await;
    match done {
        Ok(rows) => {
            assert_eq!(rows.len(), 1, "one row was to be written");
            Ok(serde_json::from_str(&rows[0]).unwrap())
        }
        Err(sqlx::Error::Database(error)) => {
            let code = error.code().map(|code| code.to_string());
            Err(error.constraint().map(str::to_owned).or(code).unwrap())
        }
        Err(error) => panic!("{error}"),
    }
}

/// Behind the rules: what the operator's superuser does.
pub async fn behind(db: &TestDatabase, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&db.admin()).await.unwrap();
}

/// One value that a row has now, as text; nothing for null.
pub async fn now(db: &TestDatabase, table: &str, id: Uuid, column: &str) -> Option<String> {
    let sql = format!("select {column}::text from {table} where id = $1");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_one(&db.admin()).await.unwrap()
}
