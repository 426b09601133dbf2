//! `GET /explanations/{id}/events`: how far an explanation is.

use axum::extract::State;
use ephor_assurance::explanation::{Explanation, explanation_get};
use ephor_kernel::{ExplanationId, Problem};
use ephor_rest::Id;
use ephor_store::OrgTx;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::WORD;
use crate::{
    ConsoleState,
    pages::follow::{Look, Progress, follow},
    visit::{Answer, Visit},
};

/// `GET /explanations/{id}/events`.
pub(super) async fn events(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ExplanationId>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    follow(state, visit.scope, id.uuid(), look).await
}

fn look(tx: &mut OrgTx, id: Uuid) -> BoxFuture<'_, Result<Look, Problem>> {
    Box::pin(async move {
        let explanation = explanation_get(tx, id.into()).await?;
        Ok(if explanation.ended() {
            Look::Ended(explanation.status)
        } else {
            Look::Going(progress(&explanation))
        })
    })
}

/// How far it is, for people.
pub(super) fn progress(explanation: &Explanation) -> Progress {
    Progress::of(&explanation.status, &explanation.progress_message, explanation.progress)
}
