//! A graph that is run as a whole: what leads from the features to the predictions, and nothing else of the file.

use std::collections::{HashMap, HashSet};

use prost::Message as _;

use super::{
    around::{MOST_AROUND, MOST_FEATURES, kind},
    branches, cells,
    columns::together,
    fields::Fields,
    operators,
    proto::{
        self, BOOL, DOUBLE, FLOAT, Graph, INT8, INT32, INT64, Kind, OF_FLOAT, OF_FLOATS, OF_TENSOR,
        OF_TEXT, OF_TEXTS, OF_WHOLE, OF_WHOLES, Operators, Shape, Size, Tensor, TensorKind, UINT8,
        ValueInfo,
    },
    rewrite::rewrite,
};
use crate::{Malformed, model};

/// More nodes than this have other models than those of rows of features.
const MOST_NODES: usize = 2_048;
/// Values that nodes take and make, all together.
const MOST_EDGES: usize = 1 << 14;
/// A file that says how many rows it takes at once takes no more.
const MOST_ROWS: usize = 1_024;
/// What is written in other operators names each part after what it stands for.
const LONGEST_NAME: usize = 1 << 10;
/// Comparisons of constants: each is held against all before it, number by number where they are of one shape.
const MOST_COMPARED: usize = 1 << 33;
/// Elements of values.
const KINDS: [i32; 7] = [FLOAT, UINT8, INT8, INT32, INT64, BOOL, DOUBLE];

pub(super) fn read(mut graph: Graph, operators: Vec<Operators>) -> Result<model::Graph, Malformed> {
    operators::versions(&operators)?;
    let hangs = branches::inline(&mut graph);
    let most = graph.inputs.len().max(graph.outputs.len()).max(graph.nodes.len());
    if most > MOST_AROUND {
        return Err(fault(format!(
            "it has {most} nodes or inputs; at most {MOST_AROUND} are read"
        )));
    }
    short(&graph)?;
    rewrite(&mut graph, operators::general(&operators).unwrap_or(0))?;
    let output = output(&graph)?;
    let mut needed = Needed::by(&graph, &output)?;
    let mut names = None;
    if needed.inputs.len() > 1 {
        names = Some(together(&mut graph, &needed.inputs)?);
        needed = Needed::by(&graph, &output)?;
    }
    compared(&graph, &needed)?;
    let Takes { name, double, features, rows } = Takes::read(&graph, &needed.inputs)?;
    let rows = match rows {
        Some(rows) if hangs && rows > 1 => {
            return Err(fault(format!(
                "it takes {rows} rows at once, and a choice of it (If) hangs on values of all of them"
            )));
        }
        None if hangs => Some(1),
        rows => rows,
    };
    let element = if double { DOUBLE } else { FLOAT };
    // A size of 0 is one that is not known yet.
    let sizes = vec![Size { value: 0 }, Size { value: features as i64 }];
    let tensor = TensorKind { element, shape: Some(Shape { sizes }) };
    let whole = proto::Model {
        ir_version: 8,
        operators,
        graph: Some(Graph {
            nodes: kept(graph.nodes, &needed.nodes),
            constants: kept(graph.constants, &needed.constants),
            inputs: vec![ValueInfo { name, kind: Some(Kind { tensor: Some(tensor) }) }],
            outputs: vec![ValueInfo { name: output, kind: None }],
        }),
    };
    let content = whole.encode_to_vec();
    drop(whole);
    let made_up = || (0..features).map(|index| format!("f{index}")).collect();
    let features = names.unwrap_or_else(made_up);
    model::Graph::load(features, &content, rows, double).map_err(|told| {
        Malformed::new("the graph", format!("it cannot be run: {told}."))
            .hint("Serve the model and ask it there (--endpoint).")
    })
}

fn fault(message: impl Into<String>) -> Malformed {
    Malformed::new("the graph", message)
}

/// Are the names of a length that may be copied?
fn short(graph: &Graph) -> Result<(), Malformed> {
    let nodes = graph.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs));
    let constants = graph.constants.iter().map(|constant| &constant.name);
    let inputs = graph.inputs.iter().map(|input| &input.name);
    match nodes.chain(constants).chain(inputs).map(String::len).max() {
        Some(length) if length > LONGEST_NAME => Err(fault(format!(
            "it holds a name of {length} bytes; at most {LONGEST_NAME} are read"
        ))),
        _ => Ok(()),
    }
}

/// Are there few enough constants of one shape?
fn compared(graph: &Graph, needed: &Needed) -> Result<(), Malformed> {
    let constants = needed.constants.iter().filter_map(|place| graph.constants.get(*place));
    let nodes = needed.nodes.iter().filter_map(|place| graph.nodes.get(*place));
    let nodes = nodes.filter(|node| node.kind == "Constant");
    let told = nodes.flat_map(|node| &node.attributes).map(|one| match &one.tensor {
        Some(tensor) => (tensor.kind, tensor.sizes.clone()),
        // A list of numbers.
        None => (0, vec![one.floats.len().max(one.wholes.len()) as i64]),
    });
    let mut counts: HashMap<(i32, Vec<i64>), usize> = HashMap::new();
    for shape in constants.map(|one| (one.kind, one.sizes.clone())).chain(told) {
        *counts.entry(shape).or_default() += 1;
    }
    let all = counts.iter().map(|((_, sizes), count)| {
        let sizes = sizes.iter().map(|size| usize::try_from(*size).unwrap_or(usize::MAX));
        sizes.fold(count.saturating_mul(*count), usize::saturating_mul)
    });
    if all.fold(0, usize::saturating_add) > MOST_COMPARED {
        return Err(fault("it has too many constants of one shape"));
    }
    Ok(())
}

