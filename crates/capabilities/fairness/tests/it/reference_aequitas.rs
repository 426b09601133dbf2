//! Aequitas' crosstabs, disparities to a reference group, and parities at tau.
//!
//! Definitions differ in these places only:
//! - A ratio to 0 is undefined here; Aequitas gives 10.0 in place of infinity.
//! - Against the group with the least value (`get_disparity_min_metric`) only the greatest disparity is known: 1 / the ratio of the
//!   extremes. Where the least value is 0 Aequitas gives 10.0, here the ratio is 0.
//! - Its p-values are not compared: the one of FPR, of FDR, of TNR and of precision are the same number there, of the false
//!   positives among all rows. Ours are of each rate's own rows.
//! - It drops rows without a group, which are a group here, and refuses attributes that are no text.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use ephor_fairness::{AnalysisSpec, AttributeResult, Parity};
use serde_json::Value;

use crate::support::{DataSet, Find, FindIn, close, data_sets, reference_json, run_batch, value};

/// Aequitas' names of rates, which are names here too.
const RATES: [&str; 12] = [
    "ppr",
    "pprev",
    "precision",
    "fdr",
    "for",
    "fpr",
    "fnr",
    "tpr",
    "tnr",
    "npv",
    "accuracy",
    "prev",
];
/// Those that have a disparity.
const COMPARED: usize = 10;

/// Aequitas' names of parities, and ours.
const PARITIES: [(&str, &str); 15] = [
    ("Statistical Parity", "statistical_parity"),
    ("Impact Parity", "impact_parity"),
    ("Precision Parity", "precision_parity"),
    ("FDR Parity", "fdr_parity"),
    ("FOR Parity", "for_parity"),
    ("FPR Parity", "fpr_parity"),
    ("FNR Parity", "fnr_parity"),
    ("TPR Parity", "tpr_parity"),
    ("TNR Parity", "tnr_parity"),
    ("NPV Parity", "npv_parity"),
    ("TypeI Parity", "type_i_parity"),
    ("TypeII Parity", "type_ii_parity"),
    ("Equalized Odds", "equalized_odds"),
    ("Unsupervised Fairness", "unsupervised_fairness"),
    ("Supervised Fairness", "supervised_fairness"),
];

fn peer(set: &DataSet) -> Value {
    reference_json(&format!("{}/aequitas.json", set.name))
}

fn rows(table: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    table.as_array().unwrap().iter().map(|row| {
        let text = |name: &str| row[name].as_str().unwrap();
        (text("attribute_name"), text("attribute_value"), row)
    })
}

fn parity(attribute: &AttributeResult) -> &Parity {
    attribute.parity.as_ref().unwrap_or_else(|| panic!("{} has no parity", attribute.name))
}

fn ratio(attribute: &AttributeResult, group: &str, id: &str) -> Option<f64> {
    let mut groups = parity(attribute).groups.iter();
    let found = groups.find(|found| found.group == group);
    found.unwrap_or_else(|| panic!("no group {group}")).disparities[id]
}

#[tokio::test]
async fn crosstabs_are_equal() {
    for set in data_sets() {
        let result = set.analyze(&set.spec()).await;
        let peer = peer(&set);
        let mut equal = 0;
        for (name, group, row) in rows(&peer["crosstabs"]) {
            let ours = result.attribute(name).group(group);
            for rate in RATES {
                let (ours, theirs) = (value(ours, rate).unwrap(), row[rate].as_f64().unwrap());
                assert!(close(ours, theirs), "{} {name} {group} {rate}: {ours} {theirs}", set.name);
                equal += 1;
            }
            let confusion = ours.confusion.unwrap();
            let counts = [
                confusion.true_positives,
                confusion.false_positives,
                confusion.true_negatives,
                confusion.false_negatives,
                ours.n,
            ];
            let theirs = ["tp", "fp", "tn", "fn", "group_size"].map(|name| row[name].as_u64());
            assert_eq!(counts.map(Some), theirs);
        }
        assert!(equal >= 72, "{}: only {equal}", set.name);
    }
}

/// Every group's ratios are the peer's, and the disparity of each name is the farthest of them from 1.
fn disparities_are_equal(set: &DataSet, result: &ephor_fairness::AnalysisResult, table: &Value) {
    let mut equal = 0;
    for (name, group, row) in rows(table) {
        let attribute = result.attribute(name);
        for rate in &RATES[..COMPARED] {
            let id = format!("{rate}_disparity");
            let what = format!("{} {name} {group} {id}", set.name);
            let theirs = row[&id].as_f64().unwrap();
            let ours = ratio(attribute, group, &id).unwrap_or_else(|| panic!("{what}: none"));
            assert!(close(ours, theirs), "{what}: {ours} {theirs}");
            let gap = |ratio: f64| 1.0 - ratio.min(1.0 / ratio);
            let farthest = attribute.disparity(&id);
            assert!(gap(farthest.value.unwrap()) >= gap(theirs) - 1e-9, "{what}: {farthest:?}");
            assert_eq!((farthest.threshold, farthest.status), (None, None), "{what}");
            let reference = row[format!("{rate}_ref_group_value")].as_str();
            let found = attribute.reference.as_ref().map(|reference| reference.group.as_str());
            assert_eq!(found, reference, "{what}");
            equal += 1;
        }
    }
    assert!(equal >= 60, "{}: only {equal}", set.name);
}

