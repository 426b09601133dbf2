//! What is learnt about one column.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashSet};

use super::Kind;
use crate::{Malformed, json::Token};

/// What is learnt about one column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnSurvey {
    pub kind: Kind,
    /// Where in the file the first value of this kind stands.
    pub since: u64,
    /// What the column held before it became text, and where.
    pub before: Option<(Kind, u64)>,
    /// Hashes of the texts seen, up to a bound; None beyond it.
    texts: Option<HashSet<u64>>,
    hasher: DefaultHashBuilder,
    last: u64,
    values: u64,
    bound: usize,
    /// The last row that had a value here: a JSON key may come once in a row.
    pub row: u64,
}

/// Texts repeat when there are at most this many of them …
const MOST: usize = 1 << 16;
/// … or when there are so few that it does not matter.
const FEW: usize = 256;

impl ColumnSurvey {
    /// For one of so many columns, so that all of them together take at most some 16 MiB.
    pub(crate) fn new(columns: usize, hasher: &DefaultHashBuilder) -> Self {
        Self {
            kind: Kind::Unknown,
            since: 0,
            before: None,
            texts: Some(HashSet::new()),
            hasher: hasher.clone(),
            last: 0,
            values: 0,
            bound: ((1 << 20) / columns.max(1)).clamp(FEW, MOST),
            row: 0,
        }
    }

    /// Takes in a CSV field that is not missing and stands at the byte `at`.
    pub(crate) fn field(&mut self, field: &str, at: u64) {
        if self.kind != Kind::Text && !self.kind.reads(field) {
            self.widen(Kind::of(field), at);
        }
        if self.kind == Kind::Text {
            self.text(field);
        }
    }

    /// Whether it is text, as far as is known.
    pub(crate) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    /// Takes in a CSV field that was taken in before, when the column was what it is now.
    pub(crate) fn again(&mut self) {
        if self.kind == Kind::Text {
            self.values += 1;
        }
    }

    /// Takes in a quoted empty field: text, unless the column turns out to hold something else.
    pub(crate) fn empty(&mut self) {
        if self.kind == Kind::Text {
            self.text("");
        }
    }

    /// Takes in a JSON value. What does not go with the values before it is refused.
    pub(crate) fn token(&mut self, name: &str, token: Token<'_>, at: u64) -> Result<(), Mixed> {
        let kind = match token {
            Token::Null => return Ok(()),
            Token::Boolean(_) => Kind::Boolean,
            Token::Integer(digits) if Kind::Integer.reads(digits) => Kind::Integer,
            Token::Integer(digits) => {
                return Err(Mixed::Wide(
                    Malformed::new(format!(
                        "the integer {digits} in `{name}` does not fit into 64 bits"
                    ))
                    .hint("Write it as text, in quotes, in every row."),
                ));
            }
            Token::Number(_) => Kind::Number,
            Token::Text(_) => Kind::Text,
            Token::Nested(_) => Kind::Nested,
        };
        if kind != self.kind {
            if clash(self.kind, kind) {
                return Err(Mixed::Kinds { here: kind, before: self.kind, since: self.since });
            }
            if self.kind.join(kind) != self.kind {
                self.kind = self.kind.join(kind);
                self.since = at;
            }
        }
        if let Token::Text(text) | Token::Nested(text) = token {
            self.text(text);
        }
        Ok(())
    }

    fn widen(&mut self, kind: Kind, at: u64) {
        let joined = self.kind.join(kind);
        if joined != self.kind {
            if joined == Kind::Text && self.kind != Kind::Unknown {
                self.before = Some((self.kind, self.since));
            }
            (self.kind, self.since) = (joined, at);
        }
    }

    fn text(&mut self, text: &str) {
        self.values += 1;
        let Some(texts) = &mut self.texts else { return };
        let hash = self.hasher.hash_one(text);
        if hash == self.last {
            return;
        }
        self.last = hash;
        texts.insert(hash);
        if texts.len() > self.bound {
            self.texts = None;
        }
    }

    /// Takes in what a later chunk knows of the same column. With `strict`, kinds that clash are an error.
    pub(crate) fn merge(&mut self, later: Self, strict: bool) -> Result<(), Mixed> {
        if strict && clash(self.kind, later.kind) {
            return Err(Mixed::Kinds { here: later.kind, before: self.kind, since: self.since });
        }
        let joined = self.kind.join(later.kind);
        if joined != self.kind {
            if joined == Kind::Text && self.kind != Kind::Unknown {
                self.before = Some((self.kind, self.since));
            } else {
                self.before = later.before;
            }
            self.since = later.since;
            self.kind = joined;
        }
        self.values += later.values;
        self.texts = match (self.texts.take(), later.texts) {
            (Some(mut texts), Some(more)) => {
                texts.extend(more);
                (texts.len() <= self.bound).then_some(texts)
            }
            _ => None,
        };
        Ok(())
    }

    /// Is it worth the while to keep its texts as codes?
    pub(crate) fn repeats(&self) -> bool {
        self.texts
            .as_ref()
            .is_some_and(|texts| texts.len() <= FEW || texts.len() as u64 * 2 <= self.values)
    }
}

/// JSON values that do not go together.
#[derive(Debug)]
pub(crate) enum Mixed {
    /// One that cannot be held.
    Wide(Malformed),
    /// Two kinds in one column.
    Kinds { here: Kind, before: Kind, since: u64 },
}

fn clash(a: Kind, b: Kind) -> bool {
    a != b
        && a != Kind::Unknown
        && b != Kind::Unknown
        && !matches!((a, b), (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer))
}
