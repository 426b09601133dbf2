//! The log, and traces by OTLP when asked for.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{Log, LogFormat, Telemetry};

/// Sends what is left of the traces when it is dropped.
pub struct Guard(Option<SdkTracerProvider>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Starts the log, and traces when an endpoint is set.
pub fn start(log: &Log, telemetry: &Telemetry) -> anyhow::Result<Guard> {
    let filter = EnvFilter::try_new(&log.filter).with_context(|| {
        format!("log.filter: `{}` is not a filter, such as \"info,ephor_store=debug\"", log.filter)
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match log.format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let provider =
        if telemetry.otlp_endpoint.is_empty() { None } else { Some(provider(telemetry)?) };
    let traces = provider
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("ephor")));
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(traces)
        .try_init()
        .context("the log is already started")?;
    Ok(Guard(provider))
}

fn provider(telemetry: &Telemetry) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(&telemetry.otlp_endpoint)
        .build()
        .with_context(|| {
            format!("telemetry.otlp_endpoint: traces cannot go to `{}`", telemetry.otlp_endpoint)
        })?;
    let resource = Resource::builder()
        .with_service_name("ephor")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            telemetry.sample_ratio,
        ))))
        .with_resource(resource)
        .build())
}
