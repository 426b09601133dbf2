//! Routes of organizations: subsidiaries, members, roles, API keys.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use ephor_kernel::{ApiKeyId, MemberId, RoleId};
use ephor_rest::{ApiError, Authenticated, Body, Id, IfMatch, Permitted, permissions};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::account::secret;
use crate::{
    api_key::CreateApiKey,
    identity::Identity,
    member::{AddMember, ChangeMember},
    organization::OpenSubsidiary,
    permissions::{BUILTIN_ROLES, CATALOGUE},
    role::{ChangeRole, CreateRole},
};

type Answer = Result<Response, ApiError>;

// Asked for before a body is read: whoever may not is told that, whatever they sent.
permissions! {
    /// Open subsidiaries.
    pub SubsidiariesCreate = "subsidiaries", "create";
    /// Add members.
    pub MembersCreate = "members", "create";
    /// Change members.
    pub MembersUpdate = "members", "update";
    /// Make roles.
    pub RolesCreate = "roles", "create";
    /// Change roles.
    pub RolesUpdate = "roles", "update";
    /// Make API keys.
    pub ApiKeysCreate = "api_keys", "create";
}

pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    Router::new()
        .route("/v1/permissions", get(list_permissions))
        .route("/v1/organizations", post(open_subsidiary))
        .route("/v1/members", post(add_member))
        .route("/v1/members/{id}", patch(change_member).delete(remove_member))
        .route("/v1/members/{id}/join-link", post(renew_link))
        .route("/v1/roles", post(create_role))
        .route("/v1/roles/{id}", patch(change_role).delete(delete_role))
        .route("/v1/api-keys", post(create_key))
        .route("/v1/api-keys/{id}", delete(revoke_key))
}

async fn list_permissions(Authenticated(_): Authenticated) -> Answer {
    Ok(Json(json!({ "resources": CATALOGUE, "builtin_roles": BUILTIN_ROLES })).into_response())
}

async fn open_subsidiary(
    State(identity): State<Identity>,
    Permitted { scope, .. }: Permitted<SubsidiariesCreate>,
    Body(input): Body<OpenSubsidiary>,
) -> Answer {
    let opened = identity.subsidiary_open(&scope, &input).await?;
    Ok((StatusCode::CREATED, Json(opened)).into_response())
}

async fn add_member(
    State(identity): State<Identity>,
    Permitted { scope, .. }: Permitted<MembersCreate>,
    Body(input): Body<AddMember>,
) -> Answer {
    let added = identity.member_add(&scope, &input).await?;
    Ok(secret((StatusCode::CREATED, Json(added))))
}

async fn change_member(
    State(identity): State<Identity>,
    Permitted { scope, .. }: Permitted<MembersUpdate>,
    Id(id): Id<MemberId>,
    headers: HeaderMap,
    Body(input): Body<ChangeMember>,
) -> Answer {
    let version = IfMatch::of(&headers)?.for_update(true)?;
    let member = identity.member_change(&scope, id, version, &input).await?;
    Ok(with_etag(member.version, StatusCode::OK, member))
}

async fn remove_member(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    Id(id): Id<MemberId>,
) -> Answer {
    identity.member_remove(&scope, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn renew_link(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    Id(id): Id<MemberId>,
) -> Answer {
    let link = identity.member_link(&scope, id).await?;
    Ok(secret((StatusCode::CREATED, Json(link))))
}

async fn create_role(
    State(identity): State<Identity>,
    Permitted { scope, .. }: Permitted<RolesCreate>,
    Body(input): Body<CreateRole>,
) -> Answer {
    let role = identity.role_create(&scope, &input).await?;
    Ok(with_etag(role.version, StatusCode::CREATED, role))
}

async fn change_role(
    State(identity): State<Identity>,
    Permitted { scope, .. }: Permitted<RolesUpdate>,
    Id(id): Id<RoleId>,
    headers: HeaderMap,
    Body(input): Body<ChangeRole>,
) -> Answer {
    let version = IfMatch::of(&headers)?.for_update(true)?;
    let role = identity.role_change(&scope, id, version, &input).await?;
    Ok(with_etag(role.version, StatusCode::OK, role))
}

async fn delete_role(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    Id(id): Id<RoleId>,
) -> Answer {
    identity.role_delete(&scope, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn create_key(
    State(identity): State<Identity>,
    Permitted { scope, .. }: Permitted<ApiKeysCreate>,
    Body(input): Body<CreateApiKey>,
) -> Answer {
    let key = identity.api_key_create(&scope, &input).await?;
    Ok(secret((StatusCode::CREATED, Json(key))))
}

async fn revoke_key(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    Id(id): Id<ApiKeyId>,
) -> Answer {
    identity.api_key_revoke(&scope, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn with_etag(version: i32, status: StatusCode, row: impl Serialize) -> Response {
    let mut response = (status, Json(row)).into_response();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}
