//! Analyses of numbers, of several classes, of individuals and of changed attributes, in words.

use ephor_fairness::{
    Disparity, MetricValue, Status,
    flips::{self, FlipReport, FlipTest},
    frame::{About, Comparison, Findings, Line},
    individual::{self, Individual},
    multiclass::{self, ClassResult, MulticlassReport},
    ranking::{self, RankingReport},
    regression::{self, RegressionReport},
};

use super::{Document, NOTHING, Section, people, probability};

/// An analysis of predicted numbers, in words and tables.
pub fn of_regression(report: &RegressionReport) -> Document {
    let abouts: Vec<&About> = regression::registry().iter().map(|metric| &metric.about).collect();
    let rule = format!("`{}` as a prediction of `{}`", report.spec.prediction, report.spec.target);
    document("How well numbers are predicted of each group", rule, &report.findings, &abouts)
}

/// An analysis of predicted classes, in words and tables.
pub fn of_multiclass(report: &MulticlassReport) -> Document {
    let abouts: Vec<&About> = multiclass::registry().iter().map(|metric| &metric.about).collect();
    let rule = format!(
        "`{}` as a prediction of `{}`, of {} classes",
        report.spec.prediction,
        report.spec.target,
        report.classes.len()
    );
    let mut made =
        document("How well classes are predicted of each group", rule, &report.findings, &abouts);
    made.sections.push(classes(&report.against_rest));
    made.sections.push(confusion(report));
    made
}

/// An analysis of ranked lists, in words and tables.
pub fn of_ranking(report: &RankingReport) -> Document {
    let abouts: Vec<&About> = ranking::METRICS.iter().collect();
    let column = report.spec.position.as_ref().or(report.spec.score.as_ref());
    let rule = format!(
        "{} ordered by `{}`; the top is the first {}",
        people(report.lists, "list", "lists"),
        column.map_or("", String::as_str),
        report.spec.top
    );
    document("How much each group is seen in ranked lists", rule, &report.findings, &abouts)
}

/// What was found of individuals, in words and tables.
pub fn of_individual(report: &Individual) -> Document {
    let rule = format!(
        "The {} rows most alike in {}",
        report.neighbours,
        report.features.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    );
    document(
        "Whether similar people are treated alike",
        rule,
        &report.findings,
        &[&individual::ABOUT],
    )
}

/// How many decisions flip under a changed attribute, in words and tables.
pub fn of_flips(report: &FlipReport) -> Document {
    let abouts: Vec<&About> = flips::registry().iter().map(|metric| &metric.about).collect();
    let spec = &report.spec;
    let rule = match spec.score_threshold {
        None => format!("`{}` against `{}`", spec.prediction, spec.flipped),
        Some(least) => {
            format!("`{}` against `{}`, positive from {least}", spec.prediction, spec.flipped)
        }
    };
    let title = "How many decisions change when a protected attribute alone is changed";
    let mut made = document(title, rule, &report.findings, &abouts);
    made.sections.push(flip_tests(&report.tests));
    made
}

fn flip_tests(tests: &[FlipTest]) -> Section {
    let p = |p: Option<f64>| p.map_or_else(|| NOTHING.to_owned(), number);
    let row = |test: &FlipTest| {
        let group = match test.attribute.as_str() {
            "" => test.group.clone(),
            attribute => format!("{attribute}: {}", test.group),
        };
        let counts = [test.rows, test.to_positive, test.to_negative];
        let mut cells = vec![group];
        cells.extend(counts.map(|count| count.to_string()));
        cells.extend([p(test.p_value), p(test.p_adjusted)]);
        cells
    };
    Section {
        heading: "Which way decisions flip".to_owned(),
        heads: vec!["group", "rows", "to positive", "to negative", "p", "p (Holm)"],
        rows: tests.iter().map(row).collect(),
        facts: vec![
            "p: McNemar's exact test of as many flips one way as the other, of rows without weights."
                .to_owned(),
        ],
    }
}

