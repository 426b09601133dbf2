//! How often a predicted class is right, every class counting the same.

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
        id: "macro_precision",
        title: "Precision, mean over classes",
        formula: "mean over classes of (rows of the class predicted so / rows predicted so)",
        range: UNIT,
        better: Better::Higher,
        source: "scikit-learn precision_score(average=\"macro\")",
        edge_cases: "Classes that are never predicted in a group are left out of its mean (scikit-learn counts them as 0). The interval is of the delta method.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: macro_precision,
};

fn macro_precision(matrix: &Matrix) -> Estimated {
    of(matrix, average)
}

fn average(shares: &Shares) -> Result<Average, &'static str> {
    let precisions: Vec<Option<f64>> =
        (0..shares.truth.len()).map(|at| shares.right_of(at, &shares.predicted)).collect();
    let (value, count) = plain_mean(&precisions, "no class is predicted in the group")?;
    let whole = shares.predicted.clone();
    let influence = move |truth: usize, predicted: usize| {
        let right = f64::from(u8::from(truth == predicted));
        precisions[predicted]
            .map_or(0.0, |precision| (right - precision) / whole[predicted] / count)
    };
    Ok(Average { value, influence: Box::new(influence) })
}
