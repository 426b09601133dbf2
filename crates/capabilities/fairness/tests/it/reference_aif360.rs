//! AIF360's `ClassificationMetric` and `BinaryLabelDatasetMetric`, with each group as the privileged one in turn.

use serde_json::Value;

use crate::support::{Find, FindIn, close, data_sets, reference_json, value};
use datafusion::prelude::{col, lit};
use ephor_fairness::{AttributeResult, Disparity, disparities};

/// AIF360 says 0.0 for these rates where nobody is predicted so; ours are undefined, and so is what follows from them.
const ZERO_FOR_UNDEFINED: [&str; 5] = [
    "false_omission_rate",
    "false_discovery_rate",
    "average_predictive_value_difference",
    "error_rate_ratio",
    "disparate_impact",
];

fn compare(ours: &Disparity, peer: &Value, what: &str, equal: &mut usize) {
    match (ours.value, peer.as_f64()) {
        (Some(ours), Some(peer)) => {
            assert!(close(ours, peer), "{what}: {ours} is not {peer}");
            *equal += 1;
        }
        (Some(ours), None) => panic!("{what}: {ours} here, {peer} there"),
        (None, Some(_)) => assert!(
            ZERO_FOR_UNDEFINED.iter().any(|name| what.contains(name)),
            "{what}: undefined here, {peer} there"
        ),
        (None, None) => {}
    }
}

/// Our name of a peer's.
fn ours(id: &str) -> &str {
    match id {
        // Fairlearn's names for its unsigned differences, which are ours.
        "equal_opportunity_difference" => "true_positive_rate_difference",
        "equalized_odds_difference" => "equalized_odds_difference_to_reference",
        id => id,
    }
}

/// Compares all of one privileged group, and says how many are equal.
fn signed(attribute: &AttributeResult, values: &Value, with_between: bool, what: &str) -> usize {
    let mut equal = 0;
    for (id, value) in values.as_object().unwrap() {
        if !with_between && id.starts_with("between") {
            continue;
        }
        let id = ours(id);
        assert!(disparities::find(id).is_some(), "{id} is not in the registry");
        compare(attribute.disparity(id), value, &format!("{what} {id}"), &mut equal);
    }
    equal
}

#[tokio::test]
async fn signed_disparities_are_equal() {
    for (weighted, section) in [(false, "attributes"), (true, "attributes_weighted")] {
        for set in data_sets() {
            let peer = reference_json(&format!("{}/aif360.json", set.name));
            let mut equal = 0;
            for (name, found) in peer[section].as_object().unwrap() {
                for (privileged, values) in found["privileged_vs_rest"].as_object().unwrap() {
                    let mut spec = set.spec();
                    spec.protected = vec![name.clone()];
                    spec.weight = weighted.then(|| "weight".to_owned());
                    spec.reference_groups = [(name.clone(), privileged.clone())].into();
                    let result = set.analyze(&spec).await;
                    let attribute = result.attribute(name);
                    assert_eq!(
                        attribute.reference.as_ref().map(|reference| reference.group.as_str()),
                        Some(privileged.as_str())
                    );
                    let what = format!("{} {name} {privileged}", set.name);
                    // Entropies ignore weights in AIF360, and are compared without.
                    equal += signed(attribute, values, !weighted, &what);
                }
            }
            assert!(equal > 100, "{} {section}: only {equal} compared", set.name);
        }
    }
}

