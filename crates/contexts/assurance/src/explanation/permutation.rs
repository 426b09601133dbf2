//! What the model loses when a feature's values are shuffled.

use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, StringArray};
use ephor_explain::{
    Link, Scorer as _,
    permutation::{Metric, Settings, importance},
    summary::{Importance, Method, Unit},
};
use ephor_store::jobs::JobFailure;

use super::work::{Found, Work, batch};

/// Rows that are drawn, and repeats, where nothing is said.
const ROWS: usize = 10_000;
const REPEATS: usize = 5;

/// Permutation importance over rows drawn by chance.
pub(super) async fn explain(work: &Work) -> Result<Found, JobFailure> {
    let spec = &work.spec;
    let usual = match work.model.link() {
        Link::Identity | Link::Exponential if work.model.outputs() == 1 => Metric::R2,
        // Several outputs are classes: shares of trees, or what a graph answers.
        _ => Metric::Accuracy,
    };
    let metric = spec.metric.unwrap_or(usual);
    let settings = Settings { metric, repeats: spec.repeats.unwrap_or(REPEATS), seed: spec.seed };
    let drawn = work.sample(spec.rows.unwrap_or(ROWS)).await?;
    let mut summary = work.summary(Method::Permutation, Unit::Prediction);
    summary.rows = drawn.rows.len() as u64;
    let model = Arc::clone(&work.model);
    let (progress, cancel) = (work.progress(0, None), work.cancel.clone());
    let found = Work::blocking(move || {
        importance(&*model, &drawn.rows, &drawn.targets, &settings, &progress, &cancel)
    })
    .await?;
    summary.importance = Some(Importance::of(metric, &found));
    let names = work.model.features();
    let each = || {
        names.iter().zip(&found.features).flat_map(|(name, one)| {
            one.repeats.iter().enumerate().map(move |(repeat, value)| (name, repeat, *value))
        })
    };
    let repeat = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let values = batch([
        ("feature", Arc::new(each().map(|(name, _, _)| Some(name)).collect::<StringArray>())),
        (
            "repeat",
            Arc::new(Int64Array::from_iter_values(each().map(|(_, number, _)| repeat(number)))),
        ),
        ("importance", Arc::new(Float64Array::from_iter_values(each().map(|(_, _, value)| value)))),
    ]);
    let stored = work.store(values).await?;
    Ok((summary, stored))
}
