//! Explanations whose data sets and models are in memory: asked for once, run, cancelled, gone with who deletes them.

use std::sync::Arc;

use ephor_assurance::explanation::{
    Explanation, ExplanationAsked, ExplanationRunner, ValuesFormat, explanation_ask,
    explanation_cancel, explanation_file, explanation_get, explanation_objects_delete,
    explanation_summary,
};
use ephor_explain::summary::{Method, Unit, Without};
use ephor_kernel::{Code, DatasetId, DomainEvent, ExplanationId, ModelId, Problem, Scope};
use ephor_store::jobs::{Workers, WorkersConfig, WorkersHandle};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{World, until};

/// What decides is `a`; `b` counts a little, and against.
const MODEL: &str =
    r#"{"kind":"logistic","features":["a","b"],"coef":[2.0,-0.5],"intercept":0.25}"#;

/// So many rows; women have less of `a`.
fn rows(count: usize) -> String {
    let mut text = "a,b,y,sex\n".to_owned();
    for row in 0..count {
        let (sex, off) = if row % 2 == 0 { ("f", 1.0) } else { ("m", 0.0) };
        let a = (row % 10) as f64 / 5.0 - 1.0 - off;
        text.push_str(&format!("{a},{},{},{sex}\n", row % 7, u8::from(a > 0.0)));
    }
    text
}

struct Asking {
    model: ModelId,
    dataset: DatasetId,
}

async fn asking(world: &World, count: usize) -> Asking {
    let (model, _) = world.model(&world.scope, MODEL).await;
    Asking { model, dataset: world.dataset(&world.scope, rows(count)).await }
}

impl Asking {
    async fn ask(
        &self,
        world: &World,
        scope: &Scope,
        kind: &str,
        parameters: Value,
    ) -> Result<ExplanationId, Problem> {
        let asked: ExplanationAsked = serde_json::from_value(json!({
            "model_id": self.model, "dataset_id": self.dataset, "explanation_type": kind,
            "parameters": parameters,
        }))
        .unwrap();
        explanation_ask(&world.assurance, scope, &asked).await
    }
}

fn workers(world: &World) -> WorkersHandle {
    let runner = ExplanationRunner::new(&world.assurance);
    Workers::start(world.db.store(), vec![Arc::new(runner)], WorkersConfig::default())
}

async fn get(world: &World, id: ExplanationId) -> Explanation {
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    explanation_get(&mut tx, id).await.unwrap()
}

async fn ended(world: &World, id: ExplanationId) -> Explanation {
    until("it ends", async || get(world, id).await.ended()).await;
    get(world, id).await
}

