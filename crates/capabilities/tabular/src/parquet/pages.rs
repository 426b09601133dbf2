//! The sizes that page headers state. A reader makes room for what they say, so they are checked beforehand: a few
//! bytes can claim gigabytes.
//!
//! A page header is a struct of Thrift's compact protocol, of which the fields 1 to 3 matter: type, unpacked size,
//! packed size (`parquet.thrift`, `PageHeader`).

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use ::parquet::file::metadata::ParquetMetaData;

use crate::{Limits, Malformed, TabularError, file::TableFile};

/// A header nested deeper than this is none.
const DEPTH: u32 = 16;

/// Walks over the page headers of all columns.
pub(crate) fn check(
    table: &TableFile,
    file: &mut File,
    metadata: &ParquetMetaData,
    limits: &Limits,
) -> Result<(), TabularError> {
    let mut input = BufReader::with_capacity(512, file);
    for group in metadata.row_groups() {
        for column in group.columns() {
            let (start, bytes) = column.byte_range();
            let end = start + bytes;
            input.seek(SeekFrom::Start(start)).map_err(|error| table.error(error))?;
            let mut at = start;
            while at < end {
                let here = at;
                let mut header = Header { input: (&mut input).take(end - at), read: 0 };
                let damaged = |message: String| -> TabularError {
                    Malformed::new(format!(
                        "a page of the column `{}` {message}",
                        column.column_path()
                    ))
                    .byte(here)
                    .hint("Write the file again, or get it again.")
                    .into()
                };
                let (packed, unpacked) = match header.sizes() {
                    Ok(sizes) => sizes,
                    Err(error)
                        if error.kind() == io::ErrorKind::InvalidData
                            || error.kind() == io::ErrorKind::UnexpectedEof =>
                    {
                        return Err(damaged("has a header that cannot be read".to_owned()));
                    }
                    Err(error) => return Err(table.error(error)),
                };
                let body = at + header.read;
                if body.checked_add(packed).is_none_or(|page_end| page_end > end) {
                    return Err(damaged(format!(
                        "is said to have {packed} bytes, more than the column has"
                    )));
                }
                if unpacked > limits.page_bytes {
                    return Err(TabularError::too_large(
                        format!(
                            "the {unpacked} bytes that a page of the column `{}` unpacks to",
                            column.column_path()
                        ),
                        limits.page_bytes,
                        "Write the file with smaller pages",
                    ));
                }
                at = body + packed;
                let skip = i64::try_from(packed).map_err(|_| damaged("is too large".to_owned()))?;
                input.seek_relative(skip).map_err(|error| table.error(error))?;
            }
        }
    }
    Ok(())
}

struct Header<R> {
    input: R,
    read: u64,
}

fn bad() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

impl<R: Read> Header<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.read += 1;
        Ok(byte[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(bad())
    }

    fn skip_bytes(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.input.by_ref().take(count), &mut io::sink())?;
        self.read += skipped;
        if skipped == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Packed and unpacked size.
    fn sizes(&mut self) -> io::Result<(u64, u64)> {
        let (mut field, mut unpacked, mut packed) = (0_i64, None, None);
        loop {
            let head = self.byte()?;
            if head == 0 {
                break;
            }
            field = self.field(field, head)?;
            match (field, head & 0x0f) {
                (2, 5) => unpacked = Some(self.size()?),
                (3, 5) => packed = Some(self.size()?),
                (_, kind) => self.skip(kind, 0)?,
            }
        }
        packed.zip(unpacked).ok_or_else(bad)
    }

    fn field(&mut self, last: i64, head: u8) -> io::Result<i64> {
        match head >> 4 {
            0 => {
                let zigzag = self.varint()?;
                Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
            }
            step => last.checked_add(i64::from(step)).ok_or_else(bad),
        }
    }

    /// A zigzag integer that may not be below 0.
    fn size(&mut self) -> io::Result<u64> {
        let zigzag = self.varint()?;
        if zigzag & 1 == 1 { Err(bad()) } else { Ok(zigzag >> 1) }
    }

    fn skip(&mut self, kind: u8, depth: u32) -> io::Result<()> {
        if depth > DEPTH {
            return Err(bad());
        }
        match kind {
            1 | 2 => Ok(()),
            3 => self.skip_bytes(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip_bytes(8),
            8 => {
                let length = self.varint()?;
                self.skip_bytes(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    few => u64::from(few),
                };
                for _ in 0..count {
                    match head & 0x0f {
                        // An element that is true or false has a byte of its own.
                        1 | 2 => self.skip_bytes(1)?,
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
                Ok(())
            }
            12 => {
                let mut field = 0;
                loop {
                    let head = self.byte()?;
                    if head == 0 {
                        return Ok(());
                    }
                    field = self.field(field, head)?;
                    self.skip(head & 0x0f, depth + 1)?;
                }
            }
            _ => Err(bad()),
        }
    }
}
