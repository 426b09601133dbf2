//! Local Law 144 and the Uniform Guidelines, against an independent computation.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use datafusion::prelude::CsvReadOptions;
use ephor_fairness::{
    AnalysisError, AnalysisSpec, CancellationToken,
    cube::{Cube, Layout},
    law::{ReportOptions, eeoc, ll144},
    read_cube,
    significance::{
        Selection, adjust, fisher,
        power::{USUAL_POWER, detectable},
    },
};
use serde_json::Value;

use crate::support::{DataSet, close, context, data_sets, reference_json};

async fn cube(set: &DataSet, spec: &AnalysisSpec) -> Cube {
    let table =
        context(2).read_csv(set.file.to_str().unwrap(), CsvReadOptions::new()).await.unwrap();
    read_cube(table, spec, &(), &CancellationToken::new()).await.unwrap()
}

fn two_percent() -> ReportOptions {
    ReportOptions {
        exclude_below: Some(0.02),
        exclude_reason: Some("too few to tell".to_owned()),
        ..ReportOptions::default()
    }
}

fn same(ours: Option<f64>, theirs: &Value, what: &str) {
    match (ours, theirs.as_f64()) {
        (Some(ours), Some(theirs)) => assert!(close(ours, theirs), "{what}: {ours}, {theirs}"),
        (ours, theirs) => panic!("{what}: {ours:?} here, {theirs:?} there"),
    }
}

/// Equal in nine digits, however small: down to where numbers have no digits left.
fn same_p(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= 1e-9 * theirs + 1e-290, "{what}: {ours} here, {theirs} there");
}

#[tokio::test]
async fn local_law_144() {
    for set in data_sets() {
        let spec = set.spec();
        let report =
            ll144::report(&cube(&set, &spec).await, &spec, &ReportOptions::default()).unwrap();
        let truth = reference_json(&format!("{}/independent.json", set.name));
        let (selection, scoring) = (report.selection.unwrap(), report.scoring.unwrap());
        let mut equal = 0;
        for (name, found) in truth["attributes"].as_object().unwrap() {
            let kinds = [
                (&selection.tables, "ll144_selection_rate", "selection_rate", "selected"),
                (&scoring.part.tables, "ll144_scoring_rate", "scoring_rate", "above_median"),
            ];
            for (tables, kind, rate, count) in kinds {
                let theirs = &found[kind];
                let table =
                    tables.iter().find(|table| table.attributes.join("|") == *name).unwrap();
                assert_eq!(table.highest.as_deref(), theirs["highest"].as_str(), "{name} {kind}");
                for category in &table.categories {
                    let row = &theirs["rows"][&category.name];
                    let what = format!("{} {name} {} {kind}", set.name, category.name);
                    assert_eq!(Some(category.applicants), row["n"].as_u64(), "{what}");
                    assert_eq!(Some(category.selected), row[count].as_u64(), "{what}");
                    same(category.rate, &row[rate], &what);
                    same(category.impact_ratio, &row["impact_ratio"], &what);
                    equal += 1;
                }
            }
        }
        same(
            Some(scoring.median),
            &truth["attributes"]["sex"]["ll144_scoring_rate"]["median_of_all_scores"],
            "median",
        );
        assert_eq!((scoring.in_median_bin, scoring.part.without), (None, 0));
        assert!(equal > 30, "{equal}");
        assert!(report.notes[0].contains("no pass line"));
    }
}

/// Holm's and Benjamini and Hochberg's p of each group against the highest, over all pairs of the groups compared.
fn over_all_pairs(section: &eeoc::Section) -> BTreeMap<String, (f64, f64)> {
    let compared: Vec<&eeoc::Line> =
        section.groups.iter().filter(|line| line.excluded.is_none()).collect();
    let (mut pairs, mut p) = (Vec::new(), Vec::new());
    for (at, one) in compared.iter().enumerate() {
        for other in &compared[at + 1..] {
            pairs.push((&one.name, &other.name));
            p.push(fisher::exact(one.selection, other.selection));
        }
    }
    let (holm, hochberg) = (adjust::holm(&p), adjust::benjamini_hochberg(&p));
    let highest = section.highest.as_ref().unwrap();
    pairs
        .iter()
        .enumerate()
        .filter_map(|(at, (one, other))| {
            let name = match (*one == highest, *other == highest) {
                (true, _) => other,
                (_, true) => one,
                _ => return None,
            };
            Some(((*name).clone(), (holm[at], hochberg[at])))
        })
        .collect()
}

