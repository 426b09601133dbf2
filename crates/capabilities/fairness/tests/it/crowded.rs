//! Attributes of more values than there are codes: those that can be compared are kept, the others counted together.

use std::{fs::File, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::{
    datasource::MemTable,
    execution::{memory_pool::FairSpillPool, runtime_env::RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext},
};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, NotCompared, Status,
    comparison::compare,
    cube::{OTHER_NAME, limits::MAX_VALUES},
    drift::group_changes,
    gate::FailOn,
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

use crate::{
    gate::{check, judged},
    support::{CodedParquet, Find, FindIn, batch, context, run, table},
};

/// Values of one row each, and values of many.
const RARE: u64 = 100_000;
const OFTEN: u64 = 40;
const ROWS: u64 = RARE + OFTEN * 500;

fn hash(row: u64) -> u64 {
    let mixed = (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// Rare and frequent values in turn.
fn value(row: u64) -> Option<u64> {
    (row % 6 == 5).then_some(row / 6 % OFTEN)
}

fn people(rows: std::ops::Range<u64>, name: impl Fn(u64) -> String) -> RecordBatch {
    let bits = |salt: u64, rare: u64| -> ArrayRef {
        let bit = |row: u64| {
            // What is often differs by its value, so that there is something to find.
            let share = value(row).map_or(rare, |value| 20 + value);
            i64::from(hash(row ^ salt << 32) >> 40 & 63 < share)
        };
        Arc::new(Int64Array::from_iter_values(rows.clone().map(bit)))
    };
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.clone().map(name)));
    let two: ArrayRef = Arc::new(StringArray::from_iter_values(
        rows.clone().map(|row| if hash(row) >> 50 & 1 == 1 { "x" } else { "y" }),
    ));
    let scores: ArrayRef = Arc::new(Float64Array::from_iter_values(
        rows.clone().map(|row| (hash(row) >> 33 & 63) as f64 / 64.0),
    ));
    batch(vec![("g", names), ("h", two), ("y", bits(1, 30)), ("p", bits(2, 9)), ("s", scores)])
}

fn name(row: u64) -> String {
    match value(row) {
        Some(value) => format!("often {value}"),
        None => format!("rare {row}"),
    }
}

fn parts(name: impl Fn(u64) -> String + Copy) -> Vec<RecordBatch> {
    vec![people(0..ROWS / 2, name), people(ROWS / 2..ROWS, name)]
}

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        score: Some("s".to_owned()),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g", "h"])
    }
}

fn disparity(result: &AnalysisResult, attribute: &str) -> Option<f64> {
    result.attribute(attribute).disparity("demographic_parity_difference").value
}

