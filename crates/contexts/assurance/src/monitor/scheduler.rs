//! Starts what is due. Every server and worker looks; a row's lock lets one of them do it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use ephor_kernel::{
    Clock, MonitorId, OrganizationId, PermissionSet, Principal, RequestContext, Scope, SystemPart,
};
use ephor_store::{Background, Store, StoreError, jobs};

use super::{Schedule, enqueue::monitor_enqueue, record::monitor_failed};

/// How often to look: schedules are to the minute.
const EVERY: Duration = Duration::from_secs(10);
/// How many to start at a time; the rest is found at the next look.
const BATCH: i32 = 1000;

/// Starts the monitors that are due.
#[derive(Clone)]
pub struct Scheduler {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Scheduler {
    /// A scheduler by this clock.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Looks again and again until it is shut down.
    pub fn start(self) -> Background {
        Background::every("monitors", EVERY, move || {
            let scheduler = self.clone();
            async move {
                if let Err(error) = scheduler.tick().await {
                    tracing::warn!(%error, "monitors that are due could not be looked for; they are soon");
                }
            }
        })
    }

    /// Looks once; says how many runs it started. Runs that were missed are made up for by one.
    ///
    /// # Errors
    /// When what is due cannot be read. One monitor's failure does not hold up the others.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut started = 0;
        for (organization, monitor) in jobs::monitors_due(&self.store, now, BATCH).await? {
            match self.start_due(organization, monitor, now).await {
                Ok(true) => started += 1,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, %organization, %monitor, "a monitor could not be started");
                }
            }
        }
        Ok(started)
    }

    /// Enqueues the run and works out the next, in one transaction.
    async fn start_due(
        &self,
        organization: OrganizationId,
        id: MonitorId,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let scope = Scope::new(
            Principal::System(SystemPart::Worker),
            organization,
            PermissionSet::all(),
            RequestContext::default(),
        );
        let mut tx = self.store.begin_system(&scope).await?;
        let due = sqlx::query!(
            r#"select schedule as "schedule!", next_run_at from assurance.monitors
                where organization_id = $1 and id = $2 and status = 'active' and schedule is not null
                  and (next_run_at is null or next_run_at <= $3)
                  for update skip locked"#,
            organization.uuid(),
            id.uuid(),
            now,
        )
        .fetch_optional(tx.conn())
        .await?;
        // Another was quicker, or somebody is changing it.
        let Some(due) = due else { return Ok(false) };
        let schedule = Schedule::parse(&due.schedule).ok();
        let ahead = schedule.and_then(|schedule| Some((schedule, schedule.next_after(now)?)));
        let next = if let Some((schedule, next)) = ahead {
            // Its window ends when it was due, whenever somebody looks: so windows meet.
            if let Some(first) = due.next_run_at {
                let at = schedule.last_until(first, now);
                monitor_enqueue(&mut tx, id, Some(at)).await?;
            }
            Some(next)
        } else {
            // It came past the check, such as by an import. To be told once a day is enough.
            let why = format!("The schedule `{}` cannot be read", due.schedule);
            monitor_failed(&mut tx, id, &why, now).await?;
            now.checked_add_signed(TimeDelta::days(1))
        };
        let started = due.next_run_at.is_some();
        sqlx::query!(
            "update assurance.monitors set next_run_at = $3 where organization_id = $1 and id = $2",
            organization.uuid(),
            id.uuid(),
            next,
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(started)
    }
}
