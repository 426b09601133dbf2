//! Explanations as text.

use std::{
    cell::RefCell,
    fmt::Write as _,
    io::{self, Write},
    sync::Arc,
};

use comfy_table::CellAlignment;
use ephor_explain::{Link, Model, Scorer as _};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap as _, SerializeSeq as _},
};
use serde_json::{Value, json};

use super::parts::{Asked, Part, Parts};
use crate::cli::printed::{plain, safe};

/// What a column of values is called: a feature, or two.
fn names(asked: &Asked) -> Vec<String> {
    let features = asked.model.features();
    if !asked.pairs {
        return features.to_vec();
    }
    let pairs = features.iter().flat_map(|one| features.iter().map(move |two| (one, two)));
    pairs.map(|(one, two)| format!("{one} x {two}")).collect()
}

/// What is known of a column of values once all rows have gone by.
#[derive(Clone, Copy)]
struct Total {
    /// The sum of the values' sizes.
    size: f64,
    least: f64,
    greatest: f64,
}

impl Total {
    const NONE: Self = Self { size: 0.0, least: f64::INFINITY, greatest: f64::NEG_INFINITY };

    fn add(&mut self, value: f64) {
        self.size += value.abs();
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }
}

/// How much each feature matters: the mean of its values' sizes over all rows, the greatest first.
pub(super) fn table(parts: &mut Parts, source: &str) -> anyhow::Result<String> {
    let asked = Arc::clone(parts.asked());
    let (model, names) = (&*asked.model, names(&asked));
    let mut totals = vec![vec![Total::NONE; names.len()]; model.outputs()];
    let (mut rows, mut base) = (0, Vec::new());
    while let Some(part) = parts.next()? {
        for row in 0..part.rows.len() {
            for (output, totals) in totals.iter_mut().enumerate() {
                for (total, value) in totals.iter_mut().zip(part.values.row(row, output)) {
                    total.add(*value);
                }
            }
        }
        rows += part.rows.len();
        base = part.values.base;
    }
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {} rows, {}, {} features; {}",
        safe(source),
        rows,
        match model {
            Model::Forest(forest) => format!("{} trees", forest.trees.len()),
            Model::Linear(_) => "a linear model".to_owned(),
            Model::Graph(_) => "a graph".to_owned(),
        },
        model.features().len(),
        if asked.probability { "values in probability" } else { unit(model.link()) }
    );
    for (output, (totals, base)) in totals.iter().zip(&base).enumerate() {
        let _ = writeln!(out);
        if model.outputs() > 1 {
            let _ = write!(out, "Output {output}. ");
        }
        let _ = writeln!(out, "Base {base:.6}");
        let mut lines: Vec<(f64, &Total, &String)> = totals
            .iter()
            .zip(&names)
            .map(|(total, name)| (total.size / rows.max(1) as f64, total, name))
            .collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.cmp(b.2)));
        let mut table = plain();
        table.set_header(["feature", "mean |value|", "least", "greatest"]);
        if rows > 0 {
            for (size, total, name) in lines {
                let numbers =
                    [size, total.least, total.greatest].map(|number| format!("{number:.6}"));
                table.add_row(std::iter::once(safe(name)).chain(numbers));
            }
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let _ = writeln!(out, "{table}");
    }
    Ok(out)
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

