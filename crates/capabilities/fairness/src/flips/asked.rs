//! Flips where the model is at hand: it is asked about every row, and asked again with the attribute changed.

use arrow::{array::RecordBatch, datatypes::Schema};
use datafusion::prelude::DataFrame;
use tokio_util::sync::CancellationToken;

use super::{FlipReport, FlipSpec, State, names};
use crate::{
    AnalysisError, Fault, column_faults,
    frame::{GroupReader, Need, floats, require, rows},
    off_thread::off_thread,
};

/// The most values that an attribute is changed to: for each of them the model is asked about all rows.
pub const MAX_VALUES: usize = 50;

/// Decides about the rows of a batch: as they are, and with the attribute changed. 1 is positive and 0 negative; NaN where there
/// is no decision. It may take long.
pub type Decide = Box<dyn FnMut(&RecordBatch) -> Result<[Vec<f64>; 2], AnalysisError> + Send>;

/// How many decisions flip, by group: [`analyze`](super::analyze) with decisions that are made of `columns` of numbers as rows are
/// read. The spec's `prediction` and `flipped` are what the two decisions are called.
///
/// # Errors
/// As [`analyze`](crate::analyze), and what `decide` says.
pub async fn analyze_asked(
    table: DataFrame,
    spec: &FlipSpec,
    columns: &[String],
    decide: Decide,
    cancel: &CancellationToken,
) -> Result<FlipReport, AnalysisError> {
    let faults = asked_faults(spec, columns, table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let columns: Vec<&str> =
        GroupReader::columns(&spec.groups).chain(columns.iter().map(String::as_str)).collect();
    let state = State::new(spec, decide);
    let state = rows(table, &columns, None, cancel, state, State::add_decided).await?;
    off_thread(move || state.report()).await
}

/// All that is wrong with the groups and the columns that the model needs, given the table's columns.
pub fn asked_faults(spec: &FlipSpec, columns: &[String], schema: &Schema) -> Vec<Fault> {
    let base = spec.groups.as_spec("");
    // Nothing is predicted of a label here.
    let of_target = |fault: &Fault| fault.where_ == "/target";
    let mut faults: Vec<Fault> =
        base.faults().into_iter().filter(|fault| !of_target(fault)).collect();
    for fault in column_faults(&base, schema) {
        if !of_target(&fault) && faults.iter().all(|told| told.where_ != fault.where_) {
            faults.push(fault);
        }
    }
    faults.extend(
        columns.iter().filter_map(|name| require(schema, "/model", name, "feature", Need::Numbers)),
    );
    faults.extend(spec.groups.threshold_faults(&names()));
    faults
}

struct Values {
    column: String,
    /// In their order.
    found: Vec<f64>,
}

/// The numbers that a column holds, the least first: what an attribute can be changed to.
///
/// # Errors
/// [`AnalysisError::Invalid`] if the column is none of numbers, has more than [`MAX_VALUES`] of them, or fewer than two; otherwise as
/// [`analyze`](crate::analyze).
pub async fn values(
    table: DataFrame,
    column: &str,
    cancel: &CancellationToken,
) -> Result<Vec<f64>, AnalysisError> {
    let fault = require(table.schema().as_arrow(), "/flip", column, "feature", Need::Numbers);
    if let Some(fault) = fault {
        return Err(AnalysisError::Invalid(vec![fault]));
    }
    let state = Values { column: column.to_owned(), found: Vec::new() };
    let Values { found, .. } = rows(table, &[column], None, cancel, state, Values::add).await?;
    if found.len() < 2 {
        let message =
            format!("`{column}` has fewer than two values: there is nothing to change it to.");
        let fault = Fault::new("/flip", "nothing_to_change", message)
            .hint("Name a feature that tells groups apart.");
        return Err(AnalysisError::Invalid(vec![fault]));
    }
    Ok(found)
}

impl Values {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        for number in floats(batch, &self.column)? {
            if !number.is_finite() {
                continue;
            }
            // Of -0 and 0 one is enough.
            let number = number + 0.0;
            let Err(at) = self.found.binary_search_by(|known| known.total_cmp(&number)) else {
                continue;
            };
            if self.found.len() == MAX_VALUES {
                let message = format!(
                    "`{}` has more than {MAX_VALUES} values, and the model would be asked for each.",
                    self.column
                );
                let fault = Fault::new("/flip", "too_many_values", message)
                    .hint("Name a feature that tells groups apart.");
                return Err(AnalysisError::Invalid(vec![fault]));
            }
            self.found.insert(at, number);
        }
        Ok(())
    }
}
