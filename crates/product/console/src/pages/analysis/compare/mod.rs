//! `GET /analyses/{id}/compare`: an analysis beside another one, what got worse first.

mod tables;
mod view;

use askama::Template;
use axum::extract::State;
use ephor_assurance::analysis::{Analysis, Compared, analysis_comparison, completed_get};
use ephor_kernel::{AnalysisId, Problem};
use ephor_rest::{Id, ListRequest};
use ephor_store::OrgTx;
use serde_json::Value;

pub(crate) use view::CompareView;

use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    view::{Choice, Field, Icon, json},
    visit::{Answer, Visit},
};

/// The most analyses that are offered: the latest.
const MOST_OFFERED: u32 = 200;

/// An analysis beside another one.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/analysis/compare/compare.html")]
pub(crate) struct ComparePage {
    pub frame: Frame,
    pub lede: String,
    /// Where the choice is sent to.
    pub here: String,
    /// The other analyses; none when there is no other one.
    pub with: Option<Field>,
    /// `None` until another one is chosen.
    pub compared: Option<CompareView>,
}

pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    let with = visit.query.get("with").filter(|word| !word.is_empty());
    let with: Option<AnalysisId> = match with.map(str::parse) {
        Some(Ok(with)) => Some(with),
        Some(Err(_)) => return Err(Problem::not_found("bias analysis").into()),
        None => None,
    };
    let mut tx = state.store.begin(&visit.scope).await?;
    let compared = match with {
        Some(with) => Some(analysis_comparison(&mut tx, id, with).await?),
        None => None,
    };
    let after = match &compared {
        Some(compared) => compared.after.analysis.clone(),
        None => completed_get(&mut tx, id).await?.analysis,
    };
    let mut others = others(&state, &mut tx, &after).await?;
    tx.commit().await?;
    // What is compared is chosen, however old it is.
    if let Some(before) = compared.as_ref().map(|compared| &compared.before.analysis)
        && !others.iter().any(|choice| choice.value == before.id.to_string())
    {
        others.push(Choice::new(before.id.to_string(), &before.name));
    }
    let here = format!("/analyses/{id}/compare");
    let frame = visit
        .frame("Compare", "/analyses")
        .crumb("Bias analyses", "/analyses")
        .crumb(&after.name, format!("/analyses/{id}"));
    let frame = if compared.is_some() { frame.plots() } else { frame };
    Ok(page(&ComparePage {
        lede: lede(&after, compared.as_ref()),
        here,
        with: (others.len() > 1).then(|| {
            Field::new("with", "Compare with")
                .select(others)
                .value(with.map(|with| with.to_string()).unwrap_or_default())
                .required()
                .hint("Analyses of the same model come first, then those of the same data set.")
        }),
        compared: compared.as_ref().map(CompareView::new),
        frame,
    }))
}

fn lede(after: &Analysis, compared: Option<&Compared>) -> String {
    match compared {
        Some(compared) => format!("{}, since {}", after.name, compared.before.analysis.name),
        None => format!("{}, beside another analysis", after.name),
    }
}

/// The other completed analyses: of the same model, of the same data set, then all others.
async fn others(
    state: &ConsoleState,
    tx: &mut OrgTx,
    after: &Analysis,
) -> Result<Vec<Choice>, Problem> {
    let request = ListRequest::new()
        .filter("status", "eq.completed")
        .filter("origin", "eq.ephor")
        .filter("task", format!("eq.{}", after.task))
        .sort("-created_at")
        .limit(MOST_OFFERED);
    let mut rows = state.engine.list(tx, "bias_analyses", &request).await?.data;
    let own = after.id.to_string();
    rows.retain(|row| json::text(row, "id") != own);
    let (model, dataset) =
        (after.model_id.map(|id| id.to_string()), after.dataset_id.map(|id| id.to_string()));
    let same = |row: &Value, name: &str, wanted: &Option<String>| {
        wanted.as_deref().is_some_and(|wanted| json::text(row, name) == wanted)
    };
    // Stable: within each kind the latest stays first.
    rows.sort_by_key(|row| {
        if same(row, "model_id", &model) {
            0
        } else if same(row, "dataset_id", &dataset) {
            1
        } else {
            2
        }
    });
    let choice = |row: &Value| {
        let day: String = json::text(row, "created_at").chars().take(10).collect();
        let outcome = json::text(row, "outcome");
        let name = json::text(row, "name");
        Choice::new(json::text(row, "id"), format!("{name} \u{b7} {day} \u{b7} {outcome}"))
    };
    Ok(std::iter::once(Choice::new("", "Choose")).chain(rows.iter().map(choice)).collect())
}
