//! Retention of the tables of high rate: a past month becomes one Parquet file for each organization
//! in the object store, which is read back before the month is dropped, and which the organization's
//! trail names with its hash. The audit trail has archives of its own, in [`crate::audit`].
//!
//! Each step can be repeated: killed anywhere, the next run goes on, and what was not yet dropped is
//! in the database.

mod archive;
mod columns;
mod error;
mod file;
mod month;

use chrono::{Datelike as _, Months, NaiveDate};
use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, SystemPart};
use serde::Serialize;

use crate::{Store, StoreError};
pub use archive::{
    Archive, archive_check, archive_contents, archive_get, archive_list, archive_mine,
};
pub use error::RetentionError;
pub use month::{MonthArchived, archive_due, archive_month, archive_write};

/// What a month would be archived with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthPlan {
    /// The table, with its schema.
    pub table: String,
    /// The month's first day.
    pub month: NaiveDate,
    /// How many organizations have rows of it.
    pub organizations: i64,
    /// How many rows.
    pub rows: i64,
}

/// Is the month older than `keep` whole months before the present one, as of `today`?
pub(crate) fn is_due(month: NaiveDate, keep: u32, today: NaiveDate) -> bool {
    let present = today.with_day(1).unwrap_or(today);
    present.checked_sub_months(Months::new(keep)).is_some_and(|oldest| month < oldest)
}

/// The tables whose months are archived so, by name.
pub async fn table_list(store: &Store) -> Result<Vec<String>, StoreError> {
    let names = sqlx::query_scalar!(r#"select name as "name!" from ops.month_tables() order by 1"#)
        .fetch_all(store.system_pool())
        .await?;
    Ok(names)
}

/// The months of a table that are older than `keep` months before the present one, the oldest first.
pub async fn month_list(
    store: &Store,
    table: &str,
    keep: u32,
    today: NaiveDate,
) -> Result<Vec<NaiveDate>, StoreError> {
    let months = sqlx::query_scalar!(
        r#"select month as "month!" from ops.table_partitions
            where schema_name || '.' || table_name = $1 and month is not null order by 1"#,
        table,
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(months.into_iter().filter(|month| is_due(*month, keep, today)).collect())
}

/// What a month holds; changes nothing.
pub async fn month_plan(
    store: &Store,
    table: &str,
    month: NaiveDate,
) -> Result<MonthPlan, StoreError> {
    let row = sqlx::query!(
        r#"select count(*) as "organizations!", coalesce(sum(row_count), 0)::bigint as "rows!"
             from ops.month_tenants($1::text::regclass, $2) where row_count > 0"#,
        table,
        month,
    )
    .fetch_one(store.system_pool())
    .await?;
    let (organizations, rows) = (row.organizations, row.rows);
    Ok(MonthPlan { table: table.to_owned(), month, organizations, rows })
}

/// The scope in which an organization's rows are archived.
fn scope(organization: OrganizationId) -> Scope {
    Scope::new(
        Principal::System(SystemPart::Worker),
        organization,
        PermissionSet::all(),
        RequestContext::default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_months_that_are_kept_are_those_before_the_present_one() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let today = day(2026, 3, 31);
        assert!(is_due(day(2026, 1, 1), 1, today));
        assert!(!is_due(day(2026, 2, 1), 1, today));
        assert!(is_due(day(2024, 12, 1), 14, today) && !is_due(day(2025, 1, 1), 14, today));
    }
}
