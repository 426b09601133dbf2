//! Bytes from a thread that writes to a stream that is read: never more than a few pieces ahead.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};

/// Pieces that wait to be read.
const AHEAD: usize = 8;
/// Bytes of a piece.
const PIECE: usize = 256 << 10;

/// Where the bytes are written. It blocks while the reader is behind.
pub(super) struct PipeWriter {
    pieces: mpsc::Sender<Bytes>,
    filled: Vec<u8>,
    is_unread: Arc<AtomicBool>,
}

/// How the writer's side ends.
pub(super) struct PipeEnd {
    tell: oneshot::Sender<bool>,
    is_unread: Arc<AtomicBool>,
}

/// A writer, how to end it, and what is written as a stream. The stream does not end with the writer but when it is
/// told to, as whole or not: a reader never takes a part for the whole.
pub(super) fn pipe() -> (PipeWriter, PipeEnd, stream::BoxStream<'static, io::Result<Bytes>>) {
    let (pieces, read) = mpsc::channel(AHEAD);
    let (tell, told) = oneshot::channel();
    let is_unread = Arc::new(AtomicBool::new(false));
    let writer = PipeWriter { pieces, filled: Vec::new(), is_unread: Arc::clone(&is_unread) };
    let stream = stream::unfold(Some((read, told)), |reading| async move {
        let (mut read, told) = reading?;
        if let Some(piece) = read.recv().await {
            return Some((Ok(piece), Some((read, told))));
        }
        match told.await {
            Ok(true) => None,
            _ => Some((Err(io::Error::other("the table was not written to its end")), None)),
        }
    });
    (writer, PipeEnd { tell, is_unread }, stream.boxed())
}

impl PipeEnd {
    /// Ends the stream, as whole or not. True when the reader had gone before: then it knows why.
    pub(super) fn end(self, is_whole: bool) -> bool {
        let is_gone = self.tell.send(is_whole).is_err();
        is_gone || self.is_unread.load(Ordering::Relaxed)
    }
}

impl PipeWriter {
    fn send(&mut self) -> io::Result<()> {
        if self.filled.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.filled));
        self.pieces.blocking_send(piece).map_err(|_| {
            self.is_unread.store(true, Ordering::Relaxed);
            io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads what is written")
        })
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE - self.filled.len();
        let taken = bytes.len().min(room);
        self.filled.extend_from_slice(&bytes[..taken]);
        if self.filled.len() == PIECE {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_whole_and_a_part_is_none() {
        for is_whole in [true, false] {
            let (mut writer, end, mut stream) = pipe();
            let written = tokio::task::spawn_blocking(move || {
                for number in 0..100_000_u32 {
                    writer.write_all(&number.to_le_bytes()).unwrap();
                }
                // More than a piece, of which the rest is kept.
                writer.write_all(&vec![7; 3 * PIECE]).unwrap();
                writer.flush().unwrap();
            });
            let ender = tokio::spawn(async move {
                written.await.unwrap();
                end.end(is_whole)
            });
            let mut read = 0;
            let mut failed = false;
            while let Some(piece) = stream.next().await {
                match piece {
                    Ok(piece) => read += piece.len(),
                    Err(_) => failed = true,
                }
            }
            assert_eq!((read, failed), (400_000 + 3 * PIECE, !is_whole));
            assert!(!ender.await.unwrap(), "the reader was there to the end");
        }
    }

    #[tokio::test]
    async fn a_writer_without_a_reader_stops() {
        let (mut writer, end, stream) = pipe();
        drop(stream);
        let written =
            tokio::task::spawn_blocking(move || writer.write_all(&vec![0; 20 * PIECE])).await;
        assert_eq!(written.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(end.end(false));
    }
}
