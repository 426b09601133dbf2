//! The library's job queue: its schema, and who may use it.

use sqlx::{Executor, PgPool};

use crate::migrate::MigrateError;

/// The library's schema. Nothing of it is granted to ephor_app or ephor_reach.
pub(crate) const SCHEMA: &str = "graphile_worker";

/// The library puts row-level security on its tables and owns no role: so ephor_system, which runs the
/// queue, is let through here. The queue holds ids alone.
pub(crate) const GRANTS: &str = r"
do $$
declare
    queue_table regclass;
begin
    execute 'grant usage on schema graphile_worker to ephor_system, ephor_backup';
    for queue_table in
        select c.oid::regclass from pg_catalog.pg_class as c
        where c.relnamespace = 'graphile_worker'::regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('alter table %s enable row level security', queue_table);
        execute format('drop policy if exists queue_system on %s', queue_table);
        execute format('drop policy if exists queue_backup on %s', queue_table);
        execute format('create policy queue_system on %s to ephor_system using (true) with check (true)', queue_table);
        execute format('create policy queue_backup on %s for select to ephor_backup using (true)', queue_table);
        execute format('grant select, insert, update, delete on %s to ephor_system', queue_table);
        execute format('grant select on %s to ephor_backup', queue_table);
    end loop;
    execute 'grant usage, select on all sequences in schema graphile_worker to ephor_system';
    execute 'grant select on all sequences in schema graphile_worker to ephor_backup';
    execute 'revoke all on all functions in schema graphile_worker from public';
    execute 'grant execute on all functions in schema graphile_worker to ephor_system';
end $$;
";

/// Brings the library's schema up to date, as ephor_owner.
pub(crate) async fn install(owner: &PgPool) -> Result<(), MigrateError> {
    // The library migrates as it is initialised.
    graphile_worker::WorkerOptions::default()
        .pg_pool(owner.clone())
        .schema(SCHEMA)
        .init()
        .await
        .map_err(|error| MigrateError::Queue(error.to_string()))?;
    owner.execute(sqlx::raw_sql(GRANTS)).await?;
    Ok(())
}
