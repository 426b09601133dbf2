//! The actions over HTTP.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use ephor_kernel::{PermissionSet, RequestContext, Scope};
use ephor_registry::routes;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::support::World;

async fn send(
    world: &World,
    scope: Option<&Scope>,
    request: Request<Body>,
) -> (Response<()>, bytes::Bytes) {
    let router: Router = routes(world.registry.clone());
    let mut request = request;
    if let Some(scope) = scope {
        request.extensions_mut().insert(scope.clone());
    }
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    (Response::from_parts(parts, ()), body.collect().await.unwrap().to_bytes())
}

fn post(path: &str, content: &str) -> Request<Body> {
    Request::post(path).body(Body::from(content.to_owned())).unwrap()
}

fn get(path: &str, accept: &str) -> Request<Body> {
    Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn a_bare_body_comes_in_and_goes_out_again() {
    let world = World::new().await;
    let scope = Some(&world.scope);
    let upload = post("/v1/datasets/upload?name=Small&file_name=small.csv", "a,b\n1,x\n2,y\n");
    let (response, body) = send(&world, scope, upload).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let place = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let dataset = json(&body);
    assert_eq!((&dataset["name"], &dataset["row_count"]), (&"Small".into(), &2.into()));

    let (_, profile) = send(&world, scope, get(&format!("{place}/profile"), "*/*")).await;
    assert_eq!(json(&profile)["rows"], 2);
    for (accept, media, content) in [
        ("*/*", "application/json", "[{\"a\":1,\"b\":\"x\"}]"),
        ("application/x-ndjson", "application/x-ndjson", "{\"a\":1,\"b\":\"x\"}\n"),
        ("text/csv", "text/csv; charset=utf-8", "a,b\n1,x\n"),
    ] {
        let (response, rows) =
            send(&world, scope, get(&format!("{place}/rows?limit=1"), accept)).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], media);
        assert_eq!(rows, content);
    }
    let (response, file) = send(&world, scope, get(&format!("{place}/file"), "*/*")).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/vnd.apache.parquet");
    assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
}

#[tokio::test]
async fn a_form_comes_in() {
    let world = World::new().await;
    let form = "--x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nFrom a form\r\n\
                --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"C:\\\\data\\\\people.csv\"\r\n\r\n\
                a,b\n1,x\n\r\n--x--\r\n";
    let upload = Request::post("/v1/datasets/upload")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from(form))
        .unwrap();
    let (response, body) = send(&world, Some(&world.scope), upload).await;
    assert_eq!(response.status(), StatusCode::CREATED, "{body:?}");
    assert_eq!(
        (&json(&body)["name"], &json(&body)["source_name"]),
        (&"From a form".into(), &"people.csv".into())
    );

    let empty = Request::post("/v1/datasets/upload")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from("--x--\r\n"))
        .unwrap();
    let (response, body) = send(&world, Some(&world.scope), empty).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json(&body)["faults"][0]["pointer"], "/file");
}

#[tokio::test]
async fn what_is_wrong_is_a_problem() {
    let world = World::new().await;
    for (path, content, status) in [
        ("/v1/datasets/upload", "a,b\n1\n", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/datasets/upload?format=xlsx", "a\n1\n", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/datasets/upload?nmae=x", "a\n1\n", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/models/not-an-id/activate", "", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/models/01930b2e-7c1a-7def-8000-1b2c3d4e5f60/activate", "", StatusCode::NOT_FOUND),
    ] {
        let (response, body) = send(&world, Some(&world.scope), post(path, content)).await;
        assert_eq!(response.status(), status, "{path}: {body:?}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], ephor_rest::PROBLEM_JSON, "{path}");
    }
    assert_eq!(world.rows().await, 0);
}

#[tokio::test]
async fn permissions_are_asked_for_before_anything_is_read() {
    let world = World::new().await;
    let reader = Scope::new(
        world.scope.principal(),
        world.scope.organization(),
        PermissionSet::parse(["datasets:read"]).unwrap(),
        RequestContext::default(),
    );
    let upload = || post("/v1/datasets/upload", "a\n1\n");
    assert_eq!(send(&world, None, upload()).await.0.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(&world, Some(&reader), upload()).await.0.status(), StatusCode::FORBIDDEN);
    let step = || post("/v1/models/01930b2e-7c1a-7def-8000-1b2c3d4e5f60/activate", "");
    assert_eq!(send(&world, Some(&reader), step()).await.0.status(), StatusCode::FORBIDDEN);
}
