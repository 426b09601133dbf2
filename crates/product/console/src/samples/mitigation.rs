//! Mitigations.

use ephor_fairness::MitigationArtifact;
use ephor_kernel::{Fault, Problem};

use super::{analysis::analyses_table, frame};
use crate::{
    pages::{
        follow::{Live, Progress},
        mitigation::{
            page::{ApplyForm, Done, MitigationPage, State as Mitigated},
            view::ArtifactView,
        },
        resource::{Action, Section, Step},
    },
    view::{Badge, Choice, Field, Form},
};

/// Thresholds of two groups, made by the engine.
pub(crate) fn thresholds() -> MitigationArtifact {
    serde_json::from_str(include_str!("../../tests/fixtures/thresholds.json")).unwrap()
}

/// Weights of two groups, made by the engine.
pub(crate) fn weights() -> MitigationArtifact {
    serde_json::from_str(include_str!("../../tests/fixtures/weights.json")).unwrap()
}

pub(super) fn mitigation(state: Mitigated, badge: Badge) -> MitigationPage {
    let frame = frame("Thresholds by sex", "/resources/mitigation_artifacts")
        .crumb("Mitigations", "/resources/mitigation_artifacts")
        .live()
        .plots();
    MitigationPage {
        lede: "Asked for at 2026-09-21 14:13 UTC".into(),
        badge,
        actions: vec![Action::new(
            "Download the artefact",
            "/mitigations/1/artifact.json",
            "download",
        )],
        steps: vec![
            Step::new("Delete", "/resources/mitigation_artifacts/1/delete", "trash", &frame)
                .danger("Delete this mitigation?"),
        ],
        frame,
        state,
    }
}

/// Applied, and being applied once more.
pub(super) fn mitigated() -> Mitigated {
    let mut form = Form::new(vec![
        Field::new("dataset_id", "Data set").select(vec![Choice::plain("adult")]).required(),
        Field::new("column", "New column").hint("mitigated_prediction, if you leave it empty."),
    ]);
    form.refuse(&Problem::invalid(vec![Fault::new("/column", "column_exists", "It is there.")]));
    let progress = Progress { message: "61,000 rows read".into(), percent: 61 };
    Mitigated::Done(Box::new(Done {
        artifact: ArtifactView::new(&thresholds()),
        applying: Some(Live { events: "/mitigations/1/events".into(), progress }),
        applications: Section {
            id: "applications",
            title: "Applied to".into(),
            action: None,
            table: analyses_table(),
            empty: "Nothing yet.",
        },
        apply: Some(ApplyForm { form, action: "/mitigations/1/apply".into() }),
    }))
}
