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
    /// Begins an object. At most `at_once` parts of 8 MiB are on their way at the same time, and so in memory, beside the one that
    /// is being filled.
    ///
    /// # Errors
    /// When the object store does not take it.
    pub async fn begin(destination: &Destination, at_once: usize) -> Result<Self, Error> {
        let upload = destination.store.put_multipart(&destination.path).await?;
        let upload = Box::new(Guarded {
            upload: Some(upload),
            destination: destination.clone(),
            is_completing: false,
        });
        let writing = Some(WriteMultipart::new_with_chunk_size(upload, PART));
        Ok(Self { writing, at_once: at_once.max(1) })
    }

    /// Writes bytes, after those before; waits, before each part of them, while as many as may be are on their way.
    ///
    /// # Errors
    /// When the object store did not take a part.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        while !bytes.is_empty() {
            writing.wait_for_capacity(self.at_once).await?;
            // So much fills one part at most.
            writing.put(bytes.split_to(bytes.len().min(PART)));
        }
        Ok(())
    }

    /// Ends the object: from now on it is there.
    ///
    /// # Errors
    /// When the object store does not take its end, or did not take a part; what came is taken back.
    pub async fn finish(mut self) -> Result<(), Error> {
        match self.writing.take() {
            Some(mut writing) => {
                writing.wait_for_capacity(self.at_once).await?;
                writing.finish().await.map(drop)
            }
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
struct Guarded {
    upload: Option<Box<dyn MultipartUpload>>,
    destination: Destination,
    /// The store was told to complete it, and may have done so: whether it did is not known until it answers.
    is_completing: bool,
}

#[async_trait]
impl MultipartUpload for Guarded {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match &mut self.upload {
            Some(upload) => upload.put_part(data),
            None => Box::pin(std::future::ready(Err(ended()))),
        }
    }

    async fn complete(&mut self) -> Result<PutResult, Error> {
        let upload = self.upload.as_mut().ok_or_else(ended)?;
        self.is_completing = true;
        let stored = upload.complete().await?;
        self.upload = None;
        Ok(stored)
    }

    async fn abort(&mut self) -> Result<(), Error> {
        let Some(upload) = self.upload.as_mut() else { return Ok(()) };
        let taken = take_back(upload.as_mut(), &self.destination, self.is_completing).await;
        self.upload = None;
        taken
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let (Some(mut upload), Ok(runtime)) =
            (self.upload.take(), tokio::runtime::Handle::try_current())
        {
            let (destination, is_completing) = (self.destination.clone(), self.is_completing);
            runtime.spawn(async move {
                let taken = take_back(upload.as_mut(), &destination, is_completing).await;
                if let Err(error) = taken {
                    left(&error);
                }
            });
        }
    }
}

/// Takes back an upload, and the object if it may have become one: nobody was told that it is there.
async fn take_back(
    upload: &mut dyn MultipartUpload,
    destination: &Destination,
    is_completing: bool,
) -> Result<(), Error> {
    let aborted = upload.abort().await;
    if !is_completing {
        return aborted;
    }
    // Only one of the two is there to be taken back.
    let deleted = destination.store.delete(&destination.path).await;
    let or_gone = |taken: Result<(), Error>| match taken {
        Err(Error::NotFound { .. }) => Ok(()),
        taken => taken,
    };
    or_gone(aborted).and(or_gone(deleted))
}

fn ended() -> Error {
    Error::Generic { store: "upload", source: "it has come to its end".into() }
}
