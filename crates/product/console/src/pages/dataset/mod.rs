//! Data sets: a list, an upload, and one with its profile.

pub(crate) mod page;
mod profile;
mod show;

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use ephor_kernel::{DatasetId, Problem};
use ephor_rest::{Id, ListRequest};

use self::page::UploadPage;
pub(crate) use self::profile::{kind, shown};
use super::resource::{
    Action, Column, Empty, FormPage, ListPage, Listing, browse_status,
    edit::{self, Sent, sent},
};
use crate::{
    ConsoleState,
    error::page,
    view::{Badge, Control, Field, Form as Fields, Html, format, json},
    visit::{Answer, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/datasets", get(list))
        .route("/datasets/new", get(upload))
        .route("/datasets/{id}", get(show::show).post(update))
        .route("/datasets/{id}/edit", get(change))
        .route("/datasets/{id}/delete", post(delete))
}

const LISTING: Listing<'static> = Listing {
    path: "datasets",
    here: "/datasets",
    columns: &[
        Column::new("Name", "name"),
        Column::new("Status", "status"),
        Column::right("Rows", "row_count"),
        Column::right("Size", "size_bytes"),
        Column::new("Uploaded", "created_at"),
    ],
    filters: &["status", "source_format"],
    search: true,
    include: &[],
};

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let listed = LISTING
        .read(&state, &visit, |row| {
            let size = json::number(row, "size_bytes").map(|bytes| format::bytes(bytes as u64));
            vec![
                Html::link(
                    &format!("/datasets/{}", json::text(row, "id")),
                    json::text(row, "name"),
                )
                .sub(json::text(row, "description")),
                Html::of(&Badge::state(json::text(row, "status"))),
                json::count_cell(row, "row_count"),
                Html::text(size.as_deref().unwrap_or("\u{2013}")),
                json::moment_cell(row, "created_at"),
            ]
        })
        .await?;
    let upload = visit
        .may("datasets", "create")
        .then(|| Action::primary("Upload a data set", "/datasets/new", "upload"));
    Ok(page(&ListPage {
        frame: visit.frame("Data sets", "/datasets"),
        lede: "What models are trained on, and what they decided.".to_owned(),
        actions: upload.clone().into_iter().collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        tools: listed.tools,
        here: "/datasets".to_owned(),
        empty: Empty::new(
            "dataset",
            "No data set yet",
            "Upload a file with one row for each person or case. It is checked, profiled and kept; then it can be analysed for bias.",
        )
        .action(upload),
    }))
}

async fn upload(visit: Visit) -> Answer {
    visit.scope.require("datasets", "create")?;
    Ok(page(&UploadPage {
        frame: visit.frame("Upload a data set", "/datasets").crumb("Data sets", "/datasets"),
        // The file comes last: the server has read what describes it before the bytes stream in.
        form: Fields::new(vec![
            Field::new("name", "Name").hint("The file's name, if you leave it empty."),
            Field::new("description", "Description")
                .control(Control::Area)
                .hint("What is in it, and where it comes from."),
            Field::new("file", "File")
                .control(Control::File(".csv,.tsv,.ndjson,.jsonl,.json,.parquet"))
                .required(),
        ]),
        action: "/v1/datasets/upload",
    }))
}

async fn change(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<DatasetId>) -> Answer {
    form(&state, &visit, id, None).await
}

async fn form(
    state: &ConsoleState,
    visit: &Visit,
    id: DatasetId,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    visit.scope.require("datasets", "update")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let row = state.engine.get(&mut tx, "datasets", id.uuid(), &ListRequest::new()).await?;
    let mut form = edit::form(state, &mut tx, "datasets", Some(&row)).await?;
    tx.commit().await?;
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let here = format!("/datasets/{id}");
    let version = row.get("version").map(ToString::to_string);
    let answer = page(&FormPage {
        frame: visit
            .frame(format!("Edit {}", json::text(&row, "name")), "/datasets")
            .crumb("Data sets", "/datasets"),
        lede: "What is stored never changes; only how it is described.".to_owned(),
        form,
        action: here.clone(),
        hidden: edit::version(refused, version).into_iter().collect(),
        submit: "Save",
        cancel: here,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

async fn update(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<DatasetId>,
    Form(values): Form<Sent>,
) -> Answer {
    match edit::update(&state, &visit.scope, "datasets", id.uuid(), &values).await {
        Ok(_) => Ok(Redirect::to(&format!("/datasets/{id}?done=saved")).into_response()),
        Err(problem) => form(&state, &visit, id, Some((&values, &problem))).await,
    }
}

async fn delete(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<DatasetId>) -> Answer {
    edit::delete(&state, &visit.scope, "datasets", id.uuid()).await?;
    Ok(Redirect::to("/datasets?done=deleted").into_response())
}
