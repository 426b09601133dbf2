//! XGBoost's JSON, and UBJSON of the same: <https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html>.

use std::collections::HashMap;

use super::{
    field::Field,
    sets::Sets,
    value::{List, Value},
};
use crate::{
    Forest, Link, Malformed,
    model::{Missing, Node, Split, Test, Tree, among},
};

pub(super) fn read(json: &Value) -> Result<Forest, Malformed> {
    let learner = json.get("learner").ok_or_else(|| {
        Malformed::new("/learner", "it is missing, so this is no model of XGBoost.")
            .hint("Save it by save_model(\"model.json\").")
    })?;
    let learner = Field::new(learner, "/learner");
    let part = |key: &str| {
        learner.get(key).ok_or_else(|| Malformed::new(format!("/learner/{key}"), "it is missing"))
    };
    let parameters = Field::new(part("learner_model_param")?, "/learner/learner_model_param");
    let objective = Field::new(part("objective")?, "/learner/objective").text("name")?;
    let booster = Field::new(part("gradient_booster")?, "/learner/gradient_booster");

    let width = parameters.whole("num_feature")?;
    let classes = parameters.whole("num_class")?.max(1);
    let targets = parameters.get("num_target").map_or(Ok(1), |_| parameters.whole("num_target"))?;
    let outputs = classes.max(targets);
    if outputs > MOST_OUTPUTS {
        let message =
            format!("{outputs} outputs are too many; at most {MOST_OUTPUTS} can be read.");
        return Err(Malformed::new("/learner/learner_model_param/num_class", message));
    }
    let features = names(learner, width)?;
    let (link, base_link) = links(objective)?;
    let base = base(parameters.text("base_score")?, outputs, base_link)?;
    let trees = match booster.text("name")? {
        "gbtree" => {
            let model = booster.get("model").ok_or_else(|| no_model("/model"))?;
            trees(Field::new(model, "/learner/gradient_booster/model"), width, outputs, None)?
        }
        "dart" => {
            let inner = booster
                .get("gbtree")
                .and_then(|tree| tree.get("model"))
                .ok_or_else(|| no_model("/gbtree/model"))?;
            let weights = booster.numbers("weight_drop")?;
            let place = "/learner/gradient_booster/gbtree/model";
            trees(Field::new(inner, place), width, outputs, Some(&weights))?
        }
        other => {
            let message =
                format!("the booster is `{other}`; trees (`gbtree`, `dart`) can be read.");
            return Err(Malformed::new("/learner/gradient_booster/name", message));
        }
    };
    Ok(Forest { features, trees, base, link, single_precision: true })
}

fn no_model(key: &str) -> Malformed {
    Malformed::new(format!("/learner/gradient_booster{key}"), "it is missing")
}

fn names(learner: Field<'_>, width: usize) -> Result<Vec<String>, Malformed> {
    // A file says how many there are in a few digits: what is not there is not made room for.
    const MOST: usize = 1 << 20;
    if width > MOST {
        let message = format!("{width} features are too many; at most {MOST} can be explained.");
        return Err(Malformed::new("/learner/learner_model_param/num_feature", message));
    }
    let given = learner.list("feature_names").unwrap_or(List::Values(&[]));
    if given.is_empty() {
        return Ok((0..width).map(|index| format!("f{index}")).collect());
    }
    let names: Vec<String> =
        given.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    if names.len() != width {
        let message = format!("{} names are given for {width} features", names.len());
        return Err(Malformed::new("/learner/feature_names", message));
    }
    Ok(names)
}

/// More outputs than these no model has.
const MOST_OUTPUTS: usize = 1 << 16;

/// From a base score to a sum.
type BaseLink = fn(f64) -> f64;

/// What an objective predicts, and how its base score becomes a sum.
fn links(objective: &str) -> Result<(Link, BaseLink), Malformed> {
    let itself: BaseLink = |score| score;
    let logit: BaseLink = |score| (score / (1.0 - score)).ln();
    let logarithm: BaseLink = f64::ln;
    Ok(match objective {
        "binary:logistic" | "reg:logistic" => (Link::Logistic { scale: 1.0 }, logit),
        "binary:hinge" => (Link::Sign, itself),
        "multi:softprob" | "multi:softmax" => (Link::Softmax, itself),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
            (Link::Exponential, logarithm)
        }
        // The base score of logitraw is a sum already, unlike that of logistic.
        "binary:logitraw"
        | "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:pseudohubererror"
        | "reg:absoluteerror"
        | "reg:quantileerror"
        | "reg:expectileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => (Link::Identity, itself),
        other => {
            let message = format!("the objective `{other}` is not known here.");
            return Err(Malformed::new("/learner/objective/name", message));
        }
    })
}

/// `5E-1`, or `[1E-1,2E-1,7E-1]` since 3.1: one for all outputs, or one for each.
fn base(text: &str, outputs: usize, link: BaseLink) -> Result<Vec<f64>, Malformed> {
    const PLACE: &str = "/learner/learner_model_param/base_score";
    let list = text.trim().trim_start_matches('[').trim_end_matches(']');
    let scores = list
        .split(',')
        .map(|score| score.trim().parse::<f32>().map(f64::from))
        .collect::<Result<Vec<f64>, _>>()
        .map_err(|_| Malformed::new(PLACE, format!("`{text}` is no number")))?;
    let sums: Vec<f64> = match scores.as_slice() {
        [one] => vec![link(*one); outputs],
        each if each.len() == outputs => each.iter().map(|score| link(*score)).collect(),
        _ => {
            let message = format!("{} scores are given for {outputs} outputs", scores.len());
            return Err(Malformed::new(PLACE, message));
        }
    };
    if sums.iter().all(|sum| sum.is_finite()) {
        Ok(sums)
    } else {
        Err(Malformed::new(PLACE, format!("`{text}` is out of the objective's range")))
    }
}

