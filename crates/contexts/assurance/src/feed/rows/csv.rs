//! Rows as CSV (RFC 4180): commas, a line of names first. Types follow from the row feed's columns, so
//! what a file's reader guesses (other delimiters, words for missing values) is not guessed here.

use ephor_kernel::{Fault, Problem};

use super::{cell::Cell, sheet::Sheet};

/// Reads all records.
pub(super) fn records(text: &str, sheet: &mut Sheet) -> Result<(), Problem> {
    let mut reader = Reader { rest: text, line: 1 };
    let Some((_, names)) = reader.next()? else {
        return Ok(());
    };
    while let Some((line, fields)) = reader.next()? {
        let place = format!("Line {line}");
        // A line with nothing in it is none, unless there is one column that may be empty.
        if names.len() > 1 && fields.len() == 1 && fields[0].is_empty() {
            continue;
        }
        if fields.len() == names.len() {
            let cells = names.iter().cloned().zip(fields.into_iter().map(cell)).collect();
            sheet.row(&place, cells)?;
        } else {
            let why =
                format!("it has {} fields, and there are {} names", fields.len(), names.len());
            sheet.broken(&place, "field_count", &why)?;
        }
    }
    Ok(())
}

fn cell(field: String) -> Cell {
    if field.is_empty() { Cell::Missing } else { Cell::Word(field) }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// The next record and the line that it begins in.
    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, Problem> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let begins = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(if self.rest.starts_with('"') {
                self.quoted(begins)?
            } else {
                self.plain()
            });
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            let ended = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
            if let Some(rest) = ended {
                self.rest = rest;
                self.line += 1;
            } else if !self.rest.is_empty() {
                return Err(malformed(self.line, "a field goes on after its closing quote"));
            }
            return Ok(Some((begins, fields)));
        }
    }

    fn plain(&mut self) -> String {
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let (mut field, _) = self.rest.split_at(end);
        if self.rest[end..].starts_with('\n') {
            field = field.strip_suffix('\r').unwrap_or(field);
        }
        self.rest = &self.rest[field.len()..];
        field.to_owned()
    }

    fn quoted(&mut self, begins: usize) -> Result<String, Problem> {
        let mut field = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some(end) = rest.find('"') else {
                return Err(malformed(begins, "a quote is opened and not closed"));
            };
            field.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    rest = more;
                }
                None => break,
            }
        }
        self.line += field.matches('\n').count();
        self.rest = rest;
        Ok(field)
    }
}

fn malformed(line: usize, why: &str) -> Problem {
    let message = format!("Line {line}: {why}");
    Problem::invalid(vec![Fault::new("", "malformed", message)])
}
