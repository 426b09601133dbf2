//! Explanations compared between groups.

use ephor_explain::{
    CancellationToken, ExplainError, Explanation,
    groups::{self, Compared, Settings, compare},
};

use crate::{
    black_box::noise,
    support::{assert_near, forest, path_dependent, rows},
};

fn ask(
    explanation: &Explanation,
    groups: &[Option<String>],
    settings: &Settings,
) -> Result<Compared, ExplainError> {
    compare(explanation, 0, groups, settings, &(), &CancellationToken::new())
}

/// Three features of 120 rows: the first counts twice as much in one group, the second turns its sign, the third is the same.
fn made_up() -> (Explanation, Vec<Option<String>>) {
    let noise = noise(120 * 3);
    let mut values = Vec::new();
    let mut groups = Vec::new();
    for (row, noise) in noise.chunks_exact(3).enumerate() {
        let is_small = row % 3 == 0;
        let signed = if row % 2 == 0 { 1.0 } else { -1.0 };
        values.extend([
            signed * (1.0 + 0.2 * noise[0]) * if is_small { 2.0 } else { 1.0 },
            (1.0 + 0.2 * noise[1]) * if is_small { -1.0 } else { 1.0 },
            noise[2] - 0.5,
        ]);
        groups.push(Some(if is_small { "small" } else { "large" }.to_owned()));
    }
    (Explanation { base: vec![0.0], values, features: 3 }, groups)
}

#[test]
fn what_differs_is_found_and_what_does_not_is_not() {
    let (explanation, groups) = made_up();
    let found = ask(&explanation, &groups, &Settings::default()).unwrap();
    assert_eq!((found.reference.as_str(), found.groups.len()), ("large", 2));
    assert!(found.groups[0].differences.is_none());
    let differences = found.groups[1].differences.as_ref().unwrap();
    assert!(differences[0].size.difference > 0.9 && differences[0].size.adjusted < 0.01);
    assert!(differences[0].size.low > 0.9 && differences[0].size.high < 1.4);
    assert!(differences[0].value.adjusted > 0.05, "its sign is as it was");
    assert!(differences[1].size.adjusted > 0.05 && differences[1].value.adjusted < 0.01);
    assert!(differences[1].value.high < -1.8);
    for tested in [differences[2].size, differences[2].value] {
        assert!(tested.adjusted > 0.05 && tested.low <= 0.0 && tested.high >= 0.0, "{tested:?}");
        assert!(tested.adjusted >= tested.p);
    }
    assert_eq!(found, ask(&explanation, &groups, &Settings::default()).unwrap());
}

#[test]
fn means_are_of_the_groups_rows() {
    let (model, rows) = (forest("xgb_binary", "model.json"), rows("xgb_binary", "X.csv"));
    let explanation = path_dependent(&model, &rows);
    let groups: Vec<Option<String>> = rows
        .iter()
        .map(|row| {
            (!row[10].is_nan()).then(|| if row[10] > 0.5 { "Male" } else { "Female" }.to_owned())
        })
        .collect();
    let settings = Settings { resamples: Some(200), ..Settings::default() };
    let found = ask(&explanation, &groups, &settings).unwrap();
    for group in &found.groups {
        let own = |row: &usize| groups[*row].as_deref() == Some(&group.name);
        let rows: Vec<usize> = (0..rows.len()).filter(own).collect();
        assert_eq!(rows.len(), group.rows);
        let mean = |feature: usize| {
            rows.iter().map(|row| explanation.row(*row, 0)[feature]).sum::<f64>()
                / rows.len() as f64
        };
        assert_near(&group.value, &(0..11).map(mean).collect::<Vec<_>>(), 1e-12);
    }
    assert_eq!(found.without, groups.iter().filter(|group| group.is_none()).count());
}

