//! The actions: uploads and what lies in them, and the steps of a model's life.

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ephor_kernel::{
    Code, DatasetId, Fault, ModelArtifactId, ModelId, ModelVersionId, Problem, Scope,
};
use ephor_rest::{ApiError, Id, Permitted, Query, permissions};
use ephor_tabular::Format;
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{
    Registry,
    artifact::{NewArtifact, artifact_get},
    dataset::{NewDataset, RowFormat, dataset_get, object_path},
    model::{ModelStatus, model_roll_back, model_step},
};

permissions! {
    /// Upload data sets.
    pub DatasetsCreate = "datasets", "create";
    /// See data sets.
    pub DatasetsRead = "datasets", "read";
    /// Upload files of models.
    pub ArtifactsCreate = "model_artifacts", "create";
    /// See files of models.
    pub ArtifactsRead = "model_artifacts", "read";
    /// Change models.
    pub ModelsUpdate = "models", "update";
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(state: Registry) -> Router {
    Router::new()
        .route("/v1/datasets/upload", post(upload).layer(DefaultBodyLimit::disable()))
        .route("/v1/datasets/{id}/profile", get(profile))
        .route("/v1/datasets/{id}/rows", get(rows))
        .route("/v1/datasets/{id}/file", get(file))
        .route(
            "/v1/model_versions/{id}/artifacts",
            post(artifact_upload).layer(DefaultBodyLimit::disable()),
        )
        .route("/v1/model_artifacts/{id}/file", get(artifact_file))
        .route("/v1/models/{id}/activate", post(activate))
        .route("/v1/models/{id}/deprecate", post(deprecate))
        .route("/v1/models/{id}/archive", post(archive))
        .route("/v1/models/{id}/roll_back/{version}", post(roll_back))
        .with_state(state)
}

/// What an upload of a bare body says in its address.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadQuery {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    file_name: String,
    #[serde(default)]
    format: Option<String>,
}

async fn upload(
    State(registry): State<Registry>,
    Permitted { scope, .. }: Permitted<DatasetsCreate>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let format = query.format.as_deref().map(named_format).transpose()?;
    let new = NewDataset {
        name: query.name,
        description: query.description,
        source_name: query.file_name,
        format,
        metadata: serde_json::Value::Null,
    };
    let id = if is_multipart(request.headers()) {
        let form = Multipart::from_request(request, &()).await.map_err(|error| {
            Problem::new(Code::Malformed, format!("The form could not be read: {error}"))
        })?;
        from_form(&registry, &scope, new, form).await?
    } else {
        let body = request.into_body().into_data_stream().map_err(std::io::Error::other);
        registry.dataset_upload(&scope, new, body, &|_| {}, &CancellationToken::new()).await?
    };
    let mut tx = registry.store.begin(&scope).await.map_err(Problem::from)?;
    let dataset = dataset_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let mut response = (StatusCode::CREATED, Json(dataset)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/datasets/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn is_multipart(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("multipart/form-data"))
}

/// The fields that describe come before the file, as forms send them; the file itself streams.
async fn from_form(
    registry: &Registry,
    scope: &Scope,
    mut new: NewDataset,
    mut form: Multipart,
) -> Result<DatasetId, Problem> {
    let unreadable = |error: axum::extract::multipart::MultipartError| {
        Problem::new(Code::Malformed, format!("The form could not be read: {error}"))
    };
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        match field.name().unwrap_or_default() {
            "file" => {
                new.source_name = field.file_name().unwrap_or_default().to_owned();
                let body = field.map_err(std::io::Error::other);
                return registry
                    .dataset_upload(scope, new, body, &|_| {}, &CancellationToken::new())
                    .await;
            }
            "name" => new.name = short_text(field).await?,
            "description" => new.description = short_text(field).await?,
            "format" => {
                let word = short_text(field).await?;
                if !word.is_empty() {
                    new.format = Some(named_format(&word)?);
                }
            }
            // Tokens of the form's own, such as the one against forgery.
            _ => {}
        }
    }
    Err(Problem::invalid(vec![
        Fault::new("/file", "required", "The form holds no file")
            .hint("send it as the field `file`, after the others"),
    ]))
}

/// A field that is no file: bounded, for it is kept in memory.
async fn short_text(mut field: axum::extract::multipart::Field<'_>) -> Result<String, Problem> {
    const MOST: usize = 64 << 10;
    let name = field.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| {
        Problem::new(Code::Malformed, format!("The form could not be read: {error}"))
    })? {
        if bytes.len() + chunk.len() > MOST {
            return Err(Problem::invalid(vec![Fault::new(
                format!("/{name}"),
                "too_long",
                "The text is too long",
            )]));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| {
        Problem::invalid(vec![Fault::new(format!("/{name}"), "malformed", "The text is not UTF-8")])
    })
}

fn named_format(word: &str) -> Result<Format, Problem> {
    Format::from_name(&format!("x.{word}")).ok_or_else(|| {
        Problem::invalid(vec![Fault::new(
            "query:format",
            "vocabulary",
            format!("`{word}` is none of csv, ndjson, json, parquet"),
        )])
    })
}

