//! The audit trail over the API: entries, and the proof of one.

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Utc};
use ephor_kernel::{Code, EntryId, Fault, Problem};
use ephor_rest::{ApiError, Id, Operation, Permitted, Query, permissions};
use ephor_store::{
    OrgTx, Store,
    audit::{self, AuditEntry, EntryFilter},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

permissions! {
    /// See the trail.
    pub AuditRead = "audit", "read";
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(store: Store) -> Router {
    Router::new()
        .route("/v1/audit/entries", get(list))
        .route("/v1/audit/entries/{id}", get(one))
        .route("/v1/audit/entries/{id}/proof", get(proof))
        .with_state(store)
}

/// What a list may be asked for; all that is given must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    entity_type: Option<String>,
    entity_id: Option<Uuid>,
    actor_id: Option<Uuid>,
    action: Option<String>,
    q: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    cursor: Option<EntryId>,
    limit: Option<u16>,
}

impl Asked {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, text) in
            [("entity_type", &self.entity_type), ("action", &self.action), ("q", &self.q)]
        {
            if text.as_ref().is_some_and(|text| text.contains('\0') || text.chars().count() > 500) {
                let message = "It has at most 500 characters, none of them the null character";
                faults.push(Fault::new(format!("query:{name}"), "text", message));
            }
        }
        if self.limit.is_some_and(|limit| !(1..=500).contains(&limit)) {
            faults.push(Fault::new("query:limit", "out_of_range", "A page has 1 to 500 entries"));
        }
        faults
    }
}

/// An entry with its changes, and where it is sealed.
async fn told(tx: &mut OrgTx, entries: Vec<AuditEntry>) -> Result<Vec<Value>, Problem> {
    let ids: Vec<EntryId> = entries.iter().map(|entry| entry.id).collect();
    let places = audit::places(tx, &ids).await?;
    Ok(entries
        .into_iter()
        .map(|entry| {
            let (id, changes) = (entry.id, entry.changes());
            let mut told = json!(entry);
            told["changes"] = json!(changes);
            told["seal"] = json!(places.get(&id));
            told
        })
        .collect())
}

async fn list(
    State(store): State<Store>,
    Permitted { scope, .. }: Permitted<AuditRead>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    Problem::unless_empty(asked.faults())?;
    let Asked { entity_type, entity_id, actor_id, action, q, from, to, cursor, limit } = asked;
    let filter =
        EntryFilter { entity_type, entity_id, actor_id, action, text: q, from, to, cursor, limit };
    let mut tx = store.begin(&scope).await.map_err(Problem::from)?;
    let page = audit::entry_list(&mut tx, &filter).await.map_err(Problem::from)?;
    let data = told(&mut tx, page.entries).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(json!({ "data": data, "next": page.next })).into_response())
}

async fn one(
    State(store): State<Store>,
    Permitted { scope, .. }: Permitted<AuditRead>,
    Id(id): Id<EntryId>,
) -> Result<Response, ApiError> {
    let mut tx = store.begin(&scope).await.map_err(Problem::from)?;
    let found = audit::entry_get(&mut tx, id).await.map_err(Problem::from)?;
    let found = found.ok_or_else(|| Problem::not_found("audit entry"))?;
    let told = told(&mut tx, vec![found]).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(told.into_iter().next()).into_response())
}

async fn proof(
    State(store): State<Store>,
    Permitted { scope, .. }: Permitted<AuditRead>,
    Id(id): Id<EntryId>,
) -> Result<Response, ApiError> {
    let mut tx = store.begin(&scope).await.map_err(Problem::from)?;
    let proof = audit::receipt(&mut tx, id).await.map_err(|error| {
        tracing::error!(%error, "an entry's proof could not be read");
        Problem::new(Code::Unavailable, "The audit trail could not be read at the moment")
            .retry_after(5)
    })?;
    tx.commit().await.map_err(Problem::from)?;
    let proof = proof.ok_or_else(|| Problem::not_found("sealed audit entry"))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proof.to_string()).into_response())
}

/// The same for the OpenAPI document.
pub fn operations() -> Vec<Operation> {
    let id = || json!({ "type": "string", "format": "uuid" });
    let word = || json!({ "type": "string", "maxLength": 500, "pattern": "^[^\\u0000]*$" });
    let time = || json!({ "type": "string", "format": "date-time" });
    vec![
        Operation::get("/v1/audit/entries", "List what was done")
            .tag("audit trail")
            .about("Newest first. All that is asked for must hold. Follow `next` by `cursor`; a search by `q` looks at 20 000 entries at once, and may answer with few entries and a `next`.")
            .permission("audit", "read")
            .query("entity_type", word(), "The kind of thing, by its table: registry.models.")
            .query("entity_id", id(), "One thing.")
            .query("actor_id", id(), "Who did it.")
            .query("action", word(), "What was done: insert, update, delete, log_in, ….")
            .query("q", word(), "What the entry's text holds: values before and after, address, program.")
            .query("from", time(), "Not before.")
            .query("to", time(), "Before.")
            .query("cursor", id(), "Entries older than this one.")
            .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }), "How many.")
            .response(200, json!({
                "type": "object",
                "required": ["data", "next"],
                "properties": {
                    "data": { "type": "array", "items": entry() },
                    "next": { "type": ["string", "null"], "format": "uuid" }
                }
            })),
        Operation::get("/v1/audit/entries/{id}", "Read one entry")
            .tag("audit trail")
            .permission("audit", "read")
            .response(200, entry()),
        Operation::get("/v1/audit/entries/{id}/proof", "Prove one entry")
            .tag("audit trail")
            .about("That it is in the newest signed tree, as a C2SP tlog-proof. 404 until it is sealed.")
            .permission("audit", "read")
            .response_as(200, "text/plain", json!({ "type": "string" })),
    ]
}

fn entry() -> Value {
    json!({
        "type": "object",
        "required": ["id", "created_at", "actor_type", "actor_id", "action", "entity_type", "changes", "sealed"],
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "created_at": { "type": "string", "format": "date-time" },
            "actor_type": { "enum": ["user", "assistant", "system", "platform"] },
            "actor_id": { "type": "string", "format": "uuid" },
            "action": { "type": "string" },
            "entity_type": { "type": "string" },
            "entity_id": { "type": ["string", "null"], "format": "uuid" },
            "acting_from": { "type": "string", "format": "uuid", "description": "From which organization, when it is another than the entry's: a holding's, of what it decides below." },
            "before": { "description": "The row before; null for none." },
            "after": { "description": "The row after; null for none." },
            "changes": {
                "description": "What an update changed, column by column.",
                "type": "array",
                "items": { "type": "object", "properties": { "column": { "type": "string" }, "before": {}, "after": {} } }
            },
            "sealed": { "type": "boolean", "description": "Whether it is in the tree already." },
            "seal": {
                "type": ["object", "null"],
                "description": "Its leaf, the first checkpoint that covers it, and when it was last verified.",
                "properties": {
                    "index": { "type": "integer", "minimum": 0 },
                    "checkpoint": { "type": ["object", "null"] },
                    "verified_at": { "type": ["string", "null"], "format": "date-time" }
                }
            }
        }
    })
}
