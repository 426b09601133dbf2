//! Every page with something on it, for tests to render.

use chrono::{DateTime, Days, Utc};
use ephor_assurance::{
    analysis::{Analysis, Compared, Completed},
    card::{Details, ModelCard},
    trend::{Line, Mark, Point, Trend},
};
use ephor_billing::{LimitUse, Per};
use ephor_explain::{
    Explanation, Format, Link, Rows,
    summary::{About, Digest, Method as ByMethod, Settings, Summary, Unit},
};
use ephor_fairness::{
    AnalysisResult, MitigationArtifact, Status, comparison,
    task::{Task, TaskResult},
};
use ephor_kernel::{Code, Fault, PermissionSet, Problem};

use crate::{
    error::ErrorPage,
    frame::{Account, Frame, OrganizationChoice},
    pages::{
        analysis::{
            compare::{ComparePage, CompareView},
            page::{AnalysisPage, AttributeRow, Columns, NewAnalysisPage, State},
        },
        audit::page::{AuditPage, EntryView, SealView},
        dashboard::page::{Count, DashboardPage, Trail},
        dataset::page::{ColumnCard, DatasetPage, UploadPage},
        explanation::{
            page::{ExplanationPage, State as Explained},
            show::done as explanation_done,
        },
        follow::{Live, Progress},
        mitigation::{
            page::{ApplyForm, Done, MitigationPage, State as Mitigated},
            view::ArtifactView,
        },
        model::{artifact::ArtifactPage, trend::TrendPage},
        resource::{
            Action, ColumnChoice, DetailPage, Empty, FormPage, ListPage, ListTools, OwnView,
            Section, Step, ViewBar, ViewLink,
        },
        settings::{
            secret::SecretPage,
            security::{DepartPage, EnrolPage, RecoveryPage},
        },
        sign_in::{
            elsewhere::{SignInPage, Way},
            gate::GatePage,
        },
        usage::{UsagePage, bar as usage_bar},
    },
    result::{ResultView, TaskView},
    view::{
        Badge, Bar, Bars, Choice, Control, Field, Form, Head, Html, Moment, Notice, Spark, Table,
    },
};

/// A moment that does not pass.
pub(crate) fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default()
}

/// What the engine finds in UCI Adult; `tests/fixtures/README.md` says how it was made.
pub(crate) fn result() -> AnalysisResult {
    serde_json::from_str(include_str!("../tests/fixtures/adult_result.json")).unwrap()
}

/// What is found of a task other than yes or no: `more` beside findings of `metrics` in two groups.
fn task_result(task: Task, metrics: &[&str], more: serde_json::Value) -> TaskResult {
    use serde_json::json;
    let interval = json!({ "lower": 0.1, "upper": 0.4, "confidence": 0.95, "method": "normal" });
    let metric = |id: &&str| json!({ "id": id, "value": 0.25, "interval": interval, "n": 50, "undefined": null });
    let line = |name: &str| {
        json!({
            "name": name, "values": [name], "n": 50, "weight": 50.0, "small": false,
            "metrics": metrics.iter().map(metric).collect::<Vec<_>>(),
        })
    };
    let disparity = json!({
        "id": format!("{}_difference", metrics[0]), "title": "A <difference>", "value": 0.2, "ideal": 0.0,
        "interval": interval, "threshold": 0.1, "status": "warning", "worst_pair": null, "n": 100,
        "undefined": null, "left_out": [], "sentence": "Groups differ.",
    });
    let mut json = json!({
        "engine_version": "0.1.0",
        "rows": { "read": 100, "used": 100, "weight": 100.0, "effective": 100.0 },
        "excluded": [], "overall": line("all"),
        "comparisons": [{
            "attributes": ["sex"], "name": "sex", "comparable": true, "reason": null, "reference": null,
            "groups": [line("<f>"), line("m")], "disparities": [disparity], "status": "warning",
        }],
        "notes": ["A <note>."], "counts": { "pass": 0, "warning": 1, "fail": 0 }, "status": "warning",
    });
    for (name, value) in more.as_object().unwrap() {
        json[name] = value.clone();
    }
    TaskResult::read(task, json).unwrap()
}