async fn file(world: &World, id: ExplanationId, format: ValuesFormat) -> bytes::Bytes {
    let answer = explanation_file(&world.assurance, &world.scope, id, format).await.unwrap();
    answer.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn what_is_asked_for_twice_is_begun_once_and_values_are_kept() {
    let world = World::new().await;
    let asking = asking(&world, 1_000).await;
    let parameters = json!({ "group": "sex", "background": 50, "single_rows": [3] });
    let ask = async || asking.ask(&world, &world.scope, "shap", parameters.clone()).await.unwrap();
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!(one, two);
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    assert_eq!(explanation_summary(&mut tx, one).await.unwrap_err().code, Code::Conflict);
    drop(tx);
    let handle = workers(&world);
    let done = ended(&world, one).await;
    assert_eq!(done.status, "completed", "{:?}", done.failure);
    assert_eq!((done.row_count, done.values_sha256.unwrap().len()), (Some(1_000), 64));

    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let summary = explanation_summary(&mut tx, one).await.unwrap();
    drop(tx);
    assert_eq!((summary.method, summary.rows, summary.background), (Method::Shap, 1_000, Some(50)));
    assert_eq!(summary.ranked()[0].0, 0, "`a` counts most");
    assert_eq!(summary.waterfalls.iter().map(|one| one.row).collect::<Vec<_>>(), [3]);
    let groups = summary.groups.unwrap();
    assert_eq!(groups.groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [500, 500]);
    assert!(groups.groups.iter().any(|group| group.differences.is_some()));

    // Base + sum of the values = margin, for every row that is stored.
    let text = String::from_utf8(file(&world, one, ValuesFormat::Csv).await.to_vec()).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("row,base,prediction,a,b"));
    let data = rows(1_000);
    let mut count = 0;
    for (line, own) in lines.zip(data.lines().skip(1)) {
        let numbers: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let own: Vec<f64> = own.split(',').take(2).map(|field| field.parse().unwrap()).collect();
        let margin = 0.25 + 2.0 * own[0] - 0.5 * own[1];
        assert_eq!(numbers[0], f64::from(count));
        assert!((numbers[1] + numbers[3] + numbers[4] - margin).abs() < 1e-9, "{line}");
        assert!((numbers[2] - 1.0 / (1.0 + (-margin).exp())).abs() < 1e-9, "{line}");
        count += 1;
    }
    assert_eq!(count, 1_000);
    assert!(file(&world, one, ValuesFormat::Parquet).await.starts_with(b"PAR1"));

    // After its end it may be asked for again, and gives the same.
    let again = ask().await;
    assert_ne!(again, one);
    assert_eq!(ended(&world, again).await.status, "completed");
    handle.shutdown().await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let same = explanation_summary(&mut tx, again).await.unwrap();
    assert_eq!(same.sample, summary.sample);
    drop(tx);

    // Its values go with it.
    assert_eq!(world.objects().len(), 2);
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    world.engine.delete(&mut tx, "model_explanations", again.uuid(), None).await.unwrap();
    tx.commit().await.unwrap();
    let told: Vec<Value> = sqlx::query_scalar("select event from ops.outbox where kind = 'event'")
        .fetch_all(&world.db.admin())
        .await
        .unwrap();
    let expected =
        serde_json::to_value(DomainEvent::ExplanationDeleted { explanation: again }).unwrap();
    assert!(told.contains(&expected), "{told:?}");
    for id in [one, again] {
        explanation_objects_delete(&world.assurance, &world.scope, id).await.unwrap();
    }
    assert_eq!(world.objects().len(), 1);
}

#[tokio::test]
async fn every_method_finds_what_decides() {
    let world = World::new().await;
    let asking = asking(&world, 400).await;
    let handle = workers(&world);
    let summary = async |kind, parameters| {
        let id = asking.ask(&world, &world.scope, kind, parameters).await.unwrap();
        let done = ended(&world, id).await;
        assert_eq!(done.status, "completed", "{:?}", done.failure);
        assert!(file(&world, id, ValuesFormat::Csv).await.len() > 50);
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        let row: Value = sqlx::query_scalar(
            "select to_jsonb(e) from assurance.model_explanations e where id = $1",
        )
        .bind(id.uuid())
        .fetch_one(&world.db.admin())
        .await
        .unwrap();
        (explanation_summary(&mut tx, id).await.unwrap(), row)
    };
    let (found, row) = summary("lime", json!({ "rows": 4, "samples": 500 })).await;
    assert_eq!((found.near.len(), found.near[0].weights[0].feature), (4, 0));
    assert_eq!(row["lime_explanation"]["rows"].as_array().unwrap().len(), 4);
    assert_eq!(row["shap_values"], json!({}));

    let (found, row) = summary("permutation", json!({ "target": "y", "repeats": 3 })).await;
    let importance = found.importance.unwrap();
    assert!(importance.features[0].mean > importance.features[1].mean);
    assert_eq!(row["feature_importance"]["features"][0]["feature"], "a");

    for effect in ["partial", "accumulated"] {
        let (found, row) = summary("global", json!({ "effect": effect, "points": 5 })).await;
        assert_eq!(found.curves.len(), 2);
        let curve = found.curves.iter().find(|curve| curve.feature == 0).unwrap();
        assert!(curve.mean.is_sorted(), "more of `a` is more: {curve:?}");
        assert_eq!(row["global_explanations"]["features"][0]["feature"], "a");
    }
    let (found, row) = summary("shap", json!({ "scale": "probability", "rows": 20 })).await;
    assert_eq!(found.rows, 20);
    assert_eq!(row["shap_values"]["rows"].as_array().unwrap().len(), 10);
    handle.shutdown().await;
}

