//! The data alone: association, representation, completeness.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisError, AnalysisSpec, AnalysisType, CancellationToken, Fault,
    data::{
        DataReport,
        association::{Filled, Moments, correlation_ratio, of_counts},
        completeness::MAX_COLUMNS,
        describe,
        representation::Population,
    },
    law::{ReportOptions, eeoc, ll144},
    read_cube,
};

use crate::support::{batch, close, reference_json, table};

#[test]
fn associations_are_equal() {
    for case in reference_json("significance/values.json")["associations"].as_array().unwrap() {
        let counts: Vec<Vec<f64>> = serde_json::from_value(case["table"].clone()).unwrap();
        let filled: Vec<Filled> = counts
            .iter()
            .enumerate()
            .flat_map(|(row, counts)| {
                let cell =
                    move |(column, count): (usize, &f64)| Filled { row, column, count: *count };
                counts.iter().enumerate().map(cell)
            })
            .collect();
        let ours = of_counts(&filled, false).unwrap();
        for (name, ours) in [
            ("cramers_v", ours.cramers_v),
            ("cramers_v_corrected", ours.cramers_v_corrected.unwrap()),
            ("mutual_information", ours.mutual_information),
            ("uncertainty", ours.uncertainty),
            ("p", ours.p.unwrap()),
        ] {
            let theirs = case[name].as_f64().unwrap();
            assert!(close(ours, theirs), "{name}: {ours} here, {theirs} there: {case}");
        }
    }
}

#[test]
fn correlation_ratios_are_equal() {
    for case in reference_json("significance/values.json")["correlation_ratios"].as_array().unwrap()
    {
        let groups: Vec<[f64; 3]> = serde_json::from_value(case["groups"].clone()).unwrap();
        let moments: Vec<Moments> = groups
            .into_iter()
            .map(|[weight, sum, squares]| Moments { weight, sum, squares })
            .collect();
        let ours = correlation_ratio(&moments).unwrap();
        assert!(close(ours, case["eta"].as_f64().unwrap()), "{ours} {case}");
    }
}

type Columns = Vec<(&'static str, ArrayRef)>;

/// 60 women and 40 men; the street says the sex, the height nearly, the shoe nothing.
fn people() -> Columns {
    let is_woman = |row: usize| row < 60;
    let rows = 0..100_usize;
    let text = |of: &dyn Fn(usize) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.clone().map(of)))
    };
    vec![
        (
            "y",
            Arc::new(Int64Array::from_iter(
                rows.clone().map(|row| (row % 10 != 0).then_some((row % 2) as i64)),
            )) as ArrayRef,
        ),
        ("sex", text(&|row| if is_woman(row) { "F" } else { "M" })),
        ("street", text(&|row| if is_woman(row) { "Elm" } else { "Oak" })),
        ("shoe", text(&|row| if row % 2 == 0 { "left" } else { "right" })),
        (
            "height",
            Arc::new(Float64Array::from_iter_values(rows.clone().map(|row| {
                let least = if is_woman(row) { 165.0 } else { 178.0 };
                least + (row % 5) as f64
            }))) as ArrayRef,
        ),
    ]
}

fn population(women: f64, men: f64) -> Population {
    let shares = [("F".to_owned(), women), ("M".to_owned(), men)];
    Population::from([("sex".to_owned(), shares.into())])
}

#[tokio::test]
async fn what_gives_sex_away_is_named_first() {
    let features = ["shoe", "height", "street"].map(str::to_owned);
    let report = describe(
        table(vec![batch(people())]),
        &AnalysisSpec::new("y", ["sex"]),
        &features,
        &population(0.5, 0.5),
        &CancellationToken::new(),
    )
    .await
    .unwrap();
    let names: Vec<&str> = report.proxies.iter().map(|proxy| proxy.column.as_str()).collect();
    assert_eq!(names, ["street", "height", "shoe"]);
    let street = report.proxies[0].association.unwrap();
    assert!(close(street.cramers_v, 1.0) && close(street.uncertainty, 1.0));
    assert!(street.p.unwrap() < 1e-20);
    assert!(report.proxies[1].correlation_ratio.unwrap() > 0.9);
    assert!(report.proxies[2].strength.unwrap() < 0.01);

    let women = &report.tables[0].groups[0];
    assert_eq!((women.n, women.share, women.labelled), (60, 0.6, 0.9));
    let found = report.tables[0].representation.as_ref().unwrap();
    assert!(close(found.groups[0].ratio, 1.2) && close(found.groups[1].ratio, 0.8));
    // SciPy: chisquare([60, 40], [50, 50]): 4.0, p = 0.045500263896358195.
    let test = found.test.unwrap();
    assert!(close(test.statistic, 4.0) && close(test.p, 0.045_500_263_896_358_195));
}