/// What is found of predicted numbers.
pub(crate) fn regression() -> TaskResult {
    let more = serde_json::json!({
        "spec": { "target": "price", "prediction": "<estimate>", "protected": ["sex"] },
        "exact": true, "distance_error": 0.0,
    });
    task_result(Task::Regression, &["mae", "mean_residual"], more)
}

/// What is found of predicted classes.
pub(crate) fn multiclass() -> TaskResult {
    let more = serde_json::json!({
        "spec": { "target": "grade", "prediction": "given", "protected": ["sex"] },
        "classes": ["a", "<b>"], "confusion": [[40.0, 10.0], [5.0, 45.0]],
        "confusions": [{ "name": "sex", "groups": [["<f>", [[20.0, 5.0], [0.0, 25.0]]], ["m", [[20.0, 5.0], [5.0, 20.0]]]] }],
        "against_rest": [],
    });
    task_result(Task::Multiclass, &["accuracy", "macro_f1"], more)
}

/// What is found of ranked lists.
pub(crate) fn ranking() -> TaskResult {
    let more = serde_json::json!({
        "spec": { "list": "query", "score": "relevance", "protected": ["sex"] }, "lists": 12,
    });
    task_result(Task::Ranking, &["exposure", "relative_exposure"], more)
}

fn frame(title: &str, section: &'static str) -> Frame {
    let choice = |name: &str, current| OrganizationChoice {
        id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
        name: name.into(),
        current,
    };
    let account = Account {
        name: "Ada Lovelace".into(),
        email: "ada@example.org".into(),
        role: "Owner".into(),
        organizations: vec![
            choice("Demo organization", true),
            choice("Analytical <Engines>", false),
        ],
        permissions: PermissionSet::all(),
        csrf: "token".into(),
    };
    Frame::new(title, None).within(account, section)
}

fn analyses_table() -> Table {
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

fn sign_in_elsewhere() -> SignInPage {
    let GatePage { frame, lede, form, action, hidden, submit, other } = sign_in(false);
    let providers = vec![Way {
        href: "/sign-in/with/keycloak?next=%2F".into(),
        label: "Sign in with Keycloak".into(),
    }];
    SignInPage { frame, lede, form, action, hidden, submit, other, providers }
}

fn enrol() -> EnrolPage {
    EnrolPage {
        frame: frame("Set up a second factor", "").crumb("Security", "/security"),
        qr: "<svg viewBox=\"0 0 1 1\"></svg>".into(),
        secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into(),
        form: Form::new(vec![Field::new("code", "Code").required()]),
    }
}

fn recovery() -> RecoveryPage {
    RecoveryPage {
        frame: frame("Recovery codes", "").crumb("Security", "/security"),
        codes: vec!["ABCD-EFGH-IJKL-MNOP".into()],
    }
}

fn depart() -> DepartPage {
    DepartPage {
        frame: frame("Link an account elsewhere", "").crumb("Security", "/security"),
        href: "https://id.example.org/authorize?a=b&c=d".into(),
    }
}

fn sign_in(refused: bool) -> GatePage {
    let mut form = Form::new(vec![
        Field::new("email", "E-mail")
            .control(Control::Line("email"))
            .required()
            .value("ada@example.org"),
        Field::new("password", "Password").control(Control::Line("password")).required(),
    ]);
    if refused {
        form.refuse(&Problem::new(
            Code::WrongCredentials,
            "The e-mail address or the password is wrong",
        ));
    }
    GatePage {
        frame: Frame::new("Sign in", None),
        lede: "Welcome back.".into(),
        form,
        action: "/sign-in",
        hidden: vec![("next", "/analyses".into())],
        submit: "Sign in",
        other: Some(("New here?", "/sign-up".into(), "Open an organization")),
    }
}

fn dashboard() -> DashboardPage {
    let count = |label, value: &str, note: &str, tone| Count {
        label,
        value: value.into(),
        note: note.into(),
        href: "/models",
        tone,
    };
    DashboardPage {
        frame: frame("Dashboard", "/"),
        greeting: "Good to see you, Ada".into(),
        lede: "Demo organization, as owner".into(),
        actions: vec![
            Action::new("Upload a data set", "/datasets/new", "upload"),
            Action::primary("Analyse for bias", "/analyses/new", "scale"),
        ],
        counts: vec![
            count("Models", "4", "2 active", ""),
            count("Data sets", "7", "1,204,331 rows", ""),
            count("Bias analyses", "31", "1 running", ""),
            count("Open failures", "2", "of 7 data sets", "fail"),
        ],
        latest: analyses_table(),
        trail: Some(Trail {
            badge: Badge::state("verified"),
            sentence: "1,204 entries, all sealed; verified 2026-11-21 02:11 UTC.".into(),
        }),
        failing: vec![(
            "Income model, comprehensive".into(),
            "/analyses/1".into(),
            "3 disparities fail; score 78.42".into(),
        )],
    }
}

fn list(empty: bool) -> ListPage {
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

fn tools() -> ListTools {
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

fn new_analysis() -> NewAnalysisPage {
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
            tasks_open: true,
            individual_open: true,
            law_open: false,
            more_open: false,
        }),
        form,
    }
}

