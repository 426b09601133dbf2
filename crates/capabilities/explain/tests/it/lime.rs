//! LIME against the package `lime`: the linear model exactly, made-up rows within what hangs on chance.

use ephor_explain::{
    CancellationToken, ExplainError, Rows, Scorer,
    lime::{Discretizer, Lime, Local, Sample, Selection, Settings, Told, fit, kernel},
};
use serde_json::Value;

use crate::{
    black_box::{json, list, logistic, made, noise, rf_binary},
    support::{assert_near, first, numbers, rows},
};

const CATEGORIES: [usize; 6] = [5, 6, 7, 8, 9, 10];

/// The neighbourhood of row 0 that `lime` drew.
fn neighbourhood(folder: &str) -> Sample {
    let of = |name: &str| numbers(folder, &format!("lime/sample_{name}_row0.npy"));
    let width = json(folder, "lime/lime.json")["kernel_width"].as_f64().unwrap();
    Sample {
        rows: Rows::new(of("data"), 11),
        targets: of("labels").chunks_exact(2).map(|both| both[1]).collect(),
        weights: of("distances").iter().map(|distance| kernel(*distance, width)).collect(),
    }
}

fn assert_same(found: &Local, expected: &Value) {
    let number = |name: &str| expected[name].as_f64().unwrap();
    assert_near(&[found.intercept, found.r2.unwrap()], &[number("intercept"), number("r2")], 1e-9);
    let coefficients = expected["coefficients"].as_array().unwrap();
    assert_eq!(found.coefficients.len(), coefficients.len());
    for pair in coefficients {
        let feature = pair[0].as_u64().unwrap() as usize;
        let own = found.coefficients.iter().find(|(other, ..)| *other == feature).unwrap();
        assert_near(&[own.1], &[pair[1].as_f64().unwrap()], 1e-9);
    }
}

fn explain(
    model: &dyn Scorer,
    background: &Rows,
    rows: &Rows,
    settings: Settings,
    output: usize,
) -> Vec<Local> {
    let lime = Lime::new(background, settings).unwrap();
    lime.explain(model, rows, output, &(), &CancellationToken::new()).unwrap()
}

#[test]
fn the_linear_model_of_a_neighbourhood_is_limes() {
    for folder in ["rf_binary", "logistic"] {
        let expected = &json(folder, "lime/lime.json")["rows"][0];
        let sample = neighbourhood(folder);
        let cancel = CancellationToken::new();
        let chosen = Selection::Auto.choose(&sample, 6, &cancel).unwrap();
        let found = fit(&sample, &chosen, 1.0, &cancel).unwrap();
        assert_same(&found, expected);
        assert_near(&[found.local], &[expected["local_pred"].as_f64().unwrap()], 1e-9);
    }
}

#[test]
fn features_are_chosen_as_lime_does() {
    let sample = neighbourhood("rf_binary");
    for expected in
        json("rf_binary", "lime/discretized.json")["selections_row0"].as_array().unwrap()
    {
        let selection = match expected["selection"].as_str().unwrap() {
            "auto" => Selection::Auto,
            "highest_weights" => Selection::HighestWeights,
            "forward_selection" => Selection::Forward,
            _ => Selection::None,
        };
        let most = expected["features"].as_u64().unwrap() as usize;
        let cancel = CancellationToken::new();
        let chosen = selection.choose(&sample, most, &cancel).unwrap();
        assert_same(&fit(&sample, &chosen, 1.0, &cancel).unwrap(), expected);
        cancel.cancel();
        assert!(fit(&sample, &chosen, 1.0, &cancel).is_err());
        if selection != Selection::None {
            assert!(selection.choose(&sample, most, &cancel).is_err());
        }
    }
}

#[test]
fn made_up_rows_give_limes_coefficients_within_chance() {
    let expected = json("rf_binary", "lime/discretized.json");
    let (background, all) =
        (rows("rf_binary", "lime_training_2000.csv"), rows("rf_binary", "X.csv"));
    for (name, discretizer) in
        [("quartile", Discretizer::Quartiles), ("decile", Discretizer::Deciles)]
    {
        let settings = Settings {
            discretizer,
            categorical: CATEGORIES.to_vec(),
            samples: 2_000,
            features: 11,
            selection: Selection::None,
            repeats: 8,
            seed: 5,
            ..Settings::default()
        };
        let found = explain(&rf_binary(), &background, &first(&all, 2), settings, 1);
        for (row, found) in found.iter().enumerate() {
            let (means, deviations) =
                (list(&expected[name]["mean"][row]), list(&expected[name]["sd"][row]));
            for (feature, coefficient, error) in &found.coefficients {
                let error = error.unwrap().max(deviations[*feature] / 8.0_f64.sqrt())
                    + deviations[*feature] / 30.0_f64.sqrt();
                let off = (coefficient - means[*feature]).abs();
                assert!(off < 4.0 * error, "{name} {row} {feature}: {off} {error}");
            }
            let others = [found.intercept, found.r2.unwrap(), found.local];
            for (place, value) in others.iter().enumerate() {
                let error = deviations[11 + place] * (1.0 / 8.0_f64.sqrt() + 1.0 / 30.0_f64.sqrt());
                let off = (value - means[11 + place]).abs();
                assert!(off < 4.0 * error, "{name} {row} {place}: {off} {error}");
            }
        }
    }
}

