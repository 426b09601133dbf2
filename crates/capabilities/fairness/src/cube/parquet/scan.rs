//! All row groups of a file to a cube, by as many threads as take part.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arrow::array::ArrayRef;
use bytes::Bytes;
use datafusion::{error::DataFusionError, execution::memory_pool::MemoryReservation};
use parquet::errors::ParquetError;

use super::{
    Source,
    axis::{Axes, Shape},
    column::{CodedColumn, Pages, ReadError},
    joint::Joint,
    page::Damage,
};
use crate::cube::{Cube, CubeError};

/// Rows whose places are found before they are counted: they stay in the nearest cache.
const BLOCK: usize = 2048;

/// A scan that threads take part in.
#[derive(Debug)]
pub(crate) struct Scan {
    source: Source,
    /// What each thread begins with.
    empty: Cube,
    axes: Mutex<Axes>,
    next: AtomicUsize,
    rows: AtomicU64,
}

/// What one thread leaves.
pub(crate) struct Part {
    joint: Option<Joint>,
    cube: Cube,
    /// What the memory is charged to.
    memory: MemoryReservation,
}

/// The pages of columns of codes, and the values that the codes stand for.
type Opened = (Vec<Pages>, Vec<Vec<Bytes>>);

/// A row group's columns of codes, where they are counted.
struct Coded {
    shape: Arc<Shape>,
    columns: Vec<CodedColumn>,
}

impl Scan {
    /// To cubes like this one, which is empty.
    pub(crate) fn new(source: Source, empty: Cube) -> Self {
        let kinds = source.columns.iter().map(|column| (column.kind, column.optional));
        let axes = Mutex::new(Axes::new(kinds));
        Self { source, empty, axes, next: AtomicUsize::new(0), rows: AtomicU64::new(0) }
    }