fn document(title: &'static str, rule: String, findings: &Findings, abouts: &[&About]) -> Document {
    let mut facts = vec![format!(
        "{}, {} used.",
        people(findings.rows.read, "row was read", "rows were read"),
        findings.rows.used
    )];
    let counts = findings.counts;
    facts.push(match findings.status {
        None => "Nothing could be judged.".to_owned(),
        Some(status) => format!(
            "{}: {} failed, {} warned, {} passed.",
            word(status),
            counts.fail,
            counts.warning,
            counts.pass
        ),
    });
    facts.extend(findings.excluded.iter().map(|one| one.sentence.clone()));
    let mut sections =
        vec![lines("Everybody".to_owned(), std::slice::from_ref(&findings.overall), abouts)];
    for comparison in &findings.comparisons {
        let by = comparison.attributes.join(" and ");
        let mut groups = lines(format!("Groups by {by}"), &comparison.groups, abouts);
        groups
            .facts
            .extend(comparison.reason.iter().map(|reason| format!("Not compared: {reason}.")));
        sections.push(groups);
        sections.push(disparities(format!("How groups by {by} differ"), comparison));
    }
    Document { title, rule, facts, sections, notes: findings.notes.clone() }
}

fn lines(heading: String, lines: &[Line], abouts: &[&About]) -> Section {
    let row = |line: &Line| {
        let mut cells = vec![line.name.clone(), line.n.to_string()];
        cells.extend(abouts.iter().map(|about| value(line.metric(about.id))));
        cells
    };
    let small = lines.iter().filter(|line| line.small).count() as u64;
    Section {
        heading,
        heads: ["group", "rows"]
            .into_iter()
            .chain(abouts.iter().map(|about| about.title))
            .collect(),
        rows: lines.iter().map(row).collect(),
        facts: (small > 0)
            .then(|| {
                format!(
                    "{} below the least size, and not compared.",
                    people(small, "group is", "groups are")
                )
            })
            .into_iter()
            .collect(),
    }
}

fn disparities(heading: String, comparison: &Comparison) -> Section {
    // Analyses of weighted rows, and those from before there were tests, have none.
    let tested = tested(comparison);
    let row = |found: &Disparity| {
        let number = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), number);
        let mut cells = vec![
            found.id.clone(),
            with_interval(found.value, found.interval.as_ref()),
            number(found.threshold),
            found.status.map_or(NOTHING, word).to_owned(),
        ];
        if tested.is_some() {
            cells.push(found.p_adjusted.map_or_else(|| NOTHING.to_owned(), probability));
            cells.push(number(found.detectable));
        }
        cells.push(found.sentence.clone());
        cells
    };
    let mut heads = vec!["disparity", "value", "threshold", "judged…"];
    if tested.is_some() {
        heads.extend(["p", "shown from"]);
    }
    heads.push("which means…");
    Section {
        heading,
        heads,
        rows: comparison.disparities.iter().map(row).collect(),
        facts: tested.into_iter().collect(),
    }
}

/// Which tests there are, and what their columns say; `None` without any.
fn tested(comparison: &Comparison) -> Option<String> {
    let found = comparison.disparities.iter().filter_map(|one| one.significance.as_ref());
    let mut titles: Vec<&str> = Vec::new();
    for one in found {
        if !titles.contains(&one.test.title()) {
            titles.push(one.test.title());
        }
    }
    (!titles.is_empty()).then(|| {
        format!("p: of the two groups furthest apart ({}), adjusted for all pairs of groups. Shown from: what so many rows would have shown to be no chance in 80 of 100 samples; without a number beside a p, nothing.", titles.join(", "))
    })
}

fn classes(found: &[ClassResult]) -> Section {
    const METRICS: [&str; 6] = ["base_rate", "selection_rate", "tpr", "fpr", "ppv", "f1"];
    let row = |result: &ClassResult| {
        let mut cells = vec![result.class.clone()];
        cells.extend(METRICS.map(|id| value(result.overall.metric(id))));
        cells
    };
    Section {
        heading: "Each class against the rest".to_owned(),
        heads: vec!["class", "share", "predicted", "TPR", "FPR", "PPV", "F1"],
        rows: found.iter().map(row).collect(),
        facts: vec!["JSON holds the same of every group, with its disparities.".to_owned()],
    }
}

