//! Choices (`If`) written into the graph around them. What both of their graphs make is computed, within the bounds of all that is, and
//! one of it is taken; of a choice whose condition is a constant of the file the other graph is left out. So nothing is decided while a
//! graph answers, and what it takes is known before.

use std::{collections::HashMap, mem::take};

use super::proto::{Attribute, BOOL, Graph, Node, OF_WHOLE, Tensor};
use crate::model::CHOICE;

/// So many choices within one another are written out.
const MOST_DEEP: usize = 8;

/// Writes the choices of a graph into it, and says whether one of them hangs on values. Those that cannot be are left as they are.
pub(super) fn inline(graph: &mut Graph) -> bool {
    if !graph.nodes.iter().any(is_choice) {
        return false;
    }
    let mut flat = Flat::default();
    flat.put(take(&mut graph.constants), take(&mut graph.nodes), &mut Vec::new());
    graph.constants = flat.constants;
    graph.nodes = flat.nodes;
    flat.hangs
}

fn is_choice(node: &Node) -> bool {
    node.kind == "If" && matches!(node.domain.as_str(), "" | "ai.onnx")
}

/// A graph with those within it.
#[derive(Default)]
struct Flat {
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
    /// The conditions that the file says.
    said: HashMap<String, bool>,
    /// How many graphs were written into it.
    written: usize,
    /// Does a choice hang on values?
    hangs: bool,
}

/// What the names of a graph within are called outside.
type Scope = HashMap<String, String>;

/// A choice's parts.
struct Choice {
    condition: String,
    outputs: Vec<String>,
    then: Graph,
    otherwise: Graph,
}

impl Choice {
    /// Of a node that has one condition, and two graphs that make as many values as it does and take none.
    fn take(node: &mut Node) -> Option<Self> {
        let [condition] = &node.inputs[..] else { return None };
        let condition = condition.clone();
        let fits = |one: &Attribute| {
            let graph = one.graph.as_ref();
            graph.is_some_and(|graph| {
                graph.inputs.is_empty() && graph.outputs.len() == node.outputs.len()
            })
        };
        let place =
            |name: &str| node.attributes.iter().position(|one| one.name == name && fits(one));
        let (then, otherwise) = (place("then_branch")?, place("else_branch")?);
        let then = node.attributes[then].graph.take()?;
        let otherwise = node.attributes[otherwise].graph.take()?;
        let outputs = take(&mut node.outputs);
        Some(Self { condition, outputs, then: *then, otherwise: *otherwise })
    }
}

impl Flat {
    /// The parts of a graph, by the names that they have in these scopes, the innermost of which is the last.
    fn put(&mut self, constants: Vec<Tensor>, nodes: Vec<Node>, scopes: &mut Vec<Scope>) {
        for mut constant in constants {
            constant.name = outside(scopes, constant.name);
            self.says(&constant.name, &constant);
            self.constants.push(constant);
        }
        for mut node in nodes {
            for name in node.inputs.iter_mut().chain(&mut node.outputs) {
                *name = outside(scopes, take(name));
            }
            if is_choice(&node)
                && scopes.len() < MOST_DEEP
                && let Some(choice) = Choice::take(&mut node)
            {
                self.choose(choice, scopes);
                continue;
            }
            if node.kind == "Constant"
                && let Some(name) = node.outputs.first()
                && let Some(tensor) = node.attributes.iter().find_map(|one| one.tensor.as_ref())
            {
                self.says(name, tensor);
            }
            self.nodes.push(node);
        }
    }

    /// Remembers a constant that is a condition.
    fn says(&mut self, name: &str, constant: &Tensor) {
        if let Some(condition) = condition(constant) {
            self.said.insert(name.to_owned(), condition);
        }
    }

    fn choose(&mut self, choice: Choice, scopes: &mut Vec<Scope>) {
        let Choice { condition, outputs, then, otherwise } = choice;
        let said = self.said.get(&condition).copied();
        let made: Vec<Vec<String>> = if let Some(said) = said {
            let taken = self.write(if said { then } else { otherwise }, scopes);
            taken.into_iter().map(|made| vec![made]).collect()
        } else {
            self.hangs = true;
            let made = self.write(then, scopes);
            let others = self.write(otherwise, scopes).into_iter();
            made.into_iter().zip(others).map(|(one, other)| vec![one, other]).collect()
        };
        for (mut made, output) in made.into_iter().zip(outputs) {
            if output.is_empty() {
                continue;
            }
            let mut node = Node { outputs: vec![output], ..Node::default() };
            if said.is_some() {
                "Identity".clone_into(&mut node.kind);
            } else {
                "Where".clone_into(&mut node.kind);
                made.insert(0, condition.clone());
                // The values that it takes have to be of one shape.
                node.attributes.push(Attribute {
                    name: CHOICE.to_owned(),
                    whole: 1,
                    kind: OF_WHOLE,
                    ..Attribute::default()
                });
            }
            node.inputs = made;
            self.nodes.push(node);
        }
    }

