//! Routes of what is held on oneself.

use axum::{
    Json, Router,
    body::Body as Content,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ephor_kernel::DataExportId;
use ephor_rest::{ApiError, Authenticated, Body, Id, Operation};
use http::{StatusCode, header};
use serde_json::json;

use super::{account::secret, extract::Context};
use crate::{
    cookie,
    identity::Identity,
    privacy::{DataExportContent, EraseMe},
    session::CurrentSession,
};

type Answer = Result<Response, ApiError>;

pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    Router::new()
        .route("/v1/me/exports", get(list).post(request))
        .route("/v1/me/exports/{id}", get(show))
        .route("/v1/me/exports/{id}/content", get(content))
        .route("/v1/me/erasure", post(erase))
}

/// The routes, for the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    let export = json!({
        "type": "object",
        "required": ["id", "state", "created_at", "expires_at"],
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "state": { "enum": ["pending", "ready", "failed"] },
            "row_count": { "type": ["integer", "null"] },
            "byte_count": { "type": ["integer", "null"] },
            "sha256": { "type": ["string", "null"], "description": "Of the archive, in hexadecimal." },
            "fault": { "type": ["string", "null"] },
            "created_at": { "type": "string", "format": "date-time" },
            "expires_at": { "type": "string", "format": "date-time", "description": "Then it is deleted." },
        },
    });
    let list = json!({
        "type": "object", "required": ["data"],
        "properties": { "data": { "type": "array", "items": export }, "next": { "type": "null" } },
    });
    vec![
        Operation::get("/v1/me/exports", "List one's data exports").tag("account").response(200, list),
        Operation::post("/v1/me/exports", "Ask for all that is held on oneself")
            .tag("account")
            .about("A job makes one archive of every row that names the caller, in place of the one before; it is kept for seven days. Needs a log-in, not an API key.")
            .response(202, export.clone()),
        Operation::get("/v1/me/exports/{id}", "See how far a data export is").tag("account").response(200, export),
        Operation::get("/v1/me/exports/{id}/content", "Download a data export")
            .tag("account")
            .about("A ZIP of one JSON file for each table, and an index. Needs a log-in, not an API key; that it was taken is recorded.")
            .response_as(200, "application/zip", json!({ "type": "string", "format": "binary" })),
        Operation::post("/v1/me/erasure", "Be erased")
            .tag("account")
            .about("Closes the account at once and for good; a job then anonymises it in all organizations and erases what the audit trail says of the person, which stays verifiable. Refused for the last owner of an organization. Needs a log-in and the password.")
            .request(json!({
                "type": "object", "required": ["password"], "additionalProperties": false,
                "properties": { "password": { "type": "string", "format": "password" } },
            }))
            .response(202, json!({ "type": "object", "required": ["job_id"], "properties": { "job_id": { "type": "string", "format": "uuid" } } })),
    ]
}

async fn list(State(identity): State<Identity>, Authenticated(scope): Authenticated) -> Answer {
    let data = identity.data_export_list(&scope).await?;
    Ok(secret(Json(json!({ "data": data, "next": null }))))
}

async fn request(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
) -> Answer {
    let export = identity.data_export_request(&scope, &session).await?;
    Ok(secret((StatusCode::ACCEPTED, Json(export))))
}

async fn show(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    Id(id): Id<DataExportId>,
) -> Answer {
    Ok(secret(Json(identity.data_export_get(&scope, id).await?)))
}

async fn content(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Id(id): Id<DataExportId>,
) -> Answer {
    let DataExportContent { export, bytes } =
        identity.data_export_content(&scope, &session, id).await?;
    let name =
        format!("attachment; filename=\"ephor-my-data-{}.zip\"", export.created_at.date_naive());
    let length = export.byte_count.unwrap_or_default().to_string();
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, length),
    ];
    Ok(secret((headers, Content::from_stream(bytes))))
}

async fn erase(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Body(input): Body<EraseMe>,
) -> Answer {
    let job = identity.erase_me(&request, &scope, &session, &input).await?;
    let removal = cookie::removal(identity.config().secure_cookies);
    let told = (StatusCode::ACCEPTED, Json(json!({ "job_id": job })));
    Ok(([(header::SET_COOKIE, removal)], secret(told)).into_response())
}
