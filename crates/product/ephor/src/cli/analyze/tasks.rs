//! `ephor analyze --task …`: what the model predicts, where that is not yes or no.

use clap::ValueEnum;
use ephor_console::report::{
    ReportMeta,
    figures::{Document, html, of_flips, of_multiclass, of_ranking, of_regression},
    figures_pdf,
};
use ephor_fairness::{
    AnalysisSpec, AnalysisType, Status,
    flips::{self, FlipSpec},
    frame::Grouping,
    gate::{Compared, Gate, junit::junit, markdown::markdown_task},
    multiclass::{self, MulticlassSpec},
    ranking::{self, RankingSpec},
    regression::{self, RegressionSpec},
    task::{self, TaskResult},
};
use ephor_kernel::{Clock as _, SystemClock};

use super::{
    Output, changes,
    gating::{self, Gating, Printed},
    reports::put,
};
use crate::{
    cli::{block_on, file, printed},
    exit::Exit,
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is predicted")]
pub struct TaskArgs {
    /// What the model predicts
    #[arg(long, value_enum, default_value_t = Task::Classification, value_name = "TASK")]
    pub task: Task,
    /// The loss whose bound holds in every group; with regression
    #[arg(long, value_enum, value_name = "LOSS")]
    loss: Option<Loss>,
    /// The bound: no group's mean loss may be above it; with regression
    #[arg(long, value_name = "NUMBER")]
    loss_bound: Option<f64>,
    /// The column that says which list a row is of, all rows by default; with ranking
    #[arg(long, value_name = "COLUMN")]
    list: Option<String>,
    /// The column of positions, if there is no score: less is seen first; with ranking
    #[arg(long, value_name = "COLUMN")]
    position: Option<String>,
    /// How many rows of a list are its top, 10 by default; with ranking
    #[arg(long, value_name = "NUMBER")]
    top: Option<u32>,
    /// How many of the rows most like it each row is compared with, 5 by default; with --type `individual_fairness`
    #[arg(long, value_name = "NUMBER")]
    pub neighbours: Option<u32>,
    /// The column of predictions (or scores) with the protected attribute changed: how many decisions flip?
    #[arg(long, value_name = "COLUMN")]
    pub flipped: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Yes or no
    Classification,
    /// Numbers
    Regression,
    /// One class of several
    Multiclass,
    /// The order of lists
    Ranking,
}

impl Task {
    const fn word(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
            Self::Multiclass => "multiclass",
            Self::Ranking => "ranking",
        }
    }

    const fn kind(self) -> task::Task {
        match self {
            Self::Classification => task::Task::Binary,
            Self::Regression => task::Task::Regression,
            Self::Multiclass => task::Task::Multiclass,
            Self::Ranking => task::Task::Ranking,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Loss {
    /// The square of the error
    Squared,
    /// The error
    Absolute,
}

impl From<Loss> for regression::Loss {
    fn from(chosen: Loss) -> Self {
        match chosen {
            Loss::Squared => Self::Squared,
            Loss::Absolute => Self::Absolute,
        }
    }
}

impl TaskArgs {
    /// The options that only mean something to other tasks than yes or no.
    pub fn of_other_tasks(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("--loss", self.loss.is_some()),
            ("--loss-bound", self.loss_bound.is_some()),
            ("--list", self.list.is_some()),
            ("--position", self.position.is_some()),
            ("--top", self.top.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option)
    }

    /// A sentence for each option that means nothing to the task.
    pub fn misplaced(&self, args: &super::Args, spec: &AnalysisSpec) -> Vec<String> {
        const ONLY: &[Task] = &[Task::Classification];
        const LABELLED: &[Task] = &[Task::Classification, Task::Regression, Task::Multiclass];
        let is_individual = spec.analysis_type == AnalysisType::IndividualFairness;
        let given: [(&str, bool, &[Task]); 16] = [
            ("--list", self.list.is_some(), &[Task::Ranking]),
            ("--position", self.position.is_some(), &[Task::Ranking]),
            ("--top", self.top.is_some(), &[Task::Ranking]),
            ("--target", spec.target.is_some(), LABELLED),
            ("--prediction", spec.prediction.is_some(), LABELLED),
            ("--loss", self.loss.is_some(), &[Task::Regression]),
            ("--loss-bound", self.loss_bound.is_some(), &[Task::Regression]),
            ("--score", spec.score.is_some(), &[Task::Classification, Task::Ranking]),
            ("--score-threshold", spec.score_threshold != 0.5, ONLY),
            ("--positive", spec.positive_label.is_some(), ONLY),
            ("--type", spec.analysis_type != AnalysisType::Comprehensive, ONLY),
            ("--report", args.reports.report.is_some(), ONLY),
            ("--strata", spec.strata.is_some(), ONLY),
            ("--neighbours", self.neighbours.is_some(), ONLY),
            ("--feature", !args.reports.feature.is_empty(), ONLY),
            ("--flipped", self.flipped.is_some(), ONLY),
        ];
        let mine = self.task.word();
        let mut sentences: Vec<String> = given
            .into_iter()
            .filter(|(_, is_given, tasks)| *is_given && !tasks.contains(&self.task))
            .map(|(option, _, tasks)| {
                let words: Vec<&str> = tasks.iter().map(|task| task.word()).collect();
                let words = words.join(" or ");
                format!("{option} goes with --task {words}, and means nothing to {mine}")
            })
            .collect();
        if self.task != Task::Classification {
            let beside = format!("--task {mine}");
            // Their pages tell one result, and nothing of what changed.
            let page = match args.format {
                Output::Html => Some("html"),
                Output::Pdf => Some("pdf"),
                Output::Table | Output::Json | Output::Sarif | Output::Junit | Output::Markdown => {
                    None
                }
            };
            if let Some(page) = page.filter(|_| args.gating.baseline.is_some()) {
                sentences.push(format!(
                    "--baseline goes with --format table, json, sarif, junit or markdown beside {beside}, and means nothing to --format {page}"
                ));
            }
        }
        if self.task == Task::Classification && args.reports.report.is_none() && !is_individual {
            for (option, is_given) in [
                ("--feature", !spec.features.is_empty()),
                ("--neighbours", self.neighbours.is_some()),
            ] {
                if is_given {
                    let with = if option == "--feature" { " or --report data" } else { "" };
                    sentences.push(format!("{option} goes with --type individual_fairness{with}"));
                }
            }
        }
        if self.flipped.is_some() && self.task == Task::Classification {
            sentences.extend(misplaced_beside_flips(args, spec));
            return sentences;
        }
        let is_given =
            [("--target", spec.target.is_some()), ("--prediction", spec.prediction.is_some())];
        let needed = match self.task {
            Task::Regression | Task::Multiclass => 2,
            Task::Classification | Task::Ranking => 0,
        };
        for (option, _) in is_given[..needed].iter().filter(|(_, is_given)| !is_given) {
            sentences.push(format!("--task {mine} needs {option}"));
        }
        if self.task == Task::Classification
            && [&spec.target, &spec.prediction, &spec.score].into_iter().all(Option::is_none)
        {
            sentences.push(format!(
                "--task {mine} needs --target, or without labels --prediction or --score"
            ));
        }
        if self.task == Task::Ranking && self.position.is_some() == spec.score.is_some() {
            sentences.push("--task ranking needs either --position or --score".to_owned());
        }
        sentences
    }
}

/// A sentence for each option that means nothing where decisions are compared with those under a changed attribute.
fn misplaced_beside_flips(args: &super::Args, spec: &AnalysisSpec) -> Vec<String> {
    let is_comprehensive = spec.analysis_type == AnalysisType::Comprehensive;
    let given = [
        ("--target", spec.target.is_some()),
        ("--type", !is_comprehensive),
        ("--report", args.reports.report.is_some()),
        ("--strata", spec.strata.is_some()),
    ];
    let mut sentences: Vec<String> = given
        .into_iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(option, _)| format!("{option} means nothing to --flipped"))
        .collect();
    if spec.prediction.is_some() == spec.score.is_some() {
        sentences.push("--flipped needs either --prediction or --score".to_owned());
    }
    sentences.extend(args.gating.misplaced(args.format, "--flipped"));
    sentences
}

/// Reads the file, and prints how many decisions flip with the attribute.
pub fn run_flips(args: &super::Args, spec: &AnalysisSpec, flipped: &str) -> anyhow::Result<Exit> {
    let spec = FlipSpec::of(spec, flipped);
    let found =
        block_on(args.read(async |table, cancel| flips::analyze(table, &spec, cancel).await))?;
    put(args, &found, &of_flips(&found))?;
    Ok(args.exit(found.findings.status.unwrap_or(Status::Pass)))
}

/// Reads the file, and prints what the task's analysis found, what the gate found in it and, beside a baseline, what changed since.
pub fn run(args: &super::Args, mut spec: AnalysisSpec) -> anyhow::Result<Exit> {
    let gating = Gating::read(&args.gating, &args.file, args.tasks.task.kind())?;
    let overridden: Vec<String> = spec.thresholds.keys().cloned().collect();
    gating.thresholds(&mut spec.thresholds);
    let mut result = analysed(args, spec)?;
    gating.policy.judge_task(&mut result, &overridden);
    let compared = gating.compare_task(&result)?;
    let gate = gating.judge_task(&result, compared.as_ref());
    let found = Found { result: &result, gating: &gating, gate: &gate, compared };
    for (format, path) in &args.gating.also {
        file::put(Some(path), found.written(args, *format, false)?)?;
    }
    args.put(found.written(args, args.format, args.colour())?)?;
    Ok(if gate.stopped { Exit::Finding } else { Exit::Ok })
}

/// An analysis, and what the gate found in it.
struct Found<'a> {
    result: &'a TaskResult,
    gating: &'a Gating,
    gate: &'a Gate,
    compared: Option<Compared<'a>>,
}

impl Found<'_> {
    fn written(&self, args: &super::Args, format: Output, colour: bool) -> anyhow::Result<Vec<u8>> {
        let Self { result, gating, gate, .. } = *self;
        let (source, compared) = (args.source(), self.compared.as_ref());
        let asked = args.gating.tells(gate, compared);
        let page = || -> anyhow::Result<(Document, ReportMeta)> {
            let mut document = document(result)?;
            document.notes.extend(gating::unshown(gate));
            let meta = ReportMeta::new(document.title, args.source(), SystemClock.now());
            Ok((document, meta))
        };
        let text = match format {
            Output::Table => {
                let mut text = printed::document(&document(result)?, &source);
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
            Output::Html => {
                let (document, meta) = page()?;
                html(&document, &meta)?
            }
            Output::Pdf => {
                let (document, meta) = page()?;
                return Ok(figures_pdf(&document, &meta)?);
            }
            Output::Sarif => gating.sarif(gate)?,
            Output::Junit => junit(gate),
            Output::Markdown => markdown_task(result, gate, compared, &source),
        };
        Ok(text.into_bytes())
    }
}

/// How it is told, in words and tables.
fn document(result: &TaskResult) -> anyhow::Result<Document> {
    Ok(match result {
        TaskResult::Regression(report) => of_regression(report),
        TaskResult::Multiclass(report) => of_multiclass(report),
        TaskResult::Ranking(report) => of_ranking(report),
        TaskResult::Binary(_) => anyhow::bail!("an analysis of yes and no has a page of its own"),
    })
}

/// What the task's analysis found.
fn analysed(args: &super::Args, spec: AnalysisSpec) -> anyhow::Result<TaskResult> {
    let groups = Grouping::from(&spec);
    let (asked, target) = (&args.tasks, spec.target.unwrap_or_default());
    let prediction = spec.prediction.unwrap_or_default();
    Ok(match asked.task {
        Task::Multiclass => {
            let spec = MulticlassSpec::new(target, prediction, groups);
            let found = block_on(
                args.read(async |table, cancel| multiclass::analyze(table, &spec, cancel).await),
            )?;
            TaskResult::Multiclass(Box::new(found))
        }
        Task::Ranking => {
            let spec = RankingSpec {
                list: asked.list.clone(),
                position: asked.position.clone(),
                score: spec.score,
                top: asked.top.unwrap_or(10),
                groups,
            };
            let found = block_on(
                args.read(async |table, cancel| ranking::analyze(table, &spec, cancel).await),
            )?;
            TaskResult::Ranking(Box::new(found))
        }
        Task::Classification | Task::Regression => {
            let spec = RegressionSpec {
                loss: asked.loss.map(Into::into).unwrap_or_default(),
                loss_bound: asked.loss_bound,
                ..RegressionSpec::new(target, prediction, groups)
            };
            let found = block_on(
                args.read(async |table, cancel| regression::analyze(table, &spec, cancel).await),
            )?;
            TaskResult::Regression(Box::new(found))
        }
    })
}
