//! Typesetting and drawing, which take a core for a moment: beside the threads that answer requests, and a few files at once.

use ephor_kernel::{Code, Problem};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// How many files are made at once: the others wait, so that requests for reports and pictures cannot take every core.
const AT_ONCE: usize = 2;

/// How many more may wait: what they are made of is held in memory meanwhile.
const WAITING: usize = 16;

static PRESS: Semaphore = Semaphore::const_new(AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE + WAITING);

/// What `work` writes: a document that is typeset, or a picture that is drawn. All of this process share two threads for it.
///
/// # Errors
/// It failed; `unavailable` when too many wait already.
pub async fn pressed(
    work: impl FnOnce() -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Vec<u8>, Problem> {
    let place = PLACES.try_acquire().map_err(|_| {
        Problem::new(
            Code::Unavailable,
            "Too many documents and pictures are being made at the moment",
        )
        .retry_after(5)
    })?;
    let turn = PRESS.acquire().await.map_err(|_| Problem::internal())?;
    let written = spawn_blocking(move || {
        let written = work();
        // A reader who has gone away does not stop the work: its turn and its place end with it.
        drop((turn, place));
        written
    });
    written.await.map_err(|error| {
        tracing::error!(%error, "a document or a picture could not be made");
        Problem::internal()
    })?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_given_back_whatever_happens() {
        for _ in 0..2 * AT_ONCE {
            assert!(pressed(|| Err(Problem::internal())).await.is_err());
            assert!(pressed(|| panic!("torn")).await.is_err());
        }
        assert_eq!(pressed(|| Ok(vec![7])).await.unwrap(), [7]);
        let all: Vec<_> = (0..AT_ONCE + WAITING).map(|_| PLACES.try_acquire().unwrap()).collect();
        let problem = pressed(|| Ok(vec![7])).await.unwrap_err();
        assert_eq!(problem.code, Code::Unavailable);
        drop(all);
        assert_eq!(pressed(|| Ok(vec![7])).await.unwrap(), [7]);
    }
}
