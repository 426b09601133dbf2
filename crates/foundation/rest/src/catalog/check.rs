//! What check constraints say in a form that a client can use: vocabularies, lengths, ranges.
//!
//! PostgreSQL prints a constraint in one canonical form; the few shapes that matter are read from
//! it. Whatever is not understood is left to PostgreSQL, which decides in any case.

/// What the checks on one column say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bounds {
    /// The words that the column, or each item of an array, may be; empty when it is open.
    pub vocabulary: Vec<String>,
    /// The least number of characters.
    pub min_length: Option<u32>,
    /// The greatest number of characters.
    pub max_length: Option<u32>,
    /// The least value.
    pub minimum: Option<f64>,
    /// The greatest value.
    pub maximum: Option<f64>,
    /// A regular expression that the text matches.
    pub pattern: Option<String>,
    /// What a JSON value is, one of these: `object`, `array`, …; anything when there are none.
    pub json_types: Vec<String>,
}

impl Bounds {
    /// Adds what the constraint `definition` says of `column`.
    pub(crate) fn read(&mut self, definition: &str, column: &str) {
        let Some(body) = definition.strip_prefix("CHECK ") else { return };
        for clause in conjuncts(body) {
            self.clause(clause, column);
        }
    }

    fn clause(&mut self, clause: &str, column: &str) {
        let Some((left, operator, right)) = comparison(clause) else { return };
        // A name that is a keyword too, such as position, is printed in quotes.
        let quoted = format!("\"{column}\"");
        if left == column || left == quoted {
            match operator {
                "=" if right.starts_with("ANY (ARRAY[") => self.vocabulary = strings(right),
                "<@" if right.starts_with("ARRAY[") && right.contains('\'') => {
                    self.vocabulary = strings(right);
                }
                "~" => self.pattern = strings(right).into_iter().next(),
                ">=" => self.minimum = number(right).or(self.minimum),
                "<=" => self.maximum = number(right).or(self.maximum),
                _ => {}
            }
        } else if left == format!("length({column})") || left == format!("char_length({column})") {
            let Some(length) = number(right).map(|length| length as u32) else { return };
            match operator {
                ">=" => self.min_length = Some(length),
                ">" => self.min_length = Some(length.saturating_add(1)),
                "<=" => self.max_length = Some(length),
                "<" => self.max_length = Some(length.saturating_sub(1)),
                "=" => (self.min_length, self.max_length) = (Some(length), Some(length)),
                _ => {}
            }
        } else if left == format!("jsonb_typeof({column})") && operator == "=" {
            // One of several, where it is `= ANY (ARRAY[…])`.
            self.json_types = strings(right);
        }
    }
}

/// Strips the parentheses that enclose the whole of `text`.
fn bare(mut text: &str) -> &str {
    loop {
        text = text.trim();
        let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else {
            return text;
        };
        if !encloses(inner) {
            return text;
        }
        text = inner;
    }
}

/// Do the parentheses around `inner` belong together?
fn encloses(inner: &str) -> bool {
    let mut depth = 0_i32;
    scan(inner, |_, byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth >= 0
    }) && depth == 0
}

/// Walks over the bytes outside of quotes; stops early, with `false`, when `visit` says so.
fn scan(text: &str, mut visit: impl FnMut(usize, u8) -> bool) -> bool {
    let mut quoted = false;
    text.bytes().enumerate().all(|(at, byte)| {
        if byte == b'\'' {
            quoted = !quoted;
        }
        quoted || byte == b'\'' || visit(at, byte)
    })
}

/// Positions outside of quotes and parentheses.
fn top_level(text: &str, mut visit: impl FnMut(usize)) {
    let mut depth = 0_i32;
    scan(text, |at, byte| {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            _ if depth == 0 => visit(at),
            _ => {}
        }
        true
    });
}

/// The clauses that all have to hold.
fn conjuncts(text: &str) -> Vec<&str> {
    let text = bare(text);
    let mut cuts = Vec::new();
    let mut alternatives = false;
    top_level(text, |at| {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with(" AND ") {
            cuts.push(at);
        }
        alternatives |= rest.starts_with(" OR ");
    });
    if alternatives {
        return Vec::new();
    }
    let mut clauses = Vec::new();
    let mut start = 0;
    for cut in cuts {
        clauses.extend(conjuncts(&text[start..cut]));
        start = cut + " AND ".len();
    }
    if start == 0 {
        return vec![text];
    }
    clauses.extend(conjuncts(&text[start..]));
    clauses
}

