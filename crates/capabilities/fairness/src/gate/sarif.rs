//! What a gate found, as SARIF 2.1.0: what code scanning of GitHub, GitLab and Azure DevOps reads.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Check, Gate};
use crate::{
    ENGINE_VERSION,
    catalogue::{self, Meaning},
    disparities,
    frame::About,
    metrics,
    result::Status,
};

/// Where findings are shown: a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its path, relative to the repository, with `/` between parts.
    pub path: String,
}

/// A log of everything that is a finding. Deterministic: the same findings are the same text.
pub fn sarif(gate: &Gate, place: &Place) -> Value {
    let findings: Vec<&Check> = gate.checks.iter().filter(|check| check.is_finding()).collect();
    let mut rules = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for check in &findings {
        places.entry(&check.rule).or_insert_with(|| {
            rules.push(rule(&check.rule));
            rules.len() - 1
        });
    }
    let results: Vec<Value> = findings
        .iter()
        .map(|check| result(check, places.get(check.rule.as_str()).copied(), place))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Ephor",
                "semanticVersion": ENGINE_VERSION,
                "rules": rules,
            } },
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": true,
                "exitCode": i32::from(gate.stopped),
                "toolExecutionNotifications": gate.notes.iter().map(|note| json!({
                    "level": "note",
                    "message": { "text": clean(note) },
                })).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn result(check: &Check, index: Option<usize>, place: &Place) -> Value {
    let level = if check.status == Some(Status::Fail) { "error" } else { "warning" };
    let mut text = format!("{}: {}", check.of(), check.sentence);
    if let Some(change) = &check.change {
        text.push_str(&format!(" Since the baseline: {}", change.sentence));
    }
    let mut properties = Map::new();
    properties.insert("attribute".into(), check.subject.as_str().into());
    properties.insert("stops".into(), check.stops.into());
    if let Some(group) = &check.group {
        properties.insert("group".into(), group.as_str().into());
    }
    if let Some(class) = &check.class {
        properties.insert("class".into(), class.as_str().into());
    }
    if let Some(reason) = &check.unshown {
        properties.insert("unshown".into(), clean(reason).into());
    }
    if let Some(value) = check.value {
        properties.insert("value".into(), value.into());
    }
    let mut found = json!({
        "ruleId": check.rule,
        "ruleIndex": index,
        "level": level,
        "message": { "text": clean(&text) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&place.path) },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": clean(&check.key), "kind": "member" }],
        }],
        "partialFingerprints": {
            "ephorFinding/v1": fingerprint(&check.key),
            // GitHub knows alerts again by this one alone.
            "primaryLocationLineHash": format!("{}:1", fingerprint(&check.key)),
        },
        "properties": properties,
    });
    if let Some(state) = check.change.as_ref().map(|change| state(change, check)) {
        found["baselineState"] = state.into();
    }
    if let Some(known) = &check.known {
        found["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": clean(&format!("{} (until {})", known.reason, known.expires)),
        }]);
    }
    found
}

/// `new`: no finding then. `unchanged`: the same finding. `updated`: a finding then too, which is not the same.
fn state(change: &super::Since, check: &Check) -> &'static str {
    if change.status < Some(Status::Warning) {
        "new"
    } else if change.status == check.status
        && change.verdict == crate::comparison::Verdict::Unchanged
    {
        "unchanged"
    } else {
        "updated"
    }
}

fn rule(id: &str) -> Value {
    if let Some(found) = disparities::find(id) {
        let help = format!(
            "Formula: {}\nIdeal: {}\nSource: {}\nEdge cases: {}",
            found.formula, found.ideal, found.source, found.edge_cases
        );
        let markdown = format!(
            "**Formula** {}\n\n**Ideal** {}\n\n**Source** {}\n\n**Edge cases** {}",
            found.formula, found.ideal, found.source, found.edge_cases
        );
        return described(&found.id, &found.title, &found.formula, &help, &markdown);
    }
    if let Some((title, about)) = of_other_task(id) {
        let help = format!(
            "Formula: {}\nSource: {}\nEdge cases: {}",
            about.formula, about.source, about.edge_cases
        );
        let markdown = format!(
            "**Formula** {}\n\n**Source** {}\n\n**Edge cases** {}",
            about.formula, about.source, about.edge_cases
        );
        return described(id, &title, about.formula, &help, &markdown);
    }
    let (title, full, help) = match id {
        "required_attribute" => (
            "A required attribute",
            "The policy asks for an attribute that was not analysed, or whose groups could not be compared.",
            "Name the attribute with --protected and give at least two groups of sufficient size, or take it out of required_attributes.",
        ),
        "rows" => (
            "Too few rows",
            "The policy asks for more rows than were used.",
            "Give more data: with few rows no disparity can be told from chance.",
        ),
        "group_rows" => (
            "A group with too few rows",
            "The policy asks for more rows in each group than this group has.",
            "Give more data of the group, or collect its values into a wider one.",
        ),
        "compliance_score" => (
            "The compliance score",
            "The policy asks for a greater compliance score.",
            "The score is 100 less what disparities are beyond their thresholds, in hundredths.",
        ),
        _ => (
            "A metric out of bounds",
            "The policy says what the metric must be, and it is not.",
            "An error when all of the metric's interval is out of bounds, a warning when only its value is.",
        ),
    };
    let names: Vec<&str> = metrics::registry().iter().map(|metric| metric.id).collect();
    let known = if id == "metric_bound" {
        format!("{help} Metrics: {}.", names.join(", "))
    } else {
        help.to_owned()
    };
    described(id, title, full, &known, &known)
}

/// A disparity of another task than yes or no: its name for people, and what it, or the metric that it is made of, is.
fn of_other_task(id: &str) -> Option<(String, &'static About)> {
    catalogue::meanings(id).into_iter().find_map(|meaning| match meaning {
        Meaning::Other { of_groups: true, about, .. } if about.id != id => {
            Some((format!("{} between groups", about.title), about))
        }
        Meaning::Other { of_groups: false, about, .. } => Some((about.title.to_owned(), about)),
        _ => None,
    })
}

fn described(id: &str, title: &str, full: &str, help: &str, markdown: &str) -> Value {
    json!({
        "id": id,
        "name": id.split('_').map(capital).collect::<String>(),
        "shortDescription": { "text": title },
        "fullDescription": { "text": full },
        "help": { "text": help, "markdown": markdown },
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["fairness"], "precision": "high" },
    })
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// FNV-1a, of 64 bits: to know a finding again, not to keep a secret.
fn fingerprint(key: &str) -> String {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// A path as a relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A text without what could steer whoever shows it.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references_and_keys_are_known_again() {
        assert_eq!(uri("data/a b%é.csv"), "data/a%20b%25%C3%A9.csv");
        assert_eq!(fingerprint(""), "cbf29ce484222325");
        assert_eq!(fingerprint("a"), "af63dc4c8601ec8c");
        assert_eq!(capital("parity"), "Parity");
    }
}
