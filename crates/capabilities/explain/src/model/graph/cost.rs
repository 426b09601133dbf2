//! What a node takes: multiplications for each of its values, and room beside them. Never less than the library takes.

use std::collections::BTreeMap;

use tract_onnx::{
    pb::NodeProto,
    prelude::*,
    tract_hir::internal::{bail, ensure},
};

use super::{
    attributes::{whole, word},
    windows::{Windows, groups, windows},
};

/// Matrices are put in order for the processor's registers, and filled up to their size.
const REGISTERS: usize = 128;
/// What the edges of a kernel's way take to be found, for each number that a kernel looks at.
const EDGES: usize = 16;
/// A step of a recurrent cell goes through a graph of its own, however few numbers it has.
const STEP: usize = 1 << 16;
/// That graph is made ready once.
const READY: usize = 64;
/// Sums over named dimensions are mostly matrices, and otherwise taken one by one.
const ONE_BY_ONE: usize = 128;

pub(super) struct Cost {
    /// Multiplications, or what takes as long.
    pub work: usize,
    /// Numbers that are held while it is computed, beside what it takes and makes.
    pub room: usize,
}

/// Of a node, by the shapes of what it takes and makes.
pub(super) fn cost(
    node: &NodeProto,
    taken: &[TVec<usize>],
    made: &[TVec<usize>],
) -> TractResult<Cost> {
    let all = made.iter().map(|shape| volume(shape)).fold(0, usize::saturating_add);
    match node.op_type.as_str() {
        kind @ ("MatMul" | "Gemm" | "LinearClassifier" | "LinearRegressor") => {
            // A value is the sum of as many products, at most.
            let longest = taken.iter().take(2).flatten().copied().max().unwrap_or(1).max(1);
            let mut room = sum(taken.iter().take(2).map(|shape| matrix(shape)));
            if kind.starts_with("Linear") {
                // Its weights are told beside its input.
                let sums = made.iter().filter_map(|shape| shape.last()).copied().max();
                room = room.saturating_add(matrix(&[sums.unwrap_or(1), longest]));
            }
            Ok(Cost { work: product([all, longest]), room })
        }
        "Conv" => convolved(node, taken, made),
        "ConvTranspose" => spread(node, taken, made),
        "MaxPool" | "AveragePool" => pooled(node, taken, made),
        "LSTM" | "GRU" | "RNN" => recurrent(node, taken),
        "Einsum" => named(node, taken),
        "InstanceNormalization" | "GroupNormalization" => {
            Ok(Cost { work: product([all, 8]), room: product([all, 4]) })
        }
        _ => Ok(Cost { work: all, room: 0 }),
    }
}

/// How many numbers a shape holds.
pub(super) fn volume(shape: &[usize]) -> usize {
    product(shape.iter().copied())
}

fn product(all: impl IntoIterator<Item = usize>) -> usize {
    all.into_iter().fold(1, usize::saturating_mul)
}

fn sum(all: impl IntoIterator<Item = usize>) -> usize {
    all.into_iter().fold(0, usize::saturating_add)
}

/// Filled up to whole registers.
fn filled(size: usize) -> usize {
    size.div_ceil(REGISTERS).saturating_mul(REGISTERS)
}

/// A matrix, or many of them, put in order for the registers. The library takes the largest of the dimensions that it may choose
/// between for the registers' rows, of which each is at least the smaller of the last two.
fn matrix(shape: &[usize]) -> usize {
    let least = match shape {
        [.., rows, columns] => *rows.min(columns),
        _ => 1,
    };
    packed(volume(shape), least)
}

/// So many numbers put in order for the registers, where the dimension that fills these has at least `least`.
fn packed(all: usize, least: usize) -> usize {
    all.saturating_add(product([all.div_ceil(least.max(1)), REGISTERS - 1]))
}

/// Each value is the sum of a kernel's products over a group's channels. What the kernel sees at each step is laid out side by side.
fn convolved(node: &NodeProto, taken: &[TVec<usize>], made: &[TVec<usize>]) -> TractResult<Cost> {
    let Windows { taps, places } = windows(node, taken)?;
    let ([input, weights, ..], [output, ..]) = (taken, made) else { bail!("it has no weights") };
    let (rows, channels, filters) = (input[0], input[1], weights[0]);
    let groups = groups(node, filters)?;
    let (products, steps) = (volume(&weights[1..]), volume(&output[2..]));
    let (seen, padded) = (product([steps, taps]), product([rows, channels, places]));
    Ok(Cost {
        work: sum([product([volume(output), products]), product([seen, EDGES]), padded]),
        room: sum([
            padded,
            product([rows, channels, taps, filled(steps)]),
            product([groups, filled(filters / groups), products]),
            product([seen, 2]),
        ]),
    })
}

