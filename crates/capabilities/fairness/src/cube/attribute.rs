//! Reading protected attributes: batch by batch, each row's value to its code.

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray, StringViewArray},
    compute::cast,
    datatypes::{
        ArrowDictionaryKeyType, ArrowNativeType, DataType, Int8Type, Int16Type, Int32Type,
        Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
    error::ArrowError,
};
use hashbrown::HashMap;

use super::{
    CubeError,
    dictionary::{Dictionary, MISSING_CODE},
    limits::TooMany,
};

/// Why a batch could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Arrow(ArrowError),
    TooMany(TooMany),
}

impl ReadError {
    /// Of the attribute at this place.
    pub(crate) fn of_attribute(self, attribute: usize) -> CubeError {
        match self {
            Self::Arrow(error) => super::unreadable(error),
            Self::TooMany(TooMany::Bytes) => CubeError::ValuesTooLong { attribute },
            Self::TooMany(_) => CubeError::TooManyValues { attribute },
        }
    }
}

impl From<ArrowError> for ReadError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<TooMany> for ReadError {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

const CACHE: usize = 256;

/// A protected attribute, read batch by batch.
#[derive(Debug, Clone)]
pub(crate) struct AttributeReader {
    pub dictionary: Dictionary,
    /// The last batch's dictionary and the code of each of its values: batches of one Parquet column chunk share it.
    seen: Option<ArrayRef>,
    mapped: Vec<u32>,
    integers: HashMap<i64, u32>,
    /// Short strings by their view, which holds all of them; empty until there are any.
    views: Vec<(u128, u32)>,
}

impl AttributeReader {
    pub(crate) fn new() -> Self {
        Self {
            dictionary: Dictionary::default(),
            seen: None,
            mapped: Vec::new(),
            integers: HashMap::new(),
            views: Vec::new(),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.dictionary.size()
            + self.mapped.capacity() * 4
            + self.integers.allocation_size()
            + self.views.capacity() * 32
    }

    /// The code of each row.
    pub(crate) fn read(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<(), ReadError> {
        codes.clear();
        codes.reserve(array.len());
        match array.data_type() {
            DataType::Dictionary(key, value) if matches!(**value, DataType::Utf8) => {
                self.map_values(array)?;
                match **key {
                    DataType::Int8 => self.keys::<Int8Type>(array, codes),
                    DataType::Int16 => self.keys::<Int16Type>(array, codes),
                    DataType::Int32 => self.keys::<Int32Type>(array, codes),
                    DataType::Int64 => self.keys::<Int64Type>(array, codes),
                    DataType::UInt8 => self.keys::<UInt8Type>(array, codes),
                    DataType::UInt16 => self.keys::<UInt16Type>(array, codes),
                    DataType::UInt32 => self.keys::<UInt32Type>(array, codes),
                    _ => self.keys::<UInt64Type>(array, codes),
                }
                Ok(())
            }
            DataType::Utf8 => self.strings(array.as_string::<i32>(), codes),
            DataType::Utf8View => self.string_views(array.as_string_view(), codes),
            DataType::Int64 => self.integers(array, codes),
            kind if kind.is_integer() => self.integers(&cast(array, &DataType::Int64)?, codes),
            DataType::Null => {
                codes.resize(array.len(), MISSING_CODE);
                Ok(())
            }
            _ => self.strings(cast(array, &DataType::Utf8)?.as_string::<i32>(), codes),
        }
    }

    fn map_values(&mut self, array: &ArrayRef) -> Result<(), ReadError> {
        let values = array.as_any_dictionary().values();
        if self.seen.as_ref().is_some_and(|seen| seen.to_data().ptr_eq(&values.to_data())) {
            return Ok(());
        }
        self.seen = None;
        self.mapped.clear();
        let strings = values.as_string::<i32>();
        for index in 0..strings.len() {
            let code = if strings.is_null(index) {
                MISSING_CODE
            } else {
                self.dictionary.code(strings.value(index))?
            };
            self.mapped.push(code);
        }
        self.seen = Some(values.clone());
        Ok(())
    }

    fn keys<K: ArrowDictionaryKeyType>(&self, array: &ArrayRef, codes: &mut Vec<u32>) {
        let keys = array.as_dictionary::<K>().keys();
        let mapped = self.mapped.as_slice();
        let code = |key: K::Native| mapped.get(key.as_usize()).copied().unwrap_or(MISSING_CODE);
        if keys.null_count() == 0 {
            codes.extend(keys.values().iter().map(|key| code(*key)));
        } else {
            codes.extend(keys.iter().map(|key| key.map_or(MISSING_CODE, code)));
        }
    }

    fn strings(&mut self, array: &StringArray, codes: &mut Vec<u32>) -> Result<(), ReadError> {
        let mut last = ("", MISSING_CODE);
        for row in 0..array.len() {
            if array.is_null(row) {
                codes.push(MISSING_CODE);
                continue;
            }
            let value = array.value(row);
            if value != last.0 {
                last = (value, self.dictionary.code(value)?);
            }
            codes.push(last.1);
        }
        Ok(())
    }

    fn string_views(
        &mut self,
        array: &StringViewArray,
        codes: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        self.views.resize(CACHE, (0, MISSING_CODE));
        for (row, view) in array.views().iter().enumerate() {
            if array.is_null(row) {
                codes.push(MISSING_CODE);
                continue;
            }
            // The low 32 bits of a view are the length; up to 12 bytes the rest is the string itself.
            if *view as u32 > 12 {
                codes.push(self.dictionary.code(array.value(row))?);
                continue;
            }
            let folded = (*view >> 64) as u64 ^ *view as u64;
            let cached = (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % CACHE;
            if self.views[cached].0 != *view {
                self.views[cached] = (*view, self.dictionary.code(array.value(row))?);
            }
            codes.push(self.views[cached].1);
        }
        Ok(())
    }

    fn integers(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<(), ReadError> {
        let array = array.as_primitive::<Int64Type>();
        let mut last = None;
        for row in 0..array.len() {
            if array.is_null(row) {
                codes.push(MISSING_CODE);
                continue;
            }
            let value = array.value(row);
            let code = match last {
                Some((seen, code)) if seen == value => code,
                _ => self.integer(value)?,
            };
            last = Some((value, code));
            codes.push(code);
        }
        Ok(())
    }

    fn integer(&mut self, value: i64) -> Result<u32, TooMany> {
        if let Some(code) = self.integers.get(&value) {
            return Ok(*code);
        }
        let code = self.dictionary.code(&value.to_string())?;
        // Of the others there may be any number.
        if !self.dictionary.is_other(code) {
            self.integers.insert(value, code);
        }
        Ok(code)
    }
}
