//! `ephor analyze` as a gate: a policy, a baseline, and what CI jobs read.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use ephor_fairness::{
    AnalysisResult,
    comparison::Comparison,
    gate::{
        self, Compared, Day, FailOn, Gate, Policy,
        baseline::MAX_BASELINE_BYTES,
        policy::MAX_POLICY_BYTES,
        sarif::{Place, sarif},
    },
    task::{Task, TaskResult},
};
use ephor_kernel::{Clock as _, SystemClock};
use serde::Serialize;

use super::Output;
use crate::exit::UsageError;

/// Why nothing says what regressed.
const UNTOLD: &str = "What regressed is told by a baseline: give one with --baseline";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Gating")]
pub struct GateArgs {
    /// What must hold: a TOML or JSON file of thresholds, bounds of metrics and known findings
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A result that --format json saved: says what became better or worse since
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// When the exit code is 1; fail, unless the policy says otherwise
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fail_on: Option<Stop>,
    /// Write the result in another format too; may be repeated
    #[arg(long, value_parser = also, value_name = "FORMAT=FILE")]
    pub also: Vec<(Output, PathBuf)>,
}

impl GateArgs {
    /// Whether the gate is told beside the result: if somebody asked for one, or it fails for what cannot be shown.
    pub fn tells(&self, gate: &Gate, compared: Option<&Compared<'_>>) -> bool {
        self.policy.is_some() || compared.is_some() || unshown(gate).next().is_some()
    }

    /// A sentence for each option that gates, beside what cannot be gated.
    pub fn misplaced(&self, format: Output, beside: &str) -> Vec<String> {
        let given = [
            ("--policy", self.policy.is_some()),
            ("--baseline", self.baseline.is_some()),
            ("--also", !self.also.is_empty()),
            ("--fail-on regression", self.fail_on == Some(Stop::Regression)),
            ("--format sarif", format == Output::Sarif),
            ("--format junit", format == Output::Junit),
            ("--format markdown", format == Output::Markdown),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        given
            .map(|(option, _)| {
                format!("{option} is for analyses of a model, and means nothing to {beside}")
            })
            .collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stop {
    /// A metric is beyond its threshold, noise allowed for, or what was named cannot be shown
    Fail,
    /// A metric is beyond its threshold, though noise could explain it
    Warning,
    /// A metric became worse than the baseline beyond noise, and is beyond its threshold
    Regression,
    /// Never: the report is all that is wanted
    Never,
}

impl From<Stop> for FailOn {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Fail => Self::Fail,
            Stop::Warning => Self::Warning,
            Stop::Regression => Self::Regression,
            Stop::Never => Self::Never,
        }
    }
}

fn also(text: &str) -> Result<(Output, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or_else(|| "it is written FORMAT=FILE".to_owned())?;
    let words = || {
        let all = Output::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        all.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let format = Output::from_str(format, false)
        .map_err(|_| format!("`{format}` is none of {}", words()))?;
    Ok((format, PathBuf::from(file)))
}

/// Refuses a gate on regressions beside a baseline of which nothing can be told.
fn comparable(comparison: &Comparison) -> anyhow::Result<()> {
    let told: Vec<&str> = comparison.obstacles().map(|one| one.sentence.as_str()).collect();
    if told.is_empty() {
        return Ok(());
    }
    let message = "The baseline does not measure the same, so that nothing says what regressed:";
    Err(UsageError(format!("{message}\n{}", told.join("\n"))).into())
}

/// What is to be judged by, read and found right before the data are.
pub struct Gating {
    pub policy: Policy,
    /// Of the task that is analysed.
    pub baseline: Option<TaskResult>,
    pub fail_on: FailOn,
    /// The file that findings are shown at.
    place: Place,
}

/// What `--format json` prints with a policy or baseline: the result as ever, and beside it what the gate found.
#[derive(Serialize)]
pub struct Printed<'a, T: Serialize> {
    #[serde(flatten)]
    pub result: &'a T,
    pub gate: &'a Gate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<&'a Comparison>,
}

impl Gating {
    /// Reads policy and baseline; the faults of both at once.
    pub fn read(args: &GateArgs, data: &Path, task: Task) -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        let policy =
            args.policy.as_deref().map(|path| policy(path, task, &mut wrong)).unwrap_or_default();
        let baseline = args.baseline.as_deref().and_then(|path| baseline(path, task, &mut wrong));
        let fail_on = args.fail_on.map(FailOn::from).or(policy.fail_on).unwrap_or(FailOn::Fail);
        if fail_on == FailOn::Regression && args.baseline.is_none() {
            wrong.push(UNTOLD.to_owned());
        }
        if !wrong.is_empty() {
            return Err(UsageError(wrong.join("\n")).into());
        }
        let shown = args.policy.as_deref().unwrap_or(data);
        Ok(Self { policy, baseline, fail_on, place: Place { path: repository_path(shown) } })
    }

