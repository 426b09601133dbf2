//! `--method lime`

use ephor_explain::{
    Scorer as _,
    lime::{Discretizer, Lime, Settings, Told as Stands},
    summary::Near,
};
use serde_json::json;

use super::{Told, Work, options::DiscretizerArg, refused, told::Table, told::number};

pub(super) fn told(work: &Work) -> anyhow::Result<Told> {
    let Work { model, columns, options, .. } = work;
    let usual = Settings::default();
    let settings = Settings {
        discretizer: match options.discretizer {
            Some(DiscretizerArg::Deciles) => Discretizer::Deciles,
            Some(DiscretizerArg::None) => Discretizer::None,
            Some(DiscretizerArg::Quartiles) | None => Discretizer::Quartiles,
        },
        categorical: work.features(&options.categorical)?,
        samples: options.samples.unwrap_or(usual.samples),
        features: options.top.unwrap_or(usual.features),
        width: options.kernel_width,
        repeats: options.repeats.unwrap_or(5),
        seed: options.seed.unwrap_or(0),
        ..usual
    };
    let lime = Lime::new(&work.background, settings.clone()).map_err(refused)?;
    let output = work.output();
    let found = lime
        .explain(model, &columns.rows, output, &work.progress, &work.cancel)
        .map_err(refused)?;
    let (mut tables, mut lines, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (row, local) in found.iter().enumerate() {
        let r2 = local.r2.map_or_else(|| "undefined".to_owned(), number);
        let mut table = Vec::new();
        let mut coefficients = Vec::new();
        for (feature, coefficient, error) in &local.coefficients {
            let name = work.name(*feature);
            let stands = stands(&name, lime.told(*feature, columns.rows.row(row)[*feature]));
            let error_text = error.map(number).unwrap_or_default();
            table.push(vec![stands.clone(), number(*coefficient), error_text]);
            lines.push(vec![
                row.to_string(),
                name.clone(),
                stands.clone(),
                coefficient.to_string(),
                error.map(|error| error.to_string()).unwrap_or_default(),
            ]);
            coefficients.push(json!({
                "feature": name, "stands_for": stands, "coefficient": coefficient,
                "standard_error": error,
            }));
        }
        tables.push(Table {
            heading: format!(
                "Row {row}: predicted {}, near it {} (R² {r2}); intercept {}",
                number(local.predicted),
                number(local.local),
                number(local.intercept)
            ),
            heads: vec!["where", "coefficient", "± standard error"],
            lines: table,
        });
        rows.push(json!({
            "prediction": local.predicted, "local_prediction": local.local, "r2": local.r2,
            "intercept": local.intercept, "coefficients": coefficients,
        }));
    }
    Ok(Told {
        title: format!("LIME of {} rows, output {output}", columns.rows.len()),
        facts: vec![format!(
            "A linear model of {} made-up rows near each, {} times; ranges and shares from {} background rows.",
            settings.samples,
            settings.repeats,
            work.background.len()
        )],
        tables,
        summary: work.of_near(Near::of(&lime, &columns.rows, &found)),
        json: json!({
            "method": "lime", "output": output, "features": model.features(),
            "samples": settings.samples, "repeats": settings.repeats, "seed": settings.seed,
            "rows": rows,
        }),
        heads: ["row", "feature", "stands_for", "coefficient", "standard_error"]
            .map(ToOwned::to_owned)
            .to_vec(),
        lines,
    })
}

fn stands(name: &str, stands: Stands) -> String {
    match stands {
        Stands::Range { above: None, at_most: Some(most) } => format!("{name} <= {}", number(most)),
        Stands::Range { above: Some(least), at_most: None } => {
            format!("{name} > {}", number(least))
        }
        Stands::Range { above: Some(least), at_most: Some(most) } => {
            format!("{} < {name} <= {}", number(least), number(most))
        }
        Stands::Category(value) => format!("{name} = {}", number(value)),
        Stands::Range { .. } | Stands::Number => name.to_owned(),
    }
}