#[test]
fn numbers_as_they_are_give_limes_coefficients_too() {
    let expected = json("rf_binary", "lime/lime.json");
    let (background, all) =
        (rows("rf_binary", "lime_training_2000.csv"), rows("rf_binary", "X.csv"));
    let settings = Settings {
        discretizer: Discretizer::None,
        categorical: CATEGORIES.to_vec(),
        samples: 1_000,
        features: 6,
        repeats: 10,
        ..Settings::default()
    };
    let found = explain(&rf_binary(), &background, &first(&all, 3), settings, 1);
    for (row, found) in found.iter().enumerate() {
        let (own, most, error) = found.coefficients[0];
        let theirs = &expected["rows"][row]["coefficients"][0];
        assert_eq!(own as u64, theirs[0].as_u64().unwrap());
        // One run is as far off as ten of ours say, times their root.
        let off = (most - theirs[1].as_f64().unwrap()).abs();
        assert!(off < 4.0 * error.unwrap() * 11.0_f64.sqrt(), "{row}: {off} {error:?}");
        assert!((found.r2.unwrap() - expected["rows"][row]["r2"].as_f64().unwrap()).abs() < 0.1);
    }
}

#[test]
fn ranges_are_limes() {
    let expected = json("rf_binary", "lime/discretized.json");
    let lime =
        Lime::new(&rows("rf_binary", "lime_training_2000.csv"), Settings::default()).unwrap();
    assert_eq!(expected["quartile"]["names"]["0"][1], "28.00 < 0 <= 38.00");
    let told = lime.told(0, 30.0);
    assert_eq!(told, Told::Range { above: Some(28.0), at_most: Some(38.0) });
    assert_eq!(lime.told(0, 28.0), Told::Range { above: None, at_most: Some(28.0) });
}

#[test]
fn a_seed_repeats_and_rows_stand_alone() {
    let (background, all) = (rows("logistic", "background.csv"), rows("logistic", "X.csv"));
    let ask = |count, seed| {
        let settings = Settings { samples: 200, seed, ..Settings::default() };
        explain(&logistic(), &background, &first(&all, count), settings, 0)
    };
    assert_eq!(ask(1, 7)[0], ask(2, 7)[0]);
    assert_ne!(ask(1, 7)[0], ask(1, 8)[0]);
}

#[test]
fn constants_have_no_part_and_nothing_is_no_number() {
    let mut values = noise(3 * 100);
    for row in values.chunks_exact_mut(3) {
        row[2] = 1.0;
    }
    let all = Rows::new(values, 3);
    for discretizer in [Discretizer::Quartiles, Discretizer::Deciles, Discretizer::None] {
        let settings = Settings { discretizer, samples: 300, ..Settings::default() };
        let found =
            explain(&made(3, |row| row[0] + row[2]), &all, &first(&all, 1), settings.clone(), 0);
        let of =
            |feature| found[0].coefficients.iter().find(|(own, ..)| *own == feature).unwrap().1;
        assert!(of(0).abs() > 10.0 * of(1).abs(), "{found:?}");
        if discretizer != Discretizer::None {
            assert!(of(2).abs() < 1e-9, "{found:?}");
        }
        let flat = explain(&made(3, |_| 0.5), &all, &first(&all, 1), settings, 0);
        assert_eq!(flat[0].r2, None);
        assert!((flat[0].intercept - 0.5).abs() < 1e-12);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let none = Rows::new(Vec::new(), 2);
    assert!(matches!(Lime::new(&none, Settings::default()), Err(ExplainError::NoBackground)));
    let rows = Rows::new(vec![1.0, 2.0], 2);
    let wrong =
        Settings { samples: 1, features: 0, repeats: 0, width: Some(-1.0), ..Settings::default() };
    let Err(ExplainError::Asked(faults)) = Lime::new(&rows, wrong) else { panic!("it is wrong") };
    assert_eq!(faults.len(), 4);
    let holes = Rows::new(vec![1.0, f64::NAN], 2);
    assert!(matches!(Lime::new(&holes, Settings::default()), Err(ExplainError::Asked(_))));
    let lime = Lime::new(&rows, Settings { samples: 20, ..Settings::default() }).unwrap();
    let model = made(2, |row| row[0]);
    let ask =
        |rows: &Rows, output| lime.explain(&model, rows, output, &(), &CancellationToken::new());
    assert!(ask(&holes, 0).unwrap_err().to_string().contains("missing"));
    assert!(matches!(ask(&rows, 1), Err(ExplainError::Asked(_))));
    assert!(ask(&none, 0).unwrap().is_empty());
    assert!(ask(&rows, 0).unwrap()[0].r2.is_none());
}
