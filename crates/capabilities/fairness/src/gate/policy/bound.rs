//! What a metric must be: `overall.accuracy >= 0.8`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    fault::nearest,
    metrics::{self, Metric},
};

/// What a metric must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Whose metric.
    pub scope: Scope,
    /// The metric.
    pub metric: &'static Metric,
    /// At least, or at most.
    pub side: Side,
    /// How much.
    pub limit: f64,
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
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
    pub(super) fn read(text: &str) -> Result<Self, (&'static str, String, String)> {
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
        let metric = metrics::find(id).ok_or_else(|| {
            let known = metrics::registry().iter().flat_map(|metric| {
                std::iter::once(metric.id).chain(metric.aliases.iter().copied())
            });
            let hint = nearest(id, known).map_or_else(
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
            let bound = Bound::read(text).unwrap();
            assert_eq!(bound.to_string(), printed);
            assert_eq!(Bound::read(printed).unwrap(), bound);
        }
        for (text, code) in [
            ("accuracy >= 0.8", "not_a_bound"),
            ("overall.accuracy > 0.8", "not_a_bound"),
            ("overall.accuracy >= NaN", "not_a_bound"),
            ("overall.accuracy >= inf", "not_a_bound"),
            (".accuracy >= 1", "not_a_bound"),
            ("overall.acuracy >= 0.8", "unknown_metric"),
        ] {
            assert_eq!(Bound::read(text).unwrap_err().0, code, "{text}");
        }
        assert!(Bound::read("overall.acuracy >= 0.8").unwrap_err().2.contains("`accuracy`"));
    }
}
