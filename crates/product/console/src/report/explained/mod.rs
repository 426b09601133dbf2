//! The report of an explanation: what was asked, its plots, its numbers, what the reader must know, in one HTML file that fetches
//! nothing and needs no scripts.

mod tables;

use std::borrow::Cow;

use askama::Template;
use ephor_explain::{
    Format, Link,
    summary::{Effect, Estimate, Groups, Method, Summary, Unit},
};
use ephor_fairness::ENGINE_VERSION;

use super::{
    ReportMeta,
    figures::{Section, SectionView, view},
    source,
};
pub use crate::plot::explained::{Drawing, drawing, drawings};
use crate::{
    assets,
    plot::explained::Figure,
    view::{Icon, Moment, Sprite, Table, format},
};

#[derive(Template)]
#[template(path = "report/explained/explained.html")]
struct Page<'a> {
    meta: &'a ReportMeta,
    moment: Moment,
    policy: String,
    style: String,
    sprite: Sprite,
    facts: Vec<(String, String)>,
    outputs: Vec<Output<'a>>,
    notes: Vec<Cow<'static, str>>,
    version: &'static str,
}

/// What belongs to an output of the model.
struct Output<'a> {
    place: usize,
    /// Nothing where there is only one.
    heading: String,
    drawings: Vec<Drawing>,
    tables: Vec<SectionView<'a>>,
}

/// The report as one HTML file, of a summary for each output; `asked` says what else was asked, by name.
///
/// # Errors
/// Formatting failed, which only a lack of memory can cause.
pub fn html(
    summaries: &[Summary],
    asked: &[(String, String)],
    meta: &ReportMeta,
) -> Result<String, askama::Error> {
    let style = assets::inline_stylesheet();
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        source(&style)
    );
    let sections: Vec<_> = summaries.iter().map(tables::sections).collect();
    let outputs = summaries.iter().zip(&sections).enumerate().map(|(place, (summary, tables))| {
        let is_one = summaries.len() == 1;
        let mut drawings = drawings(summary);
        for drawing in &mut drawings {
            if !is_one {
                drawing.place = format!("{place}-");
            }
        }
        Output {
            place,
            heading: if is_one { String::new() } else { output_name(summary) },
            drawings,
            tables: tables.iter().map(view).collect(),
        }
    });
    Page {
        meta,
        moment: Moment(meta.created),
        policy,
        style,
        sprite: Sprite,
        facts: summaries
            .first()
            .map(|summary| facts_of(summary, summaries.len(), estimate(summaries)))
            .unwrap_or_default()
            .into_iter()
            .chain(asked.iter().cloned())
            .collect(),
        outputs: outputs.collect(),
        notes: summaries.first().map(notes).unwrap_or_default(),
        version: ENGINE_VERSION,
    }
    .render()
}

fn output_name(summary: &Summary) -> String {
    summary.output_name.clone().unwrap_or_else(|| format!("Output {}", summary.output))
}

/// The numbers of a summary: heading, table, and what is said below it.
pub(crate) fn tables(summary: &Summary) -> Vec<(String, Table, Vec<String>)> {
    let told = |section: &Section| {
        let SectionView { heading, table, facts } = view(section);
        (heading.to_owned(), table, facts.to_vec())
    };
    tables::sections(summary).iter().map(told).collect()
}

/// A method in words.
pub fn method(summary: &Summary) -> String {
    match (summary.method, summary.background) {
        (Method::Shap, Some(rows)) => {
            format!(
                "Exact SHAP values, against {}",
                format::plural(rows, "background row", "background rows")
            )
        }
        (Method::Shap, None) => "Exact SHAP values, path-dependent".to_owned(),
        (Method::Kernel, _) => "Kernel SHAP".to_owned(),
        (Method::Lime, _) => "LIME".to_owned(),
        (Method::Permutation, _) => "Permutation importance".to_owned(),
        (Method::Pdp, _) => "Partial dependence".to_owned(),
        (Method::Ice, _) => "Individual conditional expectation".to_owned(),
        (Method::Ale, _) => "Accumulated local effects".to_owned(),
        (Method::Counterfactual, _) => "Counterfactuals".to_owned(),
        (Method::Groups, _) => "SHAP values by group".to_owned(),
        (Method::Global, _) => "Global summary".to_owned(),
    }
}

