//! `GET /mitigations/{id}/events`: how far a mitigation is, or its latest application.

use axum::extract::State;
use ephor_assurance::mitigation::{Application, Mitigation, application_under_way, mitigation_get};
use ephor_kernel::{MitigationId, Problem};
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

/// `GET /mitigations/{id}/events`.
pub(super) async fn events(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<MitigationId>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    follow(state, visit.scope, id.uuid(), look).await
}

fn look(tx: &mut OrgTx, id: Uuid) -> BoxFuture<'_, Result<Look, Problem>> {
    Box::pin(async move {
        let mitigation = mitigation_get(tx, id.into()).await?;
        if !mitigation.ended() {
            return Ok(Look::Going(computing(&mitigation)));
        }
        Ok(match application_under_way(tx, id.into()).await? {
            Some(application) => Look::Going(applying(&application)),
            None => Look::Ended(mitigation.status),
        })
    })
}

/// How far its computation is, for people.
pub(super) fn computing(mitigation: &Mitigation) -> Progress {
    Progress::of(&mitigation.status, &mitigation.progress_message, mitigation.progress)
}

/// How far its application is, for people.
pub(super) fn applying(application: &Application) -> Progress {
    Progress::of(&application.status, &application.progress_message, application.progress)
}
