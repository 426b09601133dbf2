//! What a metric must be: `overall.accuracy >= 0.8`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{catalogue, fault::nearest, metrics, task::Task};

/// What a metric must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Whose metric.
    pub scope: Scope,
    /// The metric.
    pub metric: Measured,
    /// At least, or at most.
    pub side: Side,
    /// How much.
    pub limit: f64,
}

/// A metric of any task, as far as a bound needs to know it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Its id.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its least and greatest value.
    pub range: (f64, f64),
}

impl Measured {
    /// The metric of a task with this name; or the nearest name, if there is one.
    pub(super) fn named(task: Task, name: &str) -> Result<Self, Option<&'static str>> {
        if task == Task::Binary {
            let found = metrics::find(name).map(|one| Self {
                id: one.id,
                title: one.title,
                range: one.range,
            });
            return found.ok_or_else(|| {
                let known = metrics::registry().iter().flat_map(|metric| {
                    std::iter::once(metric.id).chain(metric.aliases.iter().copied())
                });
                nearest(name, known)
            });
        }
        let found = catalogue::abouts(task).into_iter().find(|about| about.id == name);
        found
            .map(|one| Self { id: one.id, title: one.title, range: one.range })
            .ok_or_else(|| catalogue::nearest_metric(task, name))
    }
}

/// Whose metric is bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// `overall`: everybody's.
    Overall,
    /// `groups`: that of each group of each attribute, intersections left aside.
    Groups,
    /// An attribute, or attributes joined by `|`: that of each of its groups.
    Attribute(String),
}

impl Scope {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Overall => "overall",
            Self::Groups => "groups",
            Self::Attribute(name) => name,
        }
    }
}

/// At least, or at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
}

impl fmt::Display for Bound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::AtLeast => ">=",
            Side::AtMost => "<=",
        };
        write!(out, "{}.{} {side} {}", self.scope.as_str(), self.metric.id, self.limit)
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Bound {
    /// Reads `SCOPE.METRIC >= NUMBER` or `SCOPE.METRIC <= NUMBER`. The error says what is wrong, and what would be right.
    pub(super) fn read(text: &str, task: Task) -> Result<Self, (&'static str, String, String)> {
        let shape = || {
            (
                "not_a_bound",
                format!("`{text}` is not what a metric must be."),
                "It is written `overall.accuracy >= 0.8`, `groups.tpr >= 0.6` or `sex.fpr <= 0.2`."
                    .to_owned(),
            )
        };
        let (left, side, right) = text
            .split_once(">=")
            .map(|(left, right)| (left, Side::AtLeast, right))
            .or_else(|| text.split_once("<=").map(|(left, right)| (left, Side::AtMost, right)))
            .ok_or_else(shape)?;
        let (scope, id) = left.trim().rsplit_once('.').ok_or_else(shape)?;
        let limit: f64 = right.trim().parse().map_err(|_| shape())?;
        if scope.trim().is_empty() || !limit.is_finite() {
            return Err(shape());
        }
        let id = id.trim();
        let metric = Measured::named(task, id).map_err(|meant| {
            let hint = meant.map_or_else(
                || "`ephor metrics` lists them.".to_owned(),
                |name| format!("Did you mean `{name}`?"),
            );
            ("unknown_metric", format!("There is no metric `{id}`."), hint)
        })?;
        let scope = match scope.trim() {
            "overall" => Scope::Overall,
            "groups" => Scope::Groups,
            name => Scope::Attribute(name.to_owned()),
        };
        Ok(Self { scope, metric, side, limit })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        for (text, printed) in [
            ("overall.accuracy >= 0.8", "overall.accuracy >= 0.8"),
            ("groups.recall>=0.6", "groups.tpr >= 0.6"),
            (" a.b|sex.fpr <=  1e-2 ", "a.b|sex.fpr <= 0.01"),
        ] {
            let bound = Bound::read(text, Task::Binary).unwrap();
            assert_eq!(bound.to_string(), printed);
            assert_eq!(Bound::read(printed, Task::Binary).unwrap(), bound);
        }
        for (text, code) in [
            ("accuracy >= 0.8", "not_a_bound"),
            ("overall.accuracy > 0.8", "not_a_bound"),
            ("overall.accuracy >= NaN", "not_a_bound"),
            ("overall.accuracy >= inf", "not_a_bound"),
            (".accuracy >= 1", "not_a_bound"),
            ("overall.acuracy >= 0.8", "unknown_metric"),
        ] {
            assert_eq!(Bound::read(text, Task::Binary).unwrap_err().0, code, "{text}");
        }
        let hint = |text: &str, task: Task| Bound::read(text, task).unwrap_err().2;
        assert!(hint("overall.acuracy >= 0.8", Task::Binary).contains("`accuracy`"));
        // Each task has its own metrics.
        assert!(Bound::read("groups.mae <= 3", Task::Regression).is_ok());
        assert!(hint("groups.mea <= 3", Task::Regression).contains("`mae`"));
        assert_eq!(Bound::read("groups.mae <= 3", Task::Ranking).unwrap_err().0, "unknown_metric");
    }
}
