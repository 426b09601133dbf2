//! Reading entries, and writing those that no trigger writes.

use chrono::{DateTime, Utc};
use ephor_kernel::EntryId;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{OrgTx, StoreError};

/// Which entries are asked for; all that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// The kind of thing, such as `registry.models`.
    pub entity_type: Option<String>,
    /// One thing.
    pub entity_id: Option<Uuid>,
    /// One actor.
    pub actor_id: Option<Uuid>,
    /// What was done, such as `update` or `log_in`.
    pub action: Option<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
    /// What the entry's text holds: values before and after, address, program. Looked for in the
    /// [`SEARCHED`] newest entries that the other filters leave; `next` goes on behind them.
    pub text: Option<String>,
    /// Entries older than this one: the `next` of the page before.
    pub cursor: Option<EntryId>,
    /// How many, 1 to 500; 50 if not given.
    pub limit: Option<u16>,
}

/// In how many entries a text is looked for at once: no index serves it.
pub const SEARCHED: i64 = 20_000;

/// Some entries, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<EntryId>,
}

/// One entry, with its body taken apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its id.
    pub id: EntryId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// user, assistant, system or platform.
    pub actor_type: String,
    /// Who.
    pub actor_id: Uuid,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub entity_type: String,
    /// To which one.
    pub entity_id: Option<Uuid>,
    /// The row before.
    pub before: Option<Value>,
    /// The row after.
    pub after: Option<Value>,
    /// What an event tells beyond its name.
    pub details: Option<Value>,
    /// From which address.
    pub ip_address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// From which organization, when it is another than the entry's: a holding, of what is decided there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_from: Option<String>,
    /// Masked columns that changed.
    pub masked: Option<Value>,
    /// The entry that records the erasure of this one's body.
    pub erased_by: Option<Uuid>,
    /// Is it in the tree already?
    pub sealed: bool,
}

/// A column that an update changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The column.
    pub column: String,
    /// Its value before.
    pub before: Value,
    /// Its value after.
    pub after: Value,
}

impl AuditEntry {
    /// What an update changed, column by column; masked columns show `***` on both sides.
    pub fn changes(&self) -> Vec<Change> {
        let (Some(Value::Object(before)), Some(Value::Object(after))) = (&self.before, &self.after)
        else {
            return Vec::new();
        };
        let is_masked = |column: &str| matches!(&self.masked, Some(Value::Array(all)) if all.iter().any(|name| name == column));
        after
            .iter()
            .filter(|(column, value)| before.get(*column) != Some(value) || is_masked(column))
            .map(|(column, value)| Change {
                column: column.clone(),
                before: before.get(column).cloned().unwrap_or_default(),
                after: value.clone(),
            })
            .collect()
    }
}

struct Found {
    id: Uuid,
    created_at: DateTime<Utc>,
    actor_type: String,
    actor_id: Uuid,
    action: String,
    entity_type: String,
    entity_id: Option<Uuid>,
    body: Option<Value>,
    erased_by: Option<Uuid>,
    sealed: bool,
}

/// One statement for each filter that an index serves, so that each is planned for that index;
/// the others are checked along the way.
macro_rules! entries {
    ($tx:expr, $filter:expr, $limit:expr, $lead:literal) => {
        sqlx::query_as!(
            Found,
            r#"select l.id, l.created_at, l.actor_type, l.actor_id, l.action, l.entity_type, l.entity_id,
                      l.body::jsonb as "body: Value", l.erased_by,
                      l.id <> all (array(select q.entry_id from audit.seal_queue as q
                                         where q.organization_id = $1)) as "sealed!"
               from audit.audit_logs as l
               where l.organization_id = $1
                 and ($2::uuid is null or l.entity_id = $2)
                 and ($3::uuid is null or l.actor_id = $3)
                 and ($4::text is null or l.action = $4)
                 and ($5::text is null or l.entity_type = $5)
                 and ($6::uuid is null or l.id < $6)
                 and ($7::timestamptz is null or l.created_at >= $7)
                 and ($8::timestamptz is null or l.created_at < $8)
                 and ($10::uuid is null or l.id >= $10)
                 and ($11::text is null or l.body ilike $11)"#
                + $lead
                + " order by l.id desc limit $9",
            $tx.organization().uuid(),
            $filter.entity_id,
            $filter.actor_id,
            $filter.action.as_deref(),
            $filter.entity_type.as_deref(),
            $filter.cursor.map(EntryId::uuid),
            $filter.from,
            $filter.to,
            $limit.0,
            $limit.1,
            $filter.text.as_deref().map(pattern),
        )
        .fetch_all($tx.conn())
        .await?
    };
}

