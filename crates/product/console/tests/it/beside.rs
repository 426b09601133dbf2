//! What stands beside an analysis: how decisions flip with an attribute, and the data alone. Asked for, run, kept and shown.

use axum::http::{StatusCode, header};
use ephor_fairness::{
    AnalysisSpec, CancellationToken,
    data::{describe, representation::Population},
    flips::{self, FlipSpec},
    frame::Grouping,
};
use ephor_tabular::{OpenOptions, Source, Table};
use serde_json::{Value, json};

use crate::support::{Browser, World, world};

/// 400 people: the postcode says the sex, women often leave their income out, and some decisions change with the sex.
fn csv() -> String {
    let mut text = String::from("sex,postcode,income,hired,chosen,changed\n");
    for index in 0..400_u32 {
        let female = index % 2 == 0;
        let chosen = index % 10 < if female { 2 } else { 6 };
        let changed = chosen != (female && index % 16 == 0);
        text.push_str(&format!(
            "{},{},{},{},{},{}\n",
            if female { "<Female>" } else { "Male" },
            if female { "north" } else { "south" },
            if female && index % 4 == 0 { String::new() } else { (1_000 + index).to_string() },
            u32::from(index % 5 < 2),
            u32::from(chosen),
            u32::from(changed),
        ));
    }
    text
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The same rows, read by the engine itself.
async fn table(folder: &tempfile::TempDir) -> Table {
    let path = folder.path().join("people.csv");
    std::fs::write(&path, csv()).unwrap();
    ephor_tabular::open(Source::Path(path), OpenOptions::default()).await.unwrap()
}

async fn started(world: &World) -> (Browser, String) {
    let mut owner = world.owner("ada@example.org").await;
    let answer = owner.upload("people", csv().as_bytes()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let dataset = parsed(&answer.body)["id"].as_str().unwrap().to_owned();
    (owner, dataset)
}

async fn completed(browser: &mut Browser, dataset: &str, parameters: &Value) -> String {
    let body = json!({ "dataset_id": dataset, "parameters": parameters });
    let answer = browser.send_json("/v1/bias_analyses", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let id = parsed(&answer.body)["id"].as_str().unwrap().to_owned();
    browser.get(&format!("/analyses/{id}/events")).await.shows("event: ended");
    let done = browser.get(&format!("/v1/bias_analyses/{id}/result")).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    id
}

#[tokio::test]
async fn the_data_alone_and_flips_are_made_of_the_same_rows() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder).await;
    let id = completed(
        &mut owner,
        &dataset,
        &json!({
            "target": "hired", "prediction": "chosen", "protected": ["sex"], "flipped": "changed",
            "thresholds": { "greatest_flip_rate": 0.0 },
            "data": { "features": ["postcode"], "population": { "sex": { "<Female>": 0.5, "Male": 0.5 } } },
        }),
    )
    .await;

    // The same as `ephor analyze --report data` and `--flipped` say of them.
    let cancel = CancellationToken::new();
    let shares = [("<Female>".to_owned(), 0.5), ("Male".to_owned(), 0.5)].into_iter().collect();
    let population = Population::from([("sex".to_owned(), shares)]);
    let features = ["postcode".to_owned()];
    let spec = AnalysisSpec::new("hired", ["sex"]);
    let frame = table.dataframe().unwrap();
    let own = describe(frame, &spec, &features, &population, &cancel).await.unwrap();
    let kept = owner.get(&format!("/v1/bias_analyses/{id}/data")).await;
    assert_eq!(parsed(&kept.body), serde_json::to_value(&own).unwrap());
    let income = own.tables[0].completeness.iter().find(|one| one.column == "income").unwrap();
    assert_eq!((income.missing, income.groups[0].missing), (100, 100));
    let mut groups = Grouping::new(["sex"]);
    groups.thresholds.insert("greatest_flip_rate".to_owned(), 0.0);
    let asked = FlipSpec::new("chosen", "changed", groups);
    let own = flips::analyze(table.dataframe().unwrap(), &asked, &cancel).await.unwrap();
    let result = parsed(&owner.get(&format!("/v1/bias_analyses/{id}/result")).await.body);
    assert_eq!(result["flips"], serde_json::to_value(&own).unwrap());
    // They are judged, and each is a row.
    let status: String = sqlx::query_scalar(
        "select status from assurance.bias_analysis_results
          where analysis_id = $1 and metric_name = 'greatest_flip_rate'",
    )
    .bind(id.parse::<uuid::Uuid>().unwrap())
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(status, "fail");

    // On the page, in its report, and the data alone.
    for path in [format!("/analyses/{id}"), format!("/analyses/{id}/report.html")] {
        let page = owner.get(&path).await;
        for text in [
            "href=\"#flips\"",
            "id=\"data\"",
            "Which way decisions flip",
            "Completeness by sex",
            "Representation by sex",
            "What else gives a protected attribute away",
            "Nothing is missing of",
            "postcode",
        ] {
            page.shows(text);
        }
        // Scripts and fonts within a report hold such letters, too: of numbers only those that stand in a cell.
        for wrong in ["<Female>", ">NaN"] {
            assert!(!page.body.contains(wrong), "{path} shows {wrong}");
        }
    }
    owner.get(&format!("/analyses/{id}")).await.shows(&format!("/analyses/{id}/data.pdf"));
    let alone = owner.get(&format!("/analyses/{id}/data.html")).await;
    assert_eq!(alone.headers[header::CONTENT_SECURITY_POLICY], "sandbox allow-scripts");
    alone.shows("Groups by sex");
    for path in ["data.pdf", "report.pdf"] {
        let paper = owner.get(&format!("/analyses/{id}/{path}")).await;
        assert!(paper.body.starts_with("%PDF-1.7"), "{path}");
    }

    // Another organization sees nothing of it.
    let mut eve = world.owner("eve@example.org").await;
    for path in [
        format!("/v1/bias_analyses/{id}/data"),
        format!("/analyses/{id}/data.html"),
        format!("/analyses/{id}/data.pdf"),
    ] {
        let hidden = eve.get(&path).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!hidden.body.contains("postcode"), "{path}");
    }
    workers.shutdown().await;
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_there() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let bare = json!({ "target": "hired", "protected": ["sex"] });
    let id = completed(&mut owner, &dataset, &bare).await;
    let refused = owner.get(&format!("/v1/bias_analyses/{id}/data")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.shows("`data` in its parameters");
    let page = owner.get(&format!("/analyses/{id}")).await;
    assert!(!page.body.contains("#flips") && !page.body.contains("data.html"), "{}", page.body);
    let result = parsed(&owner.get(&format!("/v1/bias_analyses/{id}/result")).await.body);
    assert_eq!((result.get("flips"), result.get("data")), (None, None));

    // With nothing but the report, the page says what was not asked.
    let empty = json!({ "target": "hired", "protected": ["sex"], "data": {} });
    let id = completed(&mut owner, &dataset, &empty).await;
    let page = owner.get(&format!("/analyses/{id}")).await;
    page.shows("No population is given");
    page.shows("name features to learn what gives them away");
    workers.shutdown().await;
}

#[tokio::test]
async fn every_fault_of_what_stands_beside_is_told_at_once() {
    let world = world().await;
    let (mut owner, dataset) = started(&world).await;
    let parameters = json!({
        "target": "hired", "protected": ["sex"], "flipped": "chngd",
        "data": { "features": ["postcod", "hired"], "population": { "sx": { "f": 0.4 } } },
    });
    let body = json!({ "dataset_id": dataset, "parameters": parameters });
    let refused = owner.send_json("/v1/bias_analyses", &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    for pointer in [
        "\"/parameters/flipped\"",
        "\"/parameters/data/features/0\"",
        "\"/parameters/data/features/1\"",
        "\"/parameters/data/population/sx\"",
    ] {
        assert!(refused.body.contains(pointer), "{pointer} is not in {}", refused.body);
    }
    // The form tells them beside its fields, and keeps what was ticked.
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", "hired"),
        ("protected", "sex"),
        ("flipped", "changed"),
        ("data_report", "true"),
        ("data_features", "sex"),
        ("data_population", "sex=Female:much"),
    ];
    let refused = owner.submit("/analyses", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "field-flipped-fault-0",
        "field-data_population-fault-0",
        "is the protected attribute and a feature at once",
        "name=\"data_features\" value=\"sex\" checked",
    ] {
        refused.shows(text);
    }
}

#[tokio::test]
async fn the_form_asks_for_flips_and_the_data_alone() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let form = owner.get(&format!("/analyses/new?dataset={dataset}")).await;
    for name in ["flipped", "data_report", "data_features", "data_population"] {
        form.shows(&format!("name=\"{name}\""));
    }
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", "hired"),
        ("prediction", "chosen"),
        ("flipped", "changed"),
        ("protected", "sex"),
        ("data_report", "true"),
        ("data_features", "postcode"),
        ("data_population", "sex=<Female>:0.5,Male:0.5"),
        ("difference_threshold", "0.1"),
        ("ratio_threshold", "0.2"),
        ("confidence", "0.95"),
        ("min_group_size", "30"),
    ];
    let asked = owner.submit("/analyses", &fields).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let place = asked.location().to_owned();
    owner.get(&format!("{place}/events")).await.shows("event: ended");
    let page = owner.get(&place).await;
    for text in ["`chosen` against `changed`", "Representation by sex", "Completeness by sex"] {
        page.shows(text);
    }
    workers.shutdown().await;
}
