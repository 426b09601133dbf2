//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor`: all nodes of all trees in lists of one length.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Around, Fields,
    nodes::{Asked, Mode, Raw, nodes},
    scale::Scale,
};
use crate::{
    Forest, Link, Malformed,
    model::{Node, Tree},
    read::room::Room,
};

pub(super) fn classifier(node: Fields<'_>, around: &Around) -> Result<Forest, Malformed> {
    let labels =
        node.wholes("classlabels_int64s").len().max(node.words("classlabels_strings")?.len());
    let ids: BTreeSet<usize> = node.indices("class_ids")?.into_iter().collect();
    let base = node.numbers("base_values")?;
    // Of two classes one may have all weights: its sum is the second's.
    let one_sum = labels == 2 && ids.len() == 1;
    let (outputs, fits) = match (one_sum, base.len()) {
        (true, count) => (1, count == 0 || (count == 1 && ids.contains(&0))),
        (false, 0) => (labels, true),
        (false, count) => (labels, count == labels && labels > 2),
    };
    if !fits || outputs == 0 {
        let message = format!("its {} base values do not fit its {labels} classes", base.len());
        return Err(node.fault(message));
    }
    let link = match (node.word("post_transform", "NONE")?, outputs) {
        ("NONE", _) => Link::Identity,
        ("LOGISTIC", _) => Link::Logistic { scale: 1.0 },
        ("SOFTMAX", 2..) => Link::Softmax,
        (other, count) => {
            return Err(node.fault(format!("`{other}` of {count} sums cannot be read here")));
        }
    };
    if around.normalized && !(one_sum && link != Link::Identity || link == Link::Softmax) {
        return Err(node.fault("its sums are normalized, which cannot be read here"));
    }
    let base = if base.is_empty() { vec![0.0; outputs] } else { base };
    forest(node, around, "class", base, link, |id| if one_sum { 0 } else { id })
}

pub(super) fn regressor(node: Fields<'_>, around: &Around) -> Result<Forest, Malformed> {
    let targets = usize::try_from(node.whole("n_targets", 1)).unwrap_or(0);
    let mut base = node.numbers("base_values")?;
    if base.is_empty() {
        base.resize(targets.min(1 << 16), 0.0);
    }
    if targets == 0 || base.len() != targets {
        let message = format!("its {} base values do not fit its {targets} targets", base.len());
        return Err(node.fault(message));
    }
    let link = match (node.word("post_transform", "NONE")?, targets) {
        ("NONE", _) => Link::Identity,
        ("LOGISTIC", _) => Link::Logistic { scale: 1.0 },
        ("SOFTMAX", 2..) => Link::Softmax,
        (other, count) => {
            return Err(node.fault(format!("`{other}` of {count} sums cannot be read here")));
        }
    };
    if around.normalized {
        return Err(node.fault("its sums are normalized, which cannot be read here"));
    }
    let found = forest(node, around, "target", base, link, |id| id)?;
    match node.word("aggregate_function", "SUM")? {
        "SUM" => Ok(found),
        "AVERAGE" => {
            let trees: BTreeSet<i64> = node.wholes("nodes_treeids").iter().copied().collect();
            let share = 1.0 / trees.len().max(1) as f64;
            let scaled = found.trees.into_iter().map(|(to, tree)| (to, tree.scaled(share)));
            Ok(Forest { trees: scaled.collect(), ..found })
        }
        other => Err(node.fault(format!("`{other}` of trees is no sum, and cannot be read here"))),
    }
}

fn forest(
    node: Fields<'_>,
    around: &Around,
    prefix: &str,
    base: Vec<f64>,
    link: Link,
    output: impl Fn(usize) -> usize,
) -> Result<Forest, Malformed> {
    let listed = Listed::read(node)?;
    let adds = listed.adds(node, prefix, base.len(), output)?;
    let features = around.features(listed.width)?;
    if !base.iter().all(|number| number.is_finite()) {
        return Err(node.fault("a base value is not finite"));
    }
    let scale = Scale::read(node, around, features.len())?;
    let mut trees = Vec::new();
    for (index, (raw, adds)) in listed.trees.iter().zip(adds).enumerate() {
        let place = format!("{}, tree {index}", node.place());
        let mut nodes = nodes(raw, &place)?;
        if let Some(scale) = &scale {
            scale.unscale(&mut nodes, &place)?;
        }
        for (to, values) in adds {
            let mut nodes = nodes.clone();
            for (node, added) in nodes.iter_mut().zip(values) {
                if let Node::Leaf { value, .. } = node {
                    *value = added;
                }
            }
            trees.push((to, Tree::new(&nodes, features.len(), &place)?));
        }
    }
    Ok(Forest { features, trees, base, link, single_precision: !around.double })
}

