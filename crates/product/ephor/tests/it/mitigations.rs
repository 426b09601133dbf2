//! Mitigations over HTTP: computed from an analysis, downloaded, applied, and compared; nobody else's.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server, adult,
    api::{Person, answered},
    data_folder, ephor, within_async,
};

async fn status(person: &Person, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = person.post(path).json(&body).send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

/// Waits until a row is at its end; answers it.
async fn at_its_end(person: &Person, path: &str) -> Value {
    within_async("it ends", async || {
        let row = person.json(path).await;
        ["completed", "failed"].contains(&row["status"].as_str().unwrap()).then_some(row)
    })
    .await
}

fn of(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_else(|| panic!("no {name}: {row}")).to_owned()
}

fn pointers(problem: &Value) -> Vec<String> {
    problem["faults"].as_array().unwrap().iter().map(|fault| of(fault, "pointer")).collect()
}

#[tokio::test]
async fn a_mitigation_is_computed_applied_and_compared() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("adult", std::fs::read(adult()).unwrap()).await;
    let parameters = json!({ "target": "y_true", "prediction": "y_pred", "score": "score", "protected": ["sex"] });
    let analysis = ada.analyse(&dataset, parameters).await;
    let analysis = ada.ended(&analysis).await;
    let mitigations = format!("/v1/bias_analyses/{}/mitigations", of(&analysis, "id"));

    // Everything that is wrong, at once.
    let wrong = json!({
        "method": "threshold", "constraint": "equalized_odds", "tolerance": 2, "score": "scoer",
        "protected": ["sex", "colour"],
    });
    let (refused, problem) = status(&ada, &mitigations, wrong).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let found = pointers(&problem);
    for wanted in ["/randomized", "/tolerance", "/score", "/protected/1"] {
        assert!(found.iter().any(|pointer| pointer == wanted), "{wanted} is not in {found:?}");
    }

    let asked = json!({ "method": "threshold", "constraint": "demographic_parity" });
    let (accepted, made) = status(&ada, &mitigations, asked.clone()).await;
    assert_eq!(accepted, StatusCode::ACCEPTED, "{made}");
    let one = format!("/v1/mitigation_artifacts/{}", of(&made, "id"));
    let row = at_its_end(&ada, &one).await;
    assert_eq!(row["status"], "completed", "{row}");
    assert_eq!(row["row_count"], 16_281);
    let differs =
        |side: &str| row["expected"][side]["demographic_parity_difference"].as_f64().unwrap();
    assert!(differs("after") <= 0.01 && differs("after") < differs("before"), "{row}");
    let listed = ada.json(&mitigations).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert!(listed["data"][0].get("artifact").is_none(), "it is a download of its own");

    // The download is what the command takes, to the byte that it makes of the same data.
    let artifact = ada.get(&format!("{one}/artifact")).send().await.unwrap();
    assert!(artifact.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let kept = data.path().join("artifact.json");
    std::fs::write(&kept, artifact.bytes().await.unwrap()).unwrap();
    let out = data.path().join("decided.csv");
    let applied = ephor()
        .args(["mitigate", "apply"])
        .arg(&kept)
        .arg(adult())
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));

    // Applied, with all faults at once.
    let apply = format!("{one}/apply");
    let bad =
        json!({ "dataset_id": dataset["id"], "column": "sex", "row_id": "nobody", "name": " " });
    let (refused, problem) = status(&ada, &apply, bad).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let mut found = pointers(&problem);
    found.sort();
    assert_eq!(found, ["/column", "/name", "/row_id"]);
    let other = ada.upload("other", b"a,b\n1,2\n".to_vec()).await;
    let (refused, problem) = status(&ada, &apply, json!({ "dataset_id": other["id"] })).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert!(pointers(&problem).iter().all(|pointer| pointer == "/dataset_id"), "{problem}");

    let body = json!({ "dataset_id": dataset["id"] });
    let (accepted, application) = status(&ada, &apply, body.clone()).await;
    assert_eq!(accepted, StatusCode::ACCEPTED, "{application}");
    let row =
        at_its_end(&ada, &format!("/v1/mitigation_applications/{}", of(&application, "id"))).await;
    assert_eq!((&row["status"], &row["row_count"]), (&json!("completed"), &json!(16_281)), "{row}");
    assert_eq!((&row["before_analysis_id"], &row["note"]), (&analysis["id"], &json!("")), "{row}");
    let result = ada.json(&format!("/v1/datasets/{}", of(&row, "result_dataset_id"))).await;
    assert_eq!((&result["status"], &result["row_count"]), (&json!("ready"), &json!(16_281)));
    assert!(result["name"].as_str().unwrap().starts_with("adult, Thresholds by sex"), "{result}");
    assert_eq!(result["metadata"]["source_dataset"], dataset["id"]);
    let columns = result["schema"].as_array().unwrap();
    assert_eq!(columns.last().unwrap()["name"], "mitigated_prediction");

    // The command decides as the server did.
    let rows = ada.get(&format!("/v1/datasets/{}/rows?limit=100", of(&row, "result_dataset_id")));
    let rows = answered(rows).await;
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 100);
    for (row, line) in rows.as_array().unwrap().iter().zip(written.lines().skip(1)) {
        let decided = row["mitigated_prediction"].to_string();
        assert_eq!(Some(decided.as_str()), line.rsplit(',').next(), "{row}");
    }

    let after = ada.ended(&json!({ "id": row["after_analysis_id"] })).await;
    assert_eq!(after["status"], "completed", "{after}");
    let path = format!(
        "/v1/bias_analyses/{}/comparison?with={}",
        of(&row, "after_analysis_id"),
        of(&row, "before_analysis_id")
    );
    let comparison = ada.json(&path).await;
    assert_eq!(comparison["comparable"], true, "{}", comparison["differences"]);
    let improved = comparison["attributes"][0]["disparities"].as_array().unwrap().iter();
    let improved = improved.filter(|one| one["id"] == "demographic_parity_difference");
    assert!(improved.clone().all(|one| one["verdict"] == "improved"), "{comparison}");
    assert_eq!(improved.count(), 1);

    // Pages.
    let page = async |path: &str| ada.get(path).send().await.unwrap().text().await.unwrap();
    let shown = page(&one.replace("/v1/mitigation_artifacts", "/mitigations")).await;
    for words in [
        "Title VII",
        "plot-frontier",
        "What it is expected to do",
        "/compare?with=",
        "Download the artefact",
    ] {
        assert!(shown.contains(words), "{words} is missing in {shown}");
    }
    let shown = page(&format!("/analyses/{}", of(&analysis, "id"))).await;
    assert!(shown.contains("Compute this mitigation") && shown.contains("Thresholds by sex"));
    assert!(page("/resources/mitigation_artifacts").await.contains("Thresholds by sex"));

    // A stranger reaches none of it.
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    for (path, body) in [(&mitigations, &asked), (&apply, &body)] {
        assert_eq!(status(&eve, path, body.clone()).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let nobody = Person::nobody(&server.url);
    for path in [
        one.clone(),
        format!("{one}/artifact"),
        one.replace("/v1/mitigation_artifacts", "/mitigations"),
    ] {
        assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(status(&nobody, &apply, body).await.0, StatusCode::UNAUTHORIZED);

    // Gone with its applications; what they made stays.
    let delete = ada.client.delete(format!("{}{one}", server.url)).header("if-match", "*");
    assert_eq!(delete.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(ada.json("/v1/mitigation_applications").await["data"], json!([]));
    assert_eq!(ada.json(&format!("/v1/datasets/{}", of(&result, "id"))).await["status"], "ready");
}

#[tokio::test]
async fn weights_are_computed_from_labels_alone_and_what_cannot_be_is_told() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let mut text = "y,sex,half\n".to_owned();
    for number in 0..400 {
        let (sex, positive) =
            if number % 2 == 0 { ("f", number % 10 == 0) } else { ("m", number % 3 == 0) };
        text.push_str(&format!("{},{sex},{}\n", u8::from(positive), number % 2 * 7));
    }
    let dataset = ada.upload("labels", text.into_bytes()).await;
    let analysis = ada.analyse(&dataset, json!({ "target": "y", "protected": ["sex"] })).await;
    let mitigations = format!("/v1/bias_analyses/{}/mitigations", of(&analysis, "id"));
    let (refused, problem) = status(&ada, &mitigations, json!({ "method": "threshold" })).await;
    assert_eq!(
        (refused, pointers(&problem)),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["/score".to_owned()])
    );

    let (_, made) =
        status(&ada, &mitigations, json!({ "method": "reweighing", "name": "Fair" })).await;
    let one = format!("/v1/mitigation_artifacts/{}", of(&made, "id"));
    let row = at_its_end(&ada, &one).await;
    assert_eq!((&row["status"], &row["name"]), (&json!("completed"), &json!("Fair")), "{row}");
    let (_, application) =
        status(&ada, &format!("{one}/apply"), json!({ "dataset_id": dataset["id"] })).await;
    let application =
        at_its_end(&ada, &format!("/v1/mitigation_applications/{}", of(&application, "id"))).await;
    assert_eq!(application["status"], "completed", "{application}");
    let after = ada.ended(&json!({ "id": application["after_analysis_id"] })).await;
    assert_eq!(
        (&after["status"], &after["outcome"]),
        (&json!("completed"), &json!("pass")),
        "{after}"
    );
    assert_eq!(after["parameters"]["weight"], "mitigated_weight");

    // Whole groups of one label and no score: what only the data tell fails with the reason.
    let (_, made) = status(
        &ada,
        &mitigations,
        json!({ "method": "reject_option", "score": "half", "constraint": "equal_opportunity" }),
    )
    .await;
    let row = at_its_end(&ada, &format!("/v1/mitigation_artifacts/{}", of(&made, "id"))).await;
    assert_eq!(row["status"], "failed", "{row}");
    assert!(of(&row, "failure").contains("between 0 and 1"), "{row}");
    let gone = format!("/v1/mitigation_artifacts/{}", of(&made, "id"));
    let download = ada.get(&format!("{gone}/artifact")).send().await.unwrap();
    assert_eq!(download.status(), StatusCode::CONFLICT);
    let (conflict, _) =
        status(&ada, &format!("{gone}/apply"), json!({ "dataset_id": dataset["id"] })).await;
    assert_eq!(conflict, StatusCode::CONFLICT);
    let page =
        ada.get(&gone.replace("/v1/mitigation_artifacts", "/mitigations")).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("The mitigation could not be computed"));
}
