//! Explanations, and the files of models that they are made from.

use ephor_explain::{
    Explanation, Format, Link, Rows,
    summary::{About, Digest, Method as ByMethod, Settings, Summary, Unit},
};

use super::frame;
use crate::{
    pages::{
        explanation::{
            page::{ExplanationPage, State as Explained},
            show::done as explanation_done,
        },
        model::artifact::ArtifactPage,
        resource::{Action, Section, Step},
    },
    view::{Badge, Control, Field, Form, Table},
};

pub(super) fn explanations() -> Section {
    Section {
        id: "explanations",
        title: "Explanations".into(),
        action: Some(Action::new("Explain", "/explanations/new?analysis=1", "plus")),
        table: Table::default(),
        empty: "None yet.",
    }
}

/// SHAP values of twelve rows of two features, one of which has a hostile name.
pub(super) fn explained() -> Explained {
    let features = ["age".to_owned(), "income <k> & more".to_owned()];
    let about = About {
        format: Some(Format::XgboostJson),
        trees: 3,
        link: Some(Link::Identity),
        outputs: 1,
    };
    let summary = Summary::new(ByMethod::Shap, about, 0, Unit::Margin, &features);
    let mut digest = Digest::new(summary, &Settings::default()).by_group(Some("sex".into()));
    let rows = Rows::new((0..24).map(f64::from).collect(), 2);
    let values = (0..24).map(|place| f64::from(place % 7) - 3.0).collect();
    let explanation = Explanation { base: vec![0.5], values, features: 2 };
    let groups: Vec<_> =
        (0..12).map(|row| Some(if row % 2 == 0 { "f" } else { "m" }.to_owned())).collect();
    digest.add_grouped(&rows, &explanation, &groups).unwrap();
    let id = "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".parse().unwrap();
    Explained::Done(Box::new(explanation_done(id, &digest.finish(), None, Some("waterfall-3"))))
}

pub(super) fn explanation(state: Explained, badge: Badge) -> ExplanationPage {
    let frame = frame("SHAP values", "/resources/model_explanations")
        .crumb("Explanations", "/resources/model_explanations")
        .live();
    ExplanationPage {
        lede: "Income model \u{b7} adult".into(),
        badge,
        actions: vec![Action::new("Open the model", "/models/1", "model")],
        downloads: vec![Action::new("Values as CSV", "/explanations/1/values.csv", "download")],
        steps: vec![
            Step::new("Cancel", "/explanations/1/cancel", "cancelled", &frame)
                .danger("Stop this explanation?"),
        ],
        frame,
        state,
    }
}

pub(super) fn artifact() -> ArtifactPage {
    ArtifactPage {
        frame: frame("Upload a model's file", "/models").crumb("Models", "/models"),
        lede: "The file of Income model at version 1.0.0.".into(),
        form: Form::new(vec![
            Field::new("file", "File").control(Control::File(".json,.onnx")).required(),
        ]),
        action: "/v1/model_versions/1/artifacts".into(),
        done: "/models/1?done=created".into(),
        cancel: "/models/1".into(),
    }
}