/// Each number that is taken is multiplied with all of a kernel, and the products are put together afterwards.
fn spread(node: &NodeProto, taken: &[TVec<usize>], made: &[TVec<usize>]) -> TractResult<Cost> {
    let Windows { taps, places } = windows(node, taken)?;
    let ([input, weights, ..], [output, ..]) = (taken, made) else { bail!("it has no weights") };
    let (rows, channels, filters) = (input[0], input[1], weights[1]);
    let groups = groups(node, channels)?;
    ensure!(weights[0] == channels, "its weights are not those of {channels} channels");
    let steps = volume(&input[2..]);
    let products = product([rows, groups, filters, taps, filled(steps)]);
    let uncut = product([rows, groups, filters, places]).max(volume(output));
    Ok(Cost {
        work: sum([product([rows, steps, volume(weights)]), product([products, EDGES]), uncut]),
        room: sum([
            products,
            uncut,
            product([groups, filled(product([filters, taps])), channels / groups]),
        ]),
    })
}

/// Each value is taken from as many numbers as the kernel holds.
fn pooled(node: &NodeProto, taken: &[TVec<usize>], made: &[TVec<usize>]) -> TractResult<Cost> {
    let Windows { taps, places } = windows(node, taken)?;
    let [output] = made else { bail!("it says where it found what it gives, which is not read") };
    let Some([rows, channels, ..]) = taken.first().map(|shape| &shape[..]) else {
        bail!("it takes nothing")
    };
    let seen = product([volume(&output[2..]), taps]);
    let padded = product([*rows, *channels, places]);
    Ok(Cost {
        work: sum([product([volume(output), taps, 4]), product([seen, EDGES]), padded]),
        room: sum([product([seen, 2]), padded]),
    })
}

/// Step by step, each with all weights.
fn recurrent(node: &NodeProto, taken: &[TVec<usize>]) -> TractResult<Cost> {
    let [input, weights, own, ..] = taken else { bail!("it has no weights") };
    let (&[steps, rows, features], &[ways, gates, width]) = (&input[..], &weights[..]) else {
        bail!("it takes no values of the shape [steps, rows, features]");
    };
    // The library does not ask.
    ensure!(width == features, "its weights are those of {width} features, not of {features}");
    let asked = 1 + usize::from(word(node, "direction") == "bidirectional");
    ensure!(ways == asked, "its weights are those of {ways} ways, and it goes {asked}");
    let each = match node.op_type.as_str() {
        "LSTM" => 4,
        "GRU" => 3,
        _ => 1,
    };
    let hidden = gates / each;
    let fits = own[..] == [ways, gates, hidden] && hidden.checked_mul(each) == Some(gates);
    ensure!(fits, "its weights {own:?} are not those of {gates} gates");
    let said = whole(node, "hidden_size", hidden as i64);
    ensure!(said == hidden as i64, "it has {hidden} states, and says {said}");
    let states = product([steps, rows, ways, gates]);
    let products = sum([volume(weights), volume(own)]);
    Ok(Cost {
        work: sum([
            product([steps, rows.saturating_add(READY), products]),
            product([states, EDGES]),
            product([steps.saturating_add(READY), ways, STEP]),
        ]),
        room: sum([
            product([states, 4]),
            product([products, 2]),
            matrix(weights),
            matrix(own),
            matrix(&[rows, features]),
            matrix(&[rows, hidden]),
        ]),
    })
}

