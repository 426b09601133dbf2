//! Cuts a file into chunks that end where a record ends, in one sequential pass.
//!
//! CSV: a line end outside quotes; a stray quote shifts what is outside, but the reader of that chunk then finds it
//! and refuses the file. NDJSON: every line end. A JSON array: the comma between two elements.

use std::{
    io::{self, Read},
    ops::ControlFlow,
};

use memchr::{memchr_iter, memchr2_iter};

use crate::{Malformed, TabularError};

/// A part of a file that starts and ends with a record.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Its first byte within the file.
    pub offset: u64,
    /// Its first line within the file, from 1.
    pub line: u64,
    /// Its first character within that line, from 1. More than 1 in a JSON array only.
    pub column: u64,
    pub bytes: Vec<u8>,
}

/// Where records end.
#[derive(Debug, Clone)]
pub(crate) enum Splitter {
    /// Line ends outside quotes.
    Quoted { inside: bool },
    /// All line ends.
    Lines,
    /// Commas of a JSON array.
    Elements(Elements),
}

/// How far into a JSON array one is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elements {
    depth: u32,
    text: bool,
    escaped: bool,
    /// The array is closed.
    closed: bool,
    /// The last character of note was a comma between elements.
    comma: bool,
    /// There is an element.
    some: bool,
}

impl Splitter {
    pub(crate) const fn quoted() -> Self {
        Self::Quoted { inside: false }
    }

    /// Takes in `bytes`, which follow those taken in before. Returns where the last record among them ends.
    fn cut(&mut self, bytes: &[u8]) -> Result<Option<usize>, (usize, &'static str)> {
        match self {
            Self::Quoted { inside } => {
                let mut end = None;
                for at in memchr2_iter(b'"', b'\n', bytes) {
                    if bytes[at] == b'"' {
                        *inside = !*inside;
                    } else if !*inside {
                        end = Some(at + 1);
                    }
                }
                Ok(end)
            }
            Self::Lines => Ok(memchr::memrchr(b'\n', bytes).map(|at| at + 1)),
            Self::Elements(state) => state.cut(bytes),
        }
    }
}

impl Elements {
    fn cut(&mut self, bytes: &[u8]) -> Result<Option<usize>, (usize, &'static str)> {
        let mut end = None;
        for (at, &byte) in bytes.iter().enumerate() {
            if self.text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.text = false,
                    _ => {}
                }
                continue;
            }
            if byte.is_ascii_whitespace() {
                continue;
            }
            if self.closed {
                return Err((at, "there is more after the end of the array"));
            }
            match byte {
                b',' if self.depth == 0 => {
                    if self.comma || !self.some {
                        return Err((at, "there is a comma where an object should be"));
                    }
                    self.comma = true;
                    end = Some(at + 1);
                    continue;
                }
                b']' if self.depth == 0 => {
                    if self.comma {
                        return Err((at, "there is a comma after the last object"));
                    }
                    self.closed = true;
                    end = Some(at);
                    continue;
                }
                b'"' => self.text = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            (self.comma, self.some) = (false, true);
        }
        Ok(end)
    }
}