#[tokio::test]
async fn what_is_kept_is_as_if_the_others_were_one() {
    let found = run(table(parts(name)), &spec()).await.unwrap();
    let other = |row: u64| value(row).map_or_else(|| OTHER_NAME.to_owned(), |_| name(row));
    let as_one = run(table(parts(other)), &spec()).await.unwrap();

    let (mine, theirs) = (found.attribute("g"), as_one.attribute("g"));
    assert_eq!(mine.groups.len() as u64, OFTEN + 1);
    for (mine, theirs) in mine.groups.iter().zip(&theirs.groups) {
        if mine.name == OTHER_NAME {
            assert_eq!((mine.n, theirs.n), (RARE, RARE));
            assert!(mine.small && !theirs.small);
        } else {
            assert_eq!(mine, theirs);
        }
    }
    assert_eq!(mine.small_groups.len(), 1);
    assert_eq!(found.overall, as_one.overall);
    assert_eq!(found.attribute("h"), as_one.attribute("h"));

    // Nothing is compared with them, alone or in combinations.
    let often = parts(name).into_iter().map(|part| {
        let kept: arrow::array::BooleanArray =
            (0..part.num_rows() as u64).map(|row| Some(row % 6 == 5)).collect();
        arrow::compute::filter_record_batch(&part, &kept).unwrap()
    });
    assert_eq!(ROWS / 2 % 6, 0);
    let alone = run(table(often.collect()), &spec()).await.unwrap();
    for attribute in ["g", "g|h"] {
        assert!(disparity(&found, attribute).unwrap() > 0.1);
        assert_eq!(disparity(&found, attribute), disparity(&alone, attribute));
    }
    let combined = found.attribute("g|h");
    assert!(combined.group("(other)|x").small && !combined.group("often 1|x").small);
    // Nor is it called small, however many rows it has.
    let why = |name: &str| found.not_compared(combined, combined.group(name));
    assert_eq!(why("(other)|x"), Some(NotCompared::CountedTogether));
    assert_eq!(why("often 1|x"), None);
    let alone = found.not_compared(mine, mine.group(OTHER_NAME));
    assert_eq!(alone, Some(NotCompared::CountedTogether));
    assert_eq!(found.not_compared(mine, &found.overall), None);
    let gate = judged(&found, "metrics = ['g.selection_rate <= 0.99']", FailOn::Fail);
    let sentence = &check(&gate, "g/selection_rate_at_most/(other)").sentence;
    assert!(
        sentence.ends_with("the group is values counted together, not compared."),
        "{sentence}"
    );

    let told = found.warnings.iter().find(|warning| warning.starts_with("g has so many")).unwrap();
    assert_eq!(
        told,
        "g has so many different values that 100000 of them are counted together, as “(other)”, with 100000 rows, which is not \
         compared: each has fewer than 30 rows."
    );
    assert!(!found.warnings.iter().any(|warning| warning.contains("groups of g have fewer")));
    let excluded = found.excluded.iter().find(|excluded| excluded.reason == "pooled_values");
    assert_eq!(
        excluded.map(|excluded| (excluded.column.as_str(), excluded.rows)),
        Some(("g", RARE))
    );
}

#[tokio::test]
async fn of_what_is_counted_together_nothing_is_shown_of_each() {
    let spec = AnalysisSpec { prediction: None, score: None, ..spec() };
    let found = run(table(parts(name)), &spec).await.unwrap();
    // Together they have rows enough; alone each has one.
    let gate = judged(&found, "min_group_rows = 30", FailOn::Fail);
    let other = check(&gate, "g/group_rows/(other)");
    assert_eq!((other.status, other.value), (Some(Status::Fail), None));
    assert!(gate.stopped && other.unshown.is_some());
    assert_eq!(check(&gate, "g/group_rows/often 1").status, Some(Status::Pass));
    let gate = judged(&found, "min_group_rows = 1", FailOn::Fail);
    assert_eq!(check(&gate, "g/group_rows/(other)").status, Some(Status::Pass));

    // Where each value is counted, what others count together is neither new nor gone.
    let few =
        |row: u64| if row < 10 { format!("once {row}") } else { format!("often {}", row % 3) };
    let plain = run(table(parts(few)), &spec).await.unwrap();
    let (new, gone) = group_changes(&found, &plain);
    assert!(new.is_empty(), "{new:?}");
    let wanted: Vec<String> = (3..OFTEN).map(|value| format!("g: often {value}")).collect();
    let mut gone: Vec<&String> = gone.iter().collect();
    gone.sort_unstable();
    let mut wanted: Vec<&String> = wanted.iter().collect();
    wanted.sort_unstable();
    assert_eq!(gone, wanted);
    let (new, gone) = group_changes(&plain, &found);
    assert_eq!((new.len(), gone), (wanted.len(), Vec::<String>::new()));
    let compared = compare(&plain, &found);
    for attribute in compared.attributes.iter().filter(|one| one.attributes.len() == 1) {
        let new = if attribute.name == "g" { wanted.len() } else { 0 };
        assert_eq!((attribute.groups_new.len(), attribute.groups_gone.len()), (new, 0));
    }
}

