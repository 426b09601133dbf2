//! What a model does as a whole: mean values, and the effects of the features that count most.

use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, StringArray};
use ephor_explain::{
    CancellationToken, ExplainError, Model, Rows, Scorer as _,
    effects::{self, Grid, Order},
    shap::Progress,
    summary::{Curves, Digest, Effect, MOST_LINES, Method, Settings, Without},
};
use ephor_store::jobs::JobFailure;

use super::{
    faults::MOST_EFFECTS,
    shap::Way,
    spec::EffectKind,
    work::{Found, Work, batch},
};

/// Rows that are drawn, values at which a feature is looked at, and features, where nothing is said.
const ROWS: usize = 2_000;
const POINTS: usize = 30;
const FEATURES: usize = 6;

/// Values and effects over rows drawn by chance.
pub(super) async fn explain(work: &Work) -> Result<Found, JobFailure> {
    let spec = &work.spec;
    let way = Way::choose(work).await?;
    let rows = work.sample(spec.rows.unwrap_or(ROWS)).await?.rows;
    let mut summary = work.summary(Method::Global, way.unit());
    summary.background = way.background();
    let settings = Settings { rows: Vec::new(), seed: spec.seed, ..Settings::default() };
    let digest = Digest::new(summary, &settings);
    let named = spec.features.as_ref().map(|names| work.places(names));
    let (model, output) = (Arc::clone(&work.model), work.output());
    let asked = Asked {
        output,
        effect: spec.effect,
        points: spec.points.unwrap_or(POINTS),
        categorical: work.places(&spec.categorical),
    };
    let (tell, cancel) = (work.progress(0, Some(100)), work.cancel.clone());
    let summary = Work::blocking(move || {
        let mut summary = way.digest(digest, &rows, &cancel)?;
        let ranked =
            || summary.ranked().into_iter().map(|(place, _)| place).take(FEATURES).collect();
        let mut features: Vec<usize> = named.unwrap_or_else(ranked);
        features.truncate(MOST_EFFECTS);
        for (done, feature) in features.iter().copied().enumerate() {
            tell.rows(50 + 50 * done / features.len().max(1), 100);
            match asked.curves(&model, &rows, feature, &cancel) {
                Ok(curves) => summary.curves.push(curves),
                // A feature without any value, or with more categories than can be put into an order, has no effect, and others
                // have: what is not there is told.
                Err(ExplainError::Asked(reasons)) => {
                    summary.without_effect.push(Without::of(feature, &reasons));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(summary)
    })
    .await?;
    let stored = work.store(values(&summary.curves, work.model.features())).await?;
    Ok((summary, stored))
}

/// Which effects are asked for.
struct Asked {
    output: usize,
    effect: EffectKind,
    points: usize,
    categorical: Vec<usize>,
}

impl Asked {
    /// The effect of a feature.
    fn curves(
        &self,
        model: &Model,
        rows: &Rows,
        feature: usize,
        cancel: &CancellationToken,
    ) -> Result<Curves, ExplainError> {
        let Self { output, points, .. } = *self;
        let is_category = self.categorical.contains(&feature);
        match self.effect {
            EffectKind::Partial => {
                let grid = if is_category { Grid::Distinct } else { Grid::Quantiles { points } };
                effects::partial(model, rows, feature, output, &grid, MOST_LINES, &(), cancel)
                    .map(|found| Curves::partial(feature, is_category, false, &found))
            }
            EffectKind::Accumulated if is_category => {
                let kinds = (0..rows.width()).map(|other| self.categorical.contains(&other));
                let order = Order::Similarity(kinds.collect());
                effects::accumulated_categories(model, rows, feature, output, &order, &(), cancel)
                    .map(|found| Curves::accumulated(feature, true, &found))
            }
            EffectKind::Accumulated => {
                effects::accumulated(model, rows, feature, output, points, &(), cancel)
                    .map(|found| Curves::accumulated(feature, false, &found))
            }
        }
    }
}

/// A line for each point of each curve; those of single rows have the row's number.
fn values(
    curves: &[Curves],
    names: &[String],
) -> Result<datafusion::arrow::array::RecordBatch, datafusion::arrow::error::ArrowError> {
    type Point<'a> = (&'a str, &'static str, Option<i64>, f64, f64);
    let mut points: Vec<Point<'_>> = Vec::new();
    for curve in curves {
        let name = names.get(curve.feature).map_or("", String::as_str);
        let effect = match curve.effect {
            Effect::Partial | Effect::Individual => "partial",
            Effect::Accumulated => "accumulated",
        };
        let mut add = |line: Option<i64>, values: &[f64]| {
            let each = curve.grid.iter().zip(values);
            points.extend(each.map(|(value, found)| (name, effect, line, *value, *found)));
        };
        add(None, &curve.mean);
        for (number, line) in curve.lines.iter().enumerate() {
            add(i64::try_from(number).ok(), line);
        }
    }
    batch([
        ("feature", Arc::new(StringArray::from_iter_values(points.iter().map(|one| one.0)))),
        ("effect", Arc::new(StringArray::from_iter_values(points.iter().map(|one| one.1)))),
        ("line", Arc::new(points.iter().map(|one| one.2).collect::<Int64Array>())),
        ("value", Arc::new(Float64Array::from_iter_values(points.iter().map(|one| one.3)))),
        ("prediction", Arc::new(Float64Array::from_iter_values(points.iter().map(|one| one.4)))),
    ])
}
