//! What is known of one group: the sums that every metric is a function of.

use serde::{Deserialize, Serialize};

use crate::metrics::reliability::BINS;

/// A count of rows with the sums of their weights and squared weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Rows.
    pub n: u64,
    /// Sum of weights.
    pub w: f64,
    /// Sum of squared weights.
    pub w2: f64,
}

impl Count {
    /// Kish's effective sample size: (sum w)² / sum w².
    pub fn effective(&self) -> f64 {
        if self.w2 > 0.0 { self.w * self.w / self.w2 } else { 0.0 }
    }
}

impl std::ops::Add for Count {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { n: self.n + other.n, w: self.w + other.w, w2: self.w2 + other.w2 }
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

/// Index of what is negative in a table of three.
pub const NEGATIVE: usize = 0;
/// Index of what is positive in a table of three.
pub const POSITIVE: usize = 1;
/// Index of what is missing in a table of three.
pub const MISSING: usize = 2;

/// Weighted sums over the rows that have a score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScoreSums {
    /// The rows with a score.
    pub count: Count,
    /// Sum of w s.
    pub score: f64,
    /// Sum of w s².
    pub score2: f64,
    /// Sum of w (s - y)².
    pub squared_error: f64,
    /// Sum of w |s - y|.
    pub absolute_error: f64,
    /// Sum of w times the log loss.
    pub log_loss: f64,
}

impl std::ops::AddAssign for ScoreSums {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.score += other.score;
        self.score2 += other.score2;
        self.squared_error += other.squared_error;
        self.absolute_error += other.absolute_error;
        self.log_loss += other.log_loss;
    }
}

/// The rows that share a score (or a bin of scores).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    /// Ascending with the score; equal for one score (or bin) in all groups.
    pub rank: u32,
    /// The score; the mean score, of a bin.
    pub score: f64,
    /// Rows by label.
    pub n: [u64; 2],
    /// Weights by label.
    pub w: [f64; 2],
    /// Rows without a label. Only reports that count people ask for them; where nobody did, there are none.
    pub unlabelled: u64,
}

impl Point {
    /// All rows, labelled or not.
    pub(crate) fn rows(&self) -> u64 {
        self.n[NEGATIVE] + self.n[POSITIVE] + self.unlabelled
    }

    /// What a mean of scores counts it for.
    fn mass(&self) -> f64 {
        self.w[NEGATIVE] + self.w[POSITIVE] + self.unlabelled as f64
    }

    /// Adds rows of the same rank.
    pub(crate) fn absorb(&mut self, other: &Self) {
        let (mine, theirs) = (self.mass(), other.mass());
        if self.score != other.score && mine + theirs > 0.0 {
            self.score = (self.score * mine + other.score * theirs) / (mine + theirs);
        }
        for label in 0..2 {
            self.n[label] += other.n[label];
            self.w[label] += other.w[label];
        }
        self.unlabelled += other.unlabelled;
    }
}

/// Rows in one bin of the reliability curve.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReliabilitySums {
    /// Rows.
    pub n: u64,
    /// Weights by label.
    pub w: [f64; 2],
    /// Sum of w s.
    pub score: f64,
}

impl ReliabilitySums {
    fn absorb(&mut self, other: &Self) {
        self.n += other.n;
        self.w[0] += other.w[0];
        self.w[1] += other.w[1];
        self.score += other.score;
    }
}

/// What is known of one group.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// All of its rows.
    pub all: Count,
    /// Sum of everybody's weights, to compute the group's share.
    pub everybody: f64,
    /// The same of those who are predicted positive.
    pub everybody_selected: f64,
    /// Rows by label and prediction.
    pub cells: [[Count; 3]; 3],
    /// Sums over the scored rows, by label.
    pub scores: [ScoreSums; 3],
    /// Labelled and scored rows by score, ascending; with unlabelled ones among them only where those were asked for.
    pub points: Vec<Point>,
    /// The same in ten equal-width bins of [0, 1]; `None` unless all scores lie there and bins are narrow enough.
    pub reliability: Option<Box<[ReliabilitySums; BINS]>>,
    /// Whether all scores lie in [0, 1].
    pub probabilities: bool,
}

impl Tally {
    /// Rows with this label, whatever the prediction.
    pub fn label(&self, label: usize) -> Count {
        self.cells[label].iter().copied().sum()
    }

    /// Rows with this prediction, whatever the label.
    pub fn predicted(&self, prediction: usize) -> Count {
        self.cells.iter().map(|row| row[prediction]).sum()
    }

    /// Rows with a label and a prediction.
    pub fn judged(&self) -> Count {
        self.confusion().into_iter().sum()
    }

    /// True positives, false positives, true negatives, false negatives.
    pub fn confusion(&self) -> [Count; 4] {
        [
            self.cells[POSITIVE][POSITIVE],
            self.cells[NEGATIVE][POSITIVE],
            self.cells[NEGATIVE][NEGATIVE],
            self.cells[POSITIVE][NEGATIVE],
        ]
    }

    /// Sums over the rows with a label and a score.
    pub fn labelled_scores(&self) -> ScoreSums {
        let mut sums = self.scores[NEGATIVE];
        sums += self.scores[POSITIVE];
        sums
    }

    /// Adds another group's rows, but for its curve, which the caller merges.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.all += other.all;
        for (mine, theirs) in self.cells.iter_mut().flatten().zip(other.cells.iter().flatten()) {
            *mine += *theirs;
        }
        for (mine, theirs) in self.scores.iter_mut().zip(&other.scores) {
            *mine += *theirs;
        }
        if let Some(theirs) = &other.reliability {
            let mine = self.reliability.get_or_insert_default();
            mine.iter_mut().zip(theirs.iter()).for_each(|(mine, theirs)| mine.absorb(theirs));
        }
    }
}

/// Weights by label and prediction: what a smooth metric of a classifier is a function of.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Matrix {
    /// Label positive, predicted positive.
    pub tp: f64,
    /// Label negative, predicted positive.
    pub fp: f64,
    /// Label negative, predicted negative.
    pub tn: f64,
    /// Label positive, predicted negative.
    pub fn_: f64,
}

impl Matrix {
    /// Weights, from the counts that [`Tally::confusion`] gives.
    pub fn of(tally: &Tally) -> Self {
        let [tp, fp, tn, fn_] = tally.confusion().map(|count| count.w);
        Self { tp, fp, tn, fn_ }
    }

    /// All four.
    pub fn total(&self) -> f64 {
        self.tp + self.fp + self.tn + self.fn_
    }
}
