//! Whether data sets have the columns that a monitor names, when it is asked to run.

use std::collections::HashMap;

use ephor_fairness::task::Task;
use ephor_kernel::{DatasetId, Fault, Problem};
use ephor_store::{OrgTx, StoreError};
use serde_json::Value;
use uuid::Uuid;

use super::{Monitor, definition::Kind};

/// A fault for each column that is named and is not there, whatever else is wrong with the monitor. Data sets whose columns are not
/// known yet are left to the run, and so are all for who may not read data sets: they are not to learn what one holds.
pub(super) async fn column_faults(
    tx: &mut OrgTx,
    monitor: &Monitor,
) -> Result<Vec<Fault>, Problem> {
    if !tx.scope().permissions().allows("datasets", "read") {
        return Ok(Vec::new());
    }
    let kind = Kind::of(&monitor.kind);
    let reference = monitor.reference_dataset_id.filter(|_| kind != Some(Kind::Compliance));
    let asked: Vec<(DatasetId, &str)> = monitor
        .current_dataset_id
        .map(|dataset| (dataset, "current data set"))
        .into_iter()
        .chain(reference.map(|dataset| (dataset, "reference")))
        .collect();
    let ids: Vec<Uuid> = asked.iter().map(|(dataset, _)| dataset.uuid()).collect();
    let rows = sqlx::query!(
        "select id, schema from registry.datasets
          where organization_id = $1 and id = any($2) and status = 'ready'",
        tx.organization().uuid(),
        &ids,
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    let schemas: HashMap<Uuid, Vec<String>> =
        rows.into_iter().map(|row| (row.id, names(&row.schema))).collect();
    let wanted = columns(kind, &monitor.parameters);
    let mut faults = Vec::new();
    for (dataset, what) in asked {
        let Some(there) = schemas.get(&dataset.uuid()).filter(|names| !names.is_empty()) else {
            continue;
        };
        for (at, column) in &wanted {
            if !there.contains(column) {
                let message = format!("The {what} has no column `{column}`");
                faults.push(Fault::new(at.clone(), "unknown_column", message));
            }
        }
    }
    Ok(faults)
}

/// The names of the columns of a stored schema.
fn names(schema: &Value) -> Vec<String> {
    let columns = schema.as_array().map(Vec::as_slice).unwrap_or_default();
    columns.iter().filter_map(|one| one["name"].as_str()).map(str::to_owned).collect()
}

/// What is read by name, and where it is named. Of data quality, a column that is gone is what is looked for.
fn columns(kind: Option<Kind>, parameters: &Value) -> Vec<(String, String)> {
    let time = parameters["time_column"].as_str();
    let mut wanted: Vec<(String, String)> = time
        .map(|column| ("/parameters/time_column".to_owned(), column.to_owned()))
        .into_iter()
        .collect();
    if kind == Some(Kind::Data) {
        return wanted;
    }
    let analysis = &parameters["analysis"];
    let named = read_by(analysis).iter().map(|name| ((*name).to_owned(), &analysis[*name]));
    let protected = analysis["protected"].as_array().into_iter().flatten().enumerate();
    let protected = protected.map(|(at, column)| (format!("protected/{at}"), column));
    for (place, column) in named.chain(protected) {
        if let Some(column) = column.as_str().filter(|column| !column.is_empty()) {
            wanted.push((format!("/parameters/analysis/{place}"), column.to_owned()));
        }
    }
    wanted
}

/// The fields of an analysis that name a column, by its task.
fn read_by(analysis: &Value) -> &'static [&'static str] {
    let task = match &analysis["task"] {
        Value::Null => Some(Task::default()),
        word => word.as_str().and_then(Task::named),
    };
    match task {
        Some(Task::Binary) => &["target", "prediction", "score", "strata", "weight", "flipped"],
        Some(Task::Regression | Task::Multiclass) => &["target", "prediction", "weight"],
        Some(Task::Ranking) => &["list", "position", "score"],
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stored_schema_names_its_columns() {
        let schema =
            json!([{ "name": "sex", "type": "text", "nullable": true }, { "name": "y" }, 3]);
        assert_eq!(names(&schema), ["sex", "y"]);
        assert!(names(&json!({})).is_empty());
    }
    #[test]
    fn columns_are_named_by_the_task_whatever_else_is_wrong() {
        let places = |kind: Kind, parameters: &Value| -> Vec<String> {
            columns(Some(kind), parameters).into_iter().map(|(at, _)| at).collect()
        };
        let parameters = json!({
            "time_column": "at", "colums": [],
            "analysis": {
                "task": "ranking", "target": "y", "list": "q", "score": "s", "top": "x",
                "position": "", "protected": ["sex", 3, "race"],
            },
        });
        assert_eq!(
            places(Kind::Bias, &parameters),
            [
                "/parameters/time_column",
                "/parameters/analysis/list",
                "/parameters/analysis/score",
                "/parameters/analysis/protected/0",
                "/parameters/analysis/protected/2",
            ]
        );
        assert_eq!(places(Kind::Data, &parameters), ["/parameters/time_column"]);
        let binary = json!({ "analysis": { "target": "y", "strata": "age" } });
        assert_eq!(
            places(Kind::Compliance, &binary),
            ["/parameters/analysis/target", "/parameters/analysis/strata"]
        );
        assert!(places(Kind::Bias, &json!({})).is_empty());
    }
}