#[tokio::test]
async fn the_uniform_guidelines() {
    for set in data_sets() {
        let spec = set.spec();
        let cube = cube(&set, &spec).await;
        let truth = reference_json(&format!("{}/independent.json", set.name));
        let mut equal = 0;
        for (kind, options) in
            [("all_groups", ReportOptions::default()), ("groups_of_at_least_2pct", two_percent())]
        {
            let report = eeoc::report(&cube, &spec, &options).unwrap();
            for (name, found) in truth["attributes"].as_object().unwrap() {
                let theirs = &found["eeoc_ugesp"][kind];
                let Some(rows) = theirs["rows"].as_object() else { continue };
                let section =
                    report.sections.iter().find(|one| one.attributes.join("|") == *name).unwrap();
                assert_eq!(
                    section.highest.as_deref(),
                    theirs["reference_most_selected"].as_str(),
                    "{name}"
                );
                if let Some(p) = theirs["omnibus_chi2"]["p"].as_f64() {
                    let ours = section.overall.unwrap().p;
                    assert!((ours - p).abs() <= 1e-9 * p, "{name}: {ours} {p}");
                }
                let compared = section.groups.iter().filter(|line| line.excluded.is_none());
                let family = over_all_pairs(section);
                assert_eq!(compared.clone().count(), rows.len(), "{} {name} {kind}", set.name);
                for line in compared {
                    let row = &rows[&line.name];
                    let what = format!("{} {name} {kind} {}", set.name, line.name);
                    same(line.rate, &row["rate"], &what);
                    same(line.impact_ratio, &row["impact_ratio"], &what);
                    assert_eq!(
                        line.below_four_fifths.map(|below| !below),
                        row["four_fifths_pass"].as_bool(),
                        "{what}"
                    );
                    let Some(ours) = &line.comparison else { continue };
                    same(Some(ours.difference), &row["difference"], &what);
                    same(
                        Some(ours.difference_interval.lower),
                        &row["difference_ci95_newcombe"][0],
                        &what,
                    );
                    same_p(ours.fisher, &row["fisher_exact_p_two_sided"], &what);
                    same_p(ours.mid_p, &row["fisher_mid_p_two_sided"], &what);
                    // Theirs is over the tests against the highest: the same of two groups only.
                    if rows.len() == 2 {
                        same_p(ours.fisher_holm, &row["fisher_p_holm"], &what);
                        same_p(ours.fisher_bh, &row["fisher_p_bh"], &what);
                    } else {
                        let (holm, hochberg) = family[&line.name];
                        same_p(ours.fisher_holm, &holm.into(), &what);
                        same_p(ours.fisher_bh, &hochberg.into(), &what);
                        // Below the least normal number digits are lost.
                        let least = ours.fisher_holm * 1.000_001 + f64::MIN_POSITIVE;
                        assert!(row["fisher_p_holm"].as_f64().unwrap() <= least, "{what}");
                    }
                    same(ours.standard_deviations, &row["z_pooled"]["z"], &what);
                    assert_eq!(Some(ours.beyond_two), row["more_than_two_sd"].as_bool(), "{what}");
                    same(Some(ours.shortfall), &row["shortfall_selections"], &what);
                    let two_more = &row["fisher_p_if_two_more_selected_in_this_group"];
                    if two_more.is_number() && line.selection.selected + 2 <= line.selection.of {
                        same_p(ours.fisher_two_more, two_more, &what);
                    }
                    if let (Some(moved), Some(ratio)) =
                        (ours.flip_flop, row["flip_flop_ratio(+1 here,-1 reference)"].as_f64())
                        && let Some(ours) = moved.ratio
                    {
                        assert!(close(ours, ratio), "{what}: {ours} {ratio}");
                    }
                    equal += 1;
                }
            }
        }
        assert!(equal > 15, "{equal}");
    }
}

