//! What a row of a row feed has: names and types, given or fixed by the first batch.

use std::collections::HashSet;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use ephor_fairness::task::TaskSpec;
use ephor_kernel::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::analysis::fault;

/// Columns of a row, at most.
pub(crate) const MOST_COLUMNS: usize = 500;
/// Fields of a specification that are looked at one by one, at most: each of them may be read by itself.
const MOST_FIELDS: usize = 50;
/// Characters of a column's name, at most.
pub(crate) const MOST_NAME: usize = 200;

/// What a column holds, beside missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedType {
    /// Any text.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers.
    Number,
    /// true or false.
    Boolean,
}

impl FeedType {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "true or false",
        }
    }

    const fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
        }
    }
}

/// A column of a row feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FeedType,
}

/// What is wrong with columns that somebody gives.
pub(crate) fn column_list_faults(columns: &[FeedColumn]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if columns.len() > MOST_COLUMNS {
        let message = format!("A row has at most {MOST_COLUMNS} columns");
        return vec![Fault::new("/columns", "too_many", message)];
    }
    let mut seen = HashSet::new();
    for (place, FeedColumn { name, .. }) in columns.iter().enumerate() {
        let at = format!("/columns/{place}/name");
        if let Some(message) = name_fault(name) {
            let code = if name.contains('\0') { "nul" } else { "length" };
            faults.push(Fault::new(at, code, message));
        } else if !seen.insert(name) {
            faults.push(Fault::new(at, "repeated", "Another column has this name"));
        }
    }
    faults
}

/// Why a name is none.
pub(crate) fn name_fault(name: &str) -> Option<String> {
    let fits = (1..=MOST_NAME).contains(&name.chars().count()) && !name.contains('\0');
    (!fits).then(|| format!("A column's name has 1 to {MOST_NAME} characters, and no NUL"))
}

/// The specification of a row feed's analyses, by its task.
///
/// # Errors
/// Every fault that shows before columns are looked at.
pub(crate) fn specification(parameters: &Value) -> Result<TaskSpec, Vec<Fault>> {
    TaskSpec::read(parameters).map_err(|faults| faults.into_iter().map(fault).collect())
}

/// The specification, or all that is wrong with it, the columns considered when they are known. A field that cannot be read hides
/// nothing of what is wrong with the others.
///
/// # Errors
/// Every fault.
pub(crate) fn checked_specification(
    parameters: &Value,
    columns: &[FeedColumn],
) -> Result<TaskSpec, Vec<Fault>> {
    let mut faults = match specification(parameters) {
        Ok(spec) => {
            let faults = parameter_faults(&spec, columns);
            return if faults.is_empty() { Ok(spec) } else { Err(faults) };
        }
        Err(faults) => faults,
    };
    if let Some((spec, unread)) = readable(parameters) {
        for found in parameter_faults(&spec, columns) {
            let field = found.pointer.strip_prefix("/parameters/");
            let field = field.and_then(|rest| rest.split('/').next());
            let is_unread = field.is_some_and(|field| unread.contains(&field));
            let is_told =
                faults.iter().any(|told| told.pointer == found.pointer && told.code == found.code);
            if !is_unread && !is_told {
                faults.push(found);
            }
        }
    }
    Err(faults)
}

/// What the fields that can be read say by themselves, and the names of the others.
fn readable(parameters: &Value) -> Option<(TaskSpec, Vec<&str>)> {
    let given = parameters.as_object().filter(|given| given.len() <= MOST_FIELDS)?;
    let task = given.get("task");
    let mut read = Map::new();
    let mut unread = Vec::new();
    for (name, value) in given {
        let mut alone = Map::new();
        alone.extend(task.map(|task| ("task".to_owned(), task.clone())));
        alone.insert(name.clone(), value.clone());
        if TaskSpec::read(&Value::Object(alone)).is_ok() {
            read.insert(name.clone(), value.clone());
        } else {
            unread.push(name.as_str());
        }
    }
    // Of no task, nothing means anything.
    if unread.contains(&"task") {
        return None;
    }
    TaskSpec::read(&Value::Object(read)).ok().map(|spec| (spec, unread))
}

