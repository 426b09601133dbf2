//! Drift of whole tables: what is chosen, what is judged, and the edges.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use ephor_fairness::{
    AnalysisError, AnalysisSpec, CancellationToken, DataFrame, Status,
    drift::{
        ColumnDrift, ColumnKind, DriftReport, DriftSpec, DriftTest, MetricDrift, MetricKind, drift,
    },
};

use crate::support::{batch, table};

async fn compare(
    reference: DataFrame,
    current: DataFrame,
    spec: &DriftSpec,
) -> Result<DriftReport, AnalysisError> {
    let report = drift(reference, current, spec, &CancellationToken::new()).await?;
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<DriftReport>(&json).unwrap(),
        report,
        "no number is lost in JSON"
    );
    Ok(report)
}

async fn compared(reference: DataFrame, current: DataFrame, spec: &DriftSpec) -> DriftReport {
    compare(reference, current, spec).await.unwrap()
}

async fn codes(
    reference: DataFrame,
    current: DataFrame,
    spec: &DriftSpec,
) -> Vec<(String, String)> {
    match compare(reference, current, spec).await {
        Err(AnalysisError::Invalid(faults)) => {
            faults.into_iter().map(|fault| (fault.where_, fault.code)).collect()
        }
        other => panic!("it was accepted: {other:?}"),
    }
}

/// Numbers that are spread evenly, in an order that does not show it.
fn spread(rows: i64, from: f64, step: f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(
        (0..rows).map(|row| from + (row * 7_919 % rows) as f64 * step),
    ))
}

fn words(rows: i64, word: impl Fn(i64) -> &'static str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..rows).map(word)))
}

fn people(rows: i64, from: f64, share: i64) -> DataFrame {
    let colour = words(rows, |row| if row % 10 < share { "red" } else { "blue" });
    table(vec![batch(vec![("age", spread(rows, from, 100.0 / rows as f64)), ("colour", colour)])])
}

fn column<'a>(report: &'a DriftReport, name: &str) -> &'a ColumnDrift {
    report.columns.iter().find(|column| column.name == name).unwrap()
}

fn test<'a>(column: &'a ColumnDrift, id: &str) -> &'a DriftTest {
    column.tests.iter().find(|test| test.id == id).unwrap()
}

fn chosen(column: &ColumnDrift) -> &str {
    &column.tests.iter().find(|test| test.chosen).unwrap().id
}

#[tokio::test]
async fn equal_tables_are_0_apart() {
    for rows in [200, 3_000] {
        let report =
            compared(people(rows, 0.0, 4), people(rows, 0.0, 4), &DriftSpec::default()).await;
        assert_eq!((report.reference_rows, report.current_rows), (rows as u64, rows as u64));
        assert_eq!(report.status, Some(Status::Pass));
        for test in report.columns.iter().flat_map(|column| &column.tests) {
            assert_eq!(test.value, Some(0.0), "{test:?}");
            assert!(test.p_value.is_none_or(|p| p == 1.0), "{test:?}");
        }
        assert!(report.columns.iter().all(|column| column.new_count + column.gone_count == 0));
    }
}

#[tokio::test]
async fn small_tables_are_tested_and_large_ones_measured() {
    let report = compared(people(400, 0.0, 4), people(400, 20.0, 7), &DriftSpec::default()).await;
    let (age, colour) = (column(&report, "age"), column(&report, "colour"));
    assert_eq!((age.kind, colour.kind), (ColumnKind::Number, ColumnKind::Category));
    assert_eq!((chosen(age), chosen(colour)), ("kolmogorov_smirnov", "chi_square"));
    assert_eq!((age.status, colour.status), (Some(Status::Fail), Some(Status::Fail)));
    assert!((test(age, "kolmogorov_smirnov").value.unwrap() - 0.2).abs() < 1e-9);
    assert_eq!(test(age, "wasserstein").status, None);

    let report =
        compared(people(4_000, 0.0, 4), people(4_000, 1.0, 7), &DriftSpec::default()).await;
    let (age, colour) = (column(&report, "age"), column(&report, "colour"));
    assert_eq!((chosen(age), chosen(colour)), ("wasserstein", "jensen_shannon"));
    // A hundredth of the range is a 29th of a standard deviation.
    assert_eq!(age.status, Some(Status::Pass), "{}", age.sentence);
    assert!(
        (test(age, "wasserstein").value.unwrap() - 1.0 / (100.0 / 12.0_f64.sqrt())).abs() < 1e-6
    );
    assert_eq!(colour.status, Some(Status::Fail), "{}", colour.sentence);
    assert_eq!(report.status, Some(Status::Fail));
}

