//! Reading classes: true and predicted ones share one list of names.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type},
};
use std::sync::Arc;

use crate::{
    AnalysisError, Fault,
    cube::attribute::{AttributeReader, ReadError},
    frame::column,
};

/// The most classes.
pub const MAX_CLASSES: usize = 100;

pub(super) struct ClassReader {
    /// Of the columns.
    columns: [String; 2],
    reader: AttributeReader,
    codes: Vec<u32>,
    /// The true class of each row of the last batch; 0 if it is missing.
    pub truth: Vec<u16>,
    /// Its predicted class.
    pub predicted: Vec<u16>,
}

impl ClassReader {
    pub(super) fn new(target: &str, prediction: &str) -> Self {
        Self {
            columns: [target.to_owned(), prediction.to_owned()],
            reader: AttributeReader::new(),
            codes: Vec::new(),
            truth: Vec::new(),
            predicted: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        for (at, place) in ["/target", "/prediction"].into_iter().enumerate() {
            let array = whole(column(batch, &self.columns[at])?)?;
            match self.reader.read(&array, &mut self.codes) {
                Err(ReadError::Arrow(error)) => return Err(AnalysisError::Read(error.into())),
                Err(ReadError::TooMany(_)) => return Err(self.too_many(place)),
                Ok(()) if self.names().len() > MAX_CLASSES => return Err(self.too_many(place)),
                Ok(()) => {}
            }
            let codes = self.codes.iter().map(|code| *code as u16);
            if at == 0 {
                self.truth = codes.collect();
            } else {
                self.predicted = codes.collect();
            }
        }
        Ok(())
    }

    fn too_many(&self, place: &str) -> AnalysisError {
        let message = format!(
            "`{}` and `{}` have more than {MAX_CLASSES} different values: they are no classes.",
            self.columns[0], self.columns[1]
        );
        let fault = Fault::new(place, "too_many_classes", message)
            .hint("Name columns of classes; numbers are analysed as regression.");
        AnalysisError::Invalid(vec![fault])
    }

    /// The classes in the order of their codes, from 1.
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.reader.dictionary.names()
    }

    /// Adds classes in the order of their codes elsewhere; the code here of each code there.
    pub(super) fn merge(&mut self, names: &[String]) -> Result<Vec<u16>, AnalysisError> {
        let codes = self.reader.dictionary.codes_of(names.iter().map(String::as_str));
        match codes {
            Ok(codes) if self.names().len() <= MAX_CLASSES => {
                Ok(codes.into_iter().map(|code| code as u16).collect())
            }
            // Which of the two columns had one too many, nobody remembers.
            _ => Err(self.too_many("/target")),
        }
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.reader.size()
            + self.codes.capacity() * 4
            + (self.truth.capacity() + self.predicted.capacity()) * 2
    }

    /// The names in order, and the place of each code among them; what is missing comes last.
    pub(super) fn sorted(&self) -> (Vec<String>, Vec<usize>) {
        let names = self.names().enumerate();
        let mut order: Vec<(String, usize)> =
            names.map(|(at, name)| (name.to_owned(), at + 1)).collect();
        let number = |name: &str| name.parse::<f64>().ok().filter(|number| number.is_finite());
        if order.iter().all(|(name, _)| number(name).is_some()) {
            order.sort_by(|left, right| {
                let numbers =
                    number(&left.0).unwrap_or(0.0).total_cmp(&number(&right.0).unwrap_or(0.0));
                numbers.then_with(|| left.0.cmp(&right.0))
            });
        } else {
            order.sort();
        }
        let mut places = vec![order.len(); order.len() + 1];
        for (place, (_, code)) in order.iter().enumerate() {
            places[*code] = place;
        }
        (order.into_iter().map(|(name, _)| name).collect(), places)
    }
}

/// Numbers with a fraction of 0 as whole numbers: 1.0 and 1 are one class. NaN is missing.
fn whole(array: &ArrayRef) -> Result<ArrayRef, AnalysisError> {
    let kind = array.data_type();
    let is_decimal = matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..));
    if !kind.is_floating() && !is_decimal {
        return Ok(Arc::clone(array));
    }
    let numbers =
        cast(array, &DataType::Float64).map_err(|error| AnalysisError::Read(error.into()))?;
    let name = |value: f64| {
        if value.fract() == 0.0 && value.abs() < 1e15 {
            format!("{}", value as i64)
        } else {
            value.to_string()
        }
    };
    let numbers = numbers.as_primitive::<Float64Type>();
    let mut names: Vec<Option<String>> = Vec::with_capacity(numbers.len());
    for value in numbers {
        names.push(value.filter(|value| !value.is_nan()).map(name));
    }
    Ok(Arc::new(names.into_iter().collect::<StringArray>()))
}
