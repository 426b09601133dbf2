//! `ephor analyze`: a file, no server, no database.

mod reports;
mod table;
mod tasks;

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::ValueEnum;
use ephor_console::report::{self, ReportMeta, figures::of_individual};
use ephor_fairness::{
    AnalysisError, AnalysisResult, AnalysisSpec, AnalysisType, DataFrame, Status,
};
use ephor_kernel::{Clock as _, SystemClock};
use ephor_tabular::{OpenOptions, Source, TabularError};
use tokio_util::sync::CancellationToken;

use super::{Settings, block_on};
use crate::exit::{Exit, UsageError};

/// Analyse a file for bias, with no server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor analyze adult.csv --target y_true --prediction y_pred --score score --protected sex,race
  ephor analyze scores.parquet --target label --score p --score-threshold 0.3 --protected sex
  cat loans.ndjson | ephor analyze - --target approved --positive yes --protected sex --format json
  ephor analyze adult.csv --target y_true --protected sex --format html --out report.html
  ephor analyze hires.csv --target hired --protected sex,race --report ll144 --format html --out audit.html
  ephor analyze hires.csv --target hired --protected sex,race --report eeoc --strata department
  ephor analyze adult.csv --target y_true --protected sex --report data --population sex=Female:0.5,Male:0.5
  ephor analyze prices.csv --task regression --target price --prediction estimate --protected region
  ephor analyze marks.csv --task multiclass --target grade --prediction given --protected sex,school
  ephor analyze results.csv --task ranking --list query --score relevance --protected sex
  ephor analyze hires.csv --target hired --protected sex --type individual_fairness --feature degree,years

Exit codes: 0 it passes (as --fail-on says), 1 it does not, 2 the question or the data are wrong,
3 it could not be done.")]
pub struct Args {
    /// A CSV, NDJSON, JSON or Parquet file of any size; - for standard input
    file: PathBuf,
    /// The column of true labels, numbers or classes; rankings have none
    #[arg(long, default_value = "", hide_default_value = true)]
    target: String,
    /// The column of predicted labels; without it, predictions follow from the score
    #[arg(long)]
    prediction: Option<String>,
    /// The column of scores
    #[arg(long)]
    score: Option<String>,
    /// The least score that counts as a positive prediction
    #[arg(long, default_value_t = 0.5, value_name = "NUMBER")]
    score_threshold: f64,
    /// The label that counts as positive, where it is not 1 or true
    #[arg(long, value_name = "LABEL")]
    positive: Option<String>,
    /// The protected attributes: columns that say who belongs to which group
    #[arg(long, required = true, value_delimiter = ',', value_name = "COLUMN,…")]
    protected: Vec<String>,
    /// The column of weights
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// The group that others are compared with, such as sex=Male; the largest by default
    #[arg(long, value_parser = pair, value_name = "COLUMN=GROUP")]
    reference: Vec<(String, String)>,
    /// What to look for
    #[arg(long = "type", value_enum, default_value_t = Type::Comprehensive, value_name = "TYPE")]
    analysis_type: Type,
    /// A threshold other than 0.1, such as `demographic_parity_difference=0.2`
    #[arg(long, value_parser = pair, value_name = "METRIC=NUMBER")]
    threshold: Vec<(String, String)>,
    /// How many attributes are combined at most; all by default, 1 for none
    #[arg(long, value_name = "NUMBER")]
    intersections: Option<usize>,
    /// Groups with fewer rows are shown, but not compared
    #[arg(long, default_value_t = 30, value_name = "ROWS")]
    min_group_size: u64,
    /// The confidence of all intervals
    #[arg(long, default_value_t = 0.95, value_name = "SHARE")]
    confidence: f64,
    /// The seed of the bootstrap: the same seed gives the same intervals
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Table)]
    format: Output,
    /// Where to write the result, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// When the exit code is 1
    #[arg(long, value_enum, default_value_t = FailOn::Fail, value_name = "STATUS")]
    fail_on: FailOn,
    #[command(flatten)]
    tasks: tasks::TaskArgs,
    #[command(flatten)]
    reports: reports::ReportArgs,
    /// The memory to use before spilling to disk, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    memory: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For a terminal
    Table,
    /// Everything, for programs
    Json,
    /// One self-contained page with plots
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A metric is beyond its threshold, noise allowed for
    Fail,
    /// A metric is beyond its threshold, though noise could explain it
    Warning,
    /// Never: the report is all that is wanted
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Type {
    DemographicParity,
    EqualizedOdds,
    IndividualFairness,
    Comprehensive,
}