fn analysis(state: State, badge: Badge) -> AnalysisPage {
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

fn explanations() -> Section {
    Section {
        id: "explanations",
        title: "Explanations".into(),
        action: Some(Action::new("Explain", "/explanations/new?analysis=1", "plus")),
        table: Table::default(),
        empty: "None yet.",
    }
}

/// SHAP values of twelve rows of two features, one of which has a hostile name.
fn explained() -> Explained {
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

fn explanation(state: Explained, badge: Badge) -> ExplanationPage {
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

fn artifact() -> ArtifactPage {
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

/// Thresholds of two groups, made by the engine.
pub(crate) fn thresholds() -> MitigationArtifact {
    serde_json::from_str(include_str!("../tests/fixtures/thresholds.json")).unwrap()
}

/// Weights of two groups, made by the engine.
pub(crate) fn weights() -> MitigationArtifact {
    serde_json::from_str(include_str!("../tests/fixtures/weights.json")).unwrap()
}

fn mitigation(state: Mitigated, badge: Badge) -> MitigationPage {
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
fn mitigated() -> Mitigated {
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

/// A completed analysis; `shift` changes what it found.
pub(crate) fn completed(name: &str, shift: f64) -> Completed {
    let mut result = result();
    for attribute in &mut result.attributes {
        for one in &mut attribute.disparities {
            one.value = one.value.map(|value| value + shift);
            if let Some(interval) = &mut one.interval {
                interval.lower += shift;
                interval.upper += shift;
            }
        }
    }
    Completed {
        analysis: Analysis {
            id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".parse().unwrap(),
            name: name.into(),
            description: String::new(),
            dataset_id: None,
            model_id: None,
            model_version_id: None,
            task: "binary".into(),
            analysis_type: "comprehensive".into(),
            parameters: serde_json::json!({}),
            status: "completed".into(),
            job_id: None,
            progress: 1.0,
            progress_message: String::new(),
            outcome: Some("fail".into()),
            compliance_score: Some("78.42".parse().unwrap()),
            row_count: Some(16_281),
            failed_count: Some(3),
            warning_count: Some(1),
            metrics_sha256: None,
            failure: None,
            created_by: "01930b2e-7c1a-7def-8000-1b2c3d4e5f61".parse().unwrap(),
            created_at: moment(),
            started_at: Some(moment()),
            completed_at: Some(moment()),
        },
        result: result.into(),
        dataset: Some("adult <2026>".into()),
    }
}

fn compare(chosen: bool) -> ComparePage {
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

/// A model's analyses: three, of two versions and of none that is known.
fn trend_of(many: usize) -> Trend {
    let point = |index: usize| Point {
        analysis_id: format!("01930b2e-7c1a-7def-8000-1b2c3d4e5f0{index}").parse().unwrap(),
        name: format!("Income model, <{index}>"),
        completed_at: moment() + Days::new(7 * index as u64),
        model_version_id: None,
        semantic_version: [None, Some("1.0.0".to_owned()), Some("1.1.0".to_owned())][index].clone(),
        dataset_id: None,
        task: "binary".into(),
        outcome: Some(["fail", "warning", "pass"][index].into()),
        compliance_score: (index != 1).then(|| "78.42".parse().unwrap()),
        failed_count: Some(1),
        warning_count: Some(0),
    };
    let points: Vec<Point> = (0..many).map(point).collect();
    let mark = |(index, point): (usize, &Point)| Mark {
        analysis_id: point.analysis_id,
        value: (index != 1).then_some(0.3 - 0.1 * index as f64),
        interval_low: (index != 1).then_some(0.02),
        interval_high: (index != 1).then_some(0.4),
        threshold: Some(0.1),
        status: (index != 1).then(|| "fail".to_owned()),
        undefined_reason: (index == 1).then(|| "One <group>".to_owned()),
    };
    let line = |metric: &str, title: &str, ideal| Line {
        task: "binary".into(),
        attribute: "sex <a>".into(),
        metric: metric.into(),
        title: title.into(),
        ideal: Some(ideal),
        marks: points.iter().enumerate().map(mark).collect(),
    };
    let lines = match many {
        0 => Vec::new(),
        _ => vec![
            line("demographic_parity_difference", "Demographic parity difference", 0.0),
            line("demographic_parity_ratio", "Demographic parity ratio", 1.0),
        ],
    };
    Trend {
        model_id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f62".parse().unwrap(),
        model: "Income <classifier>".into(),
        metric: None,
        truncated: many > 2,
        points,
        lines,
    }
}

fn trend(many: usize) -> TrendPage {
    TrendPage::new(frame("Trend", "/models").crumb("Models", "/models"), &trend_of(many))
}

/// A card of a model of which some is stated, and much is not.
pub(crate) fn card() -> ModelCard {
    let details = Details {
        id: trend_of(0).model_id,
        name: "Income <classifier>".into(),
        description: None,
        model_type: "classification".into(),
        status: "active".into(),
        version: "1.1.0".into(),
        version_date: Some(moment().date_naive()),
        base_model: None,
        schema: Some(serde_json::json!({ "inputs": ["age"] })),
        registered_at: moment(),
    };
    let metadata = serde_json::json!({ "intended_use": "Screening of applications" });
    let measured = completed("Income model, 1.1", 0.0);
    ModelCard::new(details, &metadata, trend_of(3).points, Some(&measured), moment())
}

fn live() -> AnalysisPage {
    let progress =
        Progress { message: "Scanning: 6,100,000 of 10,000,000 rows".into(), percent: 61 };
    let mut page = analysis(
        State::Live(Live { events: "/analyses/1/events".into(), progress }),
        Badge::state("running"),
    );
    page.frame = page.frame.live();
    page
}

fn dataset() -> DatasetPage {
    let text = ColumnCard {
        name: "race".into(),
        kind: "text".into(),
        spark: None,
        bars: Some(Bars {
            bars: [
                ("White", 0.855),
                ("Black", 0.096),
                ("Asian-Pac-Islander", 0.029),
                ("Amer-Indian-Eskimo", 0.01),
                ("<Other>", 0.008),
            ]
            .map(|(name, share)| Bar {
                name: name.into(),
                share,
                text: crate::view::format::percent(share),
            })
            .to_vec(),
        }),
        facts: vec![("Missing", "0".into()), ("Distinct", "5".into())],
    };
    let number = ColumnCard {
        name: "score".into(),
        kind: "number".into(),
        spark: Some(Spark {
            label: "Histogram of score".into(),
            heights: vec![62.0, 20.0, 9.0, 6.0, 5.0, 4.0, 4.0, 3.0, 3.0, 5.0],
        }),
        bars: None,
        facts: vec![
            ("Missing", "12".into()),
            ("Least", "0.000".into()),
            ("Median", "0.114".into()),
            ("Greatest", "0.999".into()),
        ],
    };
    let frame = frame("adult_predictions", "/datasets").crumb("Data sets", "/datasets");
    DatasetPage {
        lede: "UCI Adult test split with the predictions of a logistic regression.".into(),
        actions: vec![Action::primary("Analyse for bias", "/analyses/new?dataset=1", "scale")],
        steps: vec![
            Step::new("Delete", "/datasets/1/delete", "trash", &frame)
                .danger("Delete this data set and its file?"),
        ],
        facts: vec![
            ("Rows", Html::text("16,281")),
            ("Columns", Html::text("8")),
            ("Size", Html::text("412.3 kB")),
            ("Uploaded", Html::of(&Moment(moment()))),
        ],
        columns: vec![
            number.clone(),
            text.clone(),
            ColumnCard { name: "sex".into(), ..text },
            ColumnCard { name: "weight".into(), ..number },
        ],
        preview: Table {
            label: "First rows".into(),
            heads: ["y_true", "y_pred", "score", "race", "sex"].map(Head::new).to_vec(),
            rows: vec![["0", "0", "0.002331", "Black", "Male"].map(Html::text).to_vec(); 4],
        },
        analyses: Some(analyses_table()),
        frame,
    }
}

fn audit() -> AuditPage {
    let frame = frame("Audit trail", "/audit");
    let entry = |actor: &str, action: &str, entity: &str, diff: bool| EntryView {
        moment: Moment(moment()),
        actor: actor.into(),
        action: action.into(),
        entity: entity.into(),
        summary: if diff { "status, description".into() } else { "Details".into() },
        seal: Badge::new("pass", "seal", "sealed"),
        diff: diff.then(|| Table {
            label: "What changed".into(),
            heads: ["Field", "Before", "After"].map(Head::new).to_vec(),
            rows: vec![
                ["status", "draft", "active"].map(Html::text).to_vec(),
                ["description", "", "Income > 50k"].map(Html::text).to_vec(),
            ],
        }),
        facts: vec![
            ("Entry", "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into()),
            ("Address", "127.0.0.1".into()),
        ],
        more: "/audit/entries/01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
    };
    AuditPage {
        seal: SealView {
            badge: Badge::state("verified"),
            sentence:
                "All 1,204 sealed entries are as they were written, and every entry is sealed."
                    .into(),
            findings: vec![],
            facts: vec![
                ("Entries", Html::text("1,204")),
                ("Tree root", Html::text("9f2c…41aa")),
                ("Last checkpoint", Html::of(&Moment(moment()))),
                ("Not yet sealed", Html::text("0")),
            ],
        },
        steps: vec![Step::new("Verify now", "/audit/verify", "seal", &frame)],
        actions: vec![Action::new("Export", "/audit/export", "download")],
        filters: vec![
            Field::new("actor", "Who").select(vec![Choice::new("", "Anybody")]),
            Field::new("action", "What").select(vec![Choice::new("", "Anything")]),
            Field::new("from", "From").control(Control::Line("date")),
        ],
        filtered: false,
        entries: vec![
            entry("Ada Lovelace", "updated", "model Income classifier", true),
            entry("Worker", "completed", "bias analysis Income model, comprehensive", false),
            entry("Ada Lovelace", "signed in", "", false),
        ],
        first: None,
        next: Some("?cursor=1".into()),
        frame,
    }
}

fn detail() -> DetailPage {
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

fn form() -> FormPage {
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

fn usage() -> UsagePage {
    let limit = |name, label, limit, used| {
        usage_bar(&LimitUse { name, label, limit, used, per: Per::Month })
    };
    UsagePage {
        frame: frame("Usage", "/usage"),
        lede: "Demo organization, on the plan Pro".into(),
        resets: "1 October 2026".into(),
        limits: vec![
            limit("requests_per_month", "API requests this month", Some(1e6), 923_411.0),
            limit("members", "Members and invitations", Some(50.0), 7.0),
            limit("assistants", "AI assistants", Some(10.0), 10.0),
            limit("cost_per_month", "Cost of AI this month, in USD", None, 12.5),
        ],
        features: vec![
            ("Registry".into(), Badge::new("pass", "pass", "included")),
            ("Trust center".into(), Badge::new("", "info", "not included")),
        ],
        days: Table {
            label: "Requests by day".into(),
            heads: vec![Head::new("Day (UTC)"), Head::right("Requests"), Head::right("Failed")],
            rows: vec![vec![Html::text("3 September"), Html::text("1,204"), Html::text("3")]],
        },
        endpoints: Table {
            label: "Requests by endpoint".into(),
            heads: vec![Head::new("Endpoint"), Head::right("Requests")],
            rows: vec![vec![Html::text("GET /v1/models"), Html::text("1,204")]],
        },
    }
}

fn secret() -> SecretPage {
    SecretPage {
        frame: frame("API key", "/api-keys"),
        lede: "Copy it now: it is not shown again.".into(),
        label: "Key",
        secret: "eph_0193_secret".into(),
        hint: "Send it as Authorization: Bearer.".into(),
        back: "/api-keys",
    }
}

fn upload() -> UploadPage {
    UploadPage {
        frame: frame("Upload a data set", "/datasets").crumb("Data sets", "/datasets"),
        form: Form::new(vec![
            Field::new("file", "File").control(Control::File(".csv,.parquet")).required(),
            Field::new("name", "Name"),
        ]),
        action: "/datasets",
    }
}

/// All of them, by name.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    let done = || State::Done(Box::new(ResultView::new(&result())));
    let task = |result: TaskResult| State::Task(Box::new(TaskView::new(&result)));
    let page = |name: &'static str, template: &dyn askama::DynTemplate| {
        (name, template.dyn_render().unwrap())
    };
    vec![
        page("sign-in", &sign_in(false)),
        page("sign-in-refused", &sign_in(true)),
        page("sign-in-elsewhere", &sign_in_elsewhere()),
        page("enrol", &enrol()),
        page("recovery", &recovery()),
        page("depart", &depart()),
        page("dashboard", &dashboard()),
        page("list", &list(false)),
        page("list-empty", &list(true)),
        page("detail", &detail()),
        page("form", &form()),
        page("secret", &secret()),
        page("usage", &usage()),
        page("upload", &upload()),
        page("dataset", &dataset()),
        page("analysis-new", &new_analysis()),
        page("analysis-live", &live()),
        page(
            "analysis-failed",
            &analysis(State::Ended(Notice::fail("It failed")), Badge::state("failed")),
        ),
        page("analysis-done", &analysis(done(), Badge::state("completed"))),
        page("analysis-regression", &analysis(task(regression()), Badge::state("completed"))),
        page("analysis-multiclass", &analysis(task(multiclass()), Badge::state("completed"))),
        page("analysis-ranking", &analysis(task(ranking()), Badge::state("completed"))),
        page("mitigation", &mitigation(mitigated(), Badge::state("completed"))),
        page(
            "mitigation-failed",
            &mitigation(Mitigated::Ended(Notice::fail("It failed")), Badge::state("failed")),
        ),
        page("explanation", &explanation(explained(), Badge::state("completed"))),
        page(
            "explanation-live",
            &explanation(
                Explained::Live(Live {
                    events: "/explanations/1/events".into(),
                    progress: Progress { message: "Explaining".into(), percent: 61 },
                }),
                Badge::state("running"),
            ),
        ),
        page(
            "explanation-failed",
            &explanation(Explained::Ended(Notice::fail("It failed")), Badge::state("failed")),
        ),
        page("model-artifact", &artifact()),
        page("compare", &compare(true)),
        page("compare-none", &compare(false)),
        page("trend", &trend(3)),
        page("trend-one", &trend(1)),
        page("trend-none", &trend(0)),
        page("audit", &audit()),
        page("error", &ErrorPage::new(&Problem::internal(), Some("0193".into()), None)),
        page("not-found", &ErrorPage::new(&Problem::forbidden("models", "read"), None, None)),
    ]
}
