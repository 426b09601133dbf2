//! Kernels that move over a value: those of convolutions and poolings. The library reads without asking where it may, so that only those
//! are run whose every step touches what is there.

use tract_onnx::{
    pb::NodeProto,
    prelude::*,
    tract_hir::internal::{bail, ensure},
};

use super::attributes::{whole, wholes, word};

/// Steps, gaps and sizes of kernels are smaller: their products then fit into 64 bits.
const LARGEST: usize = 1 << 20;

/// A kernel, and what it moves over.
pub(super) struct Windows {
    /// How many numbers the kernel looks at.
    pub taps: usize,
    /// How many places there are with the padding, of one row and channel; or, turned back, in what is made before it is cut.
    pub places: usize,
}

/// The kernel that a node moves over its first input, of the shape [rows, channels, size, …].
pub(super) fn windows(node: &NodeProto, taken: &[TVec<usize>]) -> TractResult<Windows> {
    let Some((_, space)) = taken.first().and_then(|shape| shape.split_at_checked(2)) else {
        bail!("it moves over values of two dimensions or more");
    };
    let count = space.len();
    ensure!(count > 0, "there is nothing that its kernel could move over");
    let turned = node.op_type == "ConvTranspose";
    let kernel = if turned || node.op_type == "Conv" {
        let kernel = taken.get(1).and_then(|shape| shape.split_at_checked(2));
        kernel.map(|(_, kernel)| kernel.to_vec()).unwrap_or_default()
    } else {
        each(node, "kernel_shape", count, 0)?
    };
    if let Some(weights) = taken.get(1).and_then(|shape| shape.first()) {
        groups(node, *weights)?;
    }
    ensure!(kernel.len() == count, "its kernel has not the {count} dimensions that it moves over");
    let (strides, gaps) = (each(node, "strides", count, 1)?, each(node, "dilations", count, 1)?);
    let mut all = kernel.iter().chain(&strides).chain(&gaps);
    ensure!(all.all(|one| (1..=LARGEST).contains(one)), "its kernel cannot move");
    let pads = each(node, "pads", 2 * count, 0)?;
    let same = match word(node, "auto_pad") {
        "VALID" | "SAME_UPPER" | "SAME_LOWER" if !wholes(node, "pads").is_empty() => {
            bail!("it pads in two ways")
        }
        "" | "NOTSET" | "VALID" => false,
        "SAME_UPPER" | "SAME_LOWER" if !turned => true,
        other => bail!("it pads in a way that is not known here: {other}"),
    };
    let (before, after) = pads.split_at(count);
    let more = if turned {
        ensure!(wholes(node, "output_shape").is_empty(), "it says what shape it makes");
        each(node, "output_padding", count, 0)?
    } else {
        vec![0; count]
    };
    let mut places = 1_usize;
    for (axis, size) in space.iter().enumerate() {
        let reach = (kernel[axis] - 1) * gaps[axis] + 1;
        let most = before[axis].max(after[axis]);
        ensure!(most < reach, "it pads by {most}, and its kernel reaches {reach}");
        // A convolution that is turned back steps within what it makes.
        let near = turned || kernel[axis] == 1 || gaps[axis] <= *size;
        ensure!(near, "its kernel steps {} at once over {size}", gaps[axis]);
        let step = strides[axis];
        let whole = if turned {
            let fits = more[axis] < step.max(gaps[axis]);
            ensure!(fits, "it adds more than a step to what it makes");
            size.saturating_mul(step).saturating_add(reach).saturating_add(more[axis])
        } else if same {
            (size.div_ceil(step) - 1).saturating_mul(step).saturating_add(reach).max(*size)
        } else {
            let whole = size.saturating_add(before[axis]).saturating_add(after[axis]);
            ensure!(reach <= whole, "its kernel reaches {reach} of {whole}");
            whole
        };
        places = places.saturating_mul(whole);
    }
    Ok(Windows { taps: kernel.iter().copied().fold(1, usize::saturating_mul), places })
}

/// How many parts the channels are taken in, each with weights of its own.
pub(super) fn groups(node: &NodeProto, channels: usize) -> TractResult<usize> {
    match usize::try_from(whole(node, "group", 1)) {
        Ok(groups) if groups > 0 && channels.is_multiple_of(groups) => Ok(groups),
        _ => bail!("its groups do not divide {channels} channels"),
    }
}

/// A number for each dimension.
fn each(node: &NodeProto, name: &str, count: usize, otherwise: usize) -> TractResult<Vec<usize>> {
    let said = wholes(node, name);
    if said.is_empty() {
        return Ok(vec![otherwise; count]);
    }
    ensure!(said.len() == count, "its `{name}` are {} numbers, not {count}", said.len());
    let sizes = said.iter().map(|one| match usize::try_from(*one) {
        Ok(size) if size <= LARGEST => Ok(size),
        _ => bail!("its `{name}` hold {one}"),
    });
    sizes.collect()
}
