//! `GET /models/{id}/card.html`, `card.pdf`, `card.md` and `card.json`: the model card, to be kept.

use axum::extract::State;
use ephor_assurance::{
    card::model_card,
    reports::{CardFormat, card_file},
};
use ephor_kernel::ModelId;
use ephor_rest::Id;

use crate::{
    ConsoleState,
    visit::{Answer, Visit},
};

async fn file(state: &ConsoleState, visit: &Visit, id: ModelId, format: CardFormat) -> Answer {
    visit.scope.require("models", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let card = model_card(&mut tx, id).await?;
    tx.commit().await?;
    Ok(card_file(state.assurance.pages, card, format).await?)
}

/// One page that needs nothing but itself.
pub(super) async fn html(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
) -> Answer {
    file(&state, &visit, id, CardFormat::Html).await
}

/// The same on paper.
pub(super) async fn pdf(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
) -> Answer {
    file(&state, &visit, id, CardFormat::Pdf).await
}

/// A `README.md` for hubs of models.
pub(super) async fn markdown(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
) -> Answer {
    file(&state, &visit, id, CardFormat::Markdown).await
}

/// For programs.
pub(super) async fn json(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
) -> Answer {
    file(&state, &visit, id, CardFormat::Json).await
}
