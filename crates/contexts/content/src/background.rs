//! What goes on beside the requests: writing how often posts were read.

use std::time::Duration;

use ephor_store::{Background, Pulse};

use crate::Content;

/// How often readings are written.
const FLUSH: Duration = Duration::from_secs(2);

impl Content {
    /// Starts the work in the background; shutting it down writes what was counted.
    pub fn start(&self) -> Background {
        let content = self.clone();
        Background::every("content", FLUSH, move || {
            let content = content.clone();
            async move {
                let written = content.flush().await;
                content.store().pulse().told("readings", Pulse::SILENCE, &written);
                if let Err(problem) = written {
                    tracing::warn!(%problem, "the readings of posts could not be written; they are kept");
                }
            }
        })
    }
}
