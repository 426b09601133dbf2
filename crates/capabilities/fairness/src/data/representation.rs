//! Who is in the data, beside the population that they should stand for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::{
    Fault,
    fault::nearest,
    intervals::{Proportion, wilson::wilson, z},
    result::{Interval, IntervalMethod},
    significance::chi_square::ChiSquare,
    tally::Tally,
};

/// Attribute (or several, joined by `|`) to group to its share of the population.
pub type Population = BTreeMap<String, BTreeMap<String, f64>>;

/// The data beside the population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Representation {
    /// The population's groups.
    pub groups: Vec<Represented>,
    /// Groups of the data of which the population says nothing: their rows are in no share here.
    pub unknown: Vec<String>,
    /// Could the data be drawn from the population at random? `None` with weights, or if the population has one group.
    pub test: Option<ChiSquare>,
}

/// One group of the population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Represented {
    /// Its name.
    pub name: String,
    /// Its rows in the data.
    pub n: u64,
    /// Its share of the data's rows that are in a known group.
    pub share: f64,
    /// Its interval (Wilson).
    pub interval: Interval,
    /// Its share of the population.
    pub expected: f64,
    /// share / expected: 1 is ideal, 0.5 means half as often as it should be there.
    pub ratio: f64,
}

/// How many names a hint lists.
const LISTED: usize = 20;

/// All that is wrong with the shares; `tables` are the names of all attributes and combinations that are described.
pub(super) fn faults(population: &Population, tables: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (attribute, shares) in population {
        let place = format!("/population/{attribute}");
        if !tables.contains(attribute) {
            let message = format!(
                "`{attribute}` is no protected attribute here, and no combination that is described."
            );
            let known = tables.iter().map(String::as_str);
            let fault = Fault::new(place.clone(), "unknown_attribute", message);
            faults.push(match nearest(attribute, known.clone()) {
                Some(near) => fault.hint(format!("Did you mean `{near}`?")),
                None => fault.hint(format!("There are: {}.", listed(known))),
            });
        }
        if shares.values().any(|share| !(*share > 0.0 && *share <= 1.0)) {
            let message = format!("A share of `{attribute}` is not above 0 and at most 1.");
            faults.push(Fault::new(place.clone(), "out_of_range", message));
        }
        let sum: f64 = shares.values().sum();
        if (sum - 1.0).abs() > 0.005 {
            let message = format!("The shares of `{attribute}` add up to {sum:.3}, not to 1.");
            faults.push(
                Fault::new(place, "out_of_range", message)
                    .hint("Name every group of the population."),
            );
        }
    }
    faults
}

/// That no group of a population is in the data.
pub(super) fn nobody(attribute: &str, groups: &[(&str, &Tally)]) -> Fault {
    let message = format!("No group of the population of `{attribute}` is in the data.");
    Fault::new(format!("/population/{attribute}"), "unknown_group", message)
        .hint(format!("The data's groups are: {}.", listed(groups.iter().map(|group| group.0))))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.take(LISTED + 1).collect();
    if let Some(last) = names.get_mut(LISTED) {
        *last = "…";
    }
    names.join(", ")
}

/// Compares the groups of the data with the population's shares. `None` if no row is in a known group.
pub(super) fn compare(
    groups: &[(&str, &Tally)],
    expected: &BTreeMap<String, f64>,
    confidence: f64,
) -> Option<Representation> {
    let known = |name: &str| groups.iter().find(|group| group.0 == name).map(|group| group.1.all);
    let (mut n, mut w, mut w2) = (0_u64, 0.0, 0.0);
    for count in expected.keys().filter_map(|name| known(name)) {
        n += count.n;
        w += count.w;
        w2 += count.w2;
    }
    if w <= 0.0 {
        return None;
    }
    let total: f64 = expected.values().sum();
    let mut statistic = 0.0;
    let represented = expected
        .iter()
        .map(|(name, share)| {
            let (mine, expected) = (known(name).unwrap_or_default(), share / total);
            let p = (mine.w / w).clamp(0.0, 1.0);
            statistic += (mine.n as f64 - expected * n as f64).powi(2) / (expected * n as f64);
            let (lower, upper) = wilson(Proportion { p, n: w * w / w2 }, z(confidence));
            Represented {
                name: name.clone(),
                n: mine.n,
                share: p,
                interval: Interval { lower, upper, confidence, method: IntervalMethod::Wilson },
                expected,
                ratio: p / expected,
            }
        })
        .collect();
    let is_unweighted = groups.iter().all(|(_, tally)| tally.all.w == tally.all.n as f64);
    let df = expected.len().saturating_sub(1) as u64;
    let test = ChiSquared::new(df as f64)
        .ok()
        .filter(|_| is_unweighted)
        .map(|chi_square| ChiSquare { statistic, df, p: chi_square.sf(statistic) });
    Some(Representation {
        groups: represented,
        unknown: groups
            .iter()
            .filter(|(name, _)| !expected.contains_key(*name))
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        test,
    })
}
