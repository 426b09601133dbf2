//! What nodes are told by attributes and values, looked at before the library does: it makes very large numbers of those below zero, and
//! sizes of whatever it is given.

use tract_onnx::{
    pb::NodeProto,
    prelude::*,
    tract_hir::internal::{Factoid as _, bail, ensure},
};

use super::{
    CHOICE,
    attributes::{whole, wholes, word},
    bounds::MOST_RANK,
    cost::{named, volume},
    windows::windows,
};

/// Nothing is padded by more, or counted further.
const LARGEST: i64 = 1 << 25;

/// Can the library be asked for the shape of what the node makes? `taken` are the shapes of its inputs.
pub(super) fn sound(
    node: &NodeProto,
    inputs: &[InferenceFact],
    taken: &[TVec<usize>],
) -> TractResult<()> {
    axes(node, inputs)?;
    match node.op_type.as_str() {
        "Pad" => pads(node, inputs, taken),
        "Transpose" => permuted(node, taken),
        "TopK" => chosen(node, inputs, taken),
        "Split" => parts(node, inputs, taken),
        "Range" => range(inputs),
        "CumSum" | "OneHot" => one(node, inputs),
        "InstanceNormalization" | "GroupNormalization" => channels(node, taken),
        "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool" => windows(node, taken).map(drop),
        "Einsum" => named(node, taken).map(drop),
        "Where" if whole(node, CHOICE, 0) != 0 => alternatives(taken),
        _ => Ok(()),
    }
}

/// Does it speak of dimensions that are there?
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
        "Squeeze" | "Unsqueeze" | "CumSum" => 1,
        kind if kind.starts_with("Reduce") => 1,
        _ => return Ok(()),
    };
    let Some(given) = given(node, inputs, place)? else { return Ok(()) };
    ensure!(given.len() <= MOST_RANK, "it speaks of {} dimensions", given.len());
    let rank = if node.op_type == "Unsqueeze" { rank + given.len() as i64 } else { rank };
    given.iter().try_for_each(|axis| fits(*axis, rank))
}

/// The whole numbers that it is given as a value, which must be known; none where it is given none.
fn given(
    node: &NodeProto,
    inputs: &[InferenceFact],
    place: usize,
) -> TractResult<Option<Vec<i64>>> {
    if node.input.get(place).is_none_or(String::is_empty) {
        return Ok(None);
    }
    // What is left out has no place among the inputs.
    let at = node.input[..place].iter().filter(|name| !name.is_empty()).count();
    let Some(fact) = inputs.get(at) else { return Ok(None) };
    let Some(value) = fact.value.concretize() else { bail!("its dimensions depend on values") };
    let value = value.cast_to::<i64>()?;
    let value = value.try_as_plain_ram()?.as_slice::<i64>()?;
    Ok(Some(value.to_vec()))
}

/// Does it pad by what can be added, and reflect no more than there is?
fn pads(node: &NodeProto, inputs: &[InferenceFact], taken: &[TVec<usize>]) -> TractResult<()> {
    let said = wholes(node, "pads");
    let pads = match given(node, inputs, 1)? {
        Some(pads) if said.is_empty() => pads,
        Some(_) => bail!("it is told twice by how much it pads"),
        None => said.to_vec(),
    };
    if let Some(pad) = pads.iter().find(|pad| !(0..=LARGEST).contains(*pad)) {
        bail!("it pads by {pad}; only between 0 and {LARGEST} can be");
    }
    // The library does not say what shape that makes.
    let named = node.input.get(3).is_some_and(|name| !name.is_empty());
    ensure!(!named, "it names the dimensions that it pads; all have to be padded, by 0 where not");
    let Some(shape) = taken.first() else { bail!("it pads nothing") };
    let count = shape.len();
    ensure!(pads.len() == 2 * count, "it pads {count} dimensions by {} numbers", pads.len());
    if word(node, "mode") != "reflect" {
        return Ok(());
    }
    let (before, after) = pads.split_at(count);
    for ((before, after), size) in before.iter().zip(after).zip(shape) {
        let most = before.max(after);
        ensure!(*most < *size as i64, "it reflects {most} of {size}");
    }
    Ok(())
}

