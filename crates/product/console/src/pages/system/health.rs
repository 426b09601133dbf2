//! `GET /health`: whether all that should run does.

use axum::extract::State;
use chrono::{DateTime, Utc};
use ephor_kernel::{Clock as _, Problem, SystemClock};
use ephor_store::{
    HealthRecord, OrganizationHealth,
    audit::{self, SealStatus},
    doctor,
    platform::{PlatformStatus, is_platform_administrator, platform_status},
};

use super::process::{memory, span};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{Action, DetailPage, Section},
    view::{Badge, Head, Html, Moment, Table, format},
    visit::{Answer, Visit},
};

/// Waiting longer than this is told as a warning, in seconds.
const LATE: f64 = 60.0;
/// Less free space than this part of the disk is one, too.
const LEAST_FREE: f64 = 0.1;

/// A line of the page: what, how it is, and more about it.
struct Line {
    what: &'static str,
    state: Badge,
    about: String,
}

fn good(text: &'static str) -> Badge {
    Badge::new("pass", "pass", text)
}

fn bad(text: &'static str) -> Badge {
    Badge::new("warning", "warning", text)
}

fn judged(fine: bool, yes: &'static str, no: &'static str) -> Badge {
    if fine { good(yes) } else { bad(no) }
}

pub(super) async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("system", "inspect")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let own = ephor_store::organization_health(&mut tx).await?;
    let sealing = audit::status(&mut tx).await?;
    tx.commit().await?;
    let parts = ephor_store::health_list(&state.store).await?;
    let runs_it = is_platform_administrator(&state.store, &visit.scope).await?;
    let mut sections = vec![
        section("own", format!("Of {}", visit.organization()), &organization(&own, &sealing)),
        parts_section(&parts, runs_it),
    ];
    let mut actions = Vec::new();
    if runs_it {
        let status = platform_status(&state.store).await?;
        sections.push(section("all", "The whole installation".to_owned(), &platform(&status)));
        let machine = machine(&state).await?;
        sections.push(section("machine", "This server".to_owned(), &machine));
        actions.push(Action::new("Partitions", "/health/partitions", "dataset"));
    }
    let fine = parts.iter().all(|part| part.status == "healthy");
    Ok(page(&DetailPage {
        frame: visit.frame("Health", "/health"),
        lede: if runs_it {
            "Whether all that should run does: here, and over all organizations.".to_owned()
        } else {
            "Whether all that should run for your organization does. Who runs the installation sees the rest."
                .to_owned()
        },
        badges: vec![judged(fine, "all parts work", "some parts do not work")],
        actions,
        steps: Vec::new(),
        facts: Vec::new(),
        sections,
    }))
}

fn section(id: &'static str, title: String, lines: &[Line]) -> Section {
    let rows = lines
        .iter()
        .map(|line| vec![Html::text(line.what), Html::of(&line.state), Html::text(&line.about)])
        .collect();
    let heads = ["What", "State", "More"].map(Head::new).to_vec();
    let table = Table { label: format!("{title}, line by line"), heads, rows };
    Section { id, title, action: None, table, empty: "Nothing." }
}

fn waits(what: &str, seconds: Option<f64>) -> String {
    seconds.map_or_else(
        || format!("no {what} waits"),
        |seconds| format!("the oldest {what} waits for {}", span(seconds)),
    )
}

fn count(value: i64) -> String {
    format::count(value.max(0).cast_unsigned())
}

fn organization(own: &OrganizationHealth, sealing: &SealStatus) -> Vec<Line> {
    let in_time = |seconds: Option<f64>| seconds.is_none_or(|seconds| seconds < LATE);
    vec![
        Line {
            what: "Jobs",
            state: if own.failed > 0 {
                bad("some failed")
            } else {
                judged(in_time(own.waiting_seconds), "in time", "late")
            },
            about: format!(
                "{} waiting, {} running, {} failed within a day; {}",
                count(own.queued),
                count(own.running),
                count(own.failed),
                waits("job that is due", own.waiting_seconds)
            ),
        },
        Line {
            what: "Events",
            state: judged(in_time(own.outbox_seconds), "in time", "late"),
            about: format!(
                "{} to be handed over; {}",
                count(own.outbox),
                waits("event", own.outbox_seconds)
            ),
        },
        Line {
            what: "Audit trail",
            state: judged(sealing.queued < 1_000, "sealed", "sealing is behind"),
            about: format!(
                "{} sealed, {} waiting; {}",
                format::count(sealing.sealed),
                format::count(sealing.queued),
                sealing.checkpoint.as_ref().map_or_else(
                    || "no checkpoint yet".to_owned(),
                    |checkpoint| format!("last checkpoint {}", minute(checkpoint.created_at))
                )
            ),
        },
    ]
}

fn minute(time: DateTime<Utc>) -> String {
    format!("{} UTC", time.format("%Y-%m-%d %H:%M"))
}

