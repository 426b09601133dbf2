//! A data set's columns as the rows that a model takes, piece by piece in the data set's own order.

use std::{
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
        compute::cast,
        datatypes::{DataType, Float64Type},
        error::ArrowError,
    },
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    physical_plan::execute_stream_partitioned,
};
use ephor_explain::Rows;
use ephor_store::jobs::JobFailure;
use ephor_tabular::Table;
use futures::StreamExt as _;

/// The name of a group has at most so many bytes: all rows' names are held at once when groups are compared.
const MOST_GROUP_BYTES: usize = 256;

/// Which columns are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    /// Those of the features, in the model's order.
    pub features: Vec<String>,
    /// What should have been predicted, as numbers.
    pub target: Option<String>,
    /// Who belongs to which group, as texts.
    pub group: Option<String>,
}

/// Rows with what stands beside them.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The number of the first of them, counted from 0.
    pub first: u64,
    pub rows: Rows,
    pub targets: Vec<f64>,
    pub groups: Vec<Option<String>>,
}

impl Piece {
    /// The first rows of it.
    pub fn cut(&mut self, most: usize) {
        if self.rows.len() > most {
            let width = self.rows.width();
            let values = self.rows.iter().take(most).flatten().copied().collect();
            self.rows = Rows::new(values, width);
            self.targets.truncate(most);
            self.groups.truncate(most);
        }
    }
}

/// Pieces of a table.
pub(super) struct Pieces {
    streams: VecDeque<SendableRecordBatchStream>,
    width: usize,
    target: Option<usize>,
    group: Option<usize>,
    read: u64,
    /// A piece has about so many rows.
    size: usize,
}

impl Pieces {
    /// Begins to read the columns.
    pub async fn open(table: &Table, columns: &Columns, size: usize) -> Result<Self, JobFailure> {
        let mut names: Vec<&str> = columns.features.iter().map(String::as_str).collect();
        for name in columns.target.iter().chain(&columns.group) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let place = |name: &Option<String>| {
            name.as_ref().and_then(|name| names.iter().position(|other| other == name))
        };
        let (target, group) = (place(&columns.target), place(&columns.group));
        let frame = table.dataframe().map_err(|error| JobFailure::retry(error.to_string()))?;
        let frame = frame.select_columns(&names).map_err(unread)?;
        let context = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.map_err(unread)?;
        // Its parts, one after the other: rows keep their order.
        let streams = execute_stream_partitioned(plan, context).map_err(unread)?.into();
        Ok(Self { streams, width: columns.features.len(), target, group, read: 0, size })
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Option<Piece>, JobFailure> {
        let (mut values, mut targets, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        let (first, mut count) = (self.read, 0);
        while count < self.size {
            let Some(stream) = self.streams.front_mut() else { break };
            let Some(batch) = stream.next().await else {
                self.streams.pop_front();
                continue;
            };
            let batch = batch.map_err(unread)?;
            count += batch.num_rows();
            self.take(&batch, &mut values, &mut targets, &mut groups)?;
            tokio::task::consume_budget().await;
        }
        self.read += count as u64;
        let rows = Rows::new(values, self.width);
        Ok((count > 0).then_some(Piece { first, rows, targets, groups }))
    }

    fn take(
        &self,
        batch: &RecordBatch,
        values: &mut Vec<f64>,
        targets: &mut Vec<f64>,
        groups: &mut Vec<Option<String>>,
    ) -> Result<(), JobFailure> {
        let columns = batch.columns()[..self.width]
            .iter()
            .map(|column| cast(column, &DataType::Float64))
            .collect::<Result<Vec<_>, _>>()
            .map_err(uncast)?;
        for row in 0..batch.num_rows() {
            values.extend(columns.iter().map(|column| number(column, row)));
        }
        if let Some(target) = self.target {
            let column = cast(batch.column(target), &DataType::Float64).map_err(uncast)?;
            targets.extend((0..column.len()).map(|row| number(&column, row)));
        }
        if let Some(group) = self.group {
            let column = cast(batch.column(group), &DataType::Utf8).map_err(uncast)?;
            let names = column.as_string::<i32>();
            if names.iter().flatten().any(|name| name.len() > MOST_GROUP_BYTES) {
                return Err(JobFailure::fatal(format!(
                    "A name in the column of groups has more than {MOST_GROUP_BYTES} bytes: is it the right column?"
                )));
            }
            // The database holds no NUL.
            groups.extend(names.iter().map(|name| Some(name?.replace('\0', "\u{fffd}"))));
        }
        Ok(())
    }
}

fn number(column: &ArrayRef, row: usize) -> f64 {
    if column.is_null(row) { f64::NAN } else { column.as_primitive::<Float64Type>().value(row) }
}

/// What a column holds stays what it is.
fn uncast(error: ArrowError) -> JobFailure {
    JobFailure::fatal(error.to_string())
}

fn unread(error: DataFusionError) -> JobFailure {
    JobFailure::retry(format!("The data set could not be read: {error}"))
}

/// A row that was drawn: those with the least marks stay.
struct Drawn {
    mark: (u64, u64),
    row: Vec<f64>,
    target: Option<f64>,
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.mark == other.mark
    }
}
impl Eq for Drawn {}
impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Drawn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.mark.cmp(&other.mark)
    }
}

