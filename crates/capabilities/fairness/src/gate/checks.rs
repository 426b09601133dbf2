//! Every judged disparity, as a check.

use std::collections::HashMap;

use super::{Check, Compared, Since};
use crate::{
    comparison::DisparityChange,
    result::{AnalysisResult, AttributeResult, Disparity},
};

pub(super) fn of_disparities(
    result: &AnalysisResult,
    compared: Option<&Compared<'_>>,
) -> Vec<Check> {
    let changes: HashMap<(&str, &str), &DisparityChange> = compared
        .iter()
        .flat_map(|compared| &compared.comparison.attributes)
        .flat_map(|one| {
            let name = one.name.as_str();
            one.disparities.iter().map(move |change| ((name, change.id.as_str()), change))
        })
        .collect();
    let groupings = result.attributes.iter().chain(&result.intersections);
    let judged = groupings.flat_map(|one| {
        let judged = one.disparities.iter().filter(|found| found.threshold.is_some());
        judged.map(move |found| (one, found))
    });
    judged
        .map(|(one, found)| {
            let change = changes.get(&(one.name.as_str(), found.id.as_str()));
            check(one, found, change.copied())
        })
        .collect()
}

fn check(one: &AttributeResult, found: &Disparity, change: Option<&DisparityChange>) -> Check {
    Check {
        rule: found.id.clone(),
        id: Some(found.id.clone()),
        subject: one.name.clone(),
        group: None,
        key: format!("{}/{}", one.name, found.id),
        value: found.value,
        status: found.status,
        sentence: found.sentence.clone(),
        known: None,
        change: change.map(|change| Since {
            status: change.baseline_status,
            verdict: change.verdict,
            regression: change.stops(),
            sentence: change.sentence.clone(),
        }),
        stops: false,
    }
}
