//! Columns as they grow.

use std::{hash::BuildHasher, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanBuilder, Date32Builder, DictionaryArray, Float64Builder, Int32Builder,
        Int64Builder, StringArray, StringBuilder, TimestampMicrosecondBuilder,
    },
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{Date32Type, Int32Type},
    error::ArrowError,
};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::survey::{Kind, date, instant, timestamp};

/// A column as it grows.
#[derive(Debug)]
pub(crate) enum Builder {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Instant(TimestampMicrosecondBuilder),
    Text(StringBuilder),
    Codes(Codes),
}

impl Builder {
    pub(crate) fn new(kind: Kind, repeats: bool) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Number => Self::Number(Float64Builder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            Kind::Instant => Self::Instant(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Unknown | Kind::Text | Kind::Nested if repeats => Self::Codes(Codes::default()),
            Kind::Unknown | Kind::Text | Kind::Nested => Self::Text(StringBuilder::new()),
        }
    }

    pub(crate) fn null(&mut self) {
        match self {
            Self::Boolean(values) => values.append_null(),
            Self::Integer(values) => values.append_null(),
            Self::Number(values) => values.append_null(),
            Self::Date(values) => values.append_null(),
            Self::Timestamp(values) | Self::Instant(values) => values.append_null(),
            Self::Text(values) => values.append_null(),
            Self::Codes(codes) => codes.keys.append_null(),
        }
    }

    /// A quoted field without characters: a text where texts are, else missing.
    pub(crate) fn empty(&mut self) {
        match self {
            Self::Text(values) => values.append_value(""),
            Self::Codes(codes) => codes.push(""),
            _ => self.null(),
        }
    }

    pub(crate) fn boolean(&mut self, value: bool) -> bool {
        match self {
            Self::Boolean(values) => values.append_value(value),
            _ => return false,
        }
        true
    }

    /// A field, or a JSON number. False when it does not read as what the survey found.
    pub(crate) fn value(&mut self, field: &str) -> bool {
        match self {
            Self::Boolean(values) => match field.as_bytes() {
                [b't' | b'T', ..] if field.len() == 4 => values.append_value(true),
                [b'f' | b'F', ..] if field.len() == 5 => values.append_value(false),
                _ => return false,
            },
            Self::Integer(values) => match field.parse() {
                Ok(value) => values.append_value(value),
                Err(_) => return false,
            },
            Self::Number(values) => match field.parse() {
                Ok(value) => values.append_value(value),
                Err(_) => return false,
            },
            Self::Date(values) => match date(field) {
                Some(day) => values.append_value(Date32Type::from_naive_date(day)),
                None => return false,
            },
            Self::Timestamp(values) => match timestamp(field) {
                Some(micros) => values.append_value(micros),
                None => return false,
            },
            Self::Instant(values) => match instant(field) {
                Some(micros) => values.append_value(micros),
                None => return false,
            },
            Self::Text(values) => values.append_value(field),
            Self::Codes(codes) => codes.push(field),
        }
        true
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Integer(values) => Arc::new(values.finish()),
            Self::Number(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Timestamp(values) => Arc::new(values.finish()),
            Self::Instant(values) => Arc::new(values.finish().with_timezone("UTC")),
            Self::Text(values) => Arc::new(values.finish()),
            Self::Codes(codes) => codes.finish()?,
        })
    }
}

/// Texts as codes. Batches share their dictionary for as long as it does not grow, so that who reads them need
/// look at it once.
#[derive(Debug)]
pub(crate) struct Codes {
    keys: Int32Builder,
    table: HashTable<i32>,
    hasher: DefaultHashBuilder,
    text: String,
    ends: Vec<i32>,
    shared: Option<ArrayRef>,
}

/// A dictionary that outgrows this starts anew with the next batch: its texts do not repeat after all.
const VALUES: usize = 1 << 16;
const BYTES: usize = 4 << 20;

impl Default for Codes {
    fn default() -> Self {
        Self {
            keys: Int32Builder::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            text: String::new(),
            ends: vec![0],
            shared: None,
        }
    }
}

impl Codes {
    fn get<'t>(text: &'t str, ends: &[i32], code: i32) -> &'t str {
        let at = code as usize;
        &text[ends[at] as usize..ends[at + 1] as usize]
    }

    fn push(&mut self, value: &str) {
        let hash = self.hasher.hash_one(value);
        let (text, ends) = (&self.text, &self.ends);
        if let Some(code) = self.table.find(hash, |&code| Self::get(text, ends, code) == value) {
            self.keys.append_value(*code);
            return;
        }
        let code = (self.ends.len() - 1) as i32;
        self.text.push_str(value);
        self.ends.push(self.text.len() as i32);
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        self.table.insert_unique(hash, code, |&code| hasher.hash_one(Self::get(text, ends, code)));
        self.keys.append_value(code);
        self.shared = None;
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = if let Some(shared) = &self.shared {
            Arc::clone(shared)
        } else {
            let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends.clone()));
            let made = StringArray::try_new(ends, self.text.as_bytes().to_vec().into(), None)?;
            let made: ArrayRef = Arc::new(made);
            self.shared = Some(Arc::clone(&made));
            made
        };
        let array = DictionaryArray::<Int32Type>::try_new(self.keys.finish(), values)?;
        if self.ends.len() > VALUES || self.text.len() > BYTES {
            self.table.clear();
            self.text.clear();
            self.ends.truncate(1);
            self.shared = None;
        }
        Ok(Arc::new(array))
    }
}
