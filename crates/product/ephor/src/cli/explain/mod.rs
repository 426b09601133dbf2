//! `ephor explain`: a model's file and a file of rows, no server, no database.

mod methods;
mod printing;
mod progress;
mod rows;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use ephor_explain::{
    CancellationToken, ExplainError, Explanation, Forest, Format, Model, Rows, shap,
};

use super::{
    block_on,
    file::{self, unreadable},
};
use crate::exit::{Exit, UsageError};

/// A model's file may be so large.
const MAX_MODEL_BYTES: u64 = 1 << 30;

/// Explain a model's predictions: exact SHAP values, LIME, importance, effects, counterfactuals.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor explain model.json applicants.csv
  ephor explain model.txt applicants.parquet --background train.csv --format csv --out shap.csv
  ephor explain model.json applicants.csv --rows 1 --interactions --format json
  ephor explain model.json applicants.csv --method kernel --background train.csv --precision 0.001
  ephor explain model.json applicants.csv --method lime --rows 3 --background train.csv --categorical job,region
  ephor explain model.json test.csv --method permutation --target approved --metric roc-auc
  ephor explain model.json test.csv --method pdp --feature age,income --grid even
  ephor explain model.json test.csv --method ale --feature income --bins 20
  ephor explain model.json refused.csv --method counterfactual --immutable sex,age --increase-only education
  ephor explain model.json test.csv --method groups --group sex

The model is XGBoost's JSON (save_model(\"model.json\")) or LightGBM's text (save_model(\"model.txt\")). The rows
have a column of numbers for each of its features; a category is its number, and an empty field is missing. Values are
in the unit of the margin: before the logistic function, say. Base + sum of the values = margin.

Without --background, features that are not known follow the ways of the training rows (path-dependent values, as
XGBoost's pred_contribs); with it, they take the background's values (interventional values).

The other methods only ask the model, and explain what it predicts: a probability, mostly.

Exit codes: 0 done, 2 the model or the rows are wrong, 3 it could not be done.")]
pub struct Args {
    /// The model's file
    model: PathBuf,
    /// A CSV, NDJSON, JSON or Parquet file of rows to explain; - for standard input
    rows_file: PathBuf,
    /// How to explain
    #[arg(long, value_enum, default_value_t = Method::Shap)]
    method: Method,
    /// Rows to compare with, instead of the ways of the training rows; at most 10000 of them are read. Methods that need
    /// some take the rows to explain where there are no others
    #[arg(long, value_name = "FILE")]
    background: Option<PathBuf>,
    /// What pairs of features add together; with path-dependent values
    #[arg(long, conflicts_with = "background")]
    interactions: bool,
    /// How many rows to explain, from the first on; all by default
    #[arg(long, value_name = "NUMBER")]
    rows: Option<usize>,
    /// How to print the result: what matters to all rows, or every row's values
    #[arg(long, value_enum, default_value_t = Output::Table)]
    format: Output,
    /// Where to write the result, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The memory that rows and values may take, in MiB
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    memory: usize,
    #[command(flatten)]
    options: methods::Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Exact SHAP values of the margin
    Shap,
    /// Kernel SHAP: Shapley values of the prediction, of any model
    Kernel,
    /// A linear model near each row
    Lime,
    /// How much worse the model is without each feature
    Permutation,
    /// Partial dependence on a feature, or on two
    Pdp,
    /// Partial dependence of every single row
    Ice,
    /// Accumulated local effects of a feature
    Ale,
    /// What would have to be different for another decision
    Counterfactual,
    /// What SHAP values are in each group of people, and whether they differ
    Groups,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// What each feature does over all rows, for a terminal
    Table,
    /// Every row's values, for programs
    Json,
    /// Every row's values, a line each
    Csv,
}

/// What was asked, and what came of it.
struct Explained {
    format: Format,
    forest: Forest,
    rows: Rows,
    values: Explanation,
    /// Do the values stand for pairs of features?
    pairs: bool,
}

/// More than this many rows of a background are not read.
const MAX_BACKGROUND: usize = 10_000;

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        if self.method != Method::Shap {
            return self.run_method();
        }
        self.options.refuse_any()?;
        let (format, forest) = model(&self.model)?;
        let explained = block_on(self.explain(format, forest))?;
        let text = match self.format {
            Output::Table => printing::table(&explained, &file::named(&self.rows_file)),
            Output::Json => printing::json(&explained)?,
            Output::Csv => printing::csv(&explained)?,
        };
        file::put(self.out.as_ref(), &text)?;
        Ok(Exit::Ok)
    }

    async fn explain(&self, format: Format, forest: Forest) -> anyhow::Result<Explained> {
        let values = forest.features.len() * forest.outputs();
        let each = if self.interactions { values * forest.features.len() } else { values };
        let most = (self.memory << 20) / (8 * (each + forest.features.len()).max(1));
        let found = self.read(&self.rows_file, &forest.features, self.rows, most).await?;
        let background = match &self.background {
            Some(path) => {
                Some(self.read(path, &forest.features, Some(MAX_BACKGROUND), most).await?)
            }
            None => None,
        };
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let ctrl_c = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
            }
        });
        let pairs = self.interactions;
        let work = tokio::task::spawn_blocking(move || {
            let progress = progress::shown();
            let values = match &background {
                Some(background) => {
                    shap::interventional(&forest, &found, background, &progress, &cancel)
                }
                None if pairs => shap::interactions(&forest, &found, &progress, &cancel),
                None => shap::path_dependent(&forest, &found, &progress, &cancel),
            };
            progress.over();
            Ok(Explained { format, forest, rows: found, values: values?, pairs })
        });
        let explained = work.await?;
        ctrl_c.abort();
        explained.map_err(refused)
    }

    /// The features' columns of a file: of `count` rows, or of all if they are not more than `most`.
    async fn read(
        &self,
        path: &Path,
        features: &[String],
        count: Option<usize>,
        most: usize,
    ) -> anyhow::Result<Rows> {
        let table = file::open(path, Some(features.to_vec()), self.memory).await?;
        let frame = table.dataframe().map_err(unreadable)?;
        rows::read(frame, features, count, most, &file::named(path)).await
    }
}

/// Being stopped is no fault of who asks; all else is.
fn refused(error: ExplainError) -> anyhow::Error {
    match error {
        ExplainError::Cancelled => error.into(),
        _ => UsageError(error.to_string()).into(),
    }
}

/// A model of trees.
fn model(path: &Path) -> anyhow::Result<(Format, Forest)> {
    match any_model(path)? {
        (format, Model::Forest(forest)) => Ok((format, forest)),
        (_, Model::Linear(_)) => {
            let message = format!("{}: it is a linear model, not of trees", path.display());
            Err(UsageError(message).into())
        }
    }
}

/// Any model that can be read.
fn any_model(path: &Path) -> anyhow::Result<(Format, Model)> {
    let wrong = |message: String| UsageError(format!("{}: {message}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX_MODEL_BYTES {
        return Err(
            wrong(format!("it has {size} bytes; at most {MAX_MODEL_BYTES} are read")).into()
        );
    }
    let content =
        std::fs::read(path).with_context(|| format!("{} could not be read", path.display()))?;
    Ok(ephor_explain::read(&content).map_err(|fault| wrong(fault.to_string()))?)
}
