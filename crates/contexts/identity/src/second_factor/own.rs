//! One's own second factor: what is known of it, and turning it off.

use chrono::{DateTime, Utc};
use ephor_kernel::{Problem, RequestContext, Scope};
use serde::{Deserialize, Serialize};

use super::{SecondFactorCode, enrol::wrong_code};
use crate::{
    email::Email,
    identity::{Identity, database},
    log_in::wrong_credentials,
    password::Password,
    session::CurrentSession,
};

/// What somebody may know of their second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecondFactorState {
    /// It is asked for at log-in.
    pub on: bool,
    /// A secret was given that no code has confirmed.
    pub pending: bool,
    /// Since when it is asked for.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// How many recovery codes were not used.
    pub recovery_codes_left: i32,
    /// The person has set a password; those whom a provider brought may have none.
    pub has_password: bool,
}

/// What turns it off: the password or a code.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecondFactorOff {
    /// The password.
    pub password: Option<Password>,
    /// A code of the authenticator, or a recovery code.
    pub code: Option<SecondFactorCode>,
}

pub(super) struct OwnFactor {
    pub secret: Option<Vec<u8>>,
    pub confirmed_at: Option<DateTime<Utc>>,
    recovery_codes_left: i32,
    has_password: bool,
}

impl Identity {
    /// The caller's second factor.
    pub async fn second_factor(&self, scope: &Scope) -> Result<SecondFactorState, Problem> {
        let own = self.own_factor(scope).await?;
        Ok(SecondFactorState {
            on: own.confirmed_at.is_some(),
            pending: own.secret.is_some() && own.confirmed_at.is_none(),
            confirmed_at: own.confirmed_at,
            recovery_codes_left: own.recovery_codes_left,
            has_password: own.has_password,
        })
    }

    pub(super) async fn own_factor(&self, scope: &Scope) -> Result<OwnFactor, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            "select secret, confirmed_at, recovery_codes_left, has_password from door.totp_state()"
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(OwnFactor {
            secret: row.secret,
            confirmed_at: row.confirmed_at,
            recovery_codes_left: row.recovery_codes_left.unwrap_or(0),
            has_password: row.has_password.unwrap_or(false),
        })
    }

    /// Turns the caller's second factor off.
    ///
    /// # Errors
    /// `wrong_credentials` for a wrong password, `invalid` for a wrong code, `rate_limited`.
    pub async fn second_factor_off(
        &self,
        request: &RequestContext,
        scope: &Scope,
        session: &CurrentSession,
        input: &SecondFactorOff,
    ) -> Result<(), Problem> {
        self.count_second_factor(request, session.user).await?;
        let own = self.own_factor(scope).await?;
        let (mut hash, mut used) = (None, None);
        if let Some(code) = &input.code {
            let Some(sealed) = &own.secret else { return Err(wrong_code()) };
            let secret = self.opened(session.user.uuid(), sealed)?;
            used = Some(code.used(&secret, self.parts().clock.now()).ok_or_else(wrong_code)?);
        } else {
            let email = self.me(scope).await?.user.email;
            let email = Email::parse(&email).map_err(|_| Problem::internal())?;
            let (_, stored) = self.user_by_email(&email).await?;
            let password = input.password.clone().unwrap_or_else(|| Password::new(""));
            let right = self.parts().hasher.verify(&password, stored.as_deref()).await?;
            hash = Some(stored.filter(|_| right).ok_or_else(wrong_credentials)?);
        }
        let mut tx = self.store().begin(scope).await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.totp_off($1, $2, $3)"#,
            hash,
            used.and_then(super::code::Used::step),
            used.and_then(super::code::Used::recovery),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        match state.as_str() {
            "ok" => Ok(tx.commit().await?),
            "none" => Err(Problem::not_found("second factor")),
            _ => Err(wrong_code()),
        }
    }
}
