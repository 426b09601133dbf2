//! LightGBM's text: `key=value` lines, a head and then a block for each tree.

use std::{collections::HashMap, str::FromStr};

use super::sets::Sets;
use crate::{
    Forest, Link, Malformed,
    model::{Missing, Node, Split, Test, Tree},
};

/// Bits of a node's `decision_type`.
const CATEGORICAL: u32 = 1;
const DEFAULT_LEFT: u32 = 2;

/// The lines of the head, or of a tree.
struct Block<'a> {
    place: String,
    lines: HashMap<&'a str, &'a str>,
}

impl<'a> Block<'a> {
    fn text(&self, key: &str) -> Result<&'a str, Malformed> {
        self.lines.get(key).copied().ok_or_else(|| {
            Malformed::new(&self.place, format!("`{key}` is missing"))
                .hint("Save the model by save_model(\"model.txt\").")
        })
    }

    fn one<T: FromStr>(&self, key: &str) -> Result<T, Malformed> {
        let text = self.text(key)?;
        text.parse().map_err(|_| {
            Malformed::new(&self.place, format!("`{key}` is `{text}`, which is no number"))
        })
    }

    /// Numbers with blanks between.
    fn many<T: FromStr>(&self, key: &str) -> Result<Vec<T>, Malformed> {
        let read = |text: &str| text.split_ascii_whitespace().map(T::from_str).collect();
        let list: Result<Vec<T>, _> = read(self.text(key)?);
        list.map_err(|_| Malformed::new(&self.place, format!("not all of `{key}` are numbers")))
    }

    fn of_length<T: FromStr>(&self, key: &str, length: usize) -> Result<Vec<T>, Malformed> {
        let list = self.many(key)?;
        if list.len() == length {
            return Ok(list);
        }
        let message = format!("`{key}` has {} numbers for {length}", list.len());
        Err(Malformed::new(&self.place, message))
    }
}

pub(super) fn read(content: &[u8]) -> Result<Forest, Malformed> {
    let text = std::str::from_utf8(content).map_err(|error| {
        Malformed::new(format!("byte {}", error.valid_up_to()), "it is no UTF-8 text")
    })?;
    let mut blocks = blocks(text);
    let head = blocks
        .next()
        .unwrap_or_else(|| Block { place: "the head".to_owned(), lines: HashMap::new() });
    let features: Vec<String> =
        head.text("feature_names")?.split_ascii_whitespace().map(str::to_owned).collect();
    let outputs: usize = head.one("num_tree_per_iteration")?;
    if outputs == 0 || outputs > 1 << 16 {
        let message = format!("`num_tree_per_iteration` is {outputs}");
        return Err(Malformed::new(&head.place, message));
    }
    let link = link(&head, head.text("objective").unwrap_or("custom"))?;
    let (mut trees, mut room) = (Vec::new(), Sets::new());
    for (index, block) in blocks.enumerate() {
        trees.push((index % outputs, tree(&block, features.len(), &mut room)?));
    }
    // A random forest answers the mean of its trees.
    if head.lines.contains_key("average_output") {
        if trees.len() < outputs {
            let message = format!("the mean of {} trees is none of {outputs} outputs", trees.len());
            return Err(Malformed::new(&head.place, message));
        }
        let share = outputs as f64 / trees.len() as f64;
        trees = trees.into_iter().map(|(output, tree)| (output, tree.scaled(share))).collect();
    }
    Ok(Forest { features, trees, base: vec![0.0; outputs], link, single_precision: false })
}

/// The head, then the trees, up to what LightGBM writes behind them.
fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let trees = text.split("\nend of trees").next().unwrap_or_default();
    trees.split("\nTree=").enumerate().map(|(index, block)| Block {
        place: if index == 0 { "the head".to_owned() } else { format!("tree {}", index - 1) },
        lines: block
            .lines()
            .map(|line| line.split_once('=').unwrap_or((line.trim(), "")))
            .collect(),
    })
}

