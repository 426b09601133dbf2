//! What goes on beside the requests: writing what was metered.

use std::time::Duration;

use ephor_store::{Background, Pulse};

use crate::Billing;

/// How often what was metered is written.
const FLUSH: Duration = Duration::from_secs(1);

impl Billing {
    /// Starts the work in the background; shutting it down writes what was metered.
    pub fn start(&self) -> Background {
        let billing = self.clone();
        Background::every("billing", FLUSH, move || {
            let billing = billing.clone();
            async move {
                let written = billing.flush().await;
                billing.parts().store.pulse().told("metering", Pulse::SILENCE, &written);
                if let Err(problem) = written {
                    tracing::warn!(%problem, "metered requests could not be written; they are kept");
                }
            }
        })
    }
}
