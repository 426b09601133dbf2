//! Small models of every kind that XGBoost and LightGBM save: their own predictions, and Shapley values by all coalitions of
//! these.

use std::cell::RefCell;

use ephor_explain::{Forest, Link, Rows};
use serde_json::Value;

use crate::support::{first, flat, forest, interventional, json, path_dependent};

const FOLDER: &str = "origins";
const FEATURES: usize = 5;
/// The bits of a decision of LightGBM that say how missing values go.
const MISSING: u32 = 12;
/// The last rows are what the first are compared with.
const BACKGROUND: usize = 4;

/// Every model that is kept, from each of its files.
fn each(act: impl Fn(&str, &Forest, &Rows, &Value)) {
    let expected = json(FOLDER, "expected.json");
    let models = expected["models"].as_object().unwrap();
    assert!(models.len() >= 50, "{}", models.len());
    for expected in models.values() {
        let rows = Rows::new(flat(&expected["rows"]), FEATURES);
        for file in expected["files"].as_array().unwrap() {
            let file = file.as_str().unwrap();
            act(file, &forest(FOLDER, file), &rows, expected);
        }
    }
}

/// Where they differ by more than 1e-6 of the largest, as the origins compute with 32 bits.
fn difference(what: &str, found: &[f64], expected: &[f64]) -> Option<String> {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
    let (place, (found, expected)) =
        found.iter().zip(expected).enumerate().find(|(_, (found, expected))| {
            found.is_nan() || (*found - *expected).abs() > 1e-6 * scale
        })?;
    Some(format!("{what}, value {place}: {found} is not {expected}"))
}

#[test]
fn margins_and_predictions_are_the_origins() {
    let faults = RefCell::new(Vec::new());
    each(|file, forest, rows, expected| {
        let margins: Vec<f64> = rows.iter().flat_map(|row| forest.margin(row)).collect();
        let mut faults = faults.borrow_mut();
        faults.extend(difference(&format!("{file}, margin"), &margins, &flat(&expected["margin"])));
        if !expected["prediction"].is_null() {
            let predicted: Vec<f64> = forest.predict(rows).unwrap().into_iter().flatten().collect();
            faults.extend(difference(
                &format!("{file}, prediction"),
                &predicted,
                &flat(&expected["prediction"]),
            ));
        }
    });
    assert_eq!(faults.into_inner(), Vec::<String>::new());
}

#[test]
fn interventional_values_are_those_of_all_coalitions_of_the_origins_own_margins() {
    let faults = RefCell::new(Vec::new());
    each(|file, forest, rows, expected| {
        let others = rows.iter().skip(rows.len() - BACKGROUND).flatten().copied().collect();
        let enumerated = expected["enumerated"].as_array().unwrap();
        let few = first(rows, enumerated.len());
        let found = interventional(forest, &few, &Rows::new(others, FEATURES));
        for (index, row) in enumerated.iter().enumerate() {
            let outputs = row.as_array().unwrap();
            assert_eq!(outputs.len(), found.base.len(), "{file}");
            for (output, values) in outputs.iter().enumerate() {
                faults.borrow_mut().extend(difference(
                    &format!("{file}, row {index}, output {output}"),
                    found.row(index, output),
                    &flat(values),
                ));
            }
        }
    });
    assert_eq!(faults.into_inner(), Vec::<String>::new());
}

/// What the readers must not lose: without any of these, the files above would test less than they say.
#[test]
fn the_files_hold_what_they_are_kept_for() {
    let base = |file: &str| forest(FOLDER, file).base;
    let three = base("xgb_three.json");
    assert!(three.len() == 3 && three[0] != three[1] && three[1] != three[2], "{three:?}");
    assert_eq!(forest(FOLDER, "lgb_three.txt").base.len(), 3);
    assert!(matches!(forest(FOLDER, "xgb_hinge.json").link, Link::Sign));
    assert!(matches!(forest(FOLDER, "xgb_gamma.json").link, Link::Exponential));
    let text = |file: &str| String::from_utf8(crate::support::bytes(FOLDER, file)).unwrap();
    let weights: Value = serde_json::from_str(&text("xgb_dart.json")).unwrap();
    let weights = flat(&weights["learner"]["gradient_booster"]["weight_drop"]);
    assert!(weights.iter().any(|weight| *weight < 1.0), "{weights:?}");
    assert!(text("lgb_rf_number.txt").contains("average_output"));
    // How missing values go: never (0), as zero (4, 6), as not a number (8, 10), categories (1, 9).
    let decisions = |file: &str| -> Vec<u32> {
        text(file)
            .lines()
            .filter_map(|line| line.strip_prefix("decision_type="))
            .flat_map(|line| line.split(' ').map(|one| one.parse().unwrap()).collect::<Vec<_>>())
            .collect()
    };
    assert!(decisions("lgb_no_missing.txt").iter().all(|one| matches!(one, 0 | 2)));
    assert!(decisions("lgb_zero_missing.txt").iter().any(|one| one & MISSING == 4));
    assert!(decisions("lgb_binary.txt").iter().any(|one| one & MISSING == 8));
    assert!(decisions("lgb_three_categories.txt").iter().any(|one| one & 1 == 1));
}

/// Their own values go down the trees, too; of every kind they add up to the margin.
#[test]
fn path_dependent_values_add_up() {
    each(|_, forest, rows, _| {
        path_dependent(forest, &first(rows, 3));
    });
}
