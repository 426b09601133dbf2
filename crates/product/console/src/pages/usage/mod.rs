//! What the organization may use of its plan, and what it used this month.

mod page;

use axum::{Router, extract::State, routing::get};
use ephor_billing::{EndpointUsage, LimitUse, Usage};

pub(crate) use page::{LimitBar, UsagePage};

use crate::{
    ConsoleState,
    error::page,
    view::{Badge, Head, Html, Table, format},
    visit::{Answer, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new().route("/usage", get(show))
}

/// `GET /usage`
async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let usage = state.billing.usage(&visit.scope).await?;
    let lede = match &usage.tier_name {
        Some(tier) => format!("{}, on the plan {tier}", visit.organization()),
        None => format!("{}, without a plan: nothing is limited by one", visit.organization()),
    };
    Ok(page(&UsagePage {
        frame: visit.frame("Usage", "/usage"),
        lede,
        resets: usage.resets_at.format("%-d %B %Y").to_string(),
        limits: usage.limits.iter().map(bar).collect(),
        features: features(&usage),
        days: days(&usage),
        endpoints: endpoints(&usage.endpoints),
    }))
}

/// Near its end from so much of it on.
const NEAR: f64 = 0.8;

pub(crate) fn bar(limit: &LimitUse) -> LimitBar {
    let share = limit.limit.map(|most| if most > 0.0 { limit.used / most } else { 1.0 });
    let note = match share {
        Some(share) if share >= 1.0 => "used up",
        Some(share) if share >= NEAR => "nearly used up",
        _ => "",
    };
    LimitBar {
        id: limit.name,
        label: limit.label,
        used: format::number(limit.used),
        limit: limit.limit.map(format::number),
        percent: share.map(|share| (share * 100.0).clamp(0.0, 100.0).round() as u8),
        note,
    }
}

fn features(usage: &Usage) -> Vec<(String, Badge)> {
    let badge = |included| {
        if included {
            Badge::new("pass", "pass", "included")
        } else {
            Badge::new("", "info", "not included")
        }
    };
    let features = usage.features.iter();
    features.map(|feature| (format::label(feature.name), badge(feature.included))).collect()
}

fn count(value: i64) -> Html {
    Html::text(&format::count(u64::try_from(value).unwrap_or(0)))
}

fn days(usage: &Usage) -> Table {
    Table {
        label: "Requests by day".to_owned(),
        heads: vec![Head::new("Day (UTC)"), Head::right("Requests"), Head::right("Failed")],
        // The newest first.
        rows: usage
            .days
            .iter()
            .rev()
            .map(|day| {
                vec![
                    Html::text(&day.day.format("%-d %B").to_string()),
                    count(day.requests),
                    count(day.failed),
                ]
            })
            .collect(),
    }
}

fn endpoints(endpoints: &[EndpointUsage]) -> Table {
    Table {
        label: "Requests by endpoint".to_owned(),
        heads: vec![
            Head::new("Endpoint"),
            Head::right("Requests"),
            Head::right("Failed"),
            Head::right("Mean, in ms"),
        ],
        rows: endpoints
            .iter()
            .map(|endpoint| {
                vec![
                    Html::text(&endpoint.endpoint),
                    count(endpoint.requests),
                    count(endpoint.failed),
                    Html::text(
                        &endpoint.mean_milliseconds.map_or_else(String::new, format::number),
                    ),
                ]
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use ephor_billing::Per;

    use super::*;

    fn used(used: f64, limit: Option<f64>) -> LimitBar {
        bar(&LimitUse { name: "members", label: "Members", limit, used, per: Per::Time })
    }

    #[test]
    fn a_bar_says_how_near_the_limit_is() {
        assert_eq!((used(1.0, Some(5.0)).percent, used(1.0, Some(5.0)).note), (Some(20), ""));
        assert_eq!(used(4.0, Some(5.0)).note, "nearly used up");
        assert_eq!(
            (used(7.0, Some(5.0)).percent, used(7.0, Some(5.0)).note),
            (Some(100), "used up")
        );
        assert_eq!(used(0.0, Some(0.0)).note, "used up");
        assert_eq!(used(7.0, None).percent, None);
    }
}
