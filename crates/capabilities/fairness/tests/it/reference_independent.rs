//! The independent computation: all groups and intersections, calibration, and intervals.

use serde_json::Value;

use crate::support::{Find, FindIn, close, data_sets, reference_json, value};
use ephor_fairness::{
    Group, Interval,
    intervals::{Proportion, bootstrap, drawn::Drawn, katz::katz, newcombe::newcombe, z},
    tally::Count,
};

/// Its name, and ours.
const METRICS: [(&str, &str); 21] = [
    ("n", "count"),
    ("base_rate", "base_rate"),
    ("selection_rate", "selection_rate"),
    ("tpr", "tpr"),
    ("fnr", "fnr"),
    ("fpr", "fpr"),
    ("tnr", "tnr"),
    ("ppv", "ppv"),
    ("fdr", "fdr"),
    ("npv", "npv"),
    ("for", "for"),
    ("accuracy", "accuracy"),
    ("f1", "f1"),
    ("brier", "brier"),
    ("log_loss", "log_loss"),
    ("roc_auc", "roc_auc"),
    ("mean_score", "mean_score"),
    ("ece_10", "ece"),
    ("mcc", "mcc"),
    ("treatment_equality_fn_over_fp", "treatment_equality"),
    ("calibration_in_the_large(mean_score-base_rate)", "calibration_in_the_large"),
];

fn same(ours: Option<f64>, theirs: &Value, what: &str) -> bool {
    match (ours, theirs.as_f64()) {
        (Some(ours), Some(theirs)) => {
            assert!(close(ours, theirs), "{what}: {ours} is not {theirs}");
        }
        (None, None) => {}
        (ours, theirs) => panic!("{what}: {ours:?} here, {theirs:?} there"),
    }
    ours.is_some()
}

fn same_interval(ours: Option<&Interval>, theirs: &Value, what: &str) {
    let Some(theirs) = theirs.as_array() else { return };
    let Some(ours) = ours else {
        assert!(theirs.iter().all(Value::is_null), "{what}: no interval here");
        return;
    };
    assert!(
        close(ours.lower, theirs[0].as_f64().unwrap())
            && close(ours.upper, theirs[1].as_f64().unwrap()),
        "{what}: {ours:?}"
    );
}

fn group(ours: &Group, theirs: &Value, what: &str) -> usize {
    let mut equal = 0;
    for (name, metric) in METRICS {
        if let Some(theirs) = theirs.get(name) {
            equal += usize::from(same(value(ours, metric), theirs, &format!("{what} {name}")));
        }
    }
    for (name, metric) in [("selection_rate", "selection_rate"), ("tpr", "tpr"), ("fpr", "fpr")] {
        same_interval(
            ours.metric(metric).unwrap().interval.as_ref(),
            &theirs[format!("{name}_ci95_wilson")],
            &format!("{what} {name} interval"),
        );
    }
    let confusion = ours.confusion.unwrap();
    assert_eq!(
        [
            confusion.true_positives,
            confusion.false_positives,
            confusion.true_negatives,
            confusion.false_negatives
        ]
        .map(Some),
        ["TP", "FP", "TN", "FN"].map(|name| theirs[name].as_u64())
    );
    if let Some(bins) = theirs["calibration_10_equal_width"].as_array() {
        let filled: Vec<&Value> = bins.iter().filter(|bin| bin["n"].as_u64() > Some(0)).collect();
        assert_eq!(filled.len(), ours.reliability.len(), "{what}");
        for (ours, theirs) in ours.reliability.iter().zip(filled) {
            assert_eq!(Some(ours.n), theirs["n"].as_u64(), "{what}");
            assert!(
                close(ours.mean_score, theirs["mean_score"].as_f64().unwrap())
                    && close(ours.positive_rate, theirs["rate"].as_f64().unwrap())
            );
        }
    }
    equal
}

