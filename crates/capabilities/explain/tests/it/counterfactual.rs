//! Counterfactuals flip the decision, keep the rules, and are near.

use ephor_explain::{
    CancellationToken, ExplainError, Model, Rows, Scorer,
    counterfactual::{Direction, Goal, Outcome, Rule, Settings, Sought, seek, thresholds},
};
use proptest::prelude::*;

use crate::{
    black_box::{logistic, made, noise, rf_binary},
    support::{first, forest, rows},
};

fn ask(model: &dyn Scorer, rows: &Rows, background: &Rows, settings: &Settings) -> Vec<Sought> {
    seek(model, rows, background, settings, &(), &CancellationToken::new()).unwrap()
}

const FLIP: Goal = Goal::Flip { output: 0, threshold: 0.5 };

#[test]
fn decisions_of_forests_flip_within_the_rules() {
    let (background, all) = (rows("rf_binary", "background.csv"), rows("rf_binary", "X.csv"));
    let model = rf_binary();
    let Model::Forest(trees) = &model else { panic!("it is a forest") };
    let increase = Rule { direction: Direction::Increase, ..Rule::default() };
    let category = Rule { categorical: true, ..Rule::default() };
    let settings = Settings {
        rules: vec![
            (0, increase.clone()),
            (1, increase),
            (5, category.clone()),
            (6, category.clone()),
            (7, category),
            (8, Rule::immutable()),
            (9, Rule::immutable()),
            (10, Rule::immutable()),
        ],
        thresholds: thresholds(trees),
        ..Settings::new(Goal::Flip { output: 1, threshold: 0.5 })
    };
    let some = first(&all, 12);
    let found = ask(&model, &some, &background, &settings);
    let mut flipped = 0;
    for (row, sought) in some.iter().zip(&found) {
        assert!(sought.asked <= settings.budget);
        flipped += usize::from(sought.outcome == Outcome::Found);
        let was = sought.predicted[1] >= 0.5;
        for one in &sought.found {
            let again = model.score(&Rows::new(one.row.clone(), 11)).unwrap();
            assert_eq!(again, one.predicted);
            assert_ne!(again[1] >= 0.5, was, "{row:?} {one:?}");
            for (feature, (from, to)) in row.iter().zip(&one.row).enumerate() {
                assert_eq!(from != to, one.changed.contains(&feature));
                assert!(feature > 1 || to >= from, "age and education only grow: {one:?}");
                assert!(feature < 8 || to == from, "{feature} does not change: {one:?}");
                assert!(to.fract() == 0.0, "years and codes are whole: {one:?}");
            }
        }
        assert!(sought.found.is_sorted_by(|a, b| a.distance <= b.distance));
    }
    assert!(flipped >= 10, "{flipped} of 12");
    assert_eq!(found[..2], ask(&model, &first(&all, 2), &background, &settings));
}

#[test]
fn those_of_a_linear_model_are_nearly_the_nearest() {
    // One unit of the first feature moves the sum by 3, of the second by 1: the first alone is the nearest way.
    let noise = noise(400);
    let background = Rows::new(noise.iter().map(|value| value * 10.0 - 5.0).collect(), 2);
    let model = made(2, |row| 1.0 / (1.0 + (-(3.0 * row[0] + row[1])).exp()));
    let row = Rows::new(vec![-1.0, 0.0], 2);
    let found = &ask(&model, &row, &background, &Settings::new(FLIP))[0];
    assert_eq!(found.outcome, Outcome::Found);
    let nearest = &found.found[0];
    assert_eq!(nearest.changed, [0]);
    assert!(nearest.row[0] >= 0.0 && nearest.row[0] < 0.05, "{nearest:?}");
    assert_eq!(found.found[1].changed, [1], "another way is given too: {found:?}");
    assert!((3.0..3.05).contains(&found.found[1].row[1]), "{found:?}");
}

#[test]
fn directions_ranges_and_steps_are_kept() {
    let background = Rows::new(noise(200).iter().map(|value| value * 10.0).collect(), 2);
    let model = made(2, |row| f64::from(row[0] + row[1] > 12.0));
    let row = Rows::new(vec![2.0, 2.0], 2);
    let rule = |rule| Settings { rules: vec![(0, rule)], ..Settings::new(FLIP) };
    let down = Rule { direction: Direction::Decrease, ..Rule::default() };
    assert_eq!(ask(&model, &row, &background, &rule(down))[0].outcome, Outcome::NoneWithinBudget);
    let ranged = Rule { greatest: Some(6.0), step: Some(0.5), ..Rule::default() };
    for one in &ask(&model, &row, &background, &rule(ranged))[0].found {
        assert!(one.row[0] <= 6.0 && (one.row[0] * 2.0).fract() == 0.0, "{one:?}");
    }
    let fixed = Settings {
        rules: vec![(0, Rule::immutable()), (1, Rule::immutable())],
        ..Settings::new(FLIP)
    };
    assert_eq!(ask(&model, &row, &background, &fixed)[0].outcome, Outcome::Nothing);
    let high = Settings::new(Goal::AtLeast { output: 0, threshold: 0.0 });
    assert_eq!(ask(&model, &row, &background, &high)[0].outcome, Outcome::Already);
}

