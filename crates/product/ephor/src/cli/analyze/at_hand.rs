//! `ephor analyze --model FILE --flip COLUMN`: the model is asked about every row, and asked again with one feature changed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type},
};
use ephor_console::report::figures::of_flips;
use ephor_explain::{ExplainError, Model, Rows, Scorer as _};
use ephor_fairness::{
    AnalysisError, AnalysisSpec, AnalysisType, CancellationToken, DataFrame, Fault, Status,
    flips::{self, Decide, FlipReport, FlipSpec},
    frame::Grouping,
};

use super::{reports::put, tasks::Task};
use crate::{
    cli::{block_on, explain::read_model, file},
    exit::{Exit, UsageError},
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A model at hand")]
pub struct ModelArgs {
    /// A model's file, as `ephor explain` reads it: how many of its decisions flip when --flip's column is changed?
    #[arg(long, value_name = "FILE", requires = "flip")]
    model: Option<PathBuf>,
    /// The feature that is changed to each other value that its column has
    #[arg(long, value_name = "COLUMN", requires = "model")]
    flip: Option<String>,
    /// The names of the features' columns, in the model's order, where its file holds others or none
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "model")]
    feature_names: Vec<String>,
}

impl ModelArgs {
    /// The model's file, and the feature to change.
    pub fn asked(&self) -> Option<(&Path, &str)> {
        Some((self.model.as_deref()?, self.flip.as_deref()?))
    }

    fn read(&self, path: &Path) -> anyhow::Result<Model> {
        let (_, model) = read_model(path)?;
        if self.feature_names.is_empty() {
            return Ok(model);
        }
        let named = model.named(self.feature_names.clone());
        Ok(named.map_err(|error| UsageError(format!("--feature-names: {error}")))?)
    }
}

/// A sentence for each option that means nothing where the model decides.
fn misplaced(args: &super::Args, spec: &AnalysisSpec) -> Vec<String> {
    let is_comprehensive = spec.analysis_type == AnalysisType::Comprehensive;
    let given = [
        ("--task", args.tasks.task != Task::Classification),
        ("--target", spec.target.is_some()),
        ("--prediction", spec.prediction.is_some()),
        ("--score", spec.score.is_some()),
        ("--positive", spec.positive_label.is_some()),
        ("--type", !is_comprehensive),
        ("--report", args.reports.report.is_some()),
        ("--feature", !args.reports.feature.is_empty()),
        ("--strata", spec.strata.is_some()),
        ("--flipped", args.tasks.flipped.is_some()),
        ("--neighbours", args.tasks.neighbours.is_some()),
        ("--cluster", args.elsewhere.is_given()),
    ];
    let given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option);
    let mut sentences: Vec<String> = given
        .chain(args.tasks.of_other_tasks())
        .map(|option| format!("{option} means nothing to --model"))
        .collect();
    sentences.extend(args.gating.misplaced(args.format, "--model"));
    sentences
}

/// Reads model and file, and prints how many decisions flip with the feature.
pub fn run(
    args: &super::Args,
    spec: &AnalysisSpec,
    path: &Path,
    flip: &str,
) -> anyhow::Result<Exit> {
    let misplaced = misplaced(args, spec);
    if !misplaced.is_empty() {
        return Err(UsageError(misplaced.join("\n")).into());
    }
    let (model, called) = (args.at_hand.read(path)?, file::named(path));
    let Some(place) = model.features().iter().position(|feature| feature == flip) else {
        let known = model.features().join(", ");
        let message = format!("--flip {flip}: {called} has no such feature; it has {known}");
        return Err(UsageError(message).into());
    };
    if !(1..=2).contains(&model.outputs()) {
        let message = format!(
            "{called} answers {} numbers for a row: decisions of yes and no need one, or one for each of two classes",
            model.outputs()
        );
        return Err(UsageError(message).into());
    }
    let changed = format!("{called} with {flip} changed");
    let asked = FlipSpec {
        score_threshold: Some(spec.score_threshold),
        ..FlipSpec::new(called, changed, Grouping::from(spec))
    };
    let model = Arc::new(model);
    let found = block_on(args.read(async |table, cancel| {
        analysed(table, Arc::clone(&model), place, &asked, cancel).await
    }))?;
    put(args, &found, &of_flips(&found))?;
    Ok(args.exit(found.findings.status.unwrap_or(Status::Pass)))
}

