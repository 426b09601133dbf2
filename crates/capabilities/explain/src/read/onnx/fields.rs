//! What readers ask of a node, each refusal with its place.

use super::proto::{Attribute, DOUBLE, FLOAT, Node, Tensor, UINT8};
use crate::Malformed;

/// A node with its place in the graph.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub node: &'a Node,
    index: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(node: &'a Node, index: usize) -> Self {
        Self { node, index }
    }

    pub(super) fn place(self) -> String {
        format!("node {} ({})", self.index, self.node.kind)
    }

    pub(super) fn fault(self, message: impl Into<String>) -> Malformed {
        Malformed::new(self.place(), message)
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Attribute> {
        self.node.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn wholes(self, name: &str) -> &'a [i64] {
        self.get(name).map_or(&[], |attribute| &attribute.wholes)
    }

    /// Whole numbers that count something.
    pub(super) fn indices(self, name: &str) -> Result<Vec<usize>, Malformed> {
        let all: Result<Vec<usize>, _> =
            self.wholes(name).iter().map(|one| usize::try_from(*one)).collect();
        all.map_err(|_| self.fault(format!("`{name}` holds a number below 0")))
    }

    pub(super) fn whole(self, name: &str, otherwise: i64) -> i64 {
        self.get(name).map_or(otherwise, |attribute| attribute.whole)
    }

    /// A word, such as what is done with the sums.
    pub(super) fn word(self, name: &str, otherwise: &'a str) -> Result<&'a str, Malformed> {
        let Some(attribute) = self.get(name) else { return Ok(otherwise) };
        std::str::from_utf8(&attribute.text)
            .map_err(|_| self.fault(format!("`{name}` is no UTF-8 text")))
    }

    pub(super) fn words(self, name: &str) -> Result<Vec<&'a str>, Malformed> {
        let texts = self.get(name).map_or(&[][..], |attribute| &attribute.texts);
        let words: Result<Vec<&str>, _> =
            texts.iter().map(|text| std::str::from_utf8(text)).collect();
        words.map_err(|_| self.fault(format!("`{name}` is no UTF-8 text")))
    }

    /// Numbers of 32 bits, or those of a tensor `<name>_as_tensor`.
    pub(super) fn numbers(self, name: &str) -> Result<Vec<f64>, Malformed> {
        let plain = self.get(name).map_or(&[][..], |attribute| &attribute.floats);
        if !plain.is_empty() {
            return Ok(plain.iter().map(|number| f64::from(*number)).collect());
        }
        self.tensor(&format!("{name}_as_tensor"))
    }

    /// The numbers of a tensor; none if there is no such.
    pub(super) fn tensor(self, name: &str) -> Result<Vec<f64>, Malformed> {
        let tensor = self.get(name).and_then(|attribute| attribute.tensor.as_ref());
        tensor.map_or(Ok(Vec::new()), |tensor| {
            numbers(tensor)
                .ok_or_else(|| self.fault(format!("`{name}` holds no numbers that can be read")))
        })
    }
}

/// A tensor's numbers, of the kinds that models use.
pub(super) fn numbers(tensor: &Tensor) -> Option<Vec<f64>> {
    if tensor.location != 0 {
        return None;
    }
    let whole = |bytes: usize| tensor.raw.len().is_multiple_of(bytes);
    match tensor.kind {
        FLOAT if !tensor.raw.is_empty() => {
            let (numbers, _) = tensor.raw.as_chunks::<4>();
            whole(4)
                .then(|| numbers.iter().map(|four| f64::from(f32::from_le_bytes(*four))).collect())
        }
        FLOAT => Some(tensor.floats.iter().map(|number| f64::from(*number)).collect()),
        DOUBLE if !tensor.raw.is_empty() => {
            let (numbers, _) = tensor.raw.as_chunks::<8>();
            whole(8).then(|| numbers.iter().map(|eight| f64::from_le_bytes(*eight)).collect())
        }
        DOUBLE => Some(tensor.doubles.clone()),
        UINT8 if !tensor.raw.is_empty() => {
            Some(tensor.raw.iter().map(|byte| f64::from(*byte)).collect())
        }
        UINT8 => Some(tensor.wholes.iter().map(|whole| f64::from(*whole)).collect()),
        _ => None,
    }
}