#[tokio::test]
async fn named_thresholds_judge_instead_of_the_chosen_test() {
    let spec = DriftSpec { thresholds: [("psi".to_owned(), 5.0)].into(), ..DriftSpec::default() };
    let report = compared(people(4_000, 0.0, 4), people(4_000, 1.0, 7), &spec).await;
    let colour = column(&report, "colour");
    assert_eq!(test(colour, "psi").threshold, Some(5.0));
    assert_eq!(test(colour, "jensen_shannon").status, None);
    assert_eq!(report.status, Some(Status::Pass));
}

#[tokio::test]
async fn a_distance_that_chance_explains_only_warns() {
    // 3 of 10 beside 5 of 10, with a threshold that both are beyond: too few rows to be sure.
    let spec = DriftSpec {
        thresholds: [("l_infinity".to_owned(), 0.05)].into(),
        min_rows: 5,
        columns: vec!["colour".to_owned()],
        ..DriftSpec::default()
    };
    let report = compared(people(10, 0.0, 3), people(10, 0.0, 5), &spec).await;
    assert_eq!(report.status, Some(Status::Warning), "{}", report.columns[0].sentence);
}

#[tokio::test]
async fn categories_come_and_go() {
    let of = |word: &'static str| {
        table(vec![batch(vec![("c", words(100, move |row| if row < 60 { "a" } else { word }))])])
    };
    let report = compared(of("b"), of("c"), &DriftSpec::default()).await;
    let column = column(&report, "c");
    assert_eq!((column.new_values[0].value.as_str(), column.new_values[0].rows), ("c", 40));
    assert_eq!((column.gone_values[0].value.as_str(), column.gone_count), ("b", 1));
    assert_eq!(column.bins.len(), 3);
    assert_eq!(column.status, Some(Status::Fail));
}

#[tokio::test]
async fn missing_values_are_judged_by_themselves() {
    let of = |every: i64| {
        let values = (0..1_000).map(|row| (row % every != 0).then_some(row % 7));
        table(vec![batch(vec![("x", Arc::new(Int64Array::from_iter(values)) as ArrayRef)])])
    };
    let report = compared(of(100), of(4), &DriftSpec::default()).await;
    let found = test(column(&report, "x"), "missing_share");
    assert!((found.value.unwrap() - 0.24).abs() < 1e-12 && found.interval.is_some());
    assert_eq!(found.status, Some(Status::Fail), "{}", found.sentence);
}

#[tokio::test]
async fn hostile_columns_are_undefined_with_a_reason() {
    let rows = 2_000;
    let of = |numbers: Vec<Option<f64>>, name: &str| {
        let ids = StringArray::from_iter_values((0..20_000).map(|row| format!("{name}{row}")));
        let numbers = Float64Array::from_iter(
            numbers.into_iter().chain(std::iter::repeat_n(None, 20_000 - rows)),
        );
        let nothing = Float64Array::from(vec![None; 20_000]);
        table(vec![batch(vec![
            ("id", Arc::new(ids) as ArrayRef),
            ("n", Arc::new(numbers)),
            ("nothing", Arc::new(nothing)),
        ])])
    };
    let wild = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        0.0,
        1.0,
        2.0,
        3.0,
        5e-324,
    ];
    let numbers = |at: usize| -> Vec<Option<f64>> {
        (0..rows).map(|row| Some(wild[(row + at) % wild.len()])).collect()
    };
    let report = compared(of(numbers(0), "a"), of(numbers(1), "b"), &DriftSpec::default()).await;
    let id = column(&report, "id");
    assert_eq!(id.status, Some(Status::Pass), "missing values alone are judged");
    assert!(test(id, "jensen_shannon").undefined.as_ref().unwrap().contains("too many"));
    let nothing = column(&report, "nothing");
    assert!(
        nothing
            .tests
            .iter()
            .filter(|test| test.id != "missing_share")
            .all(|test| test.value.is_none())
    );
    assert!(nothing.sentence.contains("cannot be judged"), "{}", nothing.sentence);
    let n = column(&report, "n");
    assert_eq!(test(n, "wasserstein").value, None);
    assert_eq!((chosen(n), n.status), ("jensen_shannon", Some(Status::Pass)));
    assert!(report.notes.iter().any(|note| note.contains("no finite number")));
}

