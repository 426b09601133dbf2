//! One at a time in the whole installation.

use sqlx::PgConnection;

use crate::{Store, StoreError};

/// Held for as long as it is there, also if its process is killed.
#[derive(Debug)]
pub struct Exclusive {
    #[allow(dead_code, reason = "the lock goes with the connection")]
    connection: PgConnection,
}

/// Takes the lock for `what`; `None` while another process has it.
pub async fn exclusive(store: &Store, what: &str) -> Result<Option<Exclusive>, StoreError> {
    let mut connection = store.system_pool().acquire().await?.detach();
    let mine = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('ephor ' || $1::text, 0)) as "mine!""#,
        what,
    )
    .fetch_one(&mut connection)
    .await?;
    Ok(mine.then_some(Exclusive { connection }))
}
