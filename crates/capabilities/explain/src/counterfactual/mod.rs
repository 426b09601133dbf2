//! Counterfactuals: what would have to be different for another decision?

mod candidates;
mod search;
mod space;

pub use candidates::thresholds;
use search::Search;
use space::Space;
pub use space::{Direction, Rule};
use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, Scorer, ask::Asked, shap::Progress};

/// What is decided, and what is wanted instead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The other side of this: below it what is at least it, and the other way round.
    Flip {
        /// Which output.
        output: usize,
        /// What is at least this is decided for.
        threshold: f64,
    },
    /// At least this.
    AtLeast {
        /// Which output.
        output: usize,
        /// How much.
        threshold: f64,
    },
    /// Less than this.
    Below {
        /// Which output.
        output: usize,
        /// How much.
        threshold: f64,
    },
    /// This class is the most probable one.
    Class(usize),
}

/// How it is sought.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What is wanted.
    pub goal: Goal,
    /// What may change and how, by feature; features that are not named may change to whatever the background holds.
    pub rules: Vec<(usize, Rule)>,
    /// How many are wanted at most, each of other features.
    pub count: usize,
    /// At most so many features change.
    pub changes: usize,
    /// So many made-up rows are asked for, for each row.
    pub budget: usize,
    /// Values by feature at which the model is known to decide differently: [`thresholds`].
    pub thresholds: Vec<Vec<f64>>,
    /// The chance by which it is sought.
    pub seed: u64,
}

impl Settings {
    /// Up to three, of five changes each, within 20 000 rows.
    pub fn new(goal: Goal) -> Self {
        Self {
            goal,
            rules: Vec::new(),
            count: 3,
            changes: 5,
            budget: 20_000,
            thresholds: Vec::new(),
            seed: 0,
        }
    }
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// What is predicted of it.
    pub predicted: Vec<f64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Rows that get the wanted decision, the nearest first.
    pub found: Vec<Counterfactual>,
    /// How many made-up rows the model was asked about.
    pub asked: usize,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something was found.
    Found,
    /// The row has the wanted decision already.
    Already,
    /// Nothing was found among as many rows as were allowed, which does not mean that there is none.
    NoneWithinBudget,
    /// No feature may change.
    Nothing,
}

/// A row that gets the wanted decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterfactual {
    /// All values.
    pub row: Vec<f64>,
    /// The features that changed.
    pub changed: Vec<usize>,
    /// What is predicted of it.
    pub predicted: Vec<f64>,
    /// The sum of changes, each in median absolute deviations of the background, and one for each feature that changed.
    pub distance: f64,
}

/// So many values of made-up rows fit into memory.
const MOST_VALUES: usize = 1 << 26;

impl Goal {
    /// What is wanted of a row of which this is predicted.
    fn fixed(self, predicted: &[f64]) -> Self {
        match self {
            Self::Flip { output, threshold } if predicted[output] >= threshold => {
                Self::Below { output, threshold }
            }
            Self::Flip { output, threshold } => Self::AtLeast { output, threshold },
            other => other,
        }
    }

    /// How far a prediction is beyond what is wanted; it is met where that is 0 or more.
    fn beyond(self, predicted: &[f64]) -> f64 {
        match self {
            Self::AtLeast { output, threshold } | Self::Flip { output, threshold } => {
                predicted[output] - threshold
            }
            // What is equal to the threshold is decided for: the next lower number is not.
            Self::Below { output, threshold } => threshold.next_down() - predicted[output],
            Self::Class(class) => {
                let others = predicted.iter().enumerate().filter(|(other, _)| *other != class);
                let best = others.map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
                // Of equal classes none is the most probable one.
                predicted[class] - best.next_up()
            }
        }
    }

    fn faults(self, outputs: usize) -> Vec<String> {
        match self {
            Self::Flip { output, threshold }
            | Self::AtLeast { output, threshold }
            | Self::Below { output, threshold } => {
                let mut faults = Vec::new();
                if output >= outputs {
                    faults.push(format!("there is no output {output}"));
                }
                if !threshold.is_finite() {
                    faults.push("the threshold is no number".to_owned());
                }
                faults
            }
            Self::Class(class) if class >= outputs || outputs < 2 => {
                vec![format!("there is no class {class}: the model has {outputs} outputs")]
            }
            Self::Class(_) => Vec::new(),
        }
    }
}

/// Seeks, for each row, the nearest rows that get another decision.
///
/// Candidate values are those of the background and those at which the model decides. Changes are added one after the other,
/// best first, in several lines at once; then rows are drawn from growing surroundings (Laugel et al. 2018). What is found
/// loses every change that is not needed, and every other is made as small as it can be. Each is scored before it is given.
///
/// # Errors
/// When the rows do not have the model's features, when a rule or setting cannot be met, when the model cannot be asked or
/// answers what is no number, and when it is cancelled.
pub fn seek(
    scorer: &dyn Scorer,
    rows: &Rows,
    background: &Rows,
    settings: &Settings,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Vec<Sought>, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    asked.has(0)?;
    let (rows, background) = (rows.of(asked.features())?, background.of(asked.features())?);
    if background.is_empty() {
        return Err(ExplainError::NoBackground);
    }
    settings.check(&asked)?;
    let space = Space::new(background, settings);
    let mut all = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        asked.told(progress, index, rows.len())?;
        all.push(Search::new(&asked, &space, settings, row, index).run()?);
    }
    asked.told(progress, rows.len(), rows.len())?;
    Ok(all)
}

impl Settings {
    fn check(&self, asked: &Asked<'_>) -> Result<(), ExplainError> {
        let mut faults = self.goal.faults(asked.outputs());
        if !(1..=100).contains(&self.count) {
            faults.push("count: between 1 and 100".to_owned());
        }
        if self.changes == 0 {
            faults.push("changes: at least 1".to_owned());
        }
        let most = MOST_VALUES / asked.features();
        if !(1..=most).contains(&self.budget) {
            faults.push(format!("budget: between 1 and {most} rows of so many features"));
        }
        for (feature, rule) in &self.rules {
            if *feature >= asked.features() {
                faults.push(format!("a rule for feature {feature}, which is not there"));
            }
            if self.rules.iter().filter(|(other, _)| other == feature).count() > 1 {
                faults.push(format!("two rules for feature {feature}"));
            }
            faults.extend(rule.faults().map(|fault| format!("feature {feature}: {fault}")));
        }
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(ExplainError::Asked(faults)) }
    }
}
