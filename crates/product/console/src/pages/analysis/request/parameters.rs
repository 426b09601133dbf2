//! The specification of each task.

use ephor_fairness::{
    AnalysisSpec, AnalysisType,
    frame::Grouping,
    multiclass::MulticlassSpec,
    ranking::RankingSpec,
    regression::{Loss, RegressionSpec},
    task::{Task, TaskSpec},
};
use ephor_kernel::Fault;

use super::reader::Reader;

/// The specification of the task. Fields that are filled in beforehand mean nothing to some tasks, and are left out; what
/// somebody chose and means nothing is told.
pub(super) fn parameters(reader: &mut Reader<'_>, task: Task, spec: AnalysisSpec) -> TaskSpec {
    misplaced(reader, task, &spec);
    let groups = Grouping::from(&spec);
    let prediction = spec.prediction.clone().unwrap_or_default();
    match task {
        Task::Binary => spec.into(),
        Task::Regression => {
            let mut asked =
                RegressionSpec::new(spec.target.unwrap_or_default(), prediction, groups);
            if reader.text("loss").is_some_and(|word| word == "absolute") {
                asked.loss = Loss::Absolute;
            }
            let mut bound = 0.0;
            if reader.number("loss_bound", "a number", &mut bound) {
                asked.loss_bound = Some(bound);
            }
            TaskSpec::Regression(asked)
        }
        Task::Multiclass => {
            let target = spec.target.unwrap_or_default();
            TaskSpec::Multiclass(MulticlassSpec::new(target, prediction, groups))
        }
        Task::Ranking => {
            let position = reader.text("position");
            let mut asked = RankingSpec {
                list: reader.text("list"),
                // The score is filled in beforehand: a position that somebody chose goes before it.
                score: spec.score.filter(|_| position.is_none()),
                position,
                top: 10,
                groups,
            };
            reader.number("top", "a whole number", &mut asked.top);
            TaskSpec::Ranking(asked)
        }
    }
}

/// What somebody chose and the task has no use for.
fn misplaced(reader: &mut Reader<'_>, task: Task, spec: &AnalysisSpec) {
    const BINARY: &[Task] = &[Task::Binary];
    const WEIGHED: &[Task] = &[Task::Binary, Task::Regression, Task::Multiclass];
    let given: [(&str, bool, &[Task]); 10] = [
        ("strata", spec.strata.is_some(), BINARY),
        ("features", !spec.features.is_empty(), BINARY),
        ("flipped", spec.flipped.is_some(), BINARY),
        ("data_report", spec.data.is_some(), BINARY),
        ("law_ll144", spec.law.is_some(), BINARY),
        ("analysis_type", spec.analysis_type != AnalysisType::Comprehensive, BINARY),
        ("weight", spec.weight.is_some(), WEIGHED),
        ("loss_bound", reader.text("loss_bound").is_some(), &[Task::Regression]),
        ("list", reader.text("list").is_some(), &[Task::Ranking]),
        ("position", reader.text("position").is_some(), &[Task::Ranking]),
    ];
    for (name, _, tasks) in
        given.into_iter().filter(|(_, given, tasks)| *given && !tasks.contains(&task))
    {
        let words: Vec<&str> = tasks.iter().map(|task| task.as_str()).collect();
        let message = format!(
            "It goes with the task {}, and means nothing to {}.",
            words.join(" or "),
            task.as_str()
        );
        reader
            .faults
            .push(Fault::new(format!("/{name}"), "misplaced", message).hint("Leave it empty."));
    }
}
