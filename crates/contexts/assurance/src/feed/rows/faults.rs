//! What is wrong with a batch: told row by row, and counted beyond what is told.

use std::collections::HashSet;

use ephor_kernel::{Fault, Problem};

use super::Refused;

/// Faults that are told one by one; further ones are counted.
const MOST: usize = 100;
/// Characters of a column's name that are repeated.
const SHOWN: usize = 60;

/// The faults that were found so far. No value of a row stands in them: it may be personal.
#[derive(Default)]
pub(super) struct Faults {
    told: Vec<Fault>,
    count: usize,
    wrong: HashSet<usize>,
}

impl Faults {
    /// A fault of a row, or of one of its columns. `place` is how people find the row.
    pub(super) fn add(
        &mut self,
        (row, place): (usize, &str),
        column: Option<&str>,
        code: &'static str,
        why: &str,
    ) {
        self.count += 1;
        self.wrong.insert(row);
        if self.told.len() >= MOST {
            return;
        }
        let (pointer, message) = match column {
            Some(name) => {
                let shown: String = name.chars().take(SHOWN).collect();
                let escaped = shown.replace('~', "~0").replace('/', "~1");
                (format!("/{row}/{escaped}"), format!("{place}, column `{shown}`: {why}"))
            }
            None => (format!("/{row}"), format!("{place}: {why}")),
        };
        self.told.push(Fault::new(pointer, code, message));
    }

    /// A fault of the batch as a whole.
    pub(super) fn whole(&mut self, code: &'static str, message: String) {
        self.count += 1;
        if self.told.len() < MOST {
            self.told.push(Fault::new("", code, message));
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// All of them, when there are any.
    pub(super) fn refuse(mut self) -> Result<(), Refused> {
        if self.count == 0 {
            return Ok(());
        }
        let untold = self.count - self.told.len();
        if untold > 0 {
            let message = format!("{untold} more faults are not listed");
            self.told.push(Fault::new("", "more", message));
        }
        Err(Refused { problem: Problem::invalid(self.told), wrong_rows: self.wrong.len() })
    }
}
