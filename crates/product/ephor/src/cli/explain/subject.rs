//! What is explained: a model's file, or what an endpoint answers.

use ephor_explain::{
    CancellationToken, Endpoint, ExplainError, Forest, Linear, Model, Rows, Scorer,
};

/// Whatever answers.
pub(super) enum Subject {
    File(Model),
    Served(Box<Endpoint>),
}

impl Subject {
    /// Its trees, where it is made of such.
    pub(super) fn forest(&self) -> Option<&Forest> {
        match self {
            Self::File(Model::Forest(forest)) => Some(forest),
            _ => None,
        }
    }

    /// Its weights, where it is a linear model.
    pub(super) fn linear(&self) -> Option<&Linear> {
        match self {
            Self::File(Model::Linear(linear)) => Some(linear),
            _ => None,
        }
    }
}

impl Scorer for Subject {
    fn features(&self) -> &[String] {
        match self {
            Self::File(model) => model.features(),
            Self::Served(endpoint) => endpoint.features(),
        }
    }

    fn outputs(&self) -> usize {
        match self {
            Self::File(model) => model.outputs(),
            Self::Served(endpoint) => endpoint.outputs(),
        }
    }

    fn score(&self, rows: &Rows) -> Result<Vec<f64>, ExplainError> {
        match self {
            Self::File(model) => model.score(rows),
            Self::Served(endpoint) => endpoint.score(rows),
        }
    }

    fn score_until(
        &self,
        rows: &Rows,
        cancel: &CancellationToken,
    ) -> Result<Vec<f64>, ExplainError> {
        match self {
            Self::File(model) => model.score_until(rows, cancel),
            Self::Served(endpoint) => endpoint.score_until(rows, cancel),
        }
    }
}
