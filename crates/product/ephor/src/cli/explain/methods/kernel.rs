//! `--method kernel`

use ephor_explain::{
    Scorer as _,
    kernel::{Settings, explain},
};
use serde_json::json;

use super::{KERNEL_BACKGROUND, Told, Work, refused, told::Table, told::number};
use crate::exit::UsageError;

pub(super) fn told(work: &Work) -> anyhow::Result<Told> {
    let Work { model, columns, options, .. } = work;
    let (features, outputs, output) = (model.features(), model.outputs(), work.output());
    if output >= outputs {
        let message = format!("there is no output {output}: the model has {outputs}");
        return Err(UsageError(message).into());
    }
    let settings = Settings {
        samples: options.samples,
        precision: options.precision,
        seed: options.seed.unwrap_or(0),
    };
    let background = work.some_background(KERNEL_BACKGROUND);
    let found = explain(model, &columns.rows, &background, &settings, &work.progress, &work.cancel)
        .map_err(refused)?;
    let predicted = model.score_until(&columns.rows, &work.cancel).map_err(refused)?;
    let (mut tables, mut lines, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let base = found.explanation.base[output];
    for row in 0..columns.rows.len() {
        let values = found.explanation.row(row, output);
        let start = (row * outputs + output) * features.len();
        let errors = &found.errors[start..start + features.len()];
        let prediction = predicted[row * outputs + output];
        let mut order: Vec<usize> = (0..features.len()).collect();
        order.sort_by(|a, b| values[*b].abs().total_cmp(&values[*a].abs()));
        tables.push(Table {
            heading: format!(
                "Row {row}: predicted {}; {} coalitions{}",
                number(prediction),
                found.tried[row],
                if found.exact[row] { ", all there are" } else { "" }
            ),
            heads: vec!["feature", "its value", "adds", "± standard error"],
            lines: order
                .iter()
                .map(|feature| {
                    vec![
                        features[*feature].clone(),
                        number(columns.rows.row(row)[*feature]),
                        number(values[*feature]),
                        number(errors[*feature]),
                    ]
                })
                .collect(),
        });
        for (feature, name) in features.iter().enumerate() {
            lines.push(vec![
                row.to_string(),
                name.clone(),
                columns.rows.row(row)[feature].to_string(),
                values[feature].to_string(),
                errors[feature].to_string(),
            ]);
        }
        rows.push(json!({
            "prediction": prediction, "values": values, "standard_errors": errors,
            "coalitions": found.tried[row], "exact": found.exact[row],
        }));
    }
    Ok(Told {
        title: format!("kernel SHAP of {} rows, output {output}", columns.rows.len()),
        facts: vec![format!(
            "Base {}: the mean prediction of {} background rows. Base + sum of the values = prediction.",
            number(base),
            background.len()
        )],
        tables,
        summary: work.of_estimated(&found, background.len())?,
        json: json!({
            "method": "kernel", "output": output, "features": features, "base": base,
            "background_rows": background.len(), "seed": settings.seed, "rows": rows,
        }),
        heads: ["row", "feature", "feature_value", "value", "standard_error"]
            .map(ToOwned::to_owned)
            .to_vec(),
        lines,
    })
}
