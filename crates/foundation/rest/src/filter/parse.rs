//! Reads filters.

use super::{Field, Filter, MAX_DEPTH, MAX_LIST, Operand, Operator};

/// What is wrong with a filter, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: &'static str,
}

fn wrong(message: impl Into<String>, hint: &'static str) -> FilterError {
    FilterError { message: message.into(), hint }
}

const OPERATORS: &str = "operators are eq, neq, gt, gte, lt, lte, in, like, ilike, is, has, each of them with or without `not.`";
const GROUPS: &str = "write a group as or=(status.eq.active,score.lt.0.8)";
const LISTS: &str = "write a list as in.(a,b,\"c, with a comma\")";
const FIELDS: &str = "write a column, or a place in a JSON column as metadata->>key";

/// Reads the filter that a parameter of a query string is.
pub fn parameter(name: &str, value: &str) -> Result<Filter, FilterError> {
    let (negated, word) = match name.strip_prefix("not.") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    if let Some(any) = group_word(word) {
        let mut reader = Reader { rest: value };
        let members = reader.members(1)?;
        reader.end(GROUPS)?;
        return Ok(Filter::Group { negated, any, members });
    }
    let mut reader = Reader { rest: name };
    let field = reader.field()?;
    reader.end(FIELDS)?;
    let (negated, operator, rest) = operator(value)?;
    let operand = if operator == Operator::In {
        let mut reader = Reader { rest };
        let list = reader.list()?;
        reader.end(LISTS)?;
        Operand::Many(list)
    } else {
        Operand::One(rest.to_owned())
    };
    Ok(Filter::Test { negated, field, operator, operand })
}

fn group_word(word: &str) -> Option<bool> {
    match word {
        "or" => Some(true),
        "and" => Some(false),
        _ => None,
    }
}

/// Reads `[not.]operator.` and gives what follows.
fn operator(text: &str) -> Result<(bool, Operator, &str), FilterError> {
    let (negated, text) = match text.strip_prefix("not.") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let Some((word, rest)) = text.split_once('.') else {
        return Err(wrong(
            format!("`{}` has no operator", shown(text)),
            "write the operator before the value: status=eq.active",
        ));
    };
    let operator = Operator::of(word)
        .ok_or_else(|| wrong(format!("`{}` is not an operator", shown(word)), OPERATORS))?;
    Ok((negated, operator, rest))
}

/// A text short enough to repeat in a message.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str, hint: &'static str) -> Result<(), FilterError> {
        if self.take(token) {
            Ok(())
        } else if self.rest.is_empty() {
            Err(wrong(format!("it ends where `{token}` is expected"), hint))
        } else {
            Err(wrong(format!("`{token}` is expected before `{}`", shown(self.rest)), hint))
        }
    }

    fn end(&self, hint: &'static str) -> Result<(), FilterError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(wrong(format!("`{}` is left over", shown(self.rest)), hint))
        }
    }

    fn until(&mut self, stop: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(stop).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// `(member,member,…)`
    fn members(&mut self, depth: usize) -> Result<Vec<Filter>, FilterError> {
        if depth > MAX_DEPTH {
            return Err(wrong(
                format!("groups stand more than {MAX_DEPTH} deep"),
                "say it with fewer groups",
            ));
        }
        self.expect("(", GROUPS)?;
        let mut members = Vec::new();
        loop {
            members.push(self.member(depth)?);
            if !self.take(",") {
                break;
            }
        }
        self.expect(")", GROUPS)?;
        Ok(members)
    }

    fn member(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let start = self.rest;
        let negated = self.take("not.");
        for (word, any) in [("or", true), ("and", false)] {
            let is_group = self.rest.strip_prefix(word).is_some_and(|rest| rest.starts_with('('));
            if is_group && self.take(word) {
                return Ok(Filter::Group { negated, any, members: self.members(depth + 1)? });
            }
        }
        // `not.` stands before a group's word, but after a column's.
        self.rest = start;
        let field = self.field()?;
        self.expect(".", "write a condition as column.operator.value")?;
        let (negated, operator, rest) = operator(self.rest)?;
        self.rest = rest;
        let operand = if operator == Operator::In {
            Operand::Many(self.list()?)
        } else {
            Operand::One(self.value()?)
        };
        Ok(Filter::Test { negated, field, operator, operand })
    }

    /// `column`, `column->key->>key`
    fn field(&mut self) -> Result<Field, FilterError> {
        let column =
            self.until(|letter| !(letter.is_ascii_alphanumeric() || letter == '_')).to_owned();
        if column.is_empty() {
            return Err(wrong(
                format!("`{}` does not begin with a column", shown(self.rest)),
                FIELDS,
            ));
        }
        let (mut path, mut text) = (Vec::new(), false);
        while !text && self.take("->") {
            text = self.take(">");
            let key = if self.rest.starts_with('"') {
                self.quoted()?
            } else {
                self.until(|letter| !(letter.is_alphanumeric() || letter == '_')).to_owned()
            };
            if key.is_empty() {
                return Err(wrong("a key is missing after the arrow", FIELDS));
            }
            path.push(key);
        }
        if path.len() > 10 {
            return Err(wrong("a path has more than 10 keys", "name a place nearer to the top"));
        }
        Ok(Field { column, path, text })
    }

    /// `(value,value,…)`
    fn list(&mut self) -> Result<Vec<String>, FilterError> {
        self.expect("(", LISTS)?;
        let mut values = Vec::new();
        if self.take(")") {
            return Ok(values);
        }
        loop {
            values.push(self.value()?);
            if !self.take(",") {
                break;
            }
        }
        self.expect(")", LISTS)?;
        if values.len() > MAX_LIST {
            return Err(wrong(
                format!("the list has {} values; {MAX_LIST} are the most", values.len()),
                "split the request",
            ));
        }
        Ok(values)
    }

    /// A quoted value, or all up to the next comma or parenthesis.
    fn value(&mut self) -> Result<String, FilterError> {
        if self.rest.starts_with('"') {
            self.quoted()
        } else {
            Ok(self.until(|letter| matches!(letter, ',' | '(' | ')' | '"')).to_owned())
        }
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
                _ => text.push(letter),
            }
        }
        Err(wrong("a quotation mark is not closed", "close it, and write one within as \\\""))
    }
}
