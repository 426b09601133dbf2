//! Records of CSV, as spans of the text that they are in.

use super::Dialect;
use crate::Malformed;

/// A field: where it lies in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
    /// It stood in quotes, which are not part of the span.
    pub quoted: bool,
    /// It holds doubled quotes.
    pub doubled: bool,
}

impl Span {
    /// The field's text; `scratch` holds it when quotes have to be undoubled.
    pub(crate) fn text<'a>(&self, text: &'a str, scratch: &'a mut String) -> &'a str {
        let field = text.get(self.start..self.end).unwrap_or_default();
        if !self.doubled {
            return field;
        }
        scratch.clear();
        let mut rest = field;
        while let Some(at) = rest.find('"') {
            scratch.push_str(&rest[..=at]);
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        scratch.push_str(rest);
        scratch
    }
}

/// Reads records one after the other.
pub(crate) struct Records<'a> {
    text: &'a str,
    at: usize,
    dialect: &'a Dialect,
    ends: [bool; 256],
}

/// A fault at a byte of the text.
pub(crate) type Fault = (usize, Malformed);

const DOUBLE: &str = "Put the field in quotes, and write a quote in it twice: \"a \"\"b\"\" c\".";

impl<'a> Records<'a> {
    pub(crate) fn new(text: &'a str, dialect: &'a Dialect) -> Self {
        let mut ends = [false; 256];
        for byte in [dialect.delimiter, b'\n', b'\r', b'"', 0] {
            ends[usize::from(byte)] = true;
        }
        Self { text, at: 0, dialect, ends }
    }

    /// Where the next record starts.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The next record's fields. False at the end.
    pub(crate) fn next(&mut self, fields: &mut Vec<Span>) -> Result<bool, Fault> {
        fields.clear();
        let bytes = self.text.as_bytes();
        if self.at >= bytes.len() {
            return Ok(false);
        }
        loop {
            let mut start = self.at;
            while start < bytes.len() && self.dialect.blank(bytes[start]) {
                start += 1;
            }
            let (span, after) = if bytes.get(start) == Some(&b'"') {
                self.quoted(start)?
            } else {
                self.plain(start)
            };
            fields.push(span);
            match bytes.get(after) {
                Some(&byte) if byte == self.dialect.delimiter => self.at = after + 1,
                Some(b'\r') if bytes.get(after + 1) == Some(&b'\n') => {
                    self.at = after + 2;
                    return Ok(true);
                }
                Some(b'\r') if after + 1 < bytes.len() => {
                    let fault = Malformed::new("there is a carriage return that no line feed follows")
                        .hint("End lines with LF or CRLF, and put a field that holds line ends in quotes.");
                    return Err((after, fault));
                }
                Some(b'"') => {
                    return Err((
                        after,
                        Malformed::new("there is a quote within a field that has none around it")
                            .hint(DOUBLE),
                    ));
                }
                Some(0) => {
                    let fault = Malformed::new("there is a NUL byte: this is not text")
                        .hint("If it is UTF-16 text, save it as UTF-8.");
                    return Err((after, fault));
                }
                Some(b'\n') => {
                    self.at = after + 1;
                    return Ok(true);
                }
                Some(_) => {
                    return Err((
                        after,
                        Malformed::new("there is text after the field's closing quote")
                            .hint(DOUBLE),
                    ));
                }
                None => {
                    self.at = bytes.len();
                    return Ok(true);
                }
            }
        }
    }

    fn plain(&self, start: usize) -> (Span, usize) {
        let bytes = self.text.as_bytes();
        let after = self.end_of_plain(start);
        let mut end = after;
        while end > start && self.dialect.blank(bytes[end - 1]) {
            end -= 1;
        }
        (Span { start, end, quoted: false, doubled: false }, after)
    }

