//! `--method pdp`, `ice` and `ale`

use ephor_explain::{
    Scorer as _,
    effects::{self, Accumulated, Grid, Order, Partial},
    summary::{Curves, Surface},
};
use serde_json::json;

use super::{Told, Work, options::GridArg, refused, told::Table, told::number};
use crate::exit::UsageError;

/// At how many values a feature is looked at, and in how many ranges.
const POINTS: usize = 20;
const BINS: usize = 40;

pub(super) fn dependence(work: &Work, every_row: bool) -> anyhow::Result<Told> {
    let features = work.features(&work.options.feature)?;
    let categorical = work.features(&work.options.categorical)?;
    let points = work.options.points.unwrap_or(POINTS);
    let grid = match work.options.grid {
        Some(GridArg::Even) => Grid::even(points),
        Some(GridArg::Distinct) => Grid::Distinct,
        None if features.iter().all(|feature| categorical.contains(feature)) => Grid::Distinct,
        Some(GridArg::Quantiles) | None => Grid::Quantiles { points },
    };
    if let [first, second] = features[..] {
        if first == second {
            return Err(UsageError("--feature names one feature twice".to_owned()).into());
        }
        return pair(work, [first, second], &grid);
    }
    let Some(feature) = features.first().copied() else {
        return Err(UsageError("--feature is missing".to_owned()).into());
    };
    let rows = &work.columns.rows;
    let curves = if every_row { rows.len() } else { 0 };
    let found = effects::partial(
        &work.model,
        rows,
        feature,
        work.output(),
        &grid,
        curves,
        &work.progress,
        &work.cancel,
    )
    .map_err(refused)?;
    let found = if work.options.centred { found.centred() } else { found };
    let curves =
        Curves::partial(feature, categorical.contains(&feature), work.options.centred, &found);
    Ok(one(work, feature, &found, every_row, curves))
}

fn one(work: &Work, feature: usize, found: &Partial, every_row: bool, curves: Curves) -> Told {
    let name = work.name(feature);
    let count = work.columns.rows.len();
    let spread = |place: usize| -> Vec<String> {
        let mut at: Vec<f64> = found.curves.iter().map(|curve| curve[place]).collect();
        at.sort_by(f64::total_cmp);
        let share = |share: usize| at[(at.len() - 1) * share / 10];
        [1, 5, 9].map(|tenth| number(share(tenth))).to_vec()
    };
    let (mut lines, mut table) = (Vec::new(), Vec::new());
    for (place, value) in found.grid.iter().enumerate() {
        let mut cells = vec![number(*value), number(found.average[place])];
        if every_row {
            cells.extend(spread(place));
        } else {
            lines.push(vec![value.to_string(), found.average[place].to_string()]);
        }
        table.push(cells);
    }
    for (row, curve) in found.curves.iter().enumerate() {
        let values = found.grid.iter().zip(curve);
        lines.extend(values.map(|(value, predicted)| {
            vec![row.to_string(), value.to_string(), predicted.to_string()]
        }));
    }
    let mut heads = vec!["value", "mean prediction"];
    if every_row {
        heads.extend(["a tenth is below", "half", "nine tenths"]);
    }
    let csv: &[&str] =
        if every_row { &["row", "value", "prediction"] } else { &["value", "mean_prediction"] };
    let (method, what) = if every_row {
        ("ice", "individual conditional expectation")
    } else {
        ("pdp", "partial dependence")
    };
    Told {
        title: format!("{what} of output {} on {name}, over {count} rows", work.output()),
        facts: Vec::new(),
        tables: vec![Table { heading: String::new(), heads, lines: table }],
        summary: work.of_effect(curves),
        json: json!({
            "method": method, "output": work.output(), "feature": name, "rows": count,
            "centred": work.options.centred, "grid": found.grid, "average": found.average,
            "curves": found.curves,
        }),
        heads: csv.iter().map(|head| (*head).to_owned()).collect(),
        lines,
    }
}

