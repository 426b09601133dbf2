//! A home as SQL: what goes there over the source row `s`, what comes back over the target row `t`.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::home::{Conversion, Converted, Home, split};

/// A required table.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    pub system: &'a str,
    pub name: &'a str,
}

/// One value on its way: a column of a target table, and its expression over `s`.
pub struct Assignment {
    /// `schema.table`.
    pub table: String,
    pub column: String,
    pub expression: String,
    /// It is a part of a JSON object, beside other parts.
    pub part: bool,
}

impl Table<'_> {
    /// What a column's value becomes.
    pub fn there(self, column: &str, home: &Home) -> Vec<Assignment> {
        let value = format!("s.\"{column}\"");
        let expressions: Vec<String> = match home {
            Home::Copied(_) => vec![value],
            Home::Converted(Converted { to, how }) => match how {
                Conversion::Id => vec![self.target(self.name, &value); to.len()],
                Conversion::Reference { of } => vec![self.target(of, &value); to.len()],
                Conversion::Words { words } => {
                    let words = words.iter().map(|(from, to)| (from.as_str(), to.as_str()));
                    vec![translated(&value, words); to.len()]
                }
                Conversion::Json { key } => {
                    vec![format!("jsonb_build_object('{key}', to_jsonb({value}))"); to.len()]
                }
                Conversion::Sql { there, .. } => {
                    let each = "an expression for each target";
                    assert_eq!(
                        there.len(),
                        to.len(),
                        "{}: {}.{column}: {each}",
                        self.system,
                        self.name
                    );
                    there.iter().map(|there| format!("({there})")).collect()
                }
                Conversion::Derived { .. } => Vec::new(),
            },
        };
        let part = matches!(home, Home::Converted(Converted { how: Conversion::Json { .. }, .. }));
        home.targets()
            .zip(expressions)
            .map(|(target, expression)| {
                let (table, column) = split(target);
                Assignment { table: table.to_owned(), column: column.to_owned(), expression, part }
            })
            .collect()
    }

    /// What comes back, and whether it must be what went.
    pub fn back(self, home: &Home) -> (String, bool) {
        let (_, name) = split(home.targets().next().expect("a home"));
        let stored = format!("t.\"{name}\"");
        let Home::Converted(Converted { how, .. }) = home else { return (stored, true) };
        match how {
            Conversion::Id => (self.source(self.name, &stored), true),
            Conversion::Reference { of } => (self.source(of, &stored), true),
            Conversion::Words { words } => (translated(&stored, inverse(words)), true),
            Conversion::Json { key } => (format!("{stored} -> '{key}'"), true),
            Conversion::Sql { back, lossy, .. } | Conversion::Derived { back, lossy } => {
                (back.clone(), lossy.is_none())
            }
        }
    }

    fn target(self, of: &str, value: &str) -> String {
        format!(
            "(select i.target from ops.imported_ids i where i.system = '{}' and i.source_table = '{of}' and i.source_id = {value}::text)",
            self.system
        )
    }

    fn source(self, of: &str, value: &str) -> String {
        format!(
            "(select i.source_id from ops.imported_ids i where i.system = '{}' and i.source_table = '{of}' and i.target = {value})",
            self.system
        )
    }
}

fn inverse(words: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    words.iter().map(|(from, to)| (to.as_str(), from.as_str()))
}

/// A word for another; words that are not listed stay.
fn translated<'a>(value: &str, words: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut sql = format!("case {value}::text");
    for (from, to) in words {
        let _ = write!(sql, " when '{from}' then '{to}'");
    }
    let _ = write!(sql, " else {value}::text end");
    sql
}
