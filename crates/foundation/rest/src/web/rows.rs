//! Rows as bytes: what PostgreSQL wrote is passed on.

use std::io;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use ephor_kernel::{Problem, Scope};
use ephor_store::{OrgTx, Store};
use futures::{Stream, stream};
use http::{HeaderValue, StatusCode, header};

use super::{accept::Format, csv, routes::json_response};
use crate::{
    Engine, ListRequest, Resource,
    engine::Export,
    plan::{MAX_ROWS, PAGE_ROWS},
    refusal::{self, Doing},
    sql::RowText,
};

/// `{"data":[…],"next":…}`, and `"count"` if it was asked for.
pub(super) async fn page(
    engine: &Engine,
    tx: &mut OrgTx,
    resource: &Resource,
    asked: &ListRequest,
) -> Result<Response, Problem> {
    let plan = engine.list_plan(tx, resource, asked, (PAGE_ROWS, MAX_ROWS))?;
    let listed = engine.fetch(tx, resource, &plan).await?;
    let mut text = String::with_capacity(64 + listed.rows.len() * 512);
    text.push_str("{\"data\":[");
    for (place, row) in listed.rows.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(item(resource, row)?);
    }
    text.push_str("],\"next\":");
    match &listed.next {
        // A cursor is base64url: it needs no escaping.
        Some(keys) => {
            text.push('"');
            text.push_str(&engine.seal(resource, &plan, keys));
            text.push('"');
        }
        None => text.push_str("null"),
    }
    if let Some(count) = listed.count {
        text.push_str(",\"count\":");
        text.push_str(&count.to_string());
    }
    text.push('}');
    Ok(json_response(StatusCode::OK, text, None))
}

fn item<'a>(resource: &Resource, row: &'a RowText) -> Result<&'a str, Problem> {
    row.item().map_err(|error| refusal::problem(resource, Doing::Reading, error, ""))
}

/// All rows that the request asks for, as a file of comma-separated values: what a list answers to
/// `Accept: text/csv`, for pages whose links can't say so.
///
/// # Errors
/// Those of the list; what goes wrong later breaks the response off.
pub async fn csv_file(
    engine: &Engine,
    store: &Store,
    scope: &Scope,
    path: &str,
    asked: &ListRequest,
) -> Result<Response, Problem> {
    let (export, _) = engine.export(store, scope, path, asked).await?;
    stream(export, Format::Csv, None).await
}

/// An export as a stream. Its first page is fetched before the response begins, so that what is
/// wrong is still told as a problem.
pub(super) async fn stream(
    mut export: Export,
    format: Format,
    link: Option<String>,
) -> Result<Response, Problem> {
    let names = export.names();
    let name = export.resource()?.spec.path;
    let mut first = String::new();
    if format == Format::Csv {
        csv::header(&names, &mut first);
    }
    write(&mut export, format, &names, &mut first).await?;
    let mut response = Response::new(Body::from_stream(chunks(export, format, names, first)));
    let headers = response.headers_mut();
    let (kind, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::Ndjson | Format::Json => ("application/x-ndjson", "ndjson"),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let disposition = format!("attachment; filename=\"{name}.{extension}\"");
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        headers.insert(header::LINK, link);
    }
    Ok(response)
}

/// The chunks of an export; an error breaks the response off, so that nobody takes it for whole.
fn chunks(
    export: Export,
    format: Format,
    names: Vec<String>,
    first: String,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((export, Some(first)), move |(mut export, pending)| {
        let names = names.clone();
        async move {
            let text = if let Some(text) = pending {
                text
            } else {
                let mut text = String::new();
                write(&mut export, format, &names, &mut text).await.map_err(io::Error::other)?;
                text
            };
            Ok(if text.is_empty() { None } else { Some((Bytes::from(text), (export, None))) })
        }
    })
}

/// Writes the next rows; nothing at the end.
async fn write(
    export: &mut Export,
    format: Format,
    names: &[String],
    out: &mut String,
) -> Result<(), Problem> {
    let rows = export.rows().await?;
    let resource = export.resource()?;
    for row in &rows {
        let text = item(resource, row)?;
        if format == Format::Csv {
            csv::row(names, text, out).map_err(|error| {
                tracing::error!(%error, "PostgreSQL wrote JSON that does not read back");
                Problem::internal()
            })?;
        } else {
            out.push_str(text);
            out.push('\n');
        }
    }
    Ok(())
}
