//! The confusion of one group: rows by true and predicted class.

use crate::tally::{Count, MISSING, NEGATIVE, POSITIVE, Tally};

/// Rows by true class, then by predicted class; the last of each is what is missing.
#[derive(Debug, Clone)]
pub struct Matrix {
    classes: usize,
    counts: Vec<Count>,
    by_truth: Vec<Count>,
    by_prediction: Vec<Count>,
}

impl Matrix {
    pub(super) fn new(classes: usize) -> Self {
        let side = classes + 1;
        Self {
            classes,
            counts: vec![Count::default(); side * side],
            by_truth: vec![Count::default(); side],
            by_prediction: vec![Count::default(); side],
        }
    }

    pub(super) fn add(&mut self, (truth, predicted, count): (usize, usize, Count)) {
        self.counts[truth * (self.classes + 1) + predicted] += count;
    }

    /// With its sums.
    pub(super) fn finished(mut self) -> Self {
        for truth in 0..=self.classes {
            for predicted in 0..=self.classes {
                let count = self.at(truth, predicted);
                self.by_truth[truth] += count;
                self.by_prediction[predicted] += count;
            }
        }
        self
    }

    pub(super) fn at(&self, truth: usize, predicted: usize) -> Count {
        self.counts[truth * (self.classes + 1) + predicted]
    }

    /// All rows.
    pub(super) fn all(&self) -> Count {
        self.by_truth.iter().copied().sum()
    }

    /// Rows with both classes.
    pub(super) fn judged(&self) -> Count {
        (0..self.classes).map(|truth| self.judged_truth(truth)).sum()
    }

    /// Rows of this true class with a prediction.
    fn judged_truth(&self, truth: usize) -> Count {
        (0..self.classes).map(|predicted| self.at(truth, predicted)).sum()
    }

    /// Rows whose prediction is right.
    pub(super) fn right(&self) -> Count {
        (0..self.classes).map(|class| self.at(class, class)).sum()
    }

    /// Weights of rows with both classes, as shares of them: by both, by true class, by predicted class.
    pub(super) fn shares(&self) -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
        let all = self.judged().w;
        let shares: Vec<Vec<f64>> = (0..self.classes)
            .map(|truth| (0..self.classes).map(|at| self.at(truth, at).w / all).collect())
            .collect();
        let truth = shares.iter().map(|row| row.iter().sum()).collect();
        let predicted =
            (0..self.classes).map(|at| shares.iter().map(|row| row[at]).sum()).collect();
        (shares, truth, predicted)
    }

    /// Weights by true class, then by predicted class, without what is missing.
    pub(super) fn rows(&self) -> Vec<Vec<f64>> {
        (0..self.classes)
            .map(|truth| (0..self.classes).map(|at| self.at(truth, at).w).collect())
            .collect()
    }

    /// This class against the rest.
    pub(super) fn against_rest(&self, class: usize, everybody: f64) -> Tally {
        let missing = self.classes;
        let mut cells = [[Count::default(); 3]; 3];
        cells[POSITIVE][POSITIVE] = self.at(class, class);
        cells[POSITIVE][MISSING] = self.at(class, missing);
        cells[MISSING][POSITIVE] = self.at(missing, class);
        cells[MISSING][MISSING] = self.at(missing, missing);
        for other in (0..self.classes).filter(|other| *other != class) {
            cells[POSITIVE][NEGATIVE] += self.at(class, other);
            cells[NEGATIVE][POSITIVE] += self.at(other, class);
            cells[NEGATIVE][MISSING] += self.at(other, missing);
            cells[MISSING][NEGATIVE] += self.at(missing, other);
            for predicted in (0..self.classes).filter(|predicted| *predicted != class) {
                cells[NEGATIVE][NEGATIVE] += self.at(other, predicted);
            }
        }
        Tally { all: self.all(), everybody, cells, ..Tally::default() }
    }
}
