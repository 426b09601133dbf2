//! Whether data sets have the columns that a monitor names, when it is asked to run.

use std::collections::HashMap;

use ephor_fairness::task::TaskSpec;
use ephor_kernel::{DatasetId, Fault, Problem};
use ephor_store::{OrgTx, StoreError};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Monitor,
    definition::{Definition, Kind},
};

/// A fault for each column that is named and is not there. Data sets whose columns are not known yet are left to the run.
pub(super) async fn column_faults(
    tx: &mut OrgTx,
    monitor: &Monitor,
    definition: &Definition,
) -> Result<Vec<Fault>, Problem> {
    let reference = monitor.reference_dataset_id.filter(|_| definition.compares());
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
    let wanted = columns(definition);
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
fn columns(definition: &Definition) -> Vec<(String, String)> {
    let time = definition.parameters.time_column.iter();
    let mut wanted: Vec<(String, String)> =
        time.map(|column| ("/parameters/time_column".to_owned(), column.clone())).collect();
    let Some(spec) = definition.analysis.as_ref().filter(|_| definition.kind != Kind::Data) else {
        return wanted;
    };
    let mut add = |place: &str, column: Option<&String>| {
        if let Some(column) = column.filter(|column| !column.is_empty()) {
            wanted.push((format!("/parameters/analysis{place}"), column.clone()));
        }
    };
    match spec {
        TaskSpec::Binary(spec) => {
            add("/target", Some(&spec.target));
            add("/prediction", spec.prediction.as_ref());
            add("/score", spec.score.as_ref());
            add("/strata", spec.strata.as_ref());
            add("/weight", spec.weight.as_ref());
        }
        TaskSpec::Regression(spec) => {
            add("/target", Some(&spec.target));
            add("/prediction", Some(&spec.prediction));
            add("/weight", spec.groups.weight.as_ref());
        }
        TaskSpec::Multiclass(spec) => {
            add("/target", Some(&spec.target));
            add("/prediction", Some(&spec.prediction));
            add("/weight", spec.groups.weight.as_ref());
        }
        TaskSpec::Ranking(spec) => {
            add("/list", spec.list.as_ref());
            add("/position", spec.position.as_ref());
            add("/score", spec.score.as_ref());
        }
    }
    for (at, column) in spec.protected().iter().enumerate() {
        add(&format!("/protected/{at}"), Some(column));
    }
    wanted
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
}
