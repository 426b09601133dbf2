//! The cube as DataFusion's aggregate function `fair_cube(layout, attributes…, label, prediction, score, weight)`, with what the
//! layout has of these.
//!
//! Without GROUP BY: DataFusion aggregates each partition by itself and merges the states, on one machine or many. The layout
//! is a literal, so that a plan that is shipped elsewhere needs the function's name alone.

use std::{
    borrow::Cow,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue, exec_err, plan_err},
    error::DataFusionError,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        lit,
    },
    physical_expr::expressions::Literal,
};

use serde::{Deserialize, Serialize};

use super::{Cube, CubeError, Layout, State, pool::Pool, watch::counter};

/// The function's name.
pub const FUNCTION_NAME: &str = "fair_cube";

/// The function. Register it wherever plans that use it are run.
pub fn fair_cube() -> Arc<AggregateUDF> {
    static FUNCTION: OnceLock<Arc<AggregateUDF>> = OnceLock::new();
    Arc::clone(FUNCTION.get_or_init(|| {
        Arc::new(AggregateUDF::from(FairCube {
            signature: Signature::variadic_any(Volatility::Immutable),
        }))
    }))
}

impl Layout {
    /// The function's first argument. The pools are those of [`Cube::with_pools`].
    pub(crate) fn literal(&self, pools: &[Option<Pool>], reader: Reader) -> Result<Expr> {
        let (watch, keeps_refusals) = match reader {
            Reader::Here(watch) => (Some(watch), false),
            Reader::Elsewhere => (None, true),
        };
        let (layout, pools) = (Cow::Borrowed(self), Cow::Borrowed(pools));
        literal(&Argument { layout, watch, keeps_refusals, pools })
    }
}

/// A function's first argument in JSON: a dictionary literal, which costs a batch one value and not one for each row.
pub(crate) fn literal(argument: &impl Serialize) -> Result<Expr> {
    let text = serde_json::to_string(argument)
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(lit(ScalarValue::Dictionary(
        Box::new(DataType::Int8),
        Box::new(ScalarValue::Utf8(Some(text))),
    )))
}

/// A function's first argument, if that is a literal of text.
pub(crate) fn literal_of(arguments: &AccumulatorArgs<'_>) -> Option<String> {
    let first = arguments.exprs.first()?;
    first.downcast_ref::<Literal>().map(Literal::value).and_then(text)
}

/// Who runs the function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reader {
    /// This process; the number is that of the watch that counts its rows.
    Here(u64),
    /// Whoever: another machine, of whose errors only the words come back.
    Elsewhere,
}

/// The first argument.
#[derive(Serialize, Deserialize)]
struct Argument<'a> {
    layout: Cow<'a, Layout>,
    watch: Option<u64>,
    /// Data that are refused are no error, which machines would try again, but the result.
    #[serde(default)]
    keeps_refusals: bool,
    #[serde(default)]
    pools: Cow<'a, [Option<Pool>]>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FairCube {
    signature: Signature,
}

impl AggregateUDFImpl for FairCube {
    fn name(&self) -> &str {
        FUNCTION_NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.len() < 3 {
            return plan_err!(
                "{FUNCTION_NAME} needs a layout, at least one attribute, and a label, a prediction or a score"
            );
        }
        Ok(DataType::Binary)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let Some(layout) = literal_of(&arguments) else {
            return exec_err!("the first argument of {FUNCTION_NAME} is no literal layout");
        };
        let Argument { layout, watch, keeps_refusals, pools } = serde_json::from_str(&layout)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Box::new(CubeAccumulator {
            cube: Cube::with_pools(layout.into_owned(), &pools).map_err(external)?,
            keeps_refusals,
            refused: None,
            rows: watch.and_then(counter),
        }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[cube]", arguments.name), DataType::Binary, true))])
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Dictionary(_, value) => text(value),
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            text.clone()
        }
        _ => None,
    }
}

#[derive(Debug)]
struct CubeAccumulator {
    cube: Cube,
    keeps_refusals: bool,
    /// Why the data make no cube, if that is kept.
    refused: Option<CubeError>,
    /// Who waits for the scan reads here how far it is.
    rows: Option<Arc<AtomicU64>>,
}

impl CubeAccumulator {
    /// Keeps a refusal of the data as what was found; any other error is one.
    fn keep(&mut self, outcome: std::result::Result<(), CubeError>) -> Result<()> {
        match outcome {
            Err(error) if self.keeps_refusals && error.is_refusal() => {
                self.refused = Some(error);
                Ok(())
            }
            outcome => outcome.map_err(external),
        }
    }
}

impl Accumulator for CubeAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.refused.is_none() {
            let added = self.cube.update(&values[1..]);
            self.keep(added)?;
        }
        if let Some(rows) = &self.rows {
            rows.fetch_add(values[0].len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else { return Ok(()) };
        let states = states.as_binary::<i32>();
        for row in (0..states.len()).filter(|row| states.is_valid(*row)) {
            if self.refused.is_some() {
                break;
            }
            let merged = match State::from_bytes(states.value(row)).map_err(external)? {
                State::Cube(other) => self.cube.merge(&other),
                State::Refused(error) => Err(error),
            };
            self.keep(merged)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = match &self.refused {
            Some(error) => State::refusal(error),
            None => self.cube.to_bytes(),
        };
        Ok(ScalarValue::Binary(Some(state)))
    }

    fn size(&self) -> usize {
        self.cube.size()
    }
}

fn external(error: CubeError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
