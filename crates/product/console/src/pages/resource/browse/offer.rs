//! Newer versions of built-in data beside changed copies: what they would change, and the answer.

use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect},
};
use ephor_kernel::Problem;
use ephor_rest::{Column, Kind, OfferAnswer, Resource};
use ephor_store::{
    OrgTx,
    builtins::{Difference, Offer},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{
        Section, Step,
        edit::{Sent, sent},
    },
    known, show,
};
use crate::{
    ConsoleState,
    frame::Frame,
    view::{Badge, Head, Html, Table, json},
    visit::{Answer, Visit},
};

/// The chip that says of an offer.
pub(super) fn badge(offer: &Offer) -> Badge {
    let version = offer.offered_version;
    if offer.is_open() {
        Badge::new("warning", "info", format!("version {version} is offered"))
    } else {
        Badge::plain(format!("version {version} was declined"))
    }
}

/// What may be answered, for whoever may change the row.
pub(super) fn steps(offer: &Offer, row: &Value, here: &str, frame: &Frame) -> Vec<Step> {
    let version = offer.offered_version;
    let step = |label: String, action: &str, icon| {
        Step::new(label, format!("{here}/{action}"), icon, frame)
            .with("version", row.get("version").map(ToString::to_string).unwrap_or_default())
            .with("offered_version", version.to_string())
    };
    let accept = Step {
        confirm: format!(
            "Replace what was written here by version {version}? What stood here stays in the audit trail."
        ),
        ..step(format!("Accept version {version}"), "accept-offer", "pass")
    };
    let decline = offer
        .is_open()
        .then(|| step(format!("Decline version {version}"), "decline-offer", "fail"));
    [accept].into_iter().chain(decline).collect()
}

/// What the offered version would change, field by field.
pub(super) async fn section(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    resource: &Resource,
    offer: &Offer,
) -> Result<Section, Problem> {
    let mut rows = Vec::new();
    for Difference { field, copied, here, offered } in &offer.differences {
        let column = resource.columns().find(|column| column.name == *field);
        let mut cells = vec![Html::text(&column.map_or_else(|| field.clone(), Column::label))];
        for value in [copied, here, offered] {
            cells.push(match column {
                // A text is shown whole: the difference may be in its last word.
                Some(column) if !matches!(column.kind, Kind::Json) => {
                    show::fact(state, visit, tx, resource, column, value).await?
                }
                _ => Html::text(&json::short(value)),
            });
        }
        rows.push(cells);
    }
    let heads = [
        "Field".to_owned(),
        format!("As it came, version {}", offer.held_version),
        "Here".to_owned(),
        format!("Offered, version {}", offer.offered_version),
    ];
    Ok(Section {
        id: "offer",
        title: format!("What version {} would change", offer.offered_version),
        action: None,
        table: Table {
            label: "What the offered version would change".to_owned(),
            heads: heads.map(Head::new).to_vec(),
            rows,
        },
        empty: "Nothing: what stands here says the same already.",
    })
}

/// `POST /resources/{path}/{id}/accept-offer`.
pub(super) async fn accept(
    state: State<ConsoleState>,
    visit: Visit,
    place: Path<(String, Uuid)>,
    form: Form<Sent>,
) -> Answer {
    answer(state, visit, place, form, OfferAnswer::Accept, "accepted").await
}

/// `POST /resources/{path}/{id}/decline-offer`.
pub(super) async fn decline(
    state: State<ConsoleState>,
    visit: Visit,
    place: Path<(String, Uuid)>,
    form: Form<Sent>,
) -> Answer {
    answer(state, visit, place, form, OfferAnswer::Decline, "declined").await
}

async fn answer(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
    Form(form): Form<Sent>,
    answer: OfferAnswer,
    done: &str,
) -> Answer {
    let resource = known(&state, &path)?;
    if !resource.spec().is_builtin() {
        return Err(Problem::not_found("page").into());
    }
    let version = sent(&form, "version").and_then(|version| version.parse().ok());
    let offered = sent(&form, "offered_version").and_then(|version| version.parse().ok());
    let place = (path.as_str(), id);
    state.engine.offer_answer(&state.store, &visit.scope, place, answer, version, offered).await?;
    Ok(Redirect::to(&format!("/resources/{path}/{id}?done={done}")).into_response())
}