async fn profile(
    State(registry): State<Registry>,
    Permitted { scope, .. }: Permitted<DatasetsRead>,
    Id(id): Id<DatasetId>,
) -> Result<Response, ApiError> {
    let mut tx = registry.store.begin(&scope).await.map_err(Problem::from)?;
    let dataset = dataset_get(&mut tx, id).await?;
    match dataset.profile {
        Some(profile) => Ok(Json(profile).into_response()),
        None => Err(Problem::not_found("profile; the data set is still coming in").into()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsQuery {
    #[serde(default = "fifty")]
    limit: usize,
}

const fn fifty() -> usize {
    50
}

async fn rows(
    State(registry): State<Registry>,
    Permitted { scope, .. }: Permitted<DatasetsRead>,
    Id(id): Id<DatasetId>,
    Query(query): Query<RowsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let accept =
        headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = if accept.contains("text/csv") {
        RowFormat::Csv
    } else if accept.contains("application/x-ndjson") {
        RowFormat::Ndjson
    } else {
        RowFormat::Json
    };
    let bytes = registry.dataset_rows(&scope, id, query.limit, format).await?;
    Ok(([(header::CONTENT_TYPE, format.media_type())], bytes).into_response())
}

async fn file(
    State(registry): State<Registry>,
    Permitted { scope, .. }: Permitted<DatasetsRead>,
    Id(id): Id<DatasetId>,
) -> Result<Response, ApiError> {
    registry.dataset_ready(&scope, id).await?;
    let object =
        registry.objects.get(&object_path(scope.organization(), id)).await.map_err(|error| {
            tracing::error!(%error, dataset = %id, "a stored data set could not be read");
            Problem::new(Code::Unavailable, "The stored data set could not be read at the moment")
                .retry_after(5)
        })?;
    let length = object.meta.size;
    let body = Body::from_stream(object.into_stream());
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.apache.parquet".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.parquet\"")),
    ];
    Ok((headers, body).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArtifactQuery {
    #[serde(default)]
    file_name: String,
}

async fn artifact_upload(
    State(registry): State<Registry>,
    Permitted { scope, .. }: Permitted<ArtifactsCreate>,
    Id(version): Id<ModelVersionId>,
    Query(query): Query<ArtifactQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let made = if is_multipart(request.headers()) {
        let form = Multipart::from_request(request, &()).await.map_err(|error| {
            Problem::new(Code::Malformed, format!("The form could not be read: {error}"))
        })?;
        artifact_form(&registry, &scope, version, form).await?
    } else {
        let body = request.into_body().into_data_stream().map_err(std::io::Error::other);
        registry.artifact_upload(&scope, version, &query.file_name, body).await?
    };
    let mut tx = registry.store.begin(&scope).await.map_err(Problem::from)?;
    let artifact = artifact_get(&mut tx, made.id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let status = if made.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, Json(artifact)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/model_artifacts/{}", made.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The file of a form; it streams.
async fn artifact_form(
    registry: &Registry,
    scope: &Scope,
    version: ModelVersionId,
    mut form: Multipart,
) -> Result<NewArtifact, Problem> {
    while let Some(field) = form.next_field().await.map_err(|error| {
        Problem::new(Code::Malformed, format!("The form could not be read: {error}"))
    })? {
        if field.name() == Some("file") {
            let name = field.file_name().unwrap_or_default().to_owned();
            let body = field.map_err(std::io::Error::other);
            return registry.artifact_upload(scope, version, &name, body).await;
        }
    }
    Err(Problem::invalid(vec![
        Fault::new("/file", "required", "The form holds no file")
            .hint("send it as the field `file`"),
    ]))
}

async fn artifact_file(
    State(registry): State<Registry>,
    Permitted { scope, .. }: Permitted<ArtifactsRead>,
    Id(id): Id<ModelArtifactId>,
) -> Result<Response, ApiError> {
    let mut tx = registry.store.begin(&scope).await.map_err(Problem::from)?;
    let artifact = artifact_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let object = registry.artifact_object(scope.organization(), id).await?;
    let ending = match artifact.format.as_str() {
        "onnx" => "onnx",
        "xgboost_ubjson" => "ubj",
        "lightgbm_text" => "txt",
        _ => "json",
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, object.meta.size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"model-{id}.{ending}\"")),
    ];
    Ok((headers, Body::from_stream(object.into_stream())).into_response())
}

async fn activate(
    registry: State<Registry>,
    by: Permitted<ModelsUpdate>,
    id: Id<ModelId>,
) -> Result<StatusCode, ApiError> {
    step(&registry, &by.scope, id.0, ModelStatus::Active).await
}

async fn deprecate(
    registry: State<Registry>,
    by: Permitted<ModelsUpdate>,
    id: Id<ModelId>,
) -> Result<StatusCode, ApiError> {
    step(&registry, &by.scope, id.0, ModelStatus::Deprecated).await
}

async fn archive(
    registry: State<Registry>,
    by: Permitted<ModelsUpdate>,
    id: Id<ModelId>,
) -> Result<StatusCode, ApiError> {
    step(&registry, &by.scope, id.0, ModelStatus::Archived).await
}

async fn step(
    registry: &Registry,
    scope: &Scope,
    id: ModelId,
    to: ModelStatus,
) -> Result<StatusCode, ApiError> {
    let mut tx = registry.store.begin(scope).await.map_err(Problem::from)?;
    model_step(&mut tx, id, to).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn roll_back(
    State(registry): State<Registry>,
    by: Permitted<ModelsUpdate>,
    Path((id, version)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let unknown = |_| Problem::not_found("version of this model");
    let (id, version) = (
        id.parse::<ModelId>().map_err(unknown)?,
        version.parse::<ModelVersionId>().map_err(unknown)?,
    );
    let mut tx = registry.store.begin(&by.scope).await.map_err(Problem::from)?;
    model_roll_back(&mut tx, id, version).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}
