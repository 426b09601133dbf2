//! From a plan to SQL. Names come from the catalog and are quoted; every value is bound, but for
//! the id of an organization that [`list_of_large`] writes.

mod condition;
mod large;
mod read;
mod run;
mod sizes;
mod write;

pub(crate) use large::Large;
pub use read::{count, export_end, list, list_of_large};
pub(crate) use run::{RowText, number, page, rows, text, texts};
pub(crate) use sizes::Sizes;
use uuid::Uuid;
pub(crate) use write::{Row, delete, insert, lock, look, update};

/// A statement with its values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statement {
    /// The text, in which `$1`, `$2`, … stand for the values.
    pub sql: String,
    /// The values.
    pub values: Vec<Bound>,
}

/// A bound value.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Bound {
    /// A uuid.
    Uuid(Uuid),
    /// An array of uuids.
    Uuids(Vec<Uuid>),
    /// A text, which the statement casts to the type that it is checked to be one of.
    Text(String),
    /// An array of texts, likewise.
    Texts(Vec<String>),
    /// A whole number.
    Number(i64),
}

impl Statement {
    fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// A quoted name.
    fn name(&mut self, name: &str) -> &mut Self {
        self.sql.push_str(&quoted(name));
        self
    }

    /// Binds a value and writes its place.
    fn bind(&mut self, value: Bound) -> &mut Self {
        self.values.push(value);
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
        self
    }

    fn bind_text(&mut self, value: &str, cast: &str) -> &mut Self {
        self.bind(Bound::Text(value.to_owned())).push("::").push(cast)
    }

    /// Writes the parts with a separator between them.
    fn each<T>(
        &mut self,
        parts: impl IntoIterator<Item = T>,
        separator: &str,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                self.push(separator);
            }
            write(self, part);
        }
        self
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
