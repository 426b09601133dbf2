//! What runs by itself, at times that cron expressions give: monitors, and the storing of what row feeds hold.

mod cron;
mod scheduler;

use chrono::{DateTime, TimeDelta, Utc};
use ephor_kernel::{
    Fault, OrganizationId, PermissionSet, Principal, RequestContext, Scope, SystemPart,
};
use serde_json::Value;

pub use cron::Schedule;
pub use scheduler::Scheduler;

/// What is wrong with a schedule.
pub(crate) fn schedule_faults(expression: &str) -> Vec<Fault> {
    let wrong = Schedule::parse(expression).err().unwrap_or_default();
    let fault = |message: String| {
        Fault::new("/schedule", "schedule", message)
            .hint("such as `0 6 * * mon-fri`: at six on weekdays, in UTC")
    };
    wrong.into_iter().map(fault).collect()
}

/// What is wrong with the schedule of a row, if it has one.
pub(crate) fn faults(row: &Value) -> Vec<Fault> {
    row.get("schedule").and_then(Value::as_str).map(schedule_faults).unwrap_or_default()
}

/// What a schedule says at some moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The last time until now that it met, if the next one was worked out and has come.
    pub at: Option<DateTime<Utc>>,
    /// When to look again.
    pub next: Option<DateTime<Utc>>,
    /// Why it says nothing: it came past the check, such as by an import.
    pub unreadable: Option<String>,
}

/// What a schedule says now, when it was to run at `due`. What was missed is made up for once.
pub(crate) fn turn(expression: &str, due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Turn {
    let schedule = Schedule::parse(expression).ok();
    match schedule.and_then(|schedule| Some((schedule, schedule.next_after(now)?))) {
        Some((schedule, next)) => {
            let at = due.map(|first| schedule.last_until(first, now));
            Turn { at, next: Some(next), unreadable: None }
        }
        // To be told once a day is enough.
        None => Turn {
            at: None,
            next: now.checked_add_signed(TimeDelta::days(1)),
            unreadable: Some(format!("The schedule `{expression}` cannot be read")),
        },
    }
}

/// As whom what is due is begun.
pub(crate) fn scope(organization: OrganizationId) -> Scope {
    Scope::new(
        Principal::System(SystemPart::Worker),
        organization,
        PermissionSet::all(),
        RequestContext::default(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_made_up_for_once_and_what_cannot_be_read_is_told() {
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        let now = at("2026-03-02T12:34:56Z");
        let first = turn("*/5 * * * *", None, now);
        assert_eq!((first.at, first.next), (None, Some(at("2026-03-02T12:35:00Z"))));
        let late = turn("*/5 * * * *", Some(at("2026-03-01T00:00:00Z")), now);
        assert_eq!(late.at, Some(at("2026-03-02T12:30:00Z")));
        let wrong = turn("whenever", Some(now), now);
        assert!(wrong.at.is_none() && wrong.unreadable.unwrap().contains("`whenever`"));
        assert_eq!(wrong.next, Some(now + TimeDelta::days(1)));
    }
}