/// `ij,jk->ik`: the sum over what is not given, of the products of what is taken.
pub(super) fn named(node: &NodeProto, taken: &[TVec<usize>]) -> TractResult<Cost> {
    let equation = word(node, "equation").replace(' ', "");
    let Some((takes, gives)) = equation.split_once("->") else {
        bail!("its equation does not say what it gives");
    };
    let takes: Vec<&str> = takes.split(',').collect();
    ensure!(takes.len() == taken.len(), "its equation is not that of {} values", taken.len());
    ensure!(takes.len() <= 2, "it multiplies {} values at once", takes.len());
    let mut sizes = BTreeMap::new();
    for (letters, shape) in takes.iter().zip(taken) {
        ensure!(letters.len() == shape.len(), "`{letters}` are not the dimensions of {shape:?}");
        for (at, (letter, size)) in letters.bytes().zip(shape).enumerate() {
            let once = !letters.as_bytes()[..at].contains(&letter);
            ensure!(once && letter.is_ascii_alphabetic(), "`{letters}` are no names of dimensions");
            let known = *sizes.entry(letter).or_insert(*size);
            ensure!(known == *size, "a dimension is both {known} and {size}");
        }
    }
    let given = gives.bytes().all(|letter| sizes.contains_key(&letter));
    ensure!(given, "`{gives}` is not what its equation takes");
    let all = product(sizes.values().copied());
    let held = taken.iter().map(|shape| volume(shape));
    let filled = takes.iter().zip(taken).map(|(letters, shape)| {
        // What the other value has too does not fill the registers; where nothing is left, a dimension of one does.
        let alone = letters.bytes().zip(shape).filter(|(letter, _)| {
            takes.iter().filter(|other| other.as_bytes().contains(letter)).count() == 1
        });
        packed(volume(shape), alone.map(|(_, size)| *size).min().unwrap_or(1))
    });
    let room = product([sum(held), 2]).saturating_add(sum(filled));
    Ok(Cost { work: product([all, ONE_BY_ONE]), room })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tract_onnx::pb::AttributeProto;

    use super::*;

    fn node(kind: &str, numbers: &[(&str, &[i64])]) -> NodeProto {
        let attribute = |(name, numbers): &(&str, &[i64])| AttributeProto {
            name: (*name).to_owned(),
            i: numbers.first().copied().unwrap_or(0),
            ints: numbers.to_vec(),
            ..AttributeProto::default()
        };
        NodeProto {
            op_type: kind.to_owned(),
            attribute: numbers.iter().map(attribute).collect(),
            ..NodeProto::default()
        }
    }

    fn shapes(all: &[&[usize]]) -> Vec<TVec<usize>> {
        all.iter().map(|shape| shape.iter().copied().collect()).collect()
    }

    #[test]
    fn a_convolution_multiplies_each_value_s_kernel_and_channels() {
        let taken = shapes(&[&[2, 6, 20, 30], &[8, 3, 5, 7]]);
        let made = shapes(&[&[2, 8, 16, 24]]);
        let found = cost(&node("Conv", &[("group", &[2])]), &taken, &made).unwrap();
        let least = (2 * 8 * 16 * 24) * (5 * 7) * 3;
        assert!((least..2 * least).contains(&found.work), "{} is not {least}", found.work);
        // What the kernel sees is laid out.
        assert!(found.room >= 2 * 6 * (5 * 7) * (16 * 24));
        let uneven = cost(&node("Conv", &[("group", &[3])]), &taken, &made);
        assert!(uneven.is_err());
    }

    #[test]
    fn what_is_turned_back_costs_by_what_it_takes() {
        let taken = shapes(&[&[1, 4, 1000], &[4, 3, 64]]);
        let pads: &[i64] = &[63, 63];
        let made = shapes(&[&[1, 3, 937]]);
        let found = cost(&node("ConvTranspose", &[("pads", pads)]), &taken, &made).unwrap();
        assert!(found.work >= 1000 * 4 * 3 * 64);
        assert!(found.room >= 1000 * 3 * 64);
    }

    #[test]
    fn poolings_and_cells_cost_their_windows_and_steps() {
        let (taken, made) = (shapes(&[&[3, 2, 100]]), shapes(&[&[3, 2, 91]]));
        let found = cost(&node("MaxPool", &[("kernel_shape", &[10])]), &taken, &made).unwrap();
        assert!(found.work >= 3 * 2 * 91 * 10);
        let taken = shapes(&[&[50, 4, 3], &[2, 20, 3], &[2, 20, 5]]);
        let made = shapes(&[&[50, 2, 4, 5]]);
        let mut both = node("LSTM", &[("hidden_size", &[5])]);
        both.attribute.push(AttributeProto {
            name: "direction".to_owned(),
            s: b"bidirectional".to_vec(),
            ..AttributeProto::default()
        });
        let found = cost(&both, &taken, &made).unwrap();
        assert!(found.work >= 50 * 4 * 2 * 20 * (3 + 5));
        let other = shapes(&[&[50, 4, 2], &[2, 20, 3], &[2, 20, 5]]);
        assert!(cost(&both, &other, &made).is_err());
        // The weights of one way and of two, of as many gates as states, and of other states.
        assert!(cost(&node("LSTM", &[]), &taken, &made).is_err());
        let own = shapes(&[&[50, 4, 3], &[2, 20, 3], &[2, 20, 4]]);
        assert!(cost(&both, &own, &made).is_err());
        both.attribute[0].i = 4;
        assert!(cost(&both, &taken, &made).is_err());
    }

    #[test]
    fn matrices_fill_the_registers() {
        let (long, one) = (1 << 20, shapes(&[&[1, 1]]));
        let found = cost(&node("MatMul", &[]), &shapes(&[&[1, long], &[long, 1]]), &one).unwrap();
        assert!(found.room >= 2 * long * REGISTERS);
        let found = cost(&node("Gemm", &[]), &shapes(&[&[64, 500], &[500, 300]]), &one).unwrap();
        assert!((64 * 500 + 500 * 300..1 << 20).contains(&found.room), "{}", found.room);
        let mut sums = node("Einsum", &[]);
        sums.attribute.push(AttributeProto {
            name: "equation".to_owned(),
            s: b"ki,k->i".to_vec(),
            ..AttributeProto::default()
        });
        let found = cost(&sums, &shapes(&[&[1000, 2], &[1000]]), &shapes(&[&[2]])).unwrap();
        assert!(found.room >= 2 * 1000 * REGISTERS);
    }

    #[test]
    fn nothing_overflows() {
        let large = usize::MAX / 2;
        let taken = shapes(&[&[large, large, large], &[large, large, 1]]);
        let made = shapes(&[&[large, large, large]]);
        let found = cost(&node("Conv", &[]), &taken, &made).unwrap();
        assert_eq!((found.work, found.room), (usize::MAX, usize::MAX));
    }
}
