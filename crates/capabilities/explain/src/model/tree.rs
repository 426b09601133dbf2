//! One tree.

use super::Split;
use crate::Malformed;

/// A tree. The first node is the root, and the others stand depth first: right behind a node all that is left of it, then all that is
/// right of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree(Vec<Node>);

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// It asks.
    Inner {
        /// What it asks.
        split: Split,
        /// Where those go of whom it is true.
        left: usize,
        /// Where the others go.
        right: usize,
        /// The training rows that came here, as the origin weighs them.
        cover: f64,
    },
    /// It answers.
    Leaf {
        /// What is added to the sum.
        value: f64,
        /// The training rows that came here.
        cover: f64,
    },
}

impl Node {
    /// The training rows that came here.
    pub fn cover(&self) -> f64 {
        match self {
            Self::Inner { cover, .. } | Self::Leaf { cover, .. } => *cover,
        }
    }
}

/// The most questions on a way to a leaf. Trees that are trained have tens of them; each question looks at those above it.
const MOST_DEEP: usize = 4_096;

impl Tree {
    /// Takes nodes in any order of which the first is the root, and puts each before its children.
    ///
    /// # Errors
    /// When a child is not there, or is the child of two nodes, or asks about a feature that is not there; when a number is
    /// not finite; when it is deeper than 4 096.
    pub fn new(nodes: &[Node], features: usize, place: &str) -> Result<Self, Malformed> {
        let fault = |message: String| Malformed::new(place, message);
        let mut ordered: Vec<Node> = Vec::with_capacity(nodes.len());
        // What is still to be placed: the node, which link of which placed node leads to it, and how deep it stands.
        let mut waiting = vec![(0, None, 0)];
        while let Some((old, parent, depth)) = waiting.pop() {
            if depth > MOST_DEEP {
                return Err(fault(format!("it is deeper than {MOST_DEEP} questions")));
            }
            let node =
                nodes.get(old).ok_or_else(|| fault(format!("there is no node {old}")))?.clone();
            let new = ordered.len();
            if new >= nodes.len() {
                return Err(fault("a node is the child of two others".to_owned()));
            }
            if let Some((above, is_left)) = parent
                && let Some(Node::Inner { left, right, .. }) = ordered.get_mut::<usize>(above)
            {
                *(if is_left { left } else { right }) = new;
            }
            let cover = node.cover();
            if !(cover >= 0.0 && cover.is_finite()) {
                return Err(fault(format!("the cover of node {old} is {cover}")));
            }
            match &node {
                Node::Inner { split, left, right, .. } => {
                    if split.feature >= features {
                        return Err(fault(format!(
                            "node {old} asks about feature {}, and there are {features}",
                            split.feature
                        )));
                    }
                    waiting.push((*right, Some((new, false)), depth + 1));
                    waiting.push((*left, Some((new, true)), depth + 1));
                }
                Node::Leaf { value, .. } if !value.is_finite() => {
                    return Err(fault(format!("leaf {old} adds {value}")));
                }
                Node::Leaf { .. } => {}
            }
            ordered.push(node);
        }
        Ok(Self(ordered))
    }

    /// The same tree that adds so many times as much.
    pub(crate) fn scaled(mut self, factor: f64) -> Self {
        for node in &mut self.0 {
            if let Node::Leaf { value, .. } = node {
                *value *= factor;
            }
        }
        self
    }

    /// Its nodes, depth first.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// The value of the leaf that a row comes to.
    pub fn leaf(&self, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match &self.0[at] {
                Node::Inner { split, left, right, .. } => {
                    at = if split.left(row) { *left } else { *right };
                }
                Node::Leaf { value, .. } => return *value,
            }
        }
    }
}