/// What holds the text, for `ilike`: its own signs stand for themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The last entry that a search for a text looks at, when there are more behind it.
async fn horizon(tx: &mut OrgTx, filter: &EntryFilter) -> Result<Option<Uuid>, StoreError> {
    if filter.text.is_none() {
        return Ok(None);
    }
    let last = sqlx::query_scalar!(
        "select l.id from audit.audit_logs as l
         where l.organization_id = $1
           and ($2::uuid is null or l.entity_id = $2)
           and ($3::uuid is null or l.actor_id = $3)
           and ($4::text is null or l.action = $4)
           and ($5::text is null or l.entity_type = $5)
           and ($6::uuid is null or l.id < $6)
           and ($7::timestamptz is null or l.created_at >= $7)
           and ($8::timestamptz is null or l.created_at < $8)
         order by l.id desc offset $9 limit 1",
        tx.organization().uuid(),
        filter.entity_id,
        filter.actor_id,
        filter.action.as_deref(),
        filter.entity_type.as_deref(),
        filter.cursor.map(EntryId::uuid),
        filter.from,
        filter.to,
        SEARCHED - 1,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(last)
}

/// Entries of the transaction's organization, newest first.
pub async fn entry_list(tx: &mut OrgTx, filter: &EntryFilter) -> Result<EntryPage, StoreError> {
    let limit = i64::from(filter.limit.unwrap_or(50).clamp(1, 500));
    let horizon = horizon(tx, filter).await?;
    // One more than asked for tells whether there is a next page.
    let more = (limit + 1, horizon);
    let mut found: Vec<Found> = if filter.entity_id.is_some() {
        entries!(tx, filter, more, " and l.entity_id = $2")
    } else if filter.actor_id.is_some() {
        entries!(tx, filter, more, " and l.actor_id = $3")
    } else if filter.action.is_some() {
        entries!(tx, filter, more, " and l.action = $4")
    } else if filter.entity_type.is_some() {
        entries!(tx, filter, more, " and l.entity_type = $5")
    } else {
        entries!(tx, filter, more, "")
    };
    let is_more = found.len() as i64 > limit;
    found.truncate(limit as usize);
    let entries: Vec<_> = found.into_iter().map(AuditEntry::from).collect();
    let next = entries.last().filter(|_| is_more).map(|last| last.id);
    Ok(EntryPage { entries, next: next.or(horizon.map(EntryId::from)) })
}

/// One entry of the transaction's organization.
pub async fn entry_get(tx: &mut OrgTx, id: EntryId) -> Result<Option<AuditEntry>, StoreError> {
    let found = sqlx::query_as!(
        Found,
        r#"select l.id, l.created_at, l.actor_type, l.actor_id, l.action, l.entity_type, l.entity_id,
                  l.body::jsonb as "body: Value", l.erased_by,
                  not exists (select from audit.seal_queue as q
                              where q.organization_id = $1 and q.entry_id = $2) as "sealed!"
           from audit.audit_logs as l where l.organization_id = $1 and l.id = $2"#,
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.map(AuditEntry::from))
}

impl From<Found> for AuditEntry {
    fn from(found: Found) -> Self {
        let mut body = match found.body {
            Some(Value::Object(body)) => body,
            _ => serde_json::Map::new(),
        };
        let mut take = |name| body.remove(name).filter(|value| !value.is_null());
        let (before, after, details, masked) =
            (take("old"), take("new"), take("details"), take("masked"));
        let request = take("request").unwrap_or_default();
        let text = |name| request.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            id: EntryId::from(found.id),
            created_at: found.created_at,
            actor_type: found.actor_type,
            actor_id: found.actor_id,
            action: found.action,
            entity_type: found.entity_type,
            entity_id: found.entity_id,
            before,
            after,
            details,
            ip_address: text("ip"),
            user_agent: text("user_agent"),
            request_id: text("request_id"),
            acting_from: text("acting_from"),
            masked,
            erased_by: found.erased_by,
            sealed: found.sealed,
        }
    }
}

/// Records an event that changes no row, such as an export or a refusal. The names are lower-case
/// words, with dots and underscores.
pub async fn record(
    tx: &mut OrgTx,
    action: &str,
    entity_type: &str,
    entity_id: Option<Uuid>,
    details: &Value,
) -> Result<EntryId, StoreError> {
    let id = sqlx::query_scalar!(
        r#"select audit.record($1, $2, $3, $4) as "id!""#,
        action,
        entity_type,
        entity_id,
        details,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(EntryId::from(id))
}

/// Erases the bodies of entries of the transaction's organization, and records that with the
/// reason; gives the entry that does. Needs a transaction of [`crate::Store::begin_system`].
pub async fn erase(
    tx: &mut OrgTx,
    entries: &[EntryId],
    reason: &str,
) -> Result<EntryId, StoreError> {
    let entries: Vec<Uuid> = entries.iter().map(|entry| entry.uuid()).collect();
    let id = sqlx::query_scalar!(r#"select audit.erase($1, $2) as "id!""#, &entries, reason)
        .fetch_one(tx.conn())
        .await?;
    Ok(EntryId::from(id))
}
