//! What goes on beside the requests: writing how often posts were read.

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle, time};

use crate::Content;

/// How often readings are written.
const FLUSH: Duration = Duration::from_secs(2);

/// Content's work in the background, until it is shut down.
#[derive(Debug)]
pub struct ContentTasks {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl ContentTasks {
    /// Stops, after writing what was counted.
    pub async fn shutdown(self) {
        // Nobody listens any more when the task has ended by itself.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "content's background task failed");
        }
    }
}

impl Content {
    /// Starts the work in the background.
    pub fn start(&self) -> ContentTasks {
        let (stop, mut stopped) = watch::channel(false);
        let content = self.clone();
        let task = tokio::spawn(async move {
            let mut ticks = time::interval(FLUSH);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            loop {
                let last = tokio::select! {
                    _ = ticks.tick() => false,
                    _ = stopped.changed() => true,
                };
                if let Err(problem) = content.flush().await {
                    tracing::warn!(%problem, "the readings of posts could not be written; they are kept");
                }
                if last {
                    return;
                }
            }
        });
        ContentTasks { stop, task }
    }
}
