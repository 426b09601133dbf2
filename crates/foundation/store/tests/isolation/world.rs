//! Five organizations, each with a row in every table.

use sqlx::{AssertSqlSafe, Connection, Executor, PgPool};
use uuid::Uuid;

use super::{
    catalog::{Table, tenant_tables},
    sample,
};

pub struct World {
    pub tables: Vec<Table>,
    pub holding: Uuid,
    pub subsidiary: Uuid,
    pub sibling: Uuid,
    pub other: Uuid,
    /// The person whose rows they are.
    pub actor: Uuid,
}

impl World {
    /// Makes the rows, as a superuser and with triggers and foreign keys off: what is tested is what
    /// row-level security lets through, not how the rows came to be.
    pub async fn make(admin: &PgPool) -> Self {
        let [holding, subsidiary, sibling, other, actor] = std::array::from_fn(|_| Uuid::now_v7());
        let tables = tenant_tables(admin).await;
        let mut connection = admin.acquire().await.unwrap();
        let mut tx = connection.begin().await.unwrap();
        tx.execute("set local session_replication_role = replica").await.unwrap();
        let mut faults = Vec::new();
        for table in &tables {
            for organization in [holding, subsidiary, sibling, other] {
                let statement = insert(table, organization, Uuid::now_v7(), Some(actor));
                let mut savepoint = tx.begin().await.unwrap();
                match savepoint.execute(AssertSqlSafe(statement.as_str())).await {
                    Ok(_) => savepoint.commit().await.unwrap(),
                    Err(error) => {
                        savepoint.rollback().await.unwrap();
                        faults.push(format!("{}: {error}\n    {statement}", table.name));
                        break;
                    }
                }
            }
        }
        assert!(
            faults.is_empty(),
            "rows could not be made up; say in tests/isolation/sample.rs which values these tables need:\n  {}",
            faults.join("\n  ")
        );
        tx.commit().await.unwrap();
        Self { tables, holding, subsidiary, sibling, other, actor }
    }
}

/// An insert of a made-up row. What is shown to a person alone is the actor's, by whichever
/// of these columns.
pub fn insert(table: &Table, organization: Uuid, id: Uuid, actor: Option<Uuid>) -> String {
    let mut row = sample::row(table, organization, id);
    if let Some(actor) = actor {
        for (column, value) in &mut row {
            if column == "user_id" || column == "created_by" {
                *value = format!("'{actor}'");
            }
        }
    }
    let (columns, values): (Vec<String>, Vec<String>) = row
        .into_iter()
        .filter(|(column, _)| table.columns.iter().any(|it| it.name == *column && !it.generated))
        .unzip();
    format!("insert into {} ({}) values ({})", table.name, columns.join(", "), values.join(", "))
}
