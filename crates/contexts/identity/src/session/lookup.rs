//! Who a session cookie stands for.

use ephor_kernel::{
    MemberId, Principal, Problem, RequestContext, RoleId, Scope, SessionId, UserId,
};

use crate::{
    cookie::SessionCookie,
    identity::{Identity, database},
    membership::Looked,
    secrets::{CsrfSecret, SessionToken},
};

/// The session that a request came with. Programs that use API keys have none.
#[derive(Debug, Clone)]
pub struct CurrentSession {
    /// The session's id.
    pub id: SessionId,
    /// Who is logged in.
    pub user: UserId,
    /// As which member of the present organization.
    pub member: MemberId,
    /// With which role.
    pub role: RoleId,
    /// What forms' tokens are made of.
    pub csrf: CsrfSecret,
    pub(crate) token: SessionToken,
}

/// A session that may act, and the cookie to set if its secret was replaced.
pub(crate) struct Admitted {
    pub scope: Scope,
    pub session: CurrentSession,
    pub renewed: Option<SessionCookie>,
}

impl Identity {
    /// The scope and the session of a cookie; `None` when it may not act (any more).
    ///
    /// One round trip; a second one, once a minute, notes that the session is in use, and replaces
    /// its secret when it is old enough.
    pub(crate) async fn session_admit(
        &self,
        request: &RequestContext,
        token: SessionToken,
    ) -> Result<Option<Admitted>, Problem> {
        let hash = token.hash();
        let known = self.parts().memberships.known(&hash);
        for known in [known, None] {
            let version = known.as_ref().map(|known| known.version);
            let mut door = self.store().door().await?;
            let row = sqlx::query!(
                "select session_id, user_id, organization_id, member_id, role_id, csrf_secret, touch_due,
                        rotation_age, membership_version, permissions, readable
                 from door.session_lookup($1, $2)",
                &hash[..],
                version,
            )
            .fetch_one(door.conn())
            .await
            .map_err(database)?;
            drop(door);
            let (
                Some(id),
                Some(user),
                Some(organization),
                Some(member),
                Some(role),
                Some(csrf),
                Some(version),
            ) = (
                row.session_id,
                row.user_id,
                row.organization_id,
                row.member_id,
                row.role_id,
                row.csrf_secret.as_deref().and_then(CsrfSecret::from_bytes),
                row.membership_version,
            )
            else {
                return Ok(None);
            };
            let looked = Looked {
                organization: organization.into(),
                user: user.into(),
                version,
                permissions: row.permissions,
                subsidiaries: row.readable,
            };
            let Some(membership) = self.parts().memberships.settle(&hash, known, looked)? else {
                continue;
            };
            let scope = Scope::new(
                Principal::User(membership.user),
                membership.organization,
                membership.permissions.clone(),
                request.clone(),
            )
            .reading(membership.subsidiaries.iter().copied());
            let old = row.rotation_age.is_some_and(|age| age >= self.config().rotation_seconds());
            let renewed = if old || row.touch_due.unwrap_or(false) {
                self.session_touch(&token, old).await?
            } else {
                None
            };
            let session = CurrentSession {
                id: id.into(),
                user: membership.user,
                member: member.into(),
                role: role.into(),
                csrf,
                token: renewed.as_ref().map_or(token, |cookie| cookie.token().clone()),
            };
            return Ok(Some(Admitted { scope, session, renewed }));
        }
        Ok(None)
    }

    async fn session_touch(
        &self,
        token: &SessionToken,
        rotate: bool,
    ) -> Result<Option<SessionCookie>, Problem> {
        let fresh = rotate.then(SessionToken::generate);
        let mut door = self.store().door().await?;
        let rotated = sqlx::query_scalar!(
            r#"select door.session_touch($1, $2, make_interval(secs => $3)) as "rotated!""#,
            &token.hash()[..],
            fresh.as_ref().map(|token| token.hash().to_vec()),
            self.config().idle_seconds(),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        // Of two requests at once one replaces the secret; the other's still works for a minute.
        Ok(fresh.filter(|_| rotated).map(|token| self.cookie(token)))
    }
}
