//! Opening a table.

use std::{fs::File, io::Read, num::NonZeroUsize, sync::Arc};

use arrow::datatypes::SchemaRef;
use datafusion::{
    catalog::TableProvider,
    datasource::object_store::ObjectStoreUrl,
    execution::{
        context::SessionContext,
        memory_pool::{FairSpillPool, TrackConsumersPool},
        runtime_env::RuntimeEnvBuilder,
    },
    prelude::{DataFrame, SessionConfig},
};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, local::LocalFileSystem};

use crate::{
    Format, Malformed, Note, OpenOptions, Source, TabularError, csv,
    decode::{Delimited, DelimitedTable},
    file::TableFile,
    format::BOM,
    json::Between,
    parquet::{self, ParquetTable, table_schema},
    split::locate,
    spool,
    survey::{NullWords, Syntax, survey},
};

/// A table that can be queried as often as one likes. A clone is the same table.
#[derive(Clone)]
pub struct Table {
    provider: Arc<dyn TableProvider>,
    session: SessionContext,
    format: Format,
    rows: u64,
    bytes: u64,
    notes: Arc<[Note]>,
    object: Option<object_store::path::Path>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("format", &self.format)
            .field("rows", &self.rows)
            .field("columns", &self.provider.schema().fields().len())
            .finish_non_exhaustive()
    }
}

impl Table {
    /// The table as a lazy query, all columns and rows of it.
    pub fn dataframe(&self) -> Result<DataFrame, TabularError> {
        Ok(self.session.read_table(Arc::clone(&self.provider))?)
    }

    /// Its columns. Texts that repeat are `Dictionary(Int32, Utf8)`.
    pub fn schema(&self) -> SchemaRef {
        self.provider.schema()
    }

    /// The format that it was read from.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The size of what it was read from, in bytes.
    pub fn source_bytes(&self) -> u64 {
        self.bytes
    }

    /// Where in its store the Parquet object lies that it is read from; none if it is read from a file here.
    pub fn object(&self) -> Option<&object_store::path::Path> {
        self.object.as_ref()
    }

    /// What may surprise its user, such as a column that a single row made text.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// Opens a table: reads text once to learn its columns, checks Parquet, and refuses what is broken.
pub async fn open(source: Source, options: OpenOptions) -> Result<Table, TabularError> {
    match source {
        Source::Path(path) => local(TableFile::new(path), options).await,
        Source::Stdin => {
            let (path, options) = blocking(move || {
                let path = spool::reader(std::io::stdin().lock(), &options)?;
                Ok((path, options))
            })
            .await?;
            local(TableFile::temporary(path), options).await
        }
        Source::Bytes(bytes) => {
            let (path, options) = blocking(move || {
                let path = spool::reader(bytes.as_ref(), &options)?;
                Ok((path, options))
            })
            .await?;
            local(TableFile::temporary(path), options).await
        }
        Source::Object { store, path } => object(store, path, options).await,
    }
}

/// Work that blocks, on a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TabularError> + Send + 'static,
) -> Result<T, TabularError> {
    tokio::task::spawn_blocking(work).await.map_err(TabularError::task)?
}

/// Opens a file on disk.
pub(crate) async fn local(file: TableFile, options: OpenOptions) -> Result<Table, TabularError> {
    let session = session(&options)?;
    let opened = blocking(move || {
        let mut input = file.open()?;
        let bytes = input.metadata().map_err(|error| file.error(error))?.len();
        spool::check_bytes(bytes, &options.limits)?;
        let mut start = Vec::with_capacity(4096);
        input.by_ref().take(4096).read_to_end(&mut start).map_err(|error| file.error(error))?;
        let sniffed = Format::sniff(&start)?;
        // A CSV header may start with a bracket: then the name tells it from JSON.
        let named =
            file.path().to_str().and_then(Format::from_name).filter(|_| sniffed != Format::Parquet);
        let csv = named.filter(|format| *format == Format::Csv);
        let format = decide(options.format.or(csv), sniffed)?;
        match format {
            Format::Parquet => parquet_file(file, &mut input, &options),
            Format::Csv | Format::Ndjson | Format::Json => {
                text_file(file, &mut input, format, &start, &options)
            }
        }
        .map(|opened| (opened, bytes, format))
    })
    .await?;
    let (Opened { provider, rows, notes, store }, bytes, format) = opened;
    if let Some((url, store)) = store {
        session.runtime_env().register_object_store(url.as_ref(), store);
    }
    Ok(Table { provider, session, format, rows, bytes, notes: notes.into(), object: None })
}

/// The format, from what was said and what the content says. Objects in an array and objects on lines are told
/// apart by the content alone.
fn decide(said: Option<Format>, sniffed: Format) -> Result<Format, TabularError> {
    match (said, sniffed) {
        (None, format) => Ok(format),
        (Some(Format::Csv), Format::Csv | Format::Json | Format::Ndjson) => Ok(Format::Csv),
        (Some(Format::Json | Format::Ndjson), Format::Json | Format::Ndjson)
        | (Some(Format::Parquet), Format::Parquet) => Ok(sniffed),
        (Some(said), _) => {
            let message = format!("this was said to be {said}, but its content is not");
            Err(Malformed::new(message)
                .at(1, 1, 0)
                .hint("Leave the format out, or name the right one.")
                .into())
        }
    }
}

