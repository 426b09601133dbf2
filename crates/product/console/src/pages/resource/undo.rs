//! Undo: what the audit trail says stood before, filled into the form that would put it back.
//!
//! Nothing goes back by itself. The form is looked over and sent as any other, so that permissions, rules and the
//! version of the row hold, and the trail tells of it. What is masked there is not known any more.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ephor_kernel::{Clock as _, EntryId, Problem, SystemClock};
use ephor_rest::Resource;
use ephor_store::{
    OrgTx,
    audit::{self, AuditEntry, EntryFilter},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Action, edit};
use crate::{
    view::{Control, Form, format},
    visit::Visit,
};

/// What the trail shows in place of a secret. Of an update it says which columns these are; of a deletion only the mark is left.
const MASK: &str = "***";
/// For how long the page behind a deletion offers to undo it; the trail does for good.
const OFFERED: TimeDelta = TimeDelta::minutes(5);

/// What an entry says stood before.
pub(crate) struct Undo {
    moment: String,
    deleted: bool,
    /// What to put back, by column.
    values: BTreeMap<String, Value>,
    /// What was there, but is masked.
    masked: Vec<String>,
}

impl Undo {
    /// What would undo the entry, if it changed or deleted a row and still holds what stood there.
    pub fn of(entry: &AuditEntry) -> Option<Self> {
        let Some(Value::Object(before)) = &entry.before else { return None };
        let deleted = match entry.action.as_str() {
            "update" => false,
            "delete" => true,
            _ => return None,
        };
        let (mut values, mut masked) = (BTreeMap::new(), Vec::new());
        let stood: Vec<(String, Value)> = if deleted {
            before.clone().into_iter().collect()
        } else {
            entry.changes().into_iter().map(|change| (change.column, change.before)).collect()
        };
        let is_masked = |column: &str, value: &Value| match &entry.masked {
            _ if deleted => value == MASK,
            Some(Value::Array(all)) => all.iter().any(|name| name == column),
            _ => false,
        };
        for (column, value) in stood {
            if is_masked(&column, &value) {
                masked.push(column);
            } else {
                values.insert(column, value);
            }
        }
        let moment = entry.created_at.format("%Y-%m-%d %H:%M:%S").to_string();
        Some(Self { moment, deleted, values, masked })
    }

    /// What undoes the entry `id` on the form of the row `of`, or on the form of a new row.
    ///
    /// # Errors
    /// `not_found` for an entry that tells of something else, `forbidden` for whoever may not read the trail.
    pub async fn read(
        tx: &mut OrgTx,
        visit: &Visit,
        resource: &Resource,
        of: Option<Uuid>,
        id: &str,
    ) -> Result<Self, Problem> {
        visit.scope.require("audit", "read")?;
        let unknown = || Problem::not_found("change of this thing in the audit trail");
        let id: EntryId = id.parse().map_err(|_| unknown())?;
        audit::entry_get(tx, id)
            .await?
            .filter(|entry| entry.entity_type == resource.table().qualified())
            .filter(|entry| of.is_none_or(|row| entry.entity_id == Some(row)))
            .and_then(|entry| Self::of(&entry))
            .filter(|undo| undo.deleted == of.is_none())
            .ok_or_else(unknown)
    }

    /// Fills in what stood before.
    pub fn propose(&self, form: &mut Form) {
        for field in &mut form.fields {
            let Some(value) = self.values.get(&field.name) else { continue };
            let text = match field.control {
                Control::Code => edit::code(value),
                Control::Line("datetime-local") => edit::minute(&edit::text(value)),
                _ => edit::text(value),
            };
            field.hold(&text);
        }
    }

