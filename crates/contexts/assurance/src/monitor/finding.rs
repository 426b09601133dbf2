//! One thing that a run judged.

use ephor_fairness::{Interval, Status};
use ephor_kernel::MonitorId;
use serde::Serialize;

/// A metric that was judged, with all that an alert says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Finding {
    /// The metric's or test's id.
    pub(super) metric: String,
    /// The column, or the protected attribute; `None` for everybody.
    pub(super) attribute: Option<String>,
    /// The group, where one is concerned.
    pub(super) group: Option<String>,
    /// Its value in the current window.
    pub(super) value: Option<f64>,
    /// Its value in the reference, where there is one.
    pub(super) reference: Option<f64>,
    /// How far it may be.
    pub(super) threshold: Option<f64>,
    /// How sure the value, or the difference, is.
    pub(super) interval: Option<Interval>,
    /// The probability of such a value by chance, of tests that judge by it.
    pub(super) p_value: Option<f64>,
    /// What came of it.
    pub(super) status: Status,
    /// In words.
    pub(super) sentence: String,
}

impl Finding {
    /// A finding without any numbers.
    pub(super) fn new(metric: impl Into<String>, status: Status, sentence: String) -> Self {
        Self {
            metric: metric.into(),
            attribute: None,
            group: None,
            value: None,
            reference: None,
            threshold: None,
            interval: None,
            p_value: None,
            status,
            sentence,
        }
    }

    /// What it is about: of alerts with one key a single one is open. A column's own key bounds it; see
    /// [`record`](super::record).
    pub(super) fn key(&self, monitor: MonitorId) -> String {
        let part = |text: &Option<String>| escaped(text.as_deref().unwrap_or_default());
        // In a comparison of groups the two that are furthest apart may be others each time.
        format!("{monitor}/{}/{}/{}", self.metric, part(&self.attribute), part(&self.group))
    }
}

/// No name of a group makes its key another's; and PostgreSQL keeps no NUL.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('/', "\\/").replace('\0', "\\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_whatever_groups_are_called() {
        let monitor = MonitorId::new();
        let key = |attribute: &str, group: &str| {
            let finding = Finding {
                attribute: Some(attribute.to_owned()),
                group: Some(group.to_owned()),
                ..Finding::new("m", Status::Fail, String::new())
            };
            finding.key(monitor)
        };
        assert_ne!(key("a/b", "c"), key("a", "b/c"));
        assert_ne!(key("a\\", "/c"), key("a", "\\/c"));
        assert!(!key("a\0", "b").contains('\0'));
    }
}
