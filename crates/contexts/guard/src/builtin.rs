//! The policies that come with Ephor.

use ephor_store::builtins::{BuiltinEntry, BuiltinError, BuiltinTable, builtin_file};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const POLICIES: &str = include_str!("../builtin/policies.toml");

/// What comes with Ephor: names and texts of the files.
pub fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("policies", POLICIES)].into_iter()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: i32,
    entries: Vec<Policy>,
}

/// The columns of `guard.policies` that are built in.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    code: String,
    name: String,
    description: String,
    enforcement_type: String,
    priority: i32,
    rules: Vec<Rule>,
}

/// A rule: where `when` holds, it yields its decision.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    when: When,
    decision: Decision,
    severity: Severity,
    message: String,
}

/// A condition: a test, or several under one word.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum When {
    All(All),
    Any(Any),
    Not(Not),
    Test(Test),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct All {
    all: Vec<When>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Any {
    any: Vec<When>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Not {
    not: Box<When>,
}

/// A test of one fact. A fact that is not known passes none.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Test {
    fact: String,
    is: Is,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Is {
    Equals,
    NotEquals,
    OneOf,
    AtLeast,
    AtMost,
    Above,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allow,
    ReviewRequired,
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// The table to be followed. Copies begin inactive, and whether one is active is the organization's to say: no version
/// of Ephor changes that.
///
/// # Errors
/// When the file is not what it should be; a test reads it.
pub fn builtins() -> Result<BuiltinTable, BuiltinError> {
    let File { version, entries } = builtin_file("policies", POLICIES)?;
    let entries = entries
        .iter()
        .map(|policy| BuiltinEntry::new(&policy.code, version, policy))
        .collect::<Result<_, _>>()?;
    Ok(BuiltinTable {
        entity: "guard.policies",
        references: &[],
        initial: json!({ "is_active": false }),
        entries,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn policies() -> Vec<Policy> {
        builtin_file::<File>("policies", POLICIES).unwrap().entries
    }

    fn tests(when: &When) -> Vec<&Test> {
        match when {
            When::All(All { all: several }) | When::Any(Any { any: several }) => {
                several.iter().flat_map(tests).collect()
            }
            When::Not(Not { not }) => tests(not),
            When::Test(test) => vec![test],
        }
    }

    #[test]
    fn each_rule_says_what_it_is_about() {
        let policies = policies();
        assert_eq!(policies.len(), 10);
        let codes: BTreeSet<_> = policies.iter().map(|policy| &policy.code).collect();
        assert_eq!(codes.len(), policies.len());
        for policy in &policies {
            assert!(!policy.name.is_empty() && !policy.description.is_empty());
            assert!(policy.enforcement_type.len() <= 50 && policy.priority >= 0);
            let ids: BTreeSet<_> = policy.rules.iter().map(|rule| &rule.id).collect();
            assert_eq!(ids.len(), policy.rules.len(), "{}: ids", policy.code);
            for rule in &policy.rules {
                assert!(!rule.message.is_empty());
                assert!(!tests(&rule.when).is_empty(), "{}: {}", policy.code, rule.id);
            }
        }
    }

    /// What only looks like something is reviewed, never refused.
    #[test]
    fn nothing_is_denied_that_is_not_certain() {
        for policy in policies() {
            for rule in policy.rules.iter().filter(|rule| rule.decision == Decision::Deny) {
                let certain = tests(&rule.when).iter().any(|test| {
                    let says = |fact: &str, value: &str| {
                        test.fact == fact && test.is == Is::Equals && test.value == value
                    };
                    says("finding.evidence", "exact") || says("system.risk_level", "prohibited")
                });
                assert!(certain, "{}: {}", policy.code, rule.id);
                assert!(matches!(rule.severity, Severity::High | Severity::Critical));
            }
        }
    }

    #[test]
    fn each_test_asks_a_known_fact_for_a_value_of_its_kind() {
        let documented = include_str!("../../../../docs/policies.md");
        for policy in policies() {
            for test in policy.rules.iter().flat_map(|rule| tests(&rule.when)) {
                assert!(documented.contains(&format!("| `{}` |", test.fact)), "{}", test.fact);
                let fits = match test.is {
                    Is::Equals | Is::NotEquals => test.value.is_string(),
                    Is::OneOf => test.value.as_array().is_some_and(|words| {
                        !words.is_empty() && words.iter().all(Value::is_string)
                    }),
                    Is::AtLeast | Is::AtMost | Is::Above | Is::Below => test.value.is_number(),
                };
                assert!(fits, "{}: {}", policy.code, test.fact);
            }
        }
    }

    #[test]
    fn what_is_copied_reads_as_it_stands_in_the_file() {
        let table = builtins().unwrap();
        assert_eq!(table.initial, json!({ "is_active": false }));
        let first = &table.entries[0];
        assert_eq!(first.code, "secrets-in-text");
        assert_eq!(
            first.values["rules"][0]["when"],
            json!({ "all": [
                { "fact": "finding.class", "is": "equals", "value": "secret" },
                { "fact": "finding.evidence", "is": "equals", "value": "exact" },
            ]})
        );
        assert_eq!(first.values["rules"][0]["decision"], "deny");
        assert!(first.values.get("is_active").is_none(), "that follows no version");
    }
}
