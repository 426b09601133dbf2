//! Disparities against their thresholds, one card for each attribute or intersection.

use std::collections::BTreeMap;

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{AnalysisResult, AttributeResult, Disparity, Group, NotCompared, Status};

use super::summary::disparity_title;
use crate::{
    plot,
    report::figures::probability,
    view::{Badge, Head, Html, Notice, RangeMark, Table, format},
};

/// One attribute's disparities: what fails or warns first, what passes and what is not judged
/// behind disclosures.
#[derive(Debug, Clone, Template)]
#[template(path = "result/disparities.html")]
pub(super) struct DisparityCard {
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) verdict: Badge,
    pub(super) reference: String,
    pub(super) notice: Option<Notice>,
    /// An intersection, which is opened by whoever wants it.
    pub(super) folded: bool,
    /// What fails, warns or is undefined, the worst first.
    pub(super) beyond: Table,
    pub(super) passing: Option<Table>,
    pub(super) others: Option<Table>,
}

impl HtmlSafe for DisparityCard {}

impl DisparityCard {
    pub(super) fn new(all: &AnalysisResult, result: &AttributeResult) -> Self {
        let (judged, others): (Vec<_>, Vec<_>) =
            result.disparities.iter().partition(|disparity| disparity.threshold.is_some());
        let (passing, mut beyond): (Vec<_>, Vec<_>) =
            judged.into_iter().partition(|disparity| disparity.status == Some(Status::Pass));
        // Stable: within a status the engine's order stays.
        beyond.sort_by_key(|disparity| std::cmp::Reverse(disparity.status));
        let name = result.attributes.join(" and ");
        let reference = result.reference.as_ref().map_or_else(String::new, |reference| {
            let why = if reference.chosen { "chosen" } else { "the largest group" };
            format!("Signed values compare with {} ({why}).", reference.group)
        });
        let notice = result
            .reason
            .as_ref()
            .filter(|_| !result.comparable)
            .map(|reason| Notice::info("The groups cannot be compared").text(reason))
            .or_else(|| not_compared(all, result));
        Self {
            anchor: plot::slug(&result.name),
            verdict: Badge::verdict(result.status),
            reference,
            notice,
            folded: result.attributes.len() > 1,
            beyond: table(&format!("Disparities of {name} beyond their thresholds"), &beyond, true),
            passing: (!passing.is_empty())
                .then(|| table(&format!("Disparities of {name} that pass"), &passing, true)),
            others: (!others.is_empty())
                .then(|| table(&format!("Other disparities of {name}"), &others, false)),
            name,
        }
    }

    pub(super) fn has_beyond(&self) -> bool {
        !self.beyond.rows.is_empty()
    }

    /// How many pass, in words.
    pub(super) fn passes(&self) -> String {
        let many = self.passing.as_ref().map_or(0, |table| table.rows.len() as u64);
        format::plural(many, "disparity passes", "disparities pass")
    }
}

/// The groups that are in no disparity, and why. Where not all are so for one reason, each says its own.
fn not_compared(all: &AnalysisResult, result: &AttributeResult) -> Option<Notice> {
    let found: Vec<(&Group, NotCompared)> = result
        .groups
        .iter()
        .filter_map(|group| Some((group, all.not_compared(result, group)?)))
        .collect();
    let (_, first) = *found.first()?;
    let is_one = found.iter().all(|(_, why)| *why == first);
    let name = |(group, why): &(&Group, NotCompared)| {
        let rows = format::count(group.n);
        if is_one {
            format!("{} ({rows})", group.name)
        } else {
            format!("{} ({rows}; {why})", group.name)
        }
    };
    let mut names: Vec<String> = found.iter().take(8).map(name).collect();
    let more = found.len().saturating_sub(names.len());
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    let title = if is_one {
        format!("Some groups are {first}")
    } else {
        "Some groups are not compared".to_owned()
    };
    Some(
        Notice::info(title)
            .text(format!("Shown with their metrics, but in no disparity: {}.", names.join(", "))),
    )
}

fn table(label: &str, disparities: &[&Disparity], judged: bool) -> Table {
    let mut heads = vec![Head::new("Disparity"), Head::right("Value"), Head::right("Interval")];
    // Analyses of weighted rows, and those from before there were tests, have none.
    let tested = judged && disparities.iter().any(|disparity| disparity.p_value.is_some());
    if judged {
        // The status stands first, where a phone shows it without scrolling.
        heads.insert(1, Head::new("Status"));
        heads.push(Head::right("Accepted"));
        if tested {
            heads.push(Head::right("p"));
        }
        heads.push(Head::new("On its scale"));
    }
    let rows = disparities.iter().map(|disparity| row(disparity, judged, tested)).collect();
    Table { label: label.to_owned(), heads, rows }
}

