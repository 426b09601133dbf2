//! The nodes around the one that decides: where its features come from, and what becomes of its sums.

use super::{
    fields::{Fields, numbers},
    proto::{DOUBLE, FLOAT, Graph, Node, ValueInfo},
};
use crate::Malformed;

/// More features cannot be explained.
pub(super) const MOST_FEATURES: usize = 1 << 20;
/// Each node and input is sought among all others.
pub(super) const MOST_AROUND: usize = 1 << 14;

/// What is around.
#[derive(Default)]
pub(super) struct Around {
    /// The names of the columns, where each is an input of its own.
    names: Option<Vec<String>>,
    /// How many features the input says it has.
    width: Option<usize>,
    /// Are the features kept in 64 bits all the way?
    pub double: bool,
    /// What is taken from each feature, and by what the rest is multiplied.
    pub scaler: Option<(Vec<f64>, Vec<f64>)>,
    /// Are the sums' shares of their whole taken?
    pub normalized: bool,
}

impl Around {
    pub(super) fn read(graph: &Graph, node: Fields<'_>) -> Result<Self, Malformed> {
        let each = graph.nodes.iter().map(|node| node.inputs.len().max(node.outputs.len()));
        let most = each.chain([graph.nodes.len(), graph.inputs.len()]).max().unwrap_or(0);
        if most > MOST_AROUND {
            let message = format!("it has {most} nodes or inputs; at most {MOST_AROUND} are read.");
            return Err(Malformed::new("the graph", message));
        }
        let mut around = Self { double: true, ..Self::default() };
        let mut above = Vec::new();
        let first = node.node.inputs.first().ok_or_else(|| node.fault("it has no input"))?;
        around.climb(graph, first, &mut above)?;
        let others = graph.nodes.iter().enumerate().filter(|(_, other)| {
            !std::ptr::eq(*other, node.node) && !above.iter().any(|one| std::ptr::eq(*one, *other))
        });
        for (index, other) in others {
            around.below(graph, Fields::new(other, index))?;
        }
        Ok(around)
    }

    /// The names of the features, of which at least so many are asked about.
    pub(super) fn features(&self, asked: usize) -> Result<Vec<String>, Malformed> {
        let width = self.names.as_ref().map(Vec::len).or(self.width).unwrap_or(asked);
        if asked > width || width > MOST_FEATURES {
            let message = format!("the model asks about {asked} features, and has {width}");
            return Err(Malformed::new("the graph", message));
        }
        let made_up = || (0..width).map(|index| format!("f{index}")).collect();
        Ok(self.names.clone().unwrap_or_else(made_up))
    }

    /// Up to the inputs.
    fn climb<'a>(
        &mut self,
        graph: &'a Graph,
        name: &str,
        above: &mut Vec<&'a Node>,
    ) -> Result<(), Malformed> {
        let mut name = name;
        loop {
            if let Some(input) = graph.inputs.iter().find(|input| input.name == name) {
                let (kind, width) = kind(input);
                self.double &= kind == DOUBLE;
                self.width = width;
                return Ok(());
            }
            let (node, first) = source(graph, name, above)?;
            match node.node.kind.as_str() {
                "Identity" => {}
                "Cast" => self.double &= cast(node)? == DOUBLE,
                "Scaler" if self.scaler.is_none() => {
                    self.double = false;
                    self.scaler = Some((node.numbers("offset")?, node.numbers("scale")?));
                }
                "Concat" => return self.columns(graph, node, above),
                _ => return Err(unknown(node)),
            }
            name = first;
        }
    }

    /// Inputs of one column each.
    fn columns<'a>(
        &mut self,
        graph: &'a Graph,
        concat: Fields<'a>,
        above: &mut Vec<&'a Node>,
    ) -> Result<(), Malformed> {
        let mut names = Vec::new();
        for input in &concat.node.inputs {
            let mut name = input.as_str();
            let (input, (kind, width)) = loop {
                if let Some(input) = graph.inputs.iter().find(|input| input.name == name) {
                    break (input, kind(input));
                }
                let (node, first) = source(graph, name, above)?;
                match node.node.kind.as_str() {
                    "Identity" => {}
                    "Cast" => self.double &= cast(node)? == DOUBLE,
                    _ => return Err(unknown(node)),
                }
                name = first;
            };
            self.double &= kind == DOUBLE;
            if width.is_some_and(|width| width != 1) {
                return Err(
                    concat.fault("an input of several columns among others cannot be read here")
                );
            }
            names.push(input.name.clone());
        }
        self.names = Some(names);
        Ok(())
    }

    /// What comes after: labels are of no interest, and the sums may only be handed on.
    fn below(&mut self, graph: &Graph, node: Fields<'_>) -> Result<(), Malformed> {
        match node.node.kind.as_str() {
            "Identity"
            | "Cast"
            | "ZipMap"
            | "Reshape"
            | "Flatten"
            | "Squeeze"
            | "Unsqueeze"
            | "ArrayFeatureExtractor"
            | "ArgMax"
            | "Constant" => Ok(()),
            "Mul" if by_one(graph, node.node) => Ok(()),
            "Normalizer" if node.word("norm", "MAX")? == "L1" => {
                self.normalized = true;
                Ok(())
            }
            _ => Err(unknown(node)),
        }
    }
}

/// The node that a value comes from, and what that takes first. A node is come by once: a graph has no circles.
fn source<'a>(
    graph: &'a Graph,
    name: &str,
    above: &mut Vec<&'a Node>,
) -> Result<(Fields<'a>, &'a str), Malformed> {
    let fault = |message: String| Malformed::new("the graph", message);
    let mut nodes = graph.nodes.iter().enumerate();
    let (index, node) = nodes
        .find(|(_, node)| node.outputs.iter().any(|output| output == name))
        .ok_or_else(|| fault(format!("nothing makes `{name}`")))?;
    if above.iter().any(|one| std::ptr::eq(*one, node)) {
        return Err(fault(format!("`{name}` is used twice, or made of itself")));
    }
    above.push(node);
    let first = node.inputs.first().ok_or_else(|| fault(format!("`{name}` is made of nothing")))?;
    Ok((Fields::new(node, index), first))
}

fn unknown(node: Fields<'_>) -> Malformed {
    node.fault("it changes what the model sees or answers, and cannot be read here.")
        .hint("Write the model without what goes before and after it, and prepare the rows alike.")
        .other()
}

fn cast(node: Fields<'_>) -> Result<i32, Malformed> {
    match i32::try_from(node.whole("to", 0)) {
        Ok(kind @ (FLOAT | DOUBLE)) => Ok(kind),
        _ => Err(node.fault("features are made other than numbers of 32 or 64 bits")),
    }
}

/// The kind of an input's elements, and how many columns it has.
pub(super) fn kind(input: &ValueInfo) -> (i32, Option<usize>) {
    let Some(tensor) = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref()) else {
        return (0, None);
    };
    let sizes = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.sizes);
    let width = sizes.get(1).and_then(|size| usize::try_from(size.value).ok());
    (tensor.element, width.filter(|width| *width > 0))
}

fn by_one(graph: &Graph, node: &Node) -> bool {
    let constant = graph.constants.iter().find(|constant| node.inputs.contains(&constant.name));
    constant
        .and_then(numbers)
        .is_some_and(|all| !all.is_empty() && all.iter().all(|one| *one == 1.0))
}