#[tokio::test]
async fn what_is_counted_together_is_no_reference() {
    let spec = AnalysisSpec {
        score: None,
        reference_groups: [("g".to_owned(), OTHER_NAME.to_owned())].into(),
        ..spec()
    };
    let found = run(table(parts(name)), &spec).await.unwrap();
    let attribute = found.attribute("g");
    assert_eq!(attribute.reference, None);
    let mut told = attribute.disparities.iter().filter_map(|one| one.undefined.as_deref());
    assert!(told.any(|reason| reason.contains("counted together, and no group")));
}

#[tokio::test]
async fn a_small_limit_of_memory_is_enough() {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(96 << 20)))
        .build_arc()
        .unwrap();
    let config = SessionConfig::new().with_target_partitions(2);
    let session = SessionContext::new_with_config_rt(config, runtime);
    let parts = parts(name);
    let source =
        MemTable::try_new(parts[0].schema(), parts.iter().map(|part| vec![part.clone()]).collect());
    let limited = session.read_table(Arc::new(source.unwrap())).unwrap();
    let spec = AnalysisSpec { score: None, ..spec() };
    let found = run(limited, &spec).await.unwrap();
    assert_eq!(found, run(table(parts), &spec).await.unwrap());
}

#[tokio::test]
async fn a_parquet_file_is_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    let parts = parts(name);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(20_000)).build();
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, parts[0].schema(), Some(properties)).unwrap();
    for part in &parts {
        writer.write(part).unwrap();
    }
    writer.close().unwrap();
    let source = CodedParquet::new(&path, &parts[0].schema());
    let coded = context(2).read_table(Arc::new(source)).unwrap();
    assert_eq!(run(coded, &spec()).await.unwrap(), run(table(parts), &spec()).await.unwrap());
}

#[tokio::test]
async fn numbers_are_values_too_and_the_reference_group_is_kept() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0..ROWS).map(|row| value(row).map_or(-(row as i64) - 1, |value| value as i64)),
    ));
    let plain = people(0..ROWS, name);
    let whole = batch(vec![("g", numbers), ("y", plain.column(2).clone())]);
    let named = |group: &str| AnalysisSpec {
        reference_groups: [("g".to_owned(), group.to_owned())].into(),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g"])
    };
    let found = run(table(vec![whole.clone()]), &named("7")).await.unwrap();
    let attribute = found.attribute("g");
    assert_eq!(attribute.groups.len() as u64, OFTEN + 1);
    assert_eq!(attribute.reference.as_ref().map(|one| one.group.as_str()), Some("7"));
    // Of one row: it is there, and too small.
    let found = run(table(vec![whole]), &named("-1")).await.unwrap();
    let attribute = found.attribute("g");
    assert_eq!((attribute.group("-1").n, attribute.group(OTHER_NAME).n), (1, RARE - 1));
    assert_eq!(attribute.reference, None);
}

#[tokio::test]
#[ignore = "at size: as many groups as there can be"]
async fn where_too_many_could_be_compared_the_largest_are() {
    // Two rows of each, and three of some.
    let (many, three) = (MAX_VALUES as u64 + 500, 1_000);
    let rows = many * 2 + three;
    let column = |of: &dyn Fn(u64) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| of(row) as i64)))
    };
    let whole = batch(vec![
        ("g", column(&|row| row % many + 1_000_000)),
        ("y", column(&|row| hash(row) >> 40 & 1)),
    ]);
    let spec =
        AnalysisSpec { min_group_size: 2, bootstrap_draws: 0, ..AnalysisSpec::new("y", ["g"]) };
    let found = run(table(vec![whole]), &spec).await.unwrap();
    let attribute = found.attribute("g");
    assert_eq!(attribute.groups.len(), MAX_VALUES);
    assert_eq!(attribute.groups.iter().filter(|group| group.n == 3).count() as u64, three);
    assert_eq!(attribute.group(OTHER_NAME).n, 501 * 2);
    assert!(found.warnings.iter().any(|warning| warning.contains(
        "501 of them are counted together, as “(other)”, with 1002 rows, which is not compared: the 65534 values with the most rows are kept."
    )), "{:?}", found.warnings);
}
