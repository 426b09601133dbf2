//! Properties: order, partitioning and repetition change nothing, complements mirror.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisSpec, analyze_cube,
    cube::{Cube, Layout},
    data,
    law::{ReportOptions, Rule, report},
};
use proptest::prelude::*;

use crate::support::{Find, FindIn, value};

#[derive(Debug, Clone)]
struct Row {
    group: Option<u8>,
    other: u8,
    label: Option<bool>,
    prediction: Option<bool>,
    score: Option<u8>,
    weight: u8,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::weighted(0.9, 0_u8..4),
        0_u8..3,
        prop::option::weighted(0.95, any::<bool>()),
        prop::option::weighted(0.95, any::<bool>()),
        prop::option::weighted(0.95, 0_u8..=40),
        0_u8..5,
    )
        .prop_map(|(group, other, label, prediction, score, weight)| Row {
            group,
            other,
            label,
            prediction,
            score,
            weight,
        });
    prop::collection::vec(row, 1..120)
}

fn layout(weight: bool) -> Layout {
    Layout {
        attributes: 2,
        label: true,
        prediction: true,
        score: true,
        weight,
        positive: None,
        threshold: 0.5,
    }
}

fn columns(rows: &[Row], weight: bool) -> Vec<ArrayRef> {
    let bit = |value: Option<bool>| value.map(i64::from);
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter(
            rows.iter().map(|row| row.group.map(|group| format!("g{group}"))),
        )),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| Some(i64::from(row.other))))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| bit(row.label)))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| bit(row.prediction)))),
        Arc::new(Float64Array::from_iter(
            rows.iter().map(|row| row.score.map(|score| f64::from(score) / 40.0)),
        )),
    ];
    if weight {
        columns.push(Arc::new(Float64Array::from_iter_values(
            rows.iter().map(|row| f64::from(row.weight)),
        )));
    }
    columns
}

fn cube(rows: &[Row], weight: bool) -> Cube {
    let mut cube = Cube::new(layout(weight));
    cube.update(&columns(rows, weight)).unwrap();
    cube
}

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        score: Some("s".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g", "h"])
    }
}

/// By the first attribute, within the second.
fn within() -> AnalysisSpec {
    AnalysisSpec { strata: Some("h".to_owned()), protected: vec!["g".to_owned()], ..spec() }
}

/// Metrics of all groups by name, to compare two results whatever their cells' order.
fn numbers(cube: &Cube, spec: &AnalysisSpec) -> Option<Vec<(String, String, Option<f64>)>> {
    let result = analyze_cube(cube, spec).ok()?;
    let mut all = Vec::new();
    for attribute in result.attributes.iter().chain(&result.intersections) {
        for group in &attribute.groups {
            all.extend(group.metrics.iter().map(|metric| {
                (format!("{} {}", attribute.name, group.name), metric.id.clone(), metric.value)
            }));
        }
        all.extend(
            attribute
                .disparities
                .iter()
                .map(|disparity| (attribute.name.clone(), disparity.id.clone(), disparity.value)),
        );
    }
    Some(all)
}