    /// The thresholds of the policy, under those of the command line.
    pub fn thresholds(&self, thresholds: &mut BTreeMap<String, f64>) {
        let given: Vec<&str> = thresholds.keys().map(|name| canonical(name)).collect();
        let missing: Vec<(String, f64)> = self
            .policy
            .thresholds
            .iter()
            .filter(|(id, _)| !given.contains(&id.as_str()) && !thresholds.contains_key(*id))
            .map(|(id, threshold)| (id.clone(), *threshold))
            .collect();
        thresholds.extend(missing);
    }

    /// What became of a result of yes and no since the baseline.
    pub fn compare<'a>(&'a self, result: &AnalysisResult) -> anyhow::Result<Option<Compared<'a>>> {
        let baseline = self.baseline.as_ref().and_then(TaskResult::binary);
        self.told(baseline.map(|baseline| Compared::new(baseline, result)))
    }

    /// The same of any task.
    pub fn compare_task<'a>(&'a self, result: &TaskResult) -> anyhow::Result<Option<Compared<'a>>> {
        let baseline = self.baseline.as_ref();
        self.told(baseline.map(|baseline| Compared::of_tasks(baseline, result)).transpose()?)
    }

    /// Refuses what cannot tell a regression, where these stop the gate.
    fn told<'a>(&self, compared: Option<Compared<'a>>) -> anyhow::Result<Option<Compared<'a>>> {
        if let Some(compared) = &compared
            && self.fail_on == FailOn::Regression
        {
            comparable(&compared.comparison)?;
        }
        Ok(compared)
    }

    pub fn judge(&self, result: &AnalysisResult, compared: Option<&Compared<'_>>) -> Gate {
        gate::gate(result, &self.policy, self.fail_on, compared, today())
    }

    pub fn judge_task(&self, result: &TaskResult, compared: Option<&Compared<'_>>) -> Gate {
        gate::gate_task(result, &self.policy, self.fail_on, compared, today())
    }

    pub fn sarif(&self, gate: &Gate) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&sarif(gate, &self.place))? + "\n")
    }
}

/// What a page must say that shows a result and no gate: all that was asked for by name and cannot be shown.
pub fn unshown(gate: &Gate) -> impl Iterator<Item = String> {
    let checks = gate.checks.iter().filter(|check| check.unshown.is_some());
    checks.map(|check| format!("{}: {}", check.of(), check.sentence))
}

/// The id of a disparity that may be named otherwise.
fn canonical(name: &str) -> &str {
    ephor_fairness::disparities::find(name).map_or(name, |definition| &definition.id)
}

/// The day by UTC, as CI jobs run by it.
fn today() -> Day {
    let now = SystemClock.now().format("%Y-%m-%d").to_string();
    // A clock beyond the year 9999 is no clock: all that expires has.
    Day::read(&now).unwrap_or(Day::LAST)
}

/// A path as code scanning wants it: relative to where the job runs, which is its repository.
fn repository_path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let relative = path.strip_prefix(&here).unwrap_or(path);
    let parts: Vec<String> = relative
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    match parts.join("/").trim_start_matches('/') {
        "-" | "" => "stdin".to_owned(),
        path => path.to_owned(),
    }
}

fn policy(path: &Path, task: Task, wrong: &mut Vec<String>) -> Policy {
    let read = text(path, MAX_POLICY_BYTES as u64, "policy").and_then(|text| {
        Policy::read_for(&text, task).map_err(|faults| {
            let lines = faults.iter().map(|fault| format!("{}: {fault}", path.display()));
            lines.collect::<Vec<_>>().join("\n")
        })
    });
    read.unwrap_or_else(|message| {
        wrong.push(message);
        Policy::default()
    })
}

fn baseline(path: &Path, task: Task, wrong: &mut Vec<String>) -> Option<TaskResult> {
    let read = text(path, MAX_BASELINE_BYTES, "baseline").and_then(|text| {
        let read = if task == Task::Binary {
            gate::read_baseline(&text).map(TaskResult::from)
        } else {
            gate::read_task_baseline(&text, task)
        };
        read.map_err(|error| format!("{}: {error}", path.display()))
    });
    read.map_err(|message| wrong.push(message)).ok()
}

fn text(path: &Path, most: u64, what: &str) -> Result<String, String> {
    let unreadable =
        |error: std::io::Error| format!("the {what} {} cannot be read: {error}", path.display());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > most {
        return Err(format!("the {what} {} has more than {most} bytes", path.display()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stand_at_a_path_of_the_repository() {
        let here = std::env::current_dir().unwrap_or_default();
        let shown = |path: &Path| repository_path(path);
        assert_eq!(shown(&here.join("data/a.csv")), "data/a.csv");
        assert_eq!(shown(Path::new("./data/a.csv")), "data/a.csv");
        assert_eq!(shown(Path::new("-")), "stdin");
    }
}