/// Each other group by itself against the privileged one: the rows of these two alone.
#[tokio::test]
async fn one_group_against_another_is_equal() {
    for set in data_sets() {
        let peer = reference_json(&format!("{}/aif360.json", set.name));
        let mut equal = 0;
        for (name, found) in peer["attributes"].as_object().unwrap() {
            for (privileged, others) in found["privileged_vs_each"].as_object().unwrap() {
                for (other, values) in others.as_object().unwrap() {
                    let mut spec = set.spec();
                    spec.protected = vec![name.clone()];
                    spec.reference_groups = [(name.clone(), privileged.clone())].into();
                    let is = |group: &String| col(name.as_str()).eq(lit(group.as_str()));
                    let result = set.analyze_where(&spec, is(privileged).or(is(other))).await;
                    let attribute = result.attribute(name);
                    assert_eq!(attribute.groups.len(), 2);
                    let what = format!("{} {name} {privileged} {other}", set.name);
                    // AIF360 counts whoever is in neither group as without any benefit.
                    equal += signed(attribute, values, false, &what);
                }
            }
        }
        assert!(equal > 100, "{}: only {equal} compared", set.name);
    }
}

#[tokio::test]
async fn group_rates_are_equal() {
    let names = [
        ("TPR", "tpr"),
        ("TNR", "tnr"),
        ("FPR", "fpr"),
        ("FNR", "fnr"),
        ("GTPR", "mean_score_positives"),
        ("GFPR", "mean_score_negatives"),
        ("GTNR", "generalized_true_negative_rate"),
        ("GFNR", "generalized_false_negative_rate"),
        ("PPV", "ppv"),
        ("NPV", "npv"),
        ("FDR", "fdr"),
        ("FOR", "for"),
        ("ACC", "accuracy"),
        ("base_rate", "base_rate"),
        ("selection_rate", "selection_rate"),
        ("error_rate", "zero_one_loss"),
    ];
    for set in data_sets() {
        let peer = reference_json(&format!("{}/aif360.json", set.name));
        for (weighted, section) in [(false, "attributes"), (true, "attributes_weighted")] {
            let mut spec = set.spec();
            spec.weight = weighted.then(|| "weight".to_owned());
            let result = set.analyze(&spec).await;
            for (name, found) in peer[section].as_object().unwrap() {
                for (group, rates) in found["performance_by_group"].as_object().unwrap() {
                    let ours = result.attribute(name).group(group);
                    assert!(close(ours.weight, rates["num_instances"].as_f64().unwrap()));
                    for (theirs, metric) in names {
                        let (ours, peer) =
                            (value(ours, metric).unwrap(), rates[theirs].as_f64().unwrap());
                        assert!(
                            close(ours, peer),
                            "{} {name} {group} {metric}: {ours} is not {peer}",
                            set.name
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn entropies_are_equal() {
    for set in data_sets() {
        let peer = reference_json(&format!("{}/aif360.json", set.name));
        let result = set.analyze(&set.spec()).await;
        for (name, found) in peer["attributes"].as_object().unwrap() {
            let whole = &found["whole"];
            for (theirs, id) in [
                ("generalized_entropy_index", "generalized_entropy_index"),
                ("theil_index", "theil_index"),
                ("coefficient_of_variation", "coefficient_of_variation"),
                ("generalized_entropy_index[alpha=0.5]", "generalized_entropy_index_half"),
                ("generalized_entropy_index[alpha=1]", "generalized_entropy_index_1"),
                ("generalized_entropy_index[alpha=2]", "generalized_entropy_index_2"),
                ("generalized_entropy_index[alpha=3]", "generalized_entropy_index_3"),
            ] {
                assert!(
                    close(value(&result.overall, id).unwrap(), whole[theirs].as_f64().unwrap()),
                    "{} {id}",
                    set.name
                );
            }
            for id in [
                "between_all_groups_generalized_entropy_index",
                "between_all_groups_theil_index",
                "between_all_groups_coefficient_of_variation",
            ] {
                let ours = result.attribute(name).disparity(id).value.unwrap();
                assert!(
                    close(ours, whole[id].as_f64().unwrap()),
                    "{} {name} {id}: {ours}",
                    set.name
                );
            }
            // A false negative has a benefit of 0: AIF360 says inf, ours is undefined with its reason.
            assert_eq!(whole["generalized_entropy_index[alpha=0]"], "inf");
            assert!(
                result
                    .overall
                    .metric("generalized_entropy_index_0")
                    .unwrap()
                    .undefined
                    .as_deref()
                    .unwrap()
                    .contains("false negative")
            );
        }
        let pair = peer["intersection"]["attributes"].as_array().unwrap();
        let name = pair.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join("|");
        let ours =
            result.attribute(&name).disparity("between_all_groups_theil_index").value.unwrap();
        assert!(
            close(ours, peer["intersection"]["between_all_groups_theil_index"].as_f64().unwrap()),
            "{} {name}: {ours}",
            set.name
        );
    }
}

/// Differential fairness and its amplification, of groups and of intersections, with and without weights.
#[tokio::test]
async fn differential_fairness_is_equal() {
    const IDS: [&str; 2] =
        ["smoothed_empirical_differential_fairness", "differential_fairness_bias_amplification"];
    for set in data_sets() {
        let peer = reference_json(&format!("{}/aif360.json", set.name));
        for (weighted, section) in [(false, "attributes"), (true, "attributes_weighted")] {
            let mut spec = set.spec();
            spec.weight = weighted.then(|| "weight".to_owned());
            let result = set.analyze(&spec).await;
            let same = |name: &str, whole: &Value| {
                for id in IDS {
                    let ours = result.attribute(name).disparity(id).value.unwrap();
                    let theirs = whole[id].as_f64().unwrap();
                    assert!(close(ours, theirs), "{} {name} {id}: {ours} {theirs}", set.name);
                }
            };
            for (name, found) in peer[section].as_object().unwrap() {
                same(name, &found["whole"]);
            }
            if !weighted {
                let pair = peer["intersection"]["attributes"].as_array().unwrap();
                let names: Vec<&str> = pair.iter().map(|name| name.as_str().unwrap()).collect();
                same(&names.join("|"), &peer["intersection"]);
            }
        }
    }
}

/// The functions that only `aif360.sklearn` has; their names, and ours.
#[tokio::test]
async fn functions_of_the_sklearn_interface_are_equal() {
    let whole = [
        ("conditional_demographic_disparity(y_true)", "dataset_conditional_demographic_disparity"),
        ("conditional_demographic_disparity(y_pred)", "conditional_demographic_disparity"),
        ("smoothed_edf(y_true)", "smoothed_empirical_differential_fairness"),
        ("smoothed_edf(y_pred)", "predicted_smoothed_empirical_differential_fairness"),
        ("df_bias_amplification", "differential_fairness_bias_amplification"),
        ("between_group_GE_error alpha=2", "between_all_groups_generalized_entropy_index"),
        ("between_group_GE_error alpha=1", "between_all_groups_theil_index"),
    ];
    let privileged = [
        ("class_imbalance", "class_imbalance"),
        ("kl_divergence(y_true)", "dataset_kl_divergence"),
        ("kl_divergence(y_pred)", "kl_divergence"),
        ("average_odds_error", "average_abs_odds_difference"),
    ];
    for set in data_sets() {
        let peer = reference_json(&format!("{}/aif360.json", set.name));
        let mut equal = 0;
        for (name, found) in peer["aif360.sklearn"].as_object().unwrap() {
            for (theirs, value) in found.as_object().unwrap() {
                let mut spec = set.spec();
                spec.protected = vec![name.clone()];
                let (theirs, group) = match theirs.split_once("[priv=") {
                    Some((theirs, group)) => (theirs, group.strip_suffix(']')),
                    None => (theirs.as_str(), None),
                };
                if let Some(group) = group {
                    spec.reference_groups = [(name.clone(), group.to_owned())].into();
                }
                let mut known = whole.iter().chain(&privileged);
                let (_, id) = known
                    .find(|(known, _)| *known == theirs)
                    .unwrap_or_else(|| panic!("{theirs} has no name here"));
                let result = set.analyze(&spec).await;
                let what = format!("{} {name} {theirs} {group:?}", set.name);
                compare(result.attribute(name).disparity(id), value, &what, &mut equal);
            }
        }
        assert!(equal > 30, "{}: only {equal} compared", set.name);
    }
}
