//! What readers ask of JSON, each refusal with its place.

use super::value::{List, Value};
use crate::Malformed;

/// A JSON value with its place in the file.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    value: &'a Value,
    place: &'a str,
}

impl<'a> Field<'a> {
    pub(super) fn new(value: &'a Value, place: &'a str) -> Self {
        Self { value, place }
    }

    fn fault(self, key: &str, message: &str) -> Malformed {
        Malformed::new(format!("{}/{key}", self.place), message)
    }

    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.value.get(key)
    }

    pub(super) fn text(self, key: &str) -> Result<&'a str, Malformed> {
        self.get(key).and_then(Value::as_str).ok_or_else(|| self.fault(key, "a text is missing"))
    }

    /// XGBoost writes its parameters as texts.
    pub(super) fn whole(self, key: &str) -> Result<usize, Malformed> {
        self.text(key)?.parse().map_err(|_| self.fault(key, "it is no whole number"))
    }

    pub(super) fn list(self, key: &str) -> Result<List<'a>, Malformed> {
        let list = self.get(key).and_then(Value::as_list);
        list.ok_or_else(|| self.fault(key, "a list is missing"))
    }

    pub(super) fn numbers(self, key: &str) -> Result<Vec<f64>, Malformed> {
        let read = self.list(key)?.numbers();
        read.ok_or_else(|| self.fault(key, "not all of the list are numbers"))
    }

    /// Whole numbers; booleans count as 0 and 1, and -1 stands for none.
    pub(super) fn wholes(self, key: &str) -> Result<Vec<i64>, Malformed> {
        let read = self.list(key)?.wholes();
        read.ok_or_else(|| self.fault(key, "not all of the list are whole numbers"))
    }
}
