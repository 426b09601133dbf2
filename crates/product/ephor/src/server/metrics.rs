//! `/metrics`: what Prometheus asks for.

use std::time::Instant;

use anyhow::Context as _;
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use ephor_rest::method_word;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The bounds of the histogram of durations, in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Starts counting.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), SECONDS)
        .context("the histogram's bounds")?
        .install_recorder()
        .context("metrics are already counted")?;
    metrics::describe_counter!("http_requests_total", "Requests by method, route and status.");
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        "How long requests took, by route."
    );
    metrics::describe_counter!("monitor_runs_total", "Runs of monitors by outcome.");
    metrics::describe_counter!("monitoring_alerts_raised_total", "Alerts raised, by severity.");
    metrics::describe_counter!("monitoring_alerts_closed_total", "Alerts closed, by whom.");
    metrics::describe_gauge!("database_connections", "Connections that requests use, by state.");
    metrics::describe_gauge!(
        "erasures",
        "People who asked to be erased and are not yet, by state."
    );
    Ok(handle)
}

/// Counts a request under its route's pattern: addresses with ids in them would never end.
pub async fn count(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = method_word(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unknown".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "route" => route)
        .record(began.elapsed().as_secs_f64());
    response
}