#[tokio::test]
async fn wrong_shares_and_unknown_columns_are_told() {
    let spec = AnalysisSpec::new("y", ["sex"]);
    let (none, cancel) = ([], CancellationToken::new());
    let data = || table(vec![batch(people())]);
    let Err(AnalysisError::Invalid(faults)) =
        describe(data(), &spec, &none, &population(0.5, 0.9), &cancel).await
    else {
        panic!("it was accepted")
    };
    assert!(faults[0].message.contains("1.400"), "{faults:?}");
    let unknown = ["shoo".to_owned(), "nothing at all".to_owned()];
    let Err(AnalysisError::Invalid(faults)) =
        describe(data(), &spec, &unknown, &Population::new(), &cancel).await
    else {
        panic!("it was accepted")
    };
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert_eq!(faults[0].hint.as_deref(), Some("Did you mean `shoe`?"));
}

/// The faults of the data alone, with a population that may be empty.
async fn refused(spec: &AnalysisSpec, columns: Columns, population: &Population) -> Vec<Fault> {
    let cancel = CancellationToken::new();
    match describe(table(vec![batch(columns)]), spec, &[], population, &cancel).await {
        Err(AnalysisError::Invalid(faults)) => faults,
        other => panic!("it was accepted: {other:?}"),
    }
}

async fn described(spec: &AnalysisSpec, columns: Columns, features: &[&str]) -> DataReport {
    let features: Vec<String> = features.iter().map(|feature| (*feature).to_owned()).collect();
    let (none, cancel) = (Population::new(), CancellationToken::new());
    describe(table(vec![batch(columns)]), spec, &features, &none, &cancel).await.unwrap()
}

#[tokio::test]
async fn which_label_is_positive_is_asked_and_never_guessed() {
    let answers: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..100).map(|row| if row % 4 == 0 { "yes" } else { "no" }),
    ));
    let columns = || {
        let mut columns = people();
        columns[0].1 = Arc::clone(&answers);
        columns
    };
    let spec = AnalysisSpec::new("y", ["sex"]);
    let faults = refused(&spec, columns(), &Population::new()).await;
    let places: Vec<&str> = faults.iter().map(|fault| fault.where_.as_str()).collect();
    assert_eq!(places, ["/positive_label"], "{faults:?}");
    let spec = AnalysisSpec { positive_label: Some("yes".to_owned()), ..spec };
    let report = described(&spec, columns(), &[]).await;
    assert!(close(report.tables[0].groups[0].base_rate.unwrap(), 0.25));
}

#[tokio::test]
async fn whole_numbers_may_be_names_and_a_unique_id_says_nothing() {
    let mut columns = people();
    // The same mean for women and men, and yet each code is of one sex.
    columns.push((
        "postcode",
        Arc::new(Int64Array::from_iter_values(
            (0..100).map(|row| 8_000 + if row < 60 { row % 2 * 3 } else { 1 + row % 2 }),
        )),
    ));
    columns.push((
        "id",
        Arc::new(StringArray::from_iter_values((0..100).map(|row| format!("id{row}")))),
    ));
    let spec = AnalysisSpec::new("y", ["sex"]);
    let report = described(&spec, columns, &["id", "height", "postcode"]).await;
    let names: Vec<&str> = report.proxies.iter().map(|proxy| proxy.column.as_str()).collect();
    assert_eq!(names, ["postcode", "height", "id"]);
    let [postcode, _, id] = &report.proxies[..] else { panic!("{names:?}") };
    assert!(postcode.correlation_ratio.unwrap() < 1e-6, "{postcode:?}");
    assert!(close(postcode.association.unwrap().cramers_v, 1.0), "{postcode:?}");
    assert!(postcode.strength.unwrap() > 0.98, "{postcode:?}");
    assert!(close(id.association.unwrap().cramers_v, 1.0), "{id:?}");
    assert!(id.strength.unwrap() < 0.01, "{id:?}");
}

#[tokio::test]
async fn weights_are_in_the_shares_and_in_no_test() {
    let mut columns = people();
    columns.push((
        "w",
        Arc::new(Float64Array::from_iter_values((0..100).map(|row| f64::from(1 + row % 3)))),
    ));
    let spec = AnalysisSpec { weight: Some("w".to_owned()), ..AnalysisSpec::new("y", ["sex"]) };
    let report = described(&spec, columns, &["street"]).await;
    let street = report.proxies[0].association.unwrap();
    assert_eq!((street.p, street.cramers_v_corrected), (None, None));
    assert!(close(report.proxies[0].strength.unwrap(), 1.0));
}

#[tokio::test]
async fn what_an_analysis_looks_for_is_nothing_to_the_data_alone() {
    let spec = AnalysisSpec {
        analysis_type: AnalysisType::EqualizedOdds,
        prediction: Some("shoe".to_owned()),
        positive_label: Some("left".to_owned()),
        ..AnalysisSpec::new("shoe2", ["sex"])
    };
    let mut columns = people();
    let shoe = Arc::clone(&columns[3].1);
    columns.push(("shoe2", shoe));
    let report = described(&spec, columns, &["street", "height"]).await;
    assert_eq!(report.proxies.len(), 2, "{:?}", report.notes);
}

