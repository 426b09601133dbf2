//! `--method counterfactual`

use std::collections::BTreeMap;

use ephor_explain::{
    Scorer as _,
    counterfactual::{Direction, Goal, Outcome, Rule, Settings, seek, thresholds},
    summary::Flips,
};
use serde_json::json;

use super::{Told, Work, refused, told::Table, told::number};
use crate::exit::UsageError;

pub(super) fn told(work: &Work) -> anyhow::Result<Told> {
    let Work { model, columns, options, .. } = work;
    let output = work.output();
    let threshold = options.threshold.unwrap_or(0.5);
    let goal = options.wanted.map_or(Goal::Flip { output, threshold }, Goal::Class);
    let usual = Settings::new(goal);
    let settings = Settings {
        rules: rules(work)?.into_iter().collect(),
        count: options.count.unwrap_or(usual.count),
        changes: options.changes.unwrap_or(usual.changes),
        budget: options.budget.unwrap_or(usual.budget),
        thresholds: model.forest().map(thresholds).unwrap_or_default(),
        seed: options.seed.unwrap_or(0),
        ..usual
    };
    let found =
        seek(model, &columns.rows, &work.background, &settings, &work.progress, &work.cancel)
            .map_err(refused)?;
    let shown = options.wanted.unwrap_or(output);
    let (mut tables, mut lines, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (row, sought) in found.iter().enumerate() {
        let own = columns.rows.row(row);
        let outcome = match sought.outcome {
            Outcome::Found => format!("{} ways to another decision", sought.found.len()),
            Outcome::Already => "it has the wanted decision already".to_owned(),
            Outcome::NoneWithinBudget => format!(
                "none found among {} rows that were tried, which does not mean that there is none",
                sought.asked
            ),
            Outcome::Nothing => "no feature may change".to_owned(),
        };
        let mut table = Vec::new();
        let mut ways = Vec::new();
        for (way, one) in sought.found.iter().enumerate() {
            let mut changes = Vec::new();
            for feature in &one.changed {
                let (name, from, to) = (work.name(*feature), own[*feature], one.row[*feature]);
                table.push(vec![
                    format!("{}", way + 1),
                    name.clone(),
                    number(from),
                    number(to),
                    number(one.predicted[shown]),
                    number(one.distance),
                ]);
                lines.push(vec![
                    row.to_string(),
                    (way + 1).to_string(),
                    name.clone(),
                    from.to_string(),
                    to.to_string(),
                    one.predicted[shown].to_string(),
                    one.distance.to_string(),
                ]);
                // A missing value is null.
                let from = from.is_finite().then_some(from);
                changes.push(json!({ "feature": name, "from": from, "to": to }));
            }
            ways.push(json!({
                "changes": changes, "prediction": one.predicted, "distance": one.distance,
            }));
        }
        tables.push(Table {
            heading: format!("Row {row}: predicted {}; {outcome}", number(sought.predicted[shown])),
            heads: vec!["way", "feature", "from", "to", "predicted then", "distance"],
            lines: table,
        });
        let outcome = match sought.outcome {
            Outcome::Found => "found",
            Outcome::Already => "already",
            Outcome::NoneWithinBudget => "none_within_budget",
            Outcome::Nothing => "nothing_may_change",
        };
        rows.push(json!({
            "prediction": sought.predicted, "outcome": outcome, "asked": sought.asked,
            "counterfactuals": ways,
        }));
    }
    let what = match options.wanted {
        Some(class) => format!("class {class} is wanted"),
        None => format!("the other side of {} of output {output} is wanted", number(threshold)),
    };
    Ok(Told {
        title: format!("counterfactuals of {} rows; {what}", columns.rows.len()),
        facts: vec![format!(
            "Distance: changes in median absolute deviations of {} background rows, and 1 for each feature. What would flip \
             the model need not be what would help in life: only the model was asked.",
            work.background.len()
        )],
        tables,
        summary: work.of_flips(Flips::of(&columns.rows, &found, shown)),
        json: json!({
            "method": "counterfactual", "features": model.features(), "seed": settings.seed,
            "output": shown, "threshold": options.wanted.is_none().then_some(threshold),
            "wanted": options.wanted, "rows": rows,
        }),
        heads: ["row", "way", "feature", "from", "to", "prediction", "distance"]
            .map(ToOwned::to_owned)
            .to_vec(),
        lines,
    })
}

/// What was said of features; all faults at once.
fn rules(work: &Work) -> anyhow::Result<BTreeMap<usize, Rule>> {
    let options = &work.options;
    let mut faults = Vec::new();
    let mut rules = BTreeMap::<usize, Rule>::new();
    let mut place = |name: &str| match work.feature(name) {
        Ok(feature) => Some(feature),
        Err(fault) => {
            faults.push(fault.to_string());
            None
        }
    };
    let places = |names: &[String], place: &mut dyn FnMut(&str) -> Option<usize>| -> Vec<usize> {
        names.iter().filter_map(|name| place(name)).collect()
    };
    let immutable = places(&options.immutable, &mut place);
    let up = places(&options.increase_only, &mut place);
    let down = places(&options.decrease_only, &mut place);
    for (features, direction) in
        [(up, Direction::Increase), (down, Direction::Decrease), (immutable, Direction::Immutable)]
    {
        for feature in features {
            let rule = rules.entry(feature).or_default();
            // Up only and down only leaves nothing.
            rule.direction = match rule.direction {
                Direction::Any => direction,
                _ => Direction::Immutable,
            };
        }
    }
    for feature in places(&options.categorical, &mut place) {
        rules.entry(feature).or_default().categorical = true;
    }
    let ranged: Vec<_> =
        options.range.iter().map(|(name, range)| (place(name), name, range)).collect();
    let stepped: Vec<_> =
        options.step.iter().map(|(name, step)| (place(name), name, step)).collect();
    for (feature, name, range) in ranged {
        let ends = range.split_once("..").and_then(|(least, greatest)| {
            Some((least.parse::<f64>().ok()?, greatest.parse::<f64>().ok()?))
        });
        match (feature, ends) {
            (Some(feature), Some((least, greatest))) => {
                let rule = rules.entry(feature).or_default();
                (rule.least, rule.greatest) = (Some(least), Some(greatest));
            }
            (_, None) => {
                faults
                    .push(format!("--range {name}={range}: it is written FEATURE=LEAST..GREATEST"));
            }
            (None, _) => {}
        }
    }
    for (feature, name, step) in stepped {
        match (feature, step.parse::<f64>()) {
            (Some(feature), Ok(step)) => rules.entry(feature).or_default().step = Some(step),
            (_, Err(_)) => faults.push(format!("--step {name}={step}: `{step}` is not a number")),
            (None, _) => {}
        }
    }
    if faults.is_empty() { Ok(rules) } else { Err(UsageError(faults.join("\n")).into()) }
}
