//! Endpoints, asked over real HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use ephor_explain::{
    CancellationToken, Endpoint, EndpointError, ExplainError, Rows, Scorer as _,
    endpoint::{Protocol, Settings, Token},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How often it was asked, and how many of the first answers are faults.
#[derive(Clone, Default)]
struct Served {
    asked: Arc<AtomicUsize>,
    faults: usize,
    /// Told of every request that is not answered.
    hanging: Arc<Notify>,
}

/// The sum of a row, in which what is missing counts 100; and 1 - that.
fn predicted(rows: &Value) -> Vec<Vec<f64>> {
    let sum = |row: &Value| -> f64 {
        row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(100.0)).sum()
    };
    rows.as_array().unwrap().iter().map(|row| vec![1.0 - sum(row), sum(row)]).collect()
}

fn refusal(served: &Served, headers: &HeaderMap) -> Option<Response> {
    let asked = served.asked.fetch_add(1, Ordering::SeqCst);
    if headers.get("authorization").is_none_or(|token| token != "Bearer s3cret") {
        return Some((StatusCode::UNAUTHORIZED, "no\u{1b}[31m token").into_response());
    }
    (asked < served.faults).then(|| {
        if asked.is_multiple_of(2) {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "busy").into_response()
        } else {
            (StatusCode::BAD_GATEWAY, "broken").into_response()
        }
    })
}

async fn inputs(
    State(served): State<Served>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    refusal(&served, &headers).unwrap_or_else(|| {
        assert_eq!(body["features"], json!(["a", "b"]));
        let rows = predicted(&body["inputs"]);
        assert!(rows.len() <= 2, "a batch has two rows");
        Json(json!({ "predictions": rows })).into_response()
    })
}

async fn kserve(
    State(served): State<Served>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    refusal(&served, &headers).unwrap_or_else(|| {
        let input = &body["inputs"][0];
        assert_eq!(input["datatype"], "FP64");
        assert_eq!(input["shape"][1], 2);
        let data = input["data"].as_array().unwrap();
        let rows: Vec<Value> = data.chunks(2).map(|row| json!(row)).collect();
        assert_eq!(input["shape"][0], rows.len());
        let data: Vec<f64> = predicted(&json!(rows)).concat();
        Json(json!({ "outputs": [
            { "name": "label", "datatype": "INT64", "shape": [rows.len()], "data": vec![0; rows.len()] },
            { "name": "probability", "datatype": "FP32", "shape": [rows.len(), 2], "data": data },
        ] }))
        .into_response()
    })
}

async fn mlflow(
    State(served): State<Served>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    refusal(&served, &headers).unwrap_or_else(|| {
        let frame = &body["dataframe_split"];
        assert_eq!(frame["columns"], json!(["a", "b"]));
        let rows: Vec<f64> = predicted(&frame["data"]).into_iter().map(|both| both[1]).collect();
        Json(json!({ "predictions": rows })).into_response()
    })
}

/// The first row is answered, and nothing after it.
async fn once(State(served): State<Served>, Json(body): Json<Value>) -> Response {
    if served.asked.fetch_add(1, Ordering::SeqCst) > 0 {
        served.hanging.notify_one();
        std::future::pending::<()>().await;
    }
    Json(json!({ "predictions": predicted(&body["inputs"]) })).into_response()
}

