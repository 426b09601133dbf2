//! Blocks: leaves and their entries.

use uuid::Uuid;

use super::frame::frame;
use crate::{Entry, Hash, Header, Payload, verify::Chunk};

const HAS_ENTITY: u8 = 1;
const ERASED: u8 = 2;
const VOID: u8 = 4;

/// Gathers leaves and entries into a block.
#[derive(Debug, Default)]
pub struct BlockEncoder {
    first: u64,
    leaves: Vec<u8>,
    ids: Vec<u8>,
    queue: Vec<u8>,
    entries: Vec<u8>,
}

impl BlockEncoder {
    /// Begins a block at a leaf.
    pub fn new(first: u64) -> Self {
        Self { first, ..Self::default() }
    }

    /// Adds the next leaf.
    pub fn leaf(&mut self, leaf: &Hash, entry: Uuid) {
        self.leaves.extend_from_slice(leaf);
        self.ids.extend_from_slice(entry.as_bytes());
    }

    /// Adds an entry that is queued, with its queued hash.
    pub fn queued(&mut self, entry: Uuid, hash: &Hash) {
        self.queue.extend_from_slice(entry.as_bytes());
        self.queue.extend_from_slice(hash);
    }

    /// Adds an entry.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        let Header {
            organization: _,
            entry: id,
            micros,
            actor_type,
            actor,
            action,
            entity_type,
            entity,
        } = entry.header;
        let out = &mut self.entries;
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(&micros.to_be_bytes());
        out.push(actor_type);
        out.extend_from_slice(actor.as_bytes());
        for text in [action, entity_type] {
            out.extend_from_slice(&(text.len() as u16).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        let kind = match entry.payload {
            Payload::Kept { .. } => 0,
            Payload::Erased { .. } => ERASED,
            Payload::Void => VOID,
        };
        out.push(kind | if entity.is_some() { HAS_ENTITY } else { 0 });
        if let Some(entity) = entity {
            out.extend_from_slice(entity.as_bytes());
        }
        match entry.payload {
            Payload::Kept { salt, body } => {
                out.push(salt.len() as u8);
                out.extend_from_slice(salt);
                out.extend_from_slice(&(body.len() as u32).to_be_bytes());
                out.extend_from_slice(body);
            }
            Payload::Erased { by, body_hash } => {
                out.extend_from_slice(by.as_bytes());
                out.extend_from_slice(&body_hash);
            }
            Payload::Void => {}
        }
    }

    /// How long the entries are so far, in bytes.
    pub fn bytes(&self) -> usize {
        self.entries.len()
    }

    /// Writes the block of leaves.
    pub fn finish(self, out: &mut Vec<u8>) {
        let count = (self.ids.len() / 16) as u32;
        let head = [&self.first.to_be_bytes()[..], &count.to_be_bytes()].concat();
        frame(out, b'B', &[head, self.leaves, self.ids, self.entries].concat());
    }

    /// Writes the block of queued entries.
    pub fn finish_queue(self, out: &mut Vec<u8>) {
        let count = (self.queue.len() / 48) as u32;
        frame(out, b'Q', &[count.to_be_bytes().to_vec(), self.queue, self.entries].concat());
    }
}

/// A block that was read.
#[derive(Debug)]
pub struct Block<'a> {
    /// The leaves; none in a block of queued entries.
    pub chunk: Chunk,
    /// The queued ids with their hashes; none in a block of leaves.
    pub queue: Vec<(Uuid, Hash)>,
    /// The entries.
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Block<'a> {
    /// Reads a block of leaves.
    pub fn leaves(organization: Uuid, payload: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor(payload);
        let first = u64::from_be_bytes(*cursor.array()?);
        let count = u32::from_be_bytes(*cursor.array()?) as usize;
        let leaves = cursor.bytes(count.saturating_mul(32))?.as_chunks().0.to_vec();
        let ids = cursor.bytes(count.saturating_mul(16))?.as_chunks().0;
        let entries = ids.iter().map(|id| Uuid::from_bytes(*id)).collect();
        let chunk = Chunk { first, leaves, entries };
        Ok(Self { chunk, queue: Vec::new(), entries: cursor.entries(organization)? })
    }

    /// Reads a block of queued entries.
    pub fn queue(organization: Uuid, payload: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor(payload);
        let count = u32::from_be_bytes(*cursor.array()?);
        let queue = (0..count)
            .map(|_| Ok((cursor.uuid()?, *cursor.array()?)))
            .collect::<Result<_, &'static str>>()?;
        Ok(Self { chunk: Chunk::default(), queue, entries: cursor.entries(organization)? })
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or("a block is too short")?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], &'static str> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or("a block is too short")?;
        self.0 = rest;
        Ok(bytes)
    }

    fn uuid(&mut self) -> Result<Uuid, &'static str> {
        self.array().map(|bytes| Uuid::from_bytes(*bytes))
    }

    fn text(&mut self) -> Result<&'a str, &'static str> {
        let length = u16::from_be_bytes(*self.array()?);
        std::str::from_utf8(self.bytes(length.into())?).map_err(|_| "a text is not UTF-8")
    }

    fn entries(mut self, organization: Uuid) -> Result<Vec<Entry<'a>>, &'static str> {
        let mut entries = Vec::new();
        while !self.0.is_empty() {
            entries.push(self.entry(organization)?);
        }
        Ok(entries)
    }

    fn entry(&mut self, organization: Uuid) -> Result<Entry<'a>, &'static str> {
        let entry = self.uuid()?;
        let micros = i64::from_be_bytes(*self.array()?);
        let [actor_type] = *self.array()?;
        let actor = self.uuid()?;
        let (action, entity_type) = (self.text()?, self.text()?);
        let [flags] = *self.array()?;
        let entity = if flags & HAS_ENTITY == 0 { None } else { Some(self.uuid()?) };
        let payload = match flags & !HAS_ENTITY {
            0 => {
                let [length] = *self.array()?;
                let salt = self.bytes(length.into())?;
                let length = u32::from_be_bytes(*self.array()?);
                Payload::Kept { salt, body: self.bytes(length as usize)? }
            }
            ERASED => Payload::Erased { by: self.uuid()?, body_hash: *self.array()? },
            VOID => Payload::Void,
            _ => return Err("an entry has unknown flags"),
        };
        let header =
            Header { organization, entry, micros, actor_type, actor, action, entity_type, entity };
        Ok(Entry { header, payload })
    }
}
