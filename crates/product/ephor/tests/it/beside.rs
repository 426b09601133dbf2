//! What stands beside an analysis on a server: the data alone, and how decisions flip with an attribute.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Server, api::Person, data_folder};

/// 200 people: women often leave their income out, and ten of their decisions change with the sex.
fn csv() -> Vec<u8> {
    let mut text = String::from("sex,income,y,p,q\n");
    for index in 0..200_u32 {
        let female = index % 2 == 0;
        let (label, decision) = (index % 5 < 2, index % 3 == 0);
        let changed = decision != (female && index % 20 == 0);
        text.push_str(&format!(
            "{},{},{},{},{}\n",
            if female { "f" } else { "m" },
            if female && index % 4 == 0 { String::new() } else { (1_000 + index).to_string() },
            u32::from(label),
            u32::from(decision),
            u32::from(changed),
        ));
    }
    text.into_bytes()
}

#[tokio::test]
async fn the_data_alone_and_flips_are_kept_and_answered() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("people", csv()).await;
    let parameters = json!({
        "target": "y", "prediction": "p", "protected": ["sex"], "flipped": "q",
        "thresholds": { "greatest_flip_rate": 0.0 },
        "data": { "features": ["income"], "population": { "sex": { "f": 0.6, "m": 0.4 } } },
    });
    let ended = ada.ended(&ada.analyse(&dataset, parameters).await).await;
    assert_eq!((&ended["status"], &ended["outcome"]), (&json!("completed"), &json!("fail")));
    let id = ended["id"].as_str().unwrap();

    let found = ada.json(&format!("/v1/bias_analyses/{id}/data")).await;
    assert_eq!(found["rows"], 200);
    let sex = &found["tables"][0];
    assert_eq!(sex["representation"]["groups"][0]["expected"], 0.6);
    let income = &sex["completeness"][0];
    assert_eq!((&income["column"], &income["missing"]), (&json!("income"), &json!(50)));
    assert_eq!(income["groups"][0]["share"], 0.5);
    assert_eq!(found["proxies"][0]["column"], "income");

    let result = ada.json(&format!("/v1/bias_analyses/{id}/result")).await;
    let flips = &result["flips"];
    assert_eq!(flips["overall"]["n"], 200, "{flips}");
    let rate = |line: &Value| line["metrics"][0]["value"].clone();
    assert_eq!(rate(&flips["overall"]), 0.05);
    assert_eq!(rate(&flips["comparisons"][0]["groups"][0]), 0.1);
    let rows = ada.json(&format!("/v1/bias_analysis_results?analysis_id=eq.{id}&limit=500")).await;
    let rows = rows["data"].as_array().unwrap();
    let greatest = rows.iter().find(|row| row["metric_name"] == "greatest_flip_rate").unwrap();
    assert_eq!((&greatest["status"], &greatest["score"]), (&json!("fail"), &json!(0.1)));

    // One that did not ask says what is missing; a stranger learns nothing.
    let bare = json!({ "target": "y", "protected": ["sex"] });
    let bare = ada.ended(&ada.analyse(&dataset, bare).await).await;
    let path = format!("/v1/bias_analyses/{}/data", bare["id"].as_str().unwrap());
    let refused = ada.get(&path).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("`data` in its parameters"));
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let hidden = eve.get(&format!("/v1/bias_analyses/{id}/data")).send().await.unwrap();
    assert_eq!(hidden.status(), StatusCode::NOT_FOUND);
}