/// Cuts what `input` holds into chunks of about `target` bytes. `start` says where in the file it begins: byte, line
/// and column. A record longer than `limit` comes as a chunk of its own, cut short: who reads it says what is wrong.
pub(crate) fn split(
    mut input: impl Read,
    start: (u64, u64, u64),
    mut splitter: Splitter,
    target: usize,
    limit: usize,
    mut take: impl FnMut(Chunk, bool) -> ControlFlow<()>,
) -> Result<(), TabularError> {
    let (mut offset, mut line, mut column) = start;
    let mut buffer = Vec::with_capacity(target);
    let mut seen = 0;
    let mut end = 0;
    loop {
        let wanted = if buffer.len() < target { target - buffer.len() } else { target };
        let read = fill(&mut input, &mut buffer, wanted)?;
        let cut = splitter.cut(&buffer[seen..]).map_err(|(at, message)| {
            let (line, column) = locate(&buffer, line, column, seen + at);
            Malformed::new(message).at(line, column, offset + (seen + at) as u64)
        })?;
        end = cut.map_or(end, |cut| seen + cut);
        seen = buffer.len();
        let over = read < wanted;
        let too_long = end == 0 && buffer.len() > limit;
        if over && let Splitter::Elements(state) = &splitter {
            if !state.closed {
                let (line, column) = locate(&buffer, line, column, buffer.len());
                return Err(Malformed::new("the array is not closed: the file ends too early")
                    .at(line, column, offset + buffer.len() as u64)
                    .hint("It was probably cut short; get it again.")
                    .into());
            }
            buffer.truncate(end);
        }
        if over || too_long {
            end = buffer.len();
        }
        if end > 0 && (over || too_long || buffer.len() >= target) {
            let rest = buffer.split_off(end);
            let chunk = Chunk { offset, line, column, bytes: std::mem::replace(&mut buffer, rest) };
            offset += chunk.bytes.len() as u64;
            (line, column) = locate(&chunk.bytes, line, column, chunk.bytes.len());
            seen = buffer.len();
            end = 0;
            if take(chunk, too_long).is_break() || too_long {
                return Ok(());
            }
        }
        if over {
            return Ok(());
        }
    }
}

/// Reads until `wanted` more bytes are there, or none come.
fn fill(input: &mut impl Read, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
    input.by_ref().take(wanted as u64).read_to_end(buffer)
}

/// The line and the character within it, both from 1, of the byte `at`, where `bytes` start at `line` and `column`.
pub(crate) fn locate(bytes: &[u8], line: u64, column: u64, at: usize) -> (u64, u64) {
    let before = &bytes[..at.min(bytes.len())];
    let characters =
        |bytes: &[u8]| bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64;
    match memchr::memrchr(b'\n', before) {
        None => (line, column + characters(before)),
        Some(end) => {
            (line + memchr_iter(b'\n', before).count() as u64, 1 + characters(&before[end + 1..]))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunks(text: &str, splitter: Splitter, target: usize) -> Vec<(u64, u64, String)> {
        let mut all = Vec::new();
        split(text.as_bytes(), (0, 1, 1), splitter, target, 1 << 20, |chunk, _| {
            all.push((chunk.offset, chunk.line, String::from_utf8(chunk.bytes).unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
        all
    }

    #[test]
    fn a_line_end_in_quotes_is_no_cut() {
        let all = chunks("a,b\n1,\"x\ny\"\n2,z\n", Splitter::quoted(), 4);
        assert_eq!(all[0].2, "a,b\n");
        assert_eq!(all[1], (4, 2, "1,\"x\ny\"\n".to_owned()));
        assert_eq!(all[2], (12, 4, "2,z\n".to_owned()));
    }

    #[test]
    fn elements_are_cut_at_their_commas_only() {
        let text = r#"{"a":[1,2],"b":"],\"["}, {"a":[]} ]"#;
        let all = chunks(text, Splitter::Elements(Elements::default()), 4);
        assert_eq!(
            all.iter().map(|chunk| chunk.2.as_str()).collect::<Vec<_>>(),
            [r#"{"a":[1,2],"b":"],\"["},"#, r#" {"a":[]} "#]
        );
    }

    proptest! {
        #[test]
        fn chunks_are_the_file(text in "[a\",\n\u{e9}]{0,200}", target in 1_usize..40) {
            let all = chunks(&text, Splitter::quoted(), target);
            let joined: String = all.iter().map(|chunk| chunk.2.as_str()).collect();
            prop_assert_eq!(&joined, &text);
            for (offset, line, _) in all {
                let before = &text.as_bytes()[..usize::try_from(offset).unwrap()];
                prop_assert_eq!(line, 1 + memchr_iter(b'\n', before).count() as u64);
            }
        }
    }
}
