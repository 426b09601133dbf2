//! From JSON to a specification, with every fault at once.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Task, TaskSpec};
use crate::{Fault, fault::nearest};

/// What all tasks are asked.
const COMMON: [&str; 8] = [
    "protected",
    "reference_groups",
    "intersection_depth",
    "min_group_size",
    "thresholds",
    "confidence",
    "seed",
    "bootstrap_draws",
];

/// What a task is asked beside these.
const fn own(task: Task) -> &'static [&'static str] {
    match task {
        Task::Binary => &[
            "analysis_type",
            "target",
            "prediction",
            "score",
            "score_threshold",
            "positive_label",
            "weight",
            "strata",
            "features",
            "neighbours",
            "flipped",
            "data",
            "law",
        ],
        Task::Regression => &["target", "prediction", "loss", "loss_bound", "weight"],
        Task::Multiclass => &["target", "prediction", "weight"],
        // Rows of lists have no weights.
        Task::Ranking => &["list", "position", "score", "top"],
    }
}

fn fields(task: Task) -> impl Iterator<Item = &'static str> {
    COMMON.into_iter().chain(own(task).iter().copied())
}

pub(super) fn read(json: &Value) -> Result<TaskSpec, Vec<Fault>> {
    let Value::Object(given) = json else {
        let message = "A specification is an object, with its fields by their names.";
        return Err(vec![Fault::new("", "type", message)]);
    };
    let task = task(given)?;
    let mut faults = strangers(given, task);
    let known: Map<String, Value> = given
        .iter()
        .filter(|(name, _)| fields(task).any(|field| field == name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let spec = match task {
        Task::Binary => typed(known, &[], &mut faults).map(|spec| TaskSpec::Binary(Box::new(spec))),
        Task::Regression => {
            typed(known, &["target", "prediction"], &mut faults).map(TaskSpec::Regression)
        }
        Task::Multiclass => {
            typed(known, &["target", "prediction"], &mut faults).map(TaskSpec::Multiclass)
        }
        Task::Ranking => typed(known, &[], &mut faults).map(TaskSpec::Ranking),
    };
    match spec {
        Some(spec) if faults.is_empty() => Ok(spec),
        // What can be read hides nothing of what else is wrong.
        Some(spec) => {
            faults.extend(spec.faults());
            Err(faults)
        }
        None => Err(faults),
    }
}

fn task(given: &Map<String, Value>) -> Result<Task, Vec<Fault>> {
    let Some(word) = given.get("task") else { return Ok(Task::Binary) };
    let words = Task::ALL.map(Task::as_str);
    let Some(text) = word.as_str() else {
        let message = format!("A task is one of these words: {}.", words.join(", "));
        return Err(vec![Fault::new("/task", "type", message)]);
    };
    Task::named(text).ok_or_else(|| {
        let cut: String = text.chars().take(60).collect();
        let fault = Fault::new("/task", "vocabulary", format!("There is no task `{cut}`."));
        vec![match nearest(&cut, words) {
            Some(near) => fault.hint(format!("Did you mean `{near}`?")),
            None => fault.hint(format!("There are: {}.", words.join(", "))),
        }]
    })
}

/// So many fields that mean nothing are told of; looking for what each could mean takes time.
const MOST_STRANGERS: usize = 100;

/// Fields that mean nothing to the task.
fn strangers(given: &Map<String, Value>, task: Task) -> Vec<Fault> {
    let is_known = |name: &str| name == "task" || fields(task).any(|field| field == name);
    let mine = task.as_str();
    given
        .keys()
        .filter(|name| !is_known(name))
        .take(MOST_STRANGERS)
        .map(|name| {
            let cut: String = name.chars().take(60).collect();
            let place = format!("/{}", cut.replace('~', "~0").replace('/', "~1"));
            let others: Vec<&str> = Task::ALL
                .into_iter()
                .filter(|other| fields(*other).any(|field| field == cut))
                .map(Task::as_str)
                .collect();
            if others.is_empty() {
                let fault = Fault::new(
                    place,
                    "unknown_field",
                    format!("A specification of the task {mine} has no field `{cut}`."),
                );
                return match nearest(&cut, fields(task)) {
                    Some(near) => fault.hint(format!("Did you mean `{near}`?")),
                    None => fault,
                };
            }
            let others = others.join(" or ");
            let message =
                format!("`{cut}` goes with the task {others}, and means nothing to {mine}.");
            Fault::new(place, "misplaced", message)
                .hint(format!("Leave it out, or set `task` to {others}."))
        })
        .collect()
}

/// Reads all fields, each by itself too, so that every one of a wrong type is told.
fn typed<T: DeserializeOwned>(
    given: Map<String, Value>,
    columns: &[&str],
    faults: &mut Vec<Fault>,
) -> Option<T> {
    // What is missing is told by the specification itself, with what to do about it.
    let bare = || -> Map<String, Value> {
        let columns = columns.iter().map(|name| ((*name).to_owned(), json!("")));
        columns.chain([("protected".to_owned(), json!([]))]).collect()
    };
    let mut whole = bare();
    for (name, value) in given {
        let mut alone = bare();
        alone.insert(name.clone(), value.clone());
        match serde_json::from_value::<T>(Value::Object(alone)) {
            Ok(_) => {
                whole.insert(name, value);
            }
            Err(error) => faults.push(Fault::new(format!("/{name}"), "type", format!("{error}."))),
        }
    }
    match serde_json::from_value(Value::Object(whole)) {
        Ok(spec) => Some(spec),
        Err(error) => {
            faults.push(Fault::new("", "type", format!("{error}.")));
            None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn places(json: &Value) -> Vec<(String, String)> {
        read(json).unwrap_err().into_iter().map(|fault| (fault.where_, fault.code)).collect()
    }

    #[test]
    fn a_specification_is_the_same_after_it_was_written() {
        for json in [
            json!({ "target": "y", "prediction": "p", "protected": ["sex"], "features": ["a"] }),
            json!({ "task": "binary", "target": "y", "protected": ["sex"], "law": { "rules": ["ll144"] } }),
            json!({ "target": "y", "prediction": "p", "protected": ["sex"], "flipped": "q",
                    "data": { "features": ["a"], "population": { "sex": { "f": 0.5, "m": 0.5 } } } }),
            json!({ "score": "s", "protected": ["sex"], "law": { "rules": ["ll144"] } }),
            json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"], "loss": "absolute", "loss_bound": 2.5 }),
            json!({ "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"], "weight": "w" }),
            json!({ "task": "ranking", "list": "q", "position": "at", "protected": ["sex"], "top": 3 }),
        ] {
            let spec = read(&json).unwrap();
            let written = spec.to_json().unwrap();
            assert_eq!(read(&written).unwrap(), spec, "{written}");
            for (name, value) in json.as_object().unwrap() {
                assert!(name == "task" || written[name] == *value, "{name} of {written}");
            }
            // Whatever a specification holds can be asked for.
            for name in written.as_object().unwrap().keys() {
                let known = name == "task" || fields(spec.task()).any(|field| field == name);
                assert!(known, "{name} of {:?}", spec.task());
            }
        }
        let old = read(&json!({ "target": "y", "protected": ["sex"] })).unwrap();
        assert!(old.to_json().unwrap().get("task").is_none());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let found = places(&json!({
            "task": "regression", "score": "s", "top": 3, "los": "squared", "loss_bound": "much",
            "seed": -1, "confidence": 2.0,
        }));
        for wanted in [
            ("/score", "misplaced"),
            ("/top", "misplaced"),
            ("/los", "unknown_field"),
            ("/loss_bound", "type"),
            ("/seed", "type"),
            ("/confidence", "out_of_range"),
            ("/target", "required"),
            ("/protected", "required"),
        ] {
            let wanted = (wanted.0.to_owned(), wanted.1.to_owned());
            assert!(found.contains(&wanted), "{wanted:?} is not in {found:?}");
        }
    }

    #[test]
    fn what_is_no_specification_is_told_so() {
        assert_eq!(places(&json!([1])), [(String::new(), "type".to_owned())]);
        assert_eq!(places(&json!({ "task": 3 })), [("/task".to_owned(), "type".to_owned())]);
        assert_eq!(
            places(&json!({ "task": "rankin" })),
            [("/task".to_owned(), "vocabulary".to_owned())]
        );
        let found = places(&json!({ "a/b~c": 1, "target": null, "protected": "sex" }));
        assert!(found.contains(&("/a~1b~0c".to_owned(), "unknown_field".to_owned())), "{found:?}");
        assert!(found.contains(&("/protected".to_owned(), "type".to_owned())), "{found:?}");
    }
}
