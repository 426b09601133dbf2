//! Digests of explanations: the same however rows are cut into batches, equal to what is computed at once, and bounded.

use std::collections::BTreeSet;

use ephor_explain::{
    CancellationToken, ExplainError, Explanation, Format, Rows, Scorer as _, counterfactual,
    effects::{self, Accumulated, Grid, Partial},
    groups, kernel, lime, permutation,
    summary::{
        About, Curves, Digest, Effect, Flips, Groups, Importance, MOST_FEATURES, MOST_GROUPS,
        MOST_LINES, MOST_POINTS, MOST_SAMPLED, Method, Near, Settings, Summary, Surface, Unit,
        Wish,
    },
};
use proptest::prelude::*;

use crate::{
    black_box::noise,
    support::{
        assert_near, first, forest, in_probability, interactions, interventional, model,
        path_dependent, rows,
    },
};

fn empty(features: usize) -> Summary {
    let names: Vec<String> = (0..features).map(|at| format!("f{at}")).collect();
    Summary::new(Method::Shap, About::asked(1), 0, Unit::Prediction, &names)
}

fn part(rows: &Rows, explanation: &Explanation, from: usize, to: usize) -> (Rows, Explanation) {
    let each = explanation.features * explanation.base.len();
    let values = explanation.values[from * each..to * each].to_vec();
    let rows = (from..to).flat_map(|row| rows.row(row).to_vec()).collect();
    (
        Rows::new(rows, explanation.features),
        Explanation { values, base: explanation.base.clone(), ..*explanation },
    )
}

/// Of all rows at once.
fn whole(rows: &Rows, explanation: &Explanation, settings: &Settings) -> Summary {
    let mut digest = Digest::new(empty(explanation.features), settings);
    digest.add(rows, explanation).unwrap();
    digest.finish()
}

/// By the definitions, in two passes.
fn assert_direct(summary: &Summary, rows: &Rows, explanation: &Explanation, output: usize) {
    let count = rows.len() as f64;
    let mut all = 0.0;
    for (feature, told) in summary.features.iter().enumerate() {
        let values: Vec<f64> =
            (0..rows.len()).map(|row| explanation.row(row, output)[feature]).collect();
        let mean = values.iter().sum::<f64>() / count;
        let size = values.iter().map(|value| value.abs()).sum::<f64>() / count;
        let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let found = told.values.unwrap();
        assert_near(
            &[found.mean, found.size, found.deviation, found.least, found.greatest],
            &[mean, size, square.sqrt(), least, greatest],
            1e-12 * (1.0 + size) + 1e-9 * square.sqrt(),
        );
        all += found.share;
        let pairs: Vec<(f64, f64)> = (0..rows.len())
            .map(|row| (rows.row(row)[feature], values[row]))
            .filter(|(x, _)| x.is_finite())
            .collect();
        let n = pairs.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let (x, v) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
        let xx = mean(&|pair| (pair.0 - x).powi(2));
        let vv = mean(&|pair| (pair.1 - v).powi(2));
        let xv = mean(&|pair| (pair.0 - x) * (pair.1 - v));
        if xx > 1e-9 && vv > 1e-12 {
            let found = found.correlation.unwrap();
            assert!((found - xv / (xx * vv).sqrt()).abs() < 1e-6, "{found}");
        }
    }
    assert!((all - 1.0).abs() < 1e-9 || all == 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batches_do_not_matter_and_means_are_means(
        cells in prop::collection::vec((prop::option::weighted(0.9, -50.0..50.0f64), -3.0..3.0f64), 4..400),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        sample in 1_usize..40,
        seed in any::<u64>(),
    ) {
        let features = 4;
        let count = cells.len() / features;
        let cells = &cells[..count * features];
        let rows = Rows::new(cells.iter().map(|(x, _)| x.unwrap_or(f64::NAN)).collect(), features);
        let values = cells.iter().map(|(_, value)| *value).collect();
        let explanation = Explanation { base: vec![0.5], values, features };
        let settings = Settings { sample, rows: vec![0, 3, 1_000], seed };
        let at_once = whole(&rows, &explanation, &settings);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(count + 1)).collect();
        cuts.extend([0, count]);
        cuts.sort_unstable();
        let mut digest = Digest::new(empty(features), &settings);
        for ends in cuts.windows(2) {
            let (rows, explanation) = part(&rows, &explanation, ends[0], ends[1]);
            digest.add(&rows, &explanation).unwrap();
        }
        let streamed = digest.finish();
        prop_assert_eq!(&streamed, &at_once);
        assert_direct(&streamed, &rows, &explanation, 0);
        let kept = streamed.sample.as_ref().unwrap();
        prop_assert_eq!(kept.rows.len(), sample.min(count));
        prop_assert!(kept.rows.is_sorted());
        let text = serde_json::to_string(&streamed).unwrap();
        let back: Summary = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back.rows, streamed.rows);
        prop_assert_eq!(&back.sample, &streamed.sample);
        prop_assert_eq!(&back.waterfalls.len(), &streamed.waterfalls.len());
    }
}

