//! The forms that models are read into.

mod graph;
mod linear;
mod link;
mod split;
mod tree;

pub(crate) use graph::CHOICE;
pub use graph::Graph;
pub use linear::Linear;
pub use link::Link;
pub(crate) use split::among;
pub use split::{Missing, Split, Test};
pub use tree::{Node, Tree};

use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, Scorer};

/// A model that was read from a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// Sums of trees.
    Forest(Forest),
    /// Weighted sums of the features.
    Linear(Linear),
    /// Anything else, which only answers.
    Graph(Graph),
}

impl Model {
    /// The sums for a row, before the link. Of what only answers there are none but its predictions; where it cannot be run, they
    /// are NaN.
    pub fn margin(&self, row: &[f64]) -> Vec<f64> {
        match self {
            Self::Forest(forest) => forest.margin(row),
            Self::Linear(linear) => linear.margin(row),
            Self::Graph(graph) => graph
                .scores(&Rows::new(row.to_vec(), row.len()), &CancellationToken::new())
                .unwrap_or_else(|_| vec![f64::NAN; graph.outputs()]),
        }
    }

    /// What is predicted for each row: a number, a probability, or one for each class.
    ///
    /// # Errors
    /// When the rows do not have the model's features, or a graph cannot be run.
    pub fn predict(&self, rows: &Rows) -> Result<Vec<Vec<f64>>, ExplainError> {
        match self {
            Self::Forest(forest) => forest.predict(rows),
            Self::Linear(linear) => linear.predict(rows),
            Self::Graph(graph) => graph.predict(rows),
        }
    }

    /// From the sums to what is predicted.
    pub fn link(&self) -> Link {
        match self {
            Self::Forest(forest) => forest.link,
            Self::Linear(linear) => linear.link,
            Self::Graph(_) => Link::Identity,
        }
    }

    /// How many trees it has.
    pub fn trees(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.trees.len(),
            Self::Linear(_) | Self::Graph(_) => 0,
        }
    }

    /// Is it a forest whose trees say how their training rows went?
    pub fn has_covers(&self) -> bool {
        matches!(self, Self::Forest(forest) if forest.has_covers())
    }

    /// The same model with other names of its features: many files hold none.
    ///
    /// # Errors
    /// When there are not as many names as features.
    pub fn named(mut self, names: Vec<String>) -> Result<Self, ExplainError> {
        let features = match &mut self {
            Self::Forest(forest) => &mut forest.features,
            Self::Linear(linear) => &mut linear.features,
            Self::Graph(graph) => &mut graph.features,
        };
        if features.len() != names.len() {
            return Err(ExplainError::Names { expected: features.len(), found: names.len() });
        }
        *features = names;
        Ok(self)
    }
}

impl Scorer for Model {
    fn features(&self) -> &[String] {
        match self {
            Self::Forest(forest) => &forest.features,
            Self::Linear(linear) => &linear.features,
            Self::Graph(graph) => &graph.features,
        }
    }

    fn outputs(&self) -> usize {
        match self {
            Self::Forest(forest) => forest.outputs(),
            Self::Linear(linear) => linear.outputs(),
            Self::Graph(graph) => graph.outputs(),
        }
    }

    fn score(&self, rows: &Rows) -> Result<Vec<f64>, ExplainError> {
        self.score_until(rows, &CancellationToken::new())
    }

    fn score_until(
        &self,
        rows: &Rows,
        cancel: &CancellationToken,
    ) -> Result<Vec<f64>, ExplainError> {
        match self {
            Self::Graph(graph) => graph.scores(rows, cancel),
            _ => Ok(self.predict(rows)?.into_iter().flatten().collect()),
        }
    }
}

/// Sums of trees, one for each output.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// The features' names, in the order of a row's values.
    pub features: Vec<String>,
    /// The trees with the output that each adds to.
    pub trees: Vec<(usize, Tree)>,
    /// What each output has before any tree is added: one value for each.
    pub base: Vec<f64>,
    /// From the sums to what is predicted.
    pub link: Link,
    /// XGBoost keeps rows in 32 bits, and compares them so.
    pub single_precision: bool,
}

impl Forest {
    /// How many sums it makes: one, or one for each class.
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// Do the trees say at every question how many training rows came to it? Path-dependent values and pairs of features need that;
    /// ONNX never holds it.
    pub fn has_covers(&self) -> bool {
        let is_unknown = |node: &Node| matches!(node, Node::Inner { cover, .. } if *cover <= 0.0);
        !self.trees.iter().any(|(_, tree)| tree.nodes().iter().any(is_unknown))
    }

    /// A value as the trees see it.
    pub(crate) fn seen(&self, value: f64) -> f64 {
        if self.single_precision { f64::from(value as f32) } else { value }
    }

    /// The sums for a row, before the link.
    pub fn margin(&self, row: &[f64]) -> Vec<f64> {
        let row: Vec<f64> = row.iter().map(|value| self.seen(*value)).collect();
        let mut sums = self.base.clone();
        for (output, tree) in &self.trees {
            sums[*output] += tree.leaf(&row);
        }
        sums
    }

    /// What is predicted for each row: a number, a probability, or one for each class.
    ///
    /// # Errors
    /// When the rows do not have the model's features.
    pub fn predict(&self, rows: &Rows) -> Result<Vec<Vec<f64>>, ExplainError> {
        let rows = rows.of(self.features.len())?;
        Ok(rows.iter().map(|row| self.link.apply(self.margin(row))).collect())
    }
}
