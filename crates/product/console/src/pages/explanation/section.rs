//! The explanations of a model or of an analysis, on its page.

use ephor_kernel::{AnalysisId, ModelId, Problem};
use ephor_rest::ListRequest;
use ephor_store::OrgTx;
use serde_json::Value;

use super::{WORD, kind};
use crate::{
    ConsoleState,
    pages::resource::{Action, Section},
    view::{Badge, Head, Html, Table, json},
    visit::Visit,
};

/// How many are shown; the list has all.
const MOST: u32 = 20;

/// Whose explanations.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    /// A model's.
    Model(ModelId),
    /// An analysis'.
    Analysis(AnalysisId),
}

/// The newest explanations; nothing for whoever may not see any.
pub(crate) async fn section(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    of: Of,
) -> Result<Option<Section>, Problem> {
    if !visit.may(WORD, "read") {
        return Ok(None);
    }
    let (column, id, word) = match of {
        Of::Model(id) => ("model_id", id.to_string(), "model"),
        Of::Analysis(id) => ("analysis_id", id.to_string(), "analysis"),
    };
    let request = ListRequest::new().filter(column, format!("eq.{id}")).limit(MOST);
    let found = state.engine.list(tx, WORD, &request).await?.data;
    let may = visit.may(WORD, "create")
        && visit.may("model_artifacts", "read")
        && visit.may("datasets", "read");
    Ok(Some(Section {
        id: "explanations",
        title: "Explanations".to_owned(),
        action: may
            .then(|| Action::new("Explain", format!("/explanations/new?{word}={id}"), "plus")),
        table: table(&found),
        empty: "None yet: what moves the model's predictions is computed from its file and a data set.",
    }))
}

fn table(found: &[Value]) -> Table {
    let rows = found.iter().map(|row| {
        let place = format!("/explanations/{}", json::text(row, "id"));
        vec![
            Html::link(&place, kind(json::text(row, "explanation_type"))),
            Html::of(&Badge::state(json::text(row, "status"))),
            json::count_cell(row, "row_count"),
            json::moment_cell(row, "created_at"),
        ]
    });
    Table {
        label: "Explanations".to_owned(),
        heads: vec![
            Head::new("Explanation"),
            Head::new("State"),
            Head::right("Rows"),
            Head::new("Asked for"),
        ],
        rows: rows.collect(),
    }
}
