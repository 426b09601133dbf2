//! `ephor analyze`: a file, no server, no database.

mod at_hand;
mod changes;
mod cluster;
mod gating;
mod reports;
mod table;
mod tasks;

use std::{borrow::Cow, io::IsTerminal as _, path::PathBuf};

use clap::ValueEnum;
use ephor_console::report::{self, ReportMeta, figures::of_individual};
use ephor_fairness::{
    AnalysisError, AnalysisResult, AnalysisSpec, AnalysisType, DataFrame, Status,
    gate::{Compared, Gate, junit::junit, markdown::markdown},
    task,
};
use ephor_kernel::{Clock as _, SystemClock};
use gating::{Gating, Printed, Stop};
use tokio_util::sync::CancellationToken;

use super::{
    Settings, block_on,
    file::{self, invalid, pair},
    places::{Place, writable},
    printed,
};
use crate::exit::{Exit, UsageError};

/// Analyse a file for bias, with no server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor analyze adult.csv --target y_true --prediction y_pred --score score --protected sex,race
  ephor analyze scores.parquet --target label --score p --score-threshold 0.3 --protected sex
  cat loans.ndjson | ephor analyze - --target approved --positive yes --protected sex --format json
  ephor analyze adult.csv --target y_true --protected sex --format html --out report.html
  ephor analyze adult.csv --target y_true --protected sex --format pdf --out report.pdf
  ephor analyze hires.csv --target hired --protected sex --strata department
  ephor analyze hires.csv --target hired --protected sex,race --report ll144 --format html --out audit.html
  ephor analyze applicants.csv --score fit --protected sex,race --report ll144
  ephor analyze hires.csv --target hired --protected sex,race --report eeoc --strata department
  ephor analyze adult.csv --target y_true --protected sex --report data --population sex=Female:0.5,Male:0.5
  ephor analyze adult.csv --target y_true --protected sex --policy fairness.toml --also sarif=ephor.sarif --also junit=ephor.xml
  ephor analyze adult.csv --target y_true --protected sex --baseline main.json --fail-on regression --format markdown
  ephor analyze prices.csv --task regression --target price --prediction estimate --protected region
  ephor analyze prices.csv --task regression --target price --prediction estimate --protected region --baseline main.json --fail-on regression
  ephor analyze prices.csv --task regression --target price --prediction estimate --protected region --policy prices.toml --also junit=ephor.xml
  ephor analyze marks.csv --task multiclass --target grade --prediction given --protected sex,school
  ephor analyze results.csv --task ranking --list query --score relevance --protected sex
  ephor analyze hires.csv --target hired --protected sex --type individual_fairness --feature degree,years
  ephor analyze loans.csv --prediction granted --flipped granted_if_other_sex --protected sex
  ephor analyze loans.csv --model model.json --flip sex --protected sex,region
  ephor analyze /shared/large.parquet --target label --score p --protected sex --cluster 10.0.0.1:50050

docs/analyses.md tells what is computed, docs/metrics.md each metric, docs/uncertainty.md how sure it is,
docs/recipes/gating-a-model-in-ci.md how a CI job uses it.