#[tokio::test]
async fn an_effect_that_is_not_there_is_told_with_its_reason() {
    let world = World::new().await;
    let (model, _) = world.model(&world.scope, MODEL).await;
    let lines: Vec<String> = (0..600).map(|row| format!("{},{row}\n", row % 10)).collect();
    let dataset = world.dataset(&world.scope, format!("a,b\n{}", lines.concat())).await;
    let handle = workers(&world);
    let parameters =
        json!({ "features": ["b", "a"], "categorical": ["b"], "effect": "accumulated" });
    let asking = Asking { model, dataset };
    let id = asking.ask(&world, &world.scope, "global", parameters).await.unwrap();
    let done = ended(&world, id).await;
    assert_eq!(done.status, "completed", "{:?}", done.failure);
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let found = explanation_summary(&mut tx, id).await.unwrap();
    assert_eq!(found.curves.iter().map(|curve| curve.feature).collect::<Vec<_>>(), [0]);
    let reason = "it has 600 categories; at most 512 are put into an order".to_owned();
    assert_eq!(found.without_effect, [Without { feature: 1, reason }]);
    handle.shutdown().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_at_once() {
    let world = World::new().await;
    let asking = asking(&world, 50).await;
    let refused = async |kind, parameters| {
        let problem = asking.ask(&world, &world.scope, kind, parameters).await.unwrap_err();
        assert_eq!(problem.code, Code::Invalid);
        problem.faults.into_iter().map(|fault| fault.pointer.to_string()).collect::<Vec<_>>()
    };
    let found =
        refused("shap", json!({ "interactions": true, "group": "colour", "rows": 0 })).await;
    for wanted in ["/parameters/interactions", "/parameters/group", "/parameters/rows"] {
        assert!(found.iter().any(|pointer| pointer == wanted), "{wanted} is not in {found:?}");
    }
    let found = refused("permutation", json!({ "columns": ["a", "sex"] })).await;
    assert_eq!(found, ["/parameters/columns", "/parameters/target"]);
    let nothing: ExplanationAsked =
        serde_json::from_value(json!({ "explanation_type": "shap" })).unwrap();
    let problem = explanation_ask(&world.assurance, &world.scope, &nothing).await.unwrap_err();
    assert_eq!(problem.faults.len(), 2);
    let stranger = world.db.organization("Strangers").await;
    let problem = asking.ask(&world, &stranger, "shap", json!({})).await.unwrap_err();
    assert_eq!(problem.faults[0].code, "no_artifact");
}

#[tokio::test]
async fn what_waits_is_cancelled_and_what_cannot_be_done_fails_with_the_reason() {
    let world = World::new().await;
    let asking = asking(&world, 50).await;
    let id = asking.ask(&world, &world.scope, "shap", json!({})).await.unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    explanation_cancel(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(&world, id).await.status, "cancelled");
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let twice = explanation_cancel(&mut tx, id).await.unwrap_err();
    assert_eq!(twice.code, Code::InvalidTransition);
    drop(tx);

    let id = asking.ask(&world, &world.scope, "lime", json!({})).await.unwrap();
    world.replace(&world.scope, asking.dataset, "a,b\n,1\n,2\n".to_owned());
    let handle = workers(&world);
    let failed = ended(&world, id).await;
    assert_eq!(failed.status, "failed");
    assert!(failed.failure.unwrap().contains("feature 0"), "the feature is named");
    handle.shutdown().await;
    assert!(world.objects().is_empty(), "nothing is left of it");
}

#[tokio::test]
async fn a_file_that_is_needed_stays_and_states_have_one_direction() {
    let world = World::new().await;
    let (_, artifact) = world.model(&world.scope, MODEL).await;
    let dataset = world.dataset(&world.scope, rows(10)).await;
    let asked: ExplanationAsked = serde_json::from_value(json!({
        "artifact_id": artifact, "dataset_id": dataset, "explanation_type": "shap",
    }))
    .unwrap();
    let id = explanation_ask(&world.assurance, &world.scope, &asked).await.unwrap();
    let mut admin = world.db.admin().acquire().await.unwrap();
    let gone = sqlx::query("delete from registry.model_artifacts where id = $1")
        .bind(artifact.uuid())
        .execute(&mut *admin)
        .await;
    assert!(gone.unwrap_err().to_string().contains("model_explanations_artifact_id_fkey"));
    let step = |to: &str| format!("update assurance.model_explanations set {to} where id = '{id}'");
    for (set, allowed) in [
        ("status = 'completed'", false),
        ("status = 'running'", true),
        ("status = 'completed'", false),
        ("summary = '{}'", false),
        ("status = 'queued'", true),
        ("status = 'cancelled'", true),
        ("status = 'running', completed_at = null", false),
    ] {
        let done = sqlx::raw_sql(AssertSqlSafe(step(set))).execute(&mut *admin).await;
        assert_eq!(done.is_ok(), allowed, "{set}");
    }
}

/// Asks with a background of its own.
async fn ask_against(
    world: &World,
    asking: &Asking,
    kind: &str,
    background: DatasetId,
    parameters: Value,
) -> Result<ExplanationId, Problem> {
    let asked: ExplanationAsked = serde_json::from_value(json!({
        "model_id": asking.model, "dataset_id": asking.dataset, "explanation_type": kind,
        "background_dataset_id": background, "parameters": parameters,
    }))
    .unwrap();
    explanation_ask(&world.assurance, &world.scope, &asked).await
}

#[tokio::test]
async fn rows_of_another_data_set_are_compared_with() {
    let world = World::new().await;
    let asking = asking(&world, 200).await;
    let training = world.dataset(&world.scope, "b,a\n2,1\n2,1\n".to_owned()).await;
    let itself = asking.ask(&world, &world.scope, "shap", json!({})).await.unwrap();
    let against =
        async |kind: &str| ask_against(&world, &asking, kind, training, json!({})).await.unwrap();
    let one = against("shap").await;
    assert_ne!(one, itself, "it is another question");
    assert_eq!(one, against("shap").await, "the same is asked once");
    assert_eq!(get(&world, one).await.background_dataset_id, Some(training));
    assert_eq!(get(&world, itself).await.background_dataset_id, None);
    // LIME needs features that vary.
    let varied = world.dataset(&world.scope, rows(30)).await;
    let near = ask_against(&world, &asking, "lime", varied, json!({})).await.unwrap();
    let whole = against("global").await;
    let handle = workers(&world);
    let summary = async |id: ExplanationId| {
        let done = ended(&world, id).await;
        assert_eq!(done.status, "completed", "{:?}", done.failure);
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        explanation_summary(&mut tx, id).await.unwrap()
    };
    let found = summary(one).await;
    assert_eq!((found.rows, found.background), (200, Some(2)));
    // What is predicted of the training rows, before the link.
    assert!((found.base.unwrap() - 1.25).abs() < 1e-9, "{:?}", found.base);
    for (id, background) in [(itself, 200), (near, 30), (whole, 2)] {
        assert_eq!(summary(id).await.background, Some(background));
    }
    handle.shutdown().await;
    let gone = sqlx::query("delete from registry.datasets where id = $1")
        .bind(training.uuid())
        .execute(&world.db.admin())
        .await;
    let told = gone.unwrap_err().to_string();
    assert!(told.contains("model_explanations_background_dataset_id_fkey"), "{told}");
}

#[tokio::test]
async fn a_background_that_does_not_fit_is_refused_and_found_again_by_the_job() {
    let world = World::new().await;
    let asking = asking(&world, 50).await;
    let refused = async |kind: &str, background: DatasetId, parameters: Value| {
        let asked = ask_against(&world, &asking, kind, background, parameters).await;
        let problem = asked.unwrap_err();
        assert_eq!(problem.code, Code::Invalid);
        let told = problem.faults.into_iter();
        told.map(|fault| (fault.pointer.to_string(), fault.code.to_string())).collect::<Vec<_>>()
    };
    let pair = |place: &str, code: &str| (place.to_owned(), code.to_owned());
    let place = "/background_dataset_id";
    let narrow = world.dataset(&world.scope, "a,c\nx,1\n".to_owned()).await;
    let found = refused("shap", narrow, json!({ "rows": 0 })).await;
    let expected = [
        pair("/parameters/rows", "range"),
        pair(place, "unknown_column"),
        pair(place, "not_numeric"),
    ];
    assert_eq!(found, expected);
    let whole = world.dataset(&world.scope, rows(10)).await;
    let found = refused("permutation", whole, json!({ "target": "y" })).await;
    assert_eq!(found, [pair(place, "of_another_type")]);
    let stranger = world.db.organization("Strangers").await;
    let theirs = world.dataset(&stranger, rows(10)).await;
    let found = refused("lime", theirs, json!({})).await;
    assert_eq!(found, [pair(place, "unknown_reference")]);

    // What was right when it was asked for.
    let id = ask_against(&world, &asking, "lime", whole, json!({})).await.unwrap();
    world.replace(&world.scope, whole, "a,c\n1,2\n".to_owned());
    let handle = workers(&world);
    let failed = ended(&world, id).await;
    handle.shutdown().await;
    assert_eq!(failed.status, "failed");
    let told = failed.failure.unwrap();
    assert!(told.contains("background data set has no column for the features `b`"), "{told}");
    assert!(world.objects().is_empty(), "nothing is left of it");
}

/// A tree that does not say how its training rows went.
const UNCOVERED: &str = r#"{"kind":"DecisionTreeRegressor","features":["a","b"],"trees":[{
    "children_left":[1,-1,-1],"children_right":[2,-1,-1],"feature":[0,-2,-2],"threshold":[0.0,-2.0,-2.0],
    "value":[[0.0],[-1.0],[1.0]],"n_node_samples":[0,0,0]}]}"#;

