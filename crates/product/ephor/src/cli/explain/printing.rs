//! Explanations as text.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use comfy_table::CellAlignment;
use ephor_explain::{Link, Model, Scorer as _};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
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

/// Every row's values, written row by row: as a whole, their text takes much more memory than they do.
pub(super) struct Everything<'a> {
    explained: &'a Explained,
    predictions: Vec<Vec<f64>>,
}

impl<'a> Everything<'a> {
    pub(super) fn of(explained: &'a Explained) -> anyhow::Result<Self> {
        Ok(Self { explained, predictions: explained.model.predict(&explained.rows)? })
    }

    /// One document.
    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// A line for each row and output.
    pub(super) fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let Explained { model, rows, values, .. } = self.explained;
        write!(out, "row,output,base,margin,prediction")?;
        for name in names(self.explained) {
            write!(out, ",{}", quoted(&name))?;
        }
        writeln!(out)?;
        for ((index, row), prediction) in rows.iter().enumerate().zip(&self.predictions) {
            for (output, margin) in model.margin(row).into_iter().enumerate() {
                let (base, prediction) = (values.base[output], prediction[output]);
                write!(out, "{index},{output},{base},{margin},{prediction}")?;
                for value in values.row(index, output) {
                    write!(out, ",{value}")?;
                }
                writeln!(out)?;
            }
        }
        Ok(())
    }

    fn row(&self, index: usize) -> Value {
        let Explained { model, rows, values, .. } = self.explained;
        let outputs: Vec<_> =
            (0..model.outputs()).map(|output| values.row(index, output)).collect();
        json!({
            "margin": model.margin(rows.row(index)), "prediction": self.predictions[index],
            "values": outputs,
        })
    }
}

impl Serialize for Everything<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Explained { format, model, values, pairs, probability, .. } = self.explained;
        let document = json!({
            "model": { "format": format, "trees": model.trees(), "link": model.link() },
            "method": if *pairs { "shap_interactions" } else { "shap" },
            "space": if *probability { "probability" } else { "margin" },
            "features": names(self.explained),
            "base": values.base,
            "rows": null,
        });
        // In the document's own order, the rows in their place.
        let parts = document.as_object().into_iter().flatten();
        let mut map = serializer.serialize_map(None)?;
        for (name, part) in parts {
            if name == "rows" {
                map.serialize_entry(name, &Lines(self))?;
            } else {
                map.serialize_entry(name, part)?;
            }
        }
        map.end()
    }
}

/// The rows, of which one at a time is there as JSON.
struct Lines<'a>(&'a Everything<'a>);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(all) = self;
        serializer.collect_seq((0..all.explained.rows.len()).map(|index| all.row(index)))
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_explain::{CancellationToken, Rows, shap};

    use super::*;

    /// Of two classes; a name needs quotes.
    const MODEL: &str = r#"{"kind":"DecisionTreeClassifier","features":["a,b","=c"],"trees":[{
        "children_left":[1,-1,-1],"children_right":[2,-1,-1],"feature":[0,-2,-2],"threshold":[0.5,-2.0,-2.0],
        "value":[[0.5,0.5],[0.75,0.25],[0.25,0.75]],"n_node_samples":[8,4,4]}]}"#;

    fn explained(rows: Vec<f64>, pairs: bool) -> Explained {
        let (format, model) = ephor_explain::read(MODEL.as_bytes()).unwrap();
        let Model::Forest(forest) = &model else { panic!("it is a forest") };
        let (rows, cancel) = (Rows::new(rows, 2), CancellationToken::new());
        let values = if pairs {
            shap::interactions(forest, &rows, &(), &cancel).unwrap()
        } else {
            shap::path_dependent(forest, &rows, &(), &cancel).unwrap()
        };
        Explained { format, model, rows, values, pairs, probability: false, background: None }
    }

    fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::<u8>::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_one_by_one_make_the_same_document_as_all_at_once() {
        for rows in [vec![], vec![0.0, 1.0], vec![0.0, 1.0, 1.0, f64::NAN, 0.25, -3.0]] {
            for pairs in [false, true] {
                let explained = explained(rows.clone(), pairs);
                let all = Everything::of(&explained).unwrap();
                let text = written(|out| all.json(out));
                let mut whole: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(text, serde_json::to_string_pretty(&whole).unwrap() + "\n");
                let lines: Vec<Value> = (0..explained.rows.len()).map(|at| all.row(at)).collect();
                assert_eq!(whole["rows"].take(), json!(lines));
                assert_eq!(whole["features"], json!(names(&explained)));
                assert_eq!(whole["base"], json!([0.5, 0.5]));
            }
        }
    }

    #[test]
    fn each_row_and_output_has_a_line() {
        let explained = explained(vec![0.0, 1.0, 1.0, f64::NAN], false);
        let all = Everything::of(&explained).unwrap();
        assert_eq!(
            written(|out| all.csv(out)),
            "row,output,base,margin,prediction,\"a,b\",'=c\n\
             0,0,0.5,0.75,0.75,0.25,0\n\
             0,1,0.5,0.25,0.25,-0.25,0\n\
             1,0,0.5,0.25,0.25,-0.25,0\n\
             1,1,0.5,0.75,0.75,0.25,0\n"
        );
    }
}