/// Splits `left operator right`.
fn comparison(clause: &str) -> Option<(&str, &str, &str)> {
    let clause = bare(clause);
    let mut found = None;
    top_level(clause, |at| {
        let rest = clause.get(at..).unwrap_or_default();
        if found.is_none() {
            found = ["<=", ">=", "<@", "=", "<", ">", "~"]
                .into_iter()
                .find(|operator| {
                    rest.strip_prefix(' ')
                        .and_then(|rest| rest.strip_prefix(operator))
                        .is_some_and(|rest| rest.starts_with(' '))
                })
                .map(|operator| (at, operator));
        }
    });
    let (at, operator) = found?;
    Some((clause[..at].trim(), operator, clause[at + operator.len() + 2..].trim()))
}

/// The string literals in an expression.
pub(crate) fn strings(expression: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find('\'') {
        let mut word = String::new();
        let mut tail = &rest[start + 1..];
        loop {
            let Some(end) = tail.find('\'') else { return words };
            word.push_str(&tail[..end]);
            tail = &tail[end + 1..];
            match tail.strip_prefix('\'') {
                Some(more) => {
                    word.push('\'');
                    tail = more;
                }
                None => break,
            }
        }
        words.push(word);
        rest = tail;
    }
    words
}

/// A number literal, with whatever casts and parentheses PostgreSQL put around it.
pub(crate) fn number(expression: &str) -> Option<f64> {
    let text = expression.split("::").next().unwrap_or_default();
    text.trim_matches(['(', ')', '\'', ' ']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(definition: &str, column: &str) -> Bounds {
        let mut bounds = Bounds::default();
        bounds.read(definition, column);
        bounds
    }

    #[test]
    fn vocabularies_are_read() {
        let bounds = read(
            "CHECK ((status = ANY (ARRAY['queued'::text, 'it''s'::text, 'a, b'::text])))",
            "status",
        );
        assert_eq!(bounds.vocabulary, ["queued", "it's", "a, b"]);
    }

    #[test]
    fn vocabularies_of_items_and_names_in_quotes_are_read() {
        let channels = "CHECK ((channels <@ ARRAY['slack'::text, 'email'::text]))";
        assert_eq!(read(channels, "channels").vocabulary, ["slack", "email"]);
        assert_eq!(read("CHECK ((\"position\" >= 0))", "position").minimum, Some(0.0));
    }

    #[test]
    fn lengths_are_read() {
        let bounds = read(
            "CHECK (((name = btrim(name)) AND ((length(name) >= 1) AND (length(name) <= 200))))",
            "name",
        );
        assert_eq!((bounds.min_length, bounds.max_length), (Some(1), Some(200)));
    }

    #[test]
    fn ranges_are_read_through_their_casts() {
        let bounds = read(
            "CHECK (((score >= ('-1'::integer)::double precision) AND (score <= (1)::double precision)))",
            "score",
        );
        assert_eq!((bounds.minimum, bounds.maximum), (Some(-1.0), Some(1.0)));
    }

    #[test]
    fn patterns_and_json_types_are_read() {
        assert_eq!(
            read("CHECK ((slug ~ '^[a-z]+$'::text))", "slug").pattern.as_deref(),
            Some("^[a-z]+$")
        );
        assert_eq!(
            read("CHECK ((jsonb_typeof(settings) = 'object'::text))", "settings").json_types,
            ["object"]
        );
        let either = "CHECK ((jsonb_typeof(rules) = ANY (ARRAY['array'::text, 'object'::text])))";
        assert_eq!(read(either, "rules").json_types, ["array", "object"]);
    }

    #[test]
    fn alternatives_and_other_columns_say_nothing() {
        let either = "CHECK (((kind = ANY (ARRAY['a'::text])) OR (length(kind) <= 3)))";
        assert_eq!(read(either, "kind"), Bounds::default());
        assert_eq!(read("CHECK ((length(name) <= 3))", "title"), Bounds::default());
        assert_eq!(read("CHECK ((a) = (b IS NOT NULL))", "a"), Bounds::default());
    }

    proptest::proptest! {
        #[test]
        fn no_definition_makes_it_panic(text in ".{0,80}") {
            read(&format!("CHECK {text}"), "a");
        }
    }
}
