//! An entry in words: who did what to which thing, and what that changed.

use std::collections::HashMap;

use ephor_store::audit::{AuditEntry, Place};
use serde_json::Value;
use uuid::Uuid;

use super::page::EntryView;
use crate::view::{Badge, Head, Html, Moment, Table, format, json};

/// What is done, as a verb.
pub(super) const ACTIONS: [(&str, &str); 12] = [
    ("insert", "created"),
    ("update", "changed"),
    ("delete", "deleted"),
    ("log_in", "signed in"),
    ("log_out", "signed out"),
    ("log_in_refused", "was refused to sign in"),
    ("sign_up", "opened an account"),
    ("session_revoke", "revoked a session"),
    ("session_switch", "switched organization"),
    ("password_change", "changed a password"),
    ("export", "exported"),
    ("erase", "erased"),
];

/// What it is done to, as a noun.
pub(super) const ENTITIES: [(&str, &str); 12] = [
    ("registry.models", "model"),
    ("registry.model_versions", "model version"),
    ("registry.datasets", "data set"),
    ("assurance.bias_analyses", "bias analysis"),
    ("assurance.bias_analysis_results", "result of a bias analysis"),
    ("identity.organizations", "organization"),
    ("identity.organization_members", "member"),
    ("identity.roles", "role"),
    ("identity.api_keys", "API key"),
    ("identity.sessions", "session"),
    ("identity.member_joins", "join link"),
    ("audit.audit_logs", "audit trail"),
];

fn word(known: &[(&'static str, &'static str)], word: &str) -> String {
    known.iter().find(|(code, _)| *code == word).map_or_else(
        || word.rsplit('.').next().unwrap_or(word).replace('_', " "),
        |(_, shown)| (*shown).to_owned(),
    )
}

/// What it is done to, in words.
pub(super) fn noun(entity_type: &str) -> String {
    word(&ENTITIES, entity_type)
}

/// The entry, for the page.
pub(super) fn view(
    entry: &AuditEntry,
    names: &HashMap<Uuid, &str>,
    place: Option<&Place>,
) -> EntryView {
    let row = entry.after.as_ref().or(entry.before.as_ref());
    let called = row.and_then(json::name);
    let noun = noun(&entry.entity_type);
    let diff = diff(entry);
    let summary = match &diff {
        Some((fields, _)) => fields.join(", "),
        None => "Details".to_owned(),
    };
    EntryView {
        moment: Moment(entry.created_at),
        actor: actor(entry, names),
        action: word(&ACTIONS, &entry.action),
        entity: called.map_or_else(|| noun.clone(), |name| format!("{noun} {name}")),
        summary,
        seal: seal(entry, place),
        diff: diff.map(|(_, table)| table),
        facts: facts(entry, place),
        more: format!("/audit/entries/{}", entry.id),
    }
}

/// How an entry stands: waiting, sealed, or recomputed since and found to be as it was sealed.
pub(super) fn seal(entry: &AuditEntry, place: Option<&Place>) -> Badge {
    match place {
        _ if !entry.sealed => Badge::new("", "queued", "not sealed yet"),
        Some(Place { verified_at: Some(_), .. }) => Badge::new("pass", "seal", "verified"),
        _ => Badge::new("active", "seal", "sealed"),
    }
}

/// The same in words: where it is sealed, and since when that is proven.
pub(super) fn sealing(entry: &AuditEntry, place: Option<&Place>) -> String {
    let Some(place) = place.filter(|_| entry.sealed) else {
        return "waits for the sealer, which comes every second".to_owned();
    };
    let mut words = format!("entry {} of the tree", format::count(place.index + 1));
    if let Some(checkpoint) = &place.checkpoint {
        words.push_str(&format!(
            ", proven by the checkpoint over {} that was signed on {} UTC",
            format::plural(checkpoint.size, "entry", "entries"),
            checkpoint.signed_at.format("%Y-%m-%d %H:%M:%S")
        ));
    }
    match place.verified_at {
        Some(at) => words.push_str(&format!("; verified on {} UTC", at.format("%Y-%m-%d %H:%M"))),
        None => words.push_str("; not verified since"),
    }
    words
}

