//! How often the predicted class is the true one.

use super::{Matrix, Metric};
use crate::{
    analysis::{Estimated, estimate},
    frame::About,
    metrics::{Better, Measure, NO_DECISIONS, UNIT},
    tally::{Count, NEGATIVE, POSITIVE, Tally},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "accuracy",
        title: "Accuracy",
        formula: "rows whose predicted class is the true one / rows with both",
        range: UNIT,
        better: Better::Higher,
        source: "scikit-learn accuracy_score; the recall averaged with the classes' shares as weights is the same",
        edge_cases: "Undefined in a group without rows that have both classes.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: accuracy,
};

fn accuracy(matrix: &Matrix) -> Estimated {
    let (right, all) = (matrix.right(), matrix.judged());
    let wrong = Count { n: all.n - right.n, w: all.w - right.w, w2: all.w2 - right.w2 };
    let mut tally = Tally { all, everybody: all.w, ..Tally::default() };
    tally.cells[POSITIVE][POSITIVE] = right;
    tally.cells[POSITIVE][NEGATIVE] = wrong;
    let rate = |tally: &Tally| (tally.cells[POSITIVE][POSITIVE], tally.all);
    estimate(Measure::Rate(rate, NO_DECISIONS), &tally, false)
}