/// Rows of a forest of XGBoost, with the values of each row.
fn shap() -> (ephor_explain::Forest, Rows, Explanation) {
    let (forest, rows) = (forest("xgb_binary", "model.json"), rows("xgb_binary", "X.csv"));
    let values = path_dependent(&forest, &rows);
    (forest, rows, values)
}

fn of_forest(forest: &ephor_explain::Forest, method: Method, unit: Unit) -> Summary {
    let about = About::of(Format::XgboostJson, &ephor_explain::Model::Forest(forest.clone()));
    Summary::new(method, about, 0, unit, &forest.features)
}

#[test]
fn waterfalls_end_at_the_prediction() {
    let (forest, rows, values) = shap();
    let settings = Settings { rows: vec![2, 7, 199, 5_000], ..Settings::default() };
    let mut digest = Digest::new(of_forest(&forest, Method::Shap, Unit::Margin), &settings);
    digest.add(&rows, &values).unwrap();
    let summary = digest.finish();
    assert_direct(&summary, &rows, &values, 0);
    assert_eq!(summary.unit_words(), "log-odds");
    let kept: Vec<u64> = summary.waterfalls.iter().map(|one| one.row).collect();
    assert_eq!(kept, [2, 7, 199]);
    let predicted = forest.predict(&rows).unwrap();
    for one in &summary.waterfalls {
        let row = usize::try_from(one.row).unwrap();
        let sum: f64 = one.parts.iter().map(|part| part.adds).sum();
        assert!((one.base + sum + one.others_add - one.total).abs() < 1e-12);
        assert!((one.total - forest.margin(rows.row(row))[0]).abs() < 1e-9);
        assert!((one.prediction.unwrap() - predicted[row][0]).abs() < 1e-9);
        assert!(one.parts.is_sorted_by(|one, two| one.adds.abs() >= two.adds.abs()));
        let x = one.parts[0].x.unwrap_or(f64::NAN);
        let own = rows.row(row)[one.parts[0].feature];
        assert!(x == own || (x.is_nan() && own.is_nan()));
    }
    let ranked = summary.ranked();
    assert!(ranked.is_sorted_by(|one, two| one.1.size >= two.1.size));
    assert_eq!(summary.sample.as_ref().unwrap().features[0], ranked[0].0);
    assert_eq!(summary.dependence[0].feature, ranked[0].0);
    let points = summary.points(summary.dependence[0]);
    assert!(!points.is_empty() && points.len() <= 200);
    let text = serde_json::to_string(&summary).unwrap();
    assert!(text.len() < 150_000, "{}", text.len());
}

#[test]
fn probabilities_end_at_themselves() {
    let (forest, rows, _) = shap();
    let rows = first(&rows, 20);
    let values = in_probability(&forest, &rows, &rows);
    let mut digest =
        Digest::new(of_forest(&forest, Method::Shap, Unit::Probability), &Settings::default());
    digest.add(&rows, &values).unwrap();
    let summary = digest.finish();
    assert_eq!((summary.waterfalls.len(), summary.unit_words()), (10, "probability"));
    for (one, predicted) in summary.waterfalls.iter().zip(forest.predict(&rows).unwrap()) {
        assert!((one.prediction.unwrap() - predicted[0]).abs() < 1e-9);
    }
}

