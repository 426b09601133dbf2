//! SHAP values in the unit of a probability.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    against::{Against, ReadyPart},
    background::{Interventional, Weights, each_bit},
    limits::Limits,
    ways::{BITS, follow, way},
    work::{Block, Work},
};
use crate::{ExplainError, Forest, Link, Rows, model::Node};

/// Rows that are explained together: few enough that a cancelled work ends soon.
const BLOCK: usize = 32;

/// Interventional SHAP values in the unit of the probability that a model of one output predicts by the logistic function:
/// against each background row the values of the margin are exact, and scaled so that they add up to the difference of the two
/// probabilities; their mean over the background is given. That is what `shap.TreeExplainer(model, background,
/// model_output="probability")` gives. Where the margin is the probability, it is [`super::interventional`].
///
/// For each row base + sum of the values = probability, and the base is the background's mean probability.
///
/// # Errors
/// As [`super::interventional`]; also when the model predicts no such probability.
pub fn in_probability(
    forest: &Forest,
    rows: &Rows,
    background: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let ready = InProbability::new(forest, background, &Limits::USUAL, cancel)?;
    ready.values(forest, rows, progress, cancel)
}

/// A forest and a background, ready for rows.
#[derive(Debug)]
pub(super) enum InProbability {
    /// Its margin is the probability.
    Itself(Interventional),
    Scaled(Scaled),
}

/// A forest whose margin becomes a probability by the logistic function.
#[derive(Debug)]
pub(super) struct Scaled {
    scale: f64,
    /// Of the background's rows.
    margins: Vec<f64>,
    against: Against,
    weights: Weights,
}

impl InProbability {
    pub(super) fn new(
        forest: &Forest,
        background: &Rows,
        limits: &Limits,
        cancel: &CancellationToken,
    ) -> Result<Self, ExplainError> {
        let scale = match forest.link {
            Link::Identity if are_shares(forest) => {
                return Interventional::new(forest, background, limits, cancel).map(Self::Itself);
            }
            Link::Logistic { scale } if forest.outputs() == 1 => scale,
            _ => return Err(ExplainError::NoProbability),
        };
        let background = background.of(forest.features.len())?;
        if background.is_empty() {
            return Err(ExplainError::NoBackground);
        }
        let mut margins = Vec::with_capacity(background.len());
        for row in background.iter() {
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            margins.push(forest.margin(row)[0]);
        }
        let against = Against::new(forest, background, true, limits, cancel)?;
        let weights = Weights::new(1.0 / background.len() as f64);
        Ok(Self::Scaled(Scaled { scale, margins, against, weights }))
    }

    pub(super) fn against(&mut self) -> &mut Against {
        match self {
            Self::Itself(ready) => &mut ready.against,
            Self::Scaled(ready) => &mut ready.against,
        }
    }

    /// The values of some rows. The forest is the one that it was made of.
    pub(super) fn values(
        &self,
        forest: &Forest,
        rows: &Rows,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Explanation, ExplainError> {
        match self {
            Self::Itself(ready) => ready.values(forest, rows, progress, cancel),
            Self::Scaled(ready) => ready.values(forest, rows, progress, cancel),
        }
    }
}

impl Scaled {
    fn values(
        &self,
        forest: &Forest,
        rows: &Rows,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Explanation, ExplainError> {
        let Self { scale, margins, against, weights } = self;
        let features = forest.features.len();
        let rows = rows.of(features)?;
        let mut work = Work::new(forest, rows, features, against.parts(), progress, cancel);
        against.each(forest, cancel, |ready| {
            let room = ready.iter().map(|ready| ready.edges.len()).max().unwrap_or(0);
            work.pass(BLOCK, ready.len(), room, |block| {
                let Block { rows, values } = block;
                let mut followed = Vec::new();
                let rows = rows.chunks_exact(features);
                for (row, values) in rows.zip(values.chunks_exact_mut(features)) {
                    if cancel.is_cancelled() {
                        return;
                    }
                    let factors = factors(forest.margin(row)[0], margins, *scale);
                    for ready in &ready {
                        walk(ready, row, weights, &factors, &mut followed, values);
                    }
                }
            })
        })?;
        Ok(Explanation { base: vec![mean(margins, *scale)], values: work.values, features })
    }
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

/// As the interventional walk, with each background row's own factor.
fn walk(
    ReadyPart { edges, ways, .. }: &ReadyPart<'_>,
    row: &[f64],
    weights: &Weights,
    factors: &[f64],
    followed: &mut Vec<bool>,
    values: &mut [f64],
) {
    follow(edges, row, followed);
    for leaf in &ways.leaves {
        let path = ways.path(leaf);
        let mine = way(path, followed);
        let all = u64::MAX >> (BITS - path.len());
        for way in ways.of(leaf) {
            let theirs = way.bits;
            if mine | theirs != all {
                continue;
            }
            let factor: f64 = ways.rows(way).iter().map(|row| factors[*row as usize]).sum();
            let amount = leaf.value * factor;
            let (gaining, losing) = (mine & !theirs, theirs & !mine);
            let (a, b) = (gaining.count_ones() as usize, losing.count_ones() as usize);
            let (gain, loss) = weights.of(a, b);
            let feature = |bit: usize| path[bit].1 as usize;
            each_bit(gaining, |bit| values[feature(bit)] += amount * gain);
            each_bit(losing, |bit| values[feature(bit)] -= amount * loss);
        }
    }
}
