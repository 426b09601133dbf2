//! Linear models near single rows.

use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, StringArray};
use ephor_explain::{
    Scorer as _,
    lime::{Lime, Settings},
    summary::{Method, Near, Unit},
};
use ephor_store::jobs::JobFailure;

use super::{
    faults::MOST_NEAR,
    rows::{Columns, Pieces},
    work::{Found, Work, batch, no_rows},
};

/// Rows that are explained, rows that ranges come from, and repeats, where nothing is said.
const ROWS: usize = 10;
const BACKGROUND: usize = 5_000;
const REPEATS: usize = 3;

/// LIME of the first rows.
pub(super) async fn explain(work: &Work) -> Result<Found, JobFailure> {
    let spec = &work.spec;
    let usual = Settings::default();
    let settings = Settings {
        categorical: work.places(&spec.categorical),
        samples: spec.samples.unwrap_or(usual.samples),
        features: spec.top.unwrap_or(usual.features),
        repeats: spec.repeats.unwrap_or(REPEATS),
        seed: spec.seed,
        ..usual
    };
    let background = work.background(spec.background.unwrap_or(BACKGROUND)).await?;
    let rows = spec.rows.unwrap_or(ROWS).min(MOST_NEAR);
    let columns = Columns { group: None, target: None, ..work.columns() };
    let mut first =
        Pieces::open(&work.table, &columns, rows).await?.next().await?.ok_or_else(no_rows)?;
    first.cut(rows);
    let mut summary = work.summary(Method::Lime, Unit::Prediction);
    summary.background = Some(background.len() as u64);
    summary.rows = first.rows.len() as u64;
    let (model, output) = (Arc::clone(&work.model), work.output());
    let (progress, cancel) = (work.progress(0, None), work.cancel.clone());
    summary.near = Work::blocking(move || {
        let lime = Lime::new(&background, settings)?;
        let found = lime.explain(&*model, &first.rows, output, &progress, &cancel)?;
        Ok(Near::of(&lime, &first.rows, &found))
    })
    .await?;
    let each =
        || summary.near.iter().flat_map(|near| near.weights.iter().map(move |one| (near, one)));
    let number = |of: fn(&Near, &ephor_explain::summary::Weight) -> Option<f64>| {
        Arc::new(each().map(|(near, weight)| of(near, weight)).collect::<Float64Array>())
    };
    let row = |near: &Near| i64::try_from(near.row).unwrap_or(i64::MAX);
    let names = work.model.features();
    let values = batch([
        ("row", Arc::new(Int64Array::from_iter_values(each().map(|(near, _)| row(near))))),
        (
            "feature",
            Arc::new(each().map(|(_, weight)| names.get(weight.feature)).collect::<StringArray>()),
        ),
        ("above", number(|_, weight| weight.above)),
        ("at_most", number(|_, weight| weight.at_most)),
        ("category", number(|_, weight| weight.category)),
        ("weight", number(|_, weight| Some(weight.weight))),
        ("standard_error", number(|_, weight| weight.error)),
        ("prediction", number(|near, _| Some(near.prediction))),
        ("local_prediction", number(|near, _| Some(near.local))),
        ("intercept", number(|near, _| Some(near.intercept))),
        ("r2", number(|near, _| near.r2)),
    ]);
    let stored = work.store(values).await?;
    Ok((summary, stored))
}