#[test]
fn pairs_give_values_and_a_matrix() {
    let (forest, rows, _) = shap();
    let rows = first(&rows, 40);
    let (values, pairs) = (path_dependent(&forest, &rows), interactions(&forest, &rows));
    let mut digest =
        Digest::new(of_forest(&forest, Method::Shap, Unit::Margin), &Settings::default());
    for (from, to) in [(0, 13), (13, 40)] {
        let each = pairs.features;
        let some = Explanation {
            values: pairs.values[from * each..to * each].to_vec(),
            base: pairs.base.clone(),
            features: each,
        };
        let rows = Rows::new(
            rows.iter().skip(from).take(to - from).flatten().copied().collect(),
            rows.width(),
        );
        digest.add_pairs(&rows, &some).unwrap();
    }
    let summary = digest.finish();
    assert_direct(&summary, &rows, &values, 0);
    let found = summary.interactions.as_ref().unwrap();
    let width = forest.features.len();
    for (i, one) in found.features.iter().enumerate() {
        for (j, two) in found.features.iter().enumerate() {
            let both = (0..rows.len()).map(|row| {
                let matrix = pairs.row(row, 0);
                let twice = if one == two { 0.0 } else { matrix[two * width + one] };
                (matrix[one * width + two] + twice).abs()
            });
            let mean = both.sum::<f64>() / rows.len() as f64;
            assert!((found.size[i][j] - mean).abs() <= 1e-5 * mean + 1e-12);
            assert_eq!(found.size[i][j], found.size[j][i]);
        }
    }
    // The partner is the feature with which it adds most together.
    let place = 0;
    let partner = summary.dependence[place].partner.unwrap();
    let at = found.features.iter().position(|feature| *feature == partner).unwrap();
    let most = found.size[place].iter().enumerate().filter(|(other, _)| *other != place);
    assert_eq!(found.size[place][at], most.map(|(_, size)| *size).fold(0.0, f64::max));
}

/// What the first feature adds depends on the third; the second is only there.
#[test]
fn the_partner_is_the_feature_that_it_goes_with() {
    let x = noise(900);
    let values = x.chunks_exact(3).flat_map(|row| [row[0] * (row[2] - 0.5), 0.0, 0.01]);
    let explanation = Explanation { base: vec![0.0], values: values.collect(), features: 3 };
    let summary = whole(&Rows::new(x, 3), &explanation, &Settings::default());
    assert_eq!((summary.dependence[0].feature, summary.dependence[0].partner), (0, Some(2)));
    let constant = summary.dependence.iter().find(|one| one.feature == 2).unwrap();
    assert_eq!(constant.partner, None, "what is always the same goes with nothing");
    assert_eq!(summary.features[2].values.unwrap().correlation, None);
}

#[test]
fn it_is_bounded_whatever_the_rows_features_and_groups() {
    let (count, features) = (3_000, 60);
    let x: Vec<f64> = (0..count * features).map(|at| ((at * 31) % 97) as f64).collect();
    let values = x.iter().enumerate().map(|(at, x)| x * (at % features) as f64).collect();
    let explanation = Explanation { base: vec![0.0], values, features };
    let rows = Rows::new(x, features);
    let names: Vec<Option<String>> =
        (0..count).map(|row| (row % 7 > 0).then(|| format!("group {}", row % 1_200))).collect();
    let settings = Settings { sample: 1 << 20, rows: (0..3_000).collect(), seed: 1 };
    let mut digest = Digest::new(empty(features), &settings).by_group(None);
    digest.add_grouped(&rows, &explanation, &names).unwrap();
    let summary = digest.finish();
    let sample = summary.sample.as_ref().unwrap();
    assert_eq!((sample.rows.len(), sample.features.len()), (MOST_SAMPLED, MOST_FEATURES));
    let distinct: BTreeSet<_> = sample.rows.iter().collect();
    assert_eq!(distinct.len(), MOST_SAMPLED);
    assert!(sample.rows.iter().any(|row| *row > 2_000), "rows are of the whole stream");
    assert_eq!(summary.waterfalls.len(), 100);
    assert_eq!(summary.waterfalls[0].parts.len(), MOST_FEATURES);
    assert_eq!(summary.waterfalls[0].others, features - MOST_FEATURES);
    let groups = summary.groups.as_ref().unwrap();
    assert_eq!(groups.groups.len(), MOST_GROUPS);
    assert!(groups.others > 0);
    let own = groups.groups[0].name.clone();
    let of = (0..count).filter(|row| names[*row].as_ref() == Some(&own));
    let of: Vec<usize> = of.collect();
    let mean = of.iter().map(|row| explanation.row(*row, 0)[5]).sum::<f64>() / of.len() as f64;
    assert!((groups.groups[0].value[5] - mean).abs() < 1e-9);
}

#[test]
fn samples_are_drawn_evenly() {
    let mut seen = vec![0_u32; 40];
    for seed in 0..2_000 {
        let rows = Rows::new((0..40).map(f64::from).collect(), 1);
        let explanation = Explanation { base: vec![0.0], values: vec![1.0; 40], features: 1 };
        let settings = Settings { sample: 10, rows: Vec::new(), seed };
        for row in whole(&rows, &explanation, &settings).sample.unwrap().rows {
            seen[usize::try_from(row).unwrap()] += 1;
        }
    }
    // 500 of each are expected, with a standard deviation of 19.4.
    assert!(seen.iter().all(|count| (410..590).contains(count)), "{seen:?}");
}

