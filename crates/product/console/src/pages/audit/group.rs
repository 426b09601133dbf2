//! One deed may be many entries, such as the results of an analysis: they are told in one line.

use std::collections::HashMap;

use ephor_kernel::EntryId;
use ephor_rest::ListRequest;
use ephor_store::audit::{AuditEntry, Place};
use uuid::Uuid;

use super::{entry, page::EntryView};
use crate::view::{Badge, Moment, format};

/// Fewer entries than this are told one by one.
const LEAST: usize = 4;
/// The most entries that a line names.
const MOST_NAMED: usize = 40;

/// Entries that one line tells of.
pub(super) struct Line<'a>(&'a [AuditEntry]);

/// The first `most` lines of these entries, and how many entries they tell of. Neighbours of one
/// deed share a line if `together`.
pub(super) fn lines(entries: &[AuditEntry], most: usize, together: bool) -> (Vec<Line<'_>>, usize) {
    let mut lines = Vec::new();
    let mut shown = 0;
    for deed in entries.chunk_by(|one, other| together && same_deed(one, other)) {
        let pieces = if deed.len() < LEAST { deed.chunks(1) } else { deed.chunks(deed.len()) };
        for piece in pieces {
            if lines.len() == most {
                return (lines, shown);
            }
            shown += piece.len();
            lines.push(Line(piece));
        }
    }
    (lines, shown)
}

/// Were both written by the same actor in the same statement?
fn same_deed(one: &AuditEntry, other: &AuditEntry) -> bool {
    one.actor_id == other.actor_id
        && one.action == other.action
        && one.entity_type == other.entity_type
        && one.request_id == other.request_id
        && (one.created_at - other.created_at).num_milliseconds().abs() < 1_000
}

/// Where the entries of this one's kind are told one by one.
fn each(one: &AuditEntry) -> String {
    let query = ListRequest::new()
        .with("entity", &one.entity_type)
        .with("actor", one.actor_id.to_string())
        .with("action", &one.action);
    format!("/audit?{}", query.to_query())
}

impl Line<'_> {
    /// The one entry that it tells of, unless it tells of several.
    pub(super) fn only(&self) -> Option<EntryId> {
        if let [one] = self.0 { Some(one.id) } else { None }
    }

    /// The line, for the page.
    pub(super) fn view(
        &self,
        names: &HashMap<Uuid, &str>,
        places: &HashMap<EntryId, Place>,
    ) -> EntryView {
        let view = |one| entry::view(one, names, places.get(&one.id));
        let views: Vec<EntryView> = self.0.iter().map(view).collect();
        let many = views.len() as u64;
        let sealed = self.0.iter().all(|one| one.sealed);
        let noun = self.0.first().map(|one| entry::noun(&one.entity_type)).unwrap_or_default();
        let named: Vec<String> =
            views.iter().take(MOST_NAMED).map(|view| view.entity.clone()).collect();
        let rest = views.len().saturating_sub(named.len());
        let mut views = views.into_iter();
        match (views.next(), views.len()) {
            (Some(only), 0) => only,
            (first, _) => EntryView {
                moment: first
                    .as_ref()
                    .map_or(Moment(chrono::DateTime::UNIX_EPOCH), |view| view.moment),
                actor: first.as_ref().map(|view| view.actor.clone()).unwrap_or_default(),
                action: first.as_ref().map(|view| view.action.clone()).unwrap_or_default(),
                entity: format!("{} \u{d7} {noun}", format::count(many)),
                summary: format!("All {}, each an entry of its own", format::count(many)),
                seal: if sealed {
                    Badge::new("active", "seal", "sealed")
                } else {
                    Badge::new("", "queued", "not sealed yet")
                },
                diff: None,
                more: self.0.first().map(each).unwrap_or_default(),
                facts: vec![(
                    "Among them",
                    named.join(", ")
                        + &(if rest > 0 { format!(" and {rest} more") } else { String::new() }),
                )],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::audit::entry::sample;

    #[test]
    fn many_entries_of_one_deed_are_one_line_and_few_are_not() {
        let entries: Vec<AuditEntry> = (0..12)
            .map(|index| {
                let mut entry = sample(None, None);
                entry.entity_type =
                    if index < 10 { "assurance.bias_analysis_results" } else { "registry.models" }
                        .into();
                entry
            })
            .collect();
        let (told, shown) = lines(&entries, 50, true);
        assert_eq!((told.len(), shown), (3, 12));
        let view = told[0].view(&HashMap::new(), &HashMap::new());
        assert_eq!(view.entity, "10 \u{d7} result of a bias analysis");
        assert_eq!(lines(&entries, 50, false).0.len(), 12);
        assert_eq!(lines(&entries, 2, true).1, 11, "the page ends after its lines");
    }
}