#[tokio::test]
async fn what_a_file_does_not_hold_is_refused_once_it_is_known() {
    let world = World::new().await;
    let (model, artifact) = world.model(&world.scope, UNCOVERED).await;
    let asking = Asking { model, dataset: world.dataset(&world.scope, rows(60)).await };
    let pairs =
        async || asking.ask(&world, &world.scope, "shap", json!({ "interactions": true })).await;
    // Of a file from before it was noted, the job tells.
    let unknown = pairs().await.unwrap();
    let plain = asking.ask(&world, &world.scope, "shap", json!({})).await.unwrap();
    let handle = workers(&world);
    let failed = ended(&world, unknown).await;
    assert_eq!(failed.status, "failed");
    let told = failed.failure.unwrap();
    assert!(told.contains("does not say how many training rows went which way"), "{told}");
    // Each by itself, features are explained against rows of the data set.
    let done = ended(&world, plain).await;
    assert_eq!(done.status, "completed", "{:?}", done.failure);
    handle.shutdown().await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    assert_eq!(explanation_summary(&mut tx, plain).await.unwrap().background, Some(60));
    drop(tx);

    // ONNX never holds it, whether or not that was noted.
    for known in ["has_covers = false", "has_covers = null, format = 'onnx'"] {
        let id = artifact.uuid();
        let note = format!("update registry.model_artifacts set {known} where id = '{id}'");
        let mut admin = world.db.admin().acquire().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(note)).execute(&mut *admin).await.unwrap();
        let problem = pairs().await.unwrap_err();
        assert_eq!(problem.faults[0].pointer, "/parameters/interactions", "{known}");
        assert_eq!(problem.faults[0].code, "no_covers", "{known}");
    }
}

