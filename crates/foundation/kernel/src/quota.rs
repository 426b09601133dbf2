//! What an organization's plan allows, as a refusal names it.

use serde::{Deserialize, Serialize};

use crate::{Code, Problem};

/// What stands in the way: the limit or the feature, its value, what is used, and the way up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The word of the limit (`requests_per_minute`) or of the feature (`risk`).
    pub name: String,
    /// How much is allowed; none for a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How much was used before this; none for a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// The name of the tier in force, if it is a tier's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The name of the tier that has more, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<String>,
}

impl Quota {
    /// The refusal: 429 with the seconds to wait where waiting helps, else 402.
    pub fn problem(self, retry_after: Option<u64>) -> Problem {
        let plan = self.plan.as_ref().map_or_else(
            || "This organization".to_owned(),
            |plan| format!("This organization's plan, {plan},"),
        );
        let Self { name, limit, used, .. } = &self;
        let (code, mut detail) = match (limit, retry_after) {
            (None, _) => (Code::FeatureNotInPlan, format!("{plan} does not include `{name}`.")),
            (Some(limit), seconds) => {
                let used = used.unwrap_or(*limit);
                let what = format!("{plan} allows {limit} for `{name}`, and {used} are used.");
                (if seconds.is_some() { Code::QuotaExceeded } else { Code::LimitReached }, what)
            }
        };
        detail.push_str(&match &self.upgrade {
            Some(more) => format!(" {more} has more; the page Usage (/usage) shows what is used."),
            None => " The page Usage (/usage) shows what is used; whoever runs this installation can change it.".to_owned(),
        });
        let mut problem = Problem::new(code, detail);
        problem.retry_after = retry_after;
        problem.quota = Some(Box::new(self));
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_limit_its_value_what_is_used_and_the_way_up() {
        let quota = Quota {
            name: "assistants".to_owned(),
            limit: Some(1),
            used: Some(1),
            plan: Some("Free".to_owned()),
            upgrade: Some("Pro".to_owned()),
        };
        let problem = quota.clone().problem(None);
        assert_eq!(problem.code, Code::LimitReached);
        for part in ["Free", "`assistants`", "allows 1", "1 are used", "Pro has more"] {
            assert!(problem.detail.contains(part), "{part} is missing in {}", problem.detail);
        }
        let problem = quota.clone().problem(Some(30));
        assert_eq!((problem.code, problem.retry_after), (Code::QuotaExceeded, Some(30)));
        let problem = Quota { limit: None, used: None, ..quota }.problem(None);
        assert_eq!(problem.code, Code::FeatureNotInPlan);
    }
}
