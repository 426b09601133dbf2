//! What goes on beside the requests: writing what was metered.

use std::time::Duration;

use ephor_kernel::{OrganizationId, Problem, Scope};
use ephor_store::StoreError;
use tokio::{sync::watch, task::JoinHandle, time};

use crate::Billing;

/// How often what was metered is written.
const FLUSH: Duration = Duration::from_secs(1);

/// Billing's work in the background, until it is shut down.
#[derive(Debug)]
pub struct BillingTasks {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl BillingTasks {
    /// Stops, after writing what was metered.
    pub async fn shutdown(self) {
        // Nobody listens any more when the task has ended by itself.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "billing's background task failed");
        }
    }
}

impl Billing {
    /// Starts the work in the background.
    pub fn start(&self) -> BillingTasks {
        let (stop, mut stopped) = watch::channel(false);
        let billing = self.clone();
        let task = tokio::spawn(async move {
            let mut ticks = time::interval(FLUSH);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            loop {
                let last = tokio::select! {
                    _ = ticks.tick() => false,
                    _ = stopped.changed() => true,
                };
                if let Err(problem) = billing.flush().await {
                    tracing::warn!(%problem, "metered requests could not be written; they are kept");
                }
                if last {
                    return;
                }
            }
        });
        BillingTasks { stop, task }
    }

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
