//! Ctrl-C, where work is given up in good order.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// As of any command that Ctrl-C ends: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Gives the work up at the first Ctrl-C, and ends the command at the next; it listens as long as the runtime lives. Once the
/// work is over, whoever began it cancels its token, so that one is enough while the result is written.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing is left that would have to be closed in good order, and nobody waits any longer"
)]
pub fn listen(cancel: CancellationToken) {
    // Where nothing can be listened to, Ctrl-C ends the command as ever.
    let Ok(mut pressed) = signal(SignalKind::interrupt()) else { return };
    tokio::spawn(async move {
        while pressed.recv().await.is_some() {
            if cancel.is_cancelled() {
                std::process::exit(INTERRUPTED);
            }
            cancel.cancel();
        }
    });
}