/// Each part of Ephor. What is known beyond its state may speak of any organization.
fn parts_section(parts: &[HealthRecord], runs_it: bool) -> Section {
    let rows = parts
        .iter()
        .map(|part| {
            let badge = match part.status.as_str() {
                _ if part.silent => Badge::new("fail", "fail", "silent"),
                "healthy" => good("works"),
                "degraded" => bad("degraded"),
                _ => Badge::new("fail", "fail", "does not work"),
            };
            let details = match part.details.as_object() {
                Some(known) if runs_it && !known.is_empty() => part.details.to_string(),
                _ => String::new(),
            };
            vec![
                Html::text(&format::label(&part.service)).sub(&details),
                Html::of(&badge),
                Html::of(&Moment(part.changed_at)),
                Html::of(&Moment(part.checked_at)),
            ]
        })
        .collect();
    let heads = ["Part", "State", "Since", "Last checked"].map(Head::new).to_vec();
    Section {
        id: "parts",
        title: "Parts of Ephor".to_owned(),
        action: None,
        table: Table { label: "Parts of Ephor, one by one".to_owned(), heads, rows },
        empty: "No part has reported yet; the first does within a minute of the start.",
    }
}

fn platform(status: &PlatformStatus) -> Vec<Line> {
    let PlatformStatus {
        database,
        migrations,
        organizations,
        users,
        jobs,
        erasures,
        outbox,
        sealing,
        spilt,
    } = status;
    let in_time = |seconds: Option<f64>| seconds.is_none_or(|seconds| seconds < LATE);
    let room = database.connections * 10 < database.max_connections * 9;
    vec![
        Line {
            what: "Database",
            state: judged(room, "answers", "few connections left"),
            about: format!(
                "PostgreSQL {}, {}, {} of {} connections, started {}",
                database.version,
                format::bytes(database.bytes),
                database.connections,
                database.max_connections,
                minute(database.started_at)
            ),
        },
        Line {
            what: "Schema",
            state: good("up to date"),
            about: format!(
                "{}; the last is {}",
                format::plural(migrations.count, "migration", "migrations"),
                migrations.last.as_deref().unwrap_or("none")
            ),
        },
        Line {
            what: "Organizations",
            state: Badge::plain(format::count(organizations.active)),
            about: format!(
                "{} suspended; {} who may log in",
                format::count(organizations.suspended),
                format::plural(*users, "person", "people")
            ),
        },
        Line {
            what: "Jobs",
            state: judged(in_time(jobs.waiting_seconds), "in time", "late"),
            about: format!(
                "{} waiting, {} running, {} failed within a day; {}",
                format::count(jobs.queued),
                format::count(jobs.running),
                format::count(jobs.failed),
                waits("job that is due", jobs.waiting_seconds)
            ),
        },
        Line {
            what: "Erasures",
            state: if erasures.failed > 0 {
                Badge::new("fail", "fail", "some failed")
            } else {
                judged(!erasures.need_help(), "in time", "late")
            },
            about: format!(
                "{} waiting, {} failed{}",
                format::count(erasures.waiting),
                format::count(erasures.failed),
                if erasures.need_help() {
                    "; their accounts are closed and not erased: see ephor admin erasure list"
                } else {
                    ""
                }
            ),
        },
        Line {
            what: "Outbox",
            state: judged(in_time(outbox.waiting_seconds), "in time", "late"),
            about: format!(
                "{} to be handed over; {}",
                format::count(outbox.waiting),
                waits("message", outbox.waiting_seconds)
            ),
        },
        Line {
            what: "Sealing",
            state: judged(in_time(sealing.waiting_seconds), "in time", "late"),
            about: format!(
                "{} to be sealed; {}; {}",
                format::plural(sealing.queued, "entry", "entries"),
                waits("entry", sealing.waiting_seconds),
                sealing.last_checkpoint_at.map_or_else(
                    || "no checkpoint yet".to_owned(),
                    |at| format!("last checkpoint {}", minute(at))
                )
            ),
        },
        Line {
            what: "Months",
            state: judged(spilt.is_empty(), "made ahead", "a month is missing"),
            about: if spilt.is_empty() {
                "no default partition holds rows".to_owned()
            } else {
                format!("the default partition holds rows of {}", spilt.join(", "))
            },
        },
    ]
}

async fn machine(state: &ConsoleState) -> Result<Vec<Line>, Problem> {
    let disk = doctor::disk(&state.data_folder);
    let objects = state.registry.objects_answer().await;
    let (open, idle) = state.store.connections();
    let up = (SystemClock.now() - state.started_at).num_seconds() as f64;
    let held =
        memory().map_or_else(String::new, |held| format!(", {} of memory", format::bytes(held)));
    Ok(vec![
        Line {
            what: "Process",
            state: good("serves"),
            about: format!(
                "Ephor {}, up for {}{held}; {open} database connections, {idle} of them idle",
                env!("CARGO_PKG_VERSION"),
                span(up)
            ),
        },
        Line {
            what: "Disk",
            state: disk.map_or_else(
                || Badge::plain("not known"),
                |disk| {
                    let enough = disk.free as f64 > disk.total as f64 * LEAST_FREE;
                    judged(enough, "room left", "almost full")
                },
            ),
            about: disk.map_or_else(String::new, |disk| {
                format!(
                    "{} of {} free in {}",
                    format::bytes(disk.free),
                    format::bytes(disk.total),
                    state.data_folder.display()
                )
            }),
        },
        match objects {
            Ok(name) => Line { what: "Object store", state: good("answers"), about: name },
            Err(why) => Line {
                what: "Object store",
                state: Badge::new("fail", "fail", "does not answer"),
                about: why,
            },
        },
    ])
}