pub(super) fn actor(entry: &AuditEntry, names: &HashMap<Uuid, &str>) -> String {
    match (entry.actor_type.as_str(), names.get(&entry.actor_id)) {
        (_, Some(name)) => (*name).to_owned(),
        ("system", None) => "Ephor".to_owned(),
        ("platform", None) => "The platform's operator".to_owned(),
        ("assistant", None) => "An assistant".to_owned(),
        _ => "Somebody".to_owned(),
    }
}

/// The changed columns and their values before and after.
fn diff(entry: &AuditEntry) -> Option<(Vec<String>, Table)> {
    let changes: Vec<(String, Option<Value>, Option<Value>)> = match (&entry.before, &entry.after) {
        (Some(_), Some(_)) => entry
            .changes()
            .into_iter()
            .filter(|change| !matches!(change.column.as_str(), "updated_at" | "version"))
            .map(|change| (change.column, Some(change.before), Some(change.after)))
            .collect(),
        (None, Some(Value::Object(row))) => {
            row.iter().map(|(name, value)| (name.clone(), None, Some(value.clone()))).collect()
        }
        (Some(Value::Object(row)), None) => {
            row.iter().map(|(name, value)| (name.clone(), Some(value.clone()), None)).collect()
        }
        _ => return None,
    };
    if changes.is_empty() {
        return None;
    }
    let cell = |value: &Option<Value>| match value {
        None | Some(Value::Null) => Html::text("\u{2013}"),
        Some(value) => Html::text(&json::short(value)),
    };
    let mut fields: Vec<String> =
        changes.iter().take(5).map(|(name, ..)| name.replace('_', " ")).collect();
    if changes.len() > fields.len() {
        fields.push(format!("and {} more", changes.len() - fields.len()));
    }
    let rows = changes
        .iter()
        .map(|(name, before, after)| vec![Html::text(name), cell(before), cell(after)])
        .collect();
    let heads = ["Field", "Before", "After"].map(Head::new).to_vec();
    Some((fields, Table { label: "What changed".to_owned(), heads, rows }))
}

pub(super) fn facts(entry: &AuditEntry, place: Option<&Place>) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Entry", entry.id.to_string()), ("Seal", sealing(entry, place))];
    let mut fact = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    fact("Thing", entry.entity_id.map(|id| id.to_string()));
    fact("Actor", Some(format!("{} {}", entry.actor_type, entry.actor_id)));
    fact("Address", entry.ip_address.clone());
    fact("Program", entry.user_agent.clone());
    fact("Request", entry.request_id.clone());
    fact("Acting from", entry.acting_from.clone());
    fact("Details", entry.details.as_ref().filter(|details| !is_empty(details)).map(json::short));
    fact("Masked", entry.masked.as_ref().map(json::short));
    fact("Erased by", entry.erased_by.map(|id| id.to_string()));
    facts
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// An entry, for tests.
#[cfg(test)]
pub(crate) fn sample(before: Option<Value>, after: Option<Value>) -> AuditEntry {
    AuditEntry {
        id: ephor_kernel::EntryId::new(),
        created_at: crate::samples::moment(),
        actor_type: "user".into(),
        actor_id: Uuid::nil(),
        action: "update".into(),
        entity_type: "registry.models".into(),
        entity_id: None,
        before,
        after,
        details: None,
        ip_address: Some("127.0.0.1".into()),
        user_agent: None,
        request_id: None,
        acting_from: None,
        masked: None,
        erased_by: None,
        sealed: true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_shows_what_it_changed_and_no_more() {
        let names = HashMap::from([(Uuid::nil(), "Ada")]);
        let view = view(
            &sample(
                Some(json!({"name": "a", "status": "draft", "version": 1})),
                Some(json!({"name": "a", "status": "active", "version": 2})),
            ),
            &names,
            None,
        );
        assert_eq!((view.actor.as_str(), view.action.as_str()), ("Ada", "changed"));
        assert_eq!(view.entity, "model a");
        assert_eq!(view.summary, "status");
        assert_eq!(view.diff.map(|table| table.rows.len()), Some(1));
    }

    #[test]
    fn words_that_are_new_are_still_readable() {
        assert_eq!(word(&ENTITIES, "guard.policy_versions"), "policy versions");
        assert_eq!(word(&ACTIONS, "kill_switch"), "kill switch");
    }
}
