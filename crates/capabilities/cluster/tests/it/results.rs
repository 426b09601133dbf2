//! What a cluster finds is what is found here: bit for bit where rows are counted, and to the last digits where weights are
//! added up, as their order is another.

use ephor_fairness::{
    AnalysisResult, AnalysisSpec, counts_codes,
    law::{LawSpec, Rule},
};
use ephor_tabular::{OpenOptions, Source, open};
use serde_json::{Value, to_value};

use crate::support::{here, loopback, people, spec, there, whole};

#[tokio::test]
async fn the_same_is_found_here_and_there() {
    let folder = tempfile::tempdir().unwrap();
    // A name that URLs write otherwise, and without the usual ending.
    let path = folder.path().join("some people 100%");
    people(&path, 2_000);
    let loopback = loopback(8).await;
    let bare = AnalysisSpec { prediction: None, score: None, ..spec() };
    let weighted = AnalysisSpec { weight: Some("w".to_owned()), ..spec() };
    let within = AnalysisSpec { strata: Some("job".to_owned()), prediction: None, ..spec() };
    let law = Some(LawSpec::new([Rule::Ll144]));
    let unlabelled = AnalysisSpec { target: None, law, ..spec() };
    let scored = AnalysisSpec { prediction: None, ..unlabelled.clone() };
    for spec in [spec(), bare, weighted, within, unlabelled, scored] {
        let here = here(&path, &spec).await.unwrap();
        let there = there(&loopback.cluster, &path, 2_000, &spec).await.unwrap();
        assert_same(&spec, &here, &there);
    }
}

/// Bit for bit, or but for the last digits where weights are added up.
fn assert_same(spec: &AnalysisSpec, here: &AnalysisResult, there: &AnalysisResult) {
    if spec.weight.is_some() {
        assert_near(&to_value(here).unwrap(), &to_value(there).unwrap(), "");
    } else {
        assert_eq!(whole(here), whole(there));
    }
}

/// Equal but for the last digits of numbers.
pub fn assert_near(here: &Value, there: &Value, place: &str) {
    match (here, there) {
        (Value::Object(here), Value::Object(there)) => {
            assert!(here.keys().eq(there.keys()), "{place}");
            here.iter()
                .for_each(|(key, one)| assert_near(one, &there[key], &format!("{place}/{key}")));
        }
        (Value::Array(here), Value::Array(there)) => {
            assert_eq!(here.len(), there.len(), "{place}");
            for (at, (here, there)) in here.iter().zip(there).enumerate() {
                assert_near(here, there, &format!("{place}/{at}"));
            }
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            let near = (one - other).abs() <= 1e-9 * one.abs().max(1.0);
            assert!(near, "{place}: {one} is not {other}");
        }
        _ => assert_eq!(here, there, "{place}"),
    }
}

/// As the table is opened for an analysis: by way of Arrow's arrays it would take three times as long.
#[tokio::test]
async fn a_file_here_is_counted_where_its_codes_lie() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 1_000);
    let table = open(Source::Path(path), OpenOptions::default()).await.unwrap();
    // Each score is another one: those are no codes.
    let spec = AnalysisSpec { score: None, ..spec() };
    let unlabelled = AnalysisSpec { target: None, ..spec.clone() };
    for spec in [spec, unlabelled] {
        assert!(counts_codes(&table.dataframe().unwrap(), &spec).await.unwrap());
    }
}

/// More values than there are codes: they are counted there before the cube is made there.
#[tokio::test]
async fn very_many_values_are_counted_there_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    let rows = 70_000;
    people(&path, rows);
    let loopback = loopback(4).await;
    let spec = AnalysisSpec {
        protected: vec!["id".to_owned(), "sex".to_owned()],
        reference_groups: [("id".to_owned(), "7".to_owned())].into(),
        score: None,
        ..spec()
    };
    let here = here(&path, &spec).await.unwrap();
    let there = there(&loopback.cluster, &path, rows, &spec).await.unwrap();
    let names = here.attributes[0].groups.iter().map(|group| (group.name.as_str(), group.n));
    assert_eq!(names.collect::<Vec<_>>(), [("(other)", 69_999), ("7", 1)]);
    assert_same(&spec, &here, &there);
}

#[tokio::test]
async fn what_is_refused_here_is_refused_there_in_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 1_000);
    let loopback = loopback(4).await;
    let no_label = AnalysisSpec { target: Some("s".to_owned()), score: None, ..spec() };
    let no_column = AnalysisSpec { target: Some("yy".to_owned()), ..spec() };
    let no_prediction = AnalysisSpec { prediction: Some("job_".to_owned()), ..spec() };
    for spec in [no_label, no_column, no_prediction] {
        let here = here(&path, &spec).await.unwrap_err();
        let there = there(&loopback.cluster, &path, 1_000, &spec).await.unwrap_err();
        let codes = |error: &ephor_fairness::AnalysisError| {
            error.faults().iter().map(|fault| fault.code.clone()).collect::<Vec<_>>()
        };
        assert!(!codes(&here).is_empty(), "{here}");
        assert_eq!(codes(&here), codes(&there), "{here}\n{there}");
    }
}

#[tokio::test]
#[ignore = "at size: minutes"]
async fn the_same_is_found_at_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    people(&path, 1_000_000);
    let loopback = loopback(32).await;
    let weighted = AnalysisSpec { weight: Some("w".to_owned()), ..spec() };
    for spec in [spec(), weighted] {
        let here = here(&path, &spec).await.unwrap();
        let there = there(&loopback.cluster, &path, 1_000_000, &spec).await.unwrap();
        assert_same(&spec, &here, &there);
    }
}
