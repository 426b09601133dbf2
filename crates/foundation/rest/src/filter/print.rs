//! Writes filters in the form that stands within a group.

use std::fmt::{self, Display, Formatter};

use super::{Field, Filter, Operand};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { negated, any, members } => {
                f.write_str(if *negated { "not." } else { "" })?;
                f.write_str(if *any { "or(" } else { "and(" })?;
                for (place, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if place == 0 { "" } else { "," })?;
                }
                f.write_str(")")
            }
            Self::Test { negated, field, operator, operand } => {
                let not = if *negated { "not." } else { "" };
                write!(f, "{field}.{not}{}.{operand}", operator.word())
            }
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.column)?;
        for (place, key) in self.path.iter().enumerate() {
            f.write_str(if self.text && place + 1 == self.path.len() { "->>" } else { "->" })?;
            if key.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                f.write_str(key)?;
            } else {
                quote(key, f)?;
            }
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => bare_or_quoted(value, f),
            Self::Many(values) => {
                f.write_str("(")?;
                for (place, value) in values.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { "," })?;
                    // An empty value that stands alone would read as an empty list.
                    if value.is_empty() { quote(value, f)? } else { bare_or_quoted(value, f)? }
                }
                f.write_str(")")
            }
        }
    }
}

fn bare_or_quoted(value: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if value.contains([',', '(', ')', '"']) { quote(value, f) } else { f.write_str(value) }
}

fn quote(value: &str, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
