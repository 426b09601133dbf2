//! CSV as RFC 4180 has it, with any delimiter, and with faults by line and column.

mod preamble;
mod record;
mod sniff;

pub(crate) use preamble::{duplicates, invalid_utf8, preamble};
pub(crate) use record::Records;

/// How the fields of a file are told apart.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    /// Blanks around a field are not part of it.
    pub trim: bool,
}

impl Dialect {
    /// A blank, when blanks are to be taken away.
    fn blank(&self, byte: u8) -> bool {
        self.trim && (byte == b' ' || byte == b'\t') && byte != self.delimiter
    }
}
