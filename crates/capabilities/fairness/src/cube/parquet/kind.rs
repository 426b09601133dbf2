//! Which columns are read here, and what their values' bytes mean.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    },
    datatypes::DataType,
};
use bytes::Bytes;
use parquet::basic::Type;

use super::page::Damage;

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Truth,
    Int32,
    Int64,
    Float32,
    Float64,
}

impl Kind {
    /// The kind of a column that is stored as the first, is of the second type in the file, and is to be read as the third.
    pub(super) fn of(stored: Type, in_file: &DataType, read: &DataType) -> Option<Self> {
        let kind = match (stored, in_file) {
            (Type::BYTE_ARRAY, kind) if is_text(kind) => {
                return is_text(read).then_some(Self::Text);
            }
            (Type::BOOLEAN, DataType::Boolean) => Self::Truth,
            (Type::INT32, DataType::Int32) => Self::Int32,
            (Type::INT64, DataType::Int64) => Self::Int64,
            (Type::FLOAT, DataType::Float32) => Self::Float32,
            (Type::DOUBLE, DataType::Float64) => Self::Float64,
            _ => return None,
        };
        (in_file == read).then_some(kind)
    }

    /// Bytes of a value; `None` if they differ.
    fn size(self) -> Option<usize> {
        match self {
            Self::Text => None,
            Self::Truth => Some(1),
            Self::Int32 | Self::Float32 => Some(4),
            Self::Int64 | Self::Float64 => Some(8),
        }
    }

    /// Takes a dictionary page's values apart.
    pub(super) fn entries(self, page: &Bytes, count: usize) -> Result<Vec<Bytes>, Damage> {
        let Some(size) = self.size() else {
            // No more room than the bytes can fill: the count may be anything.
            let mut entries = Vec::with_capacity(count.min(page.len() / 4));
            let mut rest = page.clone();
            for _ in 0..count {
                let (entry, after) = super::page::prefixed(&rest).ok_or(Damage::DICTIONARY)?;
                std::str::from_utf8(&entry).map_err(|_| Damage::DICTIONARY)?;
                entries.push(entry);
                rest = after;
            }
            return Ok(entries);
        };
        let length = count.checked_mul(size).filter(|length| *length <= page.len());
        let length = length.ok_or(Damage::DICTIONARY)?;
        Ok((0..length).step_by(size).map(|start| page.slice(start..start + size)).collect())
    }

    /// Values other than text as an array; `None` is a missing value.
    pub(super) fn array<'a>(self, values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
        match self {
            Self::Text => Arc::new(
                values
                    .map(|value| value.and_then(|value| std::str::from_utf8(value).ok()))
                    .collect::<StringArray>(),
            ),
            Self::Truth => Arc::new(
                values
                    .map(|value| value.map(|value| value.first() != Some(&0)))
                    .collect::<BooleanArray>(),
            ),
            Self::Int32 => Arc::new(numbers(values, i32::from_le_bytes).collect::<Int32Array>()),
            Self::Int64 => Arc::new(numbers(values, i64::from_le_bytes).collect::<Int64Array>()),
            Self::Float32 => {
                Arc::new(numbers(values, f32::from_le_bytes).collect::<Float32Array>())
            }
            Self::Float64 => {
                Arc::new(numbers(values, f64::from_le_bytes).collect::<Float64Array>())
            }
        }
    }
}

fn numbers<'a, T, const SIZE: usize>(
    values: impl Iterator<Item = Option<&'a [u8]>>,
    read: impl Fn([u8; SIZE]) -> T,
) -> impl Iterator<Item = Option<T>> {
    values.map(move |value| value?.first_chunk().copied().map(&read))
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}
