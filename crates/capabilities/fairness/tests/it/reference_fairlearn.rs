//! Fairlearn's `MetricFrame` and its scalars, with and without weights.

use serde_json::Value;

use crate::support::{Find, FindIn, close, data_sets, reference_json, value};
use ephor_fairness::{AnalysisResult, AttributeResult, metrics};

/// Compares one number; ours may be undefined only where the peer says 0.0 or nothing.
#[derive(Default)]
struct Tally {
    equal: usize,
    undefined: usize,
}

impl Tally {
    fn compare(&mut self, ours: Option<f64>, peer: &Value, what: impl Fn() -> String) {
        match (ours, peer.as_f64()) {
            (Some(ours), Some(peer)) => {
                assert!(close(ours, peer), "{}: {ours} is not {peer}", what());
                self.equal += 1;
            }
            (None, Some(peer)) => {
                assert_eq!(peer, 0.0, "{}: undefined here, {peer} there", what());
                self.undefined += 1;
            }
            (None, None) => self.undefined += 1,
            (Some(ours), None) => panic!("{}: {ours} here, undefined there", what()),
        }
    }
}

/// What our name of the disparity is, given Fairlearn's of the metric.
fn disparity_name(metric: &str, suffix: &str) -> String {
    let id = metrics::find(metric).unwrap().id;
    let stem = match id {
        "selection_rate" => "demographic_parity",
        "tpr" => "equal_opportunity",
        "fpr" => "predictive_equality",
        "ppv" => "predictive_parity",
        other => other,
    };
    format!("{stem}_{suffix}")
}

/// scikit-learn gives these a value where one of the labels is missing; ours are undefined.
const LENIENT: [&str; 1] = ["balanced_accuracy"];

fn frame(
    tally: &mut Tally,
    result: &AnalysisResult,
    attribute: &AttributeResult,
    frame: &Value,
    what: &str,
) {
    for (metric, peer) in frame["overall"].as_object().unwrap() {
        tally.compare(value(&result.overall, metric), peer, || format!("{what} overall {metric}"));
    }
    let mut undefined_metrics = Vec::new();
    for (metric, groups) in frame["by_group"].as_object().unwrap() {
        for (name, peer) in groups.as_object().unwrap() {
            let Some(group) = attribute.groups.iter().find(|group| group.name == *name) else {
                assert!(peer.is_null() || peer.as_f64() == Some(0.0), "{what}: no group {name}");
                undefined_metrics.push(metric.as_str());
                continue;
            };
            let ours = value(group, metric);
            if ours.is_none() {
                undefined_metrics.push(metric.as_str());
                if LENIENT.contains(&metric.as_str()) {
                    tally.undefined += 1;
                    continue;
                }
            }
            tally.compare(ours, peer, || format!("{what} {name} {metric}"));
        }
    }
    for (peer_name, suffix) in [
        ("difference_between_groups", "difference"),
        ("difference_to_overall", "difference_to_overall"),
        ("ratio_between_groups", "ratio"),
        ("ratio_to_overall", "ratio_to_overall"),
    ] {
        for (metric, peer) in frame[peer_name].as_object().unwrap() {
            // With an undefined group Fairlearn takes 0.0 into its extremes: there is nothing to agree on.
            if undefined_metrics.contains(&metric.as_str()) {
                continue;
            }
            let id = disparity_name(metric, suffix);
            tally.compare(attribute.disparity(&id).value, peer, || format!("{what} {id}"));
        }
    }
}

fn scalars(tally: &mut Tally, attribute: &AttributeResult, scalars: &Value, what: &str) {
    for (name, peer) in scalars.as_object().unwrap() {
        let (stem, rest) = name.split_once('[').unwrap();
        let to_overall = if rest.contains("to_overall") { "_to_overall" } else { "" };
        let mean = if rest.contains("mean") { "_mean" } else { "" };
        let disparity = attribute.disparity(&format!("{stem}{mean}{to_overall}"));
        if disparity.left_out.is_empty() {
            tally.compare(disparity.value, peer, || format!("{what} {name}"));
        }
    }
}

async fn everything(weighted: bool) -> Tally {
    let mut tally = Tally::default();
    for set in data_sets() {
        let mut spec = set.spec();
        spec.weight = weighted.then(|| "weight".to_owned());
        let result = set.analyze(&spec).await;
        let peer = reference_json(&format!("{}/fairlearn.json", set.name));
        for (name, found) in peer["attributes"].as_object().unwrap() {
            let attribute = result.attribute(name);
            let suffix = if weighted { "_weighted" } else { "" };
            for kind in ["hard", "soft"] {
                let Some(found) = found.get(format!("{kind}{suffix}")) else { continue };
                frame(
                    &mut tally,
                    &result,
                    attribute,
                    found,
                    &format!("{} {name} {kind}{suffix}", set.name),
                );
            }
            if let Some(found) = found.get(format!("scalars{suffix}")) {
                scalars(&mut tally, attribute, found, &format!("{} {name}", set.name));
            }
        }
    }
    tally
}

#[tokio::test]
async fn unweighted_values_are_equal() {
    let tally = everything(false).await;
    // So many of Fairlearn's 0.0 are undefined here; none other differs.
    assert_eq!((tally.equal, tally.undefined), (2_609, 67));
}

#[tokio::test]
async fn weighted_values_are_equal() {
    let tally = everything(true).await;
    assert_eq!((tally.equal, tally.undefined), (2_609, 67));
}
