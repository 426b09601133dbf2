//! All routes, and the layers around them.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::get,
};
use ephor_assurance::feed;
use ephor_console::{ConsoleState, problem_pages};
use ephor_kernel::Problem;
use ephor_rest::{ApiError, name_request};
use ephor_store::platform;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use super::{App, archives, health, metrics, request, system_health, trail, unread};

/// The whole of it. `timeout` bounds requests that do not stream.
pub fn router(app: &App, timeout: Duration) -> Router {
    let api = app
        .engine
        .router::<App>()
        .merge(ephor_identity::routes())
        .with_state(app.clone())
        .merge(ephor_assurance::routes(app.assurance.clone()))
        .merge(ephor_assurance::monitor::routes(app.assurance.clone(), app.engine.clone()))
        .merge(feed::routes(app.feeds.clone()))
        .merge(ephor_billing::routes(app.billing.clone(), app.engine.clone()))
        .merge(ephor_content::routes(&app.content, app.engine.clone()))
        .merge(trail::routes(app.store.clone()))
        .merge(system_health::routes(app.store.clone()));
    let bounded =
        api.layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout));
    // Uploads, downloads and live updates take as long as they take.
    let streaming = ephor_registry::routes(app.registry.clone())
        .merge(ephor_console::routes(console(app)))
        .merge(archives::routes(app));

    let operations = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(scrape))
        .with_state(app.clone());

    // Whoever has a token: no session is looked at.
    let intake = feed::intake(app.feeds.clone())
        .layer(from_fn_with_state(app.billing.clone(), ephor_billing::govern))
        .layer(from_fn_with_state(app.feeds.clone(), feed::admit))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout));

    // The last layer is the outermost.
    bounded
        .merge(streaming)
        .fallback(nothing_here)
        .layer(from_fn_with_state(app.billing.clone(), ephor_billing::govern))
        .layer(from_fn_with_state(app.identity.clone(), ephor_identity::authenticate))
        .merge(operations)
        .merge(intake)
        // Anybody's: no session is looked at.
        .merge(ephor_content::public(app.content.clone(), timeout))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(name_request))
        .layer(from_fn(problem_pages))
        .layer(from_fn(metrics::count))
        .layer(from_fn_with_state(app.clone(), request::context))
        .layer(from_fn(unread::settle))
}

fn console(app: &App) -> ConsoleState {
    ConsoleState {
        store: app.store.clone(),
        engine: app.engine.clone(),
        identity: app.identity.clone(),
        registry: app.registry.clone(),
        assurance: app.assurance.clone(),
        billing: app.billing.clone(),
        seal_key: app.seal_key.public(),
        data_folder: app.data.to_path_buf(),
        started_at: app.started_at,
    }
}

async fn scrape(State(app): State<App>) -> impl IntoResponse {
    let (open, idle) = app.store.connections();
    ::metrics::gauge!("database_connections", "state" => "open").set(f64::from(open));
    ::metrics::gauge!("database_connections", "state" => "idle").set(idle as f64);
    // While the database is away, the last that is known stands.
    if let Ok(open) = platform::erasures_open(&app.store).await {
        ::metrics::gauge!("erasures", "state" => "waiting").set(open.waiting as f64);
        ::metrics::gauge!("erasures", "state" => "failed").set(open.failed as f64);
    }
    app.metrics.run_upkeep();
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render())
}

async fn nothing_here() -> ApiError {
    Problem::not_found("address").into()
}

fn panicked(cause: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let why = cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(why, "a request met a fault of ours");
    ApiError(Problem::internal()).into_response()
}
