//! When a refused log-in is answered. Hashes of different kinds take different times, and an unknown
//! address takes none of its own; so every refusal waits for the next beat since the log-in began,
//! and tells by its time neither who has an account nor where its hash came from, as long as no check
//! takes longer than a beat: one that does is answered a beat later than others.

use std::time::Duration;

use tokio::time::Instant;

/// A log-in's beats, from its beginning on.
pub(crate) struct Beats {
    began: Instant,
    every: Duration,
}

impl Beats {
    /// Begins to count. A beat of no length makes nobody wait.
    pub(crate) fn begin(milliseconds: u32) -> Self {
        Self { began: Instant::now(), every: Duration::from_millis(milliseconds.into()) }
    }

    /// Waits for the next beat. Nothing that others could use may be held meanwhile.
    pub(crate) async fn next(self) {
        let spent = self.began.elapsed();
        let wait = next_beat(spent, self.every).saturating_sub(spent);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// The first beat that is not over after so long: at least one.
fn next_beat(spent: Duration, every: Duration) -> Duration {
    if every.is_zero() {
        return spent;
    }
    let beats = spent.as_nanos().div_ceil(every.as_nanos()).max(1);
    every.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_done_before_a_beat_ends_with_it() {
        let ms = Duration::from_millis;
        for spent in [0, 1, 30, 499, 500] {
            assert_eq!(next_beat(ms(spent), ms(500)), ms(500), "{spent}");
        }
        assert_eq!(next_beat(ms(501), ms(500)), ms(1000));
        assert_eq!(next_beat(ms(1999), ms(500)), ms(2000));
        assert_eq!(next_beat(ms(77), Duration::ZERO), ms(77), "no beat, no wait");
    }
}
