//! Tests of drift, against `SciPy`.

use ephor_fairness::drift::{
    Counts, Point, chi_square::chi_square, jensen_shannon::jensen_shannon,
    kolmogorov_smirnov::kolmogorov_smirnov, l_infinity::l_infinity, psi::psi,
    wasserstein::wasserstein,
};
use serde_json::Value;

use crate::support::reference_json;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn points(reference: &[f64], current: &[f64]) -> Vec<Point> {
    let of = |values: &[f64], counts: Counts| -> Vec<Point> {
        values.iter().map(|value| Point { value: *value, counts }).collect()
    };
    let mut all = [of(reference, [1, 0]), of(current, [0, 1])].concat();
    all.sort_by(|left, right| left.value.total_cmp(&right.value));
    all.dedup_by(|next, before| {
        let is_same = next.value == before.value;
        if is_same {
            before.counts = [before.counts[0] + next.counts[0], before.counts[1] + next.counts[1]];
        }
        is_same
    });
    all
}

/// Equal to 1e-9 of the value, however small.
fn assert_close(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{what}: {ours} here, {theirs} there");
}

#[test]
fn of_numbers() {
    let values = reference_json("drift/values.json");
    let cases = values["numbers"].as_array().unwrap();
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let points = points(&numbers(&case["reference"]), &numbers(&case["current"]));
        let test = kolmogorov_smirnov(&points).unwrap();
        assert_close(test.statistic, number("ks"), "statistic");
        assert_close(test.p, number("ks_p"), "p");
        assert_close(wasserstein(&points).unwrap(), number("wasserstein"), "wasserstein");
    }
    assert_eq!(cases.len(), 8);
}

#[test]
fn of_categories() {
    let values = reference_json("drift/values.json");
    let cases = values["categories"].as_array().unwrap();
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let counts = |name: &str| -> Vec<u64> {
            case[name].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
        };
        let cells: Vec<Counts> =
            counts("reference").into_iter().zip(counts("current")).map(|(p, q)| [p, q]).collect();
        let test = chi_square(&cells).unwrap();
        assert_eq!(Some(test.df), case["df"].as_u64());
        assert_close(test.statistic, number("chi_square"), "chi-square");
        assert_close(test.p, number("chi_square_p"), "p");
        assert_close(jensen_shannon(&cells).unwrap(), number("jensen_shannon"), "distance");
        assert_close(l_infinity(&cells).unwrap(), number("l_infinity"), "l-infinity");
        assert_close(psi(&cells).unwrap(), number("psi"), "psi");
    }
    assert_eq!(cases.len(), 6);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    type Distance = fn(&[Counts]) -> Option<f64>;

    fn swapped(cells: &[Counts]) -> Vec<Counts> {
        cells.iter().map(|[p, q]| [*q, *p]).collect()
    }

    proptest! {
        #[test]
        fn categories_do_not_ask_for_order_and_scale_and_most_not_for_which_is_first(
            cells in prop::collection::vec((0_u64..200, 0_u64..200).prop_map(|(p, q)| [p, q]), 1..12),
        ) {
            let turned: Vec<Counts> = cells.iter().rev().copied().collect();
            let scaled: Vec<Counts> = cells.iter().map(|[p, q]| [7 * p, 7 * q]).collect();
            let distances: [Distance; 3] = [psi, jensen_shannon, l_infinity];
            for distance in distances {
                for other in [turned.clone(), scaled.clone(), swapped(&cells)] {
                    let (one, two) = (distance(&cells), distance(&other));
                    prop_assert_eq!(one.is_some(), two.is_some());
                    prop_assert!((one.unwrap_or(0.0) - two.unwrap_or(0.0)).abs() < 1e-6);
                }
                let same: Vec<Counts> = cells.iter().map(|[p, _]| [*p, *p]).collect();
                prop_assert!(distance(&same).is_none_or(|zero| zero == 0.0));
                prop_assert!(distance(&cells).is_none_or(|value| value >= 0.0 && value.is_finite()));
            }
            let (one, two) = (chi_square(&cells), chi_square(&swapped(&cells)));
            prop_assert_eq!(one.is_some(), two.is_some());
            prop_assert!(one.zip(two).is_none_or(|(one, two)| (one.statistic - two.statistic).abs() < 1e-6));
        }

        #[test]
        fn numbers_are_symmetric_and_equal_ones_are_0_apart(
            left in prop::collection::vec(-50_i32..50, 2..60),
            right in prop::collection::vec(-50_i32..50, 2..60),
        ) {
            let of = |values: &[i32]| -> Vec<f64> { values.iter().map(|value| f64::from(*value)).collect() };
            let (left, right) = (of(&left), of(&right));
            let (one, two) = (points(&left, &right), points(&right, &left));
            let (test, turned) = (kolmogorov_smirnov(&one).unwrap(), kolmogorov_smirnov(&two).unwrap());
            prop_assert_eq!(test.statistic, turned.statistic);
            prop_assert!((test.p - turned.p).abs() < 1e-12 && (0.0..=1.0).contains(&test.p));
            let same = points(&left, &left);
            let test = kolmogorov_smirnov(&same).unwrap();
            prop_assert_eq!((test.statistic, test.p), (0.0, 1.0));
            prop_assert!(wasserstein(&same).is_none_or(|distance| distance == 0.0));
            // Moved by a constant, every number is that far away.
            let moved: Vec<f64> = left.iter().map(|value| value + 3.0).collect();
            let distance = ephor_fairness::drift::wasserstein::distance(&points(&left, &moved)).unwrap();
            prop_assert!((distance - 3.0).abs() < 1e-9);
        }
    }
}
