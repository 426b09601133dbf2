//! What a cube keeps of scores: sums and a histogram, and counts of those that come again and again.

use arrow::array::{Array, Float64Array};

use super::{Buffers, Cube, CubeError, EXCLUDED, repeats::Repeats, sum::Sum};
use crate::{
    metrics::reliability::row_log_loss,
    tally::{MISSING, POSITIVE},
};

/// Sums of one cell and label over the rows that have a score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ScoreCell {
    pub n: u64,
    pub weight: Sum,
    pub weight2: Sum,
    /// Sum of w (s - y); a missing label counts as 0.
    pub error: Sum,
    /// Sum of w (s - y)².
    pub error2: Sum,
    /// Sum of w (|s - y| - e), where e is the error's size if the score is in [0, 1]: 0 for probabilities.
    pub absolute: Sum,
    /// Sum of w times the log loss, in units of `LOSS_UNIT`.
    pub log_loss: Sum,
}

/// The log loss is at most 36.05 (scores are clipped): in this unit it is below 1, where sums are exact.
pub(crate) const LOSS_UNIT: f64 = 64.0;

impl Cube {
    pub(super) fn add_scores(
        &mut self,
        score: &Float64Array,
        weight: Option<&Float64Array>,
        buffers: &Buffers,
    ) {
        let begin = if weight.is_none() { self.add_repeats(score, buffers) } else { 0 };
        let nulls = score.null_count() > 0;
        let rows = buffers.cells.iter().zip(&buffers.buckets).zip(score.values());
        for (row, ((cell, bucket), value)) in rows.enumerate().skip(begin) {
            if *bucket == EXCLUDED || (nulls && score.is_null(row)) {
                continue;
            }
            if !value.is_finite() {
                self.invalid_scores += 1;
                continue;
            }
            self.widen_range(*value);
            let weight = weight.map_or(1.0, |weight| weight.value(row));
            self.add_score(*cell, *bucket as usize / 3, *value, 1, weight);
        }
    }

    pub(super) fn add_scores_times(
        &mut self,
        score: &Float64Array,
        times: &[u32],
        buffers: &Buffers,
    ) -> Result<(), CubeError> {
        let rows: u64 = times.iter().copied().map(u64::from).sum();
        let rows = usize::try_from(rows).map_err(|_| CubeError::Damaged("too many rows"))?;
        self.make_room_for_repeats(rows);
        for (row, times) in times.iter().enumerate().filter(|(row, _)| score.is_valid(*row)) {
            let (cell, bucket, value) =
                (buffers.cells[row], buffers.buckets[row], score.value(row));
            if self.repeats.is_open() && self.add_repeat(value, cell, bucket, *times) {
                continue;
            }
            if !value.is_finite() {
                self.invalid_scores += u64::from(*times);
                continue;
            }
            self.widen_range(value);
            self.add_score(cell, bucket as usize / 3, value + 0.0, u64::from(*times), 1.0);
        }
        Ok(())
    }

    /// Makes room for rows whose scores have come before, unless there are too many scores.
    fn make_room_for_repeats(&mut self, rows: usize) {
        let slots = self.index.len() * 3;
        if self.repeats.is_open() && !self.repeats.has_room(slots, rows) {
            self.settle();
            self.repeats.make_room(slots);
        }
    }

    /// Counts rows whose scores have come before, as long as new ones are few. Returns the row that it left off at.
    fn add_repeats(&mut self, score: &Float64Array, buffers: &Buffers) -> usize {
        self.make_room_for_repeats(score.len());
        if !self.repeats.is_open() {
            return 0;
        }
        let nulls = score.null_count() > 0;
        let (values, cells, buckets) = (score.values(), &buffers.cells, &buffers.buckets);
        let mut row = 0;
        while row < values.len() {
            if !nulls {
                row += self.repeats.count_run(&values[row..], &cells[row..], &buckets[row..]);
                if row == values.len() {
                    break;
                }
            }
            let counted = nulls && score.is_null(row)
                || self.add_repeat(values[row], cells[row], buckets[row], 1);
            if !counted {
                return row;
            }
            row += 1;
        }
        row
    }

