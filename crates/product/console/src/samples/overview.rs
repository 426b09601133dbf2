//! The dashboard, the audit trail, and what is used.

use ephor_billing::{LimitUse, Per};

use super::{analysis::analyses_table, frame, moment};
use crate::{
    pages::{
        audit::page::{AuditPage, EntryView, SealView},
        dashboard::page::{Count, DashboardPage, Trail},
        resource::{Action, Step},
        usage::{UsagePage, bar as usage_bar},
    },
    view::{Badge, Choice, Control, Field, Head, Html, Moment, Table},
};

pub(super) fn dashboard() -> DashboardPage {
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

pub(super) fn audit() -> AuditPage {
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

pub(super) fn usage() -> UsagePage {
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
