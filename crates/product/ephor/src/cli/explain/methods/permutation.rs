//! `--method permutation`

use ephor_explain::{
    Scorer as _,
    permutation::{Metric, Settings, importance},
    summary::Importance,
};
use serde_json::json;

use super::{Told, Work, options::MetricArg, refused, told::Table, told::number};

pub(super) fn told(work: &Work) -> anyhow::Result<Told> {
    let Work { model, columns, options, .. } = work;
    let metric = match options.metric.unwrap_or(MetricArg::Accuracy) {
        MetricArg::Accuracy => Metric::Accuracy,
        MetricArg::LogLoss => Metric::LogLoss,
        MetricArg::RocAuc => Metric::RocAuc,
        MetricArg::R2 => Metric::R2,
        MetricArg::Mse => Metric::MeanSquaredError,
        MetricArg::Mae => Metric::MeanAbsoluteError,
    };
    let settings =
        Settings { metric, repeats: options.repeats.unwrap_or(5), seed: options.seed.unwrap_or(0) };
    let found =
        importance(model, &columns.rows, &columns.targets, &settings, &work.progress, &work.cancel)
            .map_err(refused)?;
    let mut order: Vec<usize> = (0..found.features.len()).collect();
    order.sort_by(|a, b| found.features[*b].mean.total_cmp(&found.features[*a].mean));
    let all: Vec<_> = found
        .features
        .iter()
        .enumerate()
        .map(|(feature, one)| {
            json!({
                "feature": work.name(feature), "mean": one.mean, "deviation": one.deviation,
                "repeats": one.repeats,
            })
        })
        .collect();
    let lines = found.features.iter().enumerate().flat_map(|(feature, one)| {
        let repeats = one.repeats.iter().enumerate();
        repeats.map(move |(repeat, value)| {
            vec![
                work.name(feature),
                one.mean.to_string(),
                one.deviation.to_string(),
                repeat.to_string(),
                value.to_string(),
            ]
        })
    });
    Ok(Told {
        title: format!("permutation importance over {} rows", columns.rows.len()),
        facts: vec![format!(
            "{} {} of the rows as they are; each feature shuffled {} times. What is lost without it:",
            metric_name(metric),
            number(found.baseline),
            settings.repeats
        )],
        tables: vec![Table {
            heading: String::new(),
            heads: vec!["feature", "importance", "± standard deviation"],
            lines: order
                .into_iter()
                .map(|feature| {
                    let one = &found.features[feature];
                    vec![work.name(feature), number(one.mean), number(one.deviation)]
                })
                .collect(),
        }],
        summary: work.of_losses(Importance::of(metric, &found)),
        json: json!({
            "method": "permutation", "metric": metric, "baseline": found.baseline,
            "rows": columns.rows.len(), "seed": settings.seed, "features": model.features(),
            "importances": all,
        }),
        lines: lines.collect(),
        heads: ["feature", "mean", "deviation", "repeat", "importance"]
            .map(ToOwned::to_owned)
            .to_vec(),
    })
}

const fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Accuracy => "Accuracy",
        Metric::LogLoss => "Log loss",
        Metric::RocAuc => "Area under the ROC curve",
        Metric::R2 => "R²",
        Metric::MeanSquaredError => "Mean squared error",
        Metric::MeanAbsoluteError => "Mean absolute error",
    }
}
