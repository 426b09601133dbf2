//! UBJSON (<https://ubjson.org/type-reference/>), read into the values that JSON is read into. Numbers are big-endian; a
//! container may say how many it holds (`#`), and of which kind all of them are (`$`).

use super::{
    budget::{Budget, Full},
    value::{Growing, Value},
};
use crate::Malformed;

/// Containers in containers. Models have six.
const MOST_DEEP: usize = 64;

/// The value of a document of UBJSON, whose values take only so much memory.
pub(super) fn parse(content: &[u8]) -> Result<Value, Malformed> {
    within(content, Budget::of(content.len()))
}

fn within(content: &[u8], budget: Budget) -> Result<Value, Malformed> {
    let mut reader = Reader { content, at: 0, budget };
    let kind = reader.byte()?;
    let value = reader.value(kind, 0)?;
    // The specification allows empty marks behind a value, and whatever else is there is none of it.
    match reader.content.get(reader.at..) {
        Some(rest) if rest.iter().any(|byte| *byte != b'N') => {
            Err(reader.fault("there is more behind the end"))
        }
        _ => Ok(value),
    }
}

struct Reader<'a> {
    content: &'a [u8],
    at: usize,
    budget: Budget,
}

/// How a container is written.
struct Shape {
    /// The kind of all of its values.
    kind: Option<u8>,
    /// How many.
    count: Option<usize>,
}

impl<'a> Reader<'a> {
    fn fault(&self, message: impl Into<String>) -> Malformed {
        Malformed::new(format!("byte {}", self.at), message)
    }

    fn fits<T>(&self, made: Result<T, Full>) -> Result<T, Malformed> {
        made.map_err(|Full| self.budget.fault(format!("byte {}", self.at)))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.content.get(self.at..end));
        let taken = taken.ok_or_else(|| self.fault("the UBJSON ends too early"))?;
        self.at += count;
        Ok(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, _) = self.take(N)?.as_chunks::<N>();
        bytes.first().copied().ok_or_else(|| self.fault("the UBJSON ends too early"))
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    fn peek(&self) -> Option<u8> {
        self.content.get(self.at).copied()
    }

    /// A mark that says nothing stands for nothing.
    fn mark(&mut self) -> Result<u8, Malformed> {
        loop {
            let mark = self.byte()?;
            if mark != b'N' {
                return Ok(mark);
            }
        }
    }

    fn whole(&mut self, kind: u8) -> Result<Option<i64>, Malformed> {
        Ok(Some(match kind {
            b'i' => i64::from(i8::from_be_bytes(self.bytes()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.bytes()?)),
            b'l' => i64::from(i32::from_be_bytes(self.bytes()?)),
            b'L' => i64::from_be_bytes(self.bytes()?),
            _ => return Ok(None),
        }))
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        let kind = self.byte()?;
        let length = self.whole(kind)?.and_then(|length| usize::try_from(length).ok());
        length.ok_or_else(|| self.fault("a length is missing"))
    }

