//! Partial dependence against scikit-learn's, accumulated local effects against closed forms.

use ephor_explain::{
    CancellationToken, ExplainError, Rows, Scorer,
    effects::{Accumulated, Grid, Order, accumulated, accumulated_categories, pair, partial},
};
use proptest::prelude::*;

use crate::{
    black_box::{json, list, made, noise, rf_binary},
    support::{assert_near, first, rows},
};

fn ale(model: &dyn Scorer, rows: &Rows, feature: usize, bins: usize) -> Accumulated {
    accumulated(model, rows, feature, 0, bins, &(), &CancellationToken::new()).unwrap()
}

/// The mean of the effect over all rows, straight between edges.
fn mean_effect(found: &Accumulated) -> f64 {
    let all: usize = found.rows.iter().sum();
    let ends = found.rows.iter().zip(found.effect.windows(2));
    ends.map(|(rows, ends)| *rows as f64 * (ends[0] + ends[1]) / 2.0).sum::<f64>() / all as f64
}

#[test]
fn dependence_is_scikit_learns() {
    let rows = first(&rows("rf_binary", "perm_X.csv"), 500);
    let expected = json("rf_binary", "pdp.json");
    let (model, cancel) = (rf_binary(), CancellationToken::new());
    for feature in [0, 1, 4] {
        let expected = &expected["pdp"][feature.to_string()];
        let found = partial(&model, &rows, feature, 1, &Grid::even(15), 10, &(), &cancel).unwrap();
        assert_near(&found.grid, &list(&expected["grid"][0]), 1e-9);
        assert_near(&found.average, &list(&expected["average"][0]), 1e-9);
        assert_eq!(found.curves.len(), 10);
        for (row, curve) in found.curves.iter().enumerate() {
            assert_near(curve, &list(&expected["individual_first10"][row]), 1e-9);
        }
    }
    let expected = &expected["pdp"]["[0, 4]"];
    let found = pair(&model, &rows, [0, 4], 1, &Grid::even(6), &(), &cancel).unwrap();
    assert_near(&found.grids[1], &list(&expected["grid"][1]), 1e-9);
    for (place, line) in found.average.iter().enumerate() {
        assert_near(line, &list(&expected["average"][0][place]), 1e-9);
    }
}

#[test]
fn grids_are_of_the_values() {
    let rows = Rows::new(vec![5.0, 1.0, f64::NAN, 3.0, 3.0, 2.0, 4.0], 1);
    let model = made(1, |row| row[0]);
    let ask = |grid: &Grid| partial(&model, &rows, 0, 0, grid, 2, &(), &CancellationToken::new());
    let found = ask(&Grid::Distinct).unwrap();
    assert_eq!((&found.grid, &found.average), (&vec![1.0, 2.0, 3.0, 4.0, 5.0], &found.grid));
    assert_eq!(ask(&Grid::Quantiles { points: 3 }).unwrap().grid, [1.0, 3.0, 5.0]);
    assert_eq!(ask(&Grid::Given(vec![9.0, -1.0])).unwrap().average, [9.0, -1.0]);
    let centred = ask(&Grid::Distinct).unwrap().centred();
    assert_eq!((centred.average[0], centred.curves[1][4]), (0.0, 4.0));
    for wrong in [
        Grid::even(1),
        Grid::Even { points: 3, from: 0.9, to: 0.1 },
        Grid::Given(vec![f64::NAN]),
        Grid::Given(Vec::new()),
    ] {
        assert!(matches!(ask(&wrong), Err(ExplainError::Asked(_))));
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let model = made(2, |row| row[0]);
    let cancel = CancellationToken::new();
    let ask = |rows: &Rows, feature, output| {
        partial(&model, rows, feature, output, &Grid::even(5), 0, &(), &cancel)
    };
    let rows = Rows::new(vec![1.0, f64::NAN], 2);
    assert!(matches!(ask(&rows, 2, 0), Err(ExplainError::Asked(_))));
    assert!(matches!(ask(&rows, 0, 1), Err(ExplainError::Asked(_))));
    assert!(matches!(ask(&rows, 1, 0), Err(ExplainError::Asked(_))));
    assert!(matches!(ask(&Rows::new(Vec::new(), 2), 0, 0), Err(ExplainError::NoRows)));
    assert_eq!(ask(&rows, 0, 0).unwrap().average, [1.0]);
    let refused = accumulated(&model, &rows, 1, 0, 10, &(), &cancel);
    assert!(matches!(refused, Err(ExplainError::Asked(_))));
    let one = accumulated(&model, &rows, 0, 0, 10, &(), &cancel).unwrap();
    assert_eq!((one.grid, one.effect, one.rows), (vec![1.0], vec![0.0], vec![1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn the_effect_of_a_linear_model_is_its_line(
        weights in proptest::collection::vec(-5.0..5.0_f64, 3),
        values in proptest::collection::vec(-9.0..9.0_f64, 90),
        bins in 1..12_usize,
    ) {
        let rows = Rows::new(values, 3);
        let slope = weights[1];
        let model = made(3, move |row| row.iter().zip(&weights).map(|(a, b)| a * b).sum::<f64>() + 2.0);
        let found = ale(&model, &rows, 1, bins);
        prop_assert!(mean_effect(&found).abs() < 1e-9);
        prop_assert_eq!(found.rows.iter().sum::<usize>(), 30);
        for (edges, effects) in found.grid.windows(2).zip(found.effect.windows(2)) {
            let line = slope * (edges[1] - edges[0]);
            prop_assert!((effects[1] - effects[0] - line).abs() < 1e-9);
        }
    }
}

#[test]
fn other_features_take_no_part() {
    // Of x1 = x0 nearly, x0 x1 has the local effect of x0 x1, not that of rows that cannot be.
    let noise = noise(2_000);
    let rows = Rows::new(noise.iter().flat_map(|value| [*value, *value]).collect(), 2);
    let model = made(2, |row| row[0] * row[1]);
    let found = ale(&model, &rows, 0, 50);
    let whole = found.effect[found.effect.len() - 1] - found.effect[0];
    assert!((whole - 0.5).abs() < 0.01, "{whole}");
    let flat = ale(&made(2, |row| row[1].exp()), &rows, 0, 20);
    assert!(flat.effect.iter().all(|effect| effect.abs() < 1e-12));
}

#[test]
fn categories_take_steps_to_their_neighbours() {
    let values = (0..60).flat_map(|row| [f64::from(row % 3), f64::from(row)]);
    let rows = Rows::new(values.collect(), 2);
    let model = made(2, |row| [5.0, 1.0, 2.0][row[0] as usize] + 0.5 * row[1]);
    let cancel = CancellationToken::new();
    let ask = |order| accumulated_categories(&model, &rows, 0, 0, &order, &(), &cancel);
    let found = ask(Order::Given(vec![2.0, 0.0, 1.0])).unwrap();
    assert_eq!((&found.grid, &found.rows), (&vec![2.0, 0.0, 1.0], &vec![20, 20, 20]));
    let mean = 8.0 / 3.0;
    assert_near(&found.effect, &[2.0 - mean, 5.0 - mean, 1.0 - mean], 1e-9);
    let similar = ask(Order::Similarity(vec![true, false])).unwrap();
    let mut grid = similar.grid;
    grid.sort_by(f64::total_cmp);
    assert_eq!(grid, [0.0, 1.0, 2.0]);
    assert!(matches!(ask(Order::Given(vec![0.0, 1.0])), Err(ExplainError::Asked(_))));
    assert!(matches!(ask(Order::Given(vec![0.0, 1.0, 1.0])), Err(ExplainError::Asked(_))));
}
