//! The made-up table of the kinds of analysis, and what the peers say of it.

use datafusion::prelude::{CsvReadOptions, DataFrame};
use ephor_fairness::frame::{Comparison, Findings, Grouping, Line};
use serde_json::Value;

use crate::support::{close, context, reference, reference_json};

pub async fn input() -> DataFrame {
    let file = reference("kinds/input.csv");
    context(2).read_csv(file.to_str().unwrap(), CsvReadOptions::new()).await.unwrap()
}

pub fn values() -> Value {
    reference_json("kinds/values.json")
}

pub fn grouping(protected: &[&str]) -> Grouping {
    Grouping { min_group_size: 1, ..Grouping::new(protected.iter().copied()) }
}

pub fn comparison<'a>(findings: &'a Findings, name: &str) -> &'a Comparison {
    findings.comparisons.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn same(line: &Line, peer: &Value, what: &str) -> usize {
    for (metric, peer) in peer.as_object().unwrap() {
        let ours = line.metric(metric).unwrap_or_else(|| panic!("{what}: no {metric}"));
        let (ours, peer) = (ours.value.unwrap(), peer.as_f64().unwrap());
        assert!(close(ours, peer), "{what} {metric}: {ours} is not {peer}");
    }
    peer.as_object().unwrap().len()
}

/// Holds a comparison to Fairlearn's `MetricFrame`; the number of values compared.
pub fn frame(findings: &Findings, name: &str, peer: &Value) -> usize {
    let mut equal = same(&findings.overall, &peer["overall"], "overall");
    let ours = comparison(findings, name);
    for (group, peer) in peer["by_group"].as_object().unwrap() {
        equal += same(ours.group(group).unwrap(), peer, group);
    }
    for form in ["difference", "ratio"] {
        for (metric, peer) in peer[form].as_object().unwrap() {
            let found = ours.disparity(&format!("{metric}_{form}")).unwrap();
            // Of values below 0 Fairlearn makes a ratio all the same.
            let Some(value) = found.value else {
                assert!(metric == "mean_residual" && form == "ratio", "{metric} {form}");
                continue;
            };
            assert!(close(value, peer.as_f64().unwrap()), "{metric} {form}: {value} is not {peer}");
            let interval = found.interval.as_ref().unwrap_or_else(|| panic!("{metric} {form}"));
            assert!(interval.lower <= value + 1e-9 && value <= interval.upper + 1e-9, "{found:?}");
            equal += 1;
        }
    }
    equal
}