async fn analysed(
    table: DataFrame,
    model: Arc<Model>,
    place: usize,
    asked: &FlipSpec,
    cancel: &CancellationToken,
) -> Result<FlipReport, AnalysisError> {
    let features = model.features().to_vec();
    let faults = flips::asked_faults(asked, &features, table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let flip = &features[place];
    let values = flips::values(table.clone(), flip, cancel).await?;
    let listed: Vec<String> = values.iter().map(ToString::to_string).collect();
    let note = format!(
        "`{flip}` is changed to each other value that it has here ({}), and all other features are left alone: a decision flips if any of these changes it. Rows without a value of `{flip}` have no other decision.",
        listed.join(", ")
    );
    let question = Question {
        model,
        place,
        values,
        threshold: asked.score_threshold.unwrap_or(0.5),
        cancel: cancel.clone(),
    };
    let decide: Decide = Box::new(move |batch: &RecordBatch| question.decide(batch));
    let mut found = flips::analyze_asked(table, asked, &features, decide, cancel).await?;
    found.findings.notes.push(note);
    Ok(found)
}

/// What the model is asked of every batch.
struct Question {
    model: Arc<Model>,
    /// Of the feature that is changed.
    place: usize,
    /// What it is changed to.
    values: Vec<f64>,
    threshold: f64,
    cancel: CancellationToken,
}

impl Question {
    /// The decisions as they are, and with the feature changed; NaN where there is none.
    fn decide(&self, batch: &RecordBatch) -> Result<[Vec<f64>; 2], AnalysisError> {
        if batch.num_rows() == 0 {
            return Ok([Vec::new(), Vec::new()]);
        }
        let numbers = self.numbers(batch)?;
        let width = self.model.features().len();
        let mine: Vec<f64> = numbers.iter().skip(self.place).step_by(width).copied().collect();
        let before = self.ask(numbers.clone())?;
        // What is not known cannot be changed.
        let mut after: Vec<f64> = before
            .iter()
            .zip(&mine)
            .map(|(decision, value)| if value.is_nan() { f64::NAN } else { *decision })
            .collect();
        for value in &self.values {
            let mut changed = numbers.clone();
            for number in changed.iter_mut().skip(self.place).step_by(width) {
                *number = *value;
            }
            for (row, other) in self.ask(changed)?.into_iter().enumerate() {
                let is_decided = !after[row].is_nan() && mine[row] != *value;
                if is_decided && (other.is_nan() || other != before[row]) {
                    after[row] = other;
                }
            }
        }
        Ok([before, after])
    }

    /// The features of the rows, one row after another; NaN where one is missing.
    fn numbers(&self, batch: &RecordBatch) -> Result<Vec<f64>, AnalysisError> {
        let features = self.model.features();
        let mut numbers = vec![f64::NAN; batch.num_rows() * features.len()];
        for (at, name) in features.iter().enumerate() {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| AnalysisError::Engine(format!("the scan gave no column {name}")))?;
            let column = cast(column, &DataType::Float64)
                .map_err(|error| AnalysisError::Engine(error.to_string()))?;
            let column = column.as_primitive::<Float64Type>().iter();
            let places = numbers.iter_mut().skip(at).step_by(features.len());
            for (place, number) in places.zip(column) {
                *place = number.unwrap_or(f64::NAN);
            }
        }
        Ok(numbers)
    }

    /// The model's decisions: 1 from the threshold on. Of two classes the second is the positive one.
    fn ask(&self, numbers: Vec<f64>) -> Result<Vec<f64>, AnalysisError> {
        let rows = Rows::new(numbers, self.model.features().len());
        let answers = self.model.score_until(&rows, &self.cancel).map_err(refused)?;
        let decision = |row: &[f64]| match row.last() {
            Some(score) if !score.is_nan() => f64::from(u8::from(*score >= self.threshold)),
            _ => f64::NAN,
        };
        Ok(answers.chunks_exact(self.model.outputs()).map(decision).collect())
    }
}

fn refused(error: ExplainError) -> AnalysisError {
    match error {
        ExplainError::Cancelled => AnalysisError::Cancelled,
        error => AnalysisError::Invalid(vec![Fault {
            where_: "/model".to_owned(),
            code: "not_run".to_owned(),
            message: format!("{error}."),
            hint: None,
        }]),
    }
}
