//! What completed analyses are read as, over HTTP: comparison, trend, report and model card.

use axum::http::{StatusCode, header};
use serde_json::Value;

use crate::support::{Browser, World, world};

/// Two groups; of the second one, `selected` of twenty are selected. The first group's name is one
/// that a spreadsheet would run.
fn csv(selected: usize) -> Vec<u8> {
    let mut text = String::from("label,prediction,sex\n");
    for index in 0..800 {
        let first = index % 2 == 0;
        let label = index % 5 < 2;
        let at = index / 2 % 20;
        let chosen = if first { at < 12 } else { at < selected };
        let sex = if first { "=1+1" } else { "Female" };
        text.push_str(&format!("{},{},{sex}\n", u8::from(label), u8::from(chosen)));
    }
    text.into_bytes()
}

async fn analysed(browser: &mut Browser, name: &str, selected: usize, model: &str) -> String {
    let answer = browser.upload(name, &csv(selected)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let dataset: Value = serde_json::from_str(&answer.body).unwrap();
    let fields = [
        ("dataset_id", dataset["id"].as_str().unwrap()),
        ("name", name),
        ("target", "label"),
        ("positive_label", "1"),
        ("prediction", "prediction"),
        ("protected", "sex"),
        ("analysis_type", "comprehensive"),
        ("difference_threshold", "0.1"),
        ("ratio_threshold", "0.2"),
        ("confidence", "0.95"),
        ("min_group_size", "30"),
        ("model_id", model),
    ];
    let asked = browser.submit("/analyses", &fields).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let place = asked.location().to_owned();
    place.strip_prefix("/analyses/").unwrap().to_owned()
}

async fn ended(browser: &mut Browser, id: &str) {
    browser.get(&format!("/analyses/{id}/events")).await.shows("event: ended");
}

/// A model at 1.0.0 and then at 1.1.0, each with an analysis: the second is worse.
async fn two_versions(world: &World, owner: &mut Browser) -> (String, String, String) {
    let workers = world.workers();
    let fields = |version: &'static str, metadata: &'static str| {
        [
            ("name", "Hiring <model>"),
            ("model_type", "classification"),
            ("semantic_version", version),
            ("schema", "{}"),
            ("metadata", metadata),
        ]
    };
    let made = owner.submit("/models", &fields("1.0.0", "{}")).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let place = made.location().split('?').next().unwrap().to_owned();
    let model = place.strip_prefix("/models/").unwrap().to_owned();
    let first = analysed(owner, "hiring-1", 11, &model).await;
    ended(owner, &first).await;
    let stated =
        "{\"intended_use\": \"Screening, never <alone>\", \"training_data\": \"=HYPERLINK\"}";
    let mut change = fields("1.1.0", stated).to_vec();
    change.push(("version", "1"));
    let changed = owner.submit(&place, &change).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let second = analysed(owner, "hiring-2", 4, &model).await;
    ended(owner, &second).await;
    workers.shutdown().await;
    (model, first, second)
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn two_versions_are_compared_and_make_a_trend_and_a_card() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let (model, first, second) = two_versions(&world, &mut owner).await;

    // Comparison: by the API and as a page.
    let compared = owner.get(&format!("/v1/bias_analyses/{second}/comparison?with={first}")).await;
    assert_eq!(compared.status, StatusCode::OK, "{}", compared.body);
    let comparison = json(&compared.body);
    assert!(comparison["counts"]["worse"].as_u64().unwrap() > 0, "{comparison}");
    assert!(comparison["score"]["change"].as_f64().unwrap() < 0.0, "{comparison}");
    let choice = owner.get(&format!("/analyses/{second}/compare")).await;
    choice.shows(&format!("<option value=\"{first}\""));
    choice.shows("Choose what was before");
    assert!(!choice.body.contains(&format!("<option value=\"{second}\"")));
    let page = owner.get(&format!("/analyses/{second}/compare?with={first}")).await;
    page.shows("worse beyond noise");
    page.shows("data-plot=\"plot-changes-sex\"");
    page.shows("Demographic parity");
    owner.get(&format!("/analyses/{second}")).await.shows("Compare with");

    // Trend: in the order of versions, whatever was asked for.
    let trend = owner.get(&format!("/v1/models/{model}/trend")).await;
    assert_eq!(trend.status, StatusCode::OK, "{}", trend.body);
    let trend = json(&trend.body);
    let versions: Vec<_> =
        trend["points"].as_array().unwrap().iter().map(|one| &one["semantic_version"]).collect();
    assert_eq!(versions, ["1.0.0", "1.1.0"]);
    let one = format!("/v1/models/{model}/trend?metric=demographic_parity_difference");
    let one = json(&owner.get(&one).await.body);
    assert_eq!(one["lines"].as_array().unwrap().len(), 1, "{one}");
    let marks = one["lines"][0]["marks"].as_array().unwrap();
    assert_eq!(marks.len(), 2);
    assert!((marks[0]["value"].as_f64().unwrap() - 0.05).abs() < 1e-9, "{one}");
    assert!((marks[1]["value"].as_f64().unwrap() - 0.4).abs() < 1e-9, "{one}");
    assert_eq!(marks[1]["status"], "fail");
    let page = owner.get(&format!("/models/{model}/trend")).await;
    page.shows("class=\"trend\"");
    page.shows(&format!("/analyses/{second}/compare?with={first}"));
    owner.get(&format!("/models/{model}")).await.shows(&format!("/models/{model}/trend"));

    // The card says what is stated and measured, and what is not stated.
    let card = owner.get(&format!("/v1/models/{model}/card?format=json")).await;
    let card = json(&card.body);
    assert_eq!(card["model_details"]["version"], "1.1.0");
    assert_eq!(card["intended_use"], "Screening, never <alone>");
    assert_eq!(card["limitations"], Value::Null);
    assert_eq!(card["quantitative_analyses"]["analysis_id"], second.as_str());
    assert_eq!(card["quantitative_analyses"]["model_version"], "1.1.0");
    assert_eq!(card["model-index"][0]["results"][0]["dataset"]["name"], "hiring-2");
    let markdown = owner.get(&format!("/v1/models/{model}/card?format=markdown")).await;
    assert_eq!(markdown.headers[header::CONTENT_TYPE], "text/markdown; charset=utf-8");
    markdown.shows("## Limitations\n\nnot stated");
    markdown.shows("Screening, never &lt;alone&gt;");
    let html = owner.get(&format!("/models/{model}/card.html")).await;
    assert_eq!(html.headers[header::CONTENT_SECURITY_POLICY], "sandbox allow-scripts");
    html.shows("Screening, never &#60;alone&#62;");
    html.shows("Over the versions");
    for path in [format!("/models/{model}/card.pdf"), format!("/v1/models/{model}/card?format=pdf")]
    {
        let paper = owner.get(&path).await;
        assert_eq!(paper.headers[header::CONTENT_TYPE], "application/pdf");
        assert!(paper.body.starts_with("%PDF-1.7"));
    }
    owner.get(&format!("/models/{model}/trend")).await.shows(&format!("/models/{model}/card.pdf"));
}

#[tokio::test]
async fn a_report_is_a_download_in_four_formats() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let workers = world.workers();
    let id = analysed(&mut owner, "hiring", 4, "").await;
    ended(&mut owner, &id).await;
    workers.shutdown().await;
    let page = owner.get(&format!("/analyses/{id}")).await;
    page.shows(&format!("/analyses/{id}/findings.csv"));
    owner
        .get(&format!("/analyses/{id}/compare"))
        .await
        .shows("There is nothing to compare with yet");

    for (format, kind, ending) in [
        ("html", "text/html; charset=utf-8", "html"),
        ("pdf", "application/pdf", "pdf"),
        ("json", "application/json", "json"),
        ("csv", "text/csv; charset=utf-8; header=present", "csv"),
    ] {
        let file = owner.get(&format!("/v1/bias_analyses/{id}/report?format={format}")).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.body);
        assert_eq!(file.headers[header::CONTENT_TYPE], kind);
        let name = format!("attachment; filename=\"bias-analysis-{id}.{ending}\"");
        assert_eq!(file.headers[header::CONTENT_DISPOSITION], name.as_str());
        assert_eq!(file.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    let html = owner.get(&format!("/v1/bias_analyses/{id}/report")).await;
    assert_eq!(html.headers[header::CONTENT_SECURITY_POLICY], "sandbox allow-scripts");
    html.shows("http-equiv=\"Content-Security-Policy\"");
    page.shows(&format!("/analyses/{id}/report.pdf"));
    for path in
        [format!("/analyses/{id}/report.pdf"), format!("/v1/bias_analyses/{id}/report?format=pdf")]
    {
        let paper = owner.get(&path).await;
        assert_eq!(paper.status, StatusCode::OK, "{path}");
        assert!(paper.body.starts_with("%PDF-1.7") && paper.body.contains("/StructTreeRoot"));
        // It promises to be fit for archives and for those who do not see it.
        paper.shows("<pdfaid:part>2</pdfaid:part>");
        paper.shows("<pdfuaid:part>1</pdfuaid:part>");
    }
    // What a spreadsheet would run, it shows.
    let table = owner.get(&format!("/analyses/{id}/findings.csv")).await;
    assert!(table.body.starts_with("attribute,disparity,title,status,value,"), "{}", table.body);
    table.shows(",\"'=1+1\",");
    assert!(!table.body.contains(",=1+1"));
    let unknown = owner.get(&format!("/v1/bias_analyses/{id}/report?format=docx")).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nothing_of_it_is_there_for_others_or_before_its_time() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    let (model, first, second) = two_versions(&world, &mut ada).await;
    let mut eve = world.owner("eve@example.org").await;
    let mut nobody = world.browser();
    let paths = [
        format!("/v1/bias_analyses/{second}/comparison?with={first}"),
        format!("/v1/bias_analyses/{second}/report"),
        format!("/v1/models/{model}/trend"),
        format!("/v1/models/{model}/card"),
        format!("/analyses/{second}/compare"),
        format!("/analyses/{second}/findings.csv"),
        format!("/models/{model}/trend"),
        format!("/models/{model}/card.html"),
        format!("/v1/bias_analyses/{second}/report?format=pdf"),
        format!("/v1/models/{model}/card?format=pdf"),
        format!("/analyses/{second}/report.pdf"),
        format!("/models/{model}/card.pdf"),
    ];
    for path in &paths {
        assert_eq!(ada.get(path).await.status, StatusCode::OK, "{path}");
        let hidden = eve.get(path).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!hidden.body.contains("hiring") && !hidden.body.contains("Hiring"), "{path}");
        assert_ne!(nobody.get(path).await.status, StatusCode::OK, "{path}");
    }
    // One's own analysis beside somebody else's.
    let workers = world.workers();
    let own = analysed(&mut eve, "own", 4, "").await;
    ended(&mut eve, &own).await;
    workers.shutdown().await;
    for path in [
        format!("/v1/bias_analyses/{own}/comparison?with={second}"),
        format!("/analyses/{own}/compare?with={second}"),
    ] {
        assert_eq!(eve.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }

    // There is no worker any more: it waits.
    let waiting = analysed(&mut ada, "waiting", 4, "").await;
    for path in [
        format!("/v1/bias_analyses/{waiting}/report"),
        format!("/v1/bias_analyses/{waiting}/comparison?with={first}"),
        format!("/v1/bias_analyses/{first}/comparison?with={waiting}"),
    ] {
        assert_eq!(ada.get(&path).await.status, StatusCode::CONFLICT, "{path}");
    }
    for path in [
        format!("/v1/bias_analyses/{first}/comparison"),
        format!("/v1/bias_analyses/{first}/comparison?with=x"),
        format!("/v1/models/{model}/trend?metric=demographic_parity_differenc"),
        format!("/v1/models/{model}/card?format=docx"),
    ] {
        assert_eq!(ada.get(&path).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
}