#[tokio::test]
async fn within_strata() {
    let mut equal = 0;
    for set in data_sets() {
        let truth = reference_json(&format!("{}/independent.json", set.name));
        let theirs = &truth["cmh_selection"];
        let text = |name: &str| theirs[name].as_str().unwrap().to_owned();
        let spec = AnalysisSpec {
            protected: vec![text("attribute"), text("stratified_by")],
            ..set.spec()
        };
        let options =
            ReportOptions { strata: Some(text("stratified_by")), ..ReportOptions::default() };
        let cube = cube(&set, &spec).await;
        let report = eeoc::report(&cube, &spec, &options).unwrap();
        assert_eq!(report.sections.len(), 1);
        // The reference of these figures is the largest group; the guidelines' is the one with the highest rate.
        if report.sections[0].highest != Some(text("reference")) {
            continue;
        }
        for line in &report.sections[0].groups {
            let Some(found) = line.comparison.as_ref().and_then(|one| one.stratified) else {
                continue;
            };
            let row = &theirs["rows"][&line.name];
            same(Some(found.test.statistic), &row["chi2_no_cc"], &line.name);
            same(Some(found.corrected.statistic), &row["chi2_cc"], &line.name);
            same(found.odds_ratio, &row["mh_odds_ratio"], &line.name);
            equal += 1;
        }
    }
    assert!(equal > 0, "nothing was compared");
}

fn small(rows: &[(Option<&str>, bool, f64)]) -> Cube {
    let mut cube = Cube::new(Layout {
        attributes: 1,
        label: true,
        prediction: true,
        score: true,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| 1))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(row.1)))),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2))),
    ];
    cube.update(&columns).unwrap();
    cube
}

fn small_spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("selected".to_owned()),
        score: Some("score".to_owned()),
        ..AnalysisSpec::new("y", ["sex"])
    }
}

#[test]
fn the_unknown_are_counted_and_in_no_category() {
    let rows = [
        (Some("F"), false, 0.1),
        (Some("M"), true, 0.9),
        (None, true, 0.8),
        (Some("not stated"), true, 0.7),
    ];
    let options =
        ReportOptions { unknown: ["not stated".to_owned()].into(), ..ReportOptions::default() };
    let report = ll144::report(&small(&rows), &small_spec(), &options).unwrap();
    let table = &report.selection.unwrap().tables[0];
    assert_eq!(table.unknown, 2);
    let names: Vec<_> = table.categories.iter().map(|category| category.name.as_str()).collect();
    assert_eq!(names, ["F", "M"]);
    assert_eq!(table.categories[0].impact_ratio, Some(0.0));
}

#[test]
fn who_is_left_out_is_shown_with_number_rate_and_reason() {
    let mut rows = vec![(Some("F"), true, 0.6); 60];
    rows.extend(vec![(Some("M"), false, 0.2); 60]);
    rows.push((Some("X"), true, 0.9));
    let report = ll144::report(&small(&rows), &small_spec(), &two_percent()).unwrap();
    let table = &report.selection.unwrap().tables[0];
    let few = table.categories.iter().find(|category| category.name == "X").unwrap();
    assert_eq!((few.applicants, few.rate, few.impact_ratio), (1, Some(1.0), None));
    assert_eq!(few.excluded.as_deref(), Some("too few to tell"));
    assert_eq!(table.highest.as_deref(), Some("F"));
}

#[test]
fn nobody_selected_has_no_ratio() {
    let rows = [(Some("F"), false, 0.1), (Some("M"), false, 0.9)];
    let cube = small(&rows);
    let report = eeoc::report(&cube, &small_spec(), &ReportOptions::default()).unwrap();
    assert!(report.sections[0].groups.iter().all(|line| line.impact_ratio.is_none()));
    assert_eq!(report.sections[0].indication, eeoc::Indication::None);
    let report = ll144::report(&cube, &small_spec(), &ReportOptions::default()).unwrap();
    let categories = &report.selection.unwrap().tables[0].categories;
    assert!(categories.iter().all(|category| category.impact_ratio.is_none()));
}

#[test]
fn one_person_is_no_evidence() {
    let mut rows = vec![(Some("F"), false, 0.1); 4];
    rows.extend([(Some("F"), true, 0.6), (Some("M"), true, 0.6), (Some("M"), true, 0.6)]);
    rows.extend(vec![(Some("M"), false, 0.6); 3]);
    let report = eeoc::report(&small(&rows), &small_spec(), &ReportOptions::default()).unwrap();
    let line = &report.sections[0].groups[0];
    let found = line.comparison.as_ref().unwrap();
    assert_eq!(line.below_four_fifths, Some(true));
    assert!(found.flip_flop.unwrap().reverses);
    assert_eq!(found.indication, eeoc::Indication::RateOnly);
    assert!(found.detectable.is_none(), "five people can show nothing");
}

