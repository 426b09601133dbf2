//! What an organization may use, and what it used: for its members to see.

use chrono::{DateTime, NaiveDate, Utc};
use ephor_kernel::{Problem, Scope};
use ephor_store::StoreError;
use serde::Serialize;

use crate::{
    Billing, feature,
    gauge::{month_of, next_month},
};

/// What a limit is counted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A minute.
    Minute,
    /// A month, in UTC.
    Month,
    /// What there is at once.
    Time,
}

/// A limit, whether there is one or not, and what is used of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitUse {
    /// Its word: `members`, `requests_per_month`.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// What is allowed; none for no limit.
    pub limit: Option<f64>,
    /// What is used.
    pub used: f64,
    /// What it is counted over.
    pub per: Per,
}

/// A feature, and whether it is included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureUse {
    /// Its word.
    pub name: &'static str,
    /// Whether the tier includes it.
    pub included: bool,
}

/// A day's requests, in UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayUsage {
    /// The day.
    pub day: NaiveDate,
    /// How many.
    pub requests: i64,
    /// How many of them failed.
    pub failed: i64,
}

/// An endpoint's requests of this month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointUsage {
    /// Method and route.
    pub endpoint: String,
    /// How many.
    pub requests: i64,
    /// How many of them failed.
    pub failed: i64,
    /// How long one took on average, in milliseconds.
    pub mean_milliseconds: Option<f64>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    /// The stable word of the tier in force, if it has one.
    pub tier_code: Option<String>,
    /// The tier in force; none when there is none, so that nothing is gated.
    pub tier_name: Option<String>,
    /// The first day of the month that is counted.
    pub month: NaiveDate,
    /// When the next one begins.
    pub resets_at: DateTime<Utc>,
    /// The limits.
    pub limits: Vec<LimitUse>,
    /// The features.
    pub features: Vec<FeatureUse>,
    /// The month's days that had requests, the first one first.
    pub days: Vec<DayUsage>,
    /// The endpoints that were asked most in this month.
    pub endpoints: Vec<EndpointUsage>,
}

/// How many endpoints are named.
const ENDPOINTS: i64 = 20;

impl Billing {
    /// What the caller's organization may use, and what it used. Needs `usage_records:read`.
    ///
    /// # Errors
    /// `forbidden`; `unavailable` without a database.
    pub async fn usage(&self, scope: &Scope) -> Result<Usage, Problem> {
        scope.require("usage_records", "read")?;
        let organization = scope.organization();
        let gauge = self.gauge(organization).await?;
        let now = self.now();
        let (month, resets_at) = (month_of(now), next_month(now));
        let since = month.and_time(chrono::NaiveTime::MIN).and_utc();
        let mut tx = self.parts().store.begin_system(scope).await?;
        let counts = sqlx::query!(
            r#"select
                (select count(*) from identity.organization_members m
                 where m.organization_id = $1 and (m.is_active or m.joined_at is null))
                + (select count(*) from identity.team_invitations i
                   where i.organization_id = $1 and i.status = 'pending' and i.expires_at > now()
                     and not exists (select from identity.organization_members m
                                     where m.organization_id = $1 and m.email = i.email
                                       and (m.is_active or m.joined_at is null))) as "members!",
                (select count(*) from workforce.assistants a where a.organization_id = $1) as "assistants!",
                coalesce((select c.bias_analysis_count from billing.usage_counts c
                          where c.organization_id = $1 and c.month = $3), 0) as "analyses!",
                coalesce((select c.deliberation_count from billing.usage_counts c
                          where c.organization_id = $1 and c.month = $3), 0) as "deliberations!",
                (select coalesce(sum(c.cost_amount), 0)::double precision from gateway.cost_transactions c
                 where c.organization_id = $1 and c.created_at >= $2) as "cost!""#,
            organization.uuid(),
            since,
            month
        )
        .fetch_one(tx.conn())
        .await
        .map_err(StoreError::from)?;
        let days = sqlx::query_as!(
            DayUsage,
            r#"select (created_at at time zone 'UTC')::date as "day!", sum(request_count)::bigint as "requests!",
                      coalesce(sum(request_count) filter (where status_code >= 400), 0)::bigint as "failed!"
               from billing.usage_records where organization_id = $1 and created_at >= $2 group by 1 order by 1"#,
            organization.uuid(),
            since
        )
        .fetch_all(tx.conn())
        .await
        .map_err(StoreError::from)?;
        let endpoints = sqlx::query_as!(
            EndpointUsage,
            r#"select endpoint as "endpoint!", sum(request_count)::bigint as "requests!",
                      coalesce(sum(request_count) filter (where status_code >= 400), 0)::bigint as "failed!",
                      sum(response_time_ms::double precision * request_count)
                          / nullif(sum(request_count), 0)::double precision as mean_milliseconds
               from billing.usage_records where organization_id = $1 and created_at >= $2
               group by endpoint order by 2 desc, 1 limit $3"#,
            organization.uuid(),
            since,
            ENDPOINTS
        )
        .fetch_all(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        let limits = &gauge.limits;
        let limit = |name: &'static str, label: &'static str, used: f64, per: Per| LimitUse {
            name,
            label,
            limit: limits.limits.get(name).copied(),
            used,
            per,
        };
        let (in_month, in_minute) = (gauge.in_month(now) as f64, gauge.in_minute(now) as f64);
        Ok(Usage {
            tier_code: limits.tier_code.clone(),
            tier_name: limits.tier_name.clone(),
            month,
            resets_at,
            limits: vec![
                limit("requests_per_month", "API requests this month", in_month, Per::Month),
                limit("requests_per_minute", "API requests this minute", in_minute, Per::Minute),
                limit("members", "Members and invitations", counts.members as f64, Per::Time),
                limit("assistants", "AI assistants", counts.assistants as f64, Per::Time),
                limit(
                    "bias_analyses_per_month",
                    "Bias analyses this month",
                    counts.analyses as f64,
                    Per::Month,
                ),
                limit(
                    "deliberations_per_month",
                    "Deliberations this month",
                    counts.deliberations as f64,
                    Per::Month,
                ),
                limit("cost_per_month", "Cost of AI this month, in USD", counts.cost, Per::Month),
            ],
            features: feature::all()
                .map(|name| FeatureUse { name, included: limits.includes(name) })
                .collect(),
            days,
            endpoints,
        })
    }
}