    /// What the form holds, for whoever is about to send it.
    pub fn lede(&self, form: &Form) -> String {
        let offered = |column: &&String| form.fields.iter().any(|field| field.name == **column);
        let words = |columns: Vec<&String>| {
            columns.iter().map(|name| format::label(name)).collect::<Vec<_>>().join(", ")
        };
        let moment = &self.moment;
        let mut told = if self.deleted {
            format!(
                "As it was when it was deleted on {moment} UTC. It comes back as a new one, with an id of its own; what belonged to it does not."
            )
        } else {
            format!(
                "As it stood before it was changed on {moment} UTC; what that change left alone is as it is now. Nothing is put back until you save."
            )
        };
        let masked: Vec<&String> = self.masked.iter().filter(offered).collect();
        if !masked.is_empty() {
            let masked = words(masked);
            told.push_str(&format!(" The trail does not show secrets: write {masked} anew."));
        }
        let left = words(self.left(form));
        if !left.is_empty() {
            told.push_str(&if self.deleted {
                format!(" Not set by a form, so as of a new one: {left}.")
            } else {
                format!(" Not changed by a form, so left as it is: {left}.")
            });
        }
        told
    }

    /// The columns that the form cannot put back, without those that Ephor itself writes.
    fn left(&self, form: &Form) -> Vec<&String> {
        let is_missed = |column: &str, value: &Value| match column {
            "version" | "updated_at" => false,
            "id" | "organization_id" | "created_at" | "created_by" if self.deleted => false,
            // Of a deletion the trail holds every column; of those that held nothing none is missed.
            _ if self.deleted => !value.is_null(),
            _ => true,
        };
        self.values
            .iter()
            .filter(|(column, value)| is_missed(column, value))
            .map(|(column, _)| column)
            .filter(|column| form.field(column).is_none())
            .collect()
    }
}

/// Where an entry can be undone, for whoever may.
pub(crate) fn offer<'a>(
    visit: &Visit,
    mut resources: impl Iterator<Item = &'a Resource>,
    entry: &AuditEntry,
) -> Option<Action> {
    let undo = Undo::of(entry)?;
    let resource = resources.find(|known| known.table().qualified() == entry.entity_type)?;
    let spec = resource.spec();
    let (available, word) = if undo.deleted {
        (spec.available().create, "create")
    } else {
        (spec.available().update, "update")
    };
    if !available || !visit.reads(spec) || !visit.may(spec.permission_word(), word) {
        return None;
    }
    let (path, id) = (spec.path(), entry.id);
    Some(if undo.deleted {
        let form = format!("/resources/{path}/new?undo={id}");
        Action::new(format!("Make the {} anew", spec.singular()), form, "undo")
    } else {
        let row = entry.entity_id?;
        let form = format!("/resources/{path}/{row}/edit?undo={id}");
        Action::new("Undo this change", form, "undo")
    })
}