/// Those of these places.
fn kept<T>(all: Vec<T>, places: &HashSet<usize>) -> Vec<T> {
    let all = all.into_iter().enumerate();
    all.filter(|(place, _)| places.contains(place)).map(|(_, one)| one).collect()
}

/// The output that is explained: probabilities before scores, and scores before other numbers; never labels.
fn output(graph: &Graph) -> Result<String, Malformed> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for output in &graph.outputs {
        let (mut name, mut zipped) = (output.name.as_str(), false);
        // The probabilities by class are those that are put together into it.
        while let Some(zip) = graph.nodes.iter().find(|node| {
            node.kind == "ZipMap" && node.outputs.first().is_some_and(|output| output == name)
        }) {
            if zipped {
                return Err(fault(format!("`{name}` is made of itself")));
            }
            let first = zip.inputs.first();
            name = first.ok_or_else(|| fault(format!("`{name}` is made of nothing")))?;
            zipped = true;
        }
        let numbers = matches!(kind(output).0, FLOAT | DOUBLE);
        if !zipped && !numbers {
            continue;
        }
        let said = output.name.to_ascii_lowercase();
        let rank = match said.as_str() {
            _ if zipped => 0,
            said if said.contains("prob") => 1,
            said if said.contains("score") || said.contains("logit") => 2,
            _ => 3,
        };
        found.push((rank, name.to_owned()));
    }
    let first = found.into_iter().min_by_key(|(rank, _)| *rank);
    first.map(|(_, name)| name).ok_or_else(|| {
        fault("it has no output of numbers (of 32 or 64 bits), which could be explained")
    })
}

/// What an output needs.
#[derive(Default)]
struct Needed {
    nodes: HashSet<usize>,
    constants: HashSet<usize>,
    inputs: HashSet<usize>,
}

/// What a name stands for.
#[derive(Clone, Copy)]
enum Made {
    Node(usize),
    Constant(usize),
    Input(usize),
}

impl Needed {
    fn by(graph: &Graph, output: &str) -> Result<Self, Malformed> {
        let made = named(graph)?;
        let mut needed = Self::default();
        let (mut waiting, mut edges) = (vec![(output, graph.nodes.len())], 0);
        while let Some((name, user)) = waiting.pop() {
            match made.get(name) {
                Some(Made::Input(place)) => {
                    needed.inputs.insert(*place);
                }
                Some(Made::Constant(place)) => {
                    if needed.constants.insert(*place) {
                        whole(&graph.constants[*place])
                            .map_err(|message| fault(format!("`{name}`: {message}")))?;
                    }
                }
                // Nodes stand in the order in which they are computed, so that there are no circles.
                Some(Made::Node(place)) if *place < user => {
                    if needed.nodes.insert(*place) {
                        let node = &graph.nodes[*place];
                        runs(Fields::new(node, *place))?;
                        edges += node.inputs.len() + node.outputs.len();
                        let inputs = node.inputs.iter().filter(|input| !input.is_empty());
                        waiting.extend(inputs.map(|input| (input.as_str(), *place)));
                    }
                }
                Some(Made::Node(_)) => {
                    return Err(fault(format!("`{name}` is used before it is computed")));
                }
                None => return Err(fault(format!("nothing makes `{name}`"))),
            }
        }
        let count = needed.nodes.len();
        if count > MOST_NODES || edges > MOST_EDGES {
            return Err(fault(format!(
                "it has {count} nodes with {edges} values; at most {MOST_NODES} with {MOST_EDGES} are run"
            )));
        }
        Ok(needed)
    }
}

/// What makes each name; each is made once.
fn named(graph: &Graph) -> Result<HashMap<&str, Made>, Malformed> {
    let constants = graph.constants.iter().enumerate();
    let constants = constants.map(|(place, one)| (one.name.as_str(), Made::Constant(place)));
    let outputs = graph.nodes.iter().enumerate().flat_map(|(place, node)| {
        let named = node.outputs.iter().filter(|output| !output.is_empty());
        named.map(move |output| (output.as_str(), Made::Node(place)))
    });
    let mut made = HashMap::new();
    for (name, one) in constants.chain(outputs) {
        if made.insert(name, one).is_some() {
            return Err(fault(format!("`{name}` is made twice")));
        }
    }
    for (place, input) in graph.inputs.iter().enumerate() {
        // Old files list their constants as inputs too.
        match made.insert(&input.name, Made::Input(place)) {
            None => {}
            Some(constant @ Made::Constant(_)) => {
                made.insert(&input.name, constant);
            }
            Some(_) => return Err(fault(format!("`{}` is made twice", input.name))),
        }
    }
    Ok(made)
}