impl From<Type> for AnalysisType {
    fn from(chosen: Type) -> Self {
        match chosen {
            Type::DemographicParity => Self::DemographicParity,
            Type::EqualizedOdds => Self::EqualizedOdds,
            Type::IndividualFairness => Self::IndividualFairness,
            Type::Comprehensive => Self::Comprehensive,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("it is written NAME=VALUE".to_owned()),
    }
}

impl Args {
    pub fn run(self, _: &Settings) -> anyhow::Result<Exit> {
        let spec = self.spec()?;
        let misplaced = self.tasks.misplaced(&self, &spec);
        if !misplaced.is_empty() {
            return Err(UsageError(misplaced.join("\n")).into());
        }
        if self.tasks.task != tasks::Task::Classification {
            return tasks::run(&self, spec);
        }
        if let Some(report) = self.reports.report {
            return reports::run(&self, report, spec);
        }
        let result = block_on(self.analyse(&spec))?;
        self.write(&result)?;
        Ok(self.exit(result.status.unwrap_or(Status::Pass)))
    }

    fn exit(&self, worst: Status) -> Exit {
        let failed = match self.fail_on {
            FailOn::Fail => worst >= Status::Fail,
            FailOn::Warning => worst >= Status::Warning,
            FailOn::Never => false,
        };
        if failed { Exit::Finding } else { Exit::Ok }
    }

    fn spec(&self) -> anyhow::Result<AnalysisSpec> {
        let mut wrong = Vec::new();
        let mut thresholds = BTreeMap::new();
        for (metric, text) in &self.threshold {
            match text.parse::<f64>() {
                Ok(number) => {
                    thresholds.insert(metric.clone(), number);
                }
                Err(_) => {
                    wrong.push(format!("--threshold {metric}={text}: `{text}` is not a number"));
                }
            }
        }
        if !wrong.is_empty() {
            return Err(UsageError(wrong.join("\n")).into());
        }
        Ok(AnalysisSpec {
            analysis_type: self.analysis_type.into(),
            prediction: self.prediction.clone(),
            score: self.score.clone(),
            score_threshold: self.score_threshold,
            positive_label: self.positive.clone(),
            weight: self.weight.clone(),
            reference_groups: self.reference.iter().cloned().collect(),
            intersection_depth: self.intersections,
            min_group_size: self.min_group_size,
            thresholds,
            confidence: self.confidence,
            seed: self.seed,
            features: self.reports.features(),
            neighbours: self.tasks.neighbours.unwrap_or(5),
            ..AnalysisSpec::new(self.target.clone(), self.protected.clone())
        })
    }

    async fn analyse(&self, spec: &AnalysisSpec) -> anyhow::Result<AnalysisResult> {
        self.read(async |table, cancel| ephor_fairness::analyze(table, spec, &(), cancel).await)
            .await
    }

    /// Opens the file and does the work on it, until it is done or Ctrl-C is pressed.
    async fn read<T>(
        &self,
        work: impl AsyncFnOnce(DataFrame, &CancellationToken) -> Result<T, AnalysisError>,
    ) -> anyhow::Result<T> {
        let source = if self.file.as_os_str() == "-" {
            Source::Stdin
        } else {
            Source::Path(self.file.clone())
        };
        let options = OpenOptions { memory_bytes: self.memory << 20, ..OpenOptions::default() };
        let table = ephor_tabular::open(source, options).await.map_err(unreadable)?;
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let ctrl_c = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
            }
        });
        let outcome = work(table.dataframe().map_err(unreadable)?, &cancel).await;
        ctrl_c.abort();
        outcome.map_err(invalid)
    }

    fn write(&self, result: &AnalysisResult) -> anyhow::Result<()> {
        let source = self.source();
        let terminal = self.out.is_none() && std::io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let text = match self.format {
            Output::Table => {
                let individual = result.individual.as_ref().map(of_individual);
                let printed = individual.map(|document| reports::printed(&document, &source));
                let rendered = table::render(result, &source, colour);
                printed.map_or(rendered.clone(), |printed| format!("{rendered}\n{printed}"))
            }
            Output::Json => serde_json::to_string_pretty(result)? + "\n",
            Output::Html => {
                let title = format!("Bias analysis of {source}");
                report::html(result, &ReportMeta::new(title, source, SystemClock.now()))?
            }
        };
        self.put(&text)
    }

    /// What is analysed, for people.
    fn source(&self) -> String {
        match self.file.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => self.file.display().to_string(),
        }
    }

    fn put(&self, text: &str) -> anyhow::Result<()> {
        match &self.out {
            Some(path) => std::fs::write(path, text)
                .with_context(|| format!("the report could not be written to {}", path.display())),
            None => Ok(std::io::stdout().lock().write_all(text.as_bytes())?),
        }
    }
}

fn invalid(error: AnalysisError) -> anyhow::Error {
    match error {
        AnalysisError::Invalid(_) | AnalysisError::Read(_) => UsageError(error.to_string()).into(),
        AnalysisError::Cancelled | AnalysisError::Engine(_) => error.into(),
    }
}

fn unreadable(error: TabularError) -> anyhow::Error {
    UsageError(error.to_string()).into()
}