/// The way back from the visitor's own deletion of a moment ago.
pub(crate) async fn offer_deleted(
    tx: &mut OrgTx,
    visit: &Visit,
    resource: &Resource,
) -> Result<Option<Action>, Problem> {
    if visit.query.get("done") != Some("deleted") || !visit.may("audit", "read") {
        return Ok(None);
    }
    let filter = EntryFilter {
        entity_type: Some(resource.table().qualified()),
        actor_id: Some(visit.me.user.id.uuid()),
        action: Some("delete".to_owned()),
        from: SystemClock.now().checked_sub_signed(OFFERED),
        limit: Some(1),
        ..EntryFilter::default()
    };
    let found = audit::entry_list(tx, &filter).await?;
    Ok(found.entries.first().and_then(|entry| offer(visit, [resource].into_iter(), entry)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        pages::audit::sample_entry,
        view::{Boxes, Choice, Field},
    };

    fn form(names: &[&str]) -> Form {
        let line = |name: &&str| {
            Field::new(*name, format::label(name))
                .control(Control::Line("text"))
                .value("now".to_owned())
        };
        Form::new(names.iter().map(line).collect())
    }

    fn value<'a>(form: &'a Form, name: &str) -> &'a str {
        &form.fields.iter().find(|field| field.name == name).unwrap().value
    }

    #[test]
    fn a_change_is_undone_where_it_changed_something_and_nowhere_else() {
        let entry = sample_entry(
            Some(json!({"name": "old", "purpose": "p", "status": "draft", "version": 1})),
            Some(json!({"name": "new", "purpose": "p", "status": "active", "version": 2})),
        );
        let undo = Undo::of(&entry).unwrap();
        let mut form = form(&["name", "purpose"]);
        undo.propose(&mut form);
        assert_eq!(value(&form, "name"), "old");
        assert_eq!(value(&form, "purpose"), "now");
        let lede = undo.lede(&form);
        assert!(lede.contains("left as it is: Status."), "{lede}");
    }

    #[test]
    fn secrets_are_asked_for_anew() {
        let mut entry = sample_entry(Some(json!({"name": "a", "secret": "***"})), None);
        entry.action = "delete".into();
        let undo = Undo::of(&entry).unwrap();
        let mut form = form(&["name", "secret"]);
        undo.propose(&mut form);
        assert_eq!(value(&form, "name"), "a");
        assert_eq!(value(&form, "secret"), "now");
        assert!(undo.lede(&form).contains("write Secret anew"));
    }

    #[test]
    fn of_a_change_the_trail_names_what_is_masked() {
        let mut entry = sample_entry(
            Some(json!({"name": "***", "secret": "***"})),
            Some(json!({"name": "new", "secret": "***"})),
        );
        entry.masked = Some(json!(["secret"]));
        let undo = Undo::of(&entry).unwrap();
        let mut form = form(&["name", "secret"]);
        undo.propose(&mut form);
        // A name may look like a mask.
        assert_eq!(value(&form, "name"), "***");
        assert_eq!(value(&form, "secret"), "now");
        assert!(undo.lede(&form).contains("write Secret anew"));
    }

    #[test]
    fn what_a_new_one_does_not_get_is_said() {
        let row = json!({
            "id": "i", "organization_id": "o", "name": "a", "status": "active", "closed_at": null,
            "created_at": "c", "created_by": "b", "updated_at": "u", "version": 3
        });
        let mut entry = sample_entry(Some(row), None);
        entry.action = "delete".into();
        let lede = Undo::of(&entry).unwrap().lede(&form(&["name"]));
        assert!(lede.ends_with("Not set by a form, so as of a new one: Status."), "{lede}");
    }

    #[test]
    fn times_are_proposed_as_browsers_take_them() {
        let entry = sample_entry(
            Some(json!({"due_at": "2026-01-31T12:05:00+00:00"})),
            Some(json!({"due_at": null})),
        );
        let field = Field::new("due_at", "Due at").control(Control::Line("datetime-local"));
        let mut form = Form::new(vec![field]);
        Undo::of(&entry).unwrap().propose(&mut form);
        assert_eq!(value(&form, "due_at"), "2026-01-31T12:05");
    }

    #[test]
    fn what_is_offered_no_more_and_lists_of_json_are_proposed_as_they_were() {
        let entry = sample_entry(
            Some(json!({"owner_id": "ada", "approver_ids": ["ada", "bob"], "evidence": ["a log"]})),
            Some(json!({"owner_id": "bob", "approver_ids": ["bob"], "evidence": []})),
        );
        let bob = || vec![Choice::new("bob", "Bob")];
        let boxes = Boxes { label: String::new(), about: String::new(), choices: bob() };
        let mut form = Form::new(vec![
            Field::new("owner_id", "Owner").control(Control::Select(bob())),
            Field::new("approver_ids", "Approvers").control(Control::Boxes(vec![boxes])),
            Field::new("evidence", "Evidence").control(Control::Code),
        ]);
        Undo::of(&entry).unwrap().propose(&mut form);
        assert!(form.fields[0].to_string().contains(r#"<option value="ada" selected>"#));
        let approvers = form.fields[1].to_string();
        assert!(approvers.contains(r#"value="ada""#) && approvers.matches(" checked").count() == 2);
        assert_eq!(value(&form, "evidence"), "[\n  \"a log\"\n]");
    }

    #[test]
    fn what_made_a_thing_or_holds_nothing_is_not_undone() {
        let mut made = sample_entry(None, Some(json!({"name": "a"})));
        made.action = "insert".into();
        assert!(Undo::of(&made).is_none());
        let mut erased = sample_entry(None, None);
        erased.action = "update".into();
        assert!(Undo::of(&erased).is_none());
    }
}
