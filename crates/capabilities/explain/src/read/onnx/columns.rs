//! Many inputs as one: pipelines often take each column of a table by itself, and rows of features are asked.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    around::{MOST_FEATURES, kind},
    proto::{
        Attribute, DOUBLE, FLOAT, Graph, INT64, Kind, Node, OF_WHOLE, Shape, Size, Tensor,
        TensorKind, ValueInfo,
    },
};
use crate::Malformed;

/// More inputs than this have other models than those of rows of features.
const MOST_INPUTS: usize = 512;
/// Each of its columns is named after an input.
const LONGEST_NAME: usize = 256;

/// Puts one input in the place of these, in their order, from which each gets its columns under its old name. Gives the names of
/// the features: those of the inputs, with a number where one has several columns.
pub(super) fn together(
    graph: &mut Graph,
    places: &HashSet<usize>,
) -> Result<Vec<String>, Malformed> {
    let places: BTreeSet<usize> = places.iter().copied().collect();
    if places.len() > MOST_INPUTS {
        let message =
            format!("it takes {} inputs; at most {MOST_INPUTS} are put together.", places.len());
        return Err(Malformed::new("the graph", message).hint(
            "Write the model so that one input of the shape [rows, features] holds all features.",
        ));
    }
    let (mut inputs, mut others) = (Vec::new(), Vec::new());
    for (place, input) in std::mem::take(&mut graph.inputs).into_iter().enumerate() {
        if places.contains(&place) { inputs.push(input) } else { others.push(input) }
    }
    let columns: Vec<Columns> = inputs.iter().map(Columns::read).collect::<Result<_, _>>()?;
    let width: usize = columns.iter().map(|one| one.width).sum();
    let rows = columns.first().map_or(0, |one| one.rows);
    if columns.iter().any(|one| one.rows != rows) || width > MOST_FEATURES {
        let message = "its inputs are not those of the same rows, or of too many features";
        return Err(Malformed::new("the graph", message));
    }
    // What is wider holds both.
    let double = columns.iter().any(|one| one.element == DOUBLE);
    let element = if double { DOUBLE } else { FLOAT };
    let all = format!("{}/all", inputs.first().map_or("", |one| one.name.as_str()));
    let (mut nodes, mut names, mut start) = (Vec::new(), Vec::new(), 0_usize);
    for (input, one) in inputs.iter().zip(&columns) {
        let end = start + one.width;
        let chosen = format!("{}/columns", input.name);
        graph.constants.push(Tensor {
            sizes: vec![one.width as i64],
            kind: INT64,
            longs: (start..end).map(|column| column as i64).collect(),
            name: chosen.clone(),
            ..Tensor::default()
        });
        let same = one.element == element;
        let taken = if same { input.name.clone() } else { format!("{}/taken", input.name) };
        nodes.push(node("Gather", vec![all.clone(), chosen], taken.clone(), ("axis", 1)));
        if !same {
            let to = ("to", i64::from(one.element));
            nodes.push(node("Cast", vec![taken], input.name.clone(), to));
        }
        match one.width {
            1 => names.push(input.name.clone()),
            many => names.extend((0..many).map(|column| format!("{}_{column}", input.name))),
        }
        start = end;
    }
    apart(&names)?;
    nodes.append(&mut graph.nodes);
    graph.nodes = nodes;
    let sizes = vec![Size { value: rows }, Size { value: width as i64 }];
    let tensor = Some(TensorKind { element, shape: Some(Shape { sizes }) });
    others.push(ValueInfo { name: all, kind: Some(Kind { tensor }) });
    graph.inputs = others;
    Ok(names)
}

/// Has each feature a name of its own? An input of two columns may name one of them as another input is named.
fn apart(names: &[String]) -> Result<(), Malformed> {
    let mut places = HashMap::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        if let Some(other) = places.insert(name.as_str(), place) {
            let message = format!("its features {other} and {place} are both named `{name}`");
            return Err(Malformed::new("the graph", message));
        }
    }
    Ok(())
}

/// What an input takes.
struct Columns {
    element: i32,
    /// 0 where it takes any number.
    rows: i64,
    width: usize,
}

impl Columns {
    fn read(input: &ValueInfo) -> Result<Self, Malformed> {
        if input.name.len() > LONGEST_NAME {
            let message = format!(
                "it has an input with a name of {} bytes; where there are many, at most {LONGEST_NAME} are read",
                input.name.len()
            );
            return Err(Malformed::new("the graph", message));
        }
        let fault = |message: &str| Malformed::new(format!("the input `{}`", input.name), message);
        let (element, _) = kind(input);
        if ![FLOAT, DOUBLE].contains(&element) {
            return Err(fault("it is one of many, and takes no numbers of 32 or 64 bits"));
        }
        let shape = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref()?.shape.as_ref());
        let sizes: Vec<i64> =
            shape.iter().flat_map(|shape| &shape.sizes).map(|size| size.value).collect();
        match sizes[..] {
            [rows, width] if (1..=MOST_FEATURES as i64).contains(&width) => {
                Ok(Self { element, rows, width: width as usize })
            }
            _ => Err(fault("it is one of many, and its shape is not [rows, columns]")),
        }
    }
}

fn node(kind: &str, inputs: Vec<String>, output: String, (name, whole): (&str, i64)) -> Node {
    let attribute =
        Attribute { name: name.to_owned(), whole, kind: OF_WHOLE, ..Attribute::default() };
    Node {
        inputs,
        outputs: vec![output],
        kind: kind.to_owned(),
        attributes: vec![attribute],
        domain: String::new(),
    }
}
