//! Trees and their ensembles.

use super::{Field, List, Value, classes, names};
use crate::{
    Forest, Link, Malformed,
    model::{Missing, Node, Split, Test, Tree},
    read::room::Room,
};

/// How the trees become a prediction.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The mean of the shares of the classes.
    Shares,
    /// The mean of the values.
    Values,
    /// A sum of steps: one tree for each output, again and again.
    Boosted { classifies: bool },
}

pub(super) fn read(json: &Value, kind: &str) -> Result<Option<Forest>, Malformed> {
    let kind = match kind {
        "RandomForestClassifier"
        | "ExtraTreesClassifier"
        | "DecisionTreeClassifier"
        | "ExtraTreeClassifier" => Kind::Shares,
        "RandomForestRegressor"
        | "ExtraTreesRegressor"
        | "DecisionTreeRegressor"
        | "ExtraTreeRegressor" => Kind::Values,
        "GradientBoostingClassifier" => Kind::Boosted { classifies: true },
        "GradientBoostingRegressor" => Kind::Boosted { classifies: false },
        _ => return Ok(None),
    };
    let all = Field::new(json, "").list("trees")?;
    if all.is_empty() {
        return Err(Malformed::new("/trees", "there are none"));
    }
    let classes = classes(json)?;
    let raw = all
        .iter()
        .enumerate()
        .map(|(index, tree)| Raw::read(&tree, format!("/trees/{index}"), kind == Kind::Shares))
        .collect::<Result<Vec<_>, _>>()?;
    let width = width(json, &raw)?;
    let each = raw[0].outputs;
    let outputs = match (kind, classes) {
        (Kind::Boosted { classifies: true }, Some(classes)) if classes > 2 => classes,
        (Kind::Boosted { .. }, _) => 1,
        (Kind::Shares, Some(classes)) if classes != each => {
            let message = format!("its leaves have {each} values for {classes} classes");
            return Err(Malformed::new("/trees/0/value", message));
        }
        (Kind::Shares | Kind::Values, _) => each,
    };
    let factor = match kind {
        Kind::Boosted { .. } => number(json, "learning_rate", 1.0)?,
        Kind::Shares | Kind::Values => 1.0 / raw.len() as f64,
    };
    let (mut trees, mut room) = (Vec::new(), Room::new());
    for (index, tree) in raw.iter().enumerate() {
        let expected = if matches!(kind, Kind::Boosted { .. }) { 1 } else { each };
        if tree.outputs != expected {
            let message = format!("its leaves have {} values, not {expected}", tree.outputs);
            return Err(Malformed::new(&tree.place, message));
        }
        room.take(expected, tree.left.len(), &tree.place)?;
        for output in 0..expected {
            let to = if matches!(kind, Kind::Boosted { .. }) { index % outputs } else { output };
            trees.push((to, tree.of(output, factor, width)?));
        }
    }
    let link = match kind {
        Kind::Boosted { classifies: true } if outputs > 1 => Link::Softmax,
        Kind::Boosted { classifies: true } => {
            let exponential = json.get("loss").and_then(Value::as_str) == Some("exponential");
            Link::Logistic { scale: if exponential { 2.0 } else { 1.0 } }
        }
        _ => Link::Identity,
    };
    let base = if matches!(kind, Kind::Boosted { .. }) {
        init(json, outputs)?
    } else {
        vec![0.0; outputs]
    };
    Ok(Some(Forest { features: names(json, width)?, trees, base, link, single_precision: true }))
}

/// What a model that is boosted starts from.
fn init(json: &Value, outputs: usize) -> Result<Vec<f64>, Malformed> {
    let init = match json.get("init").and_then(Value::as_f64) {
        Some(one) => vec![one],
        None => Field::new(json, "").numbers("init")?,
    };
    if init.len() == outputs && init.iter().all(|number| number.is_finite()) {
        Ok(init)
    } else {
        let message = format!("{} numbers are given for {outputs} outputs", init.len());
        Err(Malformed::new("/init", message))
    }
}

fn number(json: &Value, key: &str, otherwise: f64) -> Result<f64, Malformed> {
    let fault = || Malformed::new(format!("/{key}"), "it is no number");
    json.get(key).map_or(Ok(otherwise), |given| given.as_f64().ok_or_else(fault))
}

