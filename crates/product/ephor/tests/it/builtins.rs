//! The data that comes with Ephor, in a new organization.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::{Server, api::Person, data_folder, within_async};

#[tokio::test]
async fn a_new_organization_is_furnished_and_chooses_its_frameworks() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let count = async |path: &str| -> Option<u64> {
        ada.json(&format!("/v1/{path}count=exact&limit=1")).await["count"].as_u64()
    };
    within_async("the built-in data", async || {
        (count("personas?").await == Some(45)).then_some(())
    })
    .await;
    assert_eq!(count("frameworks?").await, Some(11));
    assert_eq!(count("controls?").await, Some(35));
    assert_eq!(count("assistant_templates?").await, Some(12));
    assert_eq!(count("requirements?").await, Some(0), "none is asked for yet");
    // Policies come along, and decide nothing before somebody wants them to.
    assert_eq!(count("policies?").await, Some(10));
    assert_eq!(count("policies?is_active=eq.true&").await, Some(0));
    assert_eq!(count("policy_versions?").await, Some(10));

    // A framework that the organization wants to be assessed against brings its requirements, and
    // the links of controls to these.
    let framework = ada.json("/v1/frameworks?code=eq.nyc-ll144").await["data"][0].clone();
    assert_eq!(framework["is_active"], json!(false));
    let changed = ada
        .client
        .patch(format!("{}/v1/frameworks/{}", server.url, framework["id"].as_str().unwrap()))
        .header("if-match", format!("\"{}\"", framework["version"]))
        .json(&json!({"is_active": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK, "{}", changed.text().await.unwrap());
    within_async("its requirements", async || {
        (count("requirements?").await == Some(22)).then_some(())
    })
    .await;
    let links = count("control_requirements?").await.unwrap();
    assert!(links > 5, "{links}");
    let copies = count("builtin_copies?").await.unwrap();
    assert_eq!(copies, 45 + 11 + 35 + 12 + 10 + 22 + links);
}

/// A policy that is switched on, and nothing else of it changed, follows new versions: it is no copy of one's own.
#[tokio::test]
async fn switching_a_policy_on_keeps_it_a_copy() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let found = within_async("the built-in policies", async || {
        let found = ada.json("/v1/policies?code=eq.demographic-parity").await;
        found["data"].get(0).cloned()
    })
    .await;
    let id = found["id"].as_str().unwrap();
    assert_eq!(found["builtin_code"], "demographic-parity");
    assert_eq!(found["rules"][0]["decision"], "review_required");
    let changed = ada
        .client
        .patch(format!("{}/v1/policies/{id}", server.url))
        .header("if-match", format!("\"{}\"", found["version"]))
        .json(&json!({"is_active": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK, "{}", changed.text().await.unwrap());
    let copies = ada.json(&format!("/v1/builtin_copies?row_id=eq.{id}")).await;
    let content = copies["data"][0]["content"].as_object().unwrap();
    assert!(content.contains_key("rules") && !content.contains_key("is_active"));
    // Nothing newer is there to be offered.
    let offer = ada.client.get(format!("{}/v1/policies/{id}/offer", server.url));
    assert_eq!(offer.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    // Nobody takes it for more than it is.
    for page in ["", "/new", &format!("/{id}"), &format!("/{id}/edit")] {
        let page = ada.get(&format!("/resources/policies{page}")).send().await.unwrap();
        assert!(page.text().await.unwrap().contains("an active policy stops nothing by itself"));
    }
}

/// Each metric that a policy names is one that there is.
#[test]
fn policies_name_metrics_that_there_are() {
    fn named(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                if fields.get("fact").is_some_and(|fact| fact == "metric.name") {
                    found.extend(fields["value"].as_str().map(str::to_owned));
                }
                fields.values().for_each(|value| named(value, found));
            }
            serde_json::Value::Array(several) => {
                {
                    for value in several {
                        named(value, found);
                    }
                };
            }
            _ => {}
        }
    }
    let mut names = Vec::new();
    for entry in ephor_guard::builtin::builtins().unwrap().entries {
        named(&entry.values, &mut names);
    }
    assert!(!names.is_empty());
    let documented = include_str!("../../../../../docs/metrics.md");
    for name in names {
        assert!(documented.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// A wording that changes without its version would never reach those who hold a copy.
#[test]
fn what_is_reworded_gets_a_new_version() {
    let golden = include_str!("../golden/builtin_versions.tsv");
    let known: BTreeMap<(&str, &str), &str> = golden
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let [file, version, digest] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("a line has three columns: {line}")
            };
            ((file, version), digest)
        })
        .collect();
    let mut missing = String::new();
    for (file, text) in sources() {
        let version = toml::from_str::<toml::Table>(text).unwrap()["version"].to_string();
        let digest = hex::encode(Sha256::digest(text));
        match known.get(&(file, version.as_str())) {
            Some(recorded) if **recorded == digest => {}
            Some(_) => panic!("{file} was changed: raise its version (now {version})"),
            None => missing += &format!("{file}\t{version}\t{digest}\n"),
        }
    }
    assert!(missing.is_empty(), "add these lines to builtin_versions.tsv:\n{missing}");
}

fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    ephor_compliance::builtin::sources()
        .chain(ephor_deliberation::builtin::sources())
        .chain(ephor_workforce::builtin::sources())
        .chain(ephor_guard::builtin::sources())
}