/// The trees; those of DART with the weight that each has after others were dropped.
fn trees(
    model: Field<'_>,
    width: usize,
    outputs: usize,
    weights: Option<&[f64]>,
) -> Result<Vec<(usize, Tree)>, Malformed> {
    let (all, places) = (model.list("trees")?, model.wholes("tree_info")?);
    let (mut read, mut room) = (Vec::with_capacity(all.len()), Sets::new());
    for (index, json) in all.iter().enumerate() {
        let place = format!("/learner/gradient_booster/…/trees/{index}");
        let weight = match weights {
            Some(weights) => *weights.get(index).ok_or_else(|| {
                Malformed::new("/learner/gradient_booster/weight_drop", "it ends before the trees")
            })?,
            None => 1.0,
        };
        let output = places.get(index).and_then(|place| usize::try_from(*place).ok());
        let output = output.filter(|output| *output < outputs).ok_or_else(|| {
            Malformed::new(&place, "its output (tree_info) is none of the model's")
        })?;
        read.push((output, tree(Field::new(&json, &place), &place, width, weight, &mut room)?));
    }
    Ok(read)
}

fn tree(
    json: Field<'_>,
    place: &str,
    width: usize,
    weight: f64,
    room: &mut Sets,
) -> Result<Tree, Malformed> {
    let (left, right) = (json.wholes("left_children")?, json.wholes("right_children")?);
    let (features, defaults) = (json.wholes("split_indices")?, json.wholes("default_left")?);
    let (conditions, covers) = (json.numbers("split_conditions")?, json.numbers("sum_hessian")?);
    let kinds = json.wholes("split_type").unwrap_or_default();
    let categories = Categories::read(json)?;
    let count = left.len();
    let lengths = [right.len(), features.len(), defaults.len(), conditions.len(), covers.len()];
    if count == 0 || lengths.iter().any(|length| *length != count) {
        return Err(Malformed::new(place, "its lists are not of one length"));
    }
    if json
        .get("tree_param")
        .and_then(|value| value.get("size_leaf_vector"))
        .and_then(Value::as_str)
        .is_some_and(|size| size.parse().is_ok_and(|size: u32| size > 1))
    {
        let message = "its leaves hold vectors (multi_strategy=\"multi_output_tree\"); trees of one output each can be read.";
        return Err(Malformed::new(place, message));
    }
    let child = |index: i64, node: usize| {
        usize::try_from(index)
            .map_err(|_| Malformed::new(place, format!("node {node} has one child alone")))
    };
    let mut nodes = Vec::with_capacity(count);
    for node in 0..count {
        // In JSON it is the shortest decimal that stands for these 32 bits.
        let cover = f64::from(covers[node] as f32);
        if left[node] < 0 {
            let value = f64::from(conditions[node] as f32) * weight;
            nodes.push(Node::Leaf { value, cover });
            continue;
        }
        let test = if kinds.get(node) == Some(&1) {
            // Those of the set go right.
            Test::NotAmong(categories.of(node, place, room)?)
        } else {
            Test::Less(f64::from(conditions[node] as f32))
        };
        let split = Split {
            feature: child(features[node], node)?,
            test,
            missing: Missing::NaN,
            missing_left: defaults[node] != 0,
        };
        let (left, right) = (child(left[node], node)?, child(right[node], node)?);
        nodes.push(Node::Inner { split, left, right, cover });
    }
    Tree::new(&nodes, width, place)
}

/// The sets of categorical nodes: where the categories of each stand in one long list.
struct Categories {
    nodes: HashMap<i64, (i64, i64)>,
    all: Vec<i64>,
}

impl Categories {
    fn read(json: Field<'_>) -> Result<Self, Malformed> {
        if json.get("categories_nodes").is_none() {
            return Ok(Self { nodes: HashMap::new(), all: Vec::new() });
        }
        let starts = json.wholes("categories_segments")?;
        let sizes = json.wholes("categories_sizes")?;
        let places = starts.into_iter().zip(sizes);
        Ok(Self {
            nodes: json.wholes("categories_nodes")?.into_iter().zip(places).collect(),
            all: json.wholes("categories")?,
        })
    }

    fn of(&self, node: usize, place: &str, room: &mut Sets) -> Result<Vec<u64>, Malformed> {
        let these = self
            .listed(node)
            .ok_or_else(|| Malformed::new(place, format!("node {node} names no categories")))?;
        room.take(these.iter().max().map_or(0, |most| most / 64 + 1), place)?;
        Ok(among(these))
    }

    fn listed(&self, node: usize) -> Option<Vec<usize>> {
        // The origin's own limit of categories.
        const MOST: usize = 16_777_216;
        let (start, size) = self.nodes.get(&i64::try_from(node).ok()?)?;
        let start = usize::try_from(*start).ok()?;
        let these = self.all.get(start..start.checked_add(usize::try_from(*size).ok()?)?)?;
        let category = |one: &i64| usize::try_from(*one).ok().filter(|one| *one < MOST);
        these.iter().map(category).collect()
    }
}
