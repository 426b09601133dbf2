//! The export of what is held on a person has a row of every table that can name one.

use ephor_kernel::{PermissionSet, Principal, RequestContext, Scope};
use ephor_store::testing;
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use super::{catalog::tenant_tables, sample};

#[tokio::test]
async fn each_column_that_can_name_a_person_is_found() {
    let db = testing::database().await;
    let home = db.organization("Home").await;
    let elsewhere = db.organization("Elsewhere").await;
    let person = home.principal().uuid();
    let tables = tenant_tables(&db.admin()).await;
    let asked: Vec<(String, Vec<String>, Vec<String>)> =
        sqlx::query_as("select name, columns, arrays from identity.user_columns()")
            .fetch_all(&db.admin())
            .await
            .unwrap();
    let mut expected = Vec::new();
    let mut connection = db.admin().acquire().await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    tx.execute("set local session_replication_role = replica").await.unwrap();
    for (name, columns, arrays) in &asked {
        let Some(table) = tables.iter().find(|table| table.name == *name) else { continue };
        if table.name == "identity.organizations" || table.name == "identity.organization_members" {
            continue;
        }
        for scope in [&home, &elsewhere] {
            for column in columns.iter().chain(arrays) {
                let id = Uuid::now_v7();
                let mut row = sample::row(table, scope.organization().uuid(), id);
                row.retain(|(name, _)| name != column);
                let value = if arrays.contains(column) {
                    format!("array['{person}']::uuid[]")
                } else {
                    format!("'{person}'")
                };
                row.push((column.clone(), value));
                let (names, values): (Vec<String>, Vec<String>) = row.into_iter().unzip();
                let sql = format!(
                    "insert into {name} ({}) values ({})",
                    names.join(", "),
                    values.join(", ")
                );
                let mut savepoint = tx.begin().await.unwrap();
                // A check may want other columns beside this one: then the sample alone won't do.
                if savepoint.execute(AssertSqlSafe(sql)).await.is_ok() {
                    savepoint.commit().await.unwrap();
                    expected.push((name.clone(), scope.organization().uuid(), column.clone(), id));
                } else {
                    savepoint.rollback().await.unwrap();
                }
            }
        }
    }
    tx.commit().await.unwrap();
    let covered = |name: &String| expected.iter().any(|(table, ..)| table == name);
    let bare: Vec<_> = asked
        .iter()
        .map(|(name, ..)| name)
        .filter(|name| tables.iter().any(|table| table.name == **name) && !covered(name))
        .filter(|name| {
            !["identity.organizations", "identity.organization_members"].contains(&name.as_str())
        })
        .collect();
    assert!(bare.is_empty(), "no row could be made up for {bare:?}; see tests/isolation/sample.rs");

    let scope = Scope::new(
        Principal::User(person.into()),
        home.organization(),
        PermissionSet::default(),
        RequestContext::default(),
    );
    let mut tx = db.store().begin_system(&scope).await.unwrap();
    let held: Vec<(String, Option<Uuid>, serde_json::Value)> =
        sqlx::query_as("select place, organization_id, data from identity.held()")
            .fetch_all(tx.conn())
            .await
            .unwrap();
    for (table, organization, column, id) in &expected {
        let found = held.iter().find(|(place, of, data)| {
            place == table && *of == Some(*organization) && data["id"] == id.to_string()
        });
        let (.., data) = found.unwrap_or_else(|| panic!("{table}.{column} is not in the export"));
        assert!(data[column].to_string().contains(&person.to_string()), "{table}.{column}: {data}");
        if *organization == elsewhere.organization().uuid() {
            // There the person is no member: that they are named is theirs, what else the row says is not.
            let (_, columns, arrays) = asked.iter().find(|(name, ..)| name == table).unwrap();
            let told = data.as_object().unwrap().keys().all(|key| {
                ["organization_id", "id", "created_at"].contains(&key.as_str())
                    || columns.contains(key)
                    || arrays.contains(key)
            });
            assert!(told, "{table} tells of another organization: {data}");
        }
    }
    // Nobody is told of somebody else.
    let stranger = elsewhere.principal().uuid();
    assert!(!held.iter().any(|(_, _, data)| data["id"] == stranger.to_string()));
    assert!(held.iter().any(|(place, ..)| place == "identity.users"));
    assert!(held.iter().any(|(place, ..)| place == "audit.audit_logs"));
}
