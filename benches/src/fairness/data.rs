//! Predictions about people who do not exist: skewed groups, scores that favour some of them.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use anyhow::Result;
use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, StringArray},
    csv,
    record_batch::RecordBatch,
};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::Compression,
    file::properties::WriterProperties,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const CHUNK: usize = 1_000_000;
const SEXES: [&str; 2] = ["Female", "Male"];
const RACES: [&str; 5] = ["Amer-Indian-Eskimo", "Asian-Pac-Islander", "Black", "Other", "White"];
const AGES: [&str; 5] = ["under 30", "30-39", "40-49", "50-59", "60 and over"];

/// Writes `rows` rows, the same at every run: the groups, `y_true`, `y_pred`, `score` with three
/// decimals, as scorecards give it, and, if they are to be in full too, `score_full`. A million rows are in memory at a time.
pub fn write(file: &Path, rows: usize, in_full: bool) -> Result<()> {
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_121);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(CHUNK))
        .build();
    let mut writer = None;
    let mut left = rows;
    while left > 0 {
        let batch = chunk(&mut chance, left.min(CHUNK), in_full)?;
        if writer.is_none() {
            let out = File::create(file)?;
            writer = Some(ArrowWriter::try_new(out, batch.schema(), Some(properties.clone()))?);
        }
        if let Some(writer) = &mut writer {
            writer.write(&batch)?;
        }
        left -= batch.num_rows();
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(())
}

/// Writes the same rows as CSV.
pub fn as_csv(parquet: &Path, csv: &Path) -> Result<()> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(parquet)?)?.build()?;
    let mut writer = csv::Writer::new(BufWriter::new(File::create(csv)?));
    for batch in reader {
        writer.write(&batch?)?;
    }
    Ok(())
}

fn chunk(chance: &mut ChaCha8Rng, rows: usize, in_full: bool) -> Result<RecordBatch> {
    let (mut sexes, mut races, mut ages) = (Vec::new(), Vec::new(), Vec::new());
    let (mut labels, mut predictions) = (Vec::new(), Vec::new());
    let (mut scores, mut full) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let sex = usize::from(chance.random_bool(0.6));
        // Squared, so that some groups are much smaller than others.
        let race = ((1.0 - chance.random::<f64>().powi(2)) * RACES.len() as f64) as usize;
        let (race, age) = (race.min(RACES.len() - 1), chance.random_range(0..AGES.len()));
        let favour = 0.08 * sex as f64 + 0.02 * race as f64 + 0.03 * age as f64 - 0.1;
        let score = (chance.random::<f64>() * 0.9 + favour).clamp(0.0, 1.0);
        sexes.push(SEXES[sex]);
        races.push(RACES[race]);
        ages.push(AGES[age]);
        labels.push(i64::from(chance.random_bool(score)));
        predictions.push(i64::from(score >= 0.5));
        scores.push((score * 1000.0).round() / 1000.0);
        full.push(score);
    }
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("sex", Arc::new(StringArray::from(sexes))),
        ("race", Arc::new(StringArray::from(races))),
        ("age", Arc::new(StringArray::from(ages))),
        ("y_true", Arc::new(Int64Array::from(labels))),
        ("y_pred", Arc::new(Int64Array::from(predictions))),
        ("score", Arc::new(Float64Array::from(scores))),
    ];
    if in_full {
        columns.push(("score_full", Arc::new(Float64Array::from(full))));
    }
    Ok(RecordBatch::try_from_iter(columns)?)
}
