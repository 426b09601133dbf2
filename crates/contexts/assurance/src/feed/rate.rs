//! How often a token may push: counted by each process, so that counting costs no round trip.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ephor_kernel::{Code, Problem, RowFeedId};
use tokio::time::Instant;

/// Batches of one row feed in one [`WINDOW`], at most.
pub(crate) const MOST: u32 = 120;
const WINDOW: Duration = Duration::from_mins(1);

/// How many row feeds are remembered before those are forgotten whose window is over.
const BOUND: usize = 20_000;

/// When each row feed's window began, and how many batches came in it.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<RowFeedId, (Instant, u32)>>);

impl Rates {
    /// Counts a batch. Only of tokens that were proven: nobody else can use up what a row feed has.
    pub(crate) fn admit(&self, feed: RowFeedId, now: Instant) -> Result<(), Problem> {
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.len() >= BOUND && !rates.contains_key(&feed) {
            rates.retain(|_, (began, _)| now.duration_since(*began) < WINDOW);
        }
        let (began, count) = rates.entry(feed).or_insert((now, 0));
        let age = now.duration_since(*began);
        if age >= WINDOW {
            (*began, *count) = (now, 0);
        }
        if *count >= MOST {
            let left = WINDOW.saturating_sub(age).as_secs().max(1);
            return Err(Problem::new(
                Code::RateLimited,
                format!("A row feed takes {MOST} batches a minute; send more rows in each"),
            )
            .retry_after(left));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_row_feed_is_held_back_for_the_rest_of_its_minute_and_no_other_is() {
        let (rates, feed, now) = (Rates::default(), RowFeedId::new(), Instant::now());
        for _ in 0..MOST {
            rates.admit(feed, now).unwrap();
        }
        let problem = rates.admit(feed, now + Duration::from_secs(20)).unwrap_err();
        assert_eq!((problem.code, problem.retry_after), (Code::RateLimited, Some(40)));
        rates.admit(RowFeedId::new(), now).unwrap();
        rates.admit(feed, now + WINDOW).unwrap();
    }
}
