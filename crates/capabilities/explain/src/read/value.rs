//! What JSON and UBJSON are read into. Models are lists of numbers for the most part: such a list takes eight bytes a number.

use std::borrow::Cow;

use super::budget::{Budget, Full};

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Another one: it is finite.
    Number(f64),
    Text(Box<str>),
    /// A list of nothing but whole numbers.
    Wholes(Box<[i64]>),
    /// A list of nothing but numbers.
    Numbers(Box<[f64]>),
    /// Any other list.
    List(Box<[Value]>),
    /// Names and values in the file's order.
    Object(Box<[(Box<str>, Value)]>),
}

impl Value {
    /// A number; JSON has none that are not finite.
    pub(super) fn number(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Null }
    }

    /// What stands under a name of an object; of two of the same name the last.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(all) = self else { return None };
        all.iter().rev().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<List<'_>> {
        Some(match self {
            Self::Wholes(all) => List::Wholes(all),
            Self::Numbers(all) => List::Numbers(all),
            Self::List(all) => List::Values(all),
            _ => return None,
        })
    }
}

/// A list, however it is kept.
#[derive(Clone, Copy)]
pub(super) enum List<'a> {
    Wholes(&'a [i64]),
    Numbers(&'a [f64]),
    Values(&'a [Value]),
}

impl<'a> List<'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Wholes(all) => all.len(),
            Self::Numbers(all) => all.len(),
            Self::Values(all) => all.len(),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(self, at: usize) -> Option<Cow<'a, Value>> {
        match self {
            Self::Wholes(all) => all.get(at).map(|one| Cow::Owned(Value::Whole(*one))),
            Self::Numbers(all) => all.get(at).map(|one| Cow::Owned(Value::Number(*one))),
            Self::Values(all) => all.get(at).map(Cow::Borrowed),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Cow<'a, Value>> {
        (0..self.len()).filter_map(move |at| self.get(at))
    }

    /// Is it made of numbers alone?
    pub(super) fn is_numeric(self) -> bool {
        self.is_empty() || !matches!(self, Self::Values(_))
    }

    /// Its numbers, if it is made of nothing else.
    pub(super) fn numbers(self) -> Option<Vec<f64>> {
        match self {
            Self::Wholes(all) => Some(all.iter().map(|one| *one as f64).collect()),
            Self::Numbers(all) => Some(all.to_vec()),
            Self::Values(all) => all.iter().map(Value::as_f64).collect(),
        }
    }

    /// Whole numbers, if it is made of nothing else; booleans count as 0 and 1.
    pub(super) fn wholes(self) -> Option<Vec<i64>> {
        let whole = |value: &Value| value.as_i64().or_else(|| value.as_bool().map(i64::from));
        match self {
            Self::Wholes(all) => Some(all.to_vec()),
            Self::Numbers(all) => all.is_empty().then(Vec::new),
            Self::Values(all) => all.iter().map(whole).collect(),
        }
    }
}

/// A list that is being read: kept as numbers for as long as there is nothing else in it.
pub(super) enum Growing {
    Wholes(Vec<i64>),
    Numbers(Vec<f64>),
    Values(Vec<Value>),
}

impl Growing {
    pub(super) fn new() -> Self {
        Self::Wholes(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Wholes(all) => all.len(),
            Self::Numbers(all) => all.len(),
            Self::Values(all) => all.len(),
        }
    }

    /// Adds a value.
    pub(super) fn push(&mut self, value: Value, budget: &Budget) -> Result<(), Full> {
        match (&mut *self, value) {
            (Self::Wholes(all), Value::Whole(number)) => return budget.push(all, number),
            (Self::Numbers(all), Value::Number(number)) => return budget.push(all, number),
            (Self::Numbers(all), Value::Whole(number)) => return budget.push(all, number as f64),
            (Self::Values(all), value) => return budget.push(all, value),
            (Self::Wholes(all), Value::Number(number)) => {
                let old = std::mem::take(all);
                let mut new = Vec::new();
                for number in &old {
                    budget.push(&mut new, *number as f64)?;
                }
                budget.dropped(old);
                budget.push(&mut new, number)?;
                *self = Self::Numbers(new);
            }
            (Self::Wholes(all), value) => {
                let old = std::mem::take(all);
                let mut new = Vec::new();
                for number in &old {
                    budget.push(&mut new, Value::Whole(*number))?;
                }
                budget.dropped(old);
                budget.push(&mut new, value)?;
                *self = Self::Values(new);
            }
            (Self::Numbers(all), value) => {
                let old = std::mem::take(all);
                let mut new = Vec::new();
                for number in &old {
                    budget.push(&mut new, Value::Number(*number))?;
                }
                budget.dropped(old);
                budget.push(&mut new, value)?;
                *self = Self::Values(new);
            }
        }
        Ok(())
    }

    /// The list, to which nothing is added any more.
    pub(super) fn closed(self, budget: &Budget) -> Value {
        match self {
            Self::Wholes(all) if all.is_empty() => Value::List(Box::default()),
            Self::Wholes(all) => Value::Wholes(budget.closed(all)),
            Self::Numbers(all) => Value::Numbers(budget.closed(all)),
            Self::Values(all) => Value::List(budget.closed(all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[Value]) -> Value {
        let (budget, mut list) = (Budget::of(0), Growing::new());
        for value in values {
            list.push(value.clone(), &budget).unwrap();
        }
        assert_eq!(list.len(), values.len());
        list.closed(&budget)
    }

    #[test]
    fn lists_of_numbers_are_kept_as_such() {
        let (one, half, text) = (Value::Whole(1), Value::Number(0.5), Value::Text("a".into()));
        assert_eq!(list(&[one.clone(), one.clone()]), Value::Wholes([1, 1].into()));
        assert_eq!(
            list(&[one.clone(), half.clone(), one.clone()]),
            Value::Numbers([1.0, 0.5, 1.0].into())
        );
        let mixed = list(&[half.clone(), one.clone(), text.clone(), one.clone()]);
        assert_eq!(
            mixed,
            Value::List([half, Value::Number(1.0), text.clone(), one.clone()].into())
        );
        let mixed = list(&[one.clone(), Value::Bool(true), one.clone()]);
        assert_eq!(mixed.as_list().unwrap().wholes(), Some(vec![1, 1, 1]));
        assert_eq!(mixed.as_list().unwrap().numbers(), None);
        assert_eq!(list(&[]), Value::List([].into()));
        assert_eq!(list(&[]).as_list().unwrap().wholes(), Some(Vec::new()));
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn of_two_of_a_name_the_last_counts() {
        let pair = |number| (Box::<str>::from("a"), Value::Whole(number));
        let object = Value::Object([pair(1), pair(2)].into());
        assert_eq!(object.get("a"), Some(&Value::Whole(2)));
        assert_eq!(object.get("b"), None);
    }
}
