//! An artefact, ready to be shown: what is expected, the frontier, each group's rule, what was asked for.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::mitigation::{
    GroupMeasures, GroupRule, GroupWeights, Measures, Method, MitigationArtifact, Objective, Rules,
    ScoreRule,
};

use crate::{
    plot::{self, Plot, constraint_words},
    view::{Head, Html, Notice, Table, format},
};

/// More groups than this are in the artefact alone.
const MOST_GROUPS: usize = 256;
/// The steps of a rule that are told.
const MOST_STEPS: usize = 6;

/// An artefact.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/mitigation/view.html")]
pub(crate) struct ArtifactView {
    notes: Option<Notice>,
    expected: Table,
    expected_note: String,
    frontier: Option<Plot>,
    rules_title: &'static str,
    rules_note: String,
    rules: Table,
    left_out: Option<Table>,
    facts: Vec<(&'static str, String)>,
}

impl HtmlSafe for ArtifactView {}

impl ArtifactView {
    pub(crate) fn new(artifact: &MitigationArtifact) -> Self {
        let is_weights = artifact.kind == Method::Reweighing;
        let title = if is_weights {
            "What its user must know"
        } else {
            "Before decisions are made this way"
        };
        let (rules, count) = match &artifact.rules {
            Rules::Weights { groups } => (weights(artifact, groups), groups.len()),
            Rules::Scores { groups, .. } => (thresholds(artifact, groups), groups.len()),
        };
        Self {
            notes: (!artifact.notes.is_empty()).then(|| {
                let notes = artifact.notes.iter().take(MOST_GROUPS).cloned().collect();
                Notice::warning(title).items(notes)
            }),
            expected: expected(artifact),
            expected_note: artifact.expected.note.clone(),
            frontier: plot::frontier(artifact),
            rules_title: if is_weights { "Weights" } else { "Rules" },
            rules_note: rules_note(artifact, count),
            rules,
            left_out: left_out(artifact),
            facts: facts(artifact),
        }
    }
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

fn decimal(value: Option<f64>) -> Html {
    Html::text(&value.map_or_else(dash, format::decimal))
}

fn percents(before: Option<f64>, after: Option<f64>) -> Html {
    let one = |value: Option<f64>| value.map_or_else(dash, format::percent);
    Html::text(&format!("{} \u{2192} {}", one(before), one(after)))
}

/// One of the measures.
type Measure = fn(&Measures) -> Option<f64>;

/// Measures of everybody before and after, those that are defined on either side.
fn expected(artifact: &MitigationArtifact) -> Table {
    let (before, after) = (&artifact.expected.before, &artifact.expected.after);
    let all: [(&str, Measure); 7] = [
        ("Difference of selection rates", |of| of.demographic_parity_difference),
        ("Difference of true positive rates", |of| of.equal_opportunity_difference),
        ("Difference of false positive rates", |of| of.false_positive_rate_difference),
        ("Greater of these two", |of| of.equalized_odds_difference),
        ("Difference of shares of positive labels", |of| of.base_rate_difference),
        ("Accuracy", |of| of.accuracy),
        ("Balanced accuracy", |of| of.balanced_accuracy),
    ];
    let rows = all.into_iter().filter_map(|(name, of)| {
        let (was, is) = (of(before), of(after));
        was.or(is)?;
        let change = was.zip(is).map(|(was, is)| is - was);
        let change = change.map_or_else(dash, |change| {
            let sign = if change > 0.0 { "+" } else { "" };
            format!("{sign}{}", format::decimal(change))
        });
        Some(vec![Html::text(name), decimal(was), decimal(is), Html::text(&change)])
    });
    Table {
        label: "Expected effect".to_owned(),
        heads: vec![
            Head::new("Measure"),
            Head::right("Before"),
            Head::right("After"),
            Head::right("Change"),
        ],
        rows: rows.collect(),
    }
}

/// The measures of a group, before and after.
fn of_group<'a>(
    artifact: &'a MitigationArtifact,
    values: &[String],
) -> [Option<&'a GroupMeasures>; 2] {
    let find = |measures: &'a Measures| measures.groups.iter().find(|one| one.values == values);
    [find(&artifact.expected.before), find(&artifact.expected.after)]
}

fn thresholds(artifact: &MitigationArtifact, groups: &[GroupRule]) -> Table {
    let row = |group: &GroupRule| {
        let [before, after] = of_group(artifact, &group.values);
        let both = |rate: fn(&GroupMeasures) -> Option<f64>| {
            percents(before.and_then(rate), after.and_then(rate))
        };
        let name = Html::text(&group.values.join(" \u{d7} "));
        let name = match group.is_favoured {
            Some(true) => name.sub("advantaged"),
            Some(false) => name.sub("disadvantaged"),
            None => name,
        };
        vec![
            name,
            Html::text(&format::count(group.n)),
            Html::text(&words(&group.rule)),
            both(|of| of.selection_rate),
            both(|of| of.true_positive_rate),
            both(|of| of.false_positive_rate),
        ]
    };
    Table {
        label: "Rules by group".to_owned(),
        heads: vec![
            Head::new("Group"),
            Head::right("Rows"),
            Head::new("Selected"),
            Head::right("Selection rate"),
            Head::right("True positive rate"),
            Head::right("False positive rate"),
        ],
        rows: groups.iter().take(MOST_GROUPS).map(row).collect(),
    }
}

fn weights(artifact: &MitigationArtifact, groups: &[GroupWeights]) -> Table {
    let row = |group: &GroupWeights| {
        let [before, after] = of_group(artifact, &group.values);
        vec![
            Html::text(&group.values.join(" \u{d7} ")),
            Html::text(&format::count(group.n)),
            decimal(group.positive),
            decimal(group.negative),
            percents(before.and_then(|of| of.base_rate), after.and_then(|of| of.base_rate)),
        ]
    };
    let labels = &artifact.labels;
    Table {
        label: "Weights by group".to_owned(),
        heads: vec![
            Head::new("Group"),
            Head::right("Rows"),
            Head::right(format!("Weight of rows with {}", labels.positive)),
            Head::right(format!("Weight of rows with {}", labels.negative)),
            Head::right("Share of positive labels"),
        ],
        rows: groups.iter().take(MOST_GROUPS).map(row).collect(),
    }
}

/// A rule in words.
pub(crate) fn words(rule: &ScoreRule) -> String {
    let share = |probability: f64| match probability {
        1.0 => "everybody".to_owned(),
        0.0 => "nobody".to_owned(),
        other => format!("{} by draw", format::percent(other)),
    };
    if rule.steps.is_empty() {
        return share(rule.below);
    }
    let mut parts = Vec::new();
    if rule.below > 0.0 {
        parts.push(share(rule.below));
    }
    for step in rule.steps.iter().take(MOST_STEPS) {
        let from = format::decimal(step.from);
        parts.push(match step.probability {
            1.0 if parts.is_empty() => format!("from {from}"),
            probability => format!("{} from {from}", share(probability)),
        });
    }
    if rule.steps.len() > MOST_STEPS {
        parts.push(format!("and {} more steps", rule.steps.len() - MOST_STEPS));
    }
    parts.join("; ")
}

fn rules_note(artifact: &MitigationArtifact, count: usize) -> String {
    let mut sentences = vec![match &artifact.rules {
        Rules::Weights { .. } => {
            "What each row's weight is multiplied by when the model is trained again.".to_owned()
        }
        Rules::Scores { fallback, band, .. } => {
            let others = format!("Everybody else is decided by one rule: {}.", words(fallback));
            match band {
                Some(band) => format!(
                    "Scores above {} up to {} are decided for the disadvantaged groups. {others}",
                    format::decimal(band.threshold - band.margin),
                    format::decimal(band.threshold + band.margin),
                ),
                None => format!("The scores from which each group is selected. {others}"),
            }
        }
    }];
    if count > MOST_GROUPS {
        sentences.push(format!(
            "The first {MOST_GROUPS} of {} are shown; the artefact has all.",
            format::plural(count as u64, "group", "groups")
        ));
    }
    sentences.join(" ")
}

fn left_out(artifact: &MitigationArtifact) -> Option<Table> {
    let rows = artifact.left_out.iter().take(MOST_GROUPS).map(|group| {
        vec![
            Html::text(&group.values.join(" \u{d7} ")),
            Html::text(&format::count(group.n)),
            Html::text(&group.reason),
        ]
    });
    (!artifact.left_out.is_empty()).then(|| Table {
        label: "Groups without a rule of their own".to_owned(),
        heads: vec![Head::new("Group"), Head::right("Rows"), Head::new("Why")],
        rows: rows.collect(),
    })
}

fn facts(artifact: &MitigationArtifact) -> Vec<(&'static str, String)> {
    let spec = &artifact.spec;
    let mut facts = vec![
        ("Method", format::label(artifact.kind.as_str())),
        ("Groups of", spec.protected.join(" \u{d7} ")),
        ("Label", format!("{}, positive: {}", spec.target, artifact.labels.positive)),
    ];
    if artifact.kind != Method::Reweighing {
        let objective = match spec.objective {
            Objective::Accuracy => "accuracy",
            Objective::BalancedAccuracy => "balanced accuracy",
        };
        facts.extend([
            ("Made equal", constraint_words(spec.constraint).to_owned()),
            ("As good as that allows", objective.to_owned()),
            ("Tolerance", format::number(spec.accepted())),
            ("Score", spec.score.clone().unwrap_or_default()),
        ]);
        if !artifact.is_deterministic() {
            facts.push(("Seed of draws", spec.seed.to_string()));
        }
    }
    facts.extend(artifact.data.source.clone().map(|source| ("Made from", source)));
    facts.push(("Rows used", format::count(artifact.data.used)));
    facts.push(("Engine", artifact.engine_version.clone()));
    facts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_fairness::mitigation::{LAW, Step};

    use super::*;
    use crate::samples;

    #[test]
    fn a_rule_is_told_in_words() {
        assert_eq!(words(&ScoreRule::at(0.42)), "from 0.420");
        assert_eq!(words(&ScoreRule::all()), "everybody");
        assert_eq!(words(&ScoreRule::none()), "nobody");
        let drawn = ScoreRule {
            below: 0.1,
            steps: vec![Step { from: 0.3, probability: 0.5 }, Step { from: 0.6, probability: 1.0 }],
        };
        assert_eq!(
            words(&drawn),
            "10.0 % by draw; 50.0 % by draw from 0.300; everybody from 0.600"
        );
        let many = (0..50).map(|at| Step { from: f64::from(at), probability: 0.5 }).collect();
        assert!(words(&ScoreRule { below: 0.0, steps: many }).ends_with("and 44 more steps"));
    }

    #[test]
    fn thresholds_come_with_the_law_and_weights_without() {
        let escaped = LAW.split(':').next().unwrap();
        let shown = ArtifactView::new(&samples::thresholds()).render().unwrap();
        assert!(shown.contains(escaped) && shown.contains("plot-frontier"), "{shown}");
        let shown = ArtifactView::new(&samples::weights()).render().unwrap();
        assert!(!shown.contains(escaped) && shown.contains("Weight of rows with 1"), "{shown}");
    }

    #[test]
    fn names_of_groups_are_escaped() {
        let mut artifact = samples::weights();
        let Rules::Weights { groups } = &mut artifact.rules else { panic!() };
        groups[0].values = vec!["<b>".into()];
        let shown = ArtifactView::new(&artifact).render().unwrap();
        assert!(shown.contains("&lt;b&gt;") && !shown.contains("<b>"));
    }
}
