//! Analyses of numbers, classes and lists, and reports of the law: asked for, run, kept and shown, and the same as the
//! engine's own.

use axum::http::{StatusCode, header};
use ephor_fairness::{
    AnalysisSpec, CancellationToken,
    law::{self, LawSpec, ReportOptions, Rule},
    read_cube,
    task::{self, TaskSpec},
};
use ephor_tabular::{OpenOptions, Source, Table};
use serde_json::{Value, json};

use crate::support::{Browser, World, world};

/// 480 people: what is predicted of women is further from what is so, and they are seen later and selected less often.
fn csv() -> String {
    let mut text = String::from(
        "sex,race,job,price,estimate,grade,given,query,place,relevance,hired,chosen,score\n",
    );
    for index in 0..480_u32 {
        let female = index % 2 == 0;
        let sex = if index % 97 == 96 {
            "declined"
        } else if female {
            "Female"
        } else {
            "Male"
        };
        let race = ["Black", "White", "Asian"][(index / 2 % 3) as usize];
        let price = 100 + index * 7 % 50;
        let error = if female { 9 } else { 2 };
        let grade = ["a", "b", "c"][(index / 3 % 3) as usize];
        let given = if female && index % 4 == 0 { "c" } else { grade };
        let place = if female { 5 + index / 2 % 5 } else { index / 2 % 5 };
        let hired = u32::from(index % 5 < 2);
        let chosen = u32::from(if female { index % 10 < 2 } else { index % 10 < 6 });
        text.push_str(&format!(
            "{sex},{race},{},{price},{},{grade},{given},{},{place},{},{hired},{chosen},0.{:03}\n",
            if index % 7 < 3 { "clerk" } else { "cook" },
            price + error,
            index / 10,
            100 - place,
            index * 37 % 1000,
        ));
    }
    text
}

