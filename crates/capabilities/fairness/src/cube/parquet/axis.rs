//! The values of each column that were met in any row group, with codes that hold for all of them.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Int32Array},
    datatypes::Int32Type,
    error::ArrowError,
};
use bytes::Bytes;
use hashbrown::HashMap;

use super::kind::Kind;
use crate::cube::limits::MAX_NAME_BYTES;

/// The most combinations of values that are counted side by side: 8 MiB of counts for each thread.
const MOST_COUNTS: usize = 1 << 21;
/// The most values of one column.
pub(super) const MOST_VALUES: usize = 1 << 17;
/// From this many values on an axis has room to spare: more are likely to come.
const MANY: usize = 16;

/// The values of one column.
#[derive(Debug)]
struct Axis {
    kind: Kind,
    /// Code 0 stands for a missing value.
    optional: bool,
    codes: HashMap<Box<[u8]>, u32>,
    values: Vec<Box<[u8]>>,
    bytes: usize,
    /// How many codes the shape has room for.
    room: usize,
}

impl Axis {
    fn len(&self) -> usize {
        self.values.len() + usize::from(self.optional)
    }

    fn code(&mut self, value: &[u8]) -> u32 {
        if let Some(code) = self.codes.get(value) {
            return *code;
        }
        let code = self.len() as u32;
        self.bytes += value.len();
        self.codes.insert(value.into(), code);
        self.values.push(value.into());
        code
    }

    /// An array with a row for each code.
    fn array(&self, codes: impl Iterator<Item = usize>) -> Result<ArrayRef, ArrowError> {
        // Codes of missing values are before all places.
        let first = usize::from(self.optional);
        let places = codes.map(|code| code.checked_sub(first));
        if self.kind != Kind::Text {
            let value = |place: usize| self.values.get(place).map(|value| &**value);
            return Ok(self.kind.array(places.map(|place| place.and_then(value))));
        }
        let keys: Int32Array = places.map(|place| place.map(|place| place as i32)).collect();
        let texts = self.kind.array(self.values.iter().map(|value| Some(&**value)));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, texts)?))
    }
}

/// Where the count of a combination of codes lies: the sum of each code times its column's stride. The last column's is 1.
#[derive(Debug)]
pub(super) struct Shape {
    strides: Vec<u32>,
    len: usize,
}

impl Shape {
    /// How many combinations there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many of them differ in the last column alone: they lie side by side.
    pub(super) fn innermost(&self) -> u32 {
        self.strides.iter().rev().nth(1).copied().unwrap_or(1).max(1)
    }
}

/// The axes of all columns.
#[derive(Debug)]
pub(super) struct Axes {
    columns: Vec<Axis>,
    shape: Arc<Shape>,
    closed: bool,
}

impl Axes {
    /// Columns of these kinds; the flag says whether values may be missing.
    pub(super) fn new(columns: impl Iterator<Item = (Kind, bool)>) -> Self {
        let axis = |(kind, optional)| Axis {
            kind,
            optional,
            codes: HashMap::new(),
            values: Vec::new(),
            bytes: 0,
            room: 0,
        };
        let shape = Arc::new(Shape { strides: Vec::new(), len: 0 });
        Self { columns: columns.map(axis).collect(), shape, closed: false }
    }

    /// Takes up the values of a row group's dictionaries, of at most `MOST_VALUES` each. Returns the shape that has room for them, and for each column what
    /// each of its values adds. `None`: there are too many combinations to count, in this row group and all that follow.
    pub(super) fn enter(
        &mut self,
        dictionaries: &[Vec<Bytes>],
    ) -> Option<(Arc<Shape>, Vec<Vec<u32>>)> {
        if self.closed {
            return None;
        }
        let mut codes = Vec::with_capacity(self.columns.len());
        for (axis, dictionary) in self.columns.iter_mut().zip(dictionaries) {
            codes.push(dictionary.iter().map(|value| axis.code(value)).collect::<Vec<u32>>());
            self.closed |= axis.bytes > MAX_NAME_BYTES || axis.len() > MOST_VALUES;
        }
        self.make_room();
        if self.closed {
            return None;
        }
        let shape = Arc::clone(&self.shape);
        for (codes, stride) in codes.iter_mut().zip(&shape.strides) {
            for code in codes {
                *code *= stride;
            }
        }
        Some((shape, codes))
    }

    fn make_room(&mut self) {
        if self.columns.iter().all(|axis| axis.len() <= axis.room) && !self.shape.strides.is_empty()
        {
            return;
        }
        for axis in self.columns.iter_mut().filter(|axis| axis.len() > axis.room) {
            // A column without any value has room for one all the same, so that there is a place for its rows.
            axis.room = if axis.len() < MANY { axis.len().max(1) } else { axis.len() * 9 / 8 };
        }
        let mut strides = vec![0; self.columns.len()];
        let mut len = 1_usize;
        for (stride, axis) in strides.iter_mut().zip(&self.columns).rev() {
            *stride = len as u32;
            len = len.saturating_mul(axis.room);
            if len > MOST_COUNTS {
                self.closed = true;
                return;
            }
        }
        self.shape = Arc::new(Shape { strides, len });
    }

    /// The columns of some combinations, which lie at these places of this shape.
    pub(super) fn columns(
        &self,
        shape: &Shape,
        places: &[u32],
    ) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut last = shape.len as u32;
        let columns = self.columns.iter().zip(&shape.strides);
        columns
            .map(|(axis, stride)| {
                let before = std::mem::replace(&mut last, *stride).max(1);
                axis.array(places.iter().map(|place| (place % before / stride) as usize))
            })
            .collect()
    }
}
