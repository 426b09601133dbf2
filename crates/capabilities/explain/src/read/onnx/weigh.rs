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
            (Self::Model, 7) => Self::Graph,
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
    let mut counts = Counts { messages: 0, texts: 0 };
    counts.walk(content, Kind::Model).map_err(|error| not_onnx(&error))?;
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
}

impl Counts {
    fn walk(&mut self, mut content: &[u8], kind: Kind) -> Result<(), DecodeError> {
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
                self.walk(part, inner)?;
            } else {
                self.texts += 1;
            }
        }
        Ok(())
    }
}
