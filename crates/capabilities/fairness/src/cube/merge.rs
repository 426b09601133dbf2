//! Two parts of the data become one.

use super::{Cube, CubeError, ScoreCell, WeightCell, attribute::ReadError, sound::MOST_ROWS};
use crate::tally::{MISSING, NEGATIVE, POSITIVE};

impl Cube {
    /// Adds what another part of the data left.
    pub fn merge(&mut self, other: &Self) -> Result<(), CubeError> {
        if self.layout != other.layout {
            return Err(CubeError::Damaged("two cubes of different layouts"));
        }
        if self.pooled != other.pooled {
            return Err(CubeError::Damaged("two cubes that keep different values"));
        }
        self.rows = self
            .rows
            .checked_add(other.rows)
            .filter(|rows| *rows <= MOST_ROWS)
            .ok_or(CubeError::Damaged("more rows than a cube has"))?;
        self.invalid_weights += other.invalid_weights;
        self.invalid_scores += other.invalid_scores;
        self.score_range = (
            self.score_range.0.min(other.score_range.0),
            self.score_range.1.max(other.score_range.1),
        );
        self.target.labels.merge(&other.target.labels);
        self.prediction.labels.merge(&other.prediction.labels);
        self.refuse_hopeless_labels()?;

        let mut translations = Vec::with_capacity(self.attributes.len());
        for (attribute, (mine, theirs)) in
            self.attributes.iter_mut().zip(&other.attributes).enumerate()
        {
            let codes = mine.dictionary.codes_of(theirs.dictionary.names());
            translations
                .push(codes.map_err(|error| ReadError::from(error).of_attribute(attribute))?);
        }
        self.index.reserve(self.attributes.iter().map(|reader| reader.dictionary.bits()));
        let mut cells = Vec::with_capacity(other.index.len());
        for cell in 0..other.index.len() {
            let codes: Vec<u32> = other
                .index
                .codes(cell)
                .iter()
                .zip(&translations)
                .map(|(code, codes)| codes[*code as usize])
                .collect();
            cells.push(self.index.cell(&codes).map_err(|_| CubeError::TooManyCells)?);
        }
        self.grow_cells(other);
        for (theirs, mine) in cells.iter().enumerate() {
            self.merge_cell(*mine as usize, other, theirs);
        }
        self.histogram.reserve(self.index.len());
        self.histogram.merge(&other.histogram, &cells);
        self.unlabelled.reserve(self.index.len());
        self.unlabelled.merge(&other.unlabelled, &cells);
        self.merge_repeats(&other.repeats, &cells);
        Ok(())
    }

    fn grow_cells(&mut self, other: &Self) {
        let cells = self.index.len();
        self.counts.resize(cells * 9, 0);
        if self.layout.weight && !(other.weights.is_empty() && self.weights.is_empty()) {
            self.weights.resize(cells * 9, WeightCell::default());
        }
        if self.layout.score && !(other.scores.is_empty() && self.scores.is_empty()) {
            self.scores.resize(cells * 3, ScoreCell::default());
        }
    }

    fn merge_cell(&mut self, mine: usize, other: &Self, theirs: usize) {
        for bucket in 0..9 {
            self.counts[mine * 9 + bucket] += other.counts[theirs * 9 + bucket];
            if let Some(weight) = other.weights.get(theirs * 9 + bucket) {
                self.weights[mine * 9 + bucket].weight.merge(&weight.weight);
                self.weights[mine * 9 + bucket].weight2.merge(&weight.weight2);
            }
        }
        for label in [NEGATIVE, POSITIVE, MISSING] {
            if let Some(theirs) = other.scores.get(theirs * 3 + label) {
                let mine = &mut self.scores[mine * 3 + label];
                mine.n += theirs.n;
                mine.weight.merge(&theirs.weight);
                mine.weight2.merge(&theirs.weight2);
                mine.error.merge(&theirs.error);
                mine.error2.merge(&theirs.error2);
                mine.absolute.merge(&theirs.absolute);
                mine.log_loss.merge(&theirs.log_loss);
            }
        }
    }
}
