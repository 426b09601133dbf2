//! `GET /analyses/{id}/events`: progress as it is made, as server-sent events.

use axum::extract::State;
use ephor_assurance::analysis::analysis_get;
use ephor_kernel::{AnalysisId, Problem};
use ephor_rest::Id;
use ephor_store::OrgTx;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::show::progress;
use crate::{
    ConsoleState,
    pages::follow::{Look, follow},
    visit::{Answer, Visit},
};

/// `GET /analyses/{id}/events`.
pub(super) async fn events(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    follow(state, visit.scope, id.uuid(), look).await
}

fn look(tx: &mut OrgTx, id: Uuid) -> BoxFuture<'_, Result<Look, Problem>> {
    Box::pin(async move {
        let analysis = analysis_get(tx, id.into()).await?;
        let progress = progress(&analysis);
        Ok(if analysis.ended() { Look::Ended(analysis.status) } else { Look::Going(progress) })
    })
}
