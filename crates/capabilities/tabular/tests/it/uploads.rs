//! What becomes of uploads: completed once, or taken back, whoever stops them and wherever.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use ephor_tabular::{
    Destination, OpenOptions, Progress, Stage, TableWriter, TabularError, Upload,
    convert_to_parquet,
};
use futures::stream::{self, BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart, memory::InMemory, path::Path,
};
use tokio_util::sync::CancellationToken;

use crate::support::strings;

/// What a store was told of its uploads.
#[derive(Debug, Default)]
struct Told {
    begun: AtomicUsize,
    completed: AtomicUsize,
    aborted: AtomicUsize,
    /// Parts on their way, and the most that ever were at once.
    under_way: AtomicUsize,
    most: AtomicUsize,
    /// It refuses every part.
    refuses: AtomicBool,
    /// It completes an upload, and does not answer.
    is_silent: AtomicBool,
}

impl Told {
    /// Completed and aborted uploads.
    fn ends(&self) -> (usize, usize) {
        (self.completed.load(Ordering::SeqCst), self.aborted.load(Ordering::SeqCst))
    }
}

/// A store that keeps parts until it is told what becomes of them, as S3 does.
#[derive(Debug, Default)]
struct Keeping {
    store: InMemory,
    told: Arc<Told>,
}

impl fmt::Display for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store that keeps parts")
    }
}

#[async_trait]
impl ObjectStore for Keeping {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.store.put_multipart_opts(location, options).await?;
        self.told.begun.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Kept { upload, told: Arc::clone(&self.told) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct Kept {
    upload: Box<dyn MultipartUpload>,
    told: Arc<Told>,
}

#[async_trait]
impl MultipartUpload for Kept {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        if self.told.refuses.load(Ordering::SeqCst) {
            let refused = Error::Generic { store: "test", source: "no part is taken".into() };
            return Box::pin(std::future::ready(Err(refused)));
        }
        let part = self.upload.put_part(data);
        let told = Arc::clone(&self.told);
        let now = told.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        told.most.fetch_max(now, Ordering::SeqCst);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let stored = part.await;
            told.under_way.fetch_sub(1, Ordering::SeqCst);
            stored
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let stored = self.upload.complete().await?;
        self.told.completed.fetch_add(1, Ordering::SeqCst);
        if self.told.is_silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(stored)
    }

    async fn abort(&mut self) -> Result<()> {
        self.told.aborted.fetch_add(1, Ordering::SeqCst);
        self.upload.abort().await
    }
}

fn keeping() -> (Destination, Arc<Told>) {
    let store = Keeping::default();
    let told = Arc::clone(&store.told);
    (Destination { store: Arc::new(store), path: "o/d".into() }, told)
}

/// Lets what was begun in the background come to its end.
async fn settled() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_finished_is_there_whole() {
    let (destination, told) = keeping();
    let mut upload = Upload::begin(&destination, 2).await.unwrap();
    let piece = Bytes::from(vec![7; 5 << 20]);
    for _ in 0..5 {
        upload.write(piece.clone()).await.unwrap();
    }
    upload.finish().await.unwrap();
    settled().await;
    assert_eq!(told.ends(), (1, 0));
    let stored = destination.store.get(&destination.path).await.unwrap().bytes().await.unwrap();
    assert_eq!(stored.len(), 25 << 20);
}

#[tokio::test]
async fn what_is_not_finished_is_taken_back_once() {
    let (destination, told) = keeping();
    let begin = async || {
        let mut upload = Upload::begin(&destination, 2).await.unwrap();
        upload.write(Bytes::from(vec![7; 9 << 20])).await.unwrap();
        upload
    };
    begin().await.abort().await;
    assert_eq!(told.ends(), (0, 1));
    drop(begin().await);
    settled().await;
    assert_eq!(told.ends(), (0, 2));
    // Nobody waits for its end any more.
    drop(begin().await.finish());
    settled().await;
    assert_eq!(told.ends(), (0, 3));
    assert!(destination.store.head(&destination.path).await.is_err());
}

#[tokio::test]
async fn one_great_piece_goes_by_as_many_parts_as_small_ones() {
    let (destination, told) = keeping();
    let mut upload = Upload::begin(&destination, 2).await.unwrap();
    upload.write(Bytes::from_static(b"before")).await.unwrap();
    upload.write(Bytes::from(vec![7; 45 << 20])).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(told.most.load(Ordering::SeqCst), 2);
    let stored = destination.store.get(&destination.path).await.unwrap().bytes().await.unwrap();
    assert_eq!(stored.len(), (45 << 20) + 6);
    assert!(stored.starts_with(b"before\x07"));
}

#[tokio::test]
async fn what_was_completed_for_nobody_is_taken_back() {
    let (destination, told) = keeping();
    told.is_silent.store(true, Ordering::SeqCst);
    let mut upload = Upload::begin(&destination, 2).await.unwrap();
    upload.write(Bytes::from_static(b"all of it")).await.unwrap();
    let finishing = tokio::spawn(upload.finish());
    settled().await;
    assert_eq!(told.ends(), (1, 0));
    assert!(destination.store.head(&destination.path).await.is_ok());
    finishing.abort();
    settled().await;
    assert_eq!(told.ends(), (1, 1));
    assert!(destination.store.head(&destination.path).await.is_err());
}

/// The last part is sent when the upload ends.
#[tokio::test]
async fn a_part_that_is_not_taken_takes_back_all_of_it() {
    let (destination, told) = keeping();
    let mut upload = Upload::begin(&destination, 2).await.unwrap();
    upload.write(Bytes::from_static(b"the last part")).await.unwrap();
    told.refuses.store(true, Ordering::SeqCst);
    let refused = upload.finish().await.unwrap_err();
    assert!(refused.to_string().contains("no part is taken"), "{refused}");
    settled().await;
    assert_eq!(told.ends(), (0, 1));
}

#[tokio::test]
async fn a_table_that_is_not_finished_is_taken_back() {
    let (destination, told) = keeping();
    let batch = arrow::array::RecordBatch::try_from_iter([("a", strings([Some("x")]))]).unwrap();
    let begin = async || {
        let mut writer = TableWriter::begin(&destination, batch.schema()).await.unwrap();
        writer.write(&batch).await.unwrap();
        writer
    };
    begin().await.abort().await;
    drop(begin().await);
    settled().await;
    assert_eq!(told.ends(), (0, 2));
    begin().await.finish().await.unwrap();
    settled().await;
    assert_eq!(told.ends(), (1, 2));
}

#[tokio::test]
async fn a_conversion_that_is_cancelled_is_taken_back() {
    let (destination, told) = keeping();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let progress = move |now: Progress| {
        if now.stage == Stage::Writing {
            stop.cancel();
        }
    };
    let body = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"a,b\n1,2\n"))]);
    let converted =
        convert_to_parquet(body, &destination, OpenOptions::default(), &progress, &cancel).await;
    assert!(matches!(converted, Err(TabularError::Cancelled)), "{converted:?}");
    settled().await;
    assert_eq!((told.begun.load(Ordering::SeqCst), told.ends()), (1, (0, 1)));
}
