//! What a graph takes, found before anything of it is computed: the library would make room for whatever a file asks.

use std::collections::HashMap;

use tract_onnx::{
    pb::{ModelProto, NodeProto},
    prelude::*,
    tract_hir::internal::{Factoid as _, TractErrorContext as _, bail, ensure},
};

/// All values of a graph together, beside its constants: 256 MiB of numbers of 64 bits.
pub(super) const MOST_ELEMENTS: usize = 1 << 25;
/// Constants may be put into other orders, a few times.
const OF_CONSTANTS: usize = 4;
/// Multiplications for one batch, and numbers that are read for it: some seconds.
const MOST_WORK: usize = 1 << 33;
/// Values of which shapes are made are smaller; others are not computed before all is measured.
const SMALL: usize = 1 << 12;
/// More dimensions than models of rows have.
const MOST_RANK: usize = 8;

/// Infers the shape of every value, in the order of computation, and looks at each before the next. Gives back how many
/// numbers the values of a batch of this size are, beside constants, or why it is too much.
pub(super) fn measure(
    model: &mut InferenceModel,
    proto: &ModelProto,
) -> TractResult<Result<usize, String>> {
    let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
    let nodes: HashMap<&str, &NodeProto> =
        nodes.filter_map(|node| Some((node.output.first()?.as_str(), node))).collect();
    let (mut elements, mut constants, mut work) = (0_usize, 0_usize, 0_usize);
    for id in model.eval_order()? {
        let (inputs, outputs) = model.node_facts(id)?;
        let inputs: TVec<InferenceFact> = inputs.into_iter().cloned().collect();
        let outputs: TVec<InferenceFact> = outputs.into_iter().cloned().collect();
        let name = model.node(id).name.clone();
        let proto = nodes.get(name.as_str());
        if let Some(proto) = proto {
            axes(proto, &inputs).with_context(|| format!("`{name}` ({})", proto.op_type))?;
        }
        let op = &mut model.node_mut(id).op;
        let (_, mut found, _) =
            op.infer_facts(inputs.iter().collect(), outputs.iter().collect(), tvec!())?;
        let (before, longest) = (work, longest(proto, &inputs));
        for output in &found {
            let Some(shape) = output.shape.as_concrete_finite()? else {
                bail!("`{name}` has a shape that depends on values");
            };
            ensure!(shape.len() <= MOST_RANK, "`{name}` has {} dimensions", shape.len());
            let volume = shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
            let Some(volume) = volume else { bail!("`{name}` is larger than any memory") };
            // The library cuts sizes of more than 32 bits off.
            ensure!(volume > 0, "`{name}` holds nothing, or more than can be");
            if proto.is_none_or(|proto| proto.op_type == "Constant") {
                constants = constants.saturating_add(volume);
            } else {
                elements = elements.saturating_add(volume);
            }
            work = work.saturating_add(volume.saturating_mul(longest));
        }
        let made = work - before;
        // What is read takes its time too: of many numbers a sum makes one.
        for shape in inputs.iter().filter_map(|fact| fact.shape.as_concrete_finite().ok()?) {
            work = work.saturating_add(shape.iter().copied().fold(1, usize::saturating_mul));
        }
        if elements > MOST_ELEMENTS.saturating_add(constants.saturating_mul(OF_CONSTANTS)) {
            return Ok(Err(format!("its values are more than {MOST_ELEMENTS} numbers")));
        }
        if work > MOST_WORK {
            return Ok(Err(format!("it takes more than {MOST_WORK} multiplications")));
        }
        if made <= SMALL {
            let all = op.infer(inputs.iter().collect(), outputs.iter().collect(), tvec!())?;
            found = all.1;
        }
        for (slot, fact) in found.into_iter().enumerate() {
            model.set_outlet_fact(OutletId::new(id, slot), fact)?;
        }
    }
    Ok(Ok(elements))
}

/// How many products a value of a matrix is the sum of, at most.
fn longest(node: Option<&&NodeProto>, inputs: &[InferenceFact]) -> usize {
    let sums = node.is_some_and(|node| {
        ["MatMul", "Gemm", "LinearClassifier", "LinearRegressor"].contains(&node.op_type.as_str())
    });
    if !sums {
        return 1;
    }
    let sizes = inputs.iter().take(2).filter_map(|fact| fact.shape.as_concrete_finite().ok()?);
    sizes.flatten().max().unwrap_or(1).max(1)
}

/// Does it speak of dimensions that are there? Others make numbers below zero, which the library takes for very large ones.
fn axes(node: &NodeProto, inputs: &[InferenceFact]) -> TractResult<()> {
    let Some(first) = inputs.first() else { return Ok(()) };
    let Some(rank) = first.shape.rank().concretize() else { bail!("its input has no shape yet") };
    let fits = |axis: i64, rank: i64| -> TractResult<()> {
        ensure!((-rank..=rank).contains(&axis), "there is no dimension {axis}");
        Ok(())
    };
    for attribute in &node.attribute {
        match attribute.name.as_str() {
            "axis" | "batch_dims" => fits(attribute.i, rank)?,
            "axes" | "perm" => {
                let all = &attribute.ints;
                ensure!(all.len() <= MOST_RANK, "it speaks of {} dimensions", all.len());
                let rank = if node.op_type == "Unsqueeze" { rank + all.len() as i64 } else { rank };
                all.iter().try_for_each(|axis| fits(*axis, rank))?;
            }
            _ => {}
        }
    }
    // Later versions give them as values.
    let place = match node.op_type.as_str() {
        "Slice" => 3,
        "Squeeze" | "Unsqueeze" => 1,
        kind if kind.starts_with("Reduce") => 1,
        _ => return Ok(()),
    };
    let Some(given) = inputs.get(place) else { return Ok(()) };
    let Some(given) = given.value.concretize() else { bail!("its dimensions depend on values") };
    let given = given.cast_to::<i64>()?;
    let given = given.try_as_plain_ram()?.as_slice::<i64>()?;
    ensure!(given.len() <= MOST_RANK, "it speaks of {} dimensions", given.len());
    let rank = if node.op_type == "Unsqueeze" { rank + given.len() as i64 } else { rank };
    given.iter().try_for_each(|axis| fits(*axis, rank))
}
