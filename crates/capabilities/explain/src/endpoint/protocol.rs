//! What is said to an endpoint, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::EndpointError;

/// The form of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// `{"features": ["age", …], "inputs": [[39, …], …]}`, and `{"predictions": [0.2, …]}` or `[[0.8, 0.2], …]`.
    Inputs,
    /// The Open Inference Protocol, version 2 (`/v2/models/NAME/infer`): one tensor of rows, and one of predictions.
    Kserve,
    /// `/invocations` of `MLflow` with `dataframe_split`.
    Mlflow,
}

impl Protocol {
    /// A request's body; a missing value is null.
    pub(super) fn request(
        self,
        features: &[String],
        rows: &[&[f64]],
    ) -> Result<Vec<u8>, EndpointError> {
        if rows.iter().copied().flatten().any(|value| value.is_infinite()) {
            return Err(EndpointError::Infinite);
        }
        let body = match self {
            Self::Inputs => json!({ "features": features, "inputs": rows }),
            Self::Kserve => json!({ "inputs": [{
                "name": "input-0",
                "shape": [rows.len(), features.len()],
                "datatype": "FP64",
                "data": rows.concat(),
            }] }),
            Self::Mlflow => json!({ "dataframe_split": { "columns": features, "data": rows } }),
        };
        serde_json::to_vec(&body).map_err(|error| EndpointError::Answer(error.to_string()))
    }

    /// The predictions of so many rows: for each as many numbers.
    pub(super) fn predictions(self, body: &[u8], rows: usize) -> Result<Vec<f64>, EndpointError> {
        let answer: Value = serde_json::from_slice(body)
            .map_err(|error| EndpointError::Answer(format!("it is no JSON: {error}")))?;
        let found = match self {
            Self::Inputs | Self::Mlflow => answer.get("predictions"),
            Self::Kserve => answer.get("outputs").and_then(tensor),
        };
        let found = found.ok_or_else(|| {
            let place = if self == Self::Kserve { "outputs/…/data" } else { "predictions" };
            EndpointError::Answer(format!("it has no `{place}`"))
        })?;
        let mut numbers = Vec::new();
        flat(found, &mut numbers, 0)?;
        if rows == 0 || numbers.is_empty() || !numbers.len().is_multiple_of(rows) {
            let message = format!("it holds {} numbers for {rows} rows", numbers.len());
            return Err(EndpointError::Answer(message));
        }
        Ok(numbers)
    }
}

/// The data of the first output of floating numbers, or else of the first.
fn tensor(outputs: &Value) -> Option<&Value> {
    let all = outputs.as_array()?;
    let floating = |one: &&Value| {
        one.get("datatype").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("FP"))
    };
    all.iter().find(floating).or_else(|| all.first())?.get("data")
}

/// Numbers in lists, row by row.
fn flat(value: &Value, into: &mut Vec<f64>, depth: usize) -> Result<(), EndpointError> {
    let fault = |what: &str| {
        EndpointError::Answer(format!(
            "a prediction is {what}; probabilities or numbers can be explained"
        ))
    };
    match value {
        Value::Array(all) if depth < 3 => all.iter().try_for_each(|one| flat(one, into, depth + 1)),
        Value::Number(number) => {
            into.push(number.as_f64().ok_or_else(|| fault("no number"))?);
            Ok(())
        }
        Value::Bool(yes) => {
            into.push(f64::from(*yes));
            Ok(())
        }
        Value::String(_) => Err(fault("a text")),
        Value::Null => Err(fault("null")),
        Value::Array(_) | Value::Object(_) => Err(fault("not a number")),
    }
}