fn assert_close(
    left: Option<Vec<(String, String, Option<f64>)>>,
    right: Option<Vec<(String, String, Option<f64>)>>,
) {
    assert_eq!(left.is_some(), right.is_some());
    for (left, right) in left.unwrap_or_default().iter().zip(right.unwrap_or_default()) {
        assert_eq!((&left.0, &left.1), (&right.0, &right.1));
        match (left.2, right.2) {
            (Some(one), Some(other)) => {
                assert!((one - other).abs() <= 1e-12 * one.abs().max(1.0), "{left:?} {right:?}");
            }
            (None, None) => {}
            _ => panic!("{left:?} {right:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_changes_nothing(mut shuffled in rows(), by in 0_usize..100) {
        let before = cube(&shuffled, true);
        let middle = by % shuffled.len();
        shuffled.rotate_left(middle);
        shuffled.reverse();
        let after = cube(&shuffled, true);
        for spec in [spec(), within()] {
            assert_close(numbers(&before, &spec), numbers(&after, &spec));
        }
    }

    #[test]
    fn partitions_merge_in_any_order_to_the_same(all in rows(), first in 0_usize..120, second in 0_usize..120) {
        let (first, second) = (first.min(second).min(all.len()), first.max(second).min(all.len()));
        let parts = [&all[..first], &all[first..second], &all[second..]].map(|part| Cube::from_bytes(&cube(part, true).to_bytes()).unwrap());
        let [a, b, c] = &parts;
        let mut left = a.clone();
        left.merge(b).unwrap();
        left.merge(c).unwrap();
        let mut right = c.clone();
        let mut inner = b.clone();
        inner.merge(a).unwrap();
        right.merge(&inner).unwrap();
        for spec in [spec(), within()] {
            let whole = numbers(&cube(&all, true), &spec);
            assert_close(numbers(&left, &spec), whole.clone());
            assert_close(numbers(&right, &spec), whole);
        }
    }

    #[test]
    fn within_strata_the_complement_is_as_far_apart(all in rows()) {
        let Ok(result) = analyze_cube(&cube(&all, false), &within()) else { return Ok(()) };
        let mut mirrored = Cube::new(Layout { positive: Some("0".to_owned()), ..layout(false) });
        mirrored.update(&columns(&all, false)).unwrap();
        let swapped = AnalysisSpec { positive_label: Some("0".to_owned()), ..within() };
        let Ok(mirrored) = analyze_cube(&mirrored, &swapped) else { return Ok(()) };
        for (one, other) in [
            ("conditional_demographic_parity_difference", "conditional_demographic_parity_difference"),
            ("conditional_equal_opportunity_difference", "conditional_predictive_equality_difference"),
        ] {
            let (left, right) = (result.attribute("g").disparity(one), mirrored.attribute("g").disparity(other));
            match (left.value, right.value) {
                (Some(one), Some(other)) => prop_assert!((one - other).abs() < 1e-12),
                (one, other) => prop_assert_eq!(one, other),
            }
        }
        for disparity in &result.attribute("g").disparities {
            for p in [disparity.p_value, disparity.p_adjusted].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&p), "{} {p}", disparity.id);
            }
            if let (Some(value), Some(interval)) = (disparity.value, &disparity.interval) {
                prop_assert!(interval.lower <= value + 1e-9 && value <= interval.upper + 1e-9, "{} {value} {interval:?}", disparity.id);
            }
        }
    }

    #[test]
    fn a_weight_is_a_repetition(all in rows()) {
        let repeated: Vec<Row> = all.iter().flat_map(|row| std::iter::repeat_n(row.clone(), usize::from(row.weight))).collect();
        if repeated.is_empty() {
            return Ok(());
        }
        let weighted = AnalysisSpec { weight: Some("w".to_owned()), ..spec() };
        let (weighted, plain) = (analyze_cube(&cube(&all, true), &weighted), analyze_cube(&cube(&repeated, false), &spec()));
        let (Ok(weighted), Ok(plain)) = (weighted, plain) else { return Ok(()) };
        for group in &plain.attribute("g").groups {
            for metric in group.metrics.iter().filter(|metric| metric.id != "count") {
                let other = value(weighted.attribute("g").group(&group.name), &metric.id);
                match (metric.value, other) {
                    (Some(one), Some(other)) => prop_assert!((one - other).abs() < 1e-9, "{} {} {one} {other}", group.name, metric.id),
                    (one, other) => prop_assert_eq!(one, other, "{} {}", group.name, metric.id),
                }
            }
        }
    }

    #[test]
    fn reports_of_figures_do_not_depend_on_order_or_parts(all in rows(), at in 0_usize..120) {
        let at = at.min(all.len());
        let whole = cube(&all, false);
        let mut parts = cube(&all[at..], false);
        parts.merge(&cube(&all[..at], false)).unwrap();
        for rule in [Rule::Ll144, Rule::Eeoc] {
            let of = |cube: &Cube| report(rule, cube, &spec(), &ReportOptions::default()).ok();
            prop_assert_eq!(of(&whole), of(&parts));
        }
        let of = |cube: &Cube| data::report(cube, &spec(), &data::representation::Population::new()).ok();
        prop_assert_eq!(of(&whole), of(&parts));
    }

    #[test]
    fn complements_mirror(all in rows()) {
        let Ok(result) = analyze_cube(&cube(&all, false), &spec()) else { return Ok(()) };
        for group in &result.attribute("g|h").groups {
            for (rate, complement) in [("tpr", "fnr"), ("fpr", "tnr"), ("ppv", "fdr"), ("npv", "for"), ("accuracy", "zero_one_loss")] {
                match (value(group, rate), value(group, complement)) {
                    (Some(rate), Some(complement)) => prop_assert!((rate + complement - 1.0).abs() < 1e-12),
                    (one, other) => prop_assert_eq!(one, other),
                }
            }
            for metric in &group.metrics {
                let definition = ephor_fairness::metrics::find(&metric.id).unwrap();
                if let Some(value) = metric.value {
                    prop_assert!(definition.range.0 <= value && value <= definition.range.1, "{} {value}", metric.id);
                }
                if let (Some(value), Some(interval)) = (metric.value, &metric.interval) {
                    prop_assert!(interval.lower <= value + 1e-9 && value <= interval.upper + 1e-9, "{} {value} {interval:?}", metric.id);
                }
            }
        }
        // With the labels' meaning swapped, what was true positive is true negative.
        let swapped = Layout { positive: Some("0".to_owned()), ..layout(false) };
        let mut mirrored = Cube::new(swapped);
        mirrored.update(&columns(&all, false)).unwrap();
        let spec = AnalysisSpec { positive_label: Some("0".to_owned()), ..spec() };
        if let Ok(mirrored) = analyze_cube(&mirrored, &spec) {
            for group in &result.attribute("g").groups {
                let other = mirrored.attribute("g").group(&group.name);
                for (rate, mirror) in [("tpr", "tnr"), ("ppv", "npv"), ("fpr", "fnr"), ("accuracy", "accuracy")] {
                    prop_assert_eq!(value(group, rate), value(other, mirror));
                }
            }
        }
        // What is wrongly discovered differs by as much as what is rightly.
        for (one, other) in [("fdr", "predictive_parity"), ("for", "npv")] {
            for ending in ["difference", "difference_to_overall"] {
                let of = |name: &str| result.attribute("g").disparity(&format!("{name}_{ending}")).value;
                match (of(one), of(other)) {
                    (Some(one), Some(other)) => prop_assert!((one - other).abs() < 1e-12),
                    (one, other) => prop_assert_eq!(one, other),
                }
            }
        }
        for disparity in &result.attribute("g").disparities {
            if let (Some(value), Some(interval)) = (disparity.value, &disparity.interval) {
                prop_assert!(interval.lower <= value + 1e-9 && value <= interval.upper + 1e-9, "{} {value} {interval:?}", disparity.id);
            }
        }
    }

    #[test]
    fn damaged_states_are_refused_and_do_no_harm(all in rows(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = cube(&all, true).to_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        // Either it is refused, or the byte was one of a number: it must not panic nor allocate without bound.
        let _ = Cube::from_bytes(&bytes);
    }
}

#[test]
fn batches_of_any_size_make_the_same_cube() {
    let rows: Vec<Row> = (0..500_u32)
        .map(|row| Row {
            group: (row % 11 != 0).then_some((row * 7 % 4) as u8),
            other: (row % 3) as u8,
            label: Some(row % 5 < 2),
            prediction: Some(row % 3 == 0),
            score: Some((row * 13 % 41) as u8),
            weight: 1,
        })
        .collect();
    let whole = numbers(&cube(&rows, true), &spec());
    let mut pieces = Cube::new(layout(true));
    for chunk in rows.chunks(17) {
        pieces.update(&columns(chunk, true)).unwrap();
    }
    assert_close(numbers(&pieces, &spec()), whole);
}
