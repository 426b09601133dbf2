//! Files on their way: how much of one has gone by, for who waits at a terminal, and Ctrl-C.

use tokio_util::sync::CancellationToken;

use super::super::{interrupt, printed::bytes, waiting::Waiting};

/// How many characters the bar is wide.
const WIDE: u64 = 30;

/// A bar on standard error, where that is a terminal. It goes away with the value.
pub struct Meter {
    line: Waiting,
    all: Option<u64>,
    done: u64,
}

impl Meter {
    /// Of so many bytes, where that is known.
    pub fn new(all: Option<u64>) -> Self {
        Self { line: Waiting::new(), all, done: 0 }
    }

    /// So many more have gone by.
    pub fn add(&mut self, more: usize) {
        self.done += more as u64;
        self.line.tell(|| drawn(self.done, self.all));
    }
}

/// `[##########                    ] 1.0 MB of 3.0 MB (33 %)`
fn drawn(done: u64, all: Option<u64>) -> String {
    let size = |of: u64| bytes(i64::try_from(of).unwrap_or(i64::MAX));
    match all {
        // A file that grows is never more than whole.
        Some(all) if all > 0 => {
            let part = done.min(all);
            let full = (u128::from(part) * u128::from(WIDE) / u128::from(all)) as usize;
            let share = u128::from(part) * 100 / u128::from(all);
            let bar = "#".repeat(full) + &" ".repeat(WIDE as usize - full);
            format!("[{bar}] {} of {} ({share} %)", size(part), size(all))
        }
        _ => size(done),
    }
}

/// Waits for `work`, unless Ctrl-C comes before it is done: then the work is dropped where it stands.
///
/// # Errors
/// Those of the work, and that it was given up, with what that means.
pub async fn unless_interrupted<T>(
    work: impl Future<Output = anyhow::Result<T>>,
    given_up: &str,
) -> anyhow::Result<T> {
    let cancel = CancellationToken::new();
    interrupt::listen(cancel.clone());
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = cancel.cancelled() => Err(anyhow::anyhow!("given up; {given_up}")),
    };
    // From here on one is enough to end the command.
    cancel.cancel();
    outcome
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn the_bar_is_as_long_as_what_is_done() {
        let third = drawn(1_000_000, Some(3_000_000));
        assert_eq!(
            third,
            format!("[{}{}] 1.0 MB of 3.0 MB (33 %)", "#".repeat(10), " ".repeat(20))
        );
        assert!(drawn(9, Some(3)).starts_with(&format!("[{}]", "#".repeat(30))));
        assert_eq!(drawn(7, None), "7 bytes");
        assert_eq!(drawn(0, Some(0)), "0 bytes");
    }
}
