//! A column's profile as a card: its shape at a glance, its figures below.

use ephor_tabular::{ColumnProfile, Profile, Value, ValueKind};

use super::page::ColumnCard;
use crate::view::{Bar, Bars, Spark, format};

/// The most values that a card lists.
const MOST_BARS: usize = 6;

/// One card for each column.
pub(super) fn cards(profile: &Profile) -> Vec<ColumnCard> {
    profile.columns.iter().map(|column| card(column, profile.rows)).collect()
}

/// What the values are, in a word.
pub(crate) fn kind(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Boolean => "true or false",
        ValueKind::Integer => "integer",
        ValueKind::Number => "number",
        ValueKind::Date => "date",
        ValueKind::Timestamp => "timestamp",
        ValueKind::Text => "text",
        ValueKind::Other => "nested",
    }
}

/// A value as it is shown.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => format::number(*number),
        Value::Text(text) => text.clone(),
    }
}

fn card(column: &ColumnProfile, rows: u64) -> ColumnCard {
    let many = column.distinct.count > MOST_BARS as u64;
    let numeric = matches!(column.kind, ValueKind::Integer | ValueKind::Number);
    ColumnCard {
        name: column.name.clone(),
        kind: kind(column.kind).to_owned(),
        spark: if numeric && many { spread(column) } else { None },
        bars: if numeric && many { None } else { frequent(column, rows) },
        facts: facts(column, rows),
    }
}

/// Where numbers lie: how dense each stretch between the known quantiles is, in twenty bars.
fn spread(column: &ColumnProfile) -> Option<Spark> {
    const BARS: usize = 20;
    let bound = |value: &Option<Value>| match value {
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let (low, high) = (bound(&column.min)?, bound(&column.max)?);
    if high <= low {
        return None;
    }
    let mut knots = vec![(low, 0.0)];
    knots.extend(column.quantiles.iter().map(|quantile| (quantile.value, quantile.q)));
    knots.push((high, 1.0));
    let below = |at: f64| {
        knots.windows(2).find(|pair| at <= pair[1].0).map_or(1.0, |pair| {
            let ((x0, q0), (x1, q1)) = (pair[0], pair[1]);
            if x1 > x0 { q0 + (q1 - q0) * (at - x0) / (x1 - x0) } else { q1 }
        })
    };
    let step = (high - low) / BARS as f64;
    let heights = (0..BARS)
        .map(|index| {
            let from = low + step * index as f64;
            (below(from + step) - below(from)).max(0.0)
        })
        .collect();
    Some(Spark {
        label: format!("Where the values of {} lie, estimated from its quantiles", column.name),
        heights,
    })
}

fn frequent(column: &ColumnProfile, rows: u64) -> Option<Bars> {
    let bars: Vec<Bar> = column
        .top
        .iter()
        .take(MOST_BARS)
        .map(|top| {
            let share = if rows == 0 { 0.0 } else { top.count as f64 / rows as f64 };
            Bar { name: shown(&top.value), share, text: format::percent(share) }
        })
        .collect();
    (!bars.is_empty()).then_some(Bars { bars })
}

fn facts(column: &ColumnProfile, rows: u64) -> Vec<(&'static str, String)> {
    let missing = match (column.nulls, rows) {
        (0, _) | (_, 0) => "none".to_owned(),
        (nulls, rows) => {
            format!("{} ({})", format::count(nulls), format::percent(nulls as f64 / rows as f64))
        }
    };
    let about = if column.distinct.exact { "" } else { "about " };
    let mut facts = vec![
        ("Missing", missing),
        ("Distinct", format!("{about}{}", format::count(column.distinct.count))),
    ];
    if column.nan > 0 {
        facts.push(("NaN", format::count(column.nan)));
    }
    if matches!(column.kind, ValueKind::Text | ValueKind::Boolean | ValueKind::Other) {
        return facts;
    }
    let bound = |value: &Option<Value>| match value {
        // Small whole numbers may be years; large ones are read by their thousands.
        Some(Value::Integer(number)) if number.abs() >= 10_000 => {
            Some(format::number(*number as f64))
        }
        other => other.as_ref().map(shown),
    };
    facts.extend(bound(&column.min).map(|least| ("Least", least)));
    if let Some(median) = column.quantiles.iter().find(|quantile| quantile.q == 0.5) {
        facts.push(("Median", format::number(median.value)));
    }
    facts.extend(column.mean.map(|mean| ("Mean", format::number(mean))));
    facts.extend(bound(&column.max).map(|most| ("Greatest", most)));
    facts
}

#[cfg(test)]
mod tests {
    use ephor_tabular::{Distinct, Quantile};

    use super::*;

    fn column() -> ColumnProfile {
        ColumnProfile {
            name: "score".into(),
            kind: ValueKind::Number,
            data_type: "Float64".into(),
            nulls: 5,
            nan: 1,
            distinct: Distinct { count: 100, exact: true },
            min: Some(Value::Number(0.0)),
            max: Some(Value::Number(10.0)),
            mean: Some(2.0),
            std: None,
            quantiles: vec![Quantile { q: 0.5, value: 1.0 }],
            quantiles_exact: true,
            top: vec![],
            top_exact: true,
        }
    }

    #[test]
    fn the_shape_adds_up_to_all_values() {
        let spark = spread(&column());
        let sum: f64 = spark.iter().flat_map(|spark| &spark.heights).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        // Half of the values lie in the first tenth.
        assert!(spark.is_some_and(|spark| spark.heights[0] > spark.heights[10]));
    }

    #[test]
    fn a_column_of_one_value_has_no_shape() {
        let mut flat = column();
        flat.max = Some(Value::Number(0.0));
        assert!(spread(&flat).is_none());
    }

    #[test]
    fn what_is_missing_is_said_with_its_share() {
        let facts = facts(&column(), 50);
        assert!(facts.contains(&("Missing", "5 (10.0 %)".to_owned())));
        assert!(facts.contains(&("NaN", "1".to_owned())));
    }
}
