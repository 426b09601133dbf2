//! Tests of significance and power, against `SciPy` and statsmodels.

use ephor_fairness::{
    intervals::z,
    significance::{
        Selection,
        adjust::{benjamini_hochberg, holm},
        chi_square::{independence, with_continuity},
        deviations::standard_deviations,
        fisher,
        power::detectable,
        stratified::stratified,
    },
};
use serde_json::Value;

use crate::support::reference_json;

fn values() -> Value {
    reference_json("significance/values.json")
}

fn selection(value: &Value) -> Selection {
    Selection::new(value[0].as_u64().unwrap(), value[1].as_u64().unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Equal to 1e-9 of the value, however small: a p-value of 1e-40 has digits too.
fn assert_close(ours: f64, theirs: f64, what: impl std::fmt::Debug) {
    let tolerance = 1e-9 * theirs.abs() + 1e-290;
    assert!((ours - theirs).abs() <= tolerance, "{what:?}: {ours} here, {theirs} there");
}

#[test]
fn two_groups() {
    let values = values();
    let pairs = values["pairs"].as_array().unwrap();
    for pair in pairs {
        let (group, other) = (selection(&pair["group"]), selection(&pair["other"]));
        // SciPy's probabilities are differences of logarithms of factorials: of millions they keep nine digits.
        let digits = if group.of + other.of > 100_000 { 1e-7 } else { 1e-9 };
        for (name, ours) in
            [("fisher", fisher::exact(group, other)), ("mid_p", fisher::mid_p(group, other))]
        {
            let theirs = pair[name].as_f64().unwrap();
            if name == "mid_p" && !pair["chi_square"].is_array() {
                // All are selected, or none: one table alone is possible, and it tells nothing.
                assert_eq!((ours, theirs), (1.0, 0.5), "{pair}");
                continue;
            }
            let apart = (ours - theirs).abs();
            assert!(apart <= digits * theirs + 1e-290, "{name} {pair}: {ours}");
        }
        let found = [
            ("chi_square", independence(&[group, other])),
            ("yates", with_continuity(group, other)),
        ];
        for (name, ours) in found {
            assert_eq!(ours.is_some(), pair[name].is_array(), "{pair}");
            if let Some(ours) = ours {
                let theirs = numbers(&pair[name]);
                assert_close(ours.statistic, theirs[0], (name, pair));
                assert_close(ours.p, theirs[1], (name, pair));
            }
        }
        if let Some(theirs) = pair["standard_deviations"].as_f64() {
            let ours = standard_deviations(group, other).unwrap();
            assert_close(ours, theirs, pair);
            let square = independence(&[group, other]).unwrap().statistic;
            assert!((ours * ours - square).abs() <= 1e-9 * square.max(1.0), "{pair}");
        }
    }
    assert_eq!(pairs.len(), 60);
}

#[test]
fn many_groups() {
    for case in values()["groups"].as_array().unwrap() {
        let groups: Vec<_> = case["groups"].as_array().unwrap().iter().map(selection).collect();
        let ours = independence(&groups).unwrap();
        assert_eq!(Some(ours.df), case["df"].as_u64());
        assert_close(ours.statistic, case["statistic"].as_f64().unwrap(), case);
        assert_close(ours.p, case["p"].as_f64().unwrap(), case);
    }
}

#[test]
fn many_tests() {
    for case in values()["many"].as_array().unwrap() {
        let p = numbers(&case["p"]);
        for (ours, theirs) in [(holm(&p), &case["holm"]), (benjamini_hochberg(&p), &case["bh"])] {
            for (ours, theirs) in ours.into_iter().zip(numbers(theirs)) {
                assert_close(ours, theirs, case);
            }
        }
    }
}

#[test]
fn within_strata() {
    for case in values()["stratified"].as_array().unwrap() {
        let strata: Vec<_> = case["strata"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (selection(&pair[0]), selection(&pair[1])))
            .collect();
        let ours = stratified(&strata, z(0.95)).unwrap();
        for (test, theirs) in [(ours.test, &case["test"]), (ours.corrected, &case["corrected"])] {
            let theirs = numbers(theirs);
            if test.statistic == 0.0 {
                // Less than half a person apart: statsmodels squares what the correction takes too much.
                assert!(test.p == 1.0 && ours.test.p > 0.5, "{case}");
                continue;
            }
            assert_close(test.statistic, theirs[0], case);
            // statsmodels takes its probability from 1: of a small one it keeps no digits.
            assert!((test.p - theirs[1]).abs() <= 1e-9 * theirs[1] + 1e-15, "{case}");
        }
        assert_close(ours.odds_ratio.unwrap(), case["odds_ratio"].as_f64().unwrap(), case);
        let (lower, upper) = ours.odds_ratio_interval.unwrap();
        let theirs = numbers(&case["interval"]);
        assert_close(lower, theirs[0], case);
        assert_close(upper, theirs[1], case);
    }
}

#[test]
fn what_a_sample_could_have_shown() {
    for case in values()["power"].as_array().unwrap() {
        let number = |name: &str| case[name].as_f64().unwrap();
        let of = case["of"].as_u64().unwrap();
        let found =
            detectable(of, selection(&case["other"]), number("alpha"), number("power")).unwrap();
        assert_close(found.rate, number("rate"), case);
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn any_selection() -> impl Strategy<Value = Selection> {
        (0_u64..60)
            .prop_flat_map(|of| (0..=of).prop_map(move |selected| Selection::new(selected, of)))
    }

    proptest! {
        #[test]
        fn tests_do_not_ask_which_group_is_first_nor_which_outcome_is_good(group in any_selection(), other in any_selection()) {
            let near = |one: f64, two: f64| (one - two).abs() <= 1e-9 * one.max(1e-300);
            for (a, b) in [(other, group), (group.complement(), other.complement())] {
                prop_assert!(near(fisher::exact(group, other), fisher::exact(a, b)));
                prop_assert!(near(fisher::mid_p(group, other), fisher::mid_p(a, b)));
                let (one, two) = (standard_deviations(group, other), standard_deviations(a, b));
                prop_assert_eq!(one.is_some(), two.is_some());
                prop_assert!((one.unwrap_or(0.0) + two.unwrap_or(0.0)).abs() < 1e-9);
            }
            let exact = fisher::exact(group, other);
            prop_assert!((0.0..=1.0).contains(&exact) && fisher::mid_p(group, other) <= exact);
        }

        #[test]
        fn the_order_of_groups_and_strata_changes_nothing(strata in prop::collection::vec((any_selection(), any_selection()), 1..6)) {
            let turned: Vec<_> = strata.iter().rev().copied().collect();
            let (one, two) = (stratified(&strata, 1.96), stratified(&turned, 1.96));
            prop_assert_eq!(one.is_some(), two.is_some());
            if let (Some(one), Some(two)) = (one, two) {
                prop_assert!((one.test.statistic - two.test.statistic).abs() < 1e-9);
                prop_assert!((one.difference - two.difference).abs() < 1e-9);
            }
            let groups: Vec<_> = strata.iter().map(|stratum| stratum.0).collect();
            let back: Vec<_> = groups.iter().rev().copied().collect();
            let (one, two) = (independence(&groups), independence(&back));
            prop_assert_eq!(one.is_some(), two.is_some());
            prop_assert!((one.map_or(0.0, |found| found.statistic) - two.map_or(0.0, |found| found.statistic)).abs() < 1e-9);
        }
    }
}
