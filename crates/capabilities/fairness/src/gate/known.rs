//! Findings that a policy knows of, and accepts until a day.

use super::{Allowed, Check, Day, Policy};

/// Marks what is known, and notes what has expired or is a finding no more.
pub(super) fn accept(checks: &mut [Check], policy: &Policy, today: Day, notes: &mut Vec<String>) {
    for allowed in &policy.allow {
        let mut matched = false;
        let matches = |check: &&mut Check| {
            check.is_finding()
                && check.subject == allowed.attribute
                && check.id.as_deref() == Some(&allowed.id)
        };
        for check in checks.iter_mut().filter(|check| matches(check)) {
            matched = true;
            if today <= allowed.expires {
                check.known = Some(allowed.clone());
            }
        }
        let name = named(allowed);
        if !matched {
            notes.push(format!("{name} is a finding no more: take it out of the policy."));
        } else if today > allowed.expires {
            notes.push(format!("{name} expired on {}: it counts again.", allowed.expires));
        }
    }
}

fn named(allowed: &Allowed) -> String {
    let line = allowed.line.map_or_else(String::new, |line| format!(" (line {line})"));
    format!("The known finding {} of {}{line}", allowed.id, allowed.attribute)
}
