//! `ephor explain`: a model's file and a file of rows, no server, no database.

mod methods;
mod parts;
mod plots;
mod printing;
mod progress;
mod report;
mod rows;
mod served;
mod subject;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::ValueEnum;
use ephor_explain::{
    CancellationToken, ExplainError, Explanation, Format, Model, Rows, Scorer as _,
    shap::{self, Progress},
    summary::Summary,
};

use parts::{Asked, Parts};
use served::Served;
use tokio::sync::mpsc;

use super::{
    block_on,
    file::{self, unreadable},
    interrupt,
    places::{Place, writable},
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
  ephor explain model.onnx applicants.csv --background train.csv --feature-names age,income,debt
  ephor explain model.ubj applicants.csv --background train.csv --probability
  ephor explain model.json applicants.csv --method kernel --background train.csv --precision 0.001
  ephor explain model.json applicants.csv --method lime --rows 3 --background train.csv --categorical job,region
  ephor explain model.json test.csv --method permutation --target approved --metric roc-auc
  ephor explain model.json test.csv --method pdp --feature age,income --grid even
  ephor explain model.json test.csv --method ale --feature income --bins 20
  ephor explain model.json refused.csv --method counterfactual --immutable sex,age --increase-only education
  ephor explain model.json test.csv --method groups --group sex
  ephor explain network.onnx applicants.csv --method kernel --background train.csv --feature-names age,income,debt
  ephor explain --endpoint https://models.example.org/credit --endpoint-header-env Authorization=MODEL_TOKEN \\
      applicants.csv --method lime --rows 3 --feature-names age,income,debt
  ephor explain model.json applicants.csv --report shap.html --format csv --out shap.csv
  ephor explain model.json test.csv --method ale --feature income --plots plots

The model is XGBoost's JSON or UBJSON (save_model(\"model.json\"), \"model.ubj\"), LightGBM's text
(save_model(\"model.txt\")), ONNX, or scikit-learn's parameters as JSON (docs/explain.md). Of other ONNX than trees and
linear models only the answers can be asked: by --method, not as exact values. No pickle is read. The rows have a column
of numbers for each of its features; a category is its number, and an empty field is missing. Values are in the unit of
the margin: before the logistic function, say. Base + sum of the values = margin.

Without --background, features that are not known follow the ways of the training rows (path-dependent values, as
XGBoost's pred_contribs); with it, they take the background's values (interventional values).

The other methods only ask the model, and explain what it predicts: a probability, mostly. They explain a model that is
served elsewhere too: --endpoint stands in MODEL's place. Values of headers come from the environment or from files.

Exit codes: 0 done, 2 the model or the rows are wrong, 3 it could not be done.")]
pub struct Args {
    /// The model's file; left out with --endpoint
    model: PathBuf,
    /// A CSV, NDJSON, JSON or Parquet file of rows to explain; - for standard input
    #[arg(required_unless_present = "endpoint")]
    rows_file: Option<PathBuf>,
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
    /// Values in the unit of the probability, not of the margin; of models that predict one by the logistic function
    #[arg(long, requires = "background")]
    probability: bool,
    /// The names of the features' columns, in the model's order, where its file holds others or none
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    feature_names: Vec<String>,
    /// How many rows to explain, from the first on; all by default
    #[arg(long, value_name = "NUMBER")]
    rows: Option<usize>,
    /// How to print the result: what matters to all rows, or every row's values
    #[arg(long, value_enum, default_value_t = Output::Table)]
    format: Output,
    /// Where to write the result, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to write a report too: one self-contained page with plots, tables and notes
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Where to write the report's plots too, each as SVG and as PNG; the folder is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// The memory that rows and values may take, in MiB. Exact values are computed a piece of the rows at a time, whatever their
    /// number, and count the model's trees made ready too
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    memory: usize,
    #[command(flatten)]
    served: Served,
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

/// More than this many rows of a background are not read.
const MAX_BACKGROUND: usize = 10_000;

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        let report = self.report.iter().map(|path| ("--report", Place::File(path)));
        let plots = self.plots.iter().map(|path| ("--plots", Place::Folder(path)));
        writable(Place::out(self.out.as_ref()).chain(report).chain(plots))?;
        if self.method != Method::Shap {
            return self.run_method();
        }
        self.options.refuse_any()?;
        let (Some(model), rows_file) = self.files()? else {
            let message = "exact SHAP values need a model's file, and an endpoint only answers; ask for --method kernel";
            return Err(UsageError(message.to_owned()).into());
        };
        let (format, model) = self.model(model)?;
        if matches!(model, Model::Graph(_)) {
            let message = "exact SHAP values need trees or a linear model, and this one only answers; ask for --method kernel";
            return Err(UsageError(message.to_owned()).into());
        }
        if matches!(model, Model::Linear(_)) && self.background.is_none() {
            let message =
                "a linear model is explained against other rows; say which by --background FILE";
            return Err(UsageError(message.to_owned()).into());
        }
        // In the runtime, so that Ctrl-C ends the writing too.
        block_on(self.explain(format, model, rows_file))
    }

    /// Is there to be a report, or its plots?
    fn is_drawn(&self) -> bool {
        self.report.is_some() || self.plots.is_some()
    }

    /// What is asked for beside the result, which is written before: the report, and its plots, all or none of them.
    fn write_beside(&self, summaries: &[Summary]) -> anyhow::Result<()> {
        let plots = self.plots.as_ref().map(|_| plots::draw(summaries)).transpose()?;
        if let Some(path) = &self.report {
            report::write(path, summaries, self)?;
        }
        if let (Some(folder), Some(plots)) = (&self.plots, &plots) {
            plots::write(folder, plots)?;
        }
        Ok(())
    }

    /// The model's file, unless an endpoint is asked, and the rows'.
    fn files(&self) -> anyhow::Result<(Option<&Path>, &Path)> {
        match (&self.served.endpoint, &self.rows_file) {
            (None, Some(rows)) => Ok((Some(&self.model), rows)),
            (Some(_), None) => Ok((None, &self.model)),
            (Some(_), Some(_)) => Err(UsageError(
                "--endpoint and MODEL exclude one another: give one of them, and the file of rows"
                    .to_owned(),
            )
            .into()),
            (None, None) => Err(UsageError("give a model and a file of rows".to_owned()).into()),
        }
    }

    /// The model, its features under the names that were given.
    fn model(&self, path: &Path) -> anyhow::Result<(Format, Model)> {
        let (format, model) = read_model(path)?;
        if self.feature_names.is_empty() {
            return Ok((format, model));
        }
        let named = model.named(self.feature_names.clone());
        let named = named.map_err(|error| UsageError(format!("--feature-names: {error}")))?;
        Ok((format, named))
    }

    /// Reads, explains and writes, a piece after the other; then what is asked for beside it.
    async fn explain(
        &self,
        format: Format,
        model: Model,
        rows_file: &Path,
    ) -> anyhow::Result<Exit> {
        let features = model.features().to_vec();
        let singles = features.len() * model.outputs();
        let each = if self.interactions { singles * features.len() } else { singles };
        let each = 8 * (each + features.len()).max(1);
        let background = match &self.background {
            Some(path) => {
                let most = (self.memory << 20) / each;
                Some(self.read(path, &features, Some(MAX_BACKGROUND), most).await?)
            }
            None => None,
        };
        let left = self.left(&model, background.as_ref())?;
        // Trees are made ready once where there is room to keep them, else for each piece anew.
        let beside = left.checked_sub(parts::KEPT);
        let beside =
            beside.filter(|left| background.is_some() && parts::size(each, *left).is_some());
        let (keeps, left) = (beside.is_some(), beside.unwrap_or(left));
        let size = parts::size(each, left).ok_or_else(|| {
            UsageError("--memory: not even one row and its values fit; allow more".to_owned())
        })?;
        let source = file::named(rows_file);
        let table = file::open(rows_file, Some(features.clone()), self.memory).await?;
        let all = usize::try_from(table.rows()).unwrap_or(usize::MAX);
        let all = self.rows.map_or(all, |rows| rows.min(all));
        let frame = table.dataframe().map_err(unreadable)?;
        let pieces = rows::Pieces::open(frame, &features, self.rows, size, &source).await?;

        let (pairs, probability) = (self.interactions, self.probability);
        let asked = Asked { format, model: Arc::new(model), background, pairs, probability };
        let (asked, output, out) = (Arc::new(asked), self.format, self.out.clone());
        let digests = if self.is_drawn() { report::digests(&asked) } else { Vec::new() };
        // What is on its way to somebody else leaves nothing behind: there one Ctrl-C ends the command.
        let is_on_its_way = out.is_none() && output != Output::Table;
        let (cancel, over) = (CancellationToken::new(), CancellationToken::new());
        if is_on_its_way {
            over.cancel();
        }
        interrupt::listen(if is_on_its_way { over } else { cancel.clone() });
        // One piece waits while another is computed.
        let (sender, receiver) = mpsc::channel(1);
        let reading = tokio::spawn(pieces.send(sender, cancel.clone()));
        let done = cancel.clone();
        let work = tokio::task::spawn_blocking(move || {
            let line = if is_on_its_way { progress::quiet() } else { progress::shown() };
            let parts = Parts::new(&asked, receiver, all, keeps, line, cancel).map_err(refused)?;
            let mut parts = parts.digested(digests);
            let written = written(&mut parts, output, out.as_ref(), &source);
            parts.over();
            written.map(|()| parts.finish())
        });
        let summaries = work.await?;
        done.cancel();
        let summaries = summaries?;
        // Had it broken down, rows would be missing.
        reading.await?;
        if self.is_drawn() {
            self.write_beside(&summaries)?;
        }
        Ok(Exit::Ok)
    }

    /// The memory that is left for rows and values, in bytes, beside the model's trees made ready for exact values.
    fn left(&self, model: &Model, background: Option<&Rows>) -> anyhow::Result<usize> {
        let taken = taken(model, background)?;
        (self.memory << 20).checked_sub(taken).ok_or_else(|| {
            let message = format!(
                "--memory: making the model ready takes {} MiB beside rows and values",
                taken.div_ceil(1 << 20)
            );
            UsageError(message).into()
        })
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

/// What a model takes beside rows and values: its trees made ready, and the rows that they are compared with.
fn taken(model: &Model, background: Option<&Rows>) -> anyhow::Result<usize> {
    let rows = background.map_or(0, |rows| 8 * rows.len() * rows.width());
    let Model::Forest(forest) = model else { return Ok(rows) };
    let trees = shap::takes(forest, background.map(Rows::len), &CancellationToken::new());
    // Trees see the rows as numbers of their own.
    Ok(trees.map_err(refused)? + 2 * rows)
}

/// Being stopped is no fault of who asks, nor is what happens on the way to an endpoint; all else is.
fn refused(error: ExplainError) -> anyhow::Error {
    match error {
        ExplainError::Cancelled | ExplainError::Endpoint(_) => error.into(),
        _ => UsageError(error.to_string()).into(),
    }
}

/// Writes the result as it comes; to a file whole or not at all.
fn written(
    parts: &mut Parts,
    output: Output,
    out: Option<&PathBuf>,
    source: &str,
) -> anyhow::Result<()> {
    match output {
        Output::Table => {
            let text = printing::table(parts, source)?;
            parts.over();
            file::put(out, text)
        }
        Output::Json => file::put_whole(out, |out| printing::json(parts, out)),
        Output::Csv => file::put_whole(out, |out| printing::csv(parts, out)),
    }
}

/// The values that are asked for.
fn values(
    asked: &Asked,
    rows: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let Asked { model, background, pairs, probability, .. } = asked;
    let (pairs, probability) = (*pairs, *probability);
    match (&**model, background) {
        (Model::Forest(forest), Some(background)) if probability => {
            shap::in_probability(forest, rows, background, progress, cancel)
        }
        (Model::Forest(forest), Some(background)) => {
            shap::interventional(forest, rows, background, progress, cancel)
        }
        (Model::Forest(forest), None) if pairs => {
            shap::interactions(forest, rows, progress, cancel)
        }
        (Model::Forest(forest), None) => shap::path_dependent(forest, rows, progress, cancel),
        (Model::Linear(linear), Some(background)) if probability => {
            shap::linear_in_probability(linear, rows, background, progress, cancel)
        }
        (Model::Linear(linear), Some(background)) => {
            shap::linear(linear, rows, background, progress, cancel)
        }
        (Model::Linear(_), None) => Err(ExplainError::NoBackground),
        (Model::Graph(_), _) => Err(ExplainError::Asked(vec![
            "the model only answers: ask for --method kernel".to_owned(),
        ])),
    }
}

/// A model's file.
pub(in crate::cli) fn read_model(path: &Path) -> anyhow::Result<(Format, Model)> {
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
