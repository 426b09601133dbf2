//! `POST /in/rows`: where programs push rows to, with a token and without a session.

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
    routing::post,
};
use ephor_kernel::{
    Code, PermissionSet, Principal, Problem, RequestContext, RowFeedId, Scope, SystemPart,
};
use ephor_rest::ApiError;
use ephor_store::StoreError;
use http_body_util::LengthLimitError;
use tokio::time::Instant;

use super::{MAX_BATCH_BYTES, PushedBatch, RowFeedToken, RowFeeds, accept::paused};

/// Where the token stands when it stands in the address.
const WITH_TOKEN: &str = "/in/rows/";

/// The routes that take rows in. They look at no session; [`admit`] stands around them.
pub fn intake(state: RowFeeds) -> Router {
    Router::new()
        .route("/in/rows", post(push))
        .route("/in/rows/{token}", post(push))
        .with_state(state)
}

/// Lets in who has a token of a row feed that takes rows, as the part of Ephor that takes them in.
///
/// A token that is unknown, revoked or written wrongly, and one of an organization that is suspended, get
/// one and the same answer.
pub async fn admit(State(feeds): State<RowFeeds>, mut request: Request, next: Next) -> Response {
    // What else there is to say of other methods, the router says.
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let token = token_of(&request).and_then(RowFeedToken::parse);
    let context = request.extensions().get::<RequestContext>().cloned().unwrap_or_default();
    match admitted(&feeds, token, context).await {
        Ok((feed, scope)) => {
            request.extensions_mut().insert(feed);
            request.extensions_mut().insert(scope);
            next.run(request).await
        }
        Err(problem) => ApiError(problem).into_response(),
    }
}

async fn admitted(
    feeds: &RowFeeds,
    token: Option<RowFeedToken>,
    context: RequestContext,
) -> Result<(RowFeedId, Scope), Problem> {
    let unknown = || Problem::not_found("row feed");
    let token = token.ok_or_else(unknown)?;
    let mut door = feeds.store.door().await?;
    let found = sqlx::query!(
        "select feed_id, status from door.row_feed_lookup($1, $2, $3)",
        token.organization.uuid(),
        token.feed.uuid(),
        &token.hash()[..],
    )
    .fetch_one(door.conn())
    .await
    .map_err(StoreError::from)?;
    drop(door);
    let feed = RowFeedId::from(found.feed_id.ok_or_else(unknown)?);
    if found.status.as_deref() != Some("active") {
        return Err(paused());
    }
    feeds.rates.admit(feed, Instant::now())?;
    let intake = Principal::System(SystemPart::Intake);
    Ok((feed, Scope::new(intake, token.organization, PermissionSet::default(), context)))
}

/// The token: in the address, else as `Authorization: Bearer`.
fn token_of(request: &Request) -> Option<&str> {
    request.uri().path().strip_prefix(WITH_TOKEN).or_else(|| {
        let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

async fn push(
    State(feeds): State<RowFeeds>,
    Extension(feed): Extension<RowFeedId>,
    Extension(scope): Extension<Scope>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BATCH_BYTES).await.map_err(|error| {
        let too_long = std::error::Error::source(&error)
            .is_some_and(|source| source.downcast_ref::<LengthLimitError>().is_some());
        if too_long {
            let mib = MAX_BATCH_BYTES >> 20;
            Problem::new(
                Code::TooLarge,
                format!("A batch has at most {mib} MiB; send its rows in several"),
            )
        } else {
            Problem::new(Code::Malformed, "The body ended before it was complete; nothing was kept")
        }
    })?;
    let pushed = PushedBatch {
        media_type: text(&parts.headers, "content-type").unwrap_or_default(),
        idempotency_key: text(&parts.headers, "idempotency-key"),
        body,
    };
    let answer = feeds.row_feed_accept(&scope, feed, &pushed).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// A header's text. One that is no text counts as an empty one, which is refused where it matters.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
}