fn hired(groups: &[(&'static str, usize, usize)]) -> Cube {
    let mut rows = Vec::new();
    for (name, selected, of) in groups {
        rows.extend((0..*of).map(|at| (Some(*name), at < *selected, 0.5)));
    }
    small(&rows)
}

#[test]
fn exactly_four_fifths_is_not_below_it() {
    let cube = hired(&[("F", 40, 60), ("M", 50, 60), ("X", 39, 60)]);
    let eeoc = eeoc::report(&cube, &small_spec(), &ReportOptions::default()).unwrap();
    let below = eeoc.sections[0].groups.iter().map(|line| line.below_four_fifths);
    assert_eq!(below.collect::<Vec<_>>(), [Some(false), Some(false), Some(true)]);
    let ll144 = ll144::report(&cube, &small_spec(), &ReportOptions::default()).unwrap();
    let table = &ll144.selection.unwrap().tables[0];
    let below = table.categories.iter().map(|category| category.below_four_fifths);
    assert_eq!(below.collect::<Vec<_>>(), [Some(false), Some(false), Some(true)]);
}

#[test]
fn what_a_sample_could_show_is_asked_at_the_level_of_so_many_tests() {
    let cube = hired(&[("F", 40, 100), ("M", 50, 100), ("X", 45, 100)]);
    let report = eeoc::report(&cube, &small_spec(), &ReportOptions::default()).unwrap();
    let found = report.sections[0].groups[0].comparison.as_ref().unwrap();
    let level = (1.0 - small_spec().confidence) / 3.0;
    assert_eq!(found.detectable, detectable(100, Selection::new(50, 100), level, USUAL_POWER));
}

#[test]
fn only_a_group_that_was_named_is_compared_with_alone() {
    let cube = hired(&[("F", 30, 100), ("M", 50, 100), ("X", 47, 100)]);
    let asked = |reference: Option<&str>| {
        let named = reference.map(|name| ("sex".to_owned(), name.to_owned()));
        let spec = AnalysisSpec { reference_groups: named.into_iter().collect(), ..small_spec() };
        let report = eeoc::report(&cube, &spec, &ReportOptions::default()).unwrap();
        let section = &report.sections[0];
        let found = section.groups[0].comparison.clone().unwrap();
        (section.family.unwrap(), found.fisher, found.fisher_holm, found.indication)
    };
    let (family, p, holm, _) = asked(None);
    assert_eq!((family.tests, family.is_named, holm), (3, false, 3.0 * p));
    // M is named, and is the highest.
    let (family, alone, holm, indication) = asked(Some("M"));
    assert_eq!((family.tests, family.is_named, holm), (2, true, 2.0 * p));
    assert_eq!((alone, indication), (p, eeoc::Indication::Both));
    // X is named, but M is compared with, which the data picked.
    let (family, _, holm, _) = asked(Some("X"));
    assert_eq!((family.tests, family.is_named, holm), (3, false, 3.0 * p));
}

#[test]
fn every_fault_of_the_question_is_told() {
    let cube = small(&[(Some("F"), true, 0.1)]);
    let spec = AnalysisSpec { weight: Some("w".to_owned()), ..small_spec() };
    let options =
        ReportOptions { exclude_below: Some(0.1), strata: Some("job".to_owned()), ..two_percent() };
    let Err(AnalysisError::Invalid(faults)) = eeoc::report(&cube, &spec, &options) else {
        panic!("it was accepted")
    };
    let places: Vec<_> = faults.iter().map(|fault| fault.where_.as_str()).collect();
    assert_eq!(places, ["/exclude_below", "/weight", "/strata"]);
    let unreasoned = ReportOptions { exclude_reason: None, ..two_percent() };
    let Err(AnalysisError::Invalid(faults)) = ll144::report(&cube, &small_spec(), &unreasoned)
    else {
        panic!("it was accepted")
    };
    assert_eq!(faults[0].where_, "/exclude_reason");
}