/// One document, written row by row as the values come.
///
/// # Errors
/// When a piece cannot be had or written: what is written by then is no whole document.
pub(super) fn json(parts: &mut Parts, out: &mut dyn Write) -> anyhow::Result<()> {
    let asked = Arc::clone(parts.asked());
    let first = parts.next()?;
    let base = first.as_ref().map(|part| part.values.base.clone()).unwrap_or_default();
    let coming = RefCell::new(Coming { first, parts, fault: None });
    let document = Everything { asked: &asked, base, coming };
    let written = serde_json::to_writer_pretty(&mut *out, &document);
    if let Some(fault) = document.coming.into_inner().fault {
        return Err(fault);
    }
    written.map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// A line for each row and output, as the values come.
///
/// # Errors
/// As of [`json()`].
pub(super) fn csv(parts: &mut Parts, out: &mut dyn Write) -> anyhow::Result<()> {
    let asked = Arc::clone(parts.asked());
    let mut is_begun = false;
    while let Some(part) = parts.next()? {
        // What is refused at the first row has written nothing.
        if !is_begun {
            write!(out, "row,output,base,margin,prediction")?;
            for name in names(&asked) {
                write!(out, ",{}", quoted(&name))?;
            }
            writeln!(out)?;
            is_begun = true;
        }
        let predictions = asked.model.predict(&part.rows)?;
        for ((index, row), prediction) in part.rows.iter().enumerate().zip(&predictions) {
            let number = part.first + index;
            for (output, margin) in asked.model.margin(row).into_iter().enumerate() {
                let (base, prediction) = (part.values.base[output], prediction[output]);
                write!(out, "{number},{output},{base},{margin},{prediction}")?;
                for value in part.values.row(index, output) {
                    write!(out, ",{value}")?;
                }
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

/// The document, whose rows are not there yet.
struct Everything<'a> {
    asked: &'a Asked,
    base: Vec<f64>,
    coming: RefCell<Coming<'a>>,
}

/// The pieces that a document's rows come from.
struct Coming<'a> {
    /// The first, from which the base is known.
    first: Option<Part>,
    parts: &'a mut Parts,
    /// Why they ended before their end.
    fault: Option<anyhow::Error>,
}

impl Coming<'_> {
    fn next(&mut self) -> anyhow::Result<Option<(Part, Vec<Vec<f64>>)>> {
        let part = match self.first.take() {
            Some(first) => Some(first),
            None => self.parts.next()?,
        };
        let Some(part) = part else { return Ok(None) };
        let predictions = self.parts.asked().model.predict(&part.rows)?;
        Ok(Some((part, predictions)))
    }
}

impl Serialize for Everything<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Asked { format, model, pairs, probability, .. } = self.asked;
        let document = json!({
            "model": { "format": format, "trees": model.trees(), "link": model.link() },
            "method": if *pairs { "shap_interactions" } else { "shap" },
            "space": if *probability { "probability" } else { "margin" },
            "features": names(self.asked),
            "base": self.base,
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
struct Lines<'a, 'b>(&'a Everything<'b>);

impl Serialize for Lines<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(all) = self;
        let mut coming = all.coming.borrow_mut();
        let mut lines = serializer.serialize_seq(None)?;
        loop {
            match coming.next() {
                Ok(Some((part, predictions))) => {
                    for (index, prediction) in predictions.iter().enumerate() {
                        lines.serialize_element(&line(all.asked, &part, index, prediction))?;
                    }
                }
                Ok(None) => return lines.end(),
                // The document stays open: nobody takes it for whole.
                Err(fault) => {
                    let told = S::Error::custom(&fault);
                    coming.fault = Some(fault);
                    return Err(told);
                }
            }
        }
    }
}

/// A row with its values.
fn line(asked: &Asked, part: &Part, index: usize, prediction: &[f64]) -> Value {
    let outputs: Vec<_> =
        (0..asked.model.outputs()).map(|output| part.values.row(index, output)).collect();
    json!({
        "margin": asked.model.margin(part.rows.row(index)), "prediction": prediction,
        "values": outputs,
    })
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

    use super::{super::parts::tests::parts, *};

    /// Of two classes; a name needs quotes.
    const MODEL: &str = r#"{"kind":"DecisionTreeClassifier","features":["a,b","=c"],"trees":[{
        "children_left":[1,-1,-1],"children_right":[2,-1,-1],"feature":[0,-2,-2],"threshold":[0.5,-2.0,-2.0],
        "value":[[0.5,0.5],[0.75,0.25],[0.25,0.75]],"n_node_samples":[8,4,4]}]}"#;

    fn asked(pairs: bool) -> Arc<Asked> {
        let (format, model) = ephor_explain::read(MODEL.as_bytes()).unwrap();
        let model = Arc::new(model);
        Arc::new(Asked { format, model, background: None, pairs, probability: false })
    }

    fn written(write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> String {
        let mut out = Vec::<u8>::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_piece_by_piece_make_the_same_document_as_all_at_once() {
        for rows in [vec![], vec![0.0, 1.0], vec![0.0, 1.0, 1.0, f64::NAN, 0.25, -3.0]] {
            for pairs in [false, true] {
                let asked = asked(pairs);
                let text = written(|out| json(&mut parts(&asked, &rows, 64), out));
                for size in [1, 2] {
                    assert_eq!(written(|out| json(&mut parts(&asked, &rows, size), out)), text);
                }
                let mut whole: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(text, serde_json::to_string_pretty(&whole).unwrap() + "\n");
                let Model::Forest(forest) = &*asked.model else { panic!("it is a forest") };
                let (all, cancel) = (Rows::new(rows.clone(), 2), CancellationToken::new());
                let values = if pairs {
                    shap::interactions(forest, &all, &(), &cancel).unwrap()
                } else {
                    shap::path_dependent(forest, &all, &(), &cancel).unwrap()
                };
                let predictions = asked.model.predict(&all).unwrap();
                let part = Part { first: 0, rows: all, values };
                let lines: Vec<Value> = (0..part.rows.len())
                    .map(|at| line(&asked, &part, at, &predictions[at]))
                    .collect();
                assert_eq!(whole["rows"].take(), serde_json::json!(lines));
                assert_eq!(whole["features"], serde_json::json!(names(&asked)));
                assert_eq!(whole["base"], serde_json::json!([0.5, 0.5]));
            }
        }
    }

    #[test]
    fn each_row_and_output_has_a_line() {
        let (asked, rows) = (asked(false), [0.0, 1.0, 1.0, f64::NAN]);
        for size in [1, 2] {
            assert_eq!(
                written(|out| csv(&mut parts(&asked, &rows, size), out)),
                "row,output,base,margin,prediction,\"a,b\",'=c\n\
                 0,0,0.5,0.75,0.75,0.25,0\n\
                 0,1,0.5,0.25,0.25,-0.25,0\n\
                 1,0,0.5,0.25,0.25,-0.25,0\n\
                 1,1,0.5,0.75,0.75,0.25,0\n"
            );
        }
    }

    #[test]
    fn the_table_does_not_depend_on_pieces() {
        let (asked, rows) = (asked(false), [0.0, 1.0, 1.0, f64::NAN, 0.25, -3.0]);
        let whole = table(&mut parts(&asked, &rows, 64), "x.csv").unwrap();
        assert!(whole.starts_with("x.csv: 3 rows, 2 trees, 2 features"), "{whole}");
        assert_eq!(table(&mut parts(&asked, &rows, 1), "x.csv").unwrap(), whole);
        let none = table(&mut parts(&asked, &[], 1), "x.csv").unwrap();
        assert!(none.contains("0 rows") && none.contains("Base 0.500000"), "{none}");
    }
}