#[tokio::test]
async fn disparities_to_chosen_groups_are_equal() {
    for set in data_sets() {
        let peer = peer(&set);
        let mut spec = set.spec();
        for (name, group) in peer["disparity_predefined"]["reference"].as_object().unwrap() {
            spec.reference_groups.insert(name.clone(), group.as_str().unwrap().to_owned());
        }
        let result = set.analyze(&spec).await;
        disparities_are_equal(&set, &result, &peer["disparity_predefined"]["rows"]);
        // Of two groups there is one ratio, and its interval holds it.
        let found = result.attribute("sex").disparity("pprev_disparity");
        let (value, interval) = (found.value.unwrap(), found.interval.as_ref().unwrap());
        assert!(interval.lower < value && value < interval.upper, "{found:?}");
    }
}

#[tokio::test]
async fn disparities_to_the_largest_groups_are_equal() {
    for set in data_sets() {
        let result = set.analyze(&set.spec()).await;
        disparities_are_equal(&set, &result, &peer(&set)["disparity_major_group"]);
    }
}

#[tokio::test]
async fn the_greatest_disparity_to_the_least_group_is_the_inverse_of_the_ratio() {
    for set in data_sets() {
        let result = set.analyze(&set.spec()).await;
        let peer = peer(&set);
        for name in set.attributes {
            let attribute = result.attribute(name);
            for (rate, id) in [
                ("pprev", "demographic_parity_ratio"),
                ("precision", "predictive_parity_ratio"),
                ("fdr", "fdr_ratio"),
                ("for", "for_ratio"),
                ("fpr", "predictive_equality_ratio"),
                ("fnr", "fnr_ratio"),
                ("tpr", "equal_opportunity_ratio"),
                ("tnr", "tnr_ratio"),
                ("npv", "npv_ratio"),
            ] {
                let greatest = rows(&peer["disparity_min_metric"])
                    .filter(|(of, _, _)| *of == name)
                    .map(|(_, _, row)| row[format!("{rate}_disparity")].as_f64().unwrap())
                    .fold(0.0, f64::max);
                let ours = attribute.disparity(id).value.unwrap();
                assert!(close(1.0 / ours, greatest), "{} {name} {id}: {ours} {greatest}", set.name);
            }
        }
    }
}

#[tokio::test]
async fn parities_at_tau_are_equal() {
    for set in data_sets() {
        let peer = peer(&set);
        let mut spec = set.spec();
        for (name, group) in peer["disparity_predefined"]["reference"].as_object().unwrap() {
            spec.reference_groups.insert(name.clone(), group.as_str().unwrap().to_owned());
        }
        let result = set.analyze(&spec).await;
        let flags = &peer["fairness_tau_0.8"];
        let mut equal = 0;
        for (name, group, row) in rows(&flags["by_value"]) {
            let parity = parity(result.attribute(name));
            let ours = parity.groups.iter().find(|found| found.group == group).unwrap();
            for (theirs, id) in PARITIES {
                let what = format!("{} {name} {group} {id}", set.name);
                assert_eq!(ours.parities[id], row[theirs].as_bool(), "{what}");
                equal += 1;
            }
            assert!(parity.tau.values().all(|tau| close(*tau, 0.8)));
        }
        assert!(equal >= 90, "{}: only {equal}", set.name);
        for row in flags["by_attribute"].as_array().unwrap() {
            let name = row["attribute_name"].as_str().unwrap();
            for (theirs, id) in PARITIES {
                let ours = parity(result.attribute(name)).parities[id];
                assert_eq!(ours, row[theirs].as_bool(), "{} {name} {id}", set.name);
            }
        }
        for (theirs, id) in [
            ("Unsupervised Fairness", "unsupervised_fairness"),
            ("Supervised Fairness", "supervised_fairness"),
        ] {
            let mut attributes = result.attributes.iter();
            let all = attributes.all(|attribute| parity(attribute).parities[id] == Some(true));
            assert_eq!(Some(all), flags["overall"][theirs].as_bool(), "{} {id}", set.name);
        }
    }
}