/// Rows drawn by chance, in the data set's order: the same for the same seed, however the data set is read.
pub(super) struct Sampled {
    pub rows: Rows,
    pub targets: Vec<f64>,
}

/// Draws at most `most` rows.
pub(super) async fn sample(
    table: &Table,
    columns: &Columns,
    most: usize,
    seed: u64,
    cancelled: impl Fn() -> bool,
) -> Result<Sampled, JobFailure> {
    let mut pieces = Pieces::open(table, columns, 8_192).await?;
    let mut drawn: BinaryHeap<Drawn> = BinaryHeap::new();
    while let Some(piece) = pieces.next().await? {
        if cancelled() {
            return Err(JobFailure::Cancelled);
        }
        for (index, row) in piece.rows.iter().enumerate() {
            let number = piece.first + index as u64;
            let mark = (mixed(seed, number), number);
            let is_drawn = drawn.len() < most || drawn.peek().is_some_and(|last| mark < last.mark);
            if is_drawn {
                let target = piece.targets.get(index).copied();
                drawn.push(Drawn { mark, row: row.to_vec(), target });
                if drawn.len() > most {
                    drawn.pop();
                }
            }
        }
    }
    let mut drawn = drawn.into_vec();
    drawn.sort_by_key(|one| one.mark.1);
    let targets = drawn.iter().filter_map(|one| one.target).collect();
    let values = drawn.into_iter().flat_map(|one| one.row).collect();
    Ok(Sampled { rows: Rows::new(values, columns.features.len()), targets })
}

/// A number by chance for a row (Steele, Lea and Flood 2014, `SplitMix64`).
fn mixed(seed: u64, row: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xd134_2543_de82_ef95)
        .wrapping_add(row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_tabular::{OpenOptions, Source, open};

    use super::*;

    async fn table(rows: usize) -> Table {
        let mut text = "a,b,y,g\n".to_owned();
        for row in 0..rows {
            let group = if row % 2 == 0 { "f" } else { "m" };
            text.push_str(&format!("{row},{},{},{group}\n", row * 2, row % 3));
        }
        open(Source::Bytes(text.into()), OpenOptions::default()).await.unwrap()
    }

    fn columns() -> Columns {
        Columns {
            features: vec!["b".into(), "a".into()],
            target: Some("y".into()),
            group: Some("g".into()),
        }
    }

    #[tokio::test]
    async fn rows_come_in_their_order() {
        let table = table(20_000).await;
        let mut pieces = Pieces::open(&table, &columns(), 3_000).await.unwrap();
        let mut read = 0_u64;
        while let Some(piece) = pieces.next().await.unwrap() {
            assert_eq!(piece.first, read);
            for (index, row) in piece.rows.iter().enumerate() {
                let number = (read + index as u64) as f64;
                assert_eq!(row, [2.0 * number, number]);
                assert_eq!(piece.targets[index], number % 3.0);
                let group = if number % 2.0 == 0.0 { "f" } else { "m" };
                assert_eq!(piece.groups[index].as_deref(), Some(group));
            }
            read += piece.rows.len() as u64;
        }
        assert_eq!(read, 20_000);
    }

    #[tokio::test]
    async fn a_column_of_long_texts_holds_no_groups() {
        let text = format!("a,b,y,g\n1,2,0,f\n2,1,1,{}\n", "x".repeat(MOST_GROUP_BYTES + 1));
        let table = open(Source::Bytes(text.into()), OpenOptions::default()).await.unwrap();
        let mut pieces = Pieces::open(&table, &columns(), 3_000).await.unwrap();
        assert!(pieces.next().await.is_err());
    }

    #[tokio::test]
    async fn a_sample_follows_its_seed_and_is_even() {
        let table = table(10_000).await;
        let drawn = async |seed| sample(&table, &columns(), 1_000, seed, || false).await.unwrap();
        let one = drawn(1).await;
        assert_eq!((one.rows.len(), one.targets.len()), (1_000, 1_000));
        assert_eq!(one.rows, drawn(1).await.rows);
        assert_ne!(one.rows, drawn(2).await.rows);
        let mean = one.rows.iter().map(|row| row[1]).sum::<f64>() / 1_000.0;
        assert!((4_700.0..5_300.0).contains(&mean), "{mean}");
        let all = sample(&table, &columns(), 20_000, 1, || false).await.unwrap();
        assert_eq!(all.rows.len(), 10_000);
    }
}
