//! Archives of months of the organization's rows, taken along as Parquet. The resource engine lists them.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use ephor_kernel::{ArchiveId, Problem};
use ephor_rest::{ApiError, Id, Operation, Permitted, permissions};
use ephor_store::{Store, retention};
use object_store::ObjectStore;
use serde_json::json;

use super::App;

permissions! {
    /// Take archives along.
    pub ArchivesExport = "audit", "export";
}

#[derive(Clone)]
struct Archives {
    store: Store,
    objects: Arc<dyn ObjectStore>,
}

/// The route, to be merged with those of the resource engine.
pub fn routes(app: &App) -> Router {
    let state = Archives { store: app.store.clone(), objects: Arc::clone(&app.objects) };
    Router::new().route("/v1/archives/{id}/content", get(content)).with_state(state)
}

async fn content(
    State(archives): State<Archives>,
    Permitted { scope, .. }: Permitted<ArchivesExport>,
    Id(id): Id<ArchiveId>,
) -> Result<Response, ApiError> {
    let mut tx = archives.store.begin(&scope).await.map_err(Problem::from)?;
    let archive = retention::archive_get(&mut tx, id).await.map_err(Problem::from)?;
    let archive = archive.ok_or_else(|| Problem::not_found("archive"))?;
    // Who may not read the rows where they were may not read them here.
    scope.require(archive.permission_word(), "read")?;
    let bytes = retention::archive_contents(tx, &archives.objects, &archive).await;
    let body = Body::from_stream(bytes.map_err(Problem::from)?);
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.apache.parquet".to_owned()),
        (header::CONTENT_LENGTH, archive.byte_count.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", archive.file_name())),
    ];
    Ok((headers, body).into_response())
}

/// The same for the OpenAPI document.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/archives/{id}/content", "Download an archive")
            .tag("archives")
            .about("The rows of one table and month as Parquet; `sha256` of the archive is that of these bytes. Needs the permission to read the table too; that it was taken is recorded.")
            .permission("audit", "export")
            .response_as(200, "application/vnd.apache.parquet", json!({ "type": "string", "format": "binary" })),
    ]
}
