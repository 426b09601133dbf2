//! A question as DataFusion's aggregate function `fair_rows(question, columns…)`: what is kept of the rows.
//!
//! The question is a literal, so that a plan that is shipped elsewhere needs the function's name alone. Rows that are refused are
//! no error, which machines would try again, but what was found.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Field, FieldRef, Schema},
};
use datafusion::{
    common::{Result, ScalarValue, exec_err, plan_err},
    error::DataFusionError,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};
use serde::{Deserialize, Serialize};

use super::{Gather, Question, Sealed};
use crate::{
    AnalysisError, Fault,
    cube::{literal, literal_of},
};

/// The function's name.
pub const FUNCTION_NAME: &str = "fair_rows";

/// The function. Register it wherever plans that use it are run.
pub fn fair_rows() -> Arc<AggregateUDF> {
    static FUNCTION: OnceLock<Arc<AggregateUDF>> = OnceLock::new();
    Arc::clone(FUNCTION.get_or_init(|| {
        Arc::new(AggregateUDF::from(FairRows {
            signature: Signature::variadic_any(Volatility::Immutable),
        }))
    }))
}

/// The first argument, in JSON.
#[derive(Serialize, Deserialize)]
struct Asked<'a> {
    question: Cow<'a, Question>,
    /// The names of the other arguments.
    columns: Cow<'a, [String]>,
}

/// The function's first argument, where the others are these columns.
pub(super) fn argument(question: &Question, columns: &[String]) -> Result<Expr> {
    literal(&Asked { question: Cow::Borrowed(question), columns: Cow::Borrowed(columns) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FairRows {
    signature: Signature,
}

impl AggregateUDFImpl for FairRows {
    fn name(&self) -> &str {
        FUNCTION_NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.len() < 2 {
            return plan_err!("{FUNCTION_NAME} needs a question, and at least one column");
        }
        Ok(DataType::LargeBinary)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let Some(asked) = literal_of(&arguments) else {
            return exec_err!("the first argument of {FUNCTION_NAME} is no literal question");
        };
        let asked = Asked::read(asked)?;
        let state = asked.question.begin();
        Ok(Box::new(RowsAccumulator { held: state.size(), asked, state, refused: None }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format!("{}[kept]", arguments.name),
            DataType::LargeBinary,
            true,
        ))])
    }
}

impl Asked<'static> {
    /// Reads an argument. Of lists there are millions, all of which are asked the same: the last one is kept.
    fn read(text: String) -> Result<Arc<Self>> {
        static LAST: Mutex<Option<(String, Arc<Asked<'static>>)>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, asked)) = &*last
            && *known == text
        {
            return Ok(Arc::clone(asked));
        }
        let asked: Self = serde_json::from_str(&text)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let asked = Arc::new(asked);
        *last = Some((text, Arc::clone(&asked)));
        Ok(asked)
    }
}

struct RowsAccumulator {
    asked: Arc<Asked<'static>>,
    state: Box<dyn Gather>,
    refused: Option<Vec<Fault>>,
    /// The most that it ever held: who accounts for it takes note of what grows alone, and would count twice what shrinks between.
    held: usize,
}

impl fmt::Debug for RowsAccumulator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RowsAccumulator")
            .field("columns", &self.asked.columns)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

impl RowsAccumulator {
    /// Keeps a refusal of the rows as what was found; any other error is one.
    fn keep(&mut self, outcome: Result<(), AnalysisError>) -> Result<()> {
        self.held = self.held.max(self.state.size());
        match outcome {
            Err(AnalysisError::Invalid(faults)) => {
                self.refused = Some(faults);
                Ok(())
            }
            outcome => outcome.map_err(failed),
        }
    }

    fn batch(&self, columns: &[ArrayRef]) -> Result<RecordBatch> {
        let fields = self.asked.columns.iter().zip(columns);
        let fields: Vec<Field> = fields
            .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
            .collect();
        let rows = columns.first().map_or(0, Array::len);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::new(Schema::new(fields));
        Ok(RecordBatch::try_new_with_options(schema, columns.to_vec(), &options)?)
    }
}

impl Accumulator for RowsAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.refused.is_some() {
            return Ok(());
        }
        let batch = self.batch(values.get(1..).unwrap_or_default())?;
        let added = self.state.add(&batch);
        self.keep(added)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else { return Ok(()) };
        let states = states.as_binary::<i64>();
        for row in (0..states.len()).filter(|row| states.is_valid(*row)) {
            if self.refused.is_some() {
                break;
            }
            let merged = match Sealed::from_bytes(states.value(row)).map_err(failed)? {
                Sealed::Kept(kept) => self.state.merge(kept),
                Sealed::Refused(faults) => Err(AnalysisError::Invalid(faults.into_owned())),
            };
            self.keep(merged)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let bytes = match &self.refused {
            Some(faults) => Sealed::Refused(Cow::Borrowed(faults)).to_bytes(),
            None => self.state.kept().and_then(|kept| Sealed::Kept(&kept).to_bytes()),
        };
        Ok(ScalarValue::LargeBinary(Some(bytes.map_err(failed)?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.held
    }
}

/// In words, as they are all that comes back of errors on other machines.
fn failed(error: AnalysisError) -> DataFusionError {
    match error {
        AnalysisError::Read(error) => error,
        error => DataFusionError::Execution(error.to_string()),
    }
}