/// A tree that holds shares of classes, and one that predicts two numbers.
const SHARES: &str = r#"{"kind":"DecisionTreeClassifier","features":["a","b"],"trees":[{
    "children_left":[1,-1,-1],"children_right":[2,-1,-1],"feature":[0,-2,-2],"threshold":[0.0,-2.0,-2.0],
    "value":[[0.5,0.5],[0.8,0.2],[0.1,0.9]],"n_node_samples":[0,0,0]}]}"#;
const NUMBERS: &str = r#"{"kind":"DecisionTreeRegressor","features":["a","b"],"trees":[{
    "children_left":[1,-1,-1],"children_right":[2,-1,-1],"feature":[0,-2,-2],"threshold":[0.0,-2.0,-2.0],
    "value":[[5.0,5.0],[8.0,2.0],[1.0,9.0]],"n_node_samples":[0,0,0]}]}"#;

#[tokio::test]
async fn shares_are_explained_as_the_probabilities_that_they_are() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, rows(60)).await;
    let mut asked = Vec::new();
    for content in [SHARES, NUMBERS] {
        let (model, artifact) = world.model(&world.scope, content).await;
        let id = artifact.uuid();
        let note =
            format!("update registry.model_artifacts set link = 'identity' where id = '{id}'");
        let mut admin = world.db.admin().acquire().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(note)).execute(&mut *admin).await.unwrap();
        let parameters = json!({ "scale": "probability", "output": 1 });
        let asking = Asking { model, dataset };
        asked.push(asking.ask(&world, &world.scope, "shap", parameters).await.unwrap());
    }
    let handle = workers(&world);
    let done = ended(&world, asked[0]).await;
    assert_eq!(done.status, "completed", "{:?}", done.failure);
    // Only the file tells that numbers are none.
    let failed = ended(&world, asked[1]).await;
    assert_eq!(failed.status, "failed");
    let told = failed.failure.unwrap();
    assert!(told.contains("does not predict one probability"), "{told}");
    handle.shutdown().await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let summary = explanation_summary(&mut tx, asked[0]).await.unwrap();
    assert_eq!(summary.unit, Unit::Probability);
    assert!(!summary.waterfalls.is_empty());
    for row in &summary.waterfalls {
        let near = |share: f64| (row.total - share).abs() < 1e-6;
        assert!(near(0.2) || near(0.9), "{row:?}");
    }
}

