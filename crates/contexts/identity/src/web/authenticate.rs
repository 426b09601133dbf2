//! The layer that says who asks: session cookie or API key to a scope.

use std::net::SocketAddr;

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, RequestId};
use ephor_rest::ApiError;
use http::{HeaderMap, HeaderValue, header};

use super::origin;
use crate::{
    cookie,
    identity::Identity,
    secrets::{ApiKeyToken, CsrfSecret},
    suspended,
};

/// The most of a form's body that is read to find its token.
const FORM_BYTES: usize = 1024 * 1024;

/// Puts a [`ephor_kernel::Scope`] into the request's extensions if it came with a valid API key
/// (`Authorization: Bearer eph_…` or `x-api-key`), a token of a configured provider, or a session
/// cookie, and with a cookie a [`crate::CurrentSession`] too. A bad key is refused here; without credentials, or with a cookie that
/// is no longer good, the request goes on without a scope, and what needs one answers 401.
///
/// Requests that change something are refused when a page of another site made them, and forms
/// of a session when they lack its token (field `_csrf`, or header `x-csrf-token`). A token that names an
/// organization (`TOKEN.ID`) is good there alone: a form that was opened before its person went to
/// another organization writes nothing there.
pub async fn authenticate(
    State(identity): State<Identity>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = context(&request);
    request.extensions_mut().insert(context.clone());
    match admit(&identity, &context, &mut request).await {
        Ok(renewed) => {
            let mut response = next.run(request).await;
            let secure = identity.config().secure_cookies;
            if let Some(renewed) = renewed
                && !cookie::is_set(response.headers(), secure)
            {
                response.headers_mut().append(header::SET_COOKIE, renewed);
            }
            response
        }
        Err(problem) => ApiError::from(problem).into_response(),
    }
}

/// Returns the cookie to set, when the session's secret was replaced.
async fn admit(
    identity: &Identity,
    context: &RequestContext,
    request: &mut Request,
) -> Result<Option<HeaderValue>, Problem> {
    if let Some(token) = bearer_token(identity, request.headers()) {
        let scope = identity.token_admit(context, token).await?;
        request.extensions_mut().insert(scope);
        return Ok(None);
    }
    if let Some(key) = api_key(request.headers())? {
        let Some(scope) = identity.api_key_admit(context, &key).await? else {
            let suspended = identity.is_key_suspended(&key).await?;
            return Err(if suspended { suspended::suspended() } else { bad_key() });
        };
        request.extensions_mut().insert(scope);
        return Ok(None);
    }
    let public_url = identity.config().public_url.as_deref();
    origin::check(request.method(), request.headers(), public_url)?;
    let Some(token) = cookie::read(request.headers(), identity.config().secure_cookies) else {
        return Ok(None);
    };
    let Some(admitted) = identity.session_admit(context, token).await? else {
        return Ok(None);
    };
    if origin::is_form(request.method(), request.headers()) {
        let organization = admitted.scope.organization();
        check_form(&admitted.session.csrf, organization, request).await?;
    }
    request.extensions_mut().insert(admitted.scope);
    request.extensions_mut().insert(admitted.session);
    Ok(admitted.renewed.map(|cookie| cookie.header()))
}

/// The caller's address and program: as an outer layer found them, or from the connection itself.
fn context(request: &Request) -> RequestContext {
    if let Some(context) = request.extensions().get::<RequestContext>() {
        return context.clone();
    }
    let ip = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let id = request.extensions().get::<RequestId>().copied().unwrap_or_else(RequestId::new);
    RequestContext::new(ip, agent, id)
}

/// A provider's token: three parts with dots between, which no API key has.
fn bearer_token<'a>(identity: &Identity, headers: &'a HeaderMap) -> Option<&'a str> {
    if identity.parts().providers.is_empty() || headers.contains_key("x-api-key") {
        return None;
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.matches('.').count() == 2).then_some(token)
}

fn api_key(headers: &HeaderMap) -> Result<Option<ApiKeyToken>, Problem> {
    let text = match (headers.get("x-api-key"), headers.get(header::AUTHORIZATION)) {
        (Some(key), _) => key.to_str().ok(),
        (None, Some(authorization)) => authorization
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim()),
        (None, None) => return Ok(None),
    };
    text.and_then(ApiKeyToken::parse).map(Some).ok_or_else(bad_key)
}

fn bad_key() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "The API key is unknown, revoked or expired; send `Authorization: Bearer eph_…` with one that is good",
    )
}

async fn check_form(
    secret: &CsrfSecret,
    organization: OrganizationId,
    request: &mut Request,
) -> Result<(), Problem> {
    let header = request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok());
    if let Some(token) = header {
        return verify(secret, organization, Some(token));
    }
    if !origin::is_urlencoded(request.headers()) {
        return verify(secret, organization, None);
    }
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let bytes = to_bytes(body, FORM_BYTES).await.map_err(|_| {
        Problem::new(Code::TooLarge, "A form may have 1 MiB; send files as multipart/form-data")
    })?;
    verify(secret, organization, origin::token_field(&bytes))?;
    *request.body_mut() = Body::from(bytes);
    Ok(())
}

fn verify(
    secret: &CsrfSecret,
    organization: OrganizationId,
    token: Option<&str>,
) -> Result<(), Problem> {
    let token = token.unwrap_or_default();
    let (token, made_for) = match token.split_once('.') {
        Some((token, made_for)) => (token, Some(made_for)),
        None => (token, None),
    };
    if !secret.verifies(token) {
        return Err(origin::refused("The form has no token of this session"));
    }
    // A switch in another window must not send what was written here somewhere else.
    if made_for.is_some_and(|made_for| made_for.parse::<OrganizationId>() != Ok(organization)) {
        return Err(origin::refused("The form is of another organization than you are in now"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_good_in_the_organization_that_it_was_made_in() {
        let secret = CsrfSecret::from_bytes(&[7; 32]).unwrap();
        let (here, elsewhere) = (OrganizationId::new(), OrganizationId::new());
        let token = secret.token();
        let token = token.expose();
        let good = |text: &str| verify(&secret, here, Some(text)).is_ok();
        assert!(good(token) && good(&format!("{token}.{here}")));
        for bad in [
            format!("{token}.{elsewhere}"),
            format!("{token}."),
            format!("{token}.x"),
            format!(".{here}"),
            String::new(),
        ] {
            assert!(!good(&bad), "{bad}");
        }
        assert!(verify(&secret, here, None).is_err());
    }
}