#[test]
fn classes_and_thresholds_are_met() {
    let (background, all) = (rows("rf_binary", "background.csv"), rows("rf_binary", "X.csv"));
    for sought in ask(&rf_binary(), &first(&all, 4), &background, &Settings::new(Goal::Class(1))) {
        for one in sought.found {
            assert!(one.predicted[1] > one.predicted[0], "{one:?}");
        }
    }
    let (background, all) = (rows("logistic", "background.csv"), rows("logistic", "X.csv"));
    let below = Settings::new(Goal::Below { output: 0, threshold: 0.02 });
    for sought in ask(&logistic(), &first(&all, 4), &background, &below) {
        assert!(sought.found.iter().all(|one| one.predicted[0] < 0.02));
    }
}

#[test]
fn missing_values_and_thresholds_of_single_precision() {
    let model = forest("xgb_binary", "model.json");
    let (background, all) = (rows("xgb_binary", "background.csv"), rows("xgb_binary", "X.csv"));
    let settings =
        Settings { thresholds: thresholds(&model), budget: 6_000, ..Settings::new(FLIP) };
    let model = Model::Forest(model);
    let holes: Vec<f64> = all
        .iter()
        .filter(|row| row.iter().any(|value| value.is_nan()))
        .take(3)
        .flatten()
        .copied()
        .collect();
    let holes = Rows::new(holes, 11);
    for (row, sought) in holes.iter().zip(ask(&model, &holes, &background, &settings)) {
        for one in sought.found {
            assert_ne!(one.predicted[0] >= 0.5, sought.predicted[0] >= 0.5);
            let same = |(from, to): (&f64, &f64)| from == to || (from.is_nan() && to.is_nan());
            let changed = row.iter().zip(&one.row).filter(|pair| !same(*pair)).count();
            assert_eq!(changed, one.changed.len());
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let model = made(2, |row| row[0]);
    let rows = Rows::new(vec![1.0, 2.0], 2);
    let wrong = Settings {
        count: 0,
        changes: 0,
        budget: 0,
        rules: vec![
            (7, Rule::default()),
            (1, Rule { step: Some(0.0), least: Some(2.0), greatest: Some(1.0), ..Rule::default() }),
        ],
        ..Settings::new(Goal::Flip { output: 3, threshold: f64::NAN })
    };
    let refused = seek(&model, &rows, &rows, &wrong, &(), &CancellationToken::new());
    let Err(ExplainError::Asked(faults)) = refused else { panic!("it is wrong") };
    assert_eq!(faults.len(), 8, "{faults:?}");
    let none = Rows::new(Vec::new(), 2);
    let settings = Settings::new(FLIP);
    assert!(ask(&model, &none, &rows, &settings).is_empty());
    let refused = seek(&model, &rows, &none, &settings, &(), &CancellationToken::new());
    assert!(matches!(refused, Err(ExplainError::NoBackground)));
    // A background of one row without values: there is nothing to change to.
    let empty = Rows::new(vec![f64::NAN, f64::NAN], 2);
    assert_eq!(ask(&model, &rows, &empty, &settings)[0].outcome, Outcome::NoneWithinBudget);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let stopped = seek(&model, &rows, &rows, &settings, &(), &cancel);
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_the_model_rules_are_kept(
        weights in proptest::collection::vec(-3.0..3.0_f64, 4),
        row in proptest::collection::vec(0.0..1.0_f64, 4),
        ways in proptest::collection::vec(0..4_u8, 4),
        seed in any::<u64>(),
    ) {
        let background = Rows::new(noise(4 * 50), 4);
        let model = made(4, |row| row.iter().zip(&weights).map(|(a, b)| (a * b).sin()).sum());
        let direction = |way| match way {
            0 => Direction::Any,
            1 => Direction::Increase,
            2 => Direction::Decrease,
            _ => Direction::Immutable,
        };
        let rules = ways.iter().map(|way| Rule { direction: direction(*way), ..Rule::default() });
        let settings = Settings {
            rules: rules.enumerate().collect(),
            budget: 2_000,
            seed,
            ..Settings::new(Goal::Flip { output: 0, threshold: 0.3 })
        };
        let sought = &ask(&model, &Rows::new(row.clone(), 4), &background, &settings)[0];
        prop_assert!(sought.asked <= 2_000);
        for one in &sought.found {
            prop_assert_ne!(one.predicted[0] >= 0.3, sought.predicted[0] >= 0.3);
            for (feature, way) in ways.iter().enumerate() {
                let (from, to) = (row[feature], one.row[feature]);
                let kept = match way { 0 => true, 1 => to >= from, 2 => to <= from, _ => to == from };
                prop_assert!(kept);
            }
        }
    }
}