    /// Where the next byte stands that ends a plain field. Eight bytes are looked at together: those below `#` are
    /// few in most fields, and all bytes that end one are among them, but for the delimiter.
    fn end_of_plain(&self, start: usize) -> usize {
        const ONES: u64 = u64::MAX / 255;
        const HIGH: u64 = ONES << 7;
        let below =
            |word: u64, least: u8| word.wrapping_sub(ONES * u64::from(least)) & !word & HIGH;
        let bytes = self.text.as_bytes();
        let delimiters = ONES * u64::from(self.dialect.delimiter);
        let mut at = start;
        while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*eight);
            // The lowest mark is right; those above it may come of the borrow.
            let marks = below(word, b'"' + 1) | below(word ^ delimiters, 1);
            if marks == 0 {
                at += 8;
                continue;
            }
            at += marks.trailing_zeros() as usize / 8;
            if self.ends[usize::from(bytes[at])] {
                return at;
            }
            at += 1;
        }
        while at < bytes.len() && !self.ends[usize::from(bytes[at])] {
            at += 1;
        }
        at
    }

    fn quoted(&self, open: usize) -> Result<(Span, usize), Fault> {
        let bytes = self.text.as_bytes();
        let (mut at, mut doubled) = (open + 1, false);
        let end = loop {
            match memchr::memchr(b'"', &bytes[at..]) {
                None => {
                    let fault = Malformed::new("a quote is opened here and never closed")
                        .hint("Close it, or write a quote within a field twice.");
                    return Err((open, fault));
                }
                Some(found) if bytes.get(at + found + 1) == Some(&b'"') => {
                    doubled = true;
                    at += found + 2;
                }
                Some(found) => break at + found,
            }
        };
        if let Some(found) = memchr::memchr(0, &bytes[open..end]) {
            return Err((open + found, Malformed::new("there is a NUL byte: this is not text")));
        }
        let mut after = end + 1;
        while after < bytes.len() && self.dialect.blank(bytes[after]) {
            after += 1;
        }
        Ok((Span { start: open + 1, end, quoted: true, doubled }, after))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, trim: bool) -> Result<Vec<Vec<String>>, Fault> {
        let dialect = Dialect { delimiter: b',', trim };
        let (mut records, mut fields, mut all) =
            (Records::new(text, &dialect), Vec::new(), Vec::new());
        while records.next(&mut fields)? {
            let mut scratch = String::new();
            all.push(fields.iter().map(|span| span.text(text, &mut scratch).to_owned()).collect());
        }
        Ok(all)
    }

    #[test]
    fn quotes_blanks_and_line_ends() {
        let all = read("a, b ,\"c \"\"d\"\"\n,e\" \r\n,\"\",x", true).unwrap();
        assert_eq!(all, [vec!["a", "b", "c \"d\"\n,e"], vec!["", "", "x"]]);
        assert_eq!(read("a, b ", false).unwrap(), [vec!["a", " b "]]);
    }

    proptest! {
        #[test]
        fn plain_fields_end_where_byte_for_byte_they_do(
            text in "[ -~,;\\t\n\r\u{0}\u{80}-\u{2ff}]{0,40}", delimiter in "[,;|\\t]", start in 0_usize..8,
        ) {
            let dialect = Dialect { delimiter: delimiter.as_bytes()[0], trim: true };
            let records = Records::new(&text, &dialect);
            let bytes = text.as_bytes();
            let start = start.min(bytes.len());
            let slow = (start..bytes.len()).find(|&at| records.ends[usize::from(bytes[at])]);
            prop_assert_eq!(records.end_of_plain(start), slow.unwrap_or(bytes.len()));
        }
    }

    #[test]
    fn faults_say_where() {
        for (text, at, words) in [
            ("a,5\" pipe", 3, "quote within a field"),
            ("a,\"b\"c", 5, "after the field's closing quote"),
            ("a,\"b", 2, "never closed"),
            ("a\rb", 1, "carriage return"),
            ("a\0b", 1, "NUL"),
            ("\"a\0b\"", 2, "NUL"),
        ] {
            let (found, fault) = read(text, true).unwrap_err();
            assert_eq!(found, at, "{text:?}");
            assert!(fault.message.contains(words), "{text:?}: {fault}");
        }
    }
}
