//! The file's outer shape.

use std::io::{self, Read};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The first line.
const TITLE: &[u8] = b"ephor-audit-export 1\n";
/// The longest frame that is read, in bytes.
const MAX_FRAME: usize = 1 << 30;

/// Why an export can't be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Reading failed.
    #[error("the export can't be read: {0}")]
    Read(#[from] io::Error),
    /// The first line is another file's.
    #[error("this is no audit export: it does not begin with the line `ephor-audit-export 1`")]
    NotAnExport,
    /// The file stops before its end.
    #[error("the export is cut off at byte {0}; export it anew")]
    CutOff(u64),
    /// The bytes make no sense.
    #[error("the export is damaged at byte {offset}: {why}")]
    Damaged {
        /// Where the frame begins.
        offset: u64,
        /// What is wrong.
        why: String,
    },
}

/// What stands at the head of an organization's section. Its keys are hints: trust comes from a
/// key that the verifier holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The tenant.
    pub organization: Uuid,
    /// When it was exported.
    pub exported_at: DateTime<Utc>,
    /// The keys that signed its checkpoints, oldest first.
    pub public_keys: Vec<String>,
    /// The notes by which the keys hand over.
    pub rotations: Vec<String>,
}

/// The start of a file.
pub fn title(out: &mut Vec<u8>) {
    out.extend_from_slice(TITLE);
}

/// Begins a section; the first one begins the file.
pub fn begin(out: &mut Vec<u8>, section: &Section, first: bool) -> Result<(), serde_json::Error> {
    if first {
        title(out);
    }
    frame(out, b'J', &serde_json::to_vec(section)?);
    Ok(())
}

/// A checkpoint's note.
pub fn note(out: &mut Vec<u8>, note: &str) {
    frame(out, b'N', note.as_bytes());
}

/// Ends a section.
pub fn end(out: &mut Vec<u8>, sealed: u64, queued: u64) {
    frame(out, b'Z', &[sealed.to_be_bytes(), queued.to_be_bytes()].concat());
}

pub(super) fn frame(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    out.push(kind);
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    out.extend_from_slice(payload);
}

/// One frame.
#[derive(Debug)]
pub struct Frame {
    /// Which kind.
    pub kind: u8,
    /// Where it begins in the file, for messages.
    pub offset: u64,
    /// What it holds.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error that says that this frame makes no sense.
    pub fn damaged(&self, why: impl Into<String>) -> ExportError {
        ExportError::Damaged { offset: self.offset, why: why.into() }
    }
}

/// Reads the frames of a file, one after the other.
#[derive(Debug)]
pub struct Frames<R> {
    reader: R,
    offset: u64,
}

impl<R: Read> Frames<R> {
    /// Reads the first line.
    pub fn open(mut reader: R) -> Result<Self, ExportError> {
        let mut line = [0; TITLE.len()];
        match reader.read_exact(&mut line) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error.into()),
            Ok(()) if line == TITLE => Ok(Self { reader, offset: TITLE.len() as u64 }),
            _ => Err(ExportError::NotAnExport),
        }
    }

    /// The next frame, or nothing at the file's end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ExportError> {
        let mut head = [0; 5];
        let mut got = 0;
        while got < head.len() {
            match self.reader.read(&mut head[got..]) {
                Ok(0) if got == 0 => return Ok(None),
                Ok(0) => return Err(ExportError::CutOff(self.offset + got as u64)),
                Ok(count) => got += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        let offset = self.offset;
        let damaged = |why: String| Err(ExportError::Damaged { offset, why });
        if !b"JNBQZ".contains(&kind) {
            return damaged(format!("there is no frame of kind {kind:#04x}"));
        }
        if length > MAX_FRAME {
            return damaged(format!("a frame of {length} bytes is too long"));
        }
        // Not reserved at once: a damaged length must not claim a gigabyte.
        let mut payload = Vec::with_capacity(length.min(1 << 20));
        self.reader.by_ref().take(length as u64).read_to_end(&mut payload)?;
        if payload.len() < length {
            return Err(ExportError::CutOff(offset + 5 + payload.len() as u64));
        }
        self.offset += 5 + length as u64;
        Ok(Some(Frame { kind, offset, payload }))
    }
}
