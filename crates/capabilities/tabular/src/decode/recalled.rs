//! A column that was kept from the first pass, as arrays of the type that it turned out to have.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, DictionaryArray, Int32Array, StringArray, UInt32Array},
    compute::take,
    datatypes::Int32Type,
    error::ArrowError,
};

use super::{builder::Builder, segment::broken};
use crate::{
    TabularError,
    survey::{EMPTY, FIRST, KeptColumn, Kind, MISSING},
};

/// A column that was kept.
pub(super) enum Recalled<'a> {
    /// Its texts are a dictionary, whose first value has the code `first`.
    Texts { column: &'a KeptColumn, values: ArrayRef, first: usize },
    /// A value for each code.
    Values { column: &'a KeptColumn, values: ArrayRef },
}

impl<'a> Recalled<'a> {
    /// As a column of this kind; `None` if a text does not read as one.
    pub(super) fn new(
        kind: Kind,
        repeats: bool,
        column: &'a KeptColumn,
    ) -> Result<Option<Self>, TabularError> {
        let texts = column.texts.iter().map(|text| &**text);
        if repeats && matches!(kind, Kind::Unknown | Kind::Text | Kind::Nested) {
            let is_empty = column.holds(EMPTY);
            let values: ArrayRef = Arc::new(StringArray::from_iter_values(
                is_empty.then_some("").into_iter().chain(texts),
            ));
            let first = if is_empty { EMPTY } else { FIRST };
            return Ok(Some(Self::Texts { column, values, first }));
        }
        let mut values = Builder::new(kind, false);
        values.null();
        values.empty();
        for text in texts {
            if !values.value(text) {
                return Ok(None);
            }
        }
        Ok(Some(Self::Values { column, values: values.finish().map_err(broken)? }))
    }

    /// Some of its rows.
    pub(super) fn rows(&self, rows: Range<usize>) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Texts { column, values, first } => {
                let mut keys: Vec<Option<i32>> = Vec::with_capacity(rows.len());
                column.codes.each(rows, |code| {
                    keys.push((code != MISSING).then(|| (code - first) as i32));
                });
                let keys = Int32Array::from(keys);
                Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(values))?))
            }
            Self::Values { column, values } => {
                let mut places: Vec<u32> = Vec::with_capacity(rows.len());
                column.codes.each(rows, |code| places.push(code as u32));
                take(values.as_ref(), &UInt32Array::from(places), None)
            }
        }
    }
}
