//! Rows of a stretch of time.

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::{
    arrow::datatypes::{DataType, TimeUnit},
    common::{Column, ScalarValue},
    logical_expr::{Expr, try_cast},
};
use ephor_fairness::DataFrame;
use ephor_store::jobs::JobFailure;

use super::Monitor;

/// From a moment, and until before another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
}

impl Window {
    /// What the current rows are held against.
    pub(super) fn reference(monitor: &Monitor) -> Self {
        Self { from: monitor.reference_from, until: monitor.reference_until }
    }

    /// The last `window_seconds` before `at`; all rows, when the monitor has no window.
    pub(super) fn current(monitor: &Monitor, at: DateTime<Utc>) -> Self {
        let Some(length) = monitor.window_seconds.and_then(TimeDelta::try_seconds) else {
            return Self::default();
        };
        Self { from: at.checked_sub_signed(length), until: Some(at) }
    }

    /// The rows of the window. A row whose time cannot be read is in none.
    pub(super) fn of(
        self,
        frame: DataFrame,
        column: Option<&str>,
    ) -> Result<DataFrame, JobFailure> {
        let Some(column) = column.filter(|_| self != Self::default()) else { return Ok(frame) };
        let field = frame.schema().fields().iter().find(|field| field.name() == column);
        let field = field.ok_or_else(|| {
            JobFailure::fatal(format!("The data set has no column `{column}` to cut windows by"))
        })?;
        if !tells_time(field.data_type()) {
            return Err(JobFailure::fatal(format!(
                "The column `{column}` holds {}; windows are cut by dates or timestamps",
                field.data_type()
            )));
        }
        let zone = "UTC";
        let moment = |at: DateTime<Utc>| {
            Expr::Literal(
                ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some(zone.into())),
                None,
            )
        };
        let time = try_cast(
            Expr::Column(Column::from_name(column)),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())),
        );
        let from = self.from.map(|from| time.clone().gt_eq(moment(from)));
        let until = self.until.map(|until| time.lt(moment(until)));
        from.into_iter()
            .chain(until)
            .try_fold(frame, DataFrame::filter)
            .map_err(|error| JobFailure::fatal(error.to_string()))
    }
}

/// A bare number says neither from when it counts nor in what.
fn tells_time(kind: &DataType) -> bool {
    match kind {
        DataType::Timestamp(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => tells_time(value),
        _ => false,
    }
}
