use ephor_explain::summary::Without;

use super::*;
use crate::{
    plot::explained::tests::{sample, whole},
    samples,
};

/// One that looks as such do, to be looked at.
pub(crate) fn preview() -> Summary {
    let names = [
        "age",
        "education_num",
        "capital_gain",
        "hours_per_week",
        "marital_status",
        "occupation",
        "relationship",
        "workclass",
        "race",
        "sex",
        "native_country",
    ];
    sample(&names.map(ToOwned::to_owned), &["Male", "Female", "Unknown"])
}

pub(crate) fn report_of(summary: &Summary) -> String {
    let meta = ReportMeta::new("Explanation of model.json", "adult.csv", samples::moment());
    html(std::slice::from_ref(summary), &[], &meta).unwrap()
}

fn report(summaries: &[Summary]) -> String {
    let asked = [("Asked <b>".to_owned(), "<i>".to_owned())];
    let meta = ReportMeta::new("An <explanation>", "rows.csv", samples::moment());
    html(summaries, &asked, &meta).unwrap()
}

#[test]
fn it_fetches_nothing_runs_nothing_and_escapes() {
    let page = report(&[whole(5)]);
    for outside in
        ["src=\"", "href=\"http", "url(", "@import", " style=\"", "<script", "<i>", "<explanation>"]
    {
        assert!(!page.contains(outside), "the page holds `{outside}`");
    }
    for part in [
        "What was asked",
        "Exact SHAP values, path-dependent",
        "Asked &#60;b&#62;",
        "<h2>Features</h2>",
        "What is lost without each feature",
        "A linear model near row 4",
        "Base + sum of a row\u{2019}s values = margin",
        "Made by Ephor",
    ] {
        assert!(page.contains(part), "`{part}` is missing");
    }
}

#[test]
fn no_id_is_used_twice_by_several_outputs() {
    let mut second = whole(3);
    second.output_name = Some("Second".to_owned());
    let page = report(&[whole(3), second]);
    let ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert!(page.contains("Second: plots") && page.contains("Output 0: plots"));
}

#[test]
fn the_largest_error_is_that_of_all_outputs() {
    let with = |error: f64, exact: u64| {
        let mut summary = whole(3);
        summary.estimate = Some(Estimate { error, exact });
        summary
    };
    let summaries = [with(0.01, 4), with(0.25, 3)];
    let told = facts_of(&summaries[0], summaries.len(), estimate(&summaries));
    assert!(told.contains(&("Largest standard error".to_owned(), format::decimal(0.25))));
    assert!(told.contains(&("Rows with exact values".to_owned(), format::count(3))));
}

#[test]
fn plots_are_files_by_their_names() {
    let summary = whole(4);
    for plot in drawings(&summary) {
        let file = drawing(&summary, &plot.name).unwrap().standalone();
        assert!(file.starts_with("<?xml") && !plot.title.is_empty());
    }
    assert!(drawing(&summary, "other").is_none());
}

#[test]
fn every_row_is_as_long_as_its_head() {
    for section in tables::sections(&whole(33)) {
        assert!(section.rows.iter().all(|row| row.len() == section.heads.len()), "{section:?}");
    }
}

#[test]
fn why_groups_were_not_tested_is_told() {
    let mut summary = whole(5);
    let told =
        |summary: &Summary| notes(summary).iter().any(|note| note.contains("was not tested"));
    assert!(!told(&summary));
    summary.groups.as_mut().unwrap().untested = Some("there are 1 groups".to_owned());
    assert!(told(&summary));
}

#[test]
fn an_effect_that_is_not_there_is_told_with_its_reason() {
    let mut summary = whole(5);
    let reasons = ["feature 0 has 600 categories; at most 512 are put into an order".to_owned()];
    summary.without_effect = vec![Without::of(0, &reasons)];
    let told = format!(
        "There is no effect of \u{201c}{}\u{201d}: it has 600 categories; at most 512 are put into an order.",
        summary.name(0)
    );
    assert!(notes(&summary).iter().any(|note| *note == told), "{:?}", notes(&summary));
    assert!(report_of(&summary).contains("it has 600 categories"));
}
