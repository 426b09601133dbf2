//! `ephor analyze`: a file, no server, no database.

mod reports;
mod table;

use std::{io::IsTerminal as _, path::PathBuf};

use clap::ValueEnum;
use ephor_console::report::{self, ReportMeta};
use ephor_fairness::{
    AnalysisError, AnalysisResult, AnalysisSpec, AnalysisType, DataFrame, Status,
};
use ephor_kernel::{Clock as _, SystemClock};
use tokio_util::sync::CancellationToken;

use super::{
    Settings, block_on,
    file::{self, FailOn, Output, invalid, pair, unreadable},
};
use crate::exit::Exit;

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

Exit codes: 0 it passes (as --fail-on says), 1 it does not, 2 the question or the data are wrong,
3 it could not be done.")]
pub struct Args {
    /// A CSV, NDJSON, JSON or Parquet file of any size; - for standard input
    file: PathBuf,
    /// The column of true labels
    #[arg(long)]
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
    reports: reports::ReportArgs,
    /// The memory to use before spilling to disk, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    memory: usize,
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

impl Args {
    pub fn run(self, _: &Settings) -> anyhow::Result<Exit> {
        let spec = self.spec()?;
        if let Some(report) = self.reports.report {
            return reports::run(&self, report, spec);
        }
        let result = block_on(self.analyse(&spec))?;
        self.write(&result)?;
        Ok(self.exit(result.status.unwrap_or(Status::Pass)))
    }

    fn exit(&self, worst: Status) -> Exit {
        self.fail_on.exit(worst)
    }

    fn spec(&self) -> anyhow::Result<AnalysisSpec> {
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
            thresholds: file::thresholds(&self.threshold)?,
            confidence: self.confidence,
            seed: self.seed,
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
        let table = file::open(&self.file, self.memory).await?;
        let table = table.dataframe().map_err(unreadable)?;
        file::until_stopped(async |cancel| work(table, cancel).await).await
    }

    fn write(&self, result: &AnalysisResult) -> anyhow::Result<()> {
        let source = self.source();
        let terminal = self.out.is_none() && std::io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let text = match self.format {
            Output::Table => table::render(result, &source, colour),
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
        file::named(&self.file)
    }

    fn put(&self, text: &str) -> anyhow::Result<()> {
        file::put(self.out.as_ref(), text)
    }
}
