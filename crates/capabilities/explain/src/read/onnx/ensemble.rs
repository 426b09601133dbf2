//! `TreeEnsemble`, which ai.onnx.ml 5 puts in the place of the two before: questions and leaves in lists of their own.

use std::collections::VecDeque;

use super::{
    Around, Fields,
    nodes::{Asked, Mode, Raw, nodes},
};
use crate::{
    Forest, Link, Malformed,
    model::{Node, Tree},
    read::room::Room,
};

pub(super) fn read(node: Fields<'_>, around: &Around) -> Result<Forest, Malformed> {
    let targets = usize::try_from(node.whole("n_targets", 1)).unwrap_or(0);
    if targets == 0 || targets > 1 << 16 {
        return Err(node.fault("`n_targets` is no count"));
    }
    if around.scaler.is_some() || around.normalized {
        return Err(node.fault("what stands before or after its trees changes what they answer"));
    }
    let link = match (node.whole("post_transform", 0), targets) {
        (0, _) => Link::Identity,
        (1, 2..) => Link::Softmax,
        (2, _) => Link::Logistic { scale: 1.0 },
        (other, _) => {
            return Err(node.fault(format!("post_transform {other} cannot be read here")));
        }
    };
    let roots = node.indices("tree_roots")?;
    let factor = match node.whole("aggregate_function", 1) {
        0 => 1.0 / roots.len().max(1) as f64,
        1 => 1.0,
        other => {
            return Err(node
                .fault(format!("aggregate_function {other} is no sum, and cannot be read here")));
        }
    };
    let all = Lists::read(node)?;
    let features = around.features(all.width())?;
    let (mut trees, mut room) = (Vec::new(), Room::new());
    for (index, root) in roots.iter().enumerate() {
        let place = format!("{}, tree {index}", node.place());
        let (raw, leaves) = all.tree(*root, &place)?;
        let skeleton = nodes(&raw, &place)?;
        let mut outputs: Vec<usize> =
            leaves.iter().flatten().map(|leaf| all.targets[*leaf]).collect();
        outputs.sort_unstable();
        outputs.dedup();
        room.take(outputs.len(), raw.len(), &place)?;
        for output in outputs {
            if output >= targets {
                return Err(node.fault(format!("a leaf is for output {output} of {targets}")));
            }
            let mut nodes = skeleton.clone();
            for (node, leaf) in nodes.iter_mut().zip(&leaves) {
                if let (Node::Leaf { value, .. }, Some(leaf)) = (node, leaf)
                    && all.targets[*leaf] == output
                {
                    *value = all.weights[*leaf] * factor;
                }
            }
            trees.push((output, Tree::new(&nodes, features.len(), &place)?));
        }
    }
    let base = vec![0.0; targets];
    Ok(Forest { features, trees, base, link, single_precision: !around.double })
}

struct Lists<'a> {
    features: Vec<usize>,
    modes: Vec<f64>,
    values: Vec<f64>,
    yes: (Vec<usize>, &'a [i64]),
    no: (Vec<usize>, &'a [i64]),
    tracks: &'a [i64],
    targets: Vec<usize>,
    weights: Vec<f64>,
}

impl<'a> Lists<'a> {
    fn read(node: Fields<'a>) -> Result<Self, Malformed> {
        let lists = Self {
            features: node.indices("nodes_featureids")?,
            modes: node.tensor("nodes_modes")?,
            values: node.tensor("nodes_splits")?,
            yes: (node.indices("nodes_truenodeids")?, node.wholes("nodes_trueleafs")),
            no: (node.indices("nodes_falsenodeids")?, node.wholes("nodes_falseleafs")),
            tracks: node.wholes("nodes_missing_value_tracks_true"),
            targets: node.indices("leaf_targetids")?,
            weights: node.tensor("leaf_weights")?,
        };
        let count = lists.features.len();
        let lengths = [lists.modes.len(), lists.values.len(), lists.yes.0.len(), lists.yes.1.len()];
        let others = [lists.no.0.len(), lists.no.1.len()];
        let differ = lengths.iter().chain(&others).any(|length| *length != count);
        if count == 0 || differ || lists.targets.len() != lists.weights.len() {
            return Err(node.fault("its lists are empty, or not of one length"));
        }
        Ok(lists)
    }

    fn width(&self) -> usize {
        self.features.iter().max().map_or(0, |most| most.saturating_add(1))
    }

    /// The nodes below a root, it first; of those that are leaves, which. A tree that is one leaf is written as a question
    /// with one answer.
    #[allow(clippy::type_complexity, reason = "two lists of one length")]
    fn tree(&self, root: usize, place: &str) -> Result<(Vec<Raw>, Vec<Option<usize>>), Malformed> {
        let fault = |message: String| Malformed::new(place, message);
        let (mut raw, mut leaves) = (Vec::new(), Vec::new());
        let mut waiting = VecDeque::from([(root, false)]);
        let mut next = 1;
        while let Some((at, is_leaf)) = waiting.pop_front() {
            let side = |(ids, leaf): &(Vec<usize>, &[i64])| {
                let id =
                    ids.get(at).copied().ok_or_else(|| fault(format!("there is no node {at}")))?;
                Ok::<_, Malformed>((id, leaf.get(at).is_some_and(|leaf| *leaf != 0)))
            };
            let leaf = if is_leaf {
                Some(at)
            } else {
                let (yes, no) = (side(&self.yes)?, side(&self.no)?);
                (yes == no && yes.1).then_some(yes.0)
            };
            if let Some(leaf) = leaf {
                if leaf >= self.targets.len() {
                    return Err(fault(format!("there is no leaf {leaf}")));
                }
                raw.push(Raw::Leaf);
                leaves.push(Some(leaf));
                continue;
            }
            if raw.len() > self.features.len() + self.targets.len() {
                return Err(fault("a node is the child of two others".to_owned()));
            }
            let mode = match self.modes[at] as i64 {
                0 => Mode::AtMost,
                1 => Mode::Less,
                2 => Mode::AtLeast,
                3 => Mode::Greater,
                4 => Mode::Equal,
                5 => Mode::Unequal,
                other => {
                    return Err(fault(format!("nodes of the mode {other} cannot be read here")));
                }
            };
            waiting.extend([side(&self.yes)?, side(&self.no)?]);
            raw.push(Raw::Asks(Asked {
                mode,
                feature: self.features[at],
                value: self.values[at],
                yes: next,
                no: next + 1,
                missing: self.tracks.get(at).is_some_and(|tracks| *tracks != 0),
            }));
            leaves.push(None);
            next += 2;
        }
        Ok((raw, leaves))
    }
}
