//! The cube as an analysis reads it: all rows in its sums, and its rows by score in order.

use std::borrow::Cow;

use super::{Cube, Histogram, LOSS_UNIT, Repeats, Rows, limits::MAX_SCORE_ENTRIES, ordered};
use crate::{
    metrics::reliability::row_log_loss,
    tally::{MISSING, NEGATIVE, POSITIVE},
};

impl Cube {
    /// This cube with all of its rows in its sums, and the labelled rows by score: ascending, and those of one score (or bin)
    /// by slot.
    pub(crate) fn finished(&self) -> (Cow<'_, Self>, Vec<Rows>) {
        if self.repeats.is_empty() {
            return (Cow::Borrowed(self), sorted(&self.histogram));
        }
        let mut finished = self.clone();
        // Merely counted rows are sorted as soon as their scores are: most cubes need no other histogram.
        let merely_counted = self.histogram.is_empty().then(|| rows_by_score(&self.repeats));
        if let Some(rows) = merely_counted.filter(|rows| rows.len() <= MAX_SCORE_ENTRIES) {
            finished.settle_sums();
            return (Cow::Owned(finished), rows);
        }
        finished.settle();
        let rows = sorted(&finished.histogram);
        (Cow::Owned(finished), rows)
    }

    /// The same with the rows that have a score and no label among them: where one kind is binned, both are, alike.
    pub(crate) fn finished_with_unlabelled(&self) -> (Cow<'_, Self>, Vec<Rows>) {
        let is_merely_counted = self.repeats.entries().any(|(slot, ..)| slot % 3 == MISSING);
        if self.unlabelled.is_empty() && !is_merely_counted {
            return self.finished();
        }
        let mut finished = self.clone();
        finished.settle();
        finished.histogram.align(&mut finished.unlabelled);
        let rows = in_order(finished.histogram.rows().chain(finished.unlabelled.rows()));
        (Cow::Owned(finished), rows)
    }

    /// Brings what is merely counted to the sums alone.
    fn settle_sums(&mut self) {
        let repeats = std::mem::replace(&mut self.repeats, Repeats::new());
        for (score, counts) in repeats.by_score() {
            // The logarithms are the same for all cells.
            let losses = [false, true].map(|positive| row_log_loss(score, positive) / LOSS_UNIT);
            for (slot, rows) in counts.iter().enumerate().filter(|(_, rows)| **rows > 0) {
                let (cell, label) = ((slot / 3) as u32, slot % 3);
                let loss = losses.get(label).copied().unwrap_or(0.0);
                self.add_sums(cell, label, score, u64::from(*rows), 1.0, loss);
            }
        }
    }
}

fn sorted(histogram: &Histogram) -> Vec<Rows> {
    in_order(histogram.rows())
}

fn in_order(rows: impl Iterator<Item = Rows>) -> Vec<Rows> {
    let mut rows: Vec<Rows> = rows.collect();
    // A cell's labels are slots one after the other.
    rows.sort_unstable_by_key(|rows| (rows.rank, rows.slot));
    rows
}

/// Labelled rows by score, ascending, and then by slot.
fn rows_by_score(repeats: &Repeats) -> Vec<Rows> {
    let mut scores: Vec<(f64, &[u32])> = repeats.by_score().collect();
    scores.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let mut rows = Vec::new();
    for (score, counts) in scores {
        for (cell, counts) in counts.chunks_exact(3).enumerate() {
            for label in [NEGATIVE, POSITIVE] {
                let n = u64::from(counts[label]);
                if n > 0 {
                    let slot = (cell * 3 + label) as u32;
                    rows.push(Rows { slot, rank: ordered(score), score, n, w: n as f64 });
                }
            }
        }
    }
    rows
}

const _: () =
    assert!(NEGATIVE == 0 && POSITIVE == 1 && MISSING == 2, "slots hold labels in this order");
