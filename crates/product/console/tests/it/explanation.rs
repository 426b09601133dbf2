//! From a model's file to the plots of an explanation, without scripts.

use axum::http::StatusCode;

use crate::support::world;

const MODEL: &str =
    r#"{"kind":"logistic","features":["age","income"],"coef":[0.5,-0.25],"intercept":0.1}"#;

/// Two hundred people.
fn csv() -> Vec<u8> {
    let mut text = String::from("age,income,sex\n");
    for index in 0..200 {
        let sex = if index % 2 == 0 { "Female" } else { "Male" };
        text.push_str(&format!("{},{},{sex}\n", 20 + index % 40, index % 17));
    }
    text.into_bytes()
}

fn id(body: &str) -> String {
    body.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn from_a_file_to_the_plots() {
    let world = world().await;
    let workers = world.workers();
    let mut owner = world.owner("ada@example.org").await;
    let form =
        [("name", "Income"), ("model_type", "classification"), ("semantic_version", "1.0.0")];
    let answer = owner.submit("/models", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let model = answer.location().split('?').next().unwrap().to_owned();
    let page = owner.get(&model).await;
    page.shows("Upload a file");
    page.shows("None yet: what moves the model");
    let upload = page.body.split("href=\"").find(|rest| rest.contains("/artifact\"")).unwrap();
    let upload = upload.split('"').next().unwrap().to_owned();
    let page = owner.get(&upload).await;
    page.shows("data-upload data-done=");
    let action = page.body.split("action=\"/v1/model_versions").nth(1).unwrap();
    let action = format!("/v1/model_versions{}", action.split('"').next().unwrap());

    // Before there is a file, the form says where to upload one.
    owner.get("/explanations/new").await.shows("There is no file yet");
    let answer = owner.upload_to(&action, "model", MODEL.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let artifact = id(&answer.body);
    let answer = owner.upload("people", &csv()).await;
    let dataset = id(&answer.body);
    let answer = owner.upload("training", &csv()).await;
    let training = id(&answer.body);
    let answer = owner.upload("others", b"age,sex\n30,Female\n").await;
    let others = id(&answer.body);
    owner.get("/explanations/new").await.shows("The data set itself");
    owner.get("/explanations/new").await.shows("Income 1.0.0: model.csv");

    let refused = owner
        .submit(
            "/explanations",
            &[
                ("artifact_id", artifact.as_str()),
                ("dataset_id", dataset.as_str()),
                ("explanation_type", "shap"),
                ("background_dataset_id", others.as_str()),
                ("group", "colour"),
                ("target", "age"),
                ("seed", "7"),
            ],
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for wanted in [
        "field-group-fault-0",
        "field-target-fault-0",
        "field-background_dataset_id-fault-0",
        "value=\"7\"",
    ] {
        refused.shows(wanted);
    }
    let asked = owner
        .submit(
            "/explanations",
            &[
                ("artifact_id", artifact.as_str()),
                ("dataset_id", dataset.as_str()),
                ("background_dataset_id", training.as_str()),
                ("explanation_type", "shap"),
                ("group", "sex"),
            ],
        )
        .await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let place = asked.location().to_owned();
    owner.get(&format!("{place}/events")).await.shows("event: ended");
    let page = owner.get(&format!("{place}?row=waterfall-4")).await;
    for wanted in [
        "background: training",
        "<svg",
        "All rows",
        "Groups by",
        "selected>Row 5",
        "/plots/waterfall-4.svg",
        "/plots/waterfall-4.png",
    ] {
        page.shows(wanted);
    }
    let svg = owner.get(&format!("{place}/plots/beeswarm.svg")).await;
    assert_eq!(svg.headers["content-type"], "image/svg+xml");
    let png = owner.get(&format!("{place}/plots/beeswarm.png")).await;
    assert_eq!(png.status, StatusCode::OK);
    assert_eq!(png.headers["content-type"], "image/png");
    assert_eq!(png.headers["content-security-policy"], svg.headers["content-security-policy"]);
    assert!(png.body.contains("PNG") && png.body.contains("IHDR"));
    assert_eq!(owner.get(&format!("{place}/plots/none.svg")).await.status, StatusCode::NOT_FOUND);
    owner.get(&format!("{place}/values.csv")).await.shows("row,base,prediction,age,income");
    owner.get(&format!("{place}/report.html")).await.shows("Explanation of a model");
    owner.get(&model).await.shows("SHAP values");
    owner.get("/resources/model_explanations").await.shows(&place);

    let mut eve = world.owner("eve@example.org").await;
    assert_eq!(eve.get(&place).await.status, StatusCode::NOT_FOUND);
    assert_eq!(eve.get(&format!("{place}/values.csv")).await.status, StatusCode::NOT_FOUND);
    workers.shutdown().await;
}
