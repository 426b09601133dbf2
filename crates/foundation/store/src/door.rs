//! What may be asked before there is a scope.

use sqlx::{PgConnection, Postgres, pool::PoolConnection};

/// A connection that belongs to no organization: row-level security shows it nothing. All it can do
/// is call the functions of schema `door`, which are audited; each call is a transaction of its own.
pub struct Door(PoolConnection<Postgres>);

impl Door {
    pub(crate) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(connection)
    }

    /// The connection, to call `door`'s functions on.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
