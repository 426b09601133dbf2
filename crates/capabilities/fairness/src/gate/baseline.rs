//! A saved result, to compare with.

use serde::Deserialize;

use crate::{
    AnalysisResult, ENGINE_VERSION,
    task::{Task, TaskResult},
};

/// The most bytes of a baseline.
pub const MAX_BASELINE_BYTES: u64 = 256 << 20;

/// What tells a result of an analysis from other JSON.
#[derive(Deserialize)]
struct Head {
    engine_version: Option<String>,
    report: Option<serde::de::IgnoredAny>,
    attributes: Option<serde::de::IgnoredAny>,
    comparisons: Option<serde::de::IgnoredAny>,
    // What only the results of one task have.
    exact: Option<serde::de::IgnoredAny>,
    against_rest: Option<serde::de::IgnoredAny>,
    lists: Option<serde::de::IgnoredAny>,
}

impl Head {
    /// The task that it is a result of, as far as its fields tell.
    fn task(&self) -> Option<Task> {
        let told = [
            (self.attributes.is_some(), Task::Binary),
            (self.against_rest.is_some(), Task::Multiclass),
            (self.exact.is_some(), Task::Regression),
            (self.lists.is_some(), Task::Ranking),
        ];
        told.into_iter().find(|(is_there, _)| *is_there).map(|(_, task)| task)
    }
}

const HOW: &str = "A baseline is what `ephor analyze --format json` writes.";

/// Reads what `ephor analyze --format json` wrote of yes or no. The error says why it is none.
pub fn read_baseline(text: &str) -> Result<AnalysisResult, String> {
    let (text, version, _) = checked(text, |head| head.attributes.is_some())?;
    serde_json::from_str(text).map_err(|error| unlike(&version, &error))
}

/// Reads what `ephor analyze --format json` wrote of a task. The error says why it is none, and which task it is of.
pub fn read_task_baseline(text: &str, task: Task) -> Result<TaskResult, String> {
    let (text, version, told) =
        checked(text, |head| head.attributes.is_some() || head.comparisons.is_some())?;
    if let Some(other) = told.filter(|told| *told != task) {
        return Err(format!(
            "The baseline is of the task {}, and this analysis of the task {}: their numbers have nothing to do with one another.",
            other.as_str(),
            task.as_str()
        ));
    }
    whole(text, task).map_err(|error| unlike(&version, &error))
}

/// The result itself. It may be great, so it is read as what it is at once, and held no second time as JSON.
fn whole(text: &str, task: Task) -> Result<TaskResult, serde_json::Error> {
    Ok(match task {
        Task::Binary => TaskResult::Binary(serde_json::from_str(text)?),
        Task::Regression => TaskResult::Regression(serde_json::from_str(text)?),
        Task::Multiclass => TaskResult::Multiclass(serde_json::from_str(text)?),
        Task::Ranking => TaskResult::Ranking(serde_json::from_str(text)?),
    })
}

fn unlike(version: &str, error: &serde_json::Error) -> String {
    format!(
        "The baseline names engine version {version}, but is not as it writes results: {error}. {HOW}"
    )
}

/// The text without its mark of byte order, the engine's version and the task that the fields tell, if it is a result that this
/// engine reads.
fn checked(
    text: &str,
    is_result: impl Fn(&Head) -> bool,
) -> Result<(&str, String, Option<Task>), String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head: Head = serde_json::from_str(text)
        .map_err(|error| format!("The baseline is no result of an analysis: {error}. {HOW}"))?;
    let (is_result, task) = (is_result(&head), head.task());
    let Some(version) = head.engine_version.filter(|_| is_result) else {
        let what = if head.report.is_some() {
            "The baseline is a report of figures, and no result of an analysis"
        } else if head.comparisons.is_some() {
            "The baseline is a result of another task than yes or no, or of other metrics"
        } else {
            "The baseline is no result of an analysis"
        };
        return Err(format!("{what}. {HOW}"));
    };
    if line(&version) != line(ENGINE_VERSION) {
        return Err(format!(
            "The baseline was made by version {version} of the engine; this is {ENGINE_VERSION}, which does not read it. Make a new one with this version."
        ));
    }
    Ok((text, version, task))
}

/// The part of a version that results stay readable within: the first number above 0, and what precedes it.
fn line(version: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for part in version.split(['.', '-', '+']).take(3) {
        found.push(part);
        if part != "0" {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_line_read_one_another() {
        assert_eq!(line("0.1.0"), line("0.1.9-rc.1"));
        assert_ne!(line("0.1.0"), line("0.2.0"));
        assert_eq!(line("1.0.0"), line("1.7.3"));
        assert_ne!(line("1.0.0"), line("2.0.0"));
        assert_ne!(line("10.0.0"), line("1.0.0"));
    }

    #[test]
    fn a_baseline_of_another_task_is_told_so() {
        let numbers = serde_json::json!({
            "spec": { "target": "y", "prediction": "p", "protected": ["sex"] },
            "engine_version": ENGINE_VERSION, "exact": true, "distance_error": 0.0,
            "rows": { "read": 0, "used": 0, "weight": 0.0, "effective": 0.0 }, "excluded": [],
            "overall": { "name": "all", "values": [], "n": 0, "weight": 0.0, "small": false, "metrics": [] },
            "comparisons": [], "notes": [], "counts": { "pass": 0, "warning": 0, "fail": 0 }, "status": null,
        })
        .to_string();
        assert!(read_task_baseline(&numbers, Task::Regression).is_ok());
        let why = read_task_baseline(&numbers, Task::Ranking).err().unwrap_or_default();
        assert!(why.contains("task regression") && why.contains("task ranking"), "{why}");
        let why = read_baseline(&numbers).err().unwrap_or_default();
        assert!(why.contains("another task"), "{why}");
        let odd = numbers.replace("\"notes\":[]", "\"notes\":3");
        let why = read_task_baseline(&odd, Task::Regression).err().unwrap_or_default();
        assert!(why.contains("not as it writes results"), "{why}");
        // Its fields tell its task, though it cannot be read.
        let why = read_task_baseline(&odd, Task::Ranking).err().unwrap_or_default();
        assert!(why.contains("task regression"), "{why}");
    }

    #[test]
    fn what_is_no_result_is_told_from_what_is_too_old() {
        let why = |text: &str| read_baseline(text).err().unwrap_or_default();
        assert!(why("[]").contains("no result"), "{}", why("[]"));
        assert!(why("{\"a\":1}").contains("no result"));
        assert!(why("{\"report\":\"ll144\"}").contains("report of figures"));
        let old = why("{\"engine_version\":\"0.0.9\",\"attributes\":[]}");
        assert!(old.contains("0.0.9") && old.contains("does not read it"), "{old}");
        let broken = format!("{{\"engine_version\":\"{ENGINE_VERSION}\",\"attributes\":[]}}");
        assert!(why(&broken).contains("not as it writes results"), "{}", why(&broken));
    }
}
