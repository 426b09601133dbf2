//! Progress as it is made, as server-sent events: of whatever a page waits for.

mod live;

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Sse,
    sse::{Event, KeepAlive},
};
use ephor_kernel::{Problem, Scope};
use ephor_store::{LiveUpdate, OrgTx};
use futures::{Stream, future::BoxFuture, stream};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};
use uuid::Uuid;

pub(crate) use live::{Live, Progress};

use crate::{ConsoleState, visit::Answer};

/// News may get lost with a connection to the database; after this long one looks anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);
/// After so many looks the browser connects anew, and who may no longer see it is refused.
const MOST_LOOKS: u32 = 2_000;

/// What is seen.
pub(crate) enum Look {
    /// It waits or runs.
    Going(Progress),
    /// It came to this end.
    Ended(String),
}

/// Looks at the thing with this id.
pub(crate) type Looking = for<'a> fn(&'a mut OrgTx, Uuid) -> BoxFuture<'a, Result<Look, Problem>>;

/// What the stream is about to do.
struct Watch {
    state: ConsoleState,
    scope: Scope,
    id: Uuid,
    looking: Looking,
    news: Receiver<LiveUpdate>,
    looks: u32,
    ended: bool,
}

/// The events of what `looking` sees. The caller has checked that it may be seen.
pub(crate) async fn follow(
    state: ConsoleState,
    scope: Scope,
    id: Uuid,
    looking: Looking,
) -> Answer {
    // Subscribed before the first look, so that nothing falls between.
    let news = state.store.live().subscribe(scope.organization());
    let watch = Watch { state, scope, id, looking, news, looks: 0, ended: false };
    watch.look().await?;
    Ok(Sse::new(watch.events()).keep_alive(KeepAlive::default()).into_response())
}

impl Watch {
    async fn look(&self) -> Result<Look, Problem> {
        let mut tx = self.state.store.begin(&self.scope).await?;
        let seen = (self.looking)(&mut tx, self.id).await?;
        tx.commit().await?;
        Ok(seen)
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
                Ok(Look::Ended(end)) => {
                    watch.ended = true;
                    Event::default().event("ended").data(end)
                }
                Ok(Look::Going(progress)) => {
                    let html = progress.to_string();
                    Event::default().event("progress").data(html.replace(['\n', '\r'], " "))
                }
                Err(problem) => {
                    // The browser connects again and is told why, if it still cannot be seen.
                    tracing::warn!(%problem, id = %watch.id, "live progress is interrupted");
                    return None;
                }
            };
            Some((Ok(event), watch))
        })
    }

    /// Until there is news of it, or it is time to look anyway.
    async fn wait(&mut self) {
        let id = self.id;
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