/// A model in words.
pub fn model(summary: &Summary) -> String {
    let about = &summary.model;
    let format = match about.format {
        Some(Format::XgboostJson) => "XGBoost, JSON",
        Some(Format::XgboostUbjson) => "XGBoost, UBJSON",
        Some(Format::LightgbmText) => "LightGBM, text",
        Some(Format::SklearnJson) => "scikit-learn, JSON",
        Some(Format::Onnx) => "ONNX",
        None => "a model that is only asked",
    };
    let mut words = vec![format.to_owned()];
    if about.trees > 0 {
        words.push(format::plural(about.trees as u64, "tree", "trees"));
    }
    words.push(format::plural(summary.features.len() as u64, "feature", "features"));
    if about.outputs > 1 {
        words.push(format!("{} outputs", about.outputs));
    }
    words.join(", ")
}

/// How sure the values of all outputs are: as sure as those of the least sure.
fn estimate(summaries: &[Summary]) -> Option<Estimate> {
    summaries.iter().filter_map(|summary| summary.estimate).reduce(|one, other| Estimate {
        error: one.error.max(other.error),
        exact: one.exact.min(other.exact),
    })
}

/// What was asked of what.
pub(crate) fn facts(summary: &Summary, outputs: usize) -> Vec<(String, String)> {
    facts_of(summary, outputs, summary.estimate)
}

