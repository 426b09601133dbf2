//! The start of a CSV file: its dialect and the names of its columns.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use hashbrown::HashMap;

use super::{Dialect, Records, sniff};
use crate::{Malformed, OpenOptions, TabularError, file::TableFile, format::BOM, split::locate};

/// What the start of a file says.
#[derive(Debug, Clone)]
pub(crate) struct Preamble {
    pub dialect: Dialect,
    pub names: Vec<String>,
    /// Where the rows begin: byte and line.
    pub offset: u64,
    pub line: u64,
}

const SAMPLE: usize = 256 << 10;

/// Reads the start of a file.
pub(crate) fn preamble(
    table: &TableFile,
    file: &mut File,
    options: &OpenOptions,
) -> Result<Preamble, TabularError> {
    let mut wanted = SAMPLE.min(options.limits.record_bytes.max(1024));
    loop {
        let mut sample = Vec::with_capacity(wanted);
        file.seek(SeekFrom::Start(0)).map_err(|error| table.error(error))?;
        file.by_ref()
            .take(wanted as u64)
            .read_to_end(&mut sample)
            .map_err(|error| table.error(error))?;
        let whole = sample.len() < wanted;
        if let Some(read) = parse(&sample, whole, options)? {
            return Ok(read);
        }
        if wanted > options.limits.record_bytes {
            return Err(Malformed::new(format!(
                "the first line is longer than {} bytes",
                options.limits.record_bytes
            ))
            .at(1, 1, 0)
            .hint("Is this a table? The first line should name the columns.")
            .into());
        }
        wanted *= 4;
    }
}

/// The preamble, or None if the sample does not hold the first record whole.
fn parse(
    sample: &[u8],
    whole: bool,
    options: &OpenOptions,
) -> Result<Option<Preamble>, TabularError> {
    let skipped = if sample.starts_with(BOM) { BOM.len() } else { 0 };
    let bytes = &sample[skipped..];
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character that the sample's end cuts, or one that the survey will name.
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    let dialect = Dialect {
        delimiter: options.delimiter.unwrap_or_else(|| sniff::delimiter(text, options.trim)),
        trim: options.trim,
    };
    let cut = text.len() < bytes.len();
    let (mut records, mut fields) = (Records::new(text, &dialect), Vec::new());
    loop {
        let start = records.position();
        let (found, end) = match records.next(&mut fields) {
            Ok(found) => (found, records.position()),
            Err(_) if !whole && !text[start..].contains('\n') => return Ok(None),
            Err((at, _)) if at + 1 >= text.len() && !whole => return Ok(None),
            Err((at, fault)) => {
                let (line, column) = locate(bytes, 1, 1, at);
                return Err(fault.at(line, column, (skipped + at) as u64).into());
            }
        };
        if found && end == text.len() && cut && (whole || text.len() + 4 < bytes.len()) {
            return Err(invalid_utf8(bytes, text.len(), 1, 1, skipped as u64).into());
        }
        if !found && whole {
            return Err(Malformed::new("the file is empty").at(1, 1, 0).into());
        }
        if !found || (end == text.len() && !whole) {
            return Ok(None);
        }
        if fields.len() == 1 && fields[0].start == fields[0].end {
            continue;
        }
        let (line, _) = locate(bytes, 1, 1, start);
        if fields.len() > options.limits.columns {
            let limit = options.limits.columns as u64;
            return Err(TabularError::too_large(
                format!("the {} columns of line {line}", fields.len()),
                limit,
                "Keep the columns that matter, or raise the limit",
            ));
        }
        let mut scratch = String::new();
        let names = if options.header {
            let names: Vec<String> = fields
                .iter()
                .enumerate()
                .map(|(index, span)| match span.text(text, &mut scratch).trim() {
                    "" => format!("column_{}", index + 1),
                    name => name.to_owned(),
                })
                .collect();
            if let Some((first, second, name)) = duplicates(&names) {
                let (line, column) = locate(bytes, 1, 1, fields[second].start);
                let message =
                    format!("columns {} and {} are both called `{name}`", first + 1, second + 1);
                return Err(Malformed::new(message)
                    .at(line, column, (skipped + fields[second].start) as u64)
                    .hint("Rename or remove one of them.")
                    .into());
            }
            names
        } else {
            (1..=fields.len()).map(|number| format!("column_{number}")).collect()
        };
        let begin = if options.header { end } else { start };
        let (line, _) = locate(bytes, 1, 1, begin);
        return Ok(Some(Preamble { dialect, names, offset: (skipped + begin) as u64, line }));
    }
}

/// The first two columns of one name.
pub(crate) fn duplicates(names: &[String]) -> Option<(usize, usize, &str)> {
    let mut seen = HashMap::with_capacity(names.len());
    names.iter().enumerate().find_map(|(index, name)| {
        seen.insert(name.as_str(), index).map(|first| (first, index, name.as_str()))
    })
}

/// Bytes that are no UTF-8, at `at` of `bytes`, which start at `offset` of the file.
pub(crate) fn invalid_utf8(
    bytes: &[u8],
    at: usize,
    line: u64,
    column: u64,
    offset: u64,
) -> Malformed {
    let (line, column) = locate(bytes, line, column, at);
    let byte = bytes.get(at).copied().unwrap_or_default();
    Malformed::new(format!("the byte 0x{byte:02x} is not UTF-8"))
        .at(line, column, offset + at as u64)
        .hint("Save the file as UTF-8; for Latin-1 text, `iconv -f LATIN1 -t UTF-8` does that.")
}
