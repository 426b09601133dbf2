//! The generic pages of resources.

use super::{analysis::analyses_table, frame, moment};
use crate::{
    pages::resource::{
        Action, ColumnChoice, DetailPage, Empty, FormPage, ListPage, ListTools, OwnView, Section,
        Step, ViewBar, ViewLink,
    },
    view::{Badge, Choice, Control, Field, Form, Html, Moment, Notice, Table},
};

pub(super) fn list(empty: bool) -> ListPage {
    let mut table = analyses_table();
    if empty {
        table.rows.clear();
    }
    ListPage {
        frame: frame("Bias analyses", "/analyses"),
        lede: "Is a model equally right, and equally generous, for everybody?".into(),
        actions: vec![Action::primary("Analyse for bias", "/analyses/new", "scale")],
        filters: vec![
            Field::new("q", "Search").control(Control::Line("search")),
            Field::new("status", "State")
                .select(vec![Choice::new("", "Any"), Choice::plain("completed")]),
        ],
        filtered: false,
        sort: None,
        table,
        total: Some("31 analyses".into()),
        first: None,
        next: Some("?cursor=x".into()),
        here: "/analyses".into(),
        empty: Empty::new(
            "scale",
            "No analysis yet",
            "Upload a data set with labels and predictions, then choose what to compare.",
        )
        .action(Some(Action::primary("Analyse for bias", "/analyses/new", "scale"))),
        tools: if empty { ListTools::default() } else { tools() },
    }
}

pub(super) fn tools() -> ListTools {
    let link = |name: &str, current, shared| ViewLink {
        name: name.into(),
        href: format!("/analyses?view={name}"),
        current,
        shared,
        default: current,
    };
    let choice = |name: &str, shown| ColumnChoice { name: name.into(), label: name.into(), shown };
    ListTools {
        views: Some(ViewBar {
            resource: "bias_analyses".into(),
            here: "/analyses".into(),
            views: vec![link("Failed", true, false), link("This <quarter>", false, true)],
            none: false,
            own: Some(OwnView {
                id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
                name: "Failed".into(),
                shared: false,
                default: true,
                changed: true,
            }),
            state: "{}".into(),
            csrf: "token".into(),
        }),
        view: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
        columns: vec![choice("status", true), choice("outcome", false)],
    }
}

pub(super) fn detail() -> DetailPage {
    let frame = frame("Income classifier", "/models").crumb("Models", "/models");
    DetailPage {
        lede: "Logistic regression".into(),
        badges: vec![Badge::state("active")],
        actions: vec![Action::new("Edit", "/models/1/edit", "edit")],
        steps: vec![
            Step::new("Deprecate", "/models/1/transition", "warning", &frame)
                .with("status", "deprecated"),
        ],
        facts: vec![
            ("Framework".into(), Html::text("scikit-learn")),
            ("Created".into(), Html::of(&Moment(moment()))),
        ],
        sections: vec![
            Section {
                id: "versions",
                title: "Versions".into(),
                action: Some(Action::new("New version", "/models/1/versions/new", "plus")),
                table: analyses_table(),
                empty: "No version yet.",
            },
            Section {
                id: "none",
                title: "Analyses".into(),
                action: None,
                table: Table::default(),
                empty: "None yet.",
            },
        ],
        frame,
    }
}

pub(super) fn form() -> FormPage {
    FormPage {
        frame: frame("New model", "/models")
            .crumb("Models", "/models")
            .notice(Some(Notice::pass("Saved"))),
        lede: "A model that Ephor keeps an eye on.".into(),
        form: Form::new(vec![
            Field::new("name", "Name").required(),
            Field::new("metadata", "Metadata").control(Control::Code).value("{}"),
            Field::new("is_public", "Public").control(Control::Check).value("true"),
        ]),
        action: "/models".into(),
        hidden: vec![("version", "3".into())],
        submit: "Create",
        cancel: "/models".into(),
    }
}