/// A network only answers.
const NETWORK: &[u8] =
    include_bytes!("../../../../capabilities/explain/tests/data/graphs/network_two.onnx");

/// Of a file that is sorted by group, the rows that are explained are of one group: they are told as its own.
#[tokio::test]
async fn rows_of_a_network_belong_to_their_groups() {
    let world = World::new().await;
    let mut text = "a,b,c,d,sex\n".to_owned();
    for row in 0..200 {
        let sex = if row < 150 { "f" } else { "m" };
        text.push_str(&format!("{},{},{},{},{sex}\n", row % 7, row % 5, row % 3, row % 2));
    }
    let (model, _) = world.model(&world.scope, NETWORK).await;
    let asking = Asking { model, dataset: world.dataset(&world.scope, text).await };
    let parameters =
        json!({ "columns": ["a", "b", "c", "d"], "group": "sex", "background": 20, "rows": 40 });
    let id = asking.ask(&world, &world.scope, "shap", parameters).await.unwrap();
    let handle = workers(&world);
    let done = ended(&world, id).await;
    assert_eq!(done.status, "completed", "{:?}", done.failure);
    handle.shutdown().await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let summary = explanation_summary(&mut tx, id).await.unwrap();
    assert_eq!((summary.method, summary.rows), (Method::Kernel, 40));
    let groups = summary.groups.unwrap();
    let told: Vec<_> = groups.groups.iter().map(|group| (&*group.name, group.rows)).collect();
    assert_eq!((told, groups.without), (vec![("f", 40)], 0));
}