#[test]
fn chance_alone_is_seldom_called_a_difference() {
    let mut called = 0;
    for seed in 0..20 {
        let noise = noise(2_000 * (seed + 1));
        let values = noise[2_000 * seed..].to_vec();
        let explanation = Explanation { base: vec![0.0], values, features: 10 };
        let groups: Vec<_> = (0..200).map(|row| Some((row % 2).to_string())).collect();
        let settings = Settings { resamples: Some(400), seed: seed as u64, ..Settings::default() };
        let found = ask(&explanation, &groups, &settings).unwrap();
        let differences = found.groups[1].differences.as_ref().unwrap();
        called +=
            usize::from(differences.iter().any(|difference| {
                difference.size.adjusted < 0.05 || difference.value.adjusted < 0.05
            }));
    }
    assert!(called <= 4, "{called} of 20");
}

/// Adult's features by race: 88 tests, for which a thousand shuffles could call nothing a difference.
#[test]
fn there_are_as_many_shuffles_as_the_tests_need() {
    let (rows, features) = (500, 11);
    let mut values = noise(rows * features);
    for row in (0..rows).filter(|row| row % 5 == 3) {
        values[row * features] += 3.0;
    }
    let explanation = Explanation { base: vec![0.0], values, features };
    let groups: Vec<_> = (0..rows).map(|row| Some((row % 5).to_string())).collect();
    let found = ask(&explanation, &groups, &Settings::default()).unwrap();
    assert_eq!((found.tests, found.resamples), (88, 1_760));
    assert!(found.least_p < 0.05, "{}", found.least_p);
    let apart = found.groups.iter().find(|group| group.name == "3").unwrap();
    assert!(apart.differences.as_ref().unwrap()[0].value.adjusted < 0.05);
    let few = Settings { resamples: Some(1_000), ..Settings::default() };
    let found = ask(&explanation, &groups, &few).unwrap();
    assert!(found.least_p > 0.05, "{}", found.least_p);
}

#[test]
fn what_cannot_be_compared_is_refused_or_left_out() {
    let explanation =
        Explanation { base: vec![0.0], values: vec![1.0, 2.0, f64::NAN], features: 1 };
    let named = |names: &[&str]| -> Vec<Option<String>> {
        names.iter().map(|name| Some((*name).to_owned())).collect()
    };
    let wrong = Settings {
        reference: Some("x".to_owned()),
        resamples: Some(1),
        confidence: 1.0,
        ..Settings::default()
    };
    let Err(ExplainError::Asked(faults)) = ask(&explanation, &named(&["a", "a"]), &wrong) else {
        panic!("it is wrong")
    };
    assert_eq!(faults.len(), 6, "{faults:?}");
    let fine = Explanation { base: vec![0.0], values: vec![0.0; 3], features: 1 };
    let small = ask(&fine, &named(&["a", "b", "a"]), &Settings::default()).unwrap();
    assert!(small.groups.iter().all(|group| group.differences.is_none()));
    assert!(small.untested.is_some_and(|why| why.contains("10 rows or more")));
    let flat = Explanation { base: vec![0.0], values: vec![0.0; 40], features: 1 };
    let names: Vec<_> = (0..40).map(|row| Some((row % 2).to_string())).collect();
    let found = ask(&flat, &names, &Settings::default()).unwrap();
    assert_eq!(found.groups[1].differences.as_ref().unwrap()[0].size.adjusted, 1.0);
    assert_eq!(found.untested, None);
    let more = groups::most_resamples(1) + 1;
    let more = Settings { resamples: Some(more), ..Settings::default() };
    assert!(matches!(ask(&flat, &names, &more), Err(ExplainError::Asked(_))));
    let none = Explanation { base: vec![0.0], values: Vec::new(), features: 1 };
    assert!(ask(&none, &[], &Settings::default()).is_err());
    let cancel = CancellationToken::new();
    cancel.cancel();
    let stopped = compare(&flat, 0, &names, &Settings::default(), &(), &cancel);
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
}
