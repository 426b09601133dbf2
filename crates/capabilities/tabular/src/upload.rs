//! Bytes to an object, as they come: whole, or not at all.

use async_trait::async_trait;
use bytes::Bytes;
use object_store::{
    Error, MultipartUpload, ObjectStoreExt, PutPayload, PutResult, UploadPart, WriteMultipart,
};

use crate::Destination;

/// Bytes of a part.
const PART: usize = 8 << 20;

/// An object that is written part by part. Unless it is finished nothing is left behind, also when nobody waits for it any more:
/// stores such as S3 keep, and charge for, the parts of an upload that is neither completed nor aborted.
#[derive(Debug)]
pub struct Upload {
    writing: Option<WriteMultipart>,
    at_once: usize,
}

impl Upload {
    /// Begins an object. At most `at_once` parts of 8 MiB are on their way at the same time, and so in memory.
    ///
    /// # Errors
    /// When the object store does not take it.
    pub async fn begin(destination: &Destination, at_once: usize) -> Result<Self, Error> {
        let upload = destination.store.put_multipart(&destination.path).await?;
        let upload = Box::new(Guarded(Some(upload)));
        let writing = Some(WriteMultipart::new_with_chunk_size(upload, PART));
        Ok(Self { writing, at_once: at_once.max(1) })
    }

    /// Writes bytes, after those before; waits while as many parts as may be are on their way.
    ///
    /// # Errors
    /// When the object store did not take a part.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        if let Some(writing) = &mut self.writing {
            writing.wait_for_capacity(self.at_once).await?;
            writing.put(bytes);
        }
        Ok(())
    }

    /// Ends the object: from now on it is there.
    ///
    /// # Errors
    /// When the object store does not take its end, or did not take a part; what came is taken back.
    pub async fn finish(mut self) -> Result<(), Error> {
        match self.writing.take() {
            Some(writing) => writing.finish().await.map(drop),
            None => Ok(()),
        }
    }

    /// Takes back what was written.
    pub async fn abort(mut self) {
        if let Some(writing) = self.writing.take() {
            abort(writing).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Without a runtime the process is ending.
        if let (Some(writing), Ok(runtime)) =
            (self.writing.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(abort(writing));
        }
    }
}

/// Stops the parts that are on their way first: what came after the end would stay.
async fn abort(writing: WriteMultipart) {
    if let Err(error) = writing.abort().await {
        left(&error);
    }
}

fn left(error: &Error) {
    tracing::warn!(%error, "an upload that was not finished could not be cleaned up");
}

/// The upload itself, until it has come to an end. [`WriteMultipart::finish`] keeps it to itself, and forgets it when a part fails
/// or nobody waits any more: then it is taken back here.
#[derive(Debug)]
struct Guarded(Option<Box<dyn MultipartUpload>>);

#[async_trait]
impl MultipartUpload for Guarded {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match &mut self.0 {
            Some(upload) => upload.put_part(data),
            None => Box::pin(std::future::ready(Err(ended()))),
        }
    }

    async fn complete(&mut self) -> Result<PutResult, Error> {
        let upload = self.0.as_mut().ok_or_else(ended)?;
        let stored = upload.complete().await?;
        self.0 = None;
        Ok(stored)
    }

    async fn abort(&mut self) -> Result<(), Error> {
        let Some(upload) = self.0.as_mut() else { return Ok(()) };
        let aborted = upload.abort().await;
        self.0 = None;
        aborted
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let (Some(mut upload), Ok(runtime)) =
            (self.0.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    left(&error);
                }
            });
        }
    }
}

fn ended() -> Error {
    Error::Generic { store: "upload", source: "it has come to its end".into() }
}