    /// Writes a graph into it, by names that are no others', and gives back those of what it makes.
    fn write(&mut self, graph: Graph, scopes: &mut Vec<Scope>) -> Vec<String> {
        self.written += 1;
        let place = self.written;
        let made = graph.nodes.iter().flat_map(|node| &node.outputs);
        let own = graph.constants.iter().map(|constant| &constant.name).chain(made);
        let own = own.filter(|name| !name.is_empty());
        let scope = own.map(|name| (name.clone(), format!("choice{place}/{name}"))).collect();
        scopes.push(scope);
        self.put(graph.constants, graph.nodes, scopes);
        let outputs = graph.outputs.into_iter().map(|output| outside(scopes, output.name));
        let made = outputs.collect();
        scopes.pop();
        made
    }
}

/// What a name is called outside of all scopes.
fn outside(scopes: &[Scope], name: String) -> String {
    scopes.iter().rev().find_map(|scope| scope.get(&name)).cloned().unwrap_or(name)
}

/// The one truth value of a constant, if it holds one.
fn condition(constant: &Tensor) -> Option<bool> {
    let is_one = constant.kind == BOOL
        && constant.location == 0
        && constant.sizes.iter().all(|size| *size == 1);
    match (&constant.raw[..], &constant.wholes[..]) {
        ([one], []) if is_one => Some(*one != 0),
        ([], [one]) if is_one => Some(*one != 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        Malformed, Rows, model,
        read::onnx::{
            proto::{FLOAT, INT64, Kind, OF_TENSOR, Operators, Shape, Size, TensorKind, ValueInfo},
            whole,
        },
    };

    fn node(kind: &str, inputs: &[&str], output: &str) -> Node {
        Node {
            kind: kind.to_owned(),
            inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
            outputs: vec![output.to_owned()],
            ..Node::default()
        }
    }

    fn number(name: &str, value: f32) -> Tensor {
        let name = name.to_owned();
        Tensor { kind: FLOAT, floats: vec![value], name, ..Tensor::default() }
    }

    fn truth(name: &str, value: bool) -> Tensor {
        let (name, wholes) = (name.to_owned(), vec![i32::from(value)]);
        Tensor { kind: BOOL, wholes, name, ..Tensor::default() }
    }

    fn named(name: &str) -> ValueInfo {
        ValueInfo { name: name.to_owned(), kind: None }
    }

    fn branch(nodes: Vec<Node>, constants: Vec<Tensor>, output: &str) -> Graph {
        Graph { nodes, constants, outputs: vec![named(output)], ..Graph::default() }
    }

    fn choice(condition: &str, then: Graph, otherwise: Graph, output: &str) -> Node {
        let of = |(name, graph): (&str, Graph)| Attribute {
            name: name.to_owned(),
            graph: Some(Box::new(graph)),
            kind: 5,
            ..Attribute::default()
        };
        let attributes = [("then_branch", then), ("else_branch", otherwise)].map(of).to_vec();
        Node { attributes, ..node("If", &[condition], output) }
    }

    /// Nodes that make `Y` of `X`, so many rows of two features; `more` says that their sum is more than 0.
    fn read(rows: i64, choice: Vec<Node>) -> Result<model::Graph, Malformed> {
        let element = |name: &str| {
            let sizes = vec![Size { value: rows }, Size { value: 2 }];
            let tensor = TensorKind { element: FLOAT, shape: Some(Shape { sizes }) };
            ValueInfo { name: name.to_owned(), kind: Some(Kind { tensor: Some(tensor) }) }
        };
        let flat = Attribute {
            name: "keepdims".to_owned(),
            whole: 0,
            kind: OF_WHOLE,
            ..Attribute::default()
        };
        let all = Tensor {
            kind: INT64,
            sizes: vec![2],
            longs: vec![0, 1],
            name: "all".to_owned(),
            ..Tensor::default()
        };
        let sum = Node { attributes: vec![flat], ..node("ReduceSum", &["X", "all"], "sum") };
        let graph = Graph {
            nodes: [sum, node("Greater", &["sum", "zero"], "more")]
                .into_iter()
                .chain(choice)
                .collect(),
            constants: vec![all, number("zero", 0.0), number("two", 2.0), truth("never", false)],
            inputs: vec![element("X")],
            outputs: vec![element("Y")],
        };
        whole::read(graph, vec![Operators { domain: String::new(), version: 18 }])
    }

    fn predicted(graph: &model::Graph) -> Vec<Vec<f64>> {
        graph.predict(&Rows::new(vec![1.0, 2.0, -3.0, 1.0, 5.0, -1.0], 2)).unwrap()
    }

    fn doubled(output: &str) -> Graph {
        branch(vec![node("Mul", &["X", "two"], output)], Vec::new(), output)
    }

    fn turned(output: &str) -> Graph {
        branch(vec![node("Neg", &["X"], output)], Vec::new(), output)
    }

    /// Rows are asked one by one: the condition is that of all rows of a batch.
    #[test]
    fn a_choice_by_values_is_that_of_each_row() {
        let graph = read(0, vec![choice("more", doubled("t"), turned("t"), "Y")]).unwrap();
        assert_eq!(predicted(&graph), [[2.0, 4.0], [3.0, -1.0], [10.0, -2.0]]);
        let graph = read(1, vec![choice("more", doubled("t"), turned("t"), "Y")]).unwrap();
        assert_eq!(predicted(&graph), [[2.0, 4.0], [3.0, -1.0], [10.0, -2.0]]);
        let fault = read(3, vec![choice("more", doubled("t"), turned("t"), "Y")]).unwrap_err();
        assert!(fault.to_string().contains("hangs on values"), "{fault}");
    }

    /// What the file decides leaves the other graph out, whatever it holds.
    #[test]
    fn a_choice_by_a_constant_is_one_graph() {
        let chance = || branch(vec![node("RandomNormalLike", &["X"], "t")], Vec::new(), "t");
        let graph = read(0, vec![choice("never", chance(), turned("t"), "Y")]).unwrap();
        assert_eq!(predicted(&graph), [[-1.0, -2.0], [3.0, -1.0], [-5.0, 1.0]]);
        let said = Attribute {
            name: "value".to_owned(),
            tensor: Some(truth("", true)),
            kind: OF_TENSOR,
            ..Attribute::default()
        };
        let always = Node { attributes: vec![said], ..node("Constant", &[], "always") };
        let nodes = vec![always, choice("always", doubled("t"), chance(), "Y")];
        assert_eq!(predicted(&read(0, nodes).unwrap())[1], [-6.0, 2.0]);
        let fault = read(0, vec![choice("more", chance(), turned("t"), "Y")]).unwrap_err();
        assert!(fault.to_string().contains("RandomNormalLike"), "{fault}");
    }

    /// Graphs within graphs have names of their own, and see those outside.
    #[test]
    fn choices_within_choices_keep_their_names() {
        let inner = choice("large", doubled("t"), turned("t"), "u");
        // Its own `two` is not the one outside, and the inner graphs' `t` is not its own.
        let nodes =
            vec![node("Greater", &["sum", "two"], "large"), inner, node("Add", &["u", "two"], "t")];
        let outer = branch(nodes, vec![number("two", 3.5)], "t");
        let graph = read(0, vec![choice("more", outer, turned("t"), "Y")]).unwrap();
        // The rows' sums are 3, -2 and 4.
        assert_eq!(predicted(&graph), [[2.5, 1.5], [3.0, -1.0], [21.0, 0.0]]);
    }

    #[test]
    fn other_choices_are_refused() {
        let narrow = branch(vec![node("ReduceSum", &["X"], "t")], Vec::new(), "t");
        let fault = read(0, vec![choice("more", narrow, turned("t"), "Y")]).unwrap_err();
        assert!(fault.to_string().contains("have to be of one"), "{fault}");
        let several = Graph { outputs: vec![named("t"), named("t")], ..turned("t") };
        let fault = read(0, vec![choice("more", several, turned("t"), "Y")]).unwrap_err();
        assert!(fault.to_string().contains("(If): operators of this kind are not run"), "{fault}");
        let mut deep = turned("t");
        for _ in 0..=MOST_DEEP {
            deep = branch(vec![choice("more", deep, turned("t"), "t")], Vec::new(), "t");
        }
        let fault = read(0, vec![choice("more", deep, turned("t"), "Y")]).unwrap_err();
        assert!(fault.to_string().contains("(If): operators of this kind are not run"), "{fault}");
        let none = node("If", &["more"], "Y");
        assert!(read(0, vec![none]).is_err());
    }
}
