//! Explanations as text.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use ephor_explain::{Link, Model, Scorer as _};
use serde_json::{Value, json};

use super::Explained;
use crate::cli::printed::{plain, safe};

/// What a column of values is called: a feature, or two.
fn names(explained: &Explained) -> Vec<String> {
    let features = explained.model.features();
    if !explained.pairs {
        return features.to_vec();
    }
    let pairs = features.iter().flat_map(|one| features.iter().map(move |two| (one, two)));
    pairs.map(|(one, two)| format!("{one} x {two}")).collect()
}

/// How much each feature matters: the mean of its values' sizes over all rows, the greatest first.
pub(super) fn table(explained: &Explained, source: &str) -> String {
    let Explained { model, rows, values, .. } = explained;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {} rows, {}, {} features; {}",
        safe(source),
        rows.len(),
        match model {
            Model::Forest(forest) => format!("{} trees", forest.trees.len()),
            Model::Linear(_) => "a linear model".to_owned(),
            Model::Graph(_) => "a graph".to_owned(),
        },
        model.features().len(),
        if explained.probability { "values in probability" } else { unit(model.link()) }
    );
    let names = names(explained);
    for output in 0..model.outputs() {
        let _ = writeln!(out);
        if model.outputs() > 1 {
            let _ = write!(out, "Output {output}. ");
        }
        let _ = writeln!(out, "Base {:.6}", values.base[output]);
        let mut lines: Vec<(f64, f64, f64, &String)> = names
            .iter()
            .enumerate()
            .map(|(place, name)| {
                let of = (0..rows.len()).map(|row| values.row(row, output)[place]);
                let size = of.clone().map(f64::abs).sum::<f64>() / rows.len().max(1) as f64;
                let least = of.clone().fold(f64::INFINITY, f64::min);
                (size, least, of.fold(f64::NEG_INFINITY, f64::max), name)
            })
            .collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.3.cmp(b.3)));
        let mut table = plain();
        table.set_header(["feature", "mean |value|", "least", "greatest"]);
        if !rows.is_empty() {
            for (size, least, greatest, name) in lines {
                let numbers = [size, least, greatest].map(|number| format!("{number:.6}"));
                table.add_row(std::iter::once(safe(name)).chain(numbers));
            }
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let _ = writeln!(out, "{table}");
    }
    out
}

const fn unit(link: Link) -> &'static str {
    match link {
        Link::Identity => "values in the unit of the prediction",
        Link::Logistic { .. } => "values in log-odds",
        Link::Exponential => "values in logarithms of the prediction",
        Link::Softmax => "values in sums before softmax",
        Link::Sign => "values in the sum whose sign decides",
    }
}

/// Everything.
pub(super) fn json(explained: &Explained) -> anyhow::Result<String> {
    let Explained { format, model, rows, values, pairs, probability, .. } = explained;
    let predictions = model.predict(rows)?;
    let lines: Vec<Value> = rows
        .iter()
        .zip(predictions)
        .enumerate()
        .map(|(index, (row, prediction))| {
            let outputs: Vec<_> =
                (0..model.outputs()).map(|output| values.row(index, output)).collect();
            json!({ "margin": model.margin(row), "prediction": prediction, "values": outputs })
        })
        .collect();
    let document = json!({
        "model": { "format": format, "trees": model.trees(), "link": model.link() },
        "method": if *pairs { "shap_interactions" } else { "shap" },
        "space": if *probability { "probability" } else { "margin" },
        "features": names(explained),
        "base": values.base,
        "rows": lines,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// A line for each row and output.
pub(super) fn csv(explained: &Explained) -> anyhow::Result<String> {
    let Explained { model, rows, values, .. } = explained;
    let mut out = String::from("row,output,base,margin,prediction");
    for name in names(explained) {
        out.push(',');
        out.push_str(&quoted(&name));
    }
    out.push('\n');
    for ((index, row), prediction) in rows.iter().enumerate().zip(model.predict(rows)?) {
        for (output, margin) in model.margin(row).into_iter().enumerate() {
            let (base, prediction) = (values.base[output], prediction[output]);
            let _ = write!(out, "{index},{output},{base},{margin},{prediction}");
            for value in values.row(index, output) {
                let _ = write!(out, ",{value}");
            }
            out.push('\n');
        }
    }
    Ok(out)
}

/// A name in quotes where it needs them; a spreadsheet takes none for a formula.
pub(super) fn quoted(name: &str) -> String {
    let formula = name.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let name = if formula { format!("'{name}") } else { name.to_owned() };
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name
    }
}
