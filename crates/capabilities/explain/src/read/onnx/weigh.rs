//! How much room a file's messages will take, before any is made: an empty one takes two bytes in the file, and two hundred here.

use prost::{
    DecodeError,
    encoding::{WireType, decode_key, decode_varint},
};

use crate::Malformed;

/// About 250 MB.
const MOST_MESSAGES: usize = 1 << 20;
/// About 1 GB; each question of a tree has one.
const MOST_TEXTS: usize = 1 << 25;
/// Messages within one another: graphs hold nodes, whose attributes may hold graphs.
const MOST_DEEP: usize = 64;

/// The kinds of messages that are read.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Shape,
    Size,
    Operators,
}

impl Kind {
    /// The kind of the message in a field.
    fn of(self, field: u32) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6) => Self::Graph,
            (Self::Model, 8) => Self::Operators,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph | Self::Attribute, 5) => Self::Tensor,
            (Self::Graph, 11 | 12) => Self::Value,
            (Self::Node, 5) => Self::Attribute,
            (Self::Value, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Shape, 1) => Self::Size,
            _ => return None,
        })
    }
}

/// Refuses what would take more room than models do.
pub(super) fn weigh(content: &[u8]) -> Result<(), Malformed> {
    let mut counts = Counts { messages: 0, texts: 0, is_deep: false };
    counts.walk(content, Kind::Model, 0).map_err(|error| not_onnx(&error))?;
    if counts.is_deep {
        let message = format!("more than {MOST_DEEP} of its parts are within one another");
        return Err(Malformed::new("the file", message));
    }
    if counts.messages > MOST_MESSAGES || counts.texts > MOST_TEXTS {
        let message = format!(
            "it has {} parts and {} texts; a model has fewer",
            counts.messages, counts.texts
        );
        return Err(Malformed::new("the file", message));
    }
    Ok(())
}

pub(super) fn not_onnx(error: &DecodeError) -> Malformed {
    Malformed::new("the file", format!("it is no ONNX: {error}"))
}

struct Counts {
    messages: usize,
    texts: usize,
    /// Are too many messages within one another? What is further in was not counted.
    is_deep: bool,
}

impl Counts {
    fn walk(&mut self, mut content: &[u8], kind: Kind, deep: usize) -> Result<(), DecodeError> {
        if deep > MOST_DEEP {
            self.is_deep = true;
            return Ok(());
        }
        while !content.is_empty() {
            let (field, wire) = decode_key(&mut content)?;
            let fixed = match wire {
                WireType::Varint => {
                    decode_varint(&mut content)?;
                    continue;
                }
                WireType::ThirtyTwoBit => 4,
                WireType::SixtyFourBit => 8,
                WireType::LengthDelimited => {
                    usize::try_from(decode_varint(&mut content)?).unwrap_or(usize::MAX)
                }
                // ONNX has no groups; decoding says what is wrong.
                WireType::StartGroup | WireType::EndGroup => return Ok(()),
            };
            // What ends too early is told by decoding.
            let Some((part, rest)) = content.split_at_checked(fixed) else { return Ok(()) };
            content = rest;
            if let Some(inner) = kind.of(field).filter(|_| wire == WireType::LengthDelimited) {
                self.messages += 1;
                self.walk(part, inner, deep + 1)?;
            } else {
                self.texts += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Graphs within graphs are counted, and a file of nothing else is refused before it is decoded.
    #[test]
    fn graphs_within_graphs_are_few() {
        let within = |levels: usize| {
            let mut content: Vec<u8> = Vec::new();
            // A graph in an attribute in a node in a graph.
            for field in [6_u8, 5, 1].into_iter().cycle().take(3 * levels).chain([7]) {
                let mut length = content.len();
                let mut outer = vec![field << 3 | 2];
                while length > 127 {
                    outer.push((length & 127) as u8 | 128);
                    length >>= 7;
                }
                outer.push(length as u8);
                outer.append(&mut content);
                content = outer;
            }
            weigh(&content)
        };
        assert!(within(8).is_ok());
        for levels in [30, 2_000] {
            assert!(
                within(levels).is_err_and(|fault| fault.message.contains("within one another"))
            );
        }
    }
}