/// Starts a server of these, and says where it is.
async fn serve(served: Served) -> String {
    let app = Router::new()
        .route("/inputs", post(inputs))
        .route("/v2/models/one/infer", post(kserve))
        .route("/invocations", post(mlflow))
        .route("/texts", post(|| async { Json(json!({ "predictions": ["yes"] })) }))
        .route("/long", post(|| async { Bytes::from(vec![b' '; 4096]) }))
        .route("/once", post(once))
        .route("/never", post(|| async { std::future::pending::<StatusCode>().await }))
        .with_state(served);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn settings(url: &str, protocol: Protocol) -> Settings {
    let mut settings = Settings::new(url.parse().unwrap(), protocol);
    settings.token = Some(Token::new("s3cret".to_owned()));
    settings.batch = 2;
    settings.pause = Duration::from_millis(1);
    settings
}

#[allow(clippy::disallowed_methods, reason = "a client of a test, for a server of the test")]
async fn open(settings: Settings) -> Result<Endpoint, EndpointError> {
    let features = vec!["a".to_owned(), "b".to_owned()];
    Endpoint::open(reqwest::Client::new(), settings, features, &[1.0, 2.0]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_is_spoken_in_batches() {
    let at = serve(Served::default()).await;
    let rows = Rows::new(vec![1.0, 2.0, 3.0, f64::NAN, -1.0, 0.5, 4.0, 4.0, 0.0, 0.0], 2);
    for (path, protocol, outputs) in [
        ("inputs", Protocol::Inputs, 2),
        ("v2/models/one/infer", Protocol::Kserve, 2),
        ("invocations", Protocol::Mlflow, 1),
    ] {
        let endpoint = open(settings(&format!("{at}/{path}"), protocol)).await.unwrap();
        assert_eq!(
            (endpoint.outputs(), endpoint.features()),
            (outputs, &["a".to_owned(), "b".to_owned()][..])
        );
        let rows = rows.clone();
        let found =
            tokio::task::spawn_blocking(move || endpoint.score(&rows).unwrap()).await.unwrap();
        let last: Vec<f64> = found.chunks(outputs).map(|row| row[outputs - 1]).collect();
        assert_eq!(last, [3.0, 103.0, -0.5, 8.0, 0.0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again() {
    let served = Served { faults: 3, ..Served::default() };
    let at = serve(served.clone()).await;
    open(settings(&format!("{at}/inputs"), Protocol::Inputs)).await.unwrap();
    assert_eq!(served.asked.load(Ordering::SeqCst), 4);

    let served = Served { faults: 9, ..Served::default() };
    let at = serve(served.clone()).await;
    let refused = open(settings(&format!("{at}/inputs"), Protocol::Inputs)).await.err().unwrap();
    assert_eq!(refused, EndpointError::Refused { status: 502, text: "broken".to_owned() });
    assert_eq!(served.asked.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_told_at_once() {
    let served = Served::default();
    let at = serve(served.clone()).await;
    let mut wrong = settings(&format!("{at}/inputs"), Protocol::Inputs);
    wrong.token = Some(Token::new("wrong".to_owned()));
    assert!(!format!("{wrong:?}").contains("wrong\""));
    let refused = open(wrong).await.err().unwrap().to_string();
    assert_eq!(refused, "the endpoint answered 401: no [31m token");
    assert_eq!(served.asked.load(Ordering::SeqCst), 1);

    let texts = open(settings(&format!("{at}/texts"), Protocol::Inputs)).await.err().unwrap();
    assert!(texts.to_string().contains("a prediction is a text"), "{texts}");
    let mut long = settings(&format!("{at}/long"), Protocol::Inputs);
    long.most_bytes = 1_000;
    assert_eq!(open(long).await.err().unwrap(), EndpointError::TooLong { most: 1_000 });
    let mut never = settings(&format!("{at}/never"), Protocol::Inputs);
    (never.timeout, never.retries) = (Duration::from_millis(50), 1);
    assert_eq!(
        open(never).await.err().unwrap(),
        EndpointError::NoAnswer("the time was up".to_owned())
    );
    let mut gone = settings("http://127.0.0.1:1/inputs", Protocol::Inputs);
    gone.retries = 1;
    let gone = open(gone).await.err().unwrap();
    assert!(matches!(gone, EndpointError::Unreachable(_)), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn infinite_numbers_and_other_widths_are_not_sent() {
    let at = serve(Served::default()).await;
    let endpoint = open(settings(&format!("{at}/inputs"), Protocol::Inputs)).await.unwrap();
    let refused = tokio::task::spawn_blocking(move || {
        [Rows::new(vec![f64::INFINITY, 0.0], 2), Rows::new(vec![1.0], 1)]
            .map(|rows| endpoint.score(&rows).unwrap_err().to_string())
    });
    let [infinite, width] = refused.await.unwrap();
    assert!(infinite.contains("infinite number"), "{infinite}");
    assert!(width.contains("the model has 2 features, and the rows have 1"), "{width}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_comes_is_given_up() {
    let served = Served::default();
    let at = serve(served.clone()).await;
    let mut patient = settings(&format!("{at}/once"), Protocol::Inputs);
    patient.timeout = Duration::from_hours(1);
    let endpoint = open(patient).await.unwrap();
    let cancel = CancellationToken::new();
    let asked = cancel.clone();
    let score = tokio::task::spawn_blocking(move || {
        let rows = Rows::new(vec![1.0, 2.0], 2);
        // Once it is not wanted, it is not even asked.
        [endpoint.score_until(&rows, &asked), endpoint.score_until(&rows, &asked)]
    });
    served.hanging.notified().await;
    cancel.cancel();
    let found = tokio::time::timeout(Duration::from_secs(30), score).await.unwrap().unwrap();
    assert!(found.iter().all(|found| matches!(found, Err(ExplainError::Cancelled))), "{found:?}");
    assert_eq!(served.asked.load(Ordering::SeqCst), 2);
}