fn confusion(report: &MulticlassReport) -> Section {
    let mut rows = Vec::new();
    for (truth, counts) in report.classes.iter().zip(&report.confusion) {
        for (predicted, count) in
            report.classes.iter().zip(counts).filter(|(_, count)| **count > 0.0)
        {
            rows.push(vec![truth.clone(), predicted.clone(), count.to_string()]);
        }
    }
    Section {
        heading: "Confusion of everybody".to_owned(),
        heads: vec!["class", "predicted as…", "rows"],
        rows,
        facts: Vec::new(),
    }
}

/// With more rows than this, the confusion of each group is left to JSON.
const MOST_CONFUSION_ROWS: usize = 400;

/// The confusion of each group of single attributes: a row for each group and class.
pub(super) fn confusions(report: &MulticlassReport) -> Vec<Section> {
    let single = report.confusions.iter().filter(|one| {
        report
            .findings
            .comparisons
            .iter()
            .any(|comparison| comparison.attributes.len() == 1 && comparison.name == one.name)
    });
    single
        .filter(|one| !one.groups.is_empty())
        .map(|one| {
            let too_many = one.groups.len() * report.classes.len() > MOST_CONFUSION_ROWS;
            let shown = if too_many { &[][..] } else { &one.groups };
            let rows = shown.iter().flat_map(|(group, counts)| {
                report.classes.iter().zip(counts).enumerate().map(move |(at, (class, counts))| {
                    let all: f64 = counts.iter().sum();
                    let right = counts.get(at).copied().unwrap_or(0.0);
                    let share = (all > 0.0).then(|| format!("{:.1} %", 100.0 * right / all));
                    let others = report.classes.iter().zip(counts).enumerate();
                    let others: Vec<String> = others
                        .filter(|(other, (_, count))| *other != at && **count > 0.0)
                        .map(|(_, (other, count))| format!("{other}: {count}"))
                        .collect();
                    vec![
                        group.clone(),
                        class.clone(),
                        all.to_string(),
                        share.unwrap_or_else(|| NOTHING.to_owned()),
                        if others.is_empty() { NOTHING.to_owned() } else { others.join(", ") },
                    ]
                })
            });
            Section {
                heading: format!("Confusion by {}", one.name),
                heads: vec!["group", "true class…", "rows", "predicted so", "predicted otherwise…"],
                rows: rows.collect(),
                facts: too_many
                    .then(|| {
                        "There are too many groups and classes to list: JSON holds them.".to_owned()
                    })
                    .into_iter()
                    .collect(),
            }
        })
        .collect()
}

fn value(metric: Option<&MetricValue>) -> String {
    metric.map_or_else(
        || NOTHING.to_owned(),
        |metric| with_interval(metric.value, metric.interval.as_ref()),
    )
}

fn with_interval(value: Option<f64>, interval: Option<&ephor_fairness::Interval>) -> String {
    match (value, interval) {
        (None, _) => NOTHING.to_owned(),
        (Some(value), None) => number(value),
        (Some(value), Some(interval)) => {
            format!("{} [{}, {}]", number(value), number(interval.lower), number(interval.upper))
        }
    }
}

/// Three places; of very small and very great numbers, three digits.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e9).contains(&size) {
        format!("{value:.2e}")
    } else {
        format!("{value:.3}")
    }
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "PASS",
        Status::Warning => "WARNING",
        Status::Fail => "FAIL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn tests_stand_beside_what_they_are_of() {
        for result in [samples::regression(), samples::multiclass(), samples::ranking()] {
            for comparison in result.findings().into_iter().flat_map(|found| &found.comparisons) {
                let is_tested = comparison.disparities.iter().any(|one| one.p_value.is_some());
                let section = disparities(String::new(), comparison);
                assert_eq!(section.heads.contains(&"shown from"), is_tested);
                assert_eq!(section.facts.len(), usize::from(is_tested));
                assert!(section.rows.iter().all(|row| row.len() == section.heads.len()));
            }
        }
    }

    #[test]
    fn numbers_of_any_size_are_short() {
        for (value, text) in
            [(0.0, "0.000"), (-12.34567, "-12.346"), (1.5e-7, "1.50e-7"), (1e300, "1.00e300")]
        {
            assert_eq!(number(value), text);
        }
    }
}