    /// Counts so many rows, or refuses their score if it is no number. `false`: there are too many scores to go on.
    fn add_repeat(&mut self, score: f64, cell: u32, bucket: u32, times: u32) -> bool {
        // A negative zero is zero.
        let (score, slot) = (score + 0.0, (cell * 3 + bucket / 3) as usize);
        if self.repeats.count(score, slot, times) {
            return true;
        }
        if !score.is_finite() {
            self.invalid_scores += u64::from(times);
            return true;
        }
        self.widen_range(score);
        if self.repeats.learn(score) {
            return self.repeats.count(score, slot, times);
        }
        self.settle();
        self.repeats.close();
        false
    }

    /// Adds what another part of the data has merely counted, to be counted on here if there is room; `cells` has the
    /// number here of each of its cells.
    pub(crate) fn merge_repeats(&mut self, other: &Repeats, cells: &[u32]) {
        self.make_room_for_repeats(other.rows() as usize);
        for (slot, score, rows) in other.entries() {
            let (cell, label) = (cells[slot / 3], slot % 3);
            let mine = cell as usize * 3 + label;
            if self.repeats.is_open() {
                if self.repeats.count(score, mine, rows) {
                    continue;
                }
                if self.repeats.learn(score) {
                    self.repeats.count(score, mine, rows);
                    continue;
                }
                self.settle();
                self.repeats.close();
            }
            self.add_score(cell, label, score, rows.into(), 1.0);
        }
    }

    /// Brings what is merely counted to sums and histogram.
    pub(crate) fn settle(&mut self) {
        let repeats = self.repeats.drain();
        let unlabelled = repeats.iter().filter(|(slot, ..)| slot % 3 == MISSING).count();
        self.histogram.expect(repeats.len() - unlabelled);
        self.unlabelled.expect(unlabelled);
        for (slot, score, rows) in repeats {
            self.add_score((slot / 3) as u32, slot % 3, score, rows.into(), 1.0);
        }
    }

    fn widen_range(&mut self, score: f64) {
        let (least, greatest) = self.score_range;
        self.score_range = (least.min(score), greatest.max(score));
    }

    /// Adds `rows` rows, each of this weight, with a finite score.
    #[inline]
    fn add_score(&mut self, cell: u32, label: usize, value: f64, rows: u64, w: f64) {
        if label == MISSING {
            self.add_sums(cell, label, value, rows, w, 0.0);
            self.unlabelled.add(cell, 0, value, rows, w * rows as f64);
        } else {
            let loss = row_log_loss(value, label == POSITIVE) / LOSS_UNIT;
            self.add_sums(cell, label, value, rows, w, loss);
            self.histogram.add(cell, label, value, rows, w * rows as f64);
        }
    }

    /// The same, in the sums alone; `loss` is the log loss of a row that has a label.
    #[inline]
    pub(super) fn add_sums(
        &mut self,
        cell: u32,
        label: usize,
        value: f64,
        rows: u64,
        w: f64,
        loss: f64,
    ) {
        let positive = label == POSITIVE;
        let sums = &mut self.scores[cell as usize * 3 + label];
        let error = if positive { value - 1.0 } else { value };
        sums.n += rows;
        if self.layout.weight {
            sums.weight.add(w, rows);
            sums.weight2.add(w * w, rows);
        }
        sums.error.add(w * error, rows);
        sums.error2.add(w * error * error, rows);
        if !(0.0..=1.0).contains(&value) {
            let expected = if positive { -error } else { error };
            sums.absolute.add(w * (error.abs() - expected), rows);
        }
        if label != MISSING {
            sums.log_loss.add(w * loss, rows);
        }
    }
}
