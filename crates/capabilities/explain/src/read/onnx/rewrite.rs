//! What skl2onnx writes before a model, and the runner does not know, in operators that it knows.

use super::{
    fields::Fields,
    proto::{Attribute, FLOAT, Graph, Node, OF_WHOLE, Tensor},
};
use crate::Malformed;

/// `Scaler` as a subtraction and a multiplication, `Imputer` as a choice.
pub(super) fn rewrite(graph: &mut Graph) -> Result<(), Malformed> {
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for (index, node) in std::mem::take(&mut graph.nodes).into_iter().enumerate() {
        let fields = Fields::new(&node, index);
        let mut parts = match (node.domain.as_str(), node.kind.as_str()) {
            ("ai.onnx.ml", "Scaler") => Parts::of(fields)?.scaled(fields)?,
            ("ai.onnx.ml", "Imputer") => Parts::of(fields)?.imputed(fields)?,
            _ => {
                nodes.push(node);
                continue;
            }
        };
        graph.constants.append(&mut parts.constants);
        nodes.append(&mut parts.nodes);
    }
    graph.nodes = nodes;
    Ok(())
}

/// What stands in a node's place.
struct Parts {
    input: String,
    output: String,
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
}

impl Parts {
    fn of(node: Fields<'_>) -> Result<Self, Malformed> {
        let ([input], [output]) = (&node.node.inputs[..], &node.node.outputs[..]) else {
            return Err(node.fault("it has one input and one output"));
        };
        let (nodes, constants) = (Vec::new(), Vec::new());
        Ok(Self { input: input.clone(), output: output.clone(), nodes, constants })
    }

    /// `(x - offset) x scale`, in 32 bits.
    fn scaled(mut self, node: Fields<'_>) -> Result<Self, Malformed> {
        let (offset, scale) = (node.numbers("offset")?, node.numbers("scale")?);
        if offset.is_empty() || scale.is_empty() {
            return Err(node.fault("`offset` or `scale` is missing"));
        }
        let (input, output) = (self.input.clone(), self.output.clone());
        let (offset, scale) = (self.constant("offset", &offset), self.constant("scale", &scale));
        let (cast, moved) = (self.named("cast"), self.named("moved"));
        self.node("Cast", &[&input], &cast);
        self.node("Sub", &[&cast, &offset], &moved);
        self.node("Mul", &[&moved, &scale], &output);
        Ok(self)
    }

    /// What is missing gets a value.
    fn imputed(mut self, node: Fields<'_>) -> Result<Self, Malformed> {
        let values = node.numbers("imputed_value_floats")?;
        let replaced = node.get("replaced_value_float").map_or(0.0, |attribute| attribute.float);
        if values.is_empty() || !replaced.is_nan() {
            return Err(node.fault("it puts in other numbers than for missing values"));
        }
        let (input, output) = (self.input.clone(), self.output.clone());
        let (values, missing) = (self.constant("values", &values), self.named("missing"));
        self.node("IsNaN", &[&input], &missing);
        self.node("Where", &[&missing, &values, &input], &output);
        Ok(self)
    }

    fn named(&self, part: &str) -> String {
        format!("{}/{part}", self.output)
    }

    fn constant(&mut self, part: &str, values: &[f64]) -> String {
        let name = self.named(part);
        self.constants.push(Tensor {
            sizes: vec![values.len() as i64],
            kind: FLOAT,
            floats: values.iter().map(|value| *value as f32).collect(),
            name: name.clone(),
            ..Tensor::default()
        });
        name
    }

    fn node(&mut self, kind: &str, inputs: &[&str], output: &str) {
        let to = Attribute {
            name: "to".to_owned(),
            whole: i64::from(FLOAT),
            kind: OF_WHOLE,
            ..Attribute::default()
        };
        self.nodes.push(Node {
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            outputs: vec![output.to_owned()],
            kind: kind.to_owned(),
            attributes: if kind == "Cast" { vec![to] } else { Vec::new() },
            domain: String::new(),
        });
    }
}
