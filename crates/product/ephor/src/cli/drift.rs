//! `ephor drift`: two files, no server, no database.

use std::path::PathBuf;

use clap::ValueEnum;
use ephor_console::report::{
    ReportMeta,
    figures::{html, of_drift},
    figures_pdf,
};
use ephor_fairness::{
    AnalysisSpec, Status,
    drift::{Adjustment, DriftReport, DriftSpec, drift},
};
use ephor_kernel::{Clock as _, SystemClock};

use super::{
    block_on,
    file::{self, FailOn, Output, pair, unreadable},
    places::{Place, writable},
    printed,
};
use crate::exit::{Exit, UsageError};

/// Compare two files: which columns drifted, and whether performance and fairness did.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor drift january.csv february.csv
  ephor drift train.parquet today.parquet --column age,income,region --format json
  ephor drift train.csv today.csv --target label --prediction y_pred --score p --protected sex,race
  ephor drift train.csv today.csv --threshold psi=0.1 --threshold accuracy=0.02 --target label \\
    --prediction y_pred --protected sex
  ephor drift year.parquet today.parquet --chunks month --format html --out drift.html

Up to 1000 values a test decides (Kolmogorov-Smirnov, chi-square), beyond that a distance does
(Wasserstein, Jensen-Shannon); tests named by --threshold decide instead. `ephor metrics` explains all
of them, and docs/drift.md too.

Exit codes: 0 no drift (as --fail-on says), 1 drift, 2 the question or the data are wrong,
3 it could not be done.")]
pub struct Args {
    /// What is compared with: a CSV, NDJSON, JSON or Parquet file; - for standard input
    reference: PathBuf,
    /// What may have drifted: another such file
    current: PathBuf,
    /// The columns to compare; by default all that both files have
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    column: Vec<String>,
    /// How great a value is accepted, by test or metric, such as `psi=0.1` or `accuracy=0.02`
    #[arg(long, value_parser = pair, value_name = "ID=NUMBER")]
    threshold: Vec<(String, String)>,
    /// How the p-values of many columns, metrics or disparities are adjusted
    #[arg(long, value_enum, default_value_t = Adjust::Holm, value_name = "HOW")]
    adjust: Adjust,
    /// A column that divides the reference into chunks, such as months; thresholds come from how they differ
    #[arg(long, value_name = "COLUMN")]
    chunks: Option<String>,
    /// Columns with fewer values in either file are not judged
    #[arg(long, default_value_t = 30, value_name = "ROWS")]
    min_rows: u64,
    /// The confidence of all intervals and tests
    #[arg(long, default_value_t = 0.95, value_name = "SHARE")]
    confidence: f64,
    /// The seed of the bootstrap: the same seed gives the same intervals
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    model: ModelArgs,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Table)]
    format: Output,
    /// Where to write the result, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// When the exit code is 1
    #[arg(long, value_enum, default_value_t = FailOn::Fail, value_name = "STATUS")]
    fail_on: FailOn,
    /// The memory to use for each file before spilling to disk, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    memory: usize,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Performance and fairness")]
struct ModelArgs {
    /// The column of true labels; left out, predictions or scores are compared without
    #[arg(long, requires = "protected")]
    target: Option<String>,
    /// The column of predicted labels; without it, predictions follow from the score
    #[arg(long, requires = "protected")]
    prediction: Option<String>,
    /// The column of scores
    #[arg(long, requires = "protected")]
    score: Option<String>,
    /// The least score that counts as a positive prediction; 0.5 by default
    #[arg(long, requires = "protected", value_name = "NUMBER")]
    score_threshold: Option<f64>,
    /// The label that counts as positive, where it is not 1 or true
    #[arg(long, requires = "protected", value_name = "LABEL")]
    positive: Option<String>,
    /// The protected attributes: columns that say who belongs to which group
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    protected: Vec<String>,
    /// The column of weights
    #[arg(long, requires = "protected", value_name = "COLUMN")]
    weight: Option<String>,
    /// How many attributes are combined at most; all by default, 1 for none
    #[arg(long, requires = "protected", value_name = "NUMBER")]
    intersections: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Adjust {
    /// The chance of any false alarm is bounded
    Holm,
    /// The share of false alarms among all is
    BenjaminiHochberg,
    /// Each by itself
    None,
}

impl From<Adjust> for Adjustment {
    fn from(chosen: Adjust) -> Self {
        match chosen {
            Adjust::Holm => Self::Holm,
            Adjust::BenjaminiHochberg => Self::BenjaminiHochberg,
            Adjust::None => Self::None,
        }
    }
}

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        if [&self.reference, &self.current].iter().all(|file| file.as_os_str() == "-") {
            return Err(UsageError("only one of the files can be standard input".to_owned()).into());
        }
        file::not_in_terminal(self.format == Output::Pdf, self.out.as_ref())?;
        writable(Place::out(self.out.as_ref()))?;
        let spec = self.spec()?;
        let report = block_on(self.compare(&spec))?;
        self.write(&report)?;
        Ok(self.fail_on.exit(report.status.unwrap_or(Status::Pass)))
    }

    fn spec(&self) -> anyhow::Result<DriftSpec> {
        let model = &self.model;
        let analysis = (!model.protected.is_empty()).then(|| {
            let usual = AnalysisSpec::unlabelled(model.protected.clone());
            AnalysisSpec {
                target: model.target.clone(),
                prediction: model.prediction.clone(),
                score: model.score.clone(),
                score_threshold: model.score_threshold.unwrap_or(usual.score_threshold),
                positive_label: model.positive.clone(),
                weight: model.weight.clone(),
                intersection_depth: model.intersections,
                confidence: self.confidence,
                seed: self.seed,
                ..usual
            }
        });
        Ok(DriftSpec {
            columns: self.column.clone(),
            thresholds: file::thresholds(&self.threshold)?,
            confidence: self.confidence,
            adjustment: self.adjust.into(),
            min_rows: self.min_rows,
            seed: self.seed,
            chunks: self.chunks.clone(),
            analysis,
        })
    }

    async fn compare(&self, spec: &DriftSpec) -> anyhow::Result<DriftReport> {
        let reference = file::open(&self.reference, None, self.memory).await?;
        let current = file::open(&self.current, None, self.memory).await?;
        let tables =
            (reference.dataframe().map_err(unreadable)?, current.dataframe().map_err(unreadable)?);
        file::until_stopped(async |cancel| drift(tables.0, tables.1, spec, cancel).await).await
    }

    fn write(&self, report: &DriftReport) -> anyhow::Result<()> {
        let source = format!("{} → {}", file::named(&self.reference), file::named(&self.current));
        let document = of_drift(report);
        let meta = |source| ReportMeta::new(document.title, source, SystemClock.now());
        let out = self.out.as_ref();
        match self.format {
            Output::Table => file::put(out, printed::document(&document, &source)),
            Output::Json => file::put(out, serde_json::to_string_pretty(report)? + "\n"),
            Output::Html => file::put(out, html(&document, &meta(source))?),
            Output::Pdf => file::put(out, figures_pdf(&document, &meta(source))?),
        }
    }
}