struct Opened {
    provider: Arc<dyn TableProvider>,
    rows: u64,
    notes: Vec<Note>,
    store: Option<(ObjectStoreUrl, Arc<dyn ObjectStore>)>,
}

fn parquet_file(
    file: TableFile,
    input: &mut File,
    options: &OpenOptions,
) -> Result<Opened, TabularError> {
    let (metadata, schema) = parquet::guarded(|| {
        let metadata = parquet::check(&file, input, &options.limits)?;
        let schema = table_schema(&metadata)?;
        Ok((metadata, schema))
    })?;
    let path = std::fs::canonicalize(file.path()).map_err(|error| file.error(error))?;
    let size = input.metadata().map_err(|error| file.error(error))?.len();
    let location =
        object_store::path::Path::from_absolute_path(&path).map_err(object_store::Error::from)?;
    let url = ObjectStoreUrl::local_filesystem();
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    let object = ObjectMeta { location, size, ..unknown_meta() };
    let table = ParquetTable::new(schema, &metadata, url.clone(), object, Some(file));
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
    Ok(Opened { provider: Arc::new(table), rows, notes: Vec::new(), store: Some((url, store)) })
}

fn unknown_meta() -> ObjectMeta {
    ObjectMeta {
        location: object_store::path::Path::default(),
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: 0,
        e_tag: None,
        version: None,
    }
}

fn text_file(
    file: TableFile,
    input: &mut File,
    format: Format,
    sample: &[u8],
    options: &OpenOptions,
) -> Result<Opened, TabularError> {
    let (syntax, names, start) = if format == Format::Csv {
        let read = csv::preamble(&file, input, options)?;
        let syntax =
            Syntax::Csv { dialect: read.dialect, nulls: NullWords::new(&options.null_words) };
        (syntax, read.names, (read.offset, read.line, 1))
    } else {
        let skipped = if sample.starts_with(BOM) { BOM.len() } else { 0 };
        let blank = sample[skipped..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let at = skipped + blank;
        let bracket = sample.get(at) == Some(&b'[');
        let (line, column) = locate(&sample[skipped..], 1, 1, blank);
        if bracket {
            (
                Syntax::Json { between: Between::Commas },
                Vec::new(),
                (at as u64 + 1, line, column + 1),
            )
        } else {
            (Syntax::Json { between: Between::Lines }, Vec::new(), (skipped as u64, 1, 1))
        }
    };
    let found = survey(&file, input, &syntax, &names, start, options)?;
    let (rows, notes) = (found.rows, found.notes.clone());
    let table = DelimitedTable(Arc::new(Delimited::new(file, syntax, found)));
    Ok(Opened { provider: Arc::new(table), rows, notes, store: None })
}

/// Opens an object: Parquet where it lies, anything else from a temporary file.
async fn object(
    store: Arc<dyn ObjectStore>,
    path: object_store::path::Path,
    options: OpenOptions,
) -> Result<Table, TabularError> {
    // A store that stands on a prefix of another may tell the other's path; only ours leads there.
    let meta = ObjectMeta { location: path.clone(), ..store.head(&path).await? };
    spool::check_bytes(meta.size, &options.limits)?;
    let magic =
        if meta.size >= 4 { store.get_range(&path, 0..4).await? } else { bytes::Bytes::new() };
    if magic.as_ref() != b"PAR1" {
        let body = futures::TryStreamExt::map_err(
            store.get(&path).await?.into_stream(),
            std::io::Error::other,
        );
        let (file, _) = spool::stream(body, &options, |_| {}).await?;
        return local(TableFile::temporary(file), options).await;
    }
    let session = session(&options)?;
    let metadata = parquet::stored(store.as_ref(), &path, meta.size).await?;
    let schema = table_schema(&metadata)?;
    let url = ObjectStoreUrl::parse("ephor://objects")?;
    session.runtime_env().register_object_store(url.as_ref(), store);
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    let bytes = meta.size;
    let table = ParquetTable::new(schema, &metadata, url, meta, None);
    Ok(Table {
        provider: Arc::new(table),
        session,
        format: Format::Parquet,
        rows,
        bytes,
        notes: Arc::new([]),
        object: Some(path),
    })
}

fn session(options: &OpenOptions) -> Result<SessionContext, TabularError> {
    let config = SessionConfig::new()
        .with_target_partitions(options.threads())
        .with_information_schema(false)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false);
    // Whoever takes too much is named in the error.
    let names = NonZeroUsize::new(5).unwrap_or(NonZeroUsize::MIN);
    let pool = TrackConsumersPool::new(FairSpillPool::new(options.memory_bytes), names);
    let mut runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool));
    if let Some(folder) = &options.temporary {
        runtime = runtime.with_temp_file_path(folder.clone());
    }
    Ok(SessionContext::new_with_config_rt(config, runtime.build_arc()?))
}