fn row(disparity: &Disparity, judged: bool, tested: bool) -> Vec<Html> {
    let value = disparity.value.map_or_else(|| "undefined".to_owned(), format::decimal);
    let interval = disparity.interval.as_ref().map_or_else(
        || "\u{2013}".to_owned(),
        |interval| {
            format!("{} to {}", format::decimal(interval.lower), format::decimal(interval.upper))
        },
    );
    let sentence = disparity.undefined.as_deref().unwrap_or(&disparity.sentence);
    let mut cells =
        vec![Html::text(&disparity.title).sub(sentence), Html::text(&value), Html::text(&interval)];
    if judged {
        let badge = match (disparity.status, &disparity.undefined) {
            (None, Some(_)) => Badge::new("", "info", "undefined"),
            (status, _) => Badge::verdict(status),
        };
        cells.insert(1, Html::of(&badge));
        cells.push(Html::text(&accepted(disparity)));
        if tested {
            cells.push(chance(disparity));
        }
        cells.push(RangeMark::of(disparity).map_or_else(Html::default, |mark| Html::of(&mark)));
    }
    cells
}

/// How likely chance is to make it, adjusted for all pairs of groups; below it, what the sample could have shown at all.
fn chance(disparity: &Disparity) -> Html {
    let (Some(p), Some(found)) = (disparity.p_adjusted, &disparity.significance) else {
        return Html::text("\u{2013}");
    };
    let seen = disparity.detectable.map_or_else(
        || "too few rows to show any".to_owned(),
        |value| format!("shown from {}", format::decimal(value)),
    );
    let many = if found.tests > 1 {
        format!(", 1 of {}", format::count(found.tests))
    } else {
        String::new()
    };
    Html::text(&probability(p)).sub(&format!("{}{many}; {seen}", found.test.title()))
}

/// What is accepted: `up to 0.100` of a difference, `0.800 to 1.250` of a ratio.
fn accepted(disparity: &Disparity) -> String {
    match disparity.threshold {
        None => String::new(),
        Some(threshold) if disparity.ideal == 1.0 && threshold < 1.0 => {
            format!(
                "{} to {}",
                format::decimal(1.0 - threshold),
                format::decimal(1.0 / (1.0 - threshold))
            )
        }
        Some(threshold) => format!("\u{00b1}{}", format::decimal(threshold)),
    }
}

/// Everything that could not be computed, with its reason, once each.
pub(super) fn left_out(result: &AnalysisResult) -> Option<Table> {
    let mut reasons: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for left in &result.left_out {
        reasons.entry((format!("Score: {}", left.name), left.reason.clone())).or_default();
    }
    for attribute in result.attributes.iter().chain(&result.intersections) {
        for disparity in &attribute.disparities {
            let title = disparity_title(&disparity.id);
            if let Some(reason) = &disparity.undefined {
                reasons
                    .entry((attribute.name.clone(), reason.clone()))
                    .or_default()
                    .push(title.clone());
            }
            for left in &disparity.left_out {
                let place = format!("{}: {}", attribute.name, left.name);
                reasons.entry((place, left.reason.clone())).or_default().push(title.clone());
            }
        }
    }
    let rows: Vec<_> = reasons
        .into_iter()
        .map(|((place, reason), mut titles)| {
            titles.dedup();
            vec![Html::text(&place), Html::text(&reason), Html::text(&titles.join(", "))]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        label: "What is undefined or left out".to_owned(),
        heads: vec![Head::new("What"), Head::new("Why"), Head::new("Left out of")],
        rows,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    fn told(result: &AnalysisResult) -> String {
        DisparityCard::new(result, &result.attributes[0]).render().unwrap()
    }

    #[test]
    fn each_group_in_no_disparity_says_why() {
        let mut result = samples::pooled();
        let page = told(&result);
        assert!(page.contains("Some groups are not compared"), "{page}");
        assert!(page.contains("; values counted together, not compared)"), "{page}");
        assert!(page.contains("; too small to be compared)"), "{page}");

        // For one reason: the title says it once.
        result.attributes[0].groups.retain(|group| group.name != "few");
        let page = told(&result);
        assert!(page.contains("Some groups are values counted together, not compared"), "{page}");
        assert!(!page.contains("too small"), "{page}");

        // A value of that name, where nothing is counted together, is one like any.
        result.excluded.clear();
        let page = told(&result);
        assert!(page.contains("Some groups are too small to be compared"), "{page}");
    }
}