async fn uploaded(browser: &mut Browser) -> String {
    let answer = browser.upload("people", csv().as_bytes()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    parsed(&answer.body)["id"].as_str().unwrap().to_owned()
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

async fn asked(browser: &mut Browser, dataset: &str, parameters: &Value) -> Value {
    let body = json!({ "dataset_id": dataset, "parameters": parameters });
    let answer = browser.send_json("/v1/bias_analyses", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    parsed(&answer.body)
}

/// Waits for an analysis, and reads it as it is stored.
async fn ended(world: &World, browser: &mut Browser, id: &str) -> Value {
    browser.get(&format!("/analyses/{id}/events")).await.shows("event: ended");
    stored(world, "select to_jsonb(a) - 'metrics' from assurance.bias_analyses a where id = $1", id)
        .await
}

async fn stored(world: &World, query: &'static str, id: &str) -> Value {
    sqlx::query_scalar(query)
        .bind(id.parse::<uuid::Uuid>().unwrap())
        .fetch_one(&world.db.admin())
        .await
        .unwrap()
}

async fn started(world: &World) -> (Browser, String) {
    let mut owner = world.owner("ada@example.org").await;
    let dataset = uploaded(&mut owner).await;
    (owner, dataset)
}

#[tokio::test]
async fn every_task_finds_what_the_engine_finds_and_shows_it() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder).await;
    for (parameters, texts) in [
        (
            json!({ "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex", "race"],
                    "loss": "absolute", "loss_bound": 5.0, "thresholds": { "mae_difference": 2.0 } }),
            ["plot-mae-sex", "bounded_group_loss", "Groups by sex and race"],
        ),
        (
            json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["sex", "race"],
                    "thresholds": { "tpr_difference": 0.1 } }),
            ["plot-accuracy-sex", "Each class against the rest", "Confusion by sex"],
        ),
        (
            json!({ "task": "ranking", "list": "query", "position": "place", "top": 3, "protected": ["sex"] }),
            ["plot-exposure-sex", "exposure_ratio", "ndkl"],
        ),
    ] {
        let word = parameters["task"].as_str().unwrap().to_owned();
        let made = asked(&mut owner, &dataset, &parameters).await;
        assert_eq!(
            (&made["task"], &made["analysis_type"]),
            (&json!(word), &json!("comprehensive"))
        );
        let id = made["id"].as_str().unwrap().to_owned();
        let done = ended(&world, &mut owner, &id).await;
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!((&done["outcome"], &done["compliance_score"]), (&json!("fail"), &Value::Null));

        // What is kept is what the engine finds in the same rows.
        let spec = TaskSpec::read(&parameters).unwrap();
        let frame = table.dataframe().unwrap();
        let own = task::analyze(frame, &spec, &(), &CancellationToken::new()).await.unwrap();
        let kept = parsed(&owner.get(&format!("/v1/bias_analyses/{id}/result")).await.body);
        assert_eq!(kept, serde_json::to_value(&own).unwrap(), "{word}");
        assert_eq!(done["failed_count"], own.counts().fail, "{word}");
        let rows =
            "select to_jsonb(count(*)) from assurance.bias_analysis_results where analysis_id = $1";
        let rows = stored(&world, rows, &id).await;
        assert_eq!(rows, own.disparities().len(), "{word}");
        // Of single classes they say which.
        let classes = "select to_jsonb(count(*)) from assurance.bias_analysis_results
                        where analysis_id = $1 and additional_data ? 'class' and status is not null";
        let classes = stored(&world, classes, &id).await;
        let judged = own.disparities();
        let judged =
            judged.iter().filter(|one| one.class.is_some() && one.disparity.status.is_some());
        assert_eq!(classes, judged.count(), "{word}");
        assert_eq!(classes != 0, word == "multiclass");

        // Page, report, table; and what says clearly why not.
        let page = owner.get(&format!("/analyses/{id}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for text in texts {
            page.shows(text);
        }
        assert!(!page.body.contains("NaN"), "{word}");
        page.shows("Compare with");
        owner.get(&format!("/analyses/{id}/report.html")).await.shows(texts[0]);
        let paper = owner.get(&format!("/analyses/{id}/report.pdf")).await;
        assert!(paper.body.starts_with("%PDF-1.7"), "{word}");
        let findings = owner.get(&format!("/v1/bias_analyses/{id}/report?format=csv")).await;
        findings.shows("attribute,disparity,title");
        assert_eq!(findings.body.trim_end().lines().count(), own.disparities().len() + 1, "{word}");
        let json = owner.get(&format!("/v1/bias_analyses/{id}/report?format=json")).await;
        assert_eq!(parsed(&json.body), kept);
        for path in
            [format!("/v1/bias_analyses/{id}/law/ll144"), format!("/analyses/{id}/law/eeoc.html")]
        {
            let refused = owner.get(&path).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{path}: {}", refused.body);
            refused.shows(&format!("task {word}"));
        }
        owner.get(&format!("/analyses?task={word}")).await.shows(&id);
    }
    owner.get("/").await.shows("Open failures");
    workers.shutdown().await;
}

/// The same people, seen in any order; `worse`: further off about women, who stand last in most lists.
fn people(worse: bool) -> String {
    let line = |(at, line): (usize, &str)| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if let Some(index) = at.checked_sub(1) {
            let women = worse && cells[0] == "Female";
            let estimate: usize = cells[4].parse().unwrap();
            cells[4] = (estimate + index % 3 + if women { 40 } else { 0 }).to_string();
            let list = index / 10;
            let place = (index * 7 + list * 3) % 10;
            cells[8] = (place + if women && list % 3 > 0 { 30 } else { 0 }).to_string();
            if women {
                cells[6] = "c".into();
            }
        }
        cells.join(",") + "\n"
    };
    csv().lines().enumerate().map(line).collect()
}

