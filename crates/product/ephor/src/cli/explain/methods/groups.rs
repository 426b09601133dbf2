//! `--method groups`

use ephor_explain::{
    Explanation, Scorer as _,
    groups::{Compared, Settings, Tested, compare},
    kernel, shap,
};
use serde_json::{Value, json};

use super::{KERNEL_BACKGROUND, Told, Work, refused, told::Table, told::number};

/// What is less likely by chance is called a difference.
const SURE: f64 = 0.05;

pub(super) fn told(work: &Work) -> anyhow::Result<Told> {
    let Work { model, columns, options, .. } = work;
    let usual = Settings::default();
    let settings = Settings {
        reference: options.reference.clone(),
        resamples: options.resamples,
        confidence: options.confidence.unwrap_or(usual.confidence),
        seed: options.seed.unwrap_or(0),
        ..usual
    };
    let (values, kind) = values(work).map_err(refused)?;
    let output = work.output();
    let found = compare(&values, output, &columns.groups, &settings, &work.progress, &work.cancel)
        .map_err(refused)?;
    let (mut tables, mut lines, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    let Some(reference) = found.groups.iter().find(|group| group.name == found.reference) else {
        return Err(anyhow::anyhow!("the reference group is not among the groups"));
    };
    for group in &found.groups {
        let mut order: Vec<usize> = (0..values.features).collect();
        order.sort_by(|a, b| group.size[*b].total_cmp(&group.size[*a]));
        let mut table = Vec::new();
        for feature in order {
            let mut cells =
                vec![work.name(feature), number(group.size[feature]), number(group.value[feature])];
            if let Some(differences) = &group.differences {
                let difference = &differences[feature];
                cells.extend([of(&difference.size), of(&difference.value)]);
                cells.push(if sure(&difference.size) || sure(&difference.value) {
                    "differs".to_owned()
                } else {
                    String::new()
                });
            }
            table.push(cells);
        }
        let mut heads = vec!["feature", "mean |value|", "mean value"];
        if group.differences.is_some() {
            heads.extend(["difference of |value|", "difference of value", ""]);
        }
        let note = match &group.differences {
            Some(_) => format!("; compared with {}", found.reference),
            None if group.name == found.reference => "; the others are compared with it".to_owned(),
            None => "; too few rows to be compared".to_owned(),
        };
        tables.push(Table {
            heading: format!("{}: {} rows{note}", group.name, group.rows),
            heads,
            lines: table,
        });
        let features: Vec<Value> = (0..values.features)
            .map(|feature| {
                let differences = group.differences.as_ref().map(|all| &all[feature]);
                json!({
                    "feature": work.name(feature),
                    "mean_size": group.size[feature], "mean_value": group.value[feature],
                    "size_difference": differences.map(|one| tested(&one.size)),
                    "value_difference": differences.map(|one| tested(&one.value)),
                })
            })
            .collect();
        groups.push(json!({ "group": group.name, "rows": group.rows, "features": features }));
        for feature in 0..values.features {
            let mut line = vec![
                group.name.clone(),
                group.rows.to_string(),
                work.name(feature),
                group.size[feature].to_string(),
                group.value[feature].to_string(),
            ];
            let differences = group.differences.as_ref().map(|all| &all[feature]);
            for one in [differences.map(|one| &one.size), differences.map(|one| &one.value)] {
                let cells = one.map(|one| [one.difference, one.low, one.high, one.p, one.adjusted]);
                line.extend(
                    (0..5)
                        .map(|cell| cells.map(|cells| cells[cell].to_string()).unwrap_or_default()),
                );
            }
            lines.push(line);
        }
    }
    let mut facts = vec![format!(
        "{kind}. Intervals of {:.0} % by bootstrap; p after Holm over all features and groups, from {} shuffles.",
        100.0 * settings.confidence,
        found.resamples
    )];
    if found.without > 0 {
        facts.push(format!("{} rows belong to no group.", found.without));
    }
    let notes: Vec<String> = untested(&found).or_else(|| too_few(&found)).into_iter().collect();
    facts.extend(notes.iter().cloned());
    let mut heads: Vec<String> =
        ["group", "rows", "feature", "mean_size", "mean_value"].map(ToOwned::to_owned).to_vec();
    for of in ["size", "value"] {
        heads.extend(
            ["difference", "low", "high", "p", "p_adjusted"].map(|what| format!("{of}_{what}")),
        );
    }
    Ok(Told {
        title: format!(
            "values of {} rows by {}, reference {}",
            columns.rows.len(),
            options.group.as_deref().unwrap_or_default(),
            reference.name
        ),
        facts,
        tables,
        summary: work.of_groups(&values, &found, settings.confidence)?,
        json: json!({
            "method": "groups", "output": output, "features": model.features(),
            "reference": found.reference, "without_group": found.without,
            "confidence": settings.confidence, "resamples": found.resamples,
            "seed": settings.seed, "tests": found.tests, "least_p_adjusted": found.least_p, "notes": notes,
            "groups": groups,
        }),
        heads,
        lines,
    })
}

/// Exact values of trees and linear models; of what only answers, kernel SHAP.
fn values(work: &Work) -> Result<(Explanation, &'static str), ephor_explain::ExplainError> {
    let Work { model, columns, progress, cancel, .. } = work;
    let rows = &columns.rows;
    if let Some(linear) = model.linear() {
        // What a linear model adds hangs on the mean of the others alone: without others, on that of all rows.
        let background = if work.own_background { &work.background } else { rows };
        let found = shap::linear(linear, rows, background, progress, cancel)?;
        return Ok((found, "Linear SHAP values of the margin"));
    }
    match model.forest() {
        Some(forest) if work.own_background => {
            let found = shap::interventional(forest, rows, &work.background, progress, cancel)?;
            Ok((found, "Interventional SHAP values of the margin"))
        }
        Some(forest) => {
            let found = shap::path_dependent(forest, rows, progress, cancel)?;
            Ok((found, "Path-dependent SHAP values of the margin"))
        }
        None => {
            let background = work.some_background(KERNEL_BACKGROUND);
            let background = if background.is_empty() {
                super::first(rows, KERNEL_BACKGROUND)
            } else {
                background
            };
            let settings = kernel::Settings::default();
            let found = kernel::explain(model, rows, &background, &settings, progress, cancel)?;
            Ok((found.explanation, "Kernel SHAP values of the prediction"))
        }
    }
}

/// Where groups were not tested, no difference that is shown has been held against chance.
fn untested(found: &Compared) -> Option<String> {
    let why = found.untested.as_ref()?;
    Some(format!("Whether groups differ by more than chance was not tested: {why}."))
}

/// Where there are too few shuffles for so many tests, nothing can be called a difference: that is not to be taken for equality.
fn too_few(found: &Compared) -> Option<String> {
    (found.least_p >= SURE).then(|| {
        format!(
            "{} tests need more than {:.0} shuffles for an adjusted p below {SURE}; with {} none can be less than {:.3}, so that nothing is \
             called a difference here, however large it is. Ask for more by --resamples.",
            found.tests,
            (found.tests as f64 / SURE).ceil() - 1.0,
            found.resamples,
            found.least_p
        )
    })
}

fn sure(tested: &Tested) -> bool {
    tested.adjusted < SURE
}

fn of(tested: &Tested) -> String {
    format!(
        "{} [{}, {}], p {:.3}",
        number(tested.difference),
        number(tested.low),
        number(tested.high),
        tested.adjusted
    )
}

fn tested(tested: &Tested) -> Value {
    json!({
        "difference": tested.difference, "low": tested.low, "high": tested.high,
        "p": tested.p, "p_adjusted": tested.adjusted,
    })
}
