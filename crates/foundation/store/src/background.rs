//! Work beside the requests that is done again and again until the server stops.

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle, time};

/// Work in the background, until it is shut down.
#[derive(Debug)]
pub struct Background {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Background {
    /// Does `work` at once, and then after each `period`: a run that took longer than that delays the next.
    pub fn every<F>(
        name: &'static str,
        period: Duration,
        mut work: impl FnMut() -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut ticks = time::interval(period);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            loop {
                let last = tokio::select! {
                    _ = ticks.tick() => false,
                    _ = stopped.changed() => true,
                };
                work().await;
                if last {
                    return;
                }
            }
        });
        Self { name, stop, task }
    }

    /// Stops, after doing the work once more.
    pub async fn shutdown(self) {
        // Nobody listens any more when the task has ended by itself.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, task = self.name, "a background task failed");
        }
    }
}
