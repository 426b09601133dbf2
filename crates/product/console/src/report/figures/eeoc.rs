//! The Uniform Guidelines in words.

use ephor_fairness::law::{
    Family,
    eeoc::{Comparison, EeocReport, Indication, Line, Section as Groups},
};

use super::{Document, NOTHING, Section, below, chi_square, people, probability, rate, ratio};

pub(super) fn document(report: &EeocReport) -> Document {
    let mut facts = vec![format!(
        "{} were read. Selection is read from {}.",
        people(report.rows, "person", "people"),
        report.column
    )];
    if report.without > 0 {
        let who = people(report.without, "person", "people");
        facts.push(format!("Nothing was decided on {who}."));
    }
    facts.push(format!(
        "Tests are two-sided at {:.3}; a group is significant by Fisher's exact test, adjusted for the tests that belong together (Holm).",
        report.alpha
    ));
    let heads: Vec<&'static str> = HEADS
        .iter()
        .copied()
        .chain(report.strata.is_some().then_some("within strata: p"))
        .chain(["indication…"])
        .collect();
    let is_stratified = report.strata.is_some();
    Document {
        title: "Adverse impact (EEOC Uniform Guidelines)",
        rule: report.rule.clone(),
        facts,
        sections: report
            .sections
            .iter()
            .map(|groups| section(groups, &heads, is_stratified))
            .collect(),
        notes: report.notes.clone(),
    }
}

const HEADS: [&str; 10] = [
    "group",
    "decided on",
    "selected",
    "rate",
    "impact ratio",
    "four-fifths…",
    "Fisher p",
    "p (Holm)",
    "standard deviations",
    "shortfall",
];

fn section(groups: &Groups, heads: &[&'static str], is_stratified: bool) -> Section {
    let mut facts = Vec::new();
    let highest = groups.groups.iter().find(|line| Some(&line.name) == groups.highest.as_ref());
    match highest {
        Some(highest) if highest.selection.selected == 0 => {
            facts.push("Nobody was selected: there are no rates to compare.".to_owned());
        }
        Some(highest) => {
            facts.push(format!("Compared with {}, which has the highest rate.", shown(highest)));
            facts.extend(groups.family.filter(|family| family.tests > 1).map(adjusted));
        }
        None => {}
    }
    if let Some(test) = &groups.overall {
        facts.push(format!("All groups together: {}.", chi_square(test)));
    }
    if groups.unknown > 0 {
        facts.push(format!(
            "{} not in these figures: they are in no known group.",
            people(groups.unknown, "person is", "people are")
        ));
    }
    for line in &groups.groups {
        if let Some(reason) = &line.excluded {
            facts.push(format!("{} is not compared: {reason}", line.name));
        }
        let found = line.comparison.as_ref().filter(|_| line.impact_ratio.is_some());
        facts.extend(found.and_then(|found| remark(line, found)));
    }
    Section {
        heading: format!("Selection by {}", groups.attributes.join(" and ")),
        heads: heads.to_vec(),
        rows: groups.groups.iter().map(|line| row(line, is_stratified)).collect(),
        facts,
    }
}

fn row(line: &Line, is_stratified: bool) -> Vec<String> {
    let found = line.comparison.as_ref();
    let show = |number: fn(&Comparison) -> String| found.map_or_else(|| NOTHING.to_owned(), number);
    let mut row = vec![
        shown(line),
        line.selection.of.to_string(),
        line.selection.selected.to_string(),
        rate(line.rate),
        ratio(line.impact_ratio, line.impact_ratio_interval.as_ref()),
        below(line.below_four_fifths),
        show(|found| probability(found.fisher)),
        show(|found| probability(found.fisher_holm)),
        show(|found| {
            found
                .standard_deviations
                .map_or_else(|| NOTHING.to_owned(), |apart| format!("{apart:.2}"))
        }),
        show(|found| format!("{:.1}", found.shortfall)),
    ];
    if is_stratified {
        row.push(show(|found| {
            found.stratified.map_or_else(|| NOTHING.to_owned(), |strata| probability(strata.test.p))
        }));
    }
    row.push(show(|found| indication(found.indication).to_owned()));
    row
}

const fn indication(indication: Indication) -> &'static str {
    match indication {
        Indication::None => "none",
        Indication::RateOnly => "rate, but not significant",
        Indication::SignificanceOnly => "significant, but not below 0.8",
        Indication::Both => "rate and significance",
    }
}

