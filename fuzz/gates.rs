//! What holds for every policy and every baseline, whoever wrote it. The fuzz targets and the tests of ephor-fairness share
//! this file.

use ephor_fairness::{
    Fault,
    comparison::{Comparison, compare},
    gate::{
        Compared, Day, FailOn, Policy, gate, gate_task,
        junit::junit,
        markdown::{markdown, markdown_task},
        read_baseline, read_task_baseline,
        sarif::{Place, sarif},
    },
    task::Task,
};
use serde_json::{Map, Value, json};

/// A policy: reading never panics, what is refused says why, and what was read is written and read as the same.
pub fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for task in Task::ALL {
        match Policy::read_for(text, task) {
            Ok(policy) => {
                let again = Policy::read_for(&written(&policy), task);
                let again = again.expect("what was written reads");
                assert_eq!(without_lines(again), without_lines(policy), "{text}");
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "refused without a word: {text}");
                let told = |fault: &Fault| !fault.code.is_empty() && !fault.message.is_empty();
                assert!(faults.iter().all(told));
            }
        }
    }
}

/// A baseline: reading never panics, what was read is written and read as the same, and whatever it says can be compared,
/// judged and printed.
pub fn baseline(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for task in [Task::Regression, Task::Multiclass, Task::Ranking] {
        let Ok(result) = read_task_baseline(text, task) else { continue };
        let again = serde_json::to_string(&result).expect("numbers of JSON are numbers of JSON");
        assert_eq!(read_task_baseline(&again, task).expect("what was written reads"), result);
        let compared = Compared::of_tasks(&result, &result).expect("one task");
        reads_back(&compared.comparison);
        let day = Day::read("2026-01-01").expect("a day");
        let asked = Policy::read_for("min_group_rows = 1\nfail_on = 'regression'", task);
        let policy = asked.as_ref().expect("a policy");
        let found = gate_task(&result, policy, FailOn::Regression, Some(&compared), day);
        let summary = markdown_task(&result, &found, Some(&compared), "a.csv");
        assert!(!summary.chars().any(|letter| letter.is_control() && letter != '\n'));
    }
    let Ok(result) = read_baseline(text) else { return };
    let again = serde_json::to_string(&result).expect("numbers of JSON are numbers of JSON");
    assert_eq!(read_baseline(&again).expect("what was written reads"), result);

    let today = Day::read("2026-01-01").expect("a day");
    let asked = Policy::read(
        "min_group_rows = 1\nmetrics = ['groups.tpr >= 0.5', 'overall.accuracy >= 0.5']",
    );
    let mut judged = result.clone();
    judged.attributes.reverse();
    for other in [&result, &judged] {
        let compared = Compared::new(other, &result);
        reads_back(&compared.comparison);
        reads_back(&compare(&result, other));
        let found = gate(
            &result,
            asked.as_ref().expect("a policy"),
            FailOn::Regression,
            Some(&compared),
            today,
        );
        let xml = junit(&found);
        assert!(!xml.chars().any(|letter| letter.is_control() && letter != '\n'));
        let summary = markdown(&result, &found, Some(&compared), "a.csv");
        assert!(!summary.chars().any(|letter| letter.is_control() && letter != '\n'));
        let log = sarif(&found, &Place { path: "a.csv".to_owned() }).to_string();
        assert!(serde_json::from_str::<Value>(&log).is_ok());
    }
}

/// No number became a `null` where a number must be.
fn reads_back(comparison: &Comparison) {
    let text = serde_json::to_string(comparison).expect("it is written");
    assert_eq!(&serde_json::from_str::<Comparison>(&text).expect("it reads"), comparison);
}

fn without_lines(mut policy: Policy) -> Policy {
    policy.allow.iter_mut().for_each(|allowed| allowed.line = None);
    policy
}

/// The policy as JSON.
fn written(policy: &Policy) -> String {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    add("fail_on", policy.fail_on.map(|word| json!(word.as_str())));
    add("min_rows", policy.min_rows.map(|number| json!(number)));
    add("min_group_rows", policy.min_group_rows.map(|number| json!(number)));
    add("min_compliance_score", policy.min_compliance_score.map(|number| json!(number)));
    add("required_attributes", Some(json!(policy.required_attributes)));
    let bounds: Vec<String> = policy.metrics.iter().map(ToString::to_string).collect();
    add("metrics", Some(json!(bounds)));
    add("thresholds", Some(json!(policy.thresholds)));
    let attributes = policy.attribute_thresholds.iter();
    let attributes: Map<String, Value> = attributes
        .map(|(name, thresholds)| (name.clone(), json!({ "thresholds": thresholds })))
        .collect();
    add("attributes", Some(Value::Object(attributes)));
    let allowed: Vec<Value> = policy
        .allow
        .iter()
        .map(|one| {
            json!({
                "id": one.id,
                "attribute": one.attribute,
                "reason": one.reason,
                "expires": one.expires.to_string(),
            })
        })
        .collect();
    add("allow", Some(Value::Array(allowed)));
    Value::Object(fields).to_string()
}
