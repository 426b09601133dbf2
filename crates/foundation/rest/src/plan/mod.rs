//! From a request to what will be asked of PostgreSQL: a pure function.

mod check;
mod list;
mod search;

use ephor_kernel::OrganizationId;
pub use list::{MAX_ROWS, PAGE_ROWS, plan};
pub(crate) use list::{owner, point};
use uuid::Uuid;

use crate::cursor::Keys;

/// What will be asked of PostgreSQL. Every name in it comes from the catalog; every value is bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The resource's path.
    pub resource: &'static str,
    /// Whose rows.
    pub tenancy: Tenancy,
    /// The one person whose rows are read, by this column.
    pub owner: Option<(&'static str, Uuid)>,
    /// The columns that are shown, in order.
    pub columns: Vec<String>,
    /// The related rows that are shown in place.
    pub includes: Vec<Inclusion>,
    /// What has to hold, all of it.
    pub conditions: Vec<Condition>,
    /// A full-text query in the syntax of `to_tsquery`.
    pub search: Option<String>,
    /// The order: it ends in the id, so it is total.
    pub order: Vec<Sort>,
    /// The keys of the row before the first.
    pub after: Option<Keys>,
    /// At most so many rows.
    pub limit: u32,
    /// Are all rows to be counted?
    pub count: bool,
}

impl Plan {
    /// The same, of these rows alone.
    #[must_use]
    pub fn among(mut self, ids: &[Uuid]) -> Self {
        let target =
            Target { column: "id".into(), path: Vec::new(), text: false, cast: "uuid".into() };
        let test = Test::OneOf(ids.iter().map(Uuid::to_string).collect());
        self.conditions.push(Condition::Test { negated: false, target, test });
        self
    }
}

/// Related rows that are shown in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The include's name.
    pub name: &'static str,
    /// The one person whose rows are shown, by this column.
    pub owner: Option<(&'static str, Uuid)>,
}

/// Whose rows a plan reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenancy {
    /// One organization's.
    One(OrganizationId),
    /// Those of a holding and its subsidiaries, merged.
    Many(Vec<OrganizationId>),
    /// Nobody's: the table has no organization, and its rows are the same for all.
    Global,
}

impl Tenancy {
    /// The organizations, sorted.
    pub fn organizations(&self) -> &[OrganizationId] {
        match self {
            Self::One(organization) => std::slice::from_ref(organization),
            Self::Many(organizations) => organizations,
            Self::Global => &[],
        }
    }
}

/// One key of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub column: String,
    /// What keys are cast to.
    pub cast: String,
    /// May it be null? Nulls count as greatest.
    pub nullable: bool,
    /// From great to small.
    pub descending: bool,
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Several together.
    Group {
        /// `not`
        negated: bool,
        /// `or` rather than `and`.
        any: bool,
        /// One at least.
        members: Vec<Condition>,
    },
    /// One.
    Test {
        /// `not`
        negated: bool,
        /// What is tested.
        target: Target,
        /// How, and against what.
        test: Test,
    },
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The column.
    pub column: String,
    /// The place within a JSON column.
    pub path: Vec<String>,
    /// Whether that place is compared as text.
    pub text: bool,
    /// What values are cast to.
    pub cast: String,
}

/// A test with its values, each of which PostgreSQL is certain to read as the target's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A comparison with one of SQL's signs.
    Compare(&'static str, String),
    /// One of several.
    OneOf(Vec<String>),
    /// A pattern in SQL's syntax.
    Like {
        /// The pattern, escaped.
        pattern: String,
        /// Whatever the case.
        insensitive: bool,
    },
    /// `is` one of SQL's words: `null`, `not null`, `true`, `false`.
    Is(&'static str),
    /// An array contains it.
    Has(String),
}

/// The order as a text, for cursors.
pub(crate) fn order_text(order: &[Sort]) -> String {
    let keys: Vec<_> = order
        .iter()
        .map(|sort| format!("{}{}", if sort.descending { "-" } else { "" }, sort.column))
        .collect();
    keys.join(",")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
