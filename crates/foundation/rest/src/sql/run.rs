//! Statements sent to PostgreSQL.

use futures::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use super::{Bound, Statement, sizes::Sizes};
use crate::cursor::Keys;

/// A row of a page.
#[derive(Debug)]
pub(crate) struct RowText(PgRow);

impl RowText {
    /// The row as JSON text.
    pub(crate) fn item(&self) -> Result<&str, sqlx::Error> {
        self.0.try_get("item")
    }

    /// The keys of the order.
    pub(crate) fn keys(&self) -> Result<Keys, sqlx::Error> {
        self.0.try_get("keys")
    }
}

/// The text was made by this module's neighbours, from the catalog's names.
fn query(statement: Statement) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(statement.sql));
    for value in statement.values {
        query = match value {
            Bound::Uuid(id) => query.bind(id),
            Bound::Uuids(ids) => query.bind(ids),
            Bound::Text(text) => query.bind(text),
            Bound::Texts(texts) => query.bind(texts),
            Bound::Number(number) => query.bind(number),
        };
    }
    query
}

pub(crate) async fn rows(
    conn: &mut PgConnection,
    statement: Statement,
) -> Result<Vec<RowText>, sqlx::Error> {
    let rows = query(statement).fetch_all(conn).await?;
    Ok(rows.into_iter().map(RowText).collect())
}

/// The rows of a page, and whether there are more behind them: at most `limit` of them, and no more
/// than `bytes` of JSON, but for the first, which is given whatever its size. The row that would be
/// too many is the last that is read: what PostgreSQL still sends is let go, row by row.
pub(crate) async fn page(
    conn: &mut PgConnection,
    statement: Statement,
    limit: usize,
    bytes: usize,
) -> Result<(Vec<RowText>, bool), sqlx::Error> {
    let mut found = query(statement).fetch(conn);
    let mut rows = Vec::new();
    let mut left = bytes;
    while let Some(row) = found.try_next().await? {
        let row = RowText(row);
        let size = row.item()?.len();
        if rows.len() >= limit || (size > left && !rows.is_empty()) {
            return Ok((rows, true));
        }
        left = left.saturating_sub(size);
        rows.push(row);
    }
    Ok((rows, false))
}

/// The `item` of every row.
pub(crate) async fn texts(
    conn: &mut PgConnection,
    statement: Statement,
) -> Result<Vec<String>, sqlx::Error> {
    query(statement).fetch_all(conn).await?.iter().map(|row| row.try_get("item")).collect()
}

/// The `item` of the one row, if there is one.
pub(crate) async fn text(
    conn: &mut PgConnection,
    statement: Statement,
) -> Result<Option<String>, sqlx::Error> {
    query(statement).fetch_optional(conn).await?.map(|row| row.try_get("item")).transpose()
}

/// The one number that a statement counts. PostgreSQL keeps the plan of a count whose size is known
/// by now, among those of its size; it plans any other for its very values.
pub(crate) async fn number(
    conn: &mut PgConnection,
    mut statement: Statement,
    sizes: &Sizes,
) -> Result<i64, sqlx::Error> {
    let question = sizes.question(&statement);
    let size = sizes.known(question);
    if let Some(size) = size {
        statement.push(size.mark());
    }
    let count = query(statement).persistent(size.is_some()).fetch_one(conn).await?.try_get(0)?;
    sizes.learn(question, count);
    Ok(count)
}
