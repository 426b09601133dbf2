//! Asking to be erased.

use ephor_kernel::{Code, JobId, Problem, RequestContext, Scope};
use ephor_store::jobs::NewJob;
use serde::Deserialize;
use serde_json::json;

use super::jobs::{ERASURE, Person};
use crate::{
    email::Email,
    identity::{Identity, database},
    log_in::wrong_credentials,
    password::Password,
    session::CurrentSession,
};

/// The wish to be erased.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseMe {
    /// The password, which confirms it.
    pub password: Password,
}

impl Identity {
    /// Closes the caller's account at once and for good, and has a job erase what is held on them.
    ///
    /// # Errors
    /// `wrong_credentials`, `rate_limited`; `conflict` for the last owner of an organization.
    pub async fn erase_me(
        &self,
        request: &RequestContext,
        scope: &Scope,
        _: &CurrentSession,
        input: &EraseMe,
    ) -> Result<JobId, Problem> {
        let hash = self.own_hash(request, scope, &input.password).await?;
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            r#"select state as "state!", organizations from door.erasure_request($1)"#,
            hash,
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        match row.state.as_str() {
            "ok" => {}
            "last_owner" => {
                let names = row.organizations.unwrap_or_default().join(", ");
                let told = format!(
                    "You are the last owner of {names}; make somebody else an owner first, then you can be erased"
                );
                return Err(Problem::new(Code::Conflict, told));
            }
            _ => return Err(wrong_credentials()),
        }
        let payload = json!(Person { user: scope.principal().uuid().into() });
        let job = tx.enqueue(NewJob { kind: ERASURE, payload, subject: None }).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// The hash of the caller's password, once the password was found to be theirs.
    async fn own_hash(
        &self,
        request: &RequestContext,
        scope: &Scope,
        password: &Password,
    ) -> Result<String, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let email = sqlx::query_scalar!(
            "select email from identity.users where id = $1",
            scope.principal().uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?
        .ok_or_else(|| Problem::not_found("account"))?;
        tx.commit().await?;
        let email = Email::parse(&email).map_err(|_| Problem::internal())?;
        self.count_log_in(request, &email).await?;
        let (_, hash) = self.user_by_email(&email).await?;
        let right = self.parts().hasher.verify(password, hash.as_deref()).await?;
        hash.filter(|_| right).ok_or_else(wrong_credentials)
    }
}