    fn text(&mut self) -> Result<Box<str>, Malformed> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.fault("a text is no UTF-8"))?;
        self.fits(self.budget.text(text))
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, Malformed> {
        if depth > MOST_DEEP {
            return Err(self.fault(format!("it is deeper than {MOST_DEEP}")));
        }
        if let Some(whole) = self.whole(kind)? {
            return Ok(Value::Whole(whole));
        }
        Ok(match kind {
            b'Z' => Value::Null,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'd' => Value::number(f64::from(f32::from_be_bytes(self.bytes()?))),
            b'D' => Value::number(f64::from_be_bytes(self.bytes()?)),
            b'S' => Value::Text(self.text()?),
            b'C' => {
                let text = char::from(self.byte()?).to_string();
                Value::Text(self.fits(self.budget.text(&text))?)
            }
            b'[' => self.list(depth)?,
            b'{' => self.object(depth)?,
            _ => return Err(self.fault(format!("there is no kind `{}`", kind.escape_ascii()))),
        })
    }

    fn shape(&mut self) -> Result<Shape, Malformed> {
        let kind = if self.peek() == Some(b'$') {
            self.at += 1;
            Some(self.byte()?)
        } else {
            None
        };
        let count = if self.peek() == Some(b'#') {
            self.at += 1;
            Some(self.length()?)
        } else {
            None
        };
        match (kind, count) {
            (Some(_), None) => Err(self.fault("a kind is said, but no count")),
            // Such values take no room in the file.
            (Some(b'Z' | b'T' | b'F' | b'N'), _) => {
                Err(self.fault("a list of nothing but marks cannot be read here"))
            }
            _ => Ok(Shape { kind, count }),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Malformed> {
        let shape = self.shape()?;
        let mut all = Growing::new();
        loop {
            if shape.count.is_some_and(|count| all.len() >= count) {
                return Ok(all.closed(&self.budget));
            }
            let kind = match shape.kind {
                Some(kind) => kind,
                None => self.mark()?,
            };
            if kind == b']' && shape.count.is_none() {
                return Ok(all.closed(&self.budget));
            }
            let value = self.value(kind, depth + 1)?;
            self.fits(all.push(value, &self.budget))?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Malformed> {
        let shape = self.shape()?;
        let mut all = Vec::new();
        loop {
            if shape.count.is_some_and(|count| all.len() >= count) {
                return Ok(Value::Object(self.budget.closed(all)));
            }
            while self.peek() == Some(b'N') {
                self.at += 1;
            }
            if shape.count.is_none() && self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(Value::Object(self.budget.closed(all)));
            }
            let key = self.text()?;
            let kind = match shape.kind {
                Some(kind) => kind,
                None => self.mark()?,
            };
            let value = self.value(kind, depth + 1)?;
            self.fits(self.budget.push(&mut all, (key, value)))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::json;

    #[test]
    fn every_kind_is_read() {
        let content = b"{U\x01a[$d#U\x02\x3f\x80\x00\x00\xbf\x00\x00\x00U\x01b{i\x01cSi\x02hii\x01dZ}\
            U\x01e[TFi\xffI\xff\xfel\x00\x01\x00\x00L\x00\x00\x00\x00\x00\x00\x00\x07D\x3f\xf8\x00\x00\x00\x00\x00\x00NCx]\
            U\x01f{$U#i\x01i\x01g\x05U\x01h[#i\x01[]}";
        let expected = json::parse(
            br#"{
                "a": [1.0, -0.5], "b": { "c": "hi", "d": null },
                "e": [true, false, -1, -2, 65536, 7, 1.5, "x"], "f": { "g": 5 }, "h": [[]]
            }"#,
        );
        assert_eq!(parse(content).unwrap(), expected.unwrap());
    }

    #[test]
    fn lists_of_one_kind_of_number_are_kept_as_such() {
        let read = parse(b"{U\x01a[$U#U\x03\x01\x02\x03U\x01b[$d#U\x01\x3f\x80\x00\x00U\x01c[$d#U\x01\x7f\xc0\x00\x00}");
        let read = read.unwrap();
        assert_eq!(read.get("a"), Some(&Value::Wholes([1, 2, 3].into())));
        assert_eq!(read.get("b"), Some(&Value::Numbers([1.0].into())));
        // What is no number is none.
        assert_eq!(read.get("c"), Some(&Value::List([Value::Null].into())));
    }

    /// A model fits by far, even without what every file may take.
    #[test]
    fn a_model_takes_less_than_it_may() {
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let content = std::fs::read(data.join("xgb_binary/model.ubj")).unwrap();
        within(&content, Budget::tight(content.len())).unwrap();
    }

    #[test]
    fn what_is_hostile_is_refused() {
        let deep = [&b"{U\x01a"[..], &b"[".repeat(100)].concat();
        for (content, words) in [
            (&b"{U\x01a[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff"[..], "ends too early"),
            (b"{U\x01a[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff", "nothing but marks"),
            (b"{U\x01a[#l\x80\x00\x00\x00", "a length is missing"),
            (b"{U\x01a[$d", "no count"),
            (b"{U\x01aSi\x01\xff}", "no UTF-8"),
            (b"{U\x01aq}", "there is no kind `q`"),
            (b"{}x", "more behind"),
            (&deep, "deeper than 64"),
        ] {
            let fault = parse(content).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        }
    }
}
