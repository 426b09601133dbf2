//! `GET /analyses/{id}/events`: progress as it is made, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Sse,
        sse::{Event, KeepAlive},
    },
};
use ephor_assurance::analysis::{Analysis, analysis_get};
use ephor_kernel::{AnalysisId, Problem, Scope};
use ephor_rest::Id;
use ephor_store::LiveUpdate;
use futures::{Stream, stream};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::show::progress;
use crate::{
    ConsoleState,
    visit::{Answer, Visit},
};

/// News may get lost with a connection to the database; after this long one looks anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);
/// After so many looks the browser connects anew, and who may no longer see it is refused.
const MOST_LOOKS: u32 = 2_000;

/// What the stream is about to do.
struct Watch {
    state: ConsoleState,
    scope: Scope,
    id: AnalysisId,
    news: Receiver<LiveUpdate>,
    looks: u32,
    ended: bool,
}

/// `GET /analyses/{id}/events`.
pub(super) async fn events(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    // Subscribed before the first look, so that nothing falls between.
    let news = state.store.live().subscribe(visit.scope.organization());
    let watch = Watch { state, scope: visit.scope, id, news, looks: 0, ended: false };
    watch.look().await?;
    Ok(Sse::new(watch.events()).keep_alive(KeepAlive::default()).into_response())
}

impl Watch {
    async fn look(&self) -> Result<Analysis, Problem> {
        let mut tx = self.state.store.begin(&self.scope).await?;
        let analysis = analysis_get(&mut tx, self.id).await?;
        tx.commit().await?;
        Ok(analysis)
    }

    /// Progress at once and after each piece of news; `ended` is the last.
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut watch| async move {
            if watch.ended || watch.looks >= MOST_LOOKS {
                return None;
            }
            if watch.looks > 0 {
                watch.wait().await;
            }
            watch.looks += 1;
            let event = match watch.look().await {
                Ok(analysis) if analysis.ended() => {
                    watch.ended = true;
                    Event::default().event("ended").data(analysis.status)
                }
                Ok(analysis) => {
                    let html = progress(&analysis).to_string();
                    Event::default().event("progress").data(html.replace(['\n', '\r'], " "))
                }
                Err(problem) => {
                    // The browser connects again and is told why, if it still cannot be seen.
                    tracing::warn!(%problem, analysis = %watch.id, "live progress is interrupted");
                    return None;
                }
            };
            Some((Ok(event), watch))
        })
    }

    /// Until there is news of this analysis, or it is time to look anyway.
    async fn wait(&mut self) {
        let id = self.id.uuid();
        let news = async {
            loop {
                match self.news.recv().await {
                    Ok(update)
                        if update.subject == Some(id) || update.kind == LiveUpdate::RESYNC =>
                    {
                        break;
                    }
                    Ok(_) => {}
                    // Missed some: look.
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Either way it is time to look.
        let _ = timeout(LOOK_ANYWAY, news).await;
    }
}