/// Uploads rows, and analyses them.
async fn analysed(world: &World, browser: &mut Browser, rows: &str, parameters: &Value) -> String {
    let answer = browser.upload("people", rows.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let dataset = parsed(&answer.body)["id"].as_str().unwrap().to_owned();
    let id = asked(browser, &dataset, parameters).await["id"].as_str().unwrap().to_owned();
    assert_eq!(ended(world, browser, &id).await["status"], "completed");
    id
}

#[tokio::test]
async fn analyses_of_one_task_are_compared_and_of_two_they_are_not() {
    let world = world().await;
    let workers = world.workers();
    let mut owner = world.owner("ada@example.org").await;
    let tasks = [
        (
            json!({ "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex", "race"],
                    "thresholds": { "mae_difference": 2.0 } }),
            ("mae", "mae_difference", "Mean absolute error"),
        ),
        (
            json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["sex", "race"],
                    "thresholds": { "accuracy_difference": 0.05, "tpr_difference": 0.1 } }),
            ("accuracy", "accuracy_difference", "against the rest"),
        ),
        (
            json!({ "task": "ranking", "list": "query", "position": "place", "protected": ["sex", "race"] }),
            ("exposure", "exposure_ratio", "Share of the top"),
        ),
    ];
    let mut before = Vec::new();
    for (parameters, (metric, disparity, text)) in &tasks {
        let word = parameters["task"].as_str().unwrap();
        let was = analysed(&world, &mut owner, &people(false), parameters).await;
        let is = analysed(&world, &mut owner, &people(true), parameters).await;
        let path = format!("/v1/bias_analyses/{is}/comparison?with={was}");
        let found = owner.get(&path).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
        let found = parsed(&found.body);
        assert_eq!((&found["task"], &found["comparable"]), (&json!(word), &json!(true)), "{found}");
        assert_eq!(found["score"]["current"], Value::Null);
        let list = |value: &Value| value.as_array().unwrap().clone();
        let sex = list(&found["attributes"])
            .into_iter()
            .find(|one| one["name"] == "sex" && one["class"].is_null())
            .unwrap();
        let group = |name: &str| list(&sex["groups"]).into_iter().find(|one| one["name"] == name);
        let metrics = list(&group("Female").unwrap()["metrics"]);
        let change = metrics.iter().find(|one| one["id"] == *metric).unwrap();
        assert_ne!(change["verdict"], "unchanged", "{word}: {change}");
        let disparities = list(&sex["disparities"]);
        let change = disparities.iter().find(|one| one["id"] == *disparity).unwrap();
        assert_eq!(
            (&change["judged"], &change["verdict"]),
            (&json!(true), &json!("worse")),
            "{word}: {change}"
        );
        assert!(change["gap_interval"]["lower"].as_f64().unwrap() > 0.0, "{word}: {change}");

        let page = owner.get(&format!("/analyses/{is}/compare?with={was}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        page.shows("worse beyond noise");
        page.shows("Metrics of each group of sex");
        page.shows(text);
        page.shows("data-plot=\"plot-changes-sex\"");
        assert!(!page.body.contains("Compliance score") && !page.body.contains("NaN"), "{word}");
        let choice = owner.get(&format!("/analyses/{is}/compare")).await;
        choice.shows(&format!("<option value=\"{was}\""));
        // Those of other tasks are not offered, and are refused.
        for (other, other_word) in &before {
            assert!(!choice.body.contains(&format!("<option value=\"{other}\"")), "{word}");
            for path in [
                format!("/v1/bias_analyses/{is}/comparison?with={other}"),
                format!("/analyses/{is}/compare?with={other}"),
            ] {
                let refused = owner.get(&path).await;
                assert_eq!(refused.status, StatusCode::CONFLICT, "{path}: {}", refused.body);
                refused.shows(&format!("task {word}"));
                refused.shows(&format!("task {other_word}"));
            }
            let refused =
                owner.get(&format!("/v1/bias_analyses/{is}/comparison?with={other}")).await;
            assert_eq!(parsed(&refused.body)["code"], "other_task", "{}", refused.body);
        }
        before.push((was, word.to_owned()));
    }
    workers.shutdown().await;
}

#[tokio::test]
async fn a_models_trend_and_card_tell_tasks_apart() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let fields = [
        ("name", "Prices"),
        ("model_type", "regression"),
        ("semantic_version", "1.0.0"),
        ("schema", "{}"),
        ("metadata", "{}"),
    ];
    let made = owner.submit("/models", &fields).await;
    let model = made.location().split('?').next().unwrap().replace("/models/", "");
    let mut last = String::new();
    for parameters in [
        json!({ "target": "hired", "prediction": "chosen", "protected": ["sex"] }),
        json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["sex"],
                "thresholds": { "accuracy_difference": 0.1, "tpr_difference": 0.1 } }),
        json!({ "task": "ranking", "list": "query", "score": "relevance", "protected": ["sex"] }),
        json!({ "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex"] }),
    ] {
        let body = json!({ "dataset_id": dataset, "model_id": model, "parameters": parameters });
        let asked = owner.send_json("/v1/bias_analyses", &body).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
        last = parsed(&asked.body)["id"].as_str().unwrap().to_owned();
        assert_eq!(ended(&world, &mut owner, &last).await["status"], "completed");
        for format in ["html", "markdown", "json"] {
            let card = owner.get(&format!("/v1/models/{model}/card?format={format}")).await;
            assert_eq!(card.status, StatusCode::OK, "{}", card.body);
        }
    }
    let trend = parsed(&owner.get(&format!("/v1/models/{model}/trend")).await.body);
    let tasks: Vec<&str> = trend["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["task"].as_str().unwrap())
        .collect();
    assert_eq!(tasks, ["binary", "multiclass", "ranking", "regression"]);
    let lines = trend["lines"].as_array().unwrap();
    for (task, metric) in [
        ("binary", "demographic_parity_difference"),
        ("multiclass", "accuracy_difference"),
        ("ranking", "exposure_ratio"),
        ("regression", "prediction_distance"),
    ] {
        let line = lines.iter().find(|one| one["task"] == task && one["metric"] == metric);
        let line = line.unwrap_or_else(|| panic!("{task} {metric} is not in {trend}"));
        assert_eq!(line["marks"].as_array().unwrap().len(), 1);
        assert!(line["ideal"].is_number());
    }
    // Of single classes there are many: a trend has none of them.
    assert!(lines.iter().all(|one| one["metric"] != "tpr_difference" || one["task"] == "binary"));
    let one = owner.get(&format!("/v1/models/{model}/trend?metric=prediction_distance")).await;
    assert_eq!(parsed(&one.body)["lines"].as_array().unwrap().len(), 1);
    owner.get(&format!("/models/{model}/trend?metric=exposure_ratio")).await.shows("Exposure");
    // No analysis is led to one of another task: they cannot be compared.
    let page = owner.get(&format!("/models/{model}/trend")).await;
    assert!(!page.body.contains("/compare?with="), "{}", page.body);
    page.shows("(regression)");

    let card = parsed(&owner.get(&format!("/v1/models/{model}/card?format=json")).await.body);
    let found = &card["quantitative_analyses"];
    assert_eq!((&found["analysis_id"], &found["task"]), (&json!(last), &json!("regression")));
    assert_eq!((&found["target"], &found["positive_label"]), (&json!("price"), &Value::Null));
    assert_eq!(found["overall"]["metrics"][2]["id"], "mae");
    let disparities = found["attributes"][0]["disparities"].as_array().unwrap();
    assert!(disparities.iter().any(|one| one["id"] == "prediction_distance"), "{found}");
    workers.shutdown().await;
}

