//! How much an organization used, beside what it may use: what a request is held against.

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use ephor_kernel::Problem;

use crate::{Limits, limits::Tier};

/// One organization's.
#[derive(Debug, Clone)]
pub(crate) struct Gauge {
    pub limits: Arc<Limits>,
    /// When the limits were read.
    pub read_at: DateTime<Utc>,
    /// When it last made a request.
    pub seen_at: DateTime<Utc>,
    /// The month's requests, as the database had them.
    pub written: u64,
    /// Those that it has not got yet.
    pub unwritten: u64,
    month: NaiveDate,
    minute: i64,
    in_minute: u64,
}

impl Gauge {
    pub fn new(limits: Arc<Limits>, written: u64, now: DateTime<Utc>) -> Self {
        Self {
            limits,
            read_at: now,
            seen_at: now,
            written,
            unwritten: 0,
            month: month_of(now),
            minute: minute_of(now),
            in_minute: 0,
        }
    }

    /// Takes in what the database says now; `less` of what it had not got are in it.
    pub fn read(&mut self, limits: Arc<Limits>, written: u64, less: u64, now: DateTime<Utc>) {
        self.limits = limits;
        self.written = written;
        self.unwritten = self.unwritten.saturating_sub(less);
        self.read_at = now;
        self.month = month_of(now);
    }

    /// The month's requests.
    pub fn in_month(&self, now: DateTime<Utc>) -> u64 {
        let written = if self.month == month_of(now) { self.written } else { 0 };
        written + self.unwritten
    }

    /// The minute's requests.
    pub fn in_minute(&self, now: DateTime<Utc>) -> u64 {
        if self.minute == minute_of(now) { self.in_minute } else { 0 }
    }

    /// Counts one more request, or refuses it.
    pub fn admit(&mut self, now: DateTime<Utc>, tiers: &[Tier]) -> Result<(), Problem> {
        let (in_minute, in_month) = (self.in_minute(now), self.in_month(now));
        self.limits.room("requests_per_month", in_month, seconds_of_month_left(now), tiers)?;
        let left = u64::try_from(60 - now.timestamp().rem_euclid(60)).unwrap_or(60);
        self.limits.room("requests_per_minute", in_minute, left, tiers)?;
        (self.minute, self.in_minute) = (minute_of(now), in_minute + 1);
        self.unwritten += 1;
        self.seen_at = now;
        Ok(())
    }
}

/// The first day of the month.
pub(crate) fn month_of(now: DateTime<Utc>) -> NaiveDate {
    let today = now.date_naive();
    today.with_day(1).unwrap_or(today)
}

/// The first moment of the next month.
pub(crate) fn next_month(now: DateTime<Utc>) -> DateTime<Utc> {
    let next = month_of(now) + Months::new(1);
    next.and_time(NaiveTime::MIN).and_utc()
}

fn seconds_of_month_left(now: DateTime<Utc>) -> u64 {
    let left: TimeDelta = next_month(now) - now;
    u64::try_from(left.num_seconds()).unwrap_or(0).max(1)
}

fn minute_of(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(60)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::limits::numbers;

    fn gauge(limits: serde_json::Value, now: DateTime<Utc>) -> Gauge {
        let limits = Limits { limits: numbers(&limits), ..Limits::default() };
        Gauge::new(Arc::new(limits), 0, now)
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_minute_has_so_many_requests_and_the_next_one_as_many_again() {
        let now = at("2026-11-21T10:00:50Z");
        let mut gauge = gauge(json!({ "requests_per_minute": 2 }), now);
        assert!(gauge.admit(now, &[]).is_ok() && gauge.admit(now, &[]).is_ok());
        let refused = gauge.admit(now, &[]).unwrap_err();
        assert_eq!(refused.retry_after, Some(10));
        assert!(gauge.admit(now + TimeDelta::seconds(10), &[]).is_ok());
    }

    #[test]
    fn a_month_counts_what_is_written_and_what_is_not_yet() {
        let now = at("2026-11-30T23:59:00Z");
        let mut gauge = gauge(json!({ "requests_per_month": 3 }), now);
        for _ in 0..3 {
            gauge.admit(now, &[]).unwrap();
        }
        assert_eq!(gauge.admit(now, &[]).unwrap_err().retry_after, Some(60));
        let limits = Arc::clone(&gauge.limits);
        gauge.read(limits, 3, 3, now);
        assert!(gauge.admit(now, &[]).is_err());
        assert!(gauge.admit(at("2026-12-01T00:00:00Z"), &[]).is_ok());
    }
}