/// What is wrong with a specification, the columns considered when they are known: what its task needs must be there, and hold
/// what it needs, such as numbers.
pub(crate) fn parameter_faults(spec: &TaskSpec, columns: &[FeedColumn]) -> Vec<Fault> {
    let faults = if columns.is_empty() {
        spec.faults()
    } else {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| Field::new(&column.name, column.kind.data_type(), true))
            .collect();
        spec.column_faults(&Schema::new(fields))
    };
    faults.into_iter().map(fault).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(name: &str, kind: FeedType) -> FeedColumn {
        FeedColumn { name: name.to_owned(), kind }
    }

    #[test]
    fn every_fault_of_the_columns_is_told() {
        let long = "x".repeat(MOST_NAME + 1);
        let columns = ["", "a", "a", long.as_str()].map(|name| column(name, FeedType::Text));
        let faults = column_list_faults(&columns);
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_ref()).collect();
        assert_eq!(pointers, ["/columns/0/name", "/columns/2/name", "/columns/3/name"]);
    }

    #[test]
    fn a_specification_is_held_against_columns_that_are_known() {
        let spec =
            specification(&json!({ "target": "y", "prediction": "p", "protected": ["sex"] }))
                .unwrap();
        assert!(parameter_faults(&spec, &[]).is_empty());
        let known = [column("y", FeedType::Number), column("p", FeedType::Number)];
        let faults = parameter_faults(&spec, &known);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/parameters/protected/0");
        // Scores do without labels.
        let scores = specification(&json!({ "score": "s", "protected": ["sex"] })).unwrap();
        let known = [column("s", FeedType::Number), column("sex", FeedType::Text)];
        assert!(parameter_faults(&scores, &known).is_empty());
    }

    #[test]
    fn a_field_that_cannot_be_read_hides_no_fault_of_the_columns() {
        let wrong = json!({
            "task": "regression", "target": "y", "prediction": "p", "protected": ["race"],
            "los": "squared", "loss_bound": "much",
        });
        let known = [
            column("y", FeedType::Number),
            column("p", FeedType::Text),
            column("sex", FeedType::Text),
        ];
        let faults = checked_specification(&wrong, &known).unwrap_err();
        let mut pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_ref()).collect();
        pointers.sort_unstable();
        let wanted = ["los", "loss_bound", "prediction", "protected/0"]
            .map(|field| format!("/parameters/{field}"));
        assert_eq!(pointers, wanted);
        // Of no task that there is, nothing else is told.
        let wrong = json!({ "task": "rankin", "target": "y" });
        let faults = checked_specification(&wrong, &known).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn columns_hold_what_the_task_needs() {
        let told = |parameters: Value, columns: &[FeedColumn]| -> Vec<(String, String)> {
            let found = specification(&parameters);
            let found = found.map_or_else(|faults| faults, |spec| parameter_faults(&spec, columns));
            let word = |fault: Fault| (fault.pointer.into_owned(), fault.code.into_owned());
            found.into_iter().map(word).collect()
        };
        let pair = |at: &str, code: &str| (at.to_owned(), code.to_owned());
        let sex = column("sex", FeedType::Text);
        let numbers =
            json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"] });
        let known = [column("y", FeedType::Number), column("p", FeedType::Text), sex.clone()];
        assert_eq!(
            told(numbers.clone(), &known),
            [pair("/parameters/prediction", "prediction_not_numeric")]
        );
        let known = [column("y", FeedType::Integer), column("p", FeedType::Number), sex.clone()];
        assert_eq!(told(numbers, &known), []);

        let classes =
            json!({ "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"] });
        let known = [column("y", FeedType::Text), column("p", FeedType::Text), sex.clone()];
        assert_eq!(told(classes.clone(), &known), []);
        assert_eq!(told(classes, &[]), []);

        let lists =
            json!({ "task": "ranking", "list": "query", "score": "s", "protected": ["sex"] });
        let known = [column("query", FeedType::Integer), column("s", FeedType::Boolean), sex];
        assert_eq!(told(lists.clone(), &known), [pair("/parameters/score", "score_not_numeric")]);
        assert_eq!(told(lists, &[]), []);

        // Without columns too, all that shows is told.
        let wrong = json!({ "task": "ranking", "target": "y", "protected": ["sex"] });
        let found = told(wrong, &[]);
        for one in
            [pair("/parameters/target", "misplaced"), pair("/parameters/position", "required")]
        {
            assert!(found.contains(&one), "{one:?} is not in {found:?}");
        }
    }
}
