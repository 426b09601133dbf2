//! What a tier grants, and the rules that follow: pure.

use std::collections::BTreeMap;

use ephor_kernel::{Problem, Quota};
use serde_json::Value;

/// What is in force for an organization.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// The tier's stable word, if it is a built-in one.
    pub tier_code: Option<String>,
    /// The tier's name; none when no tier is in force.
    pub tier_name: Option<String>,
    /// The words of its features; none when nothing is gated.
    pub features: Option<Vec<String>>,
    /// The limits that there are, by their words.
    pub limits: BTreeMap<String, f64>,
}

/// A tier that can be bought, for naming the way up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tier {
    pub name: String,
    pub features: Vec<String>,
    pub limits: BTreeMap<String, f64>,
}

/// The words in a JSON array.
pub(crate) fn words(features: &Value) -> Vec<String> {
    let words = features.as_array().into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The numbers in a JSON object; what is null, or no number, is no limit.
pub(crate) fn numbers(limits: &Value) -> BTreeMap<String, f64> {
    let pairs = limits.as_object().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

fn includes(features: &[String], feature: &str) -> bool {
    features.iter().any(|word| word == feature || word == "*")
}

impl Limits {
    /// Is the feature included?
    pub fn includes(&self, feature: &str) -> bool {
        self.features.as_ref().is_none_or(|features| includes(features, feature))
    }

    /// How much is allowed, in whole numbers; `None` for no limit.
    pub fn allowed(&self, limit: &str) -> Option<u64> {
        self.limits.get(limit).map(|allowed| allowed.max(0.0) as u64)
    }

    /// Refuses what the tier lacks: 402.
    pub(crate) fn require(&self, feature: &str, tiers: &[Tier]) -> Result<(), Problem> {
        if self.includes(feature) {
            return Ok(());
        }
        let upgrade = tiers.iter().find(|tier| includes(&tier.features, feature));
        Err(self.quota(feature, upgrade).problem(None))
    }

    /// Refuses one more of what is limited for a time, of which `used` are used: 429.
    pub(crate) fn room(
        &self,
        limit: &str,
        used: u64,
        retry_after: u64,
        tiers: &[Tier],
    ) -> Result<(), Problem> {
        let Some(allowed) = self.allowed(limit) else { return Ok(()) };
        if used < allowed {
            return Ok(());
        }
        let more = |tier: &&Tier| tier.limits.get(limit).is_none_or(|most| *most > allowed as f64);
        let quota = Quota {
            limit: Some(allowed),
            used: Some(used),
            ..self.quota(limit, tiers.iter().find(more))
        };
        Err(quota.problem(Some(retry_after)))
    }

    fn quota(&self, name: &str, upgrade: Option<&Tier>) -> Quota {
        Quota {
            name: name.to_owned(),
            plan: self.tier_name.clone(),
            upgrade: upgrade.map(|tier| tier.name.clone()),
            ..Quota::default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_kernel::Code;
    use serde_json::json;

    use super::*;

    fn free() -> Limits {
        Limits {
            tier_code: Some("free".into()),
            tier_name: Some("Free".into()),
            features: Some(words(&json!(["registry"]))),
            limits: numbers(&json!({ "requests_per_minute": 2, "members": null })),
        }
    }

    fn pro() -> Tier {
        Tier {
            name: "Pro".into(),
            features: words(&json!(["*"])),
            limits: numbers(&json!({ "requests_per_minute": 600 })),
        }
    }

    #[test]
    fn what_a_tier_lacks_is_refused_with_the_tier_that_has_it() {
        assert!(free().require("registry", &[]).is_ok());
        let problem = free().require("risk", &[pro()]).unwrap_err();
        assert_eq!(problem.code, Code::FeatureNotInPlan);
        assert_eq!(problem.quota.unwrap().upgrade.as_deref(), Some("Pro"));
    }

    #[test]
    fn a_limit_allows_as_many_as_it_says() {
        assert!(free().room("requests_per_minute", 1, 7, &[]).is_ok());
        let problem = free().room("requests_per_minute", 2, 7, &[pro()]).unwrap_err();
        assert_eq!((problem.code, problem.retry_after), (Code::QuotaExceeded, Some(7)));
        assert!(free().room("members", 1_000, 7, &[]).is_ok());
    }

    #[test]
    fn without_a_tier_nothing_is_limited() {
        let none = Limits::default();
        assert!(none.includes("anything"));
        assert!(none.room("requests_per_minute", u64::MAX, 1, &[]).is_ok());
    }
}
