//! The tier that is in force for who has no other, as the operator configured it.

use ephor_kernel::{OrganizationId, Problem, Scope};
use ephor_store::StoreError;

use crate::Billing;

impl Billing {
    /// Makes the tier with this code the one that is in force where no other is; none when it is
    /// empty. Changes nothing when that is so already.
    ///
    /// # Errors
    /// `not_found` when no active tier has the code.
    pub async fn default_tier_set(&self, code: &str) -> Result<(), Problem> {
        let scope = Scope::platform(OrganizationId::PLATFORM, "the default tier, as configured");
        let mut tx = self.parts().store.begin_system(&scope).await?;
        let known = code.is_empty()
            || sqlx::query_scalar!(
                r#"select exists (select from billing.subscription_tiers where code = $1 and is_active) as "known!""#,
                code
            )
            .fetch_one(tx.conn())
            .await
            .map_err(StoreError::from)?;
        if !known {
            return Err(Problem::not_found("subscription tier"));
        }
        // First the one that was, so that there never are two.
        sqlx::query!(
            "update billing.subscription_tiers set is_default = false
             where is_default and code is distinct from $1",
            code
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        sqlx::query!(
            "update billing.subscription_tiers set is_default = true where code = $1 and not is_default",
            code
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        Ok(())
    }
}