/// The same of the first of several outputs, of which `estimate` says how sure they all are.
fn facts_of(
    summary: &Summary,
    outputs: usize,
    estimate: Option<Estimate>,
) -> Vec<(String, String)> {
    let mut facts = vec![
        ("Method", method(summary)),
        ("Model", model(summary)),
        ("Rows", format::count(summary.rows)),
    ];
    if summary.model.outputs > 1 {
        let name = if outputs == 1 {
            output_name(summary)
        } else {
            format!("{outputs} of {}", summary.model.outputs)
        };
        facts.push(("Output", name));
    }
    let has_values = summary.base.is_some();
    if has_values {
        facts.push(("Unit of values", summary.unit_words().to_owned()));
    }
    if let Some(base) = summary.base.filter(|_| outputs == 1) {
        facts.push(("Base", format::decimal(base)));
    }
    if let Some(rows) = summary.background {
        facts.push(("Background", format::plural(rows, "row", "rows")));
    }
    if let Some(estimate) = estimate {
        facts.push(("Largest standard error", format::decimal(estimate.error)));
        facts.push(("Rows with exact values", format::count(estimate.exact)));
    }
    if let Some(importance) = &summary.importance {
        facts.push(("Metric", tables::metric(importance.metric).to_owned()));
        facts.push(("Of the rows as they are", format::decimal(importance.baseline)));
        facts.push(("Shuffles of each feature", importance.repeats.to_string()));
    }
    if let Some(groups) = &summary.groups {
        facts.extend(groups.column.clone().map(|column| ("Groups by", column)));
        facts.extend(groups.reference.clone().map(|name| ("Compared with", name)));
        if groups.without > 0 {
            facts.push(("Rows without a group", format::count(groups.without)));
        }
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What the reader must know.
pub(crate) fn notes(summary: &Summary) -> Vec<Cow<'static, str>> {
    let mut notes: Vec<&'static str> = Vec::new();
    if summary.base.is_some() {
        notes.push(match summary.unit {
            Unit::Margin => "Base + sum of a row\u{2019}s values = margin: the model\u{2019}s sum before the link.",
            Unit::Probability => "Base + sum of a row\u{2019}s values = probability. Values are the margin\u{2019}s, scaled against each background row; they are not the Shapley values of the probability itself.",
            Unit::Prediction => "Base + sum of a row\u{2019}s values = prediction.",
        });
        if matches!(summary.model.link, Some(Link::Logistic { .. })) && summary.unit == Unit::Margin
        {
            notes.push("In log-odds, +0.7 about doubles the odds, wherever a row begins.");
        }
        notes.push("A value says what the model does with a feature, not what the feature does in the world: features that hang together share what either of them does.");
    }
    if summary.sample.is_some() {
        notes.push("Dots are of rows drawn by chance, each as likely as any other; means and ranges are of all rows.");
    }
    if !summary.dependence.is_empty() {
        notes.push(if summary.interactions.is_some() {
            "The colour of dots is of the feature with which the plotted one adds most together on average."
        } else {
            "The colour of dots is of the feature whose value goes furthest with what the plotted one adds, among rows that have about the same value of it (ten ranges with as many rows each)."
        });
    }
    if summary.interactions.is_some() {
        notes.push(
            "What two features add together is the sum of both halves of their interaction values.",
        );
    }
    if summary.estimate.is_some() {
        notes.push("Kernel SHAP values are estimated from made-up rows; a standard error says how much hangs on which were drawn, and is 0 where all coalitions were tried.");
    }
    if summary.importance.is_some() {
        notes.push("Of features that say the same, each can be shuffled without much loss, as the model has the other. Importance is of this model, not of the feature for the task.");
    }
    for (effect, note) in [
        (
            Effect::Partial,
            "Partial dependence asks about rows that may not exist where features hang together; accumulated local effects do not.",
        ),
        (
            Effect::Individual,
            "At most 50 rows\u{2019} lines are drawn, as far from one another in the file as can be.",
        ),
        (
            Effect::Accumulated,
            "Accumulated local effects add up what moving rows from one end of their range to the other does; far from 0, what is added up of few rows is less sure.",
        ),
    ] {
        if summary.curves.iter().any(|curve| curve.effect == effect) {
            notes.push(note);
        }
    }
    if !summary.near.is_empty() {
        notes.push(
            "A linear model near a row holds only there, and only as far as its R\u{b2} says.",
        );
    }
    if !summary.flips.is_empty() {
        notes.push("What would flip the model need not be what would help in life: only the model was asked. \u{201c}None found\u{201d} does not mean that there is none.");
    }
    if summary.groups.is_some() {
        notes.push("A difference between groups is no proof of unfairness: they may differ in what the model rightly looks at. No difference is no proof of fairness.");
    }
    let told =
        summary.groups.as_ref().and_then(|groups| untested(groups).or_else(|| too_few(groups)));
    let without = summary.without_effect.iter().map(|one| {
        let name = summary.name(one.feature);
        Cow::Owned(format!("There is no effect of \u{201c}{name}\u{201d}: {}.", one.reason))
    });
    told.into_iter()
        .map(Cow::Owned)
        .chain(without)
        .chain(notes.into_iter().map(Cow::Borrowed))
        .collect()
}

/// Where groups were not tested, no difference that is shown has been held against chance.
fn untested(groups: &Groups) -> Option<String> {
    let why = groups.untested.as_ref()?;
    Some(format!("Whether groups differ by more than chance was not tested: {why}."))
}

/// Where there are too few shuffles for so many tests, nothing can be called a difference: that is not to be taken for
/// equality.
fn too_few(groups: &Groups) -> Option<String> {
    let least = groups.least_p.filter(|least| *least >= 0.05)?;
    Some(format!(
        "{} of groups need more shuffles than {}: no adjusted p can be below {least:.2}, so that nothing is called a difference here, however large it is. Ask for more shuffles, or for fewer features or groups.",
        format::plural(groups.tests.unwrap_or_default() as u64, "test", "tests"),
        format::count(groups.resamples.unwrap_or_default() as u64),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
