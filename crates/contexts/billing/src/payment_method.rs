//! Which payment method an organization pays with.

use ephor_kernel::{PaymentMethodId, Problem, Scope};
use ephor_store::{OrgTx, StoreError};

use crate::Billing;

impl Billing {
    /// Makes a payment method the one that is charged; what was it, is it no more, in the same
    /// moment. Gives the transaction, for reading the row. Needs `payment_methods:update`.
    ///
    /// # Errors
    /// `forbidden`; `not_found`.
    pub async fn payment_method_default(
        &self,
        scope: &Scope,
        id: PaymentMethodId,
    ) -> Result<OrgTx, Problem> {
        scope.require("payment_methods", "update")?;
        // Payment methods mirror Stripe's, hence are the system's to write.
        let mut tx = self.parts().store.begin_system(scope).await?;
        // Two that choose at the same moment wait for one another, not in a circle.
        sqlx::query!(
            "select id from billing.payment_methods where organization_id = $1 order by id for update",
            scope.organization().uuid()
        )
        .fetch_all(tx.conn())
        .await
        .map_err(StoreError::from)?;
        let changed = sqlx::query!(
            "update billing.payment_methods set is_default = true
             where organization_id = $1 and id = $2 and not is_default",
            scope.organization().uuid(),
            id.uuid()
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        if changed.rows_affected() == 0 {
            let there = sqlx::query_scalar!(
                r#"select exists (select from billing.payment_methods
                   where organization_id = $1 and id = $2) as "there!""#,
                scope.organization().uuid(),
                id.uuid()
            )
            .fetch_one(tx.conn())
            .await
            .map_err(StoreError::from)?;
            if !there {
                return Err(Problem::not_found("payment method"));
            }
        }
        Ok(tx)
    }
}