/// Is it a node that is run, with attributes that are whole?
fn runs(node: Fields<'_>) -> Result<(), Malformed> {
    operators::known(node)?;
    cells::usual(node)?;
    if node.node.outputs.first().is_none_or(String::is_empty) {
        return Err(node.fault("its first output has no name"));
    }
    // The runner would take it for one that has learnt.
    if node.whole("training_mode", 0) != 0 {
        return Err(node.fault("it learns while it answers"));
    }
    if node.node.kind == "Cast" {
        let to = i32::try_from(node.whole("to", 0)).unwrap_or(0);
        if !KINDS.contains(&to) {
            return Err(node.fault(format!("it makes values of the kind {to}, which is not read")));
        }
    }
    for attribute in &node.node.attributes {
        let known = [OF_FLOAT, OF_WHOLE, OF_TEXT, OF_TENSOR, OF_FLOATS, OF_WHOLES, OF_TEXTS];
        if !known.contains(&attribute.kind) {
            let message = format!("`{}` is of a kind that is not read", attribute.name);
            return Err(node.fault(message));
        }
        if let Some(tensor) = &attribute.tensor {
            whole(tensor)
                .map_err(|message| node.fault(format!("`{}`: {message}", attribute.name)))?;
        }
    }
    Ok(())
}

/// Are there as many numbers as its shape says, and are they in this file?
fn whole(tensor: &Tensor) -> Result<(), String> {
    if tensor.location != 0 {
        return Err(
            "its numbers are in another file; only those of the model's own are read".to_owned()
        );
    }
    let (bytes, listed) = match tensor.kind {
        FLOAT => (4, tensor.floats.len()),
        DOUBLE => (8, tensor.doubles.len()),
        INT64 => (8, tensor.longs.len()),
        INT32 => (4, tensor.wholes.len()),
        UINT8 | INT8 | BOOL => (1, tensor.wholes.len()),
        other => return Err(format!("its numbers are of the kind {other}, which is not read")),
    };
    let sizes = tensor.sizes.iter();
    let count = sizes
        .map(|size| usize::try_from(*size).ok())
        .try_fold(1_usize, |all, size| all.checked_mul(size?));
    let found = if tensor.raw.is_empty() {
        listed
    } else if tensor.raw.len().is_multiple_of(bytes) {
        tensor.raw.len() / bytes
    } else {
        return Err("its numbers end in the middle of one".to_owned());
    };
    if tensor.sizes.len() > 8 || count != Some(found) {
        return Err(format!("its {found} numbers do not fit its shape"));
    }
    Ok(())
}

/// What the graph takes.
struct Takes {
    name: String,
    double: bool,
    features: usize,
    /// So many rows at once; any number by default.
    rows: Option<usize>,
}

impl Takes {
    fn read(graph: &Graph, needed: &HashSet<usize>) -> Result<Self, Malformed> {
        let mut inputs = needed.iter().filter_map(|place| graph.inputs.get(*place));
        let Some(input) = inputs.next() else {
            return Err(fault("its predictions do not hang on any input"));
        };
        let place = format!("the input `{}`", input.name);
        let fault = |message: &str| Malformed::new(place.clone(), message);
        let double = match kind(input).0 {
            FLOAT => false,
            DOUBLE => true,
            _ => return Err(fault("it takes no numbers of 32 or 64 bits")),
        };
        let shape = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref()?.shape.as_ref());
        let sizes = shape.map_or(&[][..], |shape| &shape.sizes);
        let [rows, features] = sizes else {
            return Err(fault("its shape is not [rows, features]"));
        };
        let features = usize::try_from(features.value).ok().filter(|count| *count > 0);
        let features = features.ok_or_else(|| fault("it does not say how many features it has"))?;
        let rows = usize::try_from(rows.value).map_err(|_| fault("it has less than no rows"))?;
        if features > MOST_FEATURES || rows > MOST_ROWS {
            let message = format!(
                "it takes {rows} rows of {features} features at once; at most {MOST_ROWS} of {MOST_FEATURES} are explained"
            );
            return Err(fault(&message));
        }
        let rows = Some(rows).filter(|rows| *rows > 0);
        Ok(Self { name: input.name.clone(), double, features, rows })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn constants_of_one_shape_are_counted() {
        let constants = |count: usize, sizes: &[i64]| {
            let one = |at: usize| Tensor {
                sizes: sizes.to_vec(),
                kind: FLOAT,
                name: format!("c{at}"),
                ..Tensor::default()
            };
            let graph = Graph { constants: (0..count).map(one).collect(), ..Graph::default() };
            let needed = Needed { constants: (0..count).collect(), ..Needed::default() };
            compared(&graph, &needed)
        };
        constants(1 << 12, &[1 << 10]).unwrap_err();
        constants(1 << 12, &[1 << 8]).unwrap();
        constants(2, &[i64::MAX, 2]).unwrap_err();
        constants(1 << 14, &[]).unwrap();
    }
}