#[test]
fn what_does_not_fit_is_refused_all_at_once() {
    let refused = |rows: &Rows, explanation: &Explanation| {
        let found = Digest::new(empty(2), &Settings::default()).add(rows, explanation);
        match found.unwrap_err() {
            ExplainError::Asked(faults) => faults.len(),
            ExplainError::Width { .. } => 0,
            other => panic!("{other}"),
        }
    };
    let rows = Rows::new(vec![1.0; 4], 2);
    let of = |values: Vec<f64>, features| Explanation { base: vec![0.0], values, features };
    assert_eq!(refused(&rows, &of(vec![0.0; 3], 3)), 2);
    assert_eq!(refused(&rows, &of(vec![0.0, f64::NAN, 0.0, 0.0], 2)), 1);
    assert_eq!(refused(&rows, &Explanation { base: vec![], values: vec![], features: 2 }), 1);
    assert_eq!(refused(&Rows::new(vec![1.0; 3], 3), &of(vec![0.0; 4], 2)), 0);
    let mut digest = Digest::new(empty(2), &Settings::default());
    assert!(digest.add_pairs(&rows, &of(vec![0.0; 4], 2)).is_err());
    assert!(digest.add_grouped(&rows, &of(vec![0.0; 4], 2), &[None]).is_err());
    // Of what was refused nothing is kept.
    let nothing = digest.finish();
    assert_eq!((nothing.rows, nothing.sample), (0, None));
}

#[test]
fn kernel_values_come_with_their_errors() {
    let (_, rows, _) = shap();
    let model = model("xgb_binary", "model.json");
    let rows = first(&rows, 3);
    let cancel = CancellationToken::new();
    let asked = kernel::Settings { samples: Some(64), ..kernel::Settings::default() };
    let found = kernel::explain(&model, &rows, &rows, &asked, &(), &cancel).unwrap();
    let about = About::of(Format::XgboostJson, &model);
    let summary = Summary::new(Method::Kernel, about, 0, Unit::Prediction, model.features());
    let mut digest = Digest::new(summary, &Settings::default());
    digest.add_estimated(&rows, &found).unwrap();
    let summary = digest.finish();
    let estimate = summary.estimate.unwrap();
    assert_eq!(estimate.error, found.errors.iter().copied().fold(0.0, f64::max));
    let part = summary.waterfalls[1].parts[0];
    assert_eq!(part.error, Some(found.errors[rows.width() + part.feature]));
    let predicted = model.predict(&rows).unwrap();
    assert!((summary.waterfalls[1].prediction.unwrap() - predicted[1][0]).abs() < 1e-9);
}

/// Rows of kernel SHAP belong to their groups, even where all of them belong to the same one, as in a file sorted by group.
#[test]
fn kernel_values_are_summed_by_group() {
    let (_, rows, _) = shap();
    let model = model("xgb_binary", "model.json");
    let rows = first(&rows, 3);
    let cancel = CancellationToken::new();
    let asked = kernel::Settings { samples: Some(64), ..kernel::Settings::default() };
    let found = kernel::explain(&model, &rows, &rows, &asked, &(), &cancel).unwrap();
    let about = About::of(Format::XgboostJson, &model);
    let summary = Summary::new(Method::Kernel, about, 0, Unit::Prediction, model.features());
    let digest = Digest::new(summary, &Settings::default()).by_group(Some("sex".to_owned()));
    let name = |name: &str| Some(name.to_owned());
    for (names, expected, without) in [
        ([name("f"), name("f"), name("f")], &[("f", 3)][..], 0),
        ([name("f"), None, name("m")], &[("f", 1), ("m", 1)], 1),
    ] {
        let mut digest = digest.clone();
        digest.add_estimated_grouped(&rows, &found, &names).unwrap();
        assert!(digest.add_estimated_grouped(&rows, &found, &names[1..]).is_err());
        let summary = digest.finish();
        assert!(summary.estimate.is_some());
        let groups = summary.groups.unwrap();
        let told: Vec<_> =
            groups.groups.iter().map(|group| (group.name.as_str(), group.rows)).collect();
        assert_eq!((told.as_slice(), groups.without), (expected, without));
        let first = found.explanation.row(0, 0)[0];
        assert!(told.len() == 1 || (groups.groups[0].value[0] - first).abs() < 1e-12);
    }
}

