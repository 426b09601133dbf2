//! Analyses: asked for, on their way, done, compared.

use ephor_assurance::analysis::Compared;
use ephor_fairness::{Status, comparison};
use ephor_kernel::{Fault, Problem};

use super::{explanation::explanations, frame, moment, results::completed};
use crate::{
    pages::{
        analysis::{
            compare::{ComparePage, CompareView},
            page::{AnalysisPage, AttributeRow, Columns, NewAnalysisPage, State},
        },
        follow::{Live, Progress},
        resource::{Action, Section, Step},
    },
    view::{Badge, Choice, Control, Field, Form, Head, Html, Moment, Table},
};

pub(super) fn analyses_table() -> Table {
    let row = |name: &str, status: Option<Status>, score: &str| {
        vec![
            Html::link("/analyses/1", name).sub("adult_predictions · sex, race"),
            Html::of(&Badge::state("completed")),
            Html::of(&Badge::verdict(status)),
            Html::text(score),
            Html::of(&Moment(moment())),
        ]
    };
    Table {
        label: "Bias analyses".into(),
        heads: vec![
            Head { sort: Some("?sort=name".into()), ..Head::new("Analysis") },
            Head::new("State"),
            Head::new("Verdict"),
            Head {
                right: true,
                sort: Some("?sort=score".into()),
                sorted: Some("descending"),
                ..Head::new("Score")
            },
            Head::new("Asked for"),
        ],
        rows: vec![
            row("Income model, comprehensive", Some(Status::Fail), "78.42"),
            row("Credit scoring by sex", Some(Status::Warning), "96.10"),
            row("Hiring funnel Q3", Some(Status::Pass), "100.00"),
            row("Credit scoring by sex, age band and region for the annual review", None, "–"),
        ],
    }
}

pub(super) fn new_analysis() -> NewAnalysisPage {
    let columns = || {
        vec![
            Choice::new("", "None"),
            Choice::plain("y_true"),
            Choice::plain("y_pred"),
            Choice::plain("score"),
        ]
    };
    let mut form = Form::new(vec![
        Field::new("target", "Label")
            .select(columns())
            .required()
            .value("y_true")
            .hint("What was really so."),
        Field::new("positive_label", "Positive label")
            .hint("Which label counts as positive, where it is not 1 or true."),
        Field::new("prediction", "Prediction").select(columns()).hint("What the model decided."),
        Field::new("score", "Score").select(columns()).value("score").hint("How sure it was."),
        Field::new("analysis_type", "Kind")
            .select(vec![Choice::new("comprehensive", "Comprehensive")])
            .required(),
        Field::new("difference_threshold", "Accepted difference")
            .control(Control::Line("number"))
            .value("0.1")
            .required(),
        Field::new("ratio_threshold", "Accepted shortfall of ratios")
            .control(Control::Line("number"))
            .value("0.2")
            .required(),
        Field::new("confidence", "Confidence")
            .control(Control::Line("number"))
            .value("2")
            .required(),
        Field::new("min_group_size", "Least group size")
            .control(Control::Line("number"))
            .value("30")
            .required(),
        Field::new("name", "Name"),
        Field::new("description", "Description").control(Control::Area),
    ]);
    form.refuse(&Problem::invalid(vec![
        Fault::new("/target", "label_not_binary", "`y_true` has 3 labels: 0, 1, 2.")
            .hint("Choose a column with two labels."),
        Fault::new(
            "/confidence",
            "out_of_range",
            "The confidence is 2; it must be at least 0.5 and below 1.",
        )
        .hint("0.95 is usual."),
    ]));
    let attribute = |name: &str, chosen, note: &str, groups: &[&str]| AttributeRow {
        name: name.into(),
        chosen,
        note: note.into(),
        groups: groups.iter().map(|group| Choice::plain(*group)).collect(),
        reference: String::new(),
    };
    NewAnalysisPage {
        frame: frame("Analyse for bias", "/analyses").crumb("Bias analyses", "/analyses"),
        lede: "Choose a data set, what is compared, and between whom.",
        dataset: Field::new("dataset", "Data set")
            .select(vec![Choice::plain("adult_predictions")])
            .required(),
        columns: Some(Columns {
            dataset_id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
            attributes: vec![
                attribute("sex", true, "text, 2 values", &["Female", "Male"]),
                attribute("race", true, "text, 5 values", &["White", "Black", "Other"]),
                attribute("age_band", true, "text, 4 values", &["25-39", "40-59"]),
                attribute("weight", false, "integer, 12,740 values", &[]),
            ],
            faults: vec!["`weight` is the weight and a protected attribute at once.".into()],
            features: vec![("income <k>".into(), true)],
            feature_faults: vec!["No such column.".into()],
            data_features: vec![("postcode <p>".into(), true)],
            data_faults: vec!["`postcode` is named twice.".into()],
            tasks_open: true,
            individual_open: true,
            data_open: true,
            law_open: false,
            more_open: false,
        }),
        form,
    }
}

pub(super) fn analysis(state: State, badge: Badge) -> AnalysisPage {
    let frame = frame("Income model, comprehensive", "/analyses")
        .crumb("Bias analyses", "/analyses")
        .plots();
    AnalysisPage {
        lede: "adult_predictions · asked for by Ada Lovelace".into(),
        badge,
        actions: vec![Action::new("Compare with\u{2026}", "/analyses/1/compare", "copy")],
        downloads: vec![
            Action::new("HTML report", "/analyses/1/report.html", "download"),
            Action::new("Result as JSON", "/analyses/1/result.json", "download"),
        ],
        steps: vec![
            Step::new("Cancel", "/analyses/1/cancel", "cancelled", &frame)
                .danger("Stop this analysis?"),
        ],
        state,
        frame,
        mitigations: Some(Section {
            id: "mitigations",
            title: "Mitigations".into(),
            action: Some(Action::new("Compute a mitigation", "/analyses/1/mitigate", "plus")),
            table: Table::default(),
            empty: "None yet.",
        }),
        explanations: Some(explanations()),
    }
}

pub(super) fn live() -> AnalysisPage {
    let progress =
        Progress { message: "Scanning: 6,100,000 of 10,000,000 rows".into(), percent: 61 };
    let mut page = analysis(
        State::Live(Live { events: "/analyses/1/events".into(), progress }),
        Badge::state("running"),
    );
    page.frame = page.frame.live();
    page
}

pub(super) fn compare(chosen: bool) -> ComparePage {
    let compared = chosen.then(|| {
        let (before, mut after) =
            (completed("Income model, <1.0>", 0.0), completed("Income model, 1.1", 0.09));
        let mut found = after.result.binary().unwrap().clone();
        found.attributes.remove(1);
        found.attributes[0].groups[0].name = "<new> group".into();
        let comparison = comparison::compare(before.result.binary().unwrap(), &found);
        after.result = found.into();
        CompareView::new(&Compared { before, after, comparison })
    });
    ComparePage {
        frame: frame("Compare", "/analyses").crumb("Bias analyses", "/analyses").plots(),
        lede: "Income model, 1.1, since Income model, <1.0>".into(),
        here: "/analyses/1/compare".into(),
        with: chosen.then(|| {
            Field::new("with", "Compare with")
                .select(vec![Choice::new("", "Choose"), Choice::plain("Income model, <1.0>")])
                .required()
        }),
        compared,
    }
}
