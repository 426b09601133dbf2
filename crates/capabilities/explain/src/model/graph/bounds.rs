//! What a graph takes, found before anything of it is computed: the library would make room for whatever a file asks.

use std::collections::HashMap;

use tract_onnx::{
    pb::{ModelProto, NodeProto},
    prelude::*,
    tract_hir::internal::{TractErrorContext as _, bail, ensure},
};

use super::{
    cost::{Cost, cost, volume},
    told::sound,
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
pub(super) const MOST_RANK: usize = 8;

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
        let place = || {
            let kind = proto.map_or("", |proto| proto.op_type.as_str());
            format!("`{name}` ({kind})")
        };
        let taken: Vec<TVec<usize>> = inputs
            .iter()
            .map(|fact| Ok(fact.shape.as_concrete_finite()?.unwrap_or_default()))
            .collect::<TractResult<_>>()?;
        if let Some(proto) = proto {
            sound(proto, &inputs, &taken).with_context(place)?;
        }
        let op = &mut model.node_mut(id).op;
        let (_, mut found, _) =
            op.infer_facts(inputs.iter().collect(), outputs.iter().collect(), tvec!())?;
        let made = shapes(&name, &found)?;
        let values = made.iter().map(|shape| volume(shape)).fold(0, usize::saturating_add);
        if proto.is_none_or(|proto| proto.op_type == "Constant") {
            constants = constants.saturating_add(values);
        } else {
            elements = elements.saturating_add(values);
        }
        let spent = match proto {
            Some(proto) => cost(proto, &taken, &made).with_context(place)?,
            None => Cost { work: values, room: 0 },
        };
        elements = elements.saturating_add(spent.room);
        work = work.saturating_add(spent.work);
        // What is read takes its time too: of many numbers a sum makes one.
        for shape in &taken {
            work = work.saturating_add(volume(shape));
        }
        if elements > MOST_ELEMENTS.saturating_add(constants.saturating_mul(OF_CONSTANTS)) {
            return Ok(Err(format!("its values are more than {MOST_ELEMENTS} numbers")));
        }
        if work > MOST_WORK {
            return Ok(Err(format!("it takes more than {MOST_WORK} multiplications")));
        }
        if spent.work <= SMALL {
            let all = op.infer(inputs.iter().collect(), outputs.iter().collect(), tvec!())?;
            found = all.1;
        }
        for (slot, fact) in found.into_iter().enumerate() {
            model.set_outlet_fact(OutletId::new(id, slot), fact)?;
        }
    }
    Ok(Ok(elements))
}

/// The shapes of what a node makes, none of which hangs on values.
fn shapes(name: &str, found: &[InferenceFact]) -> TractResult<Vec<TVec<usize>>> {
    let mut all = Vec::with_capacity(found.len());
    for output in found {
        let Some(shape) = output.shape.as_concrete_finite()? else {
            bail!("`{name}` has a shape that depends on values");
        };
        ensure!(shape.len() <= MOST_RANK, "`{name}` has {} dimensions", shape.len());
        let volume = shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
        let Some(volume) = volume else { bail!("`{name}` is larger than any memory") };
        // The library cuts sizes of more than 32 bits off.
        ensure!(volume > 0, "`{name}` holds nothing, or more than can be");
        all.push(shape);
    }
    Ok(all)
}
