//! AIF360's `ClassificationMetric` and `BinaryLabelDatasetMetric`, with each group as the privileged one in turn.

use serde_json::Value;

use crate::support::{Find, FindIn, close, data_sets, reference_json, value};
use ephor_fairness::{Disparity, disparities};

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
                    for (id, value) in values.as_object().unwrap() {
                        // With two groups that is another convention of ours; generalised rates belong to a later catalogue.
                        // Entropies ignore weights in AIF360, and are compared without.
                        if id.contains("equalized_odds") || (weighted && id.starts_with("between"))
                        {
                            continue;
                        }
                        // Fairlearn's name for its unsigned difference, which is ours.
                        let id = if id == "equal_opportunity_difference" {
                            "true_positive_rate_difference"
                        } else {
                            id
                        };
                        assert!(disparities::find(id).is_some(), "{id} is not in the registry");
                        compare(
                            attribute.disparity(id),
                            value,
                            &format!("{} {name} {privileged} {id}", set.name),
                            &mut equal,
                        );
                    }
                }
            }
            assert!(equal > 100, "{} {section}: only {equal} compared", set.name);
        }
    }
}

#[tokio::test]
async fn group_rates_are_equal() {
    let names = [
        ("TPR", "tpr"),
        ("TNR", "tnr"),
        ("FPR", "fpr"),
        ("FNR", "fnr"),
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
            for id in ["generalized_entropy_index", "theil_index"] {
                assert!(
                    close(value(&result.overall, id).unwrap(), whole[id].as_f64().unwrap()),
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
