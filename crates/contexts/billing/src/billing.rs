//! The service: what is in force, what was used, and the writing of it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use ephor_kernel::{Clock, Code, OrganizationId, Problem};
use ephor_store::{Store, StoreError};

use crate::{
    Limits,
    gauge::Gauge,
    limits::{Tier, numbers, words},
    meter::{Batch, Kind, Total},
};

/// What was read longer ago is read again before it is relied on.
const FRESH: TimeDelta = TimeDelta::seconds(10);
/// Who made no request for so long is forgotten until the next.
const REMEMBERED: TimeDelta = TimeDelta::minutes(10);

/// Billing over a store. Cheap to clone.
#[derive(Clone)]
pub struct Billing(Arc<Parts>);

pub(crate) struct Parts {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    batch: Batch,
    gauges: HashMap<OrganizationId, Gauge>,
    tiers: Arc<[Tier]>,
}

impl Billing {
    /// Billing over `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Parts { store, clock, memory: Mutex::default() }))
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in force for an organization, as it was some seconds ago at most.
    pub async fn limits(&self, organization: OrganizationId) -> Result<Arc<Limits>, Problem> {
        self.gauge(organization).await.map(|gauge| gauge.limits)
    }

    /// The same with what it used.
    pub(crate) async fn gauge(&self, organization: OrganizationId) -> Result<Gauge, Problem> {
        let fresh = |memory: &Memory| {
            let gauge = memory.gauges.get(&organization)?;
            (self.now() - gauge.read_at < FRESH).then(|| gauge.clone())
        };
        if let Some(gauge) = fresh(&self.memory()) {
            return Ok(gauge);
        }
        self.read(&HashMap::from([(organization, 0)])).await?;
        let memory = self.memory();
        memory.gauges.get(&organization).cloned().ok_or_else(Problem::internal)
    }

    /// Refuses what the organization's tier does not include.
    pub(crate) async fn require(
        &self,
        organization: OrganizationId,
        feature: &str,
    ) -> Result<(), Problem> {
        let limits = self.limits(organization).await?;
        let tiers = Arc::clone(&self.memory().tiers);
        limits.require(feature, &tiers)
    }

    /// Counts a request of the organization, or refuses it.
    pub(crate) async fn admit(&self, organization: OrganizationId) -> Result<(), Problem> {
        self.gauge(organization).await?;
        let now = self.now();
        let mut memory = self.memory();
        let tiers = Arc::clone(&memory.tiers);
        // Just read; forgotten again at once only by a clock that leaps.
        let Some(gauge) = memory.gauges.get_mut(&organization) else { return Ok(()) };
        gauge.admit(now, &tiers)
    }

    /// Meters a request that was admitted.
    pub(crate) fn meter(&self, kind: Kind, milliseconds: f64) {
        self.memory().batch.add(kind, Total { count: 1, milliseconds });
    }

    /// Writes what was metered since the last time, and reads anew what is in force for those who
    /// made requests; keeps what could not be written.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn flush(&self) -> Result<(), Problem> {
        let batch = std::mem::take(&mut self.memory().batch);
        if batch.0.is_empty() {
            return Ok(());
        }
        if let Err(problem) = self.write(&batch).await {
            // What the database refuses, it would refuse each time, and everybody's with it.
            if problem.code == Code::Unavailable {
                let mut memory = self.memory();
                for (kind, total) in batch.0 {
                    memory.batch.add(kind, total);
                }
            } else {
                tracing::error!(%problem, kinds = batch.0.len(), "metered requests are lost");
                // Nor do they count against anybody from here on.
                self.read(&batch.by_organization()).await?;
            }
            return Err(problem);
        }
        self.read(&batch.by_organization()).await?;
        let long_ago = self.now() - REMEMBERED;
        self.memory().gauges.retain(|_, gauge| gauge.unwritten > 0 || gauge.seen_at > long_ago);
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), Problem> {
        let rows: Vec<_> = batch.0.iter().collect();
        let organizations: Vec<_> = rows.iter().map(|(kind, _)| kind.organization.uuid()).collect();
        let endpoints: Vec<_> = rows.iter().map(|(kind, _)| kind.endpoint.to_string()).collect();
        let statuses: Vec<_> = rows.iter().map(|(kind, _)| i32::from(kind.status)).collect();
        let users: Vec<_> = rows.iter().map(|(kind, _)| kind.user).collect();
        let counts: Vec<_> =
            rows.iter().map(|(_, total)| i64::try_from(total.count).unwrap_or(i64::MAX)).collect();
        let means: Vec<_> = rows
            .iter()
            .map(|(_, total)| (total.milliseconds / total.count as f64).round() as i32)
            .collect();
        let mut door = self.0.store.door().await?;
        sqlx::query!(
            "select door.usage_add($1, $2, $3, $4, $5, $6)",
            &organizations,
            &endpoints,
            &statuses,
            &users as &[Option<uuid::Uuid>],
            &counts,
            &means
        )
        .execute(door.conn())
        .await
        .map_err(StoreError::from)?;
        Ok(())
    }

    /// Reads what is in force for these organizations, and how much they used. The numbers are of
    /// requests that were written since the last time.
    async fn read(&self, written: &HashMap<OrganizationId, u64>) -> Result<(), Problem> {
        let ids: Vec<_> = written.keys().map(|id| id.uuid()).collect();
        let mut door = self.0.store.door().await?;
        let rows = sqlx::query!(
            r#"select organization_id as "organization_id!", tier_code, tier_name, features,
                      limits as "limits!", requests as "requests!"
               from door.limits_in_force($1)"#,
            &ids
        )
        .fetch_all(door.conn())
        .await
        .map_err(StoreError::from)?;
        let tiers = sqlx::query!(
            "select name, features, limits from billing.subscription_tiers
             where is_active order by price_monthly, id"
        )
        .fetch_all(door.conn())
        .await
        .map_err(StoreError::from)?;
        drop(door);
        let now = self.now();
        let mut memory = self.memory();
        memory.tiers = tiers
            .into_iter()
            .map(|tier| Tier {
                name: tier.name,
                features: words(&tier.features),
                limits: numbers(&tier.limits),
            })
            .collect();
        for row in rows {
            let organization = OrganizationId::from(row.organization_id);
            let limits = Arc::new(Limits {
                tier_code: row.tier_code,
                tier_name: row.tier_name,
                features: row.features.as_ref().map(words),
                limits: numbers(&row.limits),
            });
            let used = u64::try_from(row.requests).unwrap_or(0);
            let less = written.get(&organization).copied().unwrap_or(0);
            memory
                .gauges
                .entry(organization)
                .and_modify(|gauge| gauge.read(Arc::clone(&limits), used, less, now))
                .or_insert_with(|| Gauge::new(limits, used, now));
        }
        Ok(())
    }
}

impl fmt::Debug for Billing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Billing").finish_non_exhaustive()
    }
}
