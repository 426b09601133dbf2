//! What a graph's nodes say of themselves.

use tract_onnx::pb::{AttributeProto, NodeProto};

fn find<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|one| one.name == name)
}

/// A whole number, or what stands for it where the node says none.
pub(super) fn whole(node: &NodeProto, name: &str, otherwise: i64) -> i64 {
    find(node, name).map_or(otherwise, |one| one.i)
}

/// Whole numbers; none where the node says none.
pub(super) fn wholes<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    find(node, name).map_or(&[], |one| &one.ints)
}

/// A word; the empty one where the node says none.
pub(super) fn word<'a>(node: &'a NodeProto, name: &str) -> &'a str {
    find(node, name).map_or("", |one| std::str::from_utf8(&one.s).unwrap_or_default())
}