/// How many features: as said, as named, or as the trees ask about.
fn width(json: &Value, trees: &[Raw]) -> Result<usize, Malformed> {
    const MOST: usize = 1 << 20;
    let named = json.get("features").and_then(Value::as_list).map(List::len);
    let said = json.get("n_features").and_then(Value::as_i64);
    let said = said.and_then(|width| usize::try_from(width).ok()).or(named);
    let asked = || trees.iter().flat_map(|tree| &tree.features).max().copied();
    let asked =
        || asked().and_then(|most| usize::try_from(most.saturating_add(1)).ok()).unwrap_or(0);
    let width = said.unwrap_or_else(asked);
    if width <= MOST {
        Ok(width)
    } else {
        let message = format!("{width} features are too many; at most {MOST} can be explained.");
        Err(Malformed::new("/n_features", message))
    }
}

/// A tree as `tree_` has it.
struct Raw {
    place: String,
    left: Vec<i64>,
    right: Vec<i64>,
    features: Vec<i64>,
    thresholds: Vec<f64>,
    covers: Vec<f64>,
    /// Of each node, `outputs` values.
    values: Vec<f64>,
    outputs: usize,
    missing_left: Vec<i64>,
}

impl Raw {
    fn read(json: &Value, place: String, shares: bool) -> Result<Self, Malformed> {
        let field = Field::new(json, &place);
        let (left, right) = (field.wholes("children_left")?, field.wholes("children_right")?);
        let (features, thresholds) = (field.wholes("feature")?, field.numbers("threshold")?);
        let covers = match field.get("weighted_n_node_samples") {
            Some(_) => field.numbers("weighted_n_node_samples")?,
            None => field.numbers("n_node_samples")?,
        };
        let missing_left = match field.get("missing_go_to_left") {
            Some(_) => field.wholes("missing_go_to_left")?,
            None => vec![0; left.len()],
        };
        let (values, outputs) = values(field.list("value")?, &place, shares)?;
        let lengths = [right.len(), features.len(), thresholds.len(), covers.len()];
        let nodes = left.len();
        if nodes == 0
            || lengths.iter().any(|length| *length != nodes)
            || [missing_left.len(), values.len() / outputs].iter().any(|length| *length != nodes)
        {
            return Err(Malformed::new(place, "its lists are not of one length"));
        }
        Ok(Self { place, left, right, features, thresholds, covers, values, outputs, missing_left })
    }

    /// The tree of an output.
    fn of(&self, output: usize, factor: f64, width: usize) -> Result<Tree, Malformed> {
        let index = |index: i64, node: usize| {
            usize::try_from(index).map_err(|_| {
                Malformed::new(&self.place, format!("node {node} has no whole child or feature"))
            })
        };
        let mut nodes = Vec::with_capacity(self.left.len());
        for node in 0..self.left.len() {
            let cover = self.covers[node];
            if self.left[node] < 0 {
                let value = self.values[node * self.outputs + output] * factor;
                nodes.push(Node::Leaf { value, cover });
                continue;
            }
            let threshold = self.thresholds[node];
            if threshold.is_nan() {
                return Err(Malformed::new(&self.place, format!("node {node} has no threshold")));
            }
            let split = Split {
                feature: index(self.features[node], node)?,
                test: Test::AtMost(threshold),
                missing: Missing::NaN,
                missing_left: self.missing_left[node] != 0,
            };
            let (left, right) = (index(self.left[node], node)?, index(self.right[node], node)?);
            nodes.push(Node::Inner { split, left, right, cover });
        }
        Tree::new(&nodes, width, &self.place)
    }
}

/// A number for each node, or as many as there are classes. Before scikit-learn 1.3 classes were counted: then shares are
/// made of them.
fn values(list: List<'_>, place: &str, shares: bool) -> Result<(Vec<f64>, usize), Malformed> {
    let fault = |message: &str| Malformed::new(format!("{place}/value"), message);
    let outputs = list.get(0).and_then(|node| node.as_list().map(List::len)).unwrap_or(1);
    if outputs == 0 {
        return Err(fault("it holds empty lists"));
    }
    let mut all = Vec::with_capacity(list.len().saturating_mul(outputs).min(1 << 24));
    for node in list.iter() {
        let start = all.len();
        match node.as_list() {
            Some(each) => all.extend(each.iter().filter_map(|one| one.as_f64())),
            None => all.extend(node.as_f64()),
        }
        if all.len() - start != outputs {
            return Err(fault("not all of its nodes have as many numbers"));
        }
        if shares {
            let sum: f64 = all[start..].iter().sum();
            if !(sum > 0.0 && all[start..].iter().all(|share| *share >= 0.0)) {
                return Err(fault("the shares of a node's classes are none"));
            }
            if (sum - 1.0).abs() > 1e-6 {
                all[start..].iter_mut().for_each(|count| *count /= sum);
            }
        }
    }
    Ok((all, outputs))
}