#[tokio::test]
async fn every_group_and_extreme_is_equal() {
    for set in data_sets() {
        let result = set.analyze(&set.spec()).await;
        let truth = reference_json(&format!("{}/independent.json", set.name));
        let mut equal = 0;
        for (name, found) in truth["attributes"].as_object().unwrap() {
            let attribute = result.attribute(name);
            equal += group(&result.overall, &found["overall"], "overall");
            let groups = found["groups"].as_object().unwrap();
            assert_eq!(
                groups.values().filter(|group| group["n"].as_u64() > Some(0)).count(),
                attribute.groups.len()
            );
            for (key, theirs) in groups.iter().filter(|(_, group)| group["n"].as_u64() > Some(0)) {
                equal += group(attribute.group(key), theirs, &format!("{} {name} {key}", set.name));
            }
            for (metric, extremes) in found["extremes"].as_object().unwrap() {
                let stem = match metric.as_str() {
                    "selection_rate" => "demographic_parity",
                    "tpr" => "equal_opportunity",
                    "fpr" => "predictive_equality",
                    "ppv" => "predictive_parity",
                    other => other,
                };
                let what = format!("{} {name} {metric}", set.name);
                let difference = attribute.disparity(&format!("{stem}_difference"));
                same(difference.value, &extremes["difference"], &what);
                same(
                    attribute.disparity(&format!("{stem}_ratio")).value,
                    &extremes["ratio"],
                    &what,
                );
                // Undefined groups are left out and listed; so is, of the interval alone, whose certainty is not known.
                let is_undefined = |reason: &str| !reason.contains("only the value counts it");
                let left_out: Vec<&str> = difference
                    .left_out
                    .iter()
                    .filter(|group| is_undefined(&group.reason))
                    .map(|group| group.name.as_str())
                    .collect();
                let undefined: Vec<&str> = extremes["undefined_groups"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap())
                    .collect();
                assert_eq!(left_out, undefined, "{what}");
            }
            same(
                attribute.disparity("equalized_odds_difference").value,
                &found["equalized_odds_difference_worst"],
                &format!("{} {name} equalized odds", set.name),
            );
        }
        assert!(equal > 300, "{} {equal}", set.name);
    }
}

/// Successes and trials of a rate.
fn proportion(group: &Value, rate: &str) -> Proportion {
    let count = |name: &str| group[name].as_f64().unwrap();
    let (x, n) = match rate {
        "tpr" => (count("TP"), count("TP") + count("FN")),
        "fpr" => (count("FP"), count("FP") + count("TN")),
        "ppv" => (count("TP"), count("TP") + count("FP")),
        "for" => (count("FN"), count("FN") + count("TN")),
        _ => (count("TP") + count("FP"), count("n")),
    };
    Proportion { p: x / n, n }
}

#[test]
fn pairwise_intervals_are_equal() {
    let mut equal = 0;
    for set in data_sets() {
        let truth = reference_json(&format!("{}/independent.json", set.name));
        for (name, found) in truth["attributes"].as_object().unwrap() {
            let versus = &found["versus_largest_group"];
            let reference = &found["groups"][versus["reference"].as_str().unwrap()];
            for (key, rates) in versus["rows"].as_object().unwrap() {
                for rate in ["tpr", "fpr", "ppv", "for", "selection_rate"] {
                    let theirs = &rates[rate];
                    let (Some(difference), Some(ratio)) = (
                        theirs["difference_ci95_newcombe"].as_array(),
                        theirs["ratio_ci95_katz_log"].as_array(),
                    ) else {
                        continue;
                    };
                    let (ours, other) =
                        (proportion(&found["groups"][key], rate), proportion(reference, rate));
                    if !(ours.n > 0.0 && other.n > 0.0) || difference[0].is_null() {
                        continue;
                    }
                    let (lower, upper) = newcombe(ours, other, z(0.95));
                    let what = format!("{} {name} {key} {rate}", set.name);
                    assert!(
                        close(lower, difference[0].as_f64().unwrap())
                            && close(upper, difference[1].as_f64().unwrap()),
                        "{what}"
                    );
                    if let (Some(low), Some(high)) = (ratio[0].as_f64(), ratio[1].as_f64())
                        && ours.p > 0.0
                        && other.p > 0.0
                        && !(ours.p >= 1.0 && other.p >= 1.0)
                    {
                        let (lower, upper) = katz(ours, other, z(0.95));
                        assert!(
                            close(lower, low) && close(upper, high),
                            "{what}: {lower} {upper}, {low} {high}"
                        );
                        equal += 1;
                    }
                }
            }
        }
    }
    assert!(equal > 50, "{equal}");
}

#[test]
fn the_bootstrap_agrees_with_an_independent_one() {
    for set in data_sets() {
        let truth = reference_json(&format!("{}/independent.json", set.name));
        let found = &truth["attributes"]["sex"];
        let expected = &found["bootstrap_20000_multinomial_cells(0.025,0.5,0.975)"]["demographic_parity_difference"];
        let counts: Vec<Count> = found["groups"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|group| ["TP", "FP", "TN", "FN"].map(|name| group[name].as_u64().unwrap()))
            .map(|n| Count { n, w: n as f64, w2: n as f64 })
            .collect();
        let draws = 20_000;
        let drawn = bootstrap::bootstrap(&counts, draws, 1, 1, || {
            |w: &[f64], out: &mut [f64]| {
                let rate =
                    |at: usize| (w[at] + w[at + 1]) / (w[at] + w[at + 1] + w[at + 2] + w[at + 3]);
                out[0] = (rate(0) - rate(4)).abs();
            }
        });
        let Drawn { lower, upper, .. } = Drawn::of(&drawn[0], draws, 0.95).unwrap();
        assert!(
            (lower - expected[0].as_f64().unwrap()).abs() < 0.005
                && (upper - expected[2].as_f64().unwrap()).abs() < 0.005
        );
    }
}
