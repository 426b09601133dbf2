//! What can go wrong.

use thiserror::Error;

use crate::endpoint::EndpointError;

/// Why an explanation was not made.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// The model's file is not what it says it is.
    #[error(transparent)]
    Model(#[from] Malformed),
    /// The rows do not have the features of the model.
    #[error("the model has {expected} features, and the rows have {found}")]
    Width {
        /// Features of the model.
        expected: usize,
        /// Columns of the rows.
        found: usize,
    },
    /// Names were given for features that are not there, or not for all.
    #[error("the model has {expected} features, and {found} names are given")]
    Names {
        /// Features of the model.
        expected: usize,
        /// Names.
        found: usize,
    },
    /// An endpoint gave no predictions.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There is nothing to compare with.
    #[error("the background has no rows; interventional values compare with at least one")]
    NoBackground,
    /// There is nothing to learn from.
    #[error("there are no rows")]
    NoRows,
    /// What was asked for does not fit the model or the rows; all of it at once.
    #[error("{}", .0.join("\n"))]
    Asked(Vec<String>),
    /// The model answers what is no number.
    #[error("the model predicts {found} for a row: {row}")]
    NoNumber {
        /// The prediction.
        found: f64,
        /// The row's first values.
        row: String,
    },
    /// A graph could not be put to work.
    #[error("the model could not be run: {0}")]
    Run(String),
    /// The model answers more or less than it was asked.
    #[error("the model was asked for {expected} predictions, and gave {found}")]
    Answers {
        /// Rows times outputs.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// More than the engine can do exactly.
    #[error(
        "a path of the model tests {found} different features; at most {most} can be explained exactly"
    )]
    TooManyFeatures {
        /// Of one path.
        found: usize,
        /// What the engine can do.
        most: usize,
    },
    /// The model does not say how many rows went which way when it was trained.
    #[error(
        "tree {tree} says that no training rows passed its node {node}; path-dependent values need their shares, so use interventional ones"
    )]
    NoCover {
        /// Which tree.
        tree: usize,
        /// Which of its nodes.
        node: usize,
    },
    /// A weighted sum needs all of its features.
    #[error(
        "row {row}{} has no finite value of `{feature}`; a linear model needs all of its features",
        if *background { " of the background" } else { "" }
    )]
    NoValue {
        /// Which row, from 0 on.
        row: usize,
        /// Which feature.
        feature: String,
        /// Is it one of those that are compared with?
        background: bool,
    },
    /// The model's predictions are no probability that can be explained as such.
    #[error(
        "the model does not predict one probability by the logistic function, and only such can be explained in that unit; explain the margin"
    )]
    NoProbability,
    /// More memory than may be taken.
    #[error(
        "tree {tree} has {nodes} nodes, and making it ready takes {mib} MiB of memory, at most {most} of which may be taken; ask for kernel SHAP, compare with fewer rows, or train with fewer leaves"
    )]
    TooLarge {
        /// Which tree.
        tree: usize,
        /// How many nodes it has.
        nodes: usize,
        /// What it takes, in MiB.
        mib: usize,
        /// What it may take, in MiB.
        most: usize,
    },
    /// Somebody stopped it.
    #[error("cancelled")]
    Cancelled,
}

impl ExplainError {
    /// The same fault of a piece of the rows, where so many came before it: rows are counted from the first of all.
    #[must_use]
    pub fn after(self, rows: usize) -> Self {
        match self {
            Self::NoValue { row, feature, background: false } => {
                Self::NoValue { row: row.saturating_add(rows), feature, background: false }
            }
            other => other,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Model(_) => "model_unreadable",
            Self::Width { .. } => "width_differs",
            Self::Names { .. } => "names_differ",
            Self::Endpoint(_) => "endpoint_failed",
            Self::NoBackground => "no_background",
            Self::NoRows => "no_rows",
            Self::Asked(_) => "asked_wrongly",
            Self::NoNumber { .. } => "prediction_no_number",
            Self::Run(_) => "model_failed",
            Self::Answers { .. } => "predictions_missing",
            Self::TooManyFeatures { .. } => "too_many_features",
            Self::NoCover { .. } => "no_cover",
            Self::NoValue { .. } => "no_value",
            Self::NoProbability => "no_probability",
            Self::TooLarge { .. } => "too_large",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What is wrong with a model's file, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {message}{}", hint.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default())]
pub struct Malformed {
    /// Where in the file: a JSON pointer, or a tree and a key.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Its nodes are others than those whose inside is known: it may still be run as a whole.
    pub(crate) other: bool,
}

impl Malformed {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), hint: None, other: false }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    pub(crate) fn other(self) -> Self {
        Self { other: true, ..self }
    }
}