fn shown(line: &Line) -> String {
    line.values.join(" / ")
}

/// Why p is adjusted for so many tests.
fn adjusted(family: Family) -> String {
    let Family { tests, is_named } = family;
    if is_named {
        format!("It was named beforehand: p is adjusted for the {tests} tests against it.")
    } else {
        format!("The data picked it: p is adjusted for all {tests} pairs of groups.")
    }
}

/// What the figures alone do not say.
fn remark(line: &Line, found: &Comparison) -> Option<String> {
    if line.below_four_fifths == Some(true) && found.flip_flop.is_some_and(|moved| moved.reverses) {
        return Some(format!(
            "{}: with one more selected here and one fewer there, the order of the rates turns about: too few people to infer from.",
            shown(line)
        ));
    }
    if found.indication > Indication::RateOnly {
        return None;
    }
    Some(match &found.detectable {
        Some(least) => format!(
            "{}: a sample of this size shows a rate of {:.1} % or less (a ratio of {:.3}) in about {:.0} of 100 cases; smaller disparities may go unseen.",
            shown(line),
            least.rate * 100.0,
            least.ratio,
            least.power * 100.0
        ),
        None => format!("{}: too few people to show any disparity, however great.", shown(line)),
    })
}

#[cfg(test)]
mod tests {
    use ephor_fairness::{
        Interval, IntervalMethod,
        significance::{Selection, power::Detectable},
    };

    use super::*;

    fn line(name: &str, selected: u64, comparison: Option<Comparison>) -> Line {
        Line {
            name: name.to_owned(),
            values: vec![name.to_owned()],
            people: 50,
            selection: Selection::new(selected, 50),
            rate: Selection::new(selected, 50).rate(),
            impact_ratio: (selected > 0).then_some(0.9),
            impact_ratio_interval: None,
            below_four_fifths: (selected > 0).then_some(false),
            comparison,
            excluded: None,
        }
    }

    fn comparison(detectable: Option<Detectable>) -> Comparison {
        Comparison {
            difference: 0.0,
            difference_interval: Interval {
                lower: -0.1,
                upper: 0.1,
                confidence: 0.95,
                method: IntervalMethod::Newcombe,
            },
            fisher: 1.0,
            fisher_holm: 1.0,
            fisher_bh: 1.0,
            mid_p: 1.0,
            standard_deviations: None,
            beyond_two: false,
            shortfall: 0.0,
            flip_flop: None,
            fisher_two_more: 1.0,
            detectable,
            stratified: None,
            indication: Indication::None,
        }
    }

    fn said(groups: Vec<Line>) -> Vec<String> {
        let groups = Groups {
            attributes: vec!["sex".to_owned()],
            highest: Some("M".to_owned()),
            family: Some(Family { tests: 1, is_named: false }),
            overall: None,
            groups,
            unknown: 0,
            indication: Indication::None,
        };
        section(&groups, &HEADS, false).facts
    }

    #[test]
    fn where_nobody_is_selected_no_rate_is_the_highest() {
        let facts = said(vec![line("F", 0, Some(comparison(None))), line("M", 0, None)]);
        assert_eq!(facts, ["Nobody was selected: there are no rates to compare."]);
    }

    #[test]
    fn why_p_is_adjusted_is_said() {
        let said = |is_named| adjusted(Family { tests: 6, is_named });
        assert!(said(false).contains("all 6 pairs"));
        assert!(said(true).contains("the 6 tests against it"));
    }

    #[test]
    fn what_the_sample_could_show_is_said_of_who_is_compared() {
        let least = Detectable { rate: 0.2, difference: 0.2, ratio: 0.5, power: 0.8 };
        let facts = said(vec![line("F", 18, Some(comparison(Some(least)))), line("M", 20, None)]);
        assert_eq!(facts[0], "Compared with M, which has the highest rate.");
        assert!(facts[1].contains("in about 80 of 100 cases"), "{facts:?}");
        let facts = said(vec![line("F", 18, Some(comparison(None))), line("M", 20, None)]);
        assert!(facts[1].contains("too few people"), "{facts:?}");
    }
}
