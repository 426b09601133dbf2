//! A graph that is ready to run, on so many rows at once.

use std::sync::Arc;

use prost::Message as _;
use tract_onnx::{
    pb::ModelProto,
    prelude::*,
    tract_hir::internal::{Factoid as _, bail, ensure},
};

use super::{bounds::measure, guard::guarded};

/// So many rows at once, the most that fit.
const ROWS: [usize; 3] = [64, 8, 1];
/// Rows that show whether they are answered apart: of numbers up to each of these. Those of one alone may hold what a graph cannot
/// answer, such as a code that it does not know.
const PROBES: [[f64; 3]; 2] = [[1.0, 8.0, 64.0], [1.0, 1.0, 1.0]];
/// A row is answered apart if its answer moves by less than this share of itself, or of one.
const APART: f64 = 1e-4;
/// A model predicts fewer numbers for a row.
const MOST_OUTPUTS: usize = 1 << 12;

#[derive(Debug)]
pub(super) struct Plan {
    run: Arc<TypedRunnableModel>,
    pub rows: usize,
    /// How many numbers its values are while it answers, beside constants.
    pub elements: usize,
    features: usize,
    pub outputs: usize,
    double: bool,
}

impl Plan {
    /// Of a file with one input and one output. `rows` are those that it takes at once, where it says so.
    pub(super) fn load(
        content: &[u8],
        features: usize,
        rows: Option<usize>,
        double: bool,
    ) -> TractResult<Self> {
        let proto = ModelProto::decode(content)?;
        let kind = if double { DatumType::F64 } else { DatumType::F32 };
        let reader = tract_onnx::onnx().with_ignore_value_info(true);
        let parsed = reader.model_for_proto_model(&proto)?;
        ensure!(parsed.input_outlets()?.len() == 1, "it has more than one input");
        let mut why = String::new();
        for rows in rows.map_or(ROWS.to_vec(), |rows| vec![rows]) {
            let mut model = parsed.clone();
            model.set_input_fact(0, InferenceFact::dt_shape(kind, [rows, features]))?;
            let elements = match measure(&mut model, &proto)? {
                Ok(elements) => elements,
                Err(too_much) => {
                    why = too_much;
                    continue;
                }
            };
            let outputs = outputs(&model, rows)?;
            let run = model.into_optimized()?.into_runnable()?;
            let plan = Self { run, rows, elements, features, outputs, double };
            // Some operators know numbers of 32 bits alone, which shows when they are run.
            plan.answer(&vec![0.0; features])?;
            if !plan.mixes() {
                return Ok(plan);
            }
            "its answer for a row hangs on the rows beside it".clone_into(&mut why);
        }
        bail!("{why}")
    }

    /// Do answers hang on the other rows? What it cannot answer shows nothing.
    fn mixes(&self) -> bool {
        let mut probes = PROBES.iter();
        self.rows > 1
            && probes.find_map(|sizes| guarded(|| self.mixed(sizes)).ok()).unwrap_or(false)
    }

    /// Does each of three rows, up to these sizes, get another answer among the others than among its likes?
    fn mixed(&self, sizes: &[f64; 3]) -> TractResult<bool> {
        let mut state = 0x9e37_79b9_u32;
        let mut rows = Vec::with_capacity(sizes.len());
        for size in sizes {
            let row: Vec<f64> = (0..self.features)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    size * (f64::from(state >> 8) / f64::from(1_u32 << 23) - 1.0)
                })
                .collect();
            rows.push(row);
        }
        let mut alone = Vec::with_capacity(rows.len());
        for row in &rows {
            alone.push(self.answer(row)?);
        }
        let count = rows.len();
        for backwards in [false, true] {
            let mut places: Vec<usize> = (0..self.rows).map(|place| place % count).collect();
            if backwards {
                places.reverse();
            }
            let all: Vec<f64> = places.iter().flat_map(|place| rows[*place].clone()).collect();
            let found = self.answer(&all)?;
            let mut pairs = found.chunks_exact(self.outputs).zip(&places);
            if pairs.any(|(found, place)| !near(found, &alone[*place])) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The predictions of at most [`Self::rows`] rows.
    pub(super) fn answer(&self, rows: &[f64]) -> TractResult<Vec<f64>> {
        let count = rows.len() / self.features;
        let mut values = rows.to_vec();
        // A batch is always full: the last row fills it.
        let last = values.len().saturating_sub(self.features)..values.len();
        while values.len() < self.rows * self.features {
            values.extend_from_within(last.clone());
        }
        let shape = [self.rows, self.features];
        let input = if self.double {
            Tensor::from_shape(&shape, &values)?
        } else {
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            Tensor::from_shape(&shape, &values)?
        };
        let found = self.run.run(tvec!(input.into()))?;
        let Some(found) = found.first() else { bail!("it gave nothing") };
        let found = found.cast_to::<f64>()?;
        let found = found.try_as_plain_ram()?.as_slice::<f64>()?;
        let expected = self.rows * self.outputs;
        ensure!(found.len() == expected, "it gave {} numbers, not {expected}", found.len());
        Ok(found.iter().take(count * self.outputs).copied().collect())
    }
}

/// Are two answers one?
fn near(found: &[f64], expected: &[f64]) -> bool {
    found.iter().zip(expected).all(|(found, expected)| {
        let error = (found - expected).abs();
        found == expected
            || (found.is_nan() && expected.is_nan())
            || error <= APART * expected.abs().max(1.0)
    })
}

/// How many numbers it predicts for a row.
fn outputs(model: &InferenceModel, rows: usize) -> TractResult<usize> {
    let [outlet] = model.output_outlets()? else { bail!("it has more than one output") };
    let fact = model.outlet_fact(*outlet)?;
    let kind = fact.datum_type.concretize();
    ensure!(
        kind.is_some_and(|kind| kind == DatumType::F32 || kind == DatumType::F64),
        "its predictions are no numbers of 32 or 64 bits"
    );
    let shape = fact.shape.as_concrete_finite()?.unwrap_or_default();
    let Some((first, others)) = shape.split_first() else {
        bail!("it predicts one number for all rows");
    };
    let outputs: usize = others.iter().product();
    ensure!(*first == rows, "its predictions are not those of {rows} rows: {shape:?}");
    ensure!(
        (1..=MOST_OUTPUTS).contains(&outputs),
        "it predicts {outputs} numbers for a row; between 1 and {MOST_OUTPUTS} can be explained"
    );
    Ok(outputs)
}
