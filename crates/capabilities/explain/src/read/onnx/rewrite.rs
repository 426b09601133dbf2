//! What the runner does not know, or not for every number, in operators that it knows.

use super::{
    around::kind,
    fields::Fields,
    proto::{Attribute, DOUBLE, FLOAT, Graph, INT64, Node, OF_TENSOR, OF_WHOLE, OF_WHOLES, Tensor},
};
use crate::Malformed;

/// `Scaler` as a subtraction and a multiplication, `Imputer` as a choice, `Binarizer` as a comparison, a `Normalizer` by the largest as a
/// division; activations so that they hold for large numbers, and for those of 64 bits. `version` is that of the general operators, 0 where there is none.
pub(super) fn rewrite(graph: &mut Graph, version: i64) -> Result<(), Malformed> {
    let double = double(graph);
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for (index, node) in std::mem::take(&mut graph.nodes).into_iter().enumerate() {
        let fields = Fields::new(&node, index);
        let mut parts = match (node.domain.as_str(), node.kind.as_str()) {
            ("ai.onnx.ml", "Scaler") => Parts::of(fields)?.scaled(fields)?,
            ("ai.onnx.ml", "Imputer") => Parts::of(fields)?.imputed(fields)?,
            ("ai.onnx.ml", "Binarizer") => Parts::of(fields)?.compared(fields),
            ("ai.onnx.ml", "Normalizer")
                if fields.word("norm", "MAX")?.eq_ignore_ascii_case("MAX") =>
            {
                Parts::of(fields)?.shared(version)
            }
            ("" | "ai.onnx", "Softplus") => Parts::of(fields)?.softplus(),
            ("" | "ai.onnx", "ReduceLogSumExp") => Parts::first(fields)?.summed(fields, version),
            ("" | "ai.onnx", "LogSoftmax") => Parts::of(fields)?.logarithms(fields, version),
            ("" | "ai.onnx", "Sigmoid") if double => Parts::of(fields)?.sigmoid(),
            ("" | "ai.onnx", "LeakyRelu") if double => Parts::of(fields)?.leaky(fields),
            ("" | "ai.onnx", "Erf") if double => Parts::of(fields)?.erf(),
            ("" | "ai.onnx", "Round") if double => Parts::of(fields)?.rounded(),
            ("" | "ai.onnx", "LSTM" | "GRU" | "RNN") => {
                nodes.push(stated(node));
                continue;
            }
            ("" | "ai.onnx", "ConstantOfShape") => {
                nodes.push(zeros(node));
                continue;
            }
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

/// Does it hold numbers of 64 bits anywhere?
fn double(graph: &Graph) -> bool {
    let attributes = || graph.nodes.iter().flat_map(|node| &node.attributes);
    let tensors = attributes().filter_map(|attribute| attribute.tensor.as_ref());
    graph.inputs.iter().any(|input| kind(input).0 == DOUBLE)
        || graph.constants.iter().chain(tensors).any(|tensor| tensor.kind == DOUBLE)
        || attributes().any(|one| one.name == "to" && one.whole == i64::from(DOUBLE))
}

/// A recurrent cell that leaves the states of its steps without a name gets one: nodes go by the name of their first output.
fn stated(mut node: Node) -> Node {
    let unnamed = node.outputs.first().is_some_and(String::is_empty);
    let other = node.outputs.iter().find(|output| !output.is_empty());
    if let Some(name) = other.filter(|_| unnamed).map(|other| format!("{other}/states")) {
        node.outputs[0] = name;
    }
    node
}

/// Without a value it holds zeros of 32 bits; the runner takes them for those of 64.
fn zeros(mut node: Node) -> Node {
    if node.attributes.iter().all(|attribute| attribute.name != "value") {
        let zero = Tensor { kind: FLOAT, sizes: vec![1], floats: vec![0.0], ..Tensor::default() };
        node.attributes.push(Attribute {
            name: "value".to_owned(),
            tensor: Some(zero),
            kind: OF_TENSOR,
            ..Attribute::default()
        });
    }
    node
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

    /// Of a node whose other inputs say how it works.
    fn first(node: Fields<'_>) -> Result<Self, Malformed> {
        let (Some(input), [output]) = (node.node.inputs.first(), &node.node.outputs[..]) else {
            return Err(node.fault("it has an input and one output"));
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

    /// 1 where it is more than a threshold, else 0.
    fn compared(mut self, node: Fields<'_>) -> Self {
        let threshold = node.get("threshold").map_or(0.0, |attribute| attribute.float);
        let (input, output) = (self.input.clone(), self.output.clone());
        let threshold = self.number("threshold", threshold);
        let more = self.named("more");
        self.node("Greater", &[&input, &threshold], &more);
        self.node("CastLike", &[&more, &input], &output);
        self
    }

    /// Divided by the largest of a row, unless that is 0, in 32 bits. The runner's own divides by the one of the largest size.
    fn shared(mut self, version: i64) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let [cast, most, nothing, divisor] =
            ["cast", "most", "nothing", "divisor"].map(|part| self.named(part));
        let (zero, one) = (self.constant("zero", &[0.0]), self.constant("one", &[1.0]));
        self.node("Cast", &[&input], &cast);
        self.reduced("ReduceMax", version < 18, &cast, &most, -1);
        self.node("Equal", &[&most, &zero], &nothing);
        self.node("Where", &[&nothing, &one, &most], &divisor);
        self.node("Div", &[&cast, &divisor], &output);
        self
    }

    /// `max(x, 0) + log(1 + exp(-|x|))`, which is `log(1 + exp(x))` where that is beyond all numbers.
    fn softplus(mut self) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let [size, below, power, above, rest, linear] =
            ["size", "below", "power", "above", "rest", "linear"].map(|part| self.named(part));
        let one = self.number("one", 1.0);
        self.node("Abs", &[&input], &size);
        self.node("Neg", &[&size], &below);
        self.node("Exp", &[&below], &power);
        self.node("Add", &[&power, &one], &above);
        self.node("Log", &[&above], &rest);
        self.node("Relu", &[&input], &linear);
        self.node("Add", &[&linear, &rest], &output);
        self
    }

    /// `x - max - log(sum(exp(x - max)))`: the runner's own takes the logarithm of shares, which may be 0 in 32 bits. Before version
    /// 13, all dimensions from the axis on are one.
    fn logarithms(mut self, node: Fields<'_>, version: i64) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let flat = version < 13;
        let [matrix, most, below, power, all, rest, found, shape] =
            ["matrix", "most", "below", "power", "all", "rest", "found", "shape"]
                .map(|part| self.named(part));
        let axis = node.whole("axis", if flat { 1 } else { -1 });
        let (from, to) = if flat { (&matrix, &found) } else { (&input, &output) };
        if flat {
            let axis = Attribute {
                name: "axis".to_owned(),
                whole: axis,
                kind: OF_WHOLE,
                ..Attribute::default()
            };
            self.told("Flatten", &[&input], &matrix, vec![axis]);
        }
        let axis = if flat { 1 } else { axis };
        self.reduced("ReduceMax", version < 18, from, &most, axis);
        self.node("Sub", &[from, &most], &below);
        self.node("Exp", &[&below], &power);
        self.reduced("ReduceSum", flat, &power, &all, axis);
        self.node("Log", &[&all], &rest);
        self.node("Sub", &[&below, &rest], to);
        if flat {
            self.node("Shape", &[&input], &shape);
            self.node("Reshape", &[&found, &shape], &output);
        }
        self
    }

    /// `max + log(sum(exp(x - max)))`: the runner's own is beyond all numbers where its input is large.
    fn summed(mut self, node: Fields<'_>, version: i64) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let [most, below, power, all, rest, found] =
            ["most", "below", "power", "all", "rest", "found"].map(|part| self.named(part));
        self.over(node, version, ("ReduceMax", true), &input, &most);
        self.node("Sub", &[&input, &most], &below);
        self.node("Exp", &[&below], &power);
        self.over(node, version, ("ReduceSum", true), &power, &all);
        self.node("Log", &[&all], &rest);
        self.node("Add", &[&rest, &most], &found);
        // Of one number the largest is that number.
        let kept = node.whole("keepdims", 1) == 1;
        self.over(node, version, ("ReduceMax", kept), &found, &output);
        self
    }

    /// One number for all along a node's axes, whose dimensions are kept or not.
    fn over(
        &mut self,
        node: Fields<'_>,
        version: i64,
        (kind, kept): (&str, bool),
        input: &str,
        output: &str,
    ) {
        let whole = |name: &str, whole: i64| Attribute {
            name: name.to_owned(),
            whole,
            kind: OF_WHOLE,
            ..Attribute::default()
        };
        let mut attributes = vec![whole("keepdims", i64::from(kept))];
        let (said, given) = (node.wholes("axes"), node.node.inputs.get(1));
        let named = format!("{output}/axes");
        let mut inputs = vec![input];
        if version >= 18 {
            let empty = node.whole("noop_with_empty_axes", 0);
            attributes.push(whole("noop_with_empty_axes", empty));
            inputs.extend(given.filter(|name| !name.is_empty()).map(String::as_str));
        } else if version >= 13 && kind == "ReduceSum" && !said.is_empty() {
            self.constants.push(Tensor {
                sizes: vec![said.len() as i64],
                kind: INT64,
                longs: said.to_vec(),
                name: named.clone(),
                ..Tensor::default()
            });
            inputs.push(&named);
        } else if !said.is_empty() {
            attributes.push(Attribute {
                name: "axes".to_owned(),
                wholes: said.to_vec(),
                kind: OF_WHOLES,
                ..Attribute::default()
            });
        }
        self.told(kind, &inputs, output, attributes);
    }

    /// One number for all along an axis, which later versions give as a value.
    fn reduced(&mut self, kind: &str, early: bool, input: &str, output: &str, axis: i64) {
        if early {
            let axes = Attribute {
                name: "axes".to_owned(),
                wholes: vec![axis],
                kind: OF_WHOLES,
                ..Attribute::default()
            };
            self.told(kind, &[input], output, vec![axes]);
            return;
        }
        let axes = format!("{output}/axes");
        self.constants.push(Tensor {
            sizes: vec![1],
            kind: INT64,
            longs: vec![axis],
            name: axes.clone(),
            ..Tensor::default()
        });
        self.told(kind, &[input, &axes], output, Vec::new());
    }

    /// `1 / (1 + exp(-x))`: the runner's own is of 32 bits.
    fn sigmoid(mut self) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let [below, power, above] = ["below", "power", "above"].map(|part| self.named(part));
        let one = self.number("one", 1.0);
        self.node("Neg", &[&input], &below);
        self.node("Exp", &[&below], &power);
        self.node("Add", &[&power, &one], &above);
        self.node("Reciprocal", &[&above], &output);
        self
    }

    /// With the slope as a value, which may be of 64 bits.
    fn leaky(mut self, node: Fields<'_>) -> Self {
        let slope = node.get("alpha").map_or(0.01, |attribute| attribute.float);
        let (input, output) = (self.input.clone(), self.output.clone());
        let slope = self.number("slope", slope);
        self.node("PRelu", &[&input, &slope], &output);
        self
    }

    /// In 32 bits, which moves it by less than 1e-6.
    fn erf(mut self) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let (single, found) = (self.named("single"), self.named("found"));
        self.node("Cast", &[&input], &single);
        self.node("Erf", &[&single], &found);
        self.node("CastLike", &[&found, &input], &output);
        self
    }

    /// To the nearest whole number, and from the middle of two to the even one.
    fn rounded(mut self) -> Self {
        let (input, output) = (self.input.clone(), self.output.clone());
        let (half, one) = (self.number("half", 0.5), self.number("one", 1.0));
        let [below, rest, more, above, near, middle, halved, upper, even] =
            ["below", "rest", "more", "above", "near", "middle", "halved", "upper", "even"]
                .map(|part| self.named(part));
        self.node("Floor", &[&input], &below);
        self.node("Sub", &[&input, &below], &rest);
        self.node("Greater", &[&rest, &half], &more);
        self.node("Add", &[&below, &one], &above);
        self.node("Where", &[&more, &above, &below], &near);
        self.node("Equal", &[&rest, &half], &middle);
        self.node("Mul", &[&below, &half], &halved);
        self.node("Ceil", &[&halved], &upper);
        self.node("Add", &[&upper, &upper], &even);
        self.node("Where", &[&middle, &even, &near], &output);
        self
    }

    /// A number of the kind that the input holds.
    fn number(&mut self, part: &str, value: f32) -> String {
        let (input, plain, name) =
            (self.input.clone(), self.named(&format!("{part}/plain")), self.named(part));
        self.constants.push(Tensor {
            kind: FLOAT,
            floats: vec![value],
            name: plain.clone(),
            ..Tensor::default()
        });
        self.node("CastLike", &[&plain, &input], &name);
        name
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
        let attributes = if kind == "Cast" { vec![to] } else { Vec::new() };
        self.told(kind, inputs, output, attributes);
    }

    fn told(&mut self, kind: &str, inputs: &[&str], output: &str, attributes: Vec<Attribute>) {
        self.nodes.push(Node {
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            outputs: vec![output.to_owned()],
            kind: kind.to_owned(),
            attributes,
            domain: String::new(),
        });
    }
}