fn pair(work: &Work, features: [usize; 2], grid: &Grid) -> anyhow::Result<Told> {
    let rows = &work.columns.rows;
    let found = effects::pair(
        &work.model,
        rows,
        features,
        work.output(),
        grid,
        &work.progress,
        &work.cancel,
    )
    .map_err(refused)?;
    let names = features.map(|feature| work.name(feature));
    let cells = || {
        found.grids[0].iter().zip(&found.average).flat_map(|(one, line)| {
            found.grids[1].iter().zip(line).map(move |(two, mean)| [*one, *two, *mean])
        })
    };
    Ok(Told {
        title: format!(
            "partial dependence of output {} on {} and {}, over {} rows",
            work.output(),
            names[0],
            names[1],
            rows.len()
        ),
        facts: Vec::new(),
        tables: vec![Table {
            heading: String::new(),
            heads: vec!["value of the first", "value of the second", "mean prediction"],
            lines: cells().map(|cells| cells.map(number).to_vec()).collect(),
        }],
        summary: work.of_surface(Surface::of(features, &found)),
        json: json!({
            "method": "pdp", "output": work.output(), "features": names, "rows": rows.len(),
            "grids": found.grids, "average": found.average,
        }),
        heads: vec![names[0].clone(), names[1].clone(), "mean_prediction".to_owned()],
        lines: cells().map(|cells| cells.map(|cell| cell.to_string()).to_vec()).collect(),
    })
}

pub(super) fn accumulated(work: &Work) -> anyhow::Result<Told> {
    let Work { model, columns, options, progress, cancel, .. } = work;
    let features = work.features(&options.feature)?;
    let categorical = work.features(&options.categorical)?;
    let Some(feature) = features.first().copied() else {
        return Err(UsageError("--feature is missing".to_owned()).into());
    };
    let (rows, output) = (&columns.rows, work.output());
    let is_category = categorical.contains(&feature) || !options.order.is_empty();
    let found = if is_category {
        let kinds = (0..rows.width()).map(|other| categorical.contains(&other)).collect();
        let order = match &options.order[..] {
            [] => Order::Similarity(kinds),
            given => Order::Given(given.to_vec()),
        };
        effects::accumulated_categories(model, rows, feature, output, &order, progress, cancel)
    } else {
        let bins = options.bins.unwrap_or(BINS);
        effects::accumulated(model, rows, feature, output, bins, progress, cancel)
    }
    .map_err(refused)?;
    let Accumulated { grid, effect, rows: counts } = &found;
    let name = work.name(feature);
    // A range's rows stand at its end; of one value alone, all.
    let count = |place: usize| match place.checked_sub(usize::from(!is_category && grid.len() > 1))
    {
        Some(range) => counts[range].to_string(),
        None => String::new(),
    };
    Ok(Told {
        title: format!(
            "accumulated local effects of {name} on output {output}, over {} rows",
            rows.len()
        ),
        facts: vec![
            "What the feature adds to the prediction; the mean over all rows is 0.".to_owned(),
        ],
        tables: vec![Table {
            heading: String::new(),
            heads: vec!["value", "adds", if is_category { "rows" } else { "rows up to it" }],
            lines: grid
                .iter()
                .enumerate()
                .map(|(place, value)| vec![number(*value), number(effect[place]), count(place)])
                .collect(),
        }],
        summary: work.of_effect(Curves::accumulated(feature, is_category, &found)),
        json: json!({
            "method": "ale", "output": output, "feature": name, "categorical": is_category,
            "grid": grid, "effect": effect, "rows": counts, "features": model.features(),
        }),
        heads: ["value", "effect", "rows"].map(ToOwned::to_owned).to_vec(),
        lines: grid
            .iter()
            .enumerate()
            .map(|(place, value)| vec![value.to_string(), effect[place].to_string(), count(place)])
            .collect(),
    })
}
