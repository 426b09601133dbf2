//! How often each class is recognised, every class counting the same.

use super::{
    Matrix, Metric,
    averages::{Average, Shares, of, plain_mean},
};
use crate::{
    analysis::Estimated,
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "macro_recall",
        title: "Recall, mean over classes",
        formula: "mean over classes of (rows of the class predicted so / rows of the class)",
        range: UNIT,
        better: Better::Higher,
        source: "scikit-learn recall_score(average=\"macro\"), balanced_accuracy_score",
        edge_cases: "Classes that a group does not have are left out of its mean (scikit-learn's recall_score counts them as 0). The interval is of the delta method; there is none where every class is always or never recognised.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: macro_recall,
};

fn macro_recall(matrix: &Matrix) -> Estimated {
    of(matrix, average)
}

fn average(shares: &Shares) -> Result<Average, &'static str> {
    let recalls: Vec<Option<f64>> =
        (0..shares.truth.len()).map(|at| shares.right_of(at, &shares.truth)).collect();
    let (value, count) = plain_mean(&recalls, "the group has no class")?;
    let whole = shares.truth.clone();
    let influence = move |truth: usize, predicted: usize| {
        let right = f64::from(u8::from(truth == predicted));
        recalls[truth].map_or(0.0, |recall| (right - recall) / whole[truth] / count)
    };
    Ok(Average { value, influence: Box::new(influence) })
}