#[test]
fn other_methods_are_told_in_bounded_forms() {
    let (forest, rows, _) = shap();
    let model = model("xgb_binary", "model.json");
    let few = first(&rows, 60);
    let cancel = CancellationToken::new();
    let targets: Vec<f64> = few.iter().map(|row| f64::from(forest.margin(row)[0] > 0.0)).collect();
    let asked =
        permutation::Settings { metric: permutation::Metric::Accuracy, repeats: 3, seed: 1 };
    let found = permutation::importance(&model, &few, &targets, &asked, &(), &cancel).unwrap();
    let told = Importance::of(asked.metric, &found);
    assert_eq!((told.repeats, told.features.len()), (3, forest.features.len()));
    for (told, found) in told.features.iter().zip(&found.features) {
        assert!(told.least <= told.mean && told.mean <= told.greatest);
        assert_eq!((told.mean, told.deviation), (found.mean, found.deviation));
    }

    let grid = Grid::Quantiles { points: 20 };
    let found = effects::partial(&model, &few, 0, 0, &grid, 60, &(), &cancel).unwrap();
    let told = Curves::partial(0, false, false, &found);
    assert_eq!((told.effect, told.lines.len()), (Effect::Individual, MOST_LINES));
    assert_near(&told.mean, &found.average, 1e-5);
    let pair = effects::pair(&model, &few, [0, 1], 0, &grid, &(), &cancel).unwrap();
    let told = Surface::of([0, 1], &pair);
    assert_near(&told.mean.concat(), &pair.average.concat(), 1e-5);
    let found = effects::accumulated(&model, &few, 0, 0, 10, &(), &cancel).unwrap();
    let told = Curves::accumulated(0, false, &found);
    assert_eq!((told.rows.len(), told.rows[0]), (told.grid.len(), 0));

    let found = lime::Lime::new(&few, lime::Settings { samples: 200, ..lime::Settings::default() });
    let lime = found.unwrap();
    let rows = first(&few, 2);
    let rows = Rows::new(
        rows.iter().flatten().map(|x| if x.is_nan() { 0.0 } else { *x }).collect(),
        rows.width(),
    );
    let found = lime.explain(&model, &rows, 0, &(), &cancel).unwrap();
    let told = Near::of(&lime, &rows, &found);
    assert_eq!((told.len(), told[1].row, told[1].prediction), (2, 1, found[1].predicted));
    let words = told[0].weights[0].words("age", |number| number.to_string());
    assert!(words.contains("age"), "{words}");

    let goal = counterfactual::Goal::Flip { output: 0, threshold: 0.5 };
    let asked = counterfactual::Settings { budget: 500, ..counterfactual::Settings::new(goal) };
    let found = counterfactual::seek(&model, &rows, &few, &asked, &(), &cancel).unwrap();
    let told = Flips::of(&rows, &found, 0);
    assert_eq!(told.len(), 2);
    for (told, found) in told.iter().zip(&found) {
        assert_eq!(told.ways.len(), found.found.len());
        assert_eq!(told.outcome == Wish::Found, !told.ways.is_empty());
    }

    let values = interventional(&forest, &few, &rows);
    let names: Vec<Option<String>> =
        (0..60).map(|row| Some(if row % 3 == 0 { "a" } else { "b" }.to_owned())).collect();
    let asked = groups::Settings { resamples: Some(50), ..groups::Settings::default() };
    let found = groups::compare(&values, 0, &names, &asked, &(), &cancel).unwrap();
    let told = Groups::of(Some("sex".to_owned()), 0.95, &found);
    assert_eq!((told.reference.as_deref(), told.groups.len()), (Some("b"), 2));
    assert!(told.groups[1].differences.is_some());
    let text = serde_json::to_string(&told).unwrap();
    assert_eq!(serde_json::from_str::<Groups>(&text).unwrap().groups[1].rows, 20);
}

#[test]
fn long_curves_are_thinned_with_both_ends() {
    let grid: Vec<f64> = (0..5_000).map(f64::from).collect();
    let found =
        Partial { average: grid.clone(), curves: vec![grid.clone(); 70], grid: grid.clone() };
    let told = Curves::partial(0, false, false, &found);
    assert_eq!((told.grid.len(), told.lines.len()), (MOST_POINTS, MOST_LINES));
    assert_eq!((told.grid[0], told.grid[MOST_POINTS - 1]), (0.0, 4_999.0));
    assert!(told.lines.iter().all(|line| line.len() == MOST_POINTS));
    let found = Accumulated { effect: grid.clone(), rows: vec![1; 4_999], grid };
    assert!(Curves::accumulated(0, false, &found).rows.is_empty());
}
