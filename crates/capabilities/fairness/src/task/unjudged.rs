//! Why nothing could be judged: for whoever must not take silence for a pass.

use super::TaskResult;
use crate::Disparity;

impl TaskResult {
    /// Why no disparity has a status; `None` if one has.
    pub fn unjudged(&self) -> Option<String> {
        if self.status().is_some() {
            return None;
        }
        let not_comparable = if let Self::Binary(result) = self {
            let all = result.attributes.iter();
            told(all.map(|one| (one.name.as_str(), one.reason.as_deref())))
        } else {
            let all = self.findings().into_iter().flat_map(|found| &found.comparisons);
            let single = all.filter(|one| one.attributes.len() == 1);
            told(single.map(|one| (one.name.as_str(), one.reason.as_deref())))
        };
        let why = if not_comparable.is_empty() {
            let all = self.disparities();
            let asked = all.iter().map(|found| found.disparity).find(|one| one.threshold.is_some());
            asked.map_or_else(|| "no disparity has a threshold".to_owned(), undefined)
        } else {
            not_comparable.join("; ")
        };
        Some(format!("Nothing could be judged: {why}. That is no pass."))
    }

    /// Adds a sentence to what the reader must know.
    pub fn note(&mut self, note: String) {
        match self {
            Self::Binary(result) => result.warnings.push(note),
            Self::Regression(report) => report.findings.notes.push(note),
            Self::Multiclass(report) => report.findings.notes.push(note),
            Self::Ranking(report) => report.findings.notes.push(note),
        }
    }
}

fn told<'a>(reasons: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<String> {
    reasons.filter_map(|(name, reason)| Some(format!("{name}: {}", reason?))).collect()
}

fn undefined(found: &Disparity) -> String {
    let reason = found.undefined.as_deref().unwrap_or("it has no value");
    format!("{}: {reason}", found.title)
}
