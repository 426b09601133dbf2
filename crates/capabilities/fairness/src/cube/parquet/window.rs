//! A file's bytes, taken from it in pieces of some size: a page alone is so small that asking for it costs more than it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

/// Bytes that are read at once: few enough that their memory is used again and again.
const WINDOW: u64 = 64 << 10;
/// Most page headers are shorter.
const HEADER: u64 = 1 << 10;

/// A part of a file, as the Parquet reader asks for it: one page after another.
pub(super) struct Window {
    inner: Arc<Mutex<Inner>>,
    /// Where the part ends.
    end: u64,
}

struct Inner {
    file: Arc<File>,
    /// Where the bytes held begin in the file.
    start: u64,
    held: Bytes,
}

impl Window {
    pub(super) fn new(file: Arc<File>, end: u64) -> Self {
        let inner = Inner { file, start: 0, held: Bytes::new() };
        Self { inner: Arc::new(Mutex::new(inner)), end }
    }
}

impl Inner {
    /// At least so many bytes from there on, and what else is held.
    fn at_least(&mut self, start: u64, length: u64, end: u64) -> io::Result<Bytes> {
        let ends = start.checked_add(length).filter(|ends| *ends <= end);
        let ends = ends.ok_or(io::ErrorKind::UnexpectedEof)?;
        if start < self.start || ends > self.start + self.held.len() as u64 {
            let length = length.max(WINDOW).min(end - start);
            let mut bytes = Vec::with_capacity(length as usize);
            let mut file = &*self.file;
            file.seek(SeekFrom::Start(start))?;
            if file.take(length).read_to_end(&mut bytes)? as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            (self.start, self.held) = (start, bytes.into());
        }
        Ok(self.held.slice((start - self.start) as usize..))
    }
}

fn lock(inner: &Mutex<Inner>) -> std::sync::MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.end
    }
}

impl ChunkReader for Window {
    type T = Following;

    fn get_read(&self, start: u64) -> Result<Following> {
        Ok(Following {
            inner: Arc::clone(&self.inner),
            here: Bytes::new(),
            next: start,
            end: self.end,
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = lock(&self.inner).at_least(start, length as u64, self.end);
        let bytes = bytes.map_err(|error| ParquetError::External(Box::new(error)))?;
        Ok(bytes.slice(..length))
    }
}

/// Reads on from some place.
pub(super) struct Following {
    inner: Arc<Mutex<Inner>>,
    here: Bytes,
    next: u64,
    end: u64,
}

impl Read for Following {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.here.is_empty() && self.next < self.end {
            let wanted = HEADER.min(self.end - self.next);
            self.here = lock(&self.inner).at_least(self.next, wanted, self.end)?;
            self.next += self.here.len() as u64;
        }
        let taken = into.len().min(self.here.len());
        into[..taken].copy_from_slice(&self.here.split_to(taken));
        Ok(taken)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn gives_the_files_bytes_in_any_order_and_none_past_the_end() {
        let bytes: Vec<u8> = (0..700_000_u32).map(|place| (place % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let window = Window::new(Arc::new(file), 690_000);
        for (start, length) in [(0, 10), (5, 300_000), (689_990, 10), (3, 0), (400_000, 200_000)] {
            let found = window.get_bytes(start as u64, length).unwrap();
            assert_eq!(found, bytes[start..start + length]);
        }
        assert!(window.get_bytes(689_991, 10).is_err());
        assert!(window.get_bytes(u64::MAX, 10).is_err());
        let mut rest = Vec::new();
        window.get_read(100_000).unwrap().read_to_end(&mut rest).unwrap();
        assert_eq!(rest, bytes[100_000..690_000]);
    }
}