/// `binary sigmoid:1`, `multiclass num_class:3`, `regression` …
fn link(head: &Block<'_>, objective: &str) -> Result<Link, Malformed> {
    let mut words = objective.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    let options: HashMap<&str, &str> = words.filter_map(|word| word.split_once(':')).collect();
    let scale = || -> Result<f64, Malformed> {
        let text = options.get("sigmoid").copied().unwrap_or("1");
        text.parse().map_err(|_| Malformed::new(&head.place, format!("sigmoid is `{text}`")))
    };
    Ok(match name {
        "binary" | "multiclassova" | "cross_entropy" => Link::Logistic { scale: scale()? },
        "multiclass" => Link::Softmax,
        "poisson" | "gamma" | "tweedie" => Link::Exponential,
        "regression" if objective.contains("sqrt") => {
            return Err(Malformed::new(&head.place, "`reg_sqrt` cannot be read here."));
        }
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank"
        | "rank_xendcg" | "custom" => Link::Identity,
        other => {
            let message = format!("the objective `{other}` is not known here.");
            return Err(Malformed::new(&head.place, message));
        }
    })
}

fn tree(block: &Block<'_>, width: usize, room: &mut Sets) -> Result<Tree, Malformed> {
    let place = block.place.as_str();
    let leaves: usize = block.one("num_leaves")?;
    if block.lines.get("is_linear").is_some_and(|text| text.trim() == "1") {
        return Err(Malformed::new(
            place,
            "its leaves are linear models, which cannot be read here.",
        ));
    }
    let inner = leaves.saturating_sub(1);
    let values: Vec<f64> = block.of_length("leaf_value", leaves)?;
    if inner == 0 {
        let value = values.first().copied().unwrap_or(0.0);
        return Tree::new(&[Node::Leaf { value, cover: 1.0 }], width, place);
    }
    let features: Vec<usize> = block.of_length("split_feature", inner)?;
    let thresholds: Vec<f64> = block.of_length("threshold", inner)?;
    let decisions: Vec<u32> = block.of_length("decision_type", inner)?;
    let left: Vec<i64> = block.of_length("left_child", inner)?;
    let right: Vec<i64> = block.of_length("right_child", inner)?;
    let covers: Vec<f64> = block.of_length("internal_count", inner)?;
    let leaf_covers: Vec<f64> = block.of_length("leaf_count", leaves)?;
    let sets = if block.one::<usize>("num_cat")? > 0 {
        (block.many::<usize>("cat_boundaries")?, block.many::<u32>("cat_threshold")?)
    } else {
        (Vec::new(), Vec::new())
    };
    // Inner nodes first, the leaves behind them.
    let child = |index: i64| -> Result<usize, Malformed> {
        // -1 is the first leaf: `!index` is -1 - index, and cannot overflow.
        let at = if index < 0 {
            usize::try_from(!index).ok().and_then(|leaf| leaf.checked_add(inner))
        } else {
            usize::try_from(index).ok()
        };
        at.ok_or_else(|| Malformed::new(place, format!("there is no node {index}")))
    };
    let mut nodes = Vec::with_capacity(inner + leaves);
    for node in 0..inner {
        let decision = decisions[node];
        let (test, missing, missing_left) = if decision & CATEGORICAL != 0 {
            let words = words(&sets, thresholds[node])
                .ok_or_else(|| Malformed::new(place, format!("node {node} names no categories")))?;
            room.take(words.len().div_ceil(2), place)?;
            // A missing category is none of the set.
            (Test::Among(set(words)), Missing::NaN, false)
        } else {
            let missing = match decision >> 2 & 3 {
                0 => Missing::Never,
                1 => Missing::Zero,
                _ => Missing::NaN,
            };
            if thresholds[node].is_nan() {
                return Err(Malformed::new(place, format!("node {node} has no threshold")));
            }
            (Test::AtMost(thresholds[node]), missing, decision & DEFAULT_LEFT != 0)
        };
        let split = Split { feature: features[node], test, missing, missing_left };
        let (left, right) = (child(left[node])?, child(right[node])?);
        nodes.push(Node::Inner { split, left, right, cover: covers[node] });
    }
    for (value, cover) in values.iter().zip(leaf_covers) {
        nodes.push(Node::Leaf { value: *value, cover });
    }
    Tree::new(&nodes, width, place)
}

/// A node's set: its threshold counts the tree's sets, and the boundaries say which words are of which.
fn words((boundaries, words): &(Vec<usize>, Vec<u32>), threshold: f64) -> Option<&[u32]> {
    let at = threshold as usize;
    words.get(*boundaries.get(at)?..*boundaries.get(at + 1)?)
}

fn set(words: &[u32]) -> Vec<u64> {
    words
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | pair.get(1).map_or(0, |high| u64::from(*high) << 32))
        .collect()
}
