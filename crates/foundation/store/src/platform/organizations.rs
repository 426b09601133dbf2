//! Organizations, as who runs the installation sees and limits them.

use chrono::{DateTime, Utc};
use ephor_kernel::{OrganizationId, Scope};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::scope;
use crate::{Store, StoreError};

/// An organization and how much it keeps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganizationSize {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// standalone, holding or subsidiary.
    pub kind: String,
    /// The holding that it belongs to.
    pub parent_id: Option<Uuid>,
    /// False while it is suspended.
    pub is_active: bool,
    /// Its tier; none for the free one.
    pub tier: Option<String>,
    /// How many members it may have.
    pub max_users: Option<i32>,
    /// How many assistants it may have.
    pub max_assistants: Option<i32>,
    /// What its AI may cost in a month, in US dollars.
    pub monthly_cost_limit: Option<String>,
    /// Active members.
    pub members: i64,
    /// Registered models.
    pub models: i64,
    /// Data sets.
    pub datasets: i64,
    /// Bytes of the data sets.
    pub dataset_bytes: i64,
    /// Sealed entries of its trail.
    pub audit_entries: i64,
    /// When the last of them was sealed.
    pub last_entry_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// What is to be different; what is none stays, and an inner none takes the limit away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::option_option, reason = "left as it is, no limit, and a limit are three things")]
pub struct OrganizationChange {
    /// Whether it may be used.
    pub is_active: Option<bool>,
    /// Its tier.
    pub tier: Option<Option<Uuid>>,
    /// How many members it may have.
    pub max_users: Option<Option<i32>>,
    /// How many assistants it may have.
    pub max_assistants: Option<Option<i32>>,
    /// What its AI may cost in a month, in US dollars, as a decimal.
    pub monthly_cost_limit: Option<Option<String>>,
}

impl OrganizationChange {
    fn body(self) -> Value {
        let Self { is_active, tier, max_users, max_assistants, monthly_cost_limit } = self;
        let members = [
            ("is_active", is_active.map(|value| json!(value))),
            ("subscription_tier_id", tier.map(|value| json!(value))),
            ("max_users", max_users.map(|value| json!(value))),
            ("max_assistants", max_assistants.map(|value| json!(value))),
            ("monthly_cost_limit", monthly_cost_limit.map(|value| json!(value))),
        ];
        let said: Map<String, Value> = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        Value::Object(said)
    }

    /// Does it change nothing?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// All organizations by name, or one.
pub async fn organization_list(
    store: &Store,
    organization: Option<OrganizationId>,
) -> Result<Vec<OrganizationSize>, StoreError> {
    let mut tx = store.begin_system(&scope("organizations")).await?;
    let list = sqlx::query_as!(
        OrganizationSize,
        r#"select id as "id!", name as "name!", slug as "slug!", kind as "kind!", parent_id, is_active as "is_active!",
                  tier, max_users, max_assistants, monthly_cost_limit::text, members as "members!", models as "models!",
                  datasets as "datasets!", dataset_bytes::bigint as "dataset_bytes!", audit_entries as "audit_entries!",
                  last_entry_at, created_at as "created_at!"
             from ops.organizations_list($1)"#,
        organization.map(OrganizationId::uuid),
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(list)
}

/// Changes an organization; says whether there is such a one. It is told in its own trail too.
pub async fn organization_set(
    store: &Store,
    organization: OrganizationId,
    change: OrganizationChange,
    reason: &str,
) -> Result<bool, StoreError> {
    let mut tx = store.begin_system(&Scope::platform(organization, reason)).await?;
    let changed = sqlx::query_scalar!(
        r#"select changed as "changed!" from ops.organization_set($1, $2, $3)"#,
        organization.uuid(),
        change.body(),
        reason,
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(changed)
}

/// The tiers that an organization may have.
pub async fn tier_list(store: &Store) -> Result<Vec<TierRow>, StoreError> {
    let mut tx = store.begin_system(&scope("tiers")).await?;
    let tiers =
        sqlx::query_as!(TierRow, "select id, name from billing.subscription_tiers order by name")
            .fetch_all(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(tiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_what_is_taken_away() {
        let change = OrganizationChange { max_users: Some(None), ..OrganizationChange::default() };
        assert_eq!(change.body(), json!({ "max_users": null }));
        assert!(OrganizationChange::default().is_empty());
    }
}