#[tokio::test]
async fn constants_and_few_numbers_are_categories() {
    let of = |value: i64| {
        let values = (0..500).map(|row| if row < 50 { 1 } else { value });
        let same = Int64Array::from_iter_values((0..500).map(|_| 4));
        table(vec![batch(vec![
            ("flag", Arc::new(Int64Array::from_iter_values(values)) as ArrayRef),
            ("same", Arc::new(same)),
        ])])
    };
    let report = compared(of(0), of(2), &DriftSpec::default()).await;
    let flag = column(&report, "flag");
    assert_eq!(
        (flag.kind, chosen(flag), flag.status),
        (ColumnKind::Category, "chi_square", Some(Status::Fail))
    );
    assert_eq!(flag.new_values[0].value, "2");
    let same = column(&report, "same");
    assert_eq!((chosen(same), same.status), ("jensen_shannon", Some(Status::Pass)));
}

#[tokio::test]
async fn order_and_parts_of_the_tables_change_nothing() {
    let rows = 50_000;
    let ages: Vec<f64> = (0..rows).map(|row| f64::from(row * 7_919 % 50_021) / 3.0).collect();
    let part = |values: &[f64]| {
        batch(vec![("age", Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)])
    };
    let turned: Vec<f64> = ages.iter().rev().copied().collect();
    let current = || table(vec![part(&ages[..30_000])]);
    let whole = compared(table(vec![part(&ages)]), current(), &DriftSpec::default()).await;
    let parts = compared(
        table(vec![part(&turned[..999]), part(&turned[999..])]),
        current(),
        &DriftSpec::default(),
    )
    .await;
    assert_eq!(whole, parts);
    let precision = whole.columns[0].precision.unwrap();
    assert!(!precision.exact && precision.ks_error < 0.001 && precision.wasserstein_error < 0.001);
}

#[tokio::test]
async fn chunks_of_the_reference_say_what_is_usual() {
    // Months differ by ten years of age: so does the current table, which is nothing new.
    let month = |month: i64| {
        (0..300).map(move |row| (month, (month % 3 * 5) as f64 + f64::from(row * 17 % 300) / 10.0))
    };
    let rows: Vec<(i64, f64)> = (0..9).flat_map(month).collect();
    let months = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
    let ages = Float64Array::from_iter_values(rows.iter().map(|row| row.1));
    let reference =
        table(vec![batch(vec![("month", Arc::new(months) as ArrayRef), ("age", Arc::new(ages))])]);
    let current = table(vec![batch(vec![("age", spread(2_000, 10.0, 0.015))])]);
    let plain = DriftSpec { columns: vec!["age".to_owned()], ..DriftSpec::default() };
    let report = compared(reference.clone(), current.clone(), &plain).await;
    assert_eq!(report.status, Some(Status::Fail));
    let chunked = DriftSpec { chunks: Some("month".to_owned()), ..plain };
    let report = compared(reference.clone(), current.clone(), &chunked).await;
    let found = test(&report.columns[0], "wasserstein");
    assert!(found.threshold_of_chunks && found.threshold > Some(0.5), "{found:?}");
    assert_eq!(report.status, Some(Status::Pass), "{}", report.columns[0].sentence);
    let single = DriftSpec { chunks: Some("age".to_owned()), ..DriftSpec::default() };
    assert_eq!(codes(reference.clone(), reference.clone(), &single).await[0].1, "too_many_chunks");
    let missing = DriftSpec { chunks: Some("mont".to_owned()), ..DriftSpec::default() };
    assert_eq!(codes(reference.clone(), reference, &missing).await[0].1, "unknown_column");
}

#[tokio::test]
async fn all_faults_come_at_once() {
    let spec = DriftSpec {
        columns: vec!["agee".to_owned(), "colour".to_owned()],
        confidence: 2.0,
        analysis: Some(AnalysisSpec::new("label", ["sex"])),
        ..DriftSpec::default()
    };
    let found = codes(people(50, 0.0, 4), people(50, 0.0, 4), &spec).await;
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    for place in ["/confidence", "/columns/0", "/analysis/target", "/analysis/protected/0"] {
        assert!(places.contains(&place), "{place} is missing in {places:?}");
    }
    let empty = table(vec![batch(vec![("age", spread(0, 0.0, 1.0))])]);
    assert_eq!(
        codes(people(50, 0.0, 4), empty, &DriftSpec::default()).await,
        [("/".to_owned(), "no_rows".to_owned())]
    );
    let other = table(vec![batch(vec![("other", spread(5, 0.0, 1.0))])]);
    assert_eq!(codes(people(50, 0.0, 4), other, &DriftSpec::default()).await[0].1, "no_columns");
}

