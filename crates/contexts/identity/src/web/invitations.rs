//! Routes of invitations: made, sent again, revoked; looked at and accepted.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::post,
};
use ephor_kernel::InvitationId;
use ephor_rest::{ApiError, Authenticated, Body, Id, Operation, Permitted, permissions};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    account::{secret, with_cookie},
    extract::Context,
    operations::{ACCOUNT, either, name, object, time, uuid},
};
use crate::{
    identity::Identity,
    invitation::{AcceptInvitation, Invite},
    session::CurrentSession,
};

type Answer = Result<Response, ApiError>;

permissions! {
    /// Invite people.
    pub TeamInvitationsCreate = "team_invitations", "create";
}

pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    Router::new()
        .route("/v1/team_invitations", post(invite))
        .route("/v1/team_invitations/{id}/resend", post(resend))
        .route("/v1/team_invitations/{id}/revoke", post(revoke))
        .route("/v1/auth/invitation-offer", post(offer))
        .route("/v1/auth/accept-invitation", post(accept))
        .route("/v1/me/invitations", post(accept_as_oneself))
}

/// A link's token, alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub token: String,
}

async fn invite(
    State(identity): State<Identity>,
    Context(request): Context,
    Permitted { scope, .. }: Permitted<TeamInvitationsCreate>,
    Body(input): Body<Invite>,
) -> Answer {
    let invited = identity.invite(&request, &scope, &input).await?;
    Ok(secret((StatusCode::CREATED, Json(invited))))
}

async fn resend(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    Id(id): Id<InvitationId>,
) -> Answer {
    Ok(secret(Json(identity.invitation_resend(&request, &scope, id).await?)))
}

async fn revoke(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    Id(id): Id<InvitationId>,
) -> Answer {
    identity.invitation_revoke(&scope, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn offer(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(Link { token }): Body<Link>,
) -> Answer {
    Ok(secret(Json(identity.invitation_offer(&request, &token).await?)))
}

async fn accept(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<AcceptInvitation>,
) -> Answer {
    let cookie = identity.invitation_accept(&request, &input).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT, &cookie))
}

async fn accept_as_oneself(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    _: CurrentSession,
    Body(Link { token }): Body<Link>,
) -> Answer {
    let accepted = identity.invitation_accept_as_oneself(&request, &scope, &token).await?;
    Ok(secret(Json(accepted)))
}

pub(super) fn operations() -> Vec<Operation> {
    const TAG: &str = "team invitations";
    let email = json!({ "type": "string", "format": "email", "maxLength": 254 });
    let role = json!({ "enum": ["owner", "admin", "manager", "operator", "member", "viewer", null], "description": "A built-in role, instead of role_id." });
    let optional_uuid = json!({ "type": ["string", "null"], "format": "uuid" });
    vec![
        Operation::post("/v1/team_invitations", "Invite somebody by e-mail")
            .tag(TAG)
            .about("To the organization, and to one of its teams. The link works once, for seven days, and goes by e-mail; where mail is not set up, the answer holds it, once, to hand over. Nobody gives a role that may do more than they may.")
            .permission("team_invitations", "create")
            .request(either(
                object(
                &["email"],
                json!({
                    "email": email, "role_id": optional_uuid, "role": role, "team_id": optional_uuid,
                    "team_role": { "enum": ["owner", "admin", "member", "viewer", null], "default": "member", "description": "What to be in the team." },
                }),
                ),
                &[("role_id", "string", &["role"]), ("role", "string", &["role_id"])],
            ))
            .response(201, invited()),
        Operation::post("/v1/team_invitations/{id}/resend", "Send an invitation again")
            .tag(TAG)
            .about("With a new link, for seven days from now; the old one works no more.")
            .permission("team_invitations", "create")
            .response(200, invited()),
        Operation::post("/v1/team_invitations/{id}/revoke", "Revoke an invitation")
            .tag(TAG)
            .about("Its link works no more.")
            .permission("team_invitations", "update")
            .empty(204),
        Operation::post("/v1/auth/invitation-offer", "See what an invitation offers")
            .tag(ACCOUNT)
            .public()
            .request(object(&["token"], json!({ "token": { "type": "string" } })))
            .response(200, object(
                &["email", "organization_name", "role_name", "team_name", "expires_at", "has_account"],
                json!({
                    "email": email, "organization_name": name(200), "role_name": name(100),
                    "team_name": { "type": ["string", "null"] }, "expires_at": time(),
                    "has_account": { "type": "boolean", "description": "One signs in with it to accept." },
                }),
            )),
        Operation::post("/v1/auth/accept-invitation", "Accept an invitation as somebody new")
            .tag(ACCOUNT)
            .about("Uses up the link, makes the account, and sets the session cookie. For an address with an account: `POST /v1/me/invitations`.")
            .public()
            .request(object(
                &["token", "password", "full_name"],
                json!({
                    "token": { "type": "string" },
                    "password": { "type": "string", "format": "password", "minLength": 10, "maxLength": 1000 },
                    "full_name": name(200), "consent": { "type": "boolean", "default": false },
                }),
            ))
            .empty(204),
        Operation::post("/v1/me/invitations", "Accept an invitation as oneself")
            .tag(ACCOUNT)
            .about("Uses up a link that is for the address of one's account. `POST /v1/session/organization` goes there.")
            .request(object(&["token"], json!({ "token": { "type": "string" } })))
            .response(200, object(
                &["organization_id", "member_id"],
                json!({ "organization_id": uuid(), "member_id": uuid() }),
            )),
    ]
}

fn invited() -> Value {
    let link = object(
        &["token", "path", "expires_at"],
        json!({ "token": { "type": "string" }, "path": { "type": "string" }, "expires_at": time() }),
    );
    object(
        &["id", "email", "expires_at", "by_mail", "link"],
        json!({
            "id": uuid(), "email": { "type": "string" }, "expires_at": time(), "by_mail": { "type": "boolean" },
            "link": { "anyOf": [link, { "type": "null" }] },
        }),
    )
}
