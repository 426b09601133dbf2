//! What an attribute costs by how many values it has.

use std::{fs::File, path::Path, sync::Arc};

use anyhow::{Result, ensure};
use arrow::{
    array::{ArrayRef, Int64Array},
    record_batch::RecordBatch,
};
use parquet::arrow::ArrowWriter;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Work, line, named, rounds};
use crate::{Options, report::say};

/// How many values the attributes have.
const VALUES: [i64; 4] = [1, 10, 1_000, 1_000_000];
/// Of an attribute of more, each value is counted first, and not all are kept.
const MOST: i64 = 65_535;
const CHUNK: usize = 1_000_000;

/// Measures an analysis by each attribute alone, without scores.
pub fn run(options: &Options, rows: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("distinct.parquet");
    write(&file, rows)?;
    say(format!("\nBy one attribute, {}, of so many distinct values:", named(rows)))?;
    for values in VALUES {
        let measured = rounds(options.rounds, Work::Attribute, &file, &column(values))?;
        line(&format!("Ephor: {values} distinct"), &measured)?;
        let has_many = values > MOST && rows as i64 > 2 * MOST;
        ensure!(
            measured.pooled.is_some() == has_many,
            "of {values} values it is said: {:?}",
            measured.pooled
        );
        if let Some(said) = &measured.pooled {
            say(format!("  {said}"))?;
        }
    }
    Ok(())
}

fn column(values: i64) -> String {
    format!("of_{values}")
}

fn write(file: &Path, rows: usize) -> Result<()> {
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_121);
    let first = chunk(&mut chance, rows.min(CHUNK))?;
    let mut writer = ArrowWriter::try_new(File::create(file)?, first.schema(), None)?;
    let mut left = rows - first.num_rows();
    writer.write(&first)?;
    while left > 0 {
        let batch = chunk(&mut chance, left.min(CHUNK))?;
        writer.write(&batch)?;
        left -= batch.num_rows();
    }
    writer.close()?;
    Ok(())
}

fn chunk(chance: &mut ChaCha8Rng, rows: usize) -> Result<RecordBatch> {
    let mut column = |values: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|_| chance.random_range(0..values))))
    };
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for values in VALUES {
        columns.push((self::column(values), column(values)));
    }
    columns.push(("y_true".to_owned(), column(2)));
    columns.push(("y_pred".to_owned(), column(2)));
    Ok(RecordBatch::try_from_iter(columns)?)
}