#[tokio::test]
async fn what_is_cancelled_ends() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let ended = drift(people(50, 0.0, 4), people(50, 0.0, 4), &DriftSpec::default(), &cancel).await;
    assert!(matches!(ended, Err(AnalysisError::Cancelled)));
}

/// Decisions on two sexes: of ten women `women` are selected, of ten men five; `wrong` of ten are wrong.
fn decisions(rows: i64, women: i64, wrong: i64) -> DataFrame {
    let selected = move |row: i64| row / 2 % 10 < if row % 2 == 0 { women } else { 5 };
    let sex = words(rows, |row| if row % 2 == 0 { "F" } else { "M" });
    let predicted = Int64Array::from_iter_values((0..rows).map(|row| i64::from(selected(row))));
    let label = (0..rows).map(|row| i64::from(selected(row) != (row / 20 % 10 < wrong)));
    table(vec![batch(vec![
        ("sex", sex),
        ("prediction", Arc::new(predicted) as ArrayRef),
        ("label", Arc::new(Int64Array::from_iter_values(label))),
    ])])
}

fn metric<'a>(
    report: &'a DriftReport,
    kind: MetricKind,
    name: &str,
    group: Option<&str>,
) -> &'a MetricDrift {
    report
        .metrics
        .iter()
        .find(|metric| {
            metric.kind == kind && metric.metric == name && metric.group.as_deref() == group
        })
        .unwrap()
}

#[tokio::test]
async fn performance_and_fairness_fail_beyond_noise_alone() {
    let analysis = AnalysisSpec {
        prediction: Some("prediction".to_owned()),
        ..AnalysisSpec::new("label", ["sex"])
    };
    let spec = DriftSpec {
        columns: vec!["sex".to_owned()],
        analysis: Some(analysis),
        ..DriftSpec::default()
    };
    let report = compared(decisions(4_000, 5, 1), decisions(4_000, 2, 3), &spec).await;
    let accuracy = metric(&report, MetricKind::Performance, "accuracy", None);
    assert!((accuracy.difference.unwrap() + 0.2).abs() < 1e-9, "{accuracy:?}");
    assert_eq!(accuracy.status, Some(Status::Fail), "{}", accuracy.sentence);
    let women = metric(&report, MetricKind::Performance, "selection_rate", Some("F"));
    assert_eq!(
        (women.reference, women.current, women.status),
        (Some(0.5), Some(0.2), Some(Status::Fail))
    );
    let men = metric(&report, MetricKind::Performance, "selection_rate", Some("M"));
    assert_eq!((men.difference, men.status), (Some(0.0), Some(Status::Pass)));
    let parity = metric(&report, MetricKind::Fairness, "demographic_parity_difference", None);
    assert!((parity.difference.unwrap() - 0.3).abs() < 1e-9);
    assert_eq!(parity.status, Some(Status::Fail), "{}", parity.sentence);
    assert_eq!(report.status, Some(Status::Fail));

    // The other way about it is better.
    let report = compared(decisions(4_000, 2, 3), decisions(4_000, 5, 1), &spec).await;
    let parity = metric(&report, MetricKind::Fairness, "demographic_parity_difference", None);
    assert!((parity.difference.unwrap() + 0.3).abs() < 1e-9);
    assert_eq!(parity.status, Some(Status::Pass));
    assert_eq!(
        metric(&report, MetricKind::Performance, "accuracy", None).status,
        Some(Status::Pass)
    );

    // Of a hundred rows nobody can be sure.
    let report = compared(decisions(100, 5, 1), decisions(100, 4, 2), &spec).await;
    let parity = metric(&report, MetricKind::Fairness, "demographic_parity_difference", None);
    assert_eq!(parity.status, Some(Status::Warning), "{}", parity.sentence);
}

#[tokio::test]
async fn times_are_compared_whatever_their_unit() {
    let times = || (0..2_000_i64).map(|row| 1_700_000_000_000 + row * 3_600_000);
    let coarse: ArrayRef = Arc::new(TimestampMillisecondArray::from_iter_values(times()));
    let fine: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from_iter_values(times().map(|time| time * 1_000)));
    let spec = DriftSpec { columns: vec!["at".to_owned()], ..DriftSpec::default() };
    let one = |column: ArrayRef| table(vec![batch(vec![("at", column)])]);
    let report = compared(one(coarse), one(fine), &spec).await;
    let found = report.columns[0].tests.iter().find(|test| test.id == "wasserstein").unwrap();
    assert_eq!((found.value, report.status), (Some(0.0), Some(Status::Pass)));
}
