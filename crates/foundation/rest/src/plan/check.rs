//! Filters held against a table's columns.

use ephor_kernel::Fault;
use serde_json::Value;

use super::{Condition, Target, Test};
use crate::{
    Column, Kind, Resource,
    filter::{Field, Filter, Operand, Operator},
    nearest::hint,
};

/// The condition that `filter` is on the resource's table; faults name `pointer`.
pub(super) fn check(
    resource: &Resource,
    filter: Filter,
    pointer: &str,
    faults: &mut Vec<Fault>,
) -> Option<Condition> {
    match filter {
        Filter::Group { negated, any, members } => {
            let members = members
                .into_iter()
                .filter_map(|member| check(resource, member, pointer, faults))
                .collect();
            Some(Condition::Group { negated, any, members })
        }
        Filter::Test { negated, field, operator, operand } => {
            match test(resource, &field, operator, operand) {
                Ok((target, test)) => Some(Condition::Test { negated, target, test }),
                Err(Wrong { code, message, hint }) => {
                    let fault = Fault::new(pointer.to_owned(), code, message);
                    faults.push(match hint {
                        Some(hint) => fault.hint(hint),
                        None => fault,
                    });
                    None
                }
            }
        }
    }
}

struct Wrong {
    code: &'static str,
    message: String,
    hint: Option<String>,
}

fn wrong(code: &'static str, message: String) -> Wrong {
    Wrong { code, message, hint: None }
}

fn test(
    resource: &Resource,
    field: &Field,
    operator: Operator,
    operand: Operand,
) -> Result<(Target, Test), Wrong> {
    let column = resource.column(&field.column).ok_or_else(|| Wrong {
        code: "unknown_column",
        message: format!("{} have no column `{}`", resource.spec.plural, shown(&field.column)),
        hint: hint(&field.column, resource.names()),
    })?;
    let values = Values::of(column, field)?;
    let target = Target {
        column: column.name.clone(),
        path: field.path.clone(),
        text: field.text,
        cast: values.cast(),
    };
    Ok((target, values.test(operator, operand)?))
}

/// The type of what is compared.
struct Values<'a> {
    name: &'a str,
    kind: Kind,
    sql_type: &'a str,
    vocabulary: &'a [String],
}

impl<'a> Values<'a> {
    fn of(column: &'a Column, field: &Field) -> Result<Self, Wrong> {
        let name = column.name.as_str();
        if field.path.is_empty() {
            let Column { kind, sql_type, bounds, .. } = column;
            return Ok(Self { name, kind: kind.clone(), sql_type, vocabulary: &bounds.vocabulary });
        }
        if column.kind != Kind::Json {
            return Err(wrong(
                "operator",
                format!("`{name}` is not JSON, so nothing lies within it"),
            ));
        }
        let kind = if field.text { Kind::Text } else { Kind::Json };
        Ok(Self { name, kind, sql_type: "jsonb", vocabulary: &[] })
    }

    fn cast(&self) -> String {
        cast(&self.kind, self.sql_type).to_owned()
    }

    fn test(&self, operator: Operator, operand: Operand) -> Result<Test, Wrong> {
        let sign = match operator {
            Operator::Eq => "=",
            Operator::Neq => "<>",
            Operator::Gt => ">",
            Operator::Gte => ">=",
            Operator::Lt => "<",
            Operator::Lte => "<=",
            Operator::In => {
                let Operand::Many(values) = operand else {
                    return Err(self.unfit(operator));
                };
                let values: Result<_, _> = values.iter().map(|value| self.value(value)).collect();
                return self.comparable(operator).and_then(|()| Ok(Test::OneOf(values?)));
            }
            Operator::Like | Operator::Ilike | Operator::Is | Operator::Has => "",
        };
        let Operand::One(value) = operand else { return Err(self.unfit(operator)) };
        match operator {
            Operator::Is => self.is(&value).map(Test::Is),
            Operator::Like | Operator::Ilike if self.kind == Kind::Text => {
                if value.contains('\0') {
                    return Err(self.no_value(&value));
                }
                let insensitive = operator == Operator::Ilike;
                Ok(Test::Like { pattern: pattern(&value), insensitive })
            }
            Operator::Has => match &self.kind {
                Kind::Array(element) => {
                    element.parse(&value).map(Test::Has).ok_or_else(|| self.no_value(&value))
                }
                _ => Err(self.unfit(operator)),
            },
            Operator::Like | Operator::Ilike => Err(self.unfit(operator)),
            _ => {
                self.comparable(operator)?;
                Ok(Test::Compare(sign, self.value(&value)?))
            }
        }
    }

    fn comparable(&self, operator: Operator) -> Result<(), Wrong> {
        // JSON is compared only at a place within it, where the cast says so.
        let within_json = self.kind == Kind::Json && self.sql_type == "jsonb";
        if self.kind.ordered() || within_json { Ok(()) } else { Err(self.unfit(operator)) }
    }

    fn value(&self, text: &str) -> Result<String, Wrong> {
        let value = match &self.kind {
            Kind::Json => serde_json::from_str::<Value>(text)
                .ok()
                .filter(|value| !value.to_string().contains("\\u0000"))
                .map(|value| value.to_string()),
            kind => kind.parse(text),
        };
        let value = value.ok_or_else(|| self.no_value(text))?;
        if !self.vocabulary.is_empty() && !self.vocabulary.contains(&value) {
            return Err(Wrong {
                code: "vocabulary",
                message: format!("`{}` is not a value that `{}` can have", shown(text), self.name),
                hint: hint(text, self.vocabulary.iter().map(String::as_str)),
            });
        }
        Ok(value)
    }

    fn is(&self, word: &str) -> Result<&'static str, Wrong> {
        match (word, &self.kind) {
            ("null", _) => Ok("null"),
            ("not_null", _) => Ok("not null"),
            ("true", Kind::Bool) => Ok("true"),
            ("false", Kind::Bool) => Ok("false"),
            _ => Err(wrong(
                "type",
                format!(
                    "`{}` is not `{}`; it is null or not_null, and for a boolean also true or false",
                    self.name,
                    shown(word)
                ),
            )),
        }
    }

    fn no_value(&self, text: &str) -> Wrong {
        let kind = match &self.kind {
            Kind::Array(element) => element.noun(),
            kind => kind.noun(),
        };
        wrong("type", format!("`{}` is not {kind}, as `{}` is", shown(text), self.name))
    }

    fn unfit(&self, operator: Operator) -> Wrong {
        wrong(
            "operator",
            format!(
                "`{}` is {}, to which `{}` does not apply",
                self.name,
                self.kind.noun(),
                operator.word()
            ),
        )
    }
}

/// What values are cast to: without length or precision, which would cut what is compared.
pub(super) fn cast<'a>(kind: &Kind, sql_type: &'a str) -> &'a str {
    match kind {
        Kind::Text => "text",
        Kind::Decimal => "numeric",
        Kind::Integer(_) => "bigint",
        Kind::Timestamp => "timestamptz",
        Kind::Array(element) => cast(element, sql_type.trim_end_matches("[]")),
        _ => sql_type,
    }
}

/// `*` stands for any characters, `\*` for a star; nothing else is special.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.next_if_eq(&'*').is_some() => pattern.push('*'),
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', letter]),
            _ => pattern.push(letter),
        }
    }
    pattern
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}