    /// Rows read so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Reads row groups until none is left, or `stop` says so.
    pub(crate) fn take_part(
        &self,
        memory: MemoryReservation,
        stop: &dyn Fn() -> bool,
    ) -> Result<Part, DataFusionError> {
        let mut part = Part { joint: None, cube: self.empty.clone(), memory };
        let file = Arc::new(self.source.file().map_err(parquet)?);
        let mut places = vec![0; BLOCK];
        while let Some(group) = self.source.groups.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.source.group(*group).num_rows() == 0 {
                continue;
            }
            match self.coded(*group, &file)? {
                Some(coded) => self.count(*group, coded, &mut part, &mut places, stop)?,
                None => self.unpack(*group, &mut part, stop)?,
            }
            part.charge()?;
            if stop() {
                break;
            }
        }
        Ok(part)
    }

    /// What all threads left, as one cube.
    pub(crate) fn finish(&self, parts: Vec<Part>) -> Result<Cube, DataFusionError> {
        let axes = self.axes();
        let mut parts = parts.into_iter();
        let Some(mut all) = parts.next() else { return Ok(self.empty.clone()) };
        for mut part in parts {
            let joint = match (&mut all.joint, part.joint.take()) {
                (Some(mine), Some(theirs)) => mine.absorb(theirs),
                (None, theirs) => {
                    all.joint = theirs;
                    None
                }
                (Some(_), None) => None,
            };
            if let Some(joint) = joint {
                joint.pour(&axes, &mut all.cube).map_err(external)?;
            }
            if part.cube.rows > 0 {
                all.cube.merge(&part.cube).map_err(external)?;
            }
        }
        if let Some(joint) = all.joint {
            joint.pour(&axes, &mut all.cube).map_err(external)?;
        }
        Ok(all.cube)
    }

    fn axes(&self) -> std::sync::MutexGuard<'_, Axes> {
        self.axes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row group's columns, if they are codes and few enough to be counted.
    fn coded(&self, group: usize, file: &Arc<File>) -> Result<Option<Coded>, DataFusionError> {
        if !self.source.is_coded(group) {
            return Ok(None);
        }
        let Some((pages, dictionaries)) = guarded(|| self.open(group, file))? else {
            return Ok(None);
        };
        let Some((shape, steps)) = self.axes().enter(&dictionaries) else { return Ok(None) };
        let columns =
            pages.into_iter().zip(steps).map(|(pages, steps)| CodedColumn::new(pages, steps));
        Ok(Some(Coded { shape, columns: columns.collect() }))
    }

    /// The pages of the row group's columns, and their dictionaries, if all of them have one.
    fn open(&self, group: usize, file: &Arc<File>) -> Result<Option<Opened>, DataFusionError> {
        let metadata = self.source.group(group);
        let rows = metadata.num_rows() as usize;
        let (mut pages, mut dictionaries) = (Vec::new(), Vec::new());
        for column in &self.source.columns {
            let chunk = metadata.column(column.leaf);
            let failed = |error| read_error(error, &column.name);
            let mut opened =
                Pages::open(Arc::clone(file), chunk, rows, column.kind, column.optional)
                    .map_err(failed)?;
            let Some(dictionary) = opened.dictionary().map_err(failed)? else { return Ok(None) };
            pages.push(opened);
            dictionaries.push(dictionary);
        }
        Ok(Some((pages, dictionaries)))
    }

    fn count(
        &self,
        group: usize,
        coded: Coded,
        part: &mut Part,
        places: &mut [u32],
        stop: &dyn Fn() -> bool,
    ) -> Result<(), DataFusionError> {
        let Coded { shape, mut columns } = coded;
        let mut left = self.source.group(group).num_rows() as usize;
        let joint = self.joint(shape, left as u32, part)?;
        while left > 0 && !stop() {
            let places = &mut places[..left.min(BLOCK)];
            places.fill(0);
            guarded(|| {
                columns.iter_mut().zip(&self.source.columns).try_for_each(|(column, source)| {
                    column.add(places).map_err(|error| read_error(error, &source.name))
                })
            })?;
            if !joint.count(places) {
                return Err(read_error(Damage::CODE.into(), &self.source.columns[0].name));
            }
            left -= places.len();
            self.rows.fetch_add(places.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The thread's counts, of this shape and with room for so many rows.
    fn joint<'part>(
        &self,
        shape: Arc<Shape>,
        rows: u32,
        part: &'part mut Part,
    ) -> Result<&'part mut Joint, DataFusionError> {
        let fits = |joint: &Joint| Arc::ptr_eq(&joint.shape, &shape) && joint.has_room(rows);
        if !part.joint.as_ref().is_some_and(fits) {
            if let Some(joint) = part.joint.take() {
                joint.pour(&self.axes(), &mut part.cube).map_err(external)?;
            }
            part.memory.try_grow(shape.len() * 4)?;
        }
        Ok(part.joint.get_or_insert_with(|| Joint::new(shape)))
    }

    /// Reads the row group as arrays.
    fn unpack(
        &self,
        group: usize,
        part: &mut Part,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), DataFusionError> {
        let mut batches = guarded(|| self.source.batches(group).map_err(parquet))?;
        while let Some(batch) = guarded(|| Ok(batches.next().transpose()?))? {
            let columns = self.source.columns.iter().map(|column| {
                let found = batch.column_by_name(&column.name).cloned();
                found.ok_or_else(|| external(CubeError::Damaged("a column is missing")))
            });
            let columns = columns.collect::<Result<Vec<ArrayRef>, DataFusionError>>()?;
            part.cube.update(&columns).map_err(external)?;
            part.charge()?;
            self.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            if stop() {
                break;
            }
        }
        Ok(())
    }
}

impl Part {
    fn charge(&mut self) -> Result<(), DataFusionError> {
        let counts = self.joint.as_ref().map_or(0, Joint::size);
        self.memory.try_resize(self.cube.size() + counts)
    }
}

/// Reads. Some damaged pages make the reader panic, which is the file's fault; a panic of what counts is not, and goes on.
fn guarded<T>(read: impl FnOnce() -> Result<T, DataFusionError>) -> Result<T, DataFusionError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let told = "the Parquet file is damaged: its pages do not hold together".to_owned();
        Err(parquet(ParquetError::General(told)))
    })
}

fn external(error: CubeError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn parquet(error: ParquetError) -> DataFusionError {
    DataFusionError::ParquetError(Box::new(error))
}

fn read_error(error: ReadError, column: &str) -> DataFusionError {
    parquet(match error {
        ReadError::Parquet(error) => error,
        ReadError::Damaged(Damage(what)) => {
            ParquetError::General(format!("the column `{column}` is damaged: {what}"))
        }
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_what_reads_is_the_files_fault() {
        assert!(matches!(guarded(|| Ok(3)), Ok(3)));
        let error = guarded::<()>(|| panic!("a page of nonsense"));
        assert!(matches!(&error, Err(DataFusionError::ParquetError(_))), "{error:?}");
    }
}