#[tokio::test]
async fn a_population_that_is_not_of_these_data_is_told() {
    let shares = |one: &str, other: &str| -> BTreeMap<String, f64> {
        [(one.to_owned(), 0.5), (other.to_owned(), 0.5)].into()
    };
    let spec = AnalysisSpec::new("y", ["sex", "shoe"]);
    let turned = Population::from([("shoe|sex".to_owned(), shares("left|F", "right|M"))]);
    let faults = refused(&spec, people(), &turned).await;
    assert_eq!(faults[0].where_, "/population/shoe|sex");
    assert!(faults[0].hint.as_deref().unwrap().contains("sex|shoe"), "{faults:?}");
    let single = AnalysisSpec { intersection_depth: Some(1), ..spec.clone() };
    let joint = Population::from([("sex|shoe".to_owned(), shares("F|left", "M|right"))]);
    assert_eq!(refused(&single, people(), &joint).await[0].code, "unknown_attribute");
    let others = Population::from([("sex".to_owned(), shares("Female", "Male"))]);
    let faults = refused(&spec, people(), &others).await;
    assert_eq!(faults[0].hint.as_deref(), Some("The data's groups are: F, M."), "{faults:?}");
}

#[tokio::test]
async fn combinations_of_too_many_groups_are_left_out_and_named() {
    let rows = 0..6_400_i64;
    let number = |of: fn(i64) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.clone().map(of)))
    };
    let columns = vec![
        ("y", number(|row| row % 3 % 2)),
        ("a", number(|row| row % 80)),
        ("b", number(|row| row / 80)),
    ];
    let spec = AnalysisSpec::new("y", ["a", "b"]);
    let report = described(&spec, columns.clone(), &[]).await;
    assert_eq!(report.tables.len(), 2);
    assert!(report.notes.iter().any(|note| note.contains("a|b has 6400 groups")));

    let (data, cancel) = (table(vec![batch(columns)]), CancellationToken::new());
    let cube = read_cube(data, &spec, &(), &cancel).await.unwrap();
    let options = ReportOptions::default();
    let eeoc = eeoc::report(&cube, &spec, &options).unwrap();
    let ll144 = ll144::report(&cube, &spec, &options).unwrap();
    assert_eq!((eeoc.sections.len(), ll144.selection.unwrap().tables.len()), (2, 2));
    for notes in [eeoc.notes, ll144.notes] {
        assert!(notes.iter().any(|note| note.contains("a|b has 6400 groups")), "{notes:?}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told_by_column_and_group() {
    let mut columns = people();
    // Of 60 women 15 have no income, of 40 men 2; NaN is none either.
    columns.push((
        "income",
        Arc::new(Float64Array::from_iter((0..100).map(|row| match row {
            0..10 | 60 => None,
            10..15 | 61 => Some(f64::NAN),
            _ => Some(f64::from(row)),
        }))),
    ));
    let spec = AnalysisSpec::new("y", ["sex", "shoe"]);
    let report = described(&spec, columns, &["income"]).await;
    assert_eq!(report.tables.len(), 3);
    let sex = &report.tables[0];
    let names: Vec<&str> = sex.completeness.iter().map(|one| one.column.as_str()).collect();
    // The features first; neither the label nor the table's own attribute.
    assert_eq!(names, ["income", "street", "shoe", "height"]);
    let income = &sex.completeness[0];
    assert_eq!((income.missing, income.share), (17, 0.17));
    let found: Vec<(&str, u64, u64, f64)> = income
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.n, group.missing, group.share))
        .collect();
    assert_eq!(found, [("F", 60, 15, 0.25), ("M", 40, 2, 0.05)]);
    // Wilson 1927, by its formula at z = 1.959963984540054.
    let interval = &income.groups[0].interval;
    assert!(close(interval.lower, 0.157_765_225_300_566_75), "{interval:?}");
    assert!(close(interval.upper, 0.372_320_700_770_478_2), "{interval:?}");
    assert!(sex.completeness[1..].iter().all(|one| one.missing == 0));
    let both = &report.tables[2].completeness[0];
    assert_eq!(both.groups.len(), 4);
    assert_eq!(both.groups.iter().map(|group| group.missing).sum::<u64>(), 17);
    let written = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<DataReport>(&written).unwrap(), report);
}

#[tokio::test]
async fn very_many_columns_are_bounded_and_it_is_said() {
    let mut columns = people();
    let names: Vec<&'static str> =
        (0..MAX_COLUMNS).map(|at| &*Box::leak(format!("c{at}").into_boxed_str())).collect();
    for name in names {
        columns.push((name, Arc::new(Int64Array::from_iter_values(0..100))));
    }
    let report = described(&AnalysisSpec::new("y", ["sex"]), columns, &["c99"]).await;
    let found = &report.tables[0].completeness;
    assert_eq!(found[0].column, "c99");
    // `sex` itself is among the columns that are counted.
    assert_eq!(found.len(), MAX_COLUMNS - 1);
    assert!(
        report.notes.iter().any(|note| note.contains("100 columns; 4 more")),
        "{:?}",
        report.notes
    );
}
