//! Filters as a caller writes them: `status=eq.active`, `or=(score.lt.0.8,name.ilike.*risk*)`.
//!
//! This module knows the grammar and nothing of tables; [`plan()`](crate::plan()) holds it against a table's
//! columns. A filter prints in the form that groups use, and reads back as itself.

mod parse;
mod print;

pub use parse::{FilterError, parameter};

/// One condition, or several together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `and=(…)`, `or=(…)`, `not.and(…)`.
    Group {
        /// `not.`
        negated: bool,
        /// `or` rather than `and`.
        any: bool,
        /// What it holds: one at least.
        members: Vec<Filter>,
    },
    /// `column.operator.value`.
    Test {
        /// `not.`
        negated: bool,
        /// What is tested.
        field: Field,
        /// How.
        operator: Operator,
        /// Against what.
        operand: Operand,
    },
}

/// A column, or a place within a JSON column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column's name as given.
    pub column: String,
    /// The keys that lead to the place.
    pub path: Vec<String>,
    /// Whether the place is compared as text (`->>`) rather than as JSON (`->`).
    pub text: bool,
}

/// What a test is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A value.
    One(String),
    /// The list of `in`.
    Many(Vec<String>),
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// How a value is tested.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operator {$($(#[$doc])* $name,)+}

        impl Operator {
            /// All operators.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self {$(Self::$name => $word,)+}
            }
        }
    };
}

operators! {
    /// Equal.
    Eq = "eq";
    /// Not equal; as in SQL, null is neither.
    Neq = "neq";
    /// Greater.
    Gt = "gt";
    /// Greater or equal.
    Gte = "gte";
    /// Less.
    Lt = "lt";
    /// Less or equal.
    Lte = "lte";
    /// One of a list: `in.(a,b)`.
    In = "in";
    /// A pattern in which `*` stands for any characters.
    Like = "like";
    /// The same, whatever the case.
    Ilike = "ilike";
    /// `is.null`, `is.not_null`, `is.true`, `is.false`.
    Is = "is";
    /// An array that contains the value.
    Has = "has";
}

impl Operator {
    /// The operator with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operator| operator.word() == word)
    }
}

/// Groups within groups, at most.
pub const MAX_DEPTH: usize = 5;
/// Conditions in one request, at most.
pub const MAX_CONDITIONS: usize = 100;
/// Values in one list of `in`, at most.
pub const MAX_LIST: usize = 500;

impl Filter {
    /// How many tests it holds.
    pub fn size(&self) -> usize {
        match self {
            Self::Group { members, .. } => members.iter().map(Self::size).sum(),
            Self::Test { .. } => 1,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
