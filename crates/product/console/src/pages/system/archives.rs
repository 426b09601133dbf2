//! `GET /archives`: months of the organization's rows that went to the object store, to be taken along.

use axum::extract::State;
use ephor_store::retention::{self, Archive};

use crate::{
    ConsoleState,
    error::page,
    pages::resource::{DetailPage, Section},
    view::{Badge, Head, Html, Table, format},
    visit::{Answer, Visit},
};

pub(super) async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("archives", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let archives = retention::archive_mine(&mut tx).await?;
    tx.commit().await?;
    let exports = visit.may("audit", "export");
    let rows = archives.iter().map(|archive| {
        let may = exports && visit.may(archive.permission_word(), "read");
        let name = archive.file_name();
        let first = if may {
            Html::link(&format!("/v1/archives/{}/content", archive.id), &name)
        } else {
            Html::text(&name)
        };
        [vec![first], facts(archive)].concat()
    });
    let table = Table {
        label: "Archived months".to_owned(),
        heads: [vec![Head::new("File")], heads()].concat(),
        rows: rows.collect(),
    };
    let section = Section {
        id: "months",
        title: "Archived months".to_owned(),
        action: None,
        table,
        empty: "Everything is still in the database.",
    };
    Ok(page(&DetailPage {
        frame: visit.frame("Archives", "/archives"),
        lede: "Old months of metered requests, costs, conversations and guard operations, as Parquet in the object store. The audit trail tells the SHA-256 of each.".to_owned(),
        badges: Vec::new(),
        actions: Vec::new(),
        steps: Vec::new(),
        facts: Vec::new(),
        sections: vec![section],
    }))
}

/// The heads over [`facts`].
pub(super) fn heads() -> Vec<Head> {
    vec![Head::new("State"), Head::right("Rows"), Head::right("Size"), Head::new("SHA-256")]
}

/// What is told of an archive.
pub(super) fn facts(archive: &Archive) -> Vec<Html> {
    facts_of(archive.dropped_at.is_some(), archive.row_count, archive.byte_count, &archive.sha256)
}

pub(super) fn facts_of(dropped: bool, rows: i64, bytes: i64, sha256: &str) -> Vec<Html> {
    let state = if dropped {
        Badge::plain("in the archive alone")
    } else {
        Badge::plain("in the database too")
    };
    vec![
        Html::of(&state),
        Html::text(&format::count(rows.max(0).cast_unsigned())),
        Html::text(&format::bytes(bytes.max(0).cast_unsigned())),
        Html::default().code(sha256),
    ]
}
