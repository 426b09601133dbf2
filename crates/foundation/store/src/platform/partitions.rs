//! Sizes of tables, and the months of those that are partitioned.

use chrono::{Datelike as _, NaiveDate};
use serde::Serialize;

use crate::{Store, StoreError};

/// How large a table is, with all its partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// Schema and name.
    pub table: String,
    /// How many partitions it has; 0 when it is not partitioned.
    pub partitions: i64,
    /// About how many rows.
    pub rows: i64,
    /// Bytes of rows and indexes.
    pub bytes: i64,
}

/// A table that is partitioned by month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionedTable {
    /// Schema and name.
    pub table: String,
    /// Its months, the newest first.
    pub months: Vec<Month>,
    /// About how many rows lie in the default partition; any means that a month is missing.
    pub spilt: i64,
    /// How many months are made after the present one.
    pub ahead: i32,
}

/// One month's partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Month {
    /// Its first day.
    pub first_day: NaiveDate,
    /// The partition.
    pub partition: String,
    /// About how many rows.
    pub rows: i64,
    /// Bytes of rows and indexes.
    pub bytes: i64,
}

/// Every table of the database, the largest first.
pub async fn table_sizes(store: &Store) -> Result<Vec<TableSize>, StoreError> {
    let sizes = sqlx::query_as!(
        TableSize,
        r#"select schema_name || '.' || table_name as "table!", partitions as "partitions!",
                  row_estimate as "rows!", total_bytes as "bytes!"
             from ops.table_sizes order by total_bytes desc, 1"#
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(sizes)
}

/// A query that takes long on average.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlowQuery {
    /// The query, with its constants taken out.
    pub query: String,
    /// How often it was run.
    pub calls: i64,
    /// How long it runs on average, in milliseconds.
    pub mean_ms: f64,
    /// How long it ran at most, in milliseconds.
    pub max_ms: f64,
    /// How long it ran in all, in milliseconds.
    pub total_ms: f64,
}

/// Queries of more than 100 ms on average, those that took most time in all first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlowQueries {
    /// What to do for them to be recorded; nothing when they are.
    pub hint: Option<String>,
    /// At most a hundred of them.
    pub queries: Vec<SlowQuery>,
}

/// What PostgreSQL recorded of slow queries, where `pg_stat_statements` is there.
pub async fn slow_queries(store: &Store) -> Result<SlowQueries, StoreError> {
    let hint = sqlx::query_scalar!("select ops.slow_queries_hint()")
        .fetch_one(store.system_pool())
        .await?;
    let queries = sqlx::query_as!(
        SlowQuery,
        r#"select query as "query!", calls as "calls!", mean_time as "mean_ms!", max_time as "max_ms!", total_time as "total_ms!"
             from ops.slow_queries order by total_time desc, query limit 100"#
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(SlowQueries { hint, queries })
}

/// The tables that are partitioned by month; `today` tells which months are ahead.
pub async fn partition_list(
    store: &Store,
    today: NaiveDate,
) -> Result<Vec<PartitionedTable>, StoreError> {
    let rows = sqlx::query!(
        r#"select schema_name || '.' || table_name as "table!", partition_name as "partition!",
                  is_default as "is_default!", month, row_estimate as "rows!", total_bytes as "bytes!"
             from ops.table_partitions order by 1, month desc nulls last, 2"#
    )
    .fetch_all(store.system_pool())
    .await?;
    let mut tables: Vec<PartitionedTable> = Vec::new();
    for row in rows {
        if tables.last().is_none_or(|last| last.table != row.table) {
            tables.push(PartitionedTable {
                table: row.table,
                months: Vec::new(),
                spilt: 0,
                ahead: 0,
            });
        }
        let Some(table) = tables.last_mut() else { continue };
        match row.month {
            Some(month) => {
                table.ahead = table.ahead.max(months_between(today, month));
                let (partition, rows, bytes) = (row.partition, row.rows, row.bytes);
                table.months.push(Month { first_day: month, partition, rows, bytes });
            }
            None if row.is_default => table.spilt = row.rows,
            None => {}
        }
    }
    Ok(tables)
}

/// How many months `month` is after that of `today`.
fn months_between(today: NaiveDate, month: NaiveDate) -> i32 {
    (month.year() - today.year()) * 12 + month.month0().cast_signed() - today.month0().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_over_the_end_of_a_year() {
        let day = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
        assert_eq!(months_between(day(2026, 11), day(2027, 2)), 3);
        assert_eq!(months_between(day(2026, 11), day(2026, 11)), 0);
    }
}