#[tokio::test]
async fn every_fault_of_a_task_is_told_at_once() {
    let world = world().await;
    let (mut owner, dataset) = started(&world).await;
    let told = async |owner: &mut Browser, parameters: Value| -> Vec<(String, String)> {
        let body = json!({ "dataset_id": dataset, "name": "", "parameters": parameters });
        let answer = owner.send_json("/v1/bias_analyses", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        let word = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
        let problem = parsed(&answer.body);
        let faults = problem["faults"].as_array().unwrap();
        faults.iter().map(|fault| (word(fault, "pointer"), word(fault, "code"))).collect()
    };
    for (parameters, wanted) in [
        (
            json!({ "task": "regression", "target": "sex", "prediction": "guess", "protected": ["sec"], "loss_bound": -1 }),
            vec![
                "/name",
                "/parameters/target",
                "/parameters/prediction",
                "/parameters/protected/0",
                "/parameters/loss_bound",
            ],
        ),
        (
            json!({ "task": "ranking", "target": "price", "top": 0, "protected": ["sex"], "confidence": 2 }),
            vec!["/name", "/parameters/target", "/parameters/confidence"],
        ),
        (
            json!({ "task": "ranking", "top": 0, "protected": ["sex"] }),
            vec!["/name", "/parameters/position", "/parameters/top"],
        ),
        (
            json!({ "task": "multiclass", "protected": [], "los": 1, "thresholds": 3 }),
            vec![
                "/name",
                "/parameters/los",
                "/parameters/thresholds",
                "/parameters/target",
                "/parameters/protected",
            ],
        ),
        (
            json!({ "target": "hired", "protected": ["sex"], "weight": "price",
                    "law": { "rules": ["ll144", "ll144"], "exclude_below": 0.1 } }),
            vec![
                "/name",
                "/parameters/weight",
                "/parameters/law/rules/1",
                "/parameters/law/exclude_below",
                "/parameters/law/exclude_reason",
            ],
        ),
        (json!({ "task": "poetry" }), vec!["/name", "/parameters/task"]),
    ] {
        let found = told(&mut owner, parameters.clone()).await;
        for place in wanted {
            assert!(
                found.iter().any(|(pointer, _)| pointer == place),
                "{place}: {parameters}: {found:?}"
            );
        }
    }
    // The form tells them beside its fields.
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("task", "regression"),
        ("target", "sex"),
        ("prediction", ""),
        ("protected", "sex"),
        ("strata", "job"),
        ("loss_bound", "much"),
        ("law_eeoc", "true"),
    ];
    let refused = owner.submit("/analyses", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in ["field-strata-fault-0", "field-loss_bound-fault-0", "field-law_ll144-fault-0"] {
        refused.shows(text);
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_no_failure_of_the_server() {
    let world = world().await;
    let workers = world.workers();
    let mut owner = world.owner("ada@example.org").await;
    // One class, one group, nulls, numbers beyond all bounds.
    let rows = "y,p,sex,at\n1,1e308,f,1\n,-1e308,f,2\n1e308,,f,\n-1e308,1e308,f,inf\n1,NaN,,3\n";
    let answer = owner.upload("odd", rows.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let dataset = parsed(&answer.body)["id"].as_str().unwrap().to_owned();
    for parameters in [
        json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"], "min_group_size": 0 }),
        json!({ "task": "multiclass", "target": "sex", "prediction": "sex", "protected": ["at"] }),
        json!({ "task": "ranking", "position": "at", "protected": ["sex"] }),
        json!({ "target": "sex", "positive_label": "f", "protected": ["at"], "law": { "rules": ["eeoc"] } }),
    ] {
        let body = json!({ "dataset_id": dataset, "parameters": parameters });
        let asked = owner.send_json("/v1/bias_analyses", &body).await;
        if asked.status == StatusCode::UNPROCESSABLE_ENTITY {
            continue;
        }
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
        let id = parsed(&asked.body)["id"].as_str().unwrap().to_owned();
        let done = ended(&world, &mut owner, &id).await;
        if done["status"] == "failed" {
            assert!(done["failure"].as_str().unwrap().len() > 20, "{done}");
            continue;
        }
        let page = owner.get(&format!("/analyses/{id}")).await;
        assert_eq!(page.status, StatusCode::OK, "{parameters}: {}", page.body);
        assert!(!page.body.contains("NaN"), "{parameters}: {}", page.body);
        let report = owner.get(&format!("/analyses/{id}/report.html")).await;
        assert_eq!(report.status, StatusCode::OK, "{parameters}");
    }
    workers.shutdown().await;
}

#[tokio::test]
async fn reports_of_the_law_are_made_of_the_same_rows() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder).await;
    let parameters = json!({
        "target": "hired", "prediction": "chosen", "score": "score", "protected": ["sex", "race"], "strata": "job",
        "law": { "rules": ["ll144", "eeoc"], "unknown": ["declined"], "exclude_below": 0.02, "exclude_reason": "Too <few>." },
    });
    let made = asked(&mut owner, &dataset, &parameters).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(ended(&world, &mut owner, &id).await["status"], "completed");

    // The same as `ephor analyze --report`, to which strata are one more attribute.
    let cancel = CancellationToken::new();
    let options = ReportOptions {
        exclude_below: Some(0.02),
        exclude_reason: Some("Too <few>.".into()),
        unknown: ["declined".to_owned()].into(),
        strata: None,
    };
    let mut spec = AnalysisSpec::new("hired", ["sex", "race"]);
    spec.prediction = Some("chosen".into());
    spec.score = Some("score".into());
    let cube = read_cube(table.dataframe().unwrap(), &spec, &(), &cancel).await.unwrap();
    let own = law::report(Rule::Ll144, &cube, &spec, &options).unwrap();
    let kept = owner.get(&format!("/v1/bias_analyses/{id}/law/ll144")).await;
    assert_eq!(parsed(&kept.body), serde_json::to_value(&own).unwrap());
    spec.protected.push("job".into());
    let cube = read_cube(table.dataframe().unwrap(), &spec, &(), &cancel).await.unwrap();
    let options = ReportOptions { strata: Some("job".into()), ..options };
    let own = law::report(Rule::Eeoc, &cube, &spec, &options).unwrap();
    let kept = owner.get(&format!("/v1/bias_analyses/{id}/law/eeoc")).await;
    assert_eq!(parsed(&kept.body), serde_json::to_value(&own).unwrap());

    // On the page, in its report, and each alone.
    for path in [format!("/analyses/{id}"), format!("/analyses/{id}/report.html")] {
        let page = owner.get(&path).await;
        page.shows("href=\"#law-ll144\"");
        page.shows("id=\"law-eeoc\"");
        page.shows("no pass line");
    }
    owner.get(&format!("/analyses/{id}")).await.shows(&format!("/analyses/{id}/law/ll144.html"));
    let alone = owner.get(&format!("/analyses/{id}/law/eeoc.html")).await;
    assert_eq!(alone.headers[header::CONTENT_SECURITY_POLICY], "sandbox allow-scripts");
    alone.shows("29 CFR part 1607");
    for word in ["ll144", "eeoc"] {
        let paper = owner.get(&format!("/analyses/{id}/law/{word}.pdf")).await;
        assert_eq!(paper.headers[header::CONTENT_TYPE], "application/pdf");
        assert!(paper.body.starts_with("%PDF-1.7"), "{word}");
    }

    // Without, it is told what is missing; another organization sees nothing.
    let bare = json!({ "target": "hired", "protected": ["sex"], "weight": "price" });
    let bare = asked(&mut owner, &dataset, &bare).await["id"].as_str().unwrap().to_owned();
    ended(&world, &mut owner, &bare).await;
    let refused = owner.get(&format!("/v1/bias_analyses/{bare}/law/eeoc")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.shows("`law` in its parameters");
    refused.shows("weighted by `price`");
    let mut eve = world.owner("eve@example.org").await;
    for path in [
        format!("/v1/bias_analyses/{id}/law/ll144"),
        format!("/v1/bias_analyses/{id}/law/eeoc"),
        format!("/analyses/{id}/law/ll144.html"),
        format!("/analyses/{id}/law/eeoc.html"),
        format!("/analyses/{id}/law/ll144.pdf"),
        format!("/analyses/{id}/law/eeoc.pdf"),
    ] {
        let hidden = eve.get(&path).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!hidden.body.contains("Black"), "{path}");
    }
    let too_many = json!({ "target": "hired", "protected": ["sex"], "law": { "rules": [] } });
    let body = json!({ "dataset_id": dataset, "parameters": too_many });
    let refused = owner.send_json("/v1/bias_analyses", &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(LawSpec::new([Rule::Ll144]).rules, [Rule::Ll144]);
    workers.shutdown().await;
}

#[tokio::test]
async fn the_form_asks_for_tasks_individuals_and_the_law() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    let form = owner.get(&format!("/analyses/new?dataset={dataset}")).await;
    for text in ["name=\"task\"", "name=\"features\"", "name=\"law_ll144\"", "name=\"position\""] {
        form.shows(text);
    }
    let submit = async |owner: &mut Browser, more: &[(&str, &str)]| -> String {
        let mut fields = vec![
            ("dataset_id", dataset.as_str()),
            ("protected", "sex"),
            ("difference_threshold", "0.1"),
            ("ratio_threshold", "0.2"),
            ("confidence", "0.95"),
            ("min_group_size", "30"),
        ];
        fields.extend_from_slice(more);
        let asked = owner.submit("/analyses", &fields).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let id = asked.location().replace("/analyses/", "");
        assert_eq!(ended(&world, owner, &id).await["status"], "completed");
        asked.location().to_owned()
    };
    let place = submit(
        &mut owner,
        &[
            ("task", "regression"),
            ("target", "price"),
            ("prediction", "estimate"),
            ("score", "score"),
        ],
    )
    .await;
    owner.get(&place).await.shows("How well numbers are predicted of each group");
    let place = submit(
        &mut owner,
        &[("task", "ranking"), ("target", "hired"), ("list", "query"), ("position", "place")],
    )
    .await;
    owner.get(&place).await.shows("48 lists ordered by `place`");
    let place = submit(
        &mut owner,
        &[
            ("target", "hired"),
            ("prediction", "chosen"),
            ("analysis_type", "individual_fairness"),
            ("features", "price"),
            ("features", "job"),
            ("neighbours", "7"),
            ("law_ll144", "true"),
            ("law_unknown", "declined"),
        ],
    )
    .await;
    let page = owner.get(&place).await;
    page.shows("The 7 rows most alike in `price`, `job`");
    page.shows("id=\"law-ll144\"");
    workers.shutdown().await;
}

#[tokio::test]
async fn what_could_not_be_judged_is_no_pass_and_says_why() {
    let world = world().await;
    let workers = world.workers();
    let (mut owner, dataset) = started(&world).await;
    for (parameters, notes) in [
        (
            json!({ "target": "hired", "prediction": "chosen", "protected": ["sex"], "min_group_size": 100_000 }),
            "warnings",
        ),
        (
            json!({ "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex"],
                    "min_group_size": 100_000 }),
            "notes",
        ),
    ] {
        let made = asked(&mut owner, &dataset, &parameters).await;
        let id = made["id"].as_str().unwrap().to_owned();
        let done = ended(&world, &mut owner, &id).await;
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!((&done["outcome"], &done["warning_count"]), (&json!("warning"), &json!(0)));
        let kept = parsed(&owner.get(&format!("/v1/bias_analyses/{id}/result")).await.body);
        let told = kept[notes].to_string();
        assert!(
            told.contains("Nothing could be judged: sex: all groups are below"),
            "{notes}: {told}"
        );
    }
    workers.shutdown().await;
}
