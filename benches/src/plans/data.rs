//! Models of many organizations of skewed size, with what the statements beside lists read.

use anyhow::{Result, ensure};
use sqlx::PgConnection;
use uuid::Uuid;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Organizations.
    pub organizations: i32,
    /// Models in all.
    pub rows: i32,
    /// Models of the largest organization; the others share the rest, ever smaller.
    pub largest: i32,
}

/// The organizations from the largest to the smallest.
pub async fn fill(connection: &mut PgConnection, size: Size) -> Result<Vec<Uuid>> {
    // Straight into the tables: neither trail nor versions are what is measured.
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut *connection).await?;
    sqlx::query(
        "create temporary table sizes (id uuid default kernel.uuidv7(), n integer, size integer)",
    )
    .execute(&mut *connection)
    .await?;
    // The others share the rest as 1 : 1/2 : 1/3 … do.
    sqlx::query(
        "insert into sizes (n, size)
         select n, case n when 1 then $2
             else ceil(($3 - $2) / (n + 10.0) / sum(1 / (n + 10.0)) filter (where n > 1) over ()) end
         from generate_series(1, $1) as n",
    )
    .bind(size.organizations)
    .bind(size.largest)
    .bind(size.rows)
    .execute(&mut *connection)
    .await?;
    // Shuffled, as rows come in over the years. One in a thousand is of the same batch.
    sqlx::query(
        "insert into registry.models (organization_id, name, description, model_type, status, created_by, created_at)
         select sizes.id, 'model ' || number,
                repeat('a credit model of the second generation ', 3) || 'batch' || number % 1000, 'classification',
                case when random() < 0.3 then 'active' else 'draft' end, sizes.id, now() - random() * interval '3 years'
         from sizes, generate_series(1, sizes.size) as number order by random()",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into registry.model_versions (organization_id, model_id, semantic_version, created_by, created_at)
         select m.organization_id, m.id, '1.' || n || '.0', m.created_by, m.created_at + n * interval '1 day'
         from (select * from registry.models limit 20000) m, generate_series(0, 2) as n",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into audit.audit_logs (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
         select m.organization_id, kernel.uuidv7(), now() - n * interval '1 minute', 'user', m.created_by, 'update', 'registry.models', m.id, '{}',
                sha256('salt'), sha256(m.id::text::bytea)
         from (select * from registry.models limit 20000) m, generate_series(0, 4) as n",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "with made as (
             insert into identity.sessions (user_id, current_organization_id, token_hash, expires_at)
             select kernel.uuidv7(), sizes.id, sha256((sizes.n || ' ' || number)::bytea), now() + interval '1 day'
             from sizes, generate_series(1, 20) as number returning id, user_id)
         insert into identity.session_activity (id, user_id, idle_expires_at) select id, user_id, now() + interval '1 day' from made",
    )
    .execute(&mut *connection)
    .await?;
    // One by one: VACUUM takes no transaction, and statements sent together are one.
    for statement in [
        "set session_replication_role = origin",
        "vacuum analyze registry.models",
        "vacuum analyze registry.model_versions",
        "vacuum analyze audit.audit_logs",
        "vacuum analyze identity.sessions",
        "vacuum analyze identity.session_activity",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from sizes order by n").fetch_all(&mut *connection).await?;
    ensure!(ids.len() > 500 || size.organizations < 500, "{} organizations", ids.len());
    Ok(ids)
}
