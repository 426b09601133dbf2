//! Verifies an export without a database, on all cores.

use std::{
    io::Read,
    num::NonZero,
    sync::Arc,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use uuid::Uuid;

use crate::{
    Checkpoint, Entry, KeyRing, PublicKey, RotationNote, Verification,
    export::{Block, ExportError, Frame, Frames, Section},
    note::Note,
    organization_origin,
    verify::{Checked, CheckpointRecord, Finding, Verifier, check},
};

/// Where trust comes from.
#[derive(Debug, Clone)]
pub enum Trust {
    /// These keys, and those that rotation notes join to them.
    Keys(KeyRing),
    /// The keys that the export itself names. That proves only that it agrees with itself: hold
    /// the key that is printed against one that was got another way.
    Export,
}

/// Verifies each organization's section of an export.
///
/// `threads` is the number of threads that hash; `None` takes one for each core.
pub fn verify_export(
    reader: impl Read + Send,
    trust: &Trust,
    threads: Option<NonZero<usize>>,
) -> Result<Vec<Verification>, ExportError> {
    let threads = threads.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let frames = Frames::open(reader)?;
    thread::scope(|scope| {
        // Frame k goes through worker k modulo n: so they come out in the order of the file.
        let (mut inlets, mut outlets) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let (inlet, work) = sync_channel(8);
            let (done, outlet) = sync_channel(8);
            scope.spawn(move || work_through(&work, &done));
            inlets.push(inlet);
            outlets.push(outlet);
        }
        scope.spawn(move || distribute(frames, trust, &inlets));
        let mut sections = Sections { open: None, done: Vec::new(), offset: 0 };
        for outlet in outlets.iter().cycle() {
            match outlet.recv() {
                Ok(done) => sections.take(done?)?,
                Err(_) => break,
            }
        }
        sections.finish()
    })
}

/// Whose section is being read, and whom to trust in it.
struct Log {
    organization: Uuid,
    origin: String,
    keys: KeyRing,
}

/// What goes to a worker: a frame, and the section that it stands in.
type Job = Result<(Frame, Option<Arc<Log>>), ExportError>;

/// What comes from it.
enum Done {
    Section(Uuid, u64),
    Checkpoint(CheckpointRecord),
    Leaves(Checked),
    Queue(Frame, Uuid),
    End(Frame),
}

fn distribute(mut frames: Frames<impl Read>, trust: &Trust, inlets: &[SyncSender<Job>]) {
    let mut log = None;
    for inlet in inlets.iter().cycle() {
        let job = match frames.next_frame() {
            Ok(None) => return,
            Ok(Some(frame)) if frame.kind == b'J' => begin(&frame, trust).map(|begun| {
                let begun = Arc::new(begun);
                log = Some(Arc::clone(&begun));
                (frame, Some(begun))
            }),
            Ok(Some(frame)) => Ok((frame, log.clone())),
            Err(error) => Err(error),
        };
        let failed = job.is_err();
        if inlet.send(job).is_err() || failed {
            return;
        }
    }
}

fn begin(frame: &Frame, trust: &Trust) -> Result<Log, ExportError> {
    let section: Section = serde_json::from_slice(&frame.payload)
        .map_err(|error| frame.damaged(format!("the section's head: {error}")))?;
    let mut keys = match trust {
        Trust::Keys(keys) => keys.clone(),
        Trust::Export => {
            KeyRing::new(section.public_keys.iter().filter_map(|text| PublicKey::parse(text).ok()))
        }
    };
    let rotations: Result<Vec<_>, _> =
        section.rotations.iter().map(|text| RotationNote::parse(text)).collect();
    keys.follow(&rotations.map_err(|error| frame.damaged(error.to_string()))?);
    let organization = section.organization;
    Ok(Log { organization, origin: organization_origin(organization), keys })
}

fn work_through(work: &Receiver<Job>, done: &SyncSender<Result<Done, ExportError>>) {
    for job in work {
        let result = job.and_then(|(frame, log)| match log {
            Some(log) => read(frame, &log),
            None => Err(frame.damaged("it stands outside of any section")),
        });
        if done.send(result).is_err() {
            return;
        }
    }
}

fn read(frame: Frame, log: &Log) -> Result<Done, ExportError> {
    match frame.kind {
        b'J' => Ok(Done::Section(log.organization, frame.offset)),
        b'N' => checkpoint(&frame, log).map(Done::Checkpoint),
        b'B' => {
            let block = Block::leaves(log.organization, &frame.payload)
                .map_err(|why| frame.damaged(why))?;
            Ok(Done::Leaves(check(block.chunk, block.entries)))
        }
        b'Q' => Ok(Done::Queue(frame, log.organization)),
        _ => Ok(Done::End(frame)),
    }
}

fn checkpoint(frame: &Frame, log: &Log) -> Result<CheckpointRecord, ExportError> {
    let note = str::from_utf8(&frame.payload).map_err(|_| frame.damaged("a note is not UTF-8"))?;
    let stated = Note::parse(note).and_then(|note| Checkpoint::parse(&note.text));
    let stated = stated.map_err(|error| frame.damaged(error.to_string()))?;
    let (size, root) = (stated.size, stated.root);
    Ok(CheckpointRecord::check(size, root, note.to_owned(), &log.origin, &log.keys))
}

/// The sections that were read, and the one that is open.
struct Sections {
    open: Option<Verifier>,
    done: Vec<Verification>,
    /// Where the newest section or its end stands in the file.
    offset: u64,
}

impl Sections {
    fn take(&mut self, done: Done) -> Result<(), ExportError> {
        match done {
            Done::Section(organization, offset) => {
                self.offset = offset;
                if self.open.is_some() {
                    return Err(self.damaged("a section begins before the last one ended"));
                }
                self.open = Some(Verifier::new(organization));
            }
            Done::Checkpoint(record) => self.verifier()?.checkpoint(record),
            Done::Leaves(checked) => self.verifier()?.take(checked),
            Done::Queue(frame, organization) => {
                let block =
                    Block::queue(organization, &frame.payload).map_err(|why| frame.damaged(why))?;
                let verifier = self.verifier()?;
                for (id, hash) in block.queue {
                    let entry: Option<&Entry<'_>> =
                        block.entries.iter().find(|entry| entry.header.entry == id);
                    verifier.queued(id, hash, entry);
                }
            }
            Done::End(frame) => self.end(&frame)?,
        }
        Ok(())
    }

    fn verifier(&mut self) -> Result<&mut Verifier, ExportError> {
        let outside = self.damaged("what follows stands outside of any section");
        self.open.as_mut().ok_or(outside)
    }

    fn end(&mut self, frame: &Frame) -> Result<(), ExportError> {
        let Some(verifier) = self.open.take() else {
            return Err(frame.damaged("a section ends that never began"));
        };
        self.offset = frame.offset;
        let counts: &[u8; 16] = frame
            .payload
            .as_slice()
            .try_into()
            .map_err(|_| frame.damaged("the end is malformed"))?;
        let sealed = u64::from_be_bytes(counts.as_chunks().0[0]);
        let mut verification = verifier.finish();
        if verification.sealed < sealed {
            verification.findings.push(Finding::Gap { from: verification.sealed, to: sealed });
        }
        self.done.push(verification);
        Ok(())
    }

    fn finish(self) -> Result<Vec<Verification>, ExportError> {
        if self.open.is_some() {
            return Err(self.damaged("this section has no end; export it anew"));
        }
        Ok(self.done)
    }

    fn damaged(&self, why: &str) -> ExportError {
        ExportError::Damaged { offset: self.offset, why: why.to_owned() }
    }
}