Exit codes: 0 it passes (as --fail-on says), 1 it does not, 2 the question or the data are wrong,
3 it could not be done.")]
pub struct Args {
    /// A CSV, NDJSON, JSON or Parquet file of any size; - for standard input
    file: PathBuf,
    /// The column of true labels, numbers or classes; rankings have none, and yes or no does without where there is a prediction
    /// or a score
    #[arg(long)]
    target: Option<String>,
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
    /// A column of strata (jobs, departments) within which groups are compared too
    #[arg(long, value_name = "COLUMN")]
    strata: Option<String>,
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
    #[command(flatten)]
    gating: gating::GateArgs,
    #[command(flatten)]
    tasks: tasks::TaskArgs,
    #[command(flatten)]
    at_hand: at_hand::ModelArgs,
    #[command(flatten)]
    reports: reports::ReportArgs,
    #[command(flatten)]
    elsewhere: cluster::ClusterArgs,
    /// The memory to use before spilling to disk, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    memory: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a terminal
    Table,
    /// Everything, for programs
    Json,
    /// One self-contained page with plots
    Html,
    /// The same on paper
    Pdf,
    /// Findings, for code scanning
    Sarif,
    /// Checks, for test reports
    Junit,
    /// A summary, for a pull request
    Markdown,
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
        file::not_in_terminal(self.format == Output::Pdf, self.out.as_ref())?;
        let also = self.gating.also.iter().map(|(_, path)| ("--also", Place::File(path)));
        writable(Place::out(self.out.as_ref()).chain(also))?;
        let mut spec = self.spec()?;
        if let Some((model, flip)) = self.at_hand.asked() {
            return at_hand::run(&self, &spec, model, flip);
        }
        let misplaced = self.tasks.misplaced(&self, &spec);
        if !misplaced.is_empty() {
            return Err(UsageError(misplaced.join("\n")).into());
        }
        if self.tasks.task != tasks::Task::Classification {
            return tasks::run(&self, spec);
        }
        if let Some(flipped) = &self.tasks.flipped {
            return tasks::run_flips(&self, &spec, flipped);
        }
        if let Some(report) = self.reports.report {
            return reports::run(&self, report, spec);
        }
        let gating = Gating::read(&self.gating, &self.file, task::Task::Binary)?;
        let overridden: Vec<String> = spec.thresholds.keys().cloned().collect();
        gating.thresholds(&mut spec.thresholds);
        let mut result = block_on(self.analyse(&spec))?;
        gating.policy.judge(&mut result, &overridden);
        let compared = gating.compare(&result)?;
        let found = gating.judge(&result, compared.as_ref());
        self.write(&Found { result: &result, gating: &gating, gate: &found, compared })?;
        Ok(if found.stopped { Exit::Finding } else { Exit::Ok })
    }

    /// Whether a report of figures passes.
    fn exit(&self, worst: Status) -> Exit {
        let fail_on = match self.gating.fail_on.unwrap_or(Stop::Fail) {
            Stop::Fail | Stop::Regression => file::FailOn::Fail,
            Stop::Warning => file::FailOn::Warning,
            Stop::Never => file::FailOn::Never,
        };
        fail_on.exit(worst)
    }

    fn spec(&self) -> anyhow::Result<AnalysisSpec> {
        Ok(AnalysisSpec {
            analysis_type: self.analysis_type.into(),
            prediction: self.prediction.clone(),
            score: self.score.clone(),
            score_threshold: self.score_threshold,
            positive_label: self.positive.clone(),
            weight: self.weight.clone(),
            strata: self.strata.clone(),
            reference_groups: self.reference.iter().cloned().collect(),
            intersection_depth: self.intersections,
            min_group_size: self.min_group_size,
            thresholds: file::thresholds(&self.threshold)?,
            confidence: self.confidence,
            seed: self.seed,
            features: self.reports.features(),
            neighbours: self.tasks.neighbours.unwrap_or(5),
            target: self.target.clone(),
            ..AnalysisSpec::unlabelled(self.protected.clone())
        })
    }

    async fn analyse(&self, spec: &AnalysisSpec) -> anyhow::Result<AnalysisResult> {
        let only = spec.columns().chain(spec.features.iter().map(String::as_str));
        let only = Some(only.map(str::to_owned).collect());
        self.read_columns(only, async |table, cancel| {
            ephor_fairness::analyze(table, spec, &(), cancel).await
        })
        .await
    }

    /// Opens the file and does the work on it, until it is done or Ctrl-C is pressed.
    async fn read<T>(
        &self,
        work: impl AsyncFnOnce(DataFrame, &CancellationToken) -> Result<T, AnalysisError>,
    ) -> anyhow::Result<T> {
        self.read_columns(None, work).await
    }

    /// The same; of CSV, `only` these columns will be read.
    async fn read_columns<T>(
        &self,
        only: Option<Vec<String>>,
        work: impl AsyncFnOnce(DataFrame, &CancellationToken) -> Result<T, AnalysisError>,
    ) -> anyhow::Result<T> {
        match self.elsewhere.cluster() {
            Some(cluster) => {
                self.elsewhere.with_table(&cluster, &self.file, only, self.memory, work).await
            }
            None => file::with_table(&self.file, only, self.memory, work).await,
        }
    }

    fn write(&self, found: &Found<'_>) -> anyhow::Result<()> {
        let colour = self.colour();
        for (format, path) in &self.gating.also {
            file::put(Some(path), self.written(*format, found, false)?)?;
        }
        self.put(self.written(self.format, found, colour)?)
    }

    fn written(&self, format: Output, found: &Found<'_>, colour: bool) -> anyhow::Result<Vec<u8>> {
        let Found { result, gating, gate, compared } = found;
        let (source, compared) = (self.source(), compared.as_ref());
        let asked = self.gating.tells(gate, compared);
        let meta = || {
            let title = format!("Bias analysis of {source}");
            ReportMeta::new(title, source.clone(), SystemClock.now())
        };
        let text = match format {
            Output::Table => {
                let mut text = table::render(result, &source, colour);
                if let Some(individual) = &result.individual {
                    text += "\n";
                    text += &printed::document(&of_individual(individual), &source);
                }
                if asked {
                    text += &changes::render(gate, compared, colour);
                }
                text
            }
            Output::Json if asked => {
                let comparison = compared.map(|compared| &compared.comparison);
                serde_json::to_string_pretty(&Printed { result, gate, comparison })? + "\n"
            }
            Output::Json => serde_json::to_string_pretty(result)? + "\n",
            Output::Html => report::html(&noted(result, gate), &meta())?,
            Output::Pdf => return Ok(report::binary_pdf(&noted(result, gate), &meta())?),
            Output::Sarif => gating.sarif(gate)?,
            Output::Junit => junit(gate),
            Output::Markdown => markdown(result, gate, compared, &source),
        };
        Ok(text.into_bytes())
    }

    /// Whether words may be coloured: on a terminal that wants it.
    fn colour(&self) -> bool {
        let terminal = self.out.is_none() && std::io::stdout().is_terminal();
        terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// What is analysed, for people.
    fn source(&self) -> String {
        file::named(&self.file)
    }

    fn put(&self, result: impl AsRef<[u8]>) -> anyhow::Result<()> {
        file::put(self.out.as_ref(), result)
    }
}

/// The result with what its page must say of the gate.
fn noted<'a>(result: &'a AnalysisResult, gate: &Gate) -> Cow<'a, AnalysisResult> {
    let mut result = Cow::Borrowed(result);
    for sentence in gating::unshown(gate) {
        result.to_mut().warnings.push(sentence);
    }
    result
}

/// An analysis, and what the gate found in it.
struct Found<'a> {
    result: &'a AnalysisResult,
    gating: &'a Gating,
    gate: &'a Gate,
    compared: Option<Compared<'a>>,
}