/// Does it take one of two values of one shape, by one condition? The library would stretch the smaller one.
fn alternatives(taken: &[TVec<usize>]) -> TractResult<()> {
    let [condition, one, other] = taken else { bail!("it chooses between no two values") };
    let by_one = volume(condition) == 1 && condition.len() <= one.len();
    ensure!(by_one, "it chooses by conditions of the shape {condition:?}");
    ensure!(one == other, "its two values, of the shapes {one:?} and {other:?}, have to be of one");
    Ok(())
}

/// Does it put each dimension in one place? The library would look for the end of a circle that has none.
fn permuted(node: &NodeProto, taken: &[TVec<usize>]) -> TractResult<()> {
    let Some(shape) = taken.first() else { bail!("it takes nothing") };
    let mut places = wholes(node, "perm").to_vec();
    places.sort_unstable();
    let each = places.iter().copied().eq(0..shape.len() as i64);
    ensure!(places.is_empty() || each, "it does not put each dimension in one place");
    Ok(())
}

/// Does it choose no more than there is? The library would fill up with zeros.
fn chosen(node: &NodeProto, inputs: &[InferenceFact], taken: &[TVec<usize>]) -> TractResult<()> {
    one(node, inputs)?;
    let size = along(node, -1, taken)?;
    let Some(count) = given(node, inputs, 1)?.and_then(|given| given.first().copied()) else {
        bail!("it does not say how many it chooses")
    };
    ensure!((1..=size).contains(&count), "it chooses {count} of {size}");
    Ok(())
}

/// Are its parts all that there is?
fn parts(node: &NodeProto, inputs: &[InferenceFact], taken: &[TVec<usize>]) -> TractResult<()> {
    let size = along(node, 0, taken)?;
    let said = wholes(node, "split").to_vec();
    for parts in [said, given(node, inputs, 1)?.unwrap_or_default()] {
        let sum = parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(*part));
        let whole = parts.iter().all(|part| *part > 0) && sum == Some(size);
        ensure!(parts.is_empty() || whole, "its {} parts are not all of {size}", parts.len());
    }
    Ok(())
}

/// The size of the dimension of its first input that it speaks of.
fn along(node: &NodeProto, otherwise: i64, taken: &[TVec<usize>]) -> TractResult<i64> {
    let Some(shape) = taken.first() else { bail!("it takes nothing") };
    let said = whole(node, "axis", otherwise);
    let axis = if said < 0 { said + shape.len() as i64 } else { said };
    match usize::try_from(axis).ok().and_then(|axis| shape.get(axis)) {
        Some(size) => Ok(*size as i64),
        None => bail!("there is no dimension {said}"),
    }
}

/// Does it count in whole steps, upwards, and not too far?
fn range(inputs: &[InferenceFact]) -> TractResult<()> {
    for (place, fact) in inputs.iter().enumerate() {
        let Some(value) = fact.value.concretize() else {
            bail!("how much it makes depends on values")
        };
        ensure!(value.len() == 1, "it counts from or to {} numbers", value.len());
        ensure!(!value.datum_type().is_float(), "it counts in fractions");
        let value = value.cast_to_scalar::<i64>()?;
        ensure!((-LARGEST..=LARGEST).contains(&value), "it counts as far as {value}");
        ensure!(place < 2 || value > 0, "it counts in steps of {value}");
    }
    Ok(())
}

/// Is its second input, of which the library reads one number, one number?
fn one(node: &NodeProto, inputs: &[InferenceFact]) -> TractResult<()> {
    let Some(given) = given(node, inputs, 1)? else { bail!("its second input is missing") };
    ensure!(given.len() == 1, "it is given {} numbers, not one", given.len());
    Ok(())
}

/// Are there channels, and can they be put into its groups?
fn channels(node: &NodeProto, taken: &[TVec<usize>]) -> TractResult<()> {
    let Some([_, channels, _, ..]) = taken.first().map(|shape| &shape[..]) else {
        bail!("its input is not of the shape [rows, channels, size, …]");
    };
    if node.op_type == "InstanceNormalization" {
        return Ok(());
    }
    let groups = usize::try_from(whole(node, "num_groups", 0)).unwrap_or(0);
    let fits = groups > 0 && channels.is_multiple_of(groups);
    ensure!(fits, "its {groups} groups do not divide {channels} channels");
    Ok(())
}
