//! SHAP values in the unit of a probability.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    background::{BITS, Weights, each_bit, features_of, follow, way},
    paths::{Edge, edges},
    work::{Block, Work},
};
use crate::{
    ExplainError, Forest, Link, Rows,
    model::{Node, Tree},
};

/// Rows that are explained together: few enough that a cancelled work ends soon.
const BLOCK: usize = 32;
/// 1 GiB of numbers of background rows, one for each leaf.
const MOST: usize = 1 << 28;

/// Interventional SHAP values in the unit of the probability that a model of one output predicts by the logistic function:
/// against each background row the values of the margin are exact, and scaled so that they add up to the difference of the two
/// probabilities; their mean over the background is given. That is what `shap.TreeExplainer(model, background,
/// model_output="probability")` gives. Where the margin is the probability, it is [`super::interventional`].
///
/// For each row base + sum of the values = probability, and the base is the background's mean probability.
///
/// # Errors
/// As [`super::interventional`]; also when the model predicts no such probability, and when leaves and background rows are too
/// many.
pub fn in_probability(
    forest: &Forest,
    rows: &Rows,
    background: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let scale = match forest.link {
        Link::Identity if are_shares(forest) => {
            return super::interventional(forest, rows, background, progress, cancel);
        }
        Link::Logistic { scale } if forest.outputs() == 1 => scale,
        _ => return Err(ExplainError::NoProbability),
    };
    let features = forest.features.len();
    let (rows, background) = (rows.of(features)?, background.of(features)?);
    if background.is_empty() {
        return Err(ExplainError::NoBackground);
    }
    let leaves = forest.trees.iter().map(|(_, tree)| tree.nodes().len() / 2 + 1).sum::<usize>();
    if leaves.saturating_mul(background.len()) > MOST {
        return Err(ExplainError::TooLarge { leaves, background: background.len() });
    }
    let margins: Vec<f64> = background.iter().map(|row| forest.margin(row)[0]).collect();
    let base = mean(&margins, scale);
    let seen: Vec<Vec<f64>> = background
        .iter()
        .map(|row| row.iter().map(|value| forest.seen(*value)).collect())
        .collect();
    let mut trees = Vec::with_capacity(forest.trees.len());
    for (_, tree) in &forest.trees {
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        trees.push(Against::new(tree, &seen)?);
    }
    let weights = Weights::new();
    let mut work = Work::new(forest, rows, features, trees.len(), progress, cancel);
    work.pass(BLOCK, trees.len(), |block| {
        let Block { rows, values } = block;
        let mut followed = Vec::new();
        for (row, values) in rows.chunks_exact(features).zip(values.chunks_exact_mut(features)) {
            let factors = factors(forest.margin(row)[0], &margins, scale);
            for tree in &trees {
                tree.walk(row, &weights, &factors, &mut followed, values);
            }
        }
    })?;
    Ok(Explanation { base: vec![base], values: work.values, features })
}

/// Can no sum leave 0 to 1? So it is where leaves hold shares of classes.
fn are_shares(forest: &Forest) -> bool {
    const SLACK: f64 = 1e-4;
    let (mut least, mut most) = (forest.base.clone(), forest.base.clone());
    for (output, tree) in &forest.trees {
        let leaves = tree.nodes().iter().filter_map(|node| match node {
            Node::Leaf { value, .. } => Some(*value),
            Node::Inner { .. } => None,
        });
        let range = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = leaves.fold((f64::INFINITY, f64::NEG_INFINITY), range);
        least[*output] += low;
        most[*output] += high;
    }
    least.iter().all(|least| *least >= -SLACK) && most.iter().all(|most| *most <= 1.0 + SLACK)
}

fn probability(margin: f64, scale: f64) -> f64 {
    1.0 / (1.0 + (-scale * margin).exp())
}

/// The mean probability of rows of these margins.
pub(super) fn mean(margins: &[f64], scale: f64) -> f64 {
    let all = margins.iter().map(|margin| probability(*margin, scale));
    all.sum::<f64>() / margins.len() as f64
}

/// By what values of the margin against each background row are multiplied, for their mean to add up in the probability.
pub(super) fn factors(margin: f64, margins: &[f64], scale: f64) -> Vec<f64> {
    // Nearer than this, the slope between the two is as good, and nothing is divided by what may be nothing.
    const NEAR: f64 = 1e-5;
    let factor = |other: &f64| {
        let apart = margin - other;
        if (scale * apart).abs() < NEAR {
            let between = probability(other + apart / 2.0, scale);
            scale * between * (1.0 - between)
        } else {
            (probability(margin, scale) - probability(*other, scale)) / apart
        }
    };
    margins.iter().map(|other| factor(other) / margins.len() as f64).collect()
}

/// A tree with the ways of the background's rows, each row known.
struct Against<'a> {
    edges: Vec<Edge<'a>>,
    leaves: Vec<Leaf>,
}

struct Leaf {
    value: f64,
    /// Of each feature of the path: its last edge, and itself.
    path: Vec<(usize, usize)>,
    /// Which of the path's features background rows follow, as bits; and which rows.
    ways: Vec<(u64, Vec<u32>)>,
}

impl<'a> Against<'a> {
    fn new(tree: &'a Tree, background: &[Vec<f64>]) -> Result<Self, ExplainError> {
        let edges = edges(tree);
        let mut leaves = Vec::new();
        for (at, edge) in edges.iter().enumerate() {
            let Some(value) = edge.leaf else { continue };
            leaves.push(Leaf { value, path: features_of(&edges, at)?, ways: Vec::new() });
        }
        let mut followed = Vec::new();
        for (row, values) in (0..).zip(background) {
            follow(&edges, values, &mut followed);
            for leaf in &mut leaves {
                let way = way(&leaf.path, &followed);
                match leaf.ways.iter_mut().find(|(one, _)| *one == way) {
                    Some((_, rows)) => rows.push(row),
                    None => leaf.ways.push((way, vec![row])),
                }
            }
        }
        Ok(Self { edges, leaves })
    }

    /// As the interventional walk, with each background row's own factor.
    fn walk(
        &self,
        row: &[f64],
        weights: &Weights,
        factors: &[f64],
        followed: &mut Vec<bool>,
        values: &mut [f64],
    ) {
        follow(&self.edges, row, followed);
        for leaf in &self.leaves {
            let mine = way(&leaf.path, followed);
            let all = u64::MAX >> (BITS - leaf.path.len());
            for (theirs, rows) in &leaf.ways {
                if mine | theirs != all {
                    continue;
                }
                let factor: f64 = rows.iter().map(|row| factors[*row as usize]).sum();
                let amount = leaf.value * factor;
                let (gaining, losing) = (mine & !theirs, theirs & !mine);
                let (a, b) = (gaining.count_ones() as usize, losing.count_ones() as usize);
                let (gain, loss) = weights.of(a, b);
                each_bit(gaining, |bit| values[leaf.path[bit].1] += amount * gain);
                each_bit(losing, |bit| values[leaf.path[bit].1] -= amount * loss);
            }
        }
    }
}
