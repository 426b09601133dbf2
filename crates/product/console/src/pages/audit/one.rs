//! One entry: what it changed, where it is sealed, and its proof to take along.

use std::collections::HashMap;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use ephor_kernel::{EntryId, Problem};
use ephor_rest::Id;
use ephor_store::audit;
use uuid::Uuid;

use super::{entry, seal::failed};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{Action, DetailPage, Section, undo},
    view::Html,
    visit::{Answer, Visit},
};

/// `GET /audit/entries/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<EntryId>,
) -> Answer {
    visit.scope.require("audit", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let people = super::people(&state, &visit, &mut tx).await?;
    let found = audit::entry_get(&mut tx, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("audit entry"))?;
    let places = audit::places(&mut tx, &[id]).await?;
    tx.commit().await?;
    let place = places.get(&id);
    let names: HashMap<Uuid, &str> = people.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let view = entry::view(&found, &names, place);
    let mut actions: Vec<Action> =
        undo::offer(&visit, state.engine.resources(), &found).into_iter().collect();
    if let Some(thing) = found.entity_id {
        let trail = format!("/audit?id={thing}");
        actions.push(Action::new("All of this thing", trail, "audit"));
    }
    if place.is_some() {
        actions.push(Action::new("Proof", format!("/audit/entries/{id}/proof"), "download"));
    }
    let mut facts = vec![("When".to_owned(), Html::of(&view.moment))];
    facts.extend(view.facts.iter().map(|(name, value)| ((*name).to_owned(), Html::text(value))));
    if let Some(checkpoint) = place.and_then(|place| place.checkpoint.as_ref()) {
        facts.push(("Root of that tree".to_owned(), Html::text(&checkpoint.root)));
    }
    let empty = if found.erased_by.is_some() {
        "What it held was erased by right; that it was there is still proven."
    } else {
        "It changed no row."
    };
    Ok(page(&DetailPage {
        frame: visit
            .frame(format!("{} {} {}", view.actor, view.action, view.entity), "/audit")
            .crumb("Audit trail", "/audit"),
        lede: String::new(),
        badges: vec![view.seal],
        actions,
        steps: Vec::new(),
        facts,
        sections: vec![Section {
            id: "changes",
            title: "Before and after".to_owned(),
            action: None,
            table: view.diff.unwrap_or_default(),
            empty,
        }],
    }))
}

/// `GET /audit/entries/{id}/proof`: that the entry is in the newest signed tree, as tlog-proof.
pub(super) async fn proof(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<EntryId>,
) -> Answer {
    visit.scope.require("audit", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let proof = audit::receipt(&mut tx, id).await.map_err(|error| failed(&error))?;
    tx.commit().await?;
    let proof = proof.ok_or_else(|| Problem::not_found("sealed audit entry"))?;
    let name = format!("attachment; filename=\"ephor-{id}.tlog-proof\"");
    let disposition =
        HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, proof.to_string()).into_response())
}
