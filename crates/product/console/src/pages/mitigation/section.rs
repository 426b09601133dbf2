//! The mitigations of an analysis, on its page.

use ephor_kernel::{AnalysisId, Problem};
use ephor_rest::ListRequest;
use ephor_store::OrgTx;

use super::WORD;
use crate::{
    ConsoleState,
    pages::resource::{Action, Section},
    view::{Badge, Head, Html, Table, format, json},
    visit::Visit,
};

/// How many are shown; the list has all.
const MOST: u32 = 20;

/// The newest mitigations of an analysis; nothing for whoever may not see any.
pub(crate) async fn section(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    analysis: AnalysisId,
) -> Result<Option<Section>, Problem> {
    if !visit.may(WORD, "read") {
        return Ok(None);
    }
    let request = ListRequest::new().filter("analysis_id", format!("eq.{analysis}")).limit(MOST);
    let found = state.engine.list(tx, WORD, &request).await?.data;
    let rows = found.iter().map(|row| {
        vec![
            Html::link(&format!("/mitigations/{}", json::text(row, "id")), json::title(row)),
            Html::of(&Badge::state(json::text(row, "status"))),
            Html::text(&format::label(json::text(row, "kind"))),
            Html::text(&change(row).unwrap_or_else(|| "\u{2013}".to_owned())),
            json::moment_cell(row, "created_at"),
        ]
    });
    let heads = ["Mitigation", "State", "Method", "Expected disparity", "Asked for"];
    Ok(Some(Section {
        id: "mitigations",
        title: "Mitigations".to_owned(),
        action: visit.may(WORD, "create").then(|| {
            Action::new("Compute a mitigation", format!("/analyses/{analysis}/mitigate"), "plus")
        }),
        table: Table {
            label: "Mitigations".to_owned(),
            heads: heads.map(Head::new).to_vec(),
            rows: rows.collect(),
        },
        empty: "None yet: weights or thresholds that make groups fare alike are computed from the analysed data.",
    }))
}

/// The disparity that it is about, before and after.
fn change(row: &serde_json::Value) -> Option<String> {
    let measure = match (json::text(row, "kind"), json::text(row, "fairness_constraint")) {
        ("reweighing", _) => "base_rate_difference",
        (_, "equal_opportunity") => "equal_opportunity_difference",
        (_, "false_positive_rate_parity") => "false_positive_rate_difference",
        (_, "equalized_odds") => "equalized_odds_difference",
        _ => "demographic_parity_difference",
    };
    let of = |side| row.pointer(&format!("/expected/{side}/{measure}"))?.as_f64();
    Some(format!("{} \u{2192} {}", format::decimal(of("before")?), format::decimal(of("after")?)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_disparity_that_it_is_about_is_told() {
        let row = json!({
            "kind": "threshold", "fairness_constraint": "equal_opportunity",
            "expected": { "before": { "equal_opportunity_difference": 0.25 }, "after": { "equal_opportunity_difference": 0.01 } },
        });
        assert_eq!(change(&row).unwrap(), "0.250 \u{2192} 0.010");
        assert_eq!(change(&json!({ "kind": "threshold", "expected": null })), None);
    }
}