#[tokio::test]
async fn a_threshold_is_a_tau_of_its_own_and_judges() {
    let [set, _] = data_sets();
    let mut spec = set.spec();
    spec.thresholds = [("fpr_disparity".to_owned(), 0.01)].into();
    let result = set.analyze(&spec).await;
    let attribute = result.attribute("sex");
    let parity = parity(attribute);
    assert!(close(parity.tau["fpr_disparity"], 0.99) && close(parity.tau["tpr_disparity"], 0.8));
    // 1.0208 is parity at 0.8, and none at 0.99.
    assert_eq!(parity.parities["fpr_parity"], Some(false));
    assert_eq!(parity.parities["tpr_parity"], Some(true));
    assert!(attribute.disparity("fpr_disparity").status.is_some());
}

/// Four of each: c has no positives, d has no negatives.
fn four_groups(predictions: [i64; 16]) -> Vec<(&'static str, ArrayRef)> {
    let groups: Vec<&str> = ["a", "b", "c", "d"].into_iter().flat_map(|group| [group; 4]).collect();
    let labels = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    vec![
        ("g", Arc::new(StringArray::from(groups)) as ArrayRef),
        ("y", Arc::new(Int64Array::from_iter_values(labels)) as ArrayRef),
        ("p", Arc::new(Int64Array::from_iter_values(predictions)) as ArrayRef),
    ]
}

fn against(reference: &str) -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        reference_groups: [("g".to_owned(), reference.to_owned())].into(),
        ..AnalysisSpec::new("y", ["g"])
    }
}

const PREDICTIONS: [i64; 16] = [1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0];

/// Ours may be undefined where the peer says nan, or 10.0 for infinity.
fn same(ours: Option<f64>, theirs: &Value, what: &str) {
    let theirs: f64 = theirs.as_str().unwrap().parse().unwrap();
    match ours {
        Some(ours) => assert!(close(ours, theirs), "{what}: {ours} {theirs}"),
        None => {
            assert!(theirs.is_nan() || theirs == 10.0, "{what}: undefined here, {theirs} there");
        }
    }
}

#[tokio::test]
async fn edges_are_equal_or_undefined() {
    let peer = reference_json("edge_cases_aequitas.json");
    let result = run_batch(four_groups(PREDICTIONS), &against("c")).await.unwrap();
    let attribute = result.attribute("g");
    for (group, rates) in peer["undefined rates"].as_object().unwrap() {
        for (rate, theirs) in rates.as_object().unwrap() {
            same(value(attribute.group(group), rate), theirs, &format!("{group} {rate}"));
        }
    }
    let found = &peer["disparity vs group c (reference TPR undefined, FPR .25)"];
    for (group, disparities) in found.as_object().unwrap() {
        for (id, theirs) in disparities.as_object().unwrap() {
            same(ratio(attribute, group, id), theirs, &format!("{group} {id}"));
        }
    }
    // What cannot be told of a group cannot be told of all.
    assert_eq!(parity(attribute).parities["tpr_parity"], None);
    assert_eq!(parity(attribute).parities["fpr_parity"], Some(false));
    let tpr = attribute.disparity("tpr_disparity");
    assert!(tpr.undefined.as_deref().unwrap().contains("no positive labels"), "{tpr:?}");
    let precision = attribute.disparity("precision_disparity");
    assert!(precision.undefined.as_deref().unwrap().contains("is 0"), "{precision:?}");
    let fpr = attribute.disparity("fpr_disparity");
    assert_eq!((fpr.value, fpr.left_out[0].name.as_str()), (Some(0.0), "d"));
}

#[tokio::test]
async fn a_reference_group_that_is_never_selected_has_no_ratio() {
    let peer = reference_json("edge_cases_aequitas.json");
    let mut predictions = PREDICTIONS;
    predictions[..4].fill(0);
    let result = run_batch(four_groups(predictions), &against("a")).await.unwrap();
    let attribute = result.attribute("g");
    for (group, theirs) in peer["reference selection rate 0: pprev_disparity"].as_object().unwrap()
    {
        let ours = ratio(attribute, group, "pprev_disparity");
        assert_eq!(ours, None, "{group}");
        same(ours, theirs, group);
    }
    // Nobody selected at all: there is no share of them either.
    let result = run_batch(four_groups([0; 16]), &against("a")).await.unwrap();
    let ppr = result.attribute("g").group("b").metric("ppr").unwrap();
    assert_eq!(ppr.value, None);
    assert!(ppr.undefined.as_deref().unwrap().contains("nobody at all"));
}

#[tokio::test]
async fn one_group_has_nothing_to_be_compared_with() {
    let columns = vec![
        ("g", Arc::new(StringArray::from_iter_values(["a"; 4])) as ArrayRef),
        ("y", Arc::new(Int64Array::from_iter_values([1, 0, 1, 0])) as ArrayRef),
        ("p", Arc::new(Int64Array::from_iter_values([1, 0, 0, 1])) as ArrayRef),
    ];
    // Aequitas says 1.0 of itself.
    let result = run_batch(columns, &against("a")).await.unwrap();
    assert_eq!(result.attribute("g").parity, None);
    assert_eq!(result.attribute("g").disparity("pprev_disparity").value, None);
}
