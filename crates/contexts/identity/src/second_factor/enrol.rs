//! Setting up a second factor: a secret for the authenticator, put into force by a code of it.

use ephor_kernel::{Code, Fault, Problem, RequestContext, Scope};
use serde::Serialize;

use super::{SecondFactorCode, code::Used, qr, recovery, totp::TotpSecret};
use crate::{
    identity::{Identity, database},
    session::CurrentSession,
};

/// The name by which authenticators list the account.
const ISSUER: &str = "Ephor";

/// What an authenticator needs to know. Shown once.
#[derive(Debug, Clone, Serialize)]
pub struct Enrolment {
    /// The secret in base 32, for typing.
    pub secret: String,
    /// The same as an address that authenticators open.
    pub otpauth_url: String,
    /// The address as a QR code: an SVG picture.
    pub qr_svg: String,
}

/// Codes for whoever lost the authenticator. Shown once; each works once.
#[derive(Debug, Clone, Serialize)]
pub struct RecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

impl Identity {
    /// Gives the caller a secret, in place of one that was not confirmed.
    ///
    /// # Errors
    /// `conflict` for somebody who has a second factor.
    pub async fn second_factor_begin(
        &self,
        scope: &Scope,
        _: &CurrentSession,
    ) -> Result<Enrolment, Problem> {
        let account = self.me(scope).await?.user;
        let secret = TotpSecret::generate();
        let url = secret.url(ISSUER, &account.email)?;
        let enrolment =
            Enrolment { secret: secret.text(), qr_svg: qr::svg(&url)?, otpauth_url: url };
        let sealed = self.parts().vault.seal(&purpose(scope.principal().uuid()), secret.bytes())?;
        let mut tx = self.store().begin(scope).await?;
        let state =
            sqlx::query_scalar!(r#"select state as "state!" from door.totp_begin($1)"#, sealed)
                .fetch_one(tx.conn())
                .await
                .map_err(database)?;
        if state != "ok" {
            return Err(Problem::new(
                Code::Conflict,
                "You have a second factor; turn it off before you set up another",
            ));
        }
        tx.commit().await?;
        Ok(enrolment)
    }

    /// Puts the secret into force with a code of it; the caller's other sessions end.
    ///
    /// # Errors
    /// `invalid` for a wrong code, `conflict` when nothing waits for it, `rate_limited`.
    pub async fn second_factor_confirm(
        &self,
        request: &RequestContext,
        scope: &Scope,
        session: &CurrentSession,
        code: &SecondFactorCode,
    ) -> Result<RecoveryCodes, Problem> {
        self.count_second_factor(request, session.user).await?;
        let own = self.own_factor(scope).await?;
        let (Some(sealed), None) = (own.secret, own.confirmed_at) else {
            return Err(Problem::new(Code::Conflict, "No second factor waits to be confirmed"));
        };
        let secret = self.opened(session.user.uuid(), &sealed)?;
        let Some(Used::Step(step)) = code.used(&secret, self.parts().clock.now()) else {
            return Err(wrong_code());
        };
        let (shown, kept) = recovery::generate();
        let mut tx = self.store().begin(scope).await?;
        let confirmed = sqlx::query_scalar!(
            r#"select door.totp_confirm($1, $2, $3, $4) as "confirmed!""#,
            sealed,
            step,
            &kept,
            session.id.uuid(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        if !confirmed {
            return Err(Problem::new(
                Code::Conflict,
                "It was changed at the same moment elsewhere",
            ));
        }
        tx.commit().await?;
        Ok(RecoveryCodes { recovery_codes: shown })
    }

    /// Replaces the caller's recovery codes; needs a code of the authenticator.
    ///
    /// # Errors
    /// `invalid` for a code that is wrong or was used, `conflict` without a second factor, `rate_limited`.
    pub async fn recovery_codes_replace(
        &self,
        request: &RequestContext,
        scope: &Scope,
        session: &CurrentSession,
        code: &SecondFactorCode,
    ) -> Result<RecoveryCodes, Problem> {
        self.count_second_factor(request, session.user).await?;
        let own = self.own_factor(scope).await?;
        let (Some(sealed), Some(_)) = (own.secret, own.confirmed_at) else {
            return Err(Problem::new(Code::Conflict, "You have no second factor"));
        };
        let secret = self.opened(session.user.uuid(), &sealed)?;
        let Some(Used::Step(step)) = code.used(&secret, self.parts().clock.now()) else {
            return Err(wrong_code());
        };
        let (shown, kept) = recovery::generate();
        let mut tx = self.store().begin(scope).await?;
        let replaced =
            sqlx::query_scalar!(r#"select door.totp_recovery($1, $2) as "replaced!""#, step, &kept)
                .fetch_one(tx.conn())
                .await
                .map_err(database)?;
        if !replaced {
            return Err(wrong_code());
        }
        tx.commit().await?;
        Ok(RecoveryCodes { recovery_codes: shown })
    }

    /// The secret that the database holds, decrypted.
    pub(super) fn opened(&self, user: uuid::Uuid, sealed: &[u8]) -> Result<TotpSecret, Problem> {
        self.parts().vault.open(&purpose(user), sealed).map(TotpSecret::from_bytes).ok_or_else(|| {
            tracing::error!(%user, "a second factor's secret cannot be opened: is the key in [secrets] another one?");
            Problem::internal()
        })
    }
}

/// A secret opens for its own person only.
fn purpose(user: uuid::Uuid) -> String {
    format!("totp {user}")
}

pub(crate) fn wrong_code() -> Problem {
    Problem::invalid(vec![
        Fault::new("/code", "wrong", "The code is wrong, too old, or was used before")
            .hint("wait for the next one, and see that the phone's clock is right"),
    ])
}