/// The nodes, tree by tree.
struct Listed {
    trees: Vec<Vec<Raw>>,
    /// Of the numbers of a tree and of a node, where it stands.
    places: HashMap<(i64, i64), (usize, usize)>,
    /// How many features are asked about.
    width: usize,
}

impl Listed {
    fn read(node: Fields<'_>) -> Result<Self, Malformed> {
        let (trees, ids) = (node.wholes("nodes_treeids"), node.wholes("nodes_nodeids"));
        let (yes, no) = (node.wholes("nodes_truenodeids"), node.wholes("nodes_falsenodeids"));
        let features = node.indices("nodes_featureids")?;
        let (modes, values) = (node.words("nodes_modes")?, node.numbers("nodes_values")?);
        let tracks = node.wholes("nodes_missing_value_tracks_true");
        let count = trees.len();
        let lengths = [ids.len(), yes.len(), no.len(), features.len(), modes.len(), values.len()];
        if count == 0 || lengths.iter().any(|length| *length != count) {
            return Err(node.fault("the lists of its nodes are empty, or not of one length"));
        }
        // A tree's first node is its root.
        let (mut of_tree, mut sizes) = (HashMap::new(), Vec::new());
        let mut places = HashMap::with_capacity(count);
        for at in 0..count {
            let tree = *of_tree.entry(trees[at]).or_insert(sizes.len());
            if tree == sizes.len() {
                sizes.push(0);
            }
            if places.insert((trees[at], ids[at]), (tree, sizes[tree])).is_some() {
                return Err(
                    node.fault(format!("node {} of tree {} is there twice", ids[at], trees[at]))
                );
            }
            sizes[tree] += 1;
        }
        let mut read: Vec<Vec<Raw>> = sizes.iter().map(|size| Vec::with_capacity(*size)).collect();
        let mut width = 0;
        for at in 0..count {
            let tree = of_tree[&trees[at]];
            if modes[at] == "LEAF" {
                read[tree].push(Raw::Leaf);
                continue;
            }
            let mode = Mode::read(modes[at]).ok_or_else(|| {
                node.fault(format!("there are no nodes of the mode `{}`", modes[at]))
            })?;
            let child = |id: i64| {
                let place = places.get(&(trees[at], id)).map(|(_, index)| *index);
                place.ok_or_else(|| node.fault(format!("tree {} has no node {id}", trees[at])))
            };
            width = width.max(features[at].saturating_add(1));
            read[tree].push(Raw::Asks(Asked {
                mode,
                feature: features[at],
                value: values[at],
                yes: child(yes[at])?,
                no: child(no[at])?,
                missing: tracks.get(at).is_some_and(|tracks| *tracks != 0),
            }));
        }
        Ok(Self { trees: read, places, width })
    }

    /// Of each tree, what its nodes add to each output that it adds to.
    fn adds(
        &self,
        node: Fields<'_>,
        prefix: &str,
        outputs: usize,
        output: impl Fn(usize) -> usize,
    ) -> Result<Vec<BTreeMap<usize, Vec<f64>>>, Malformed> {
        let (trees, nodes) =
            (node.wholes(&format!("{prefix}_treeids")), node.wholes(&format!("{prefix}_nodeids")));
        let (ids, weights) =
            (node.indices(&format!("{prefix}_ids"))?, node.numbers(&format!("{prefix}_weights"))?);
        if [nodes.len(), ids.len(), weights.len()].iter().any(|length| *length != trees.len()) {
            return Err(node.fault("the lists of its weights are not of one length"));
        }
        let mut adds = vec![BTreeMap::<usize, Vec<f64>>::new(); self.trees.len()];
        let mut room = Room::new();
        for at in 0..trees.len() {
            let (tree, index) = *self.places.get(&(trees[at], nodes[at])).ok_or_else(|| {
                node.fault(format!("tree {} has no node {}", trees[at], nodes[at]))
            })?;
            let to = output(ids[at]);
            if to >= outputs {
                return Err(node.fault(format!("a weight is for output {to} of {outputs}")));
            }
            let size = self.trees[tree].len();
            if !adds[tree].contains_key(&to) {
                room.take(1, size, &node.place())?;
            }
            adds[tree].entry(to).or_insert_with(|| vec![0.0; size])[index] += weights[at];
        }
        Ok(adds)
    }
}
