//! `GET /health/partitions`: the months of the tables of high rate, and how large tables are.

use axum::extract::State;
use ephor_kernel::{Clock as _, Problem, SystemClock};
use ephor_store::{
    audit::{self, Archive},
    platform::{
        PartitionedTable, is_platform_administrator, partition_list, slow_queries, table_sizes,
    },
    retention,
};

use super::archives::{facts, facts_of, heads};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{DetailPage, Section},
    view::{Badge, Head, Html, Table, format},
    visit::{Answer, Visit},
};

/// How many of the tables are shown, the largest first.
const TABLES: usize = 25;
/// How many archives are shown of each kind, the newest first.
const ARCHIVES: usize = 200;
/// How many months are to be made ahead.
const AHEAD: i32 = 3;

fn number(value: i64) -> u64 {
    value.max(0).cast_unsigned()
}

pub(super) async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    // What of all organizations it is about is no organization's to see.
    if !is_platform_administrator(&state.store, &visit.scope).await? {
        return Err(Problem::not_found("page").into());
    }
    let today = SystemClock.now().date_naive();
    let partitioned = partition_list(&state.store, today).await?;
    let sizes = table_sizes(&state.store).await?;
    let whole = |table: &PartitionedTable| table.ahead >= AHEAD && table.spilt == 0;
    let fine = partitioned.iter().all(whole);
    let rows = partitioned.iter().map(line).collect();
    let heads = vec![
        Head::new("Table"),
        Head::new("State"),
        Head::right("Months"),
        Head::right("Ahead"),
        Head::right("Rows, about"),
        Head::right("Size"),
        Head::right("In the default partition"),
    ];
    let mut sections = vec![Section {
        id: "tables",
        title: "Tables by month".to_owned(),
        action: None,
        table: Table { label: "Tables by month".to_owned(), heads, rows },
        empty: "No table is partitioned.",
    }];
    let months = partitioned.iter().flat_map(|table| {
        table.months.iter().map(|month| {
            vec![
                Html::text(&month.partition).sub(&table.table),
                Html::text(&month.first_day.format("%Y-%m").to_string()),
                Html::text(&format::count(number(month.rows))),
                Html::text(&format::bytes(number(month.bytes))),
            ]
        })
    });
    sections.push(Section {
        id: "months",
        title: "Each month".to_owned(),
        action: None,
        table: Table {
            label: "Each month".to_owned(),
            heads: vec![
                Head::new("Partition"),
                Head::new("Month"),
                Head::right("Rows, about"),
                Head::right("Size"),
            ],
            rows: months.collect(),
        },
        empty: "No month was made.",
    });
    sections.push(archived(&state).await?);
    let largest = sizes.iter().take(TABLES).map(|table| {
        vec![
            Html::text(&table.table),
            Html::text(&format::count(number(table.rows))),
            Html::text(&format::bytes(number(table.bytes))),
        ]
    });
    sections.push(Section {
        id: "largest",
        title: "The largest tables".to_owned(),
        action: None,
        table: Table {
            label: "The largest tables".to_owned(),
            heads: vec![Head::new("Table"), Head::right("Rows, about"), Head::right("Size")],
            rows: largest.collect(),
        },
        empty: "There are none.",
    });
    sections.push(slow(&state).await?);
    let (yes, no) = ("every month is there", "a month is missing");
    Ok(page(&DetailPage {
        frame: visit.frame("Partitions", "/health").crumb("Health", "/health"),
        lede: "Tables of high rate hold a month in each partition. A running server makes months ahead; rows in a default partition say that one was missing.".to_owned(),
        badges: vec![if fine {
            Badge::new("pass", "pass", yes)
        } else {
            Badge::new("warning", "warning", no)
        }],
        actions: Vec::new(),
        steps: Vec::new(),
        facts: Vec::new(),
        sections,
    }))
}

/// What takes long on average; without the extension that records it, what to do.
async fn slow(state: &ConsoleState) -> Result<Section, Problem> {
    let found = slow_queries(&state.store).await?;
    let milliseconds = |time: f64| Html::text(&format!("{time:.0} ms"));
    let mut rows: Vec<Vec<Html>> = found
        .queries
        .iter()
        .map(|slow| {
            vec![
                Html::text(&slow.query),
                Html::text(&format::count(number(slow.calls))),
                milliseconds(slow.mean_ms),
                milliseconds(slow.max_ms),
            ]
        })
        .collect();
    if let Some(hint) = &found.hint {
        let nothing = || Html::text("");
        rows.push(vec![Html::text(hint), nothing(), nothing(), nothing()]);
    }
    Ok(Section {
        id: "slow",
        title: "Slow queries".to_owned(),
        action: None,
        table: Table {
            label: "Slow queries".to_owned(),
            heads: vec![
                Head::new("Query"),
                Head::right("Calls"),
                Head::right("On average"),
                Head::right("At most"),
            ],
            rows,
        },
        empty: "No query takes more than 100 ms on average.",
    })
}

/// The months that are in the object store: of the audit trail for all organizations together, of other
/// tables for each.
async fn archived(state: &ConsoleState) -> Result<Section, Problem> {
    let mut rows = Vec::new();
    for archive in audit::archive_list(&state.store).await?.iter().rev().take(ARCHIVES) {
        let Archive { month, object, row_count, byte_count, sha256, content_hash: _, dropped } =
            archive;
        let name = format!("audit.audit_logs {}", month.format("%Y-%m"));
        let facts = facts_of(*dropped, *row_count, *byte_count, sha256);
        rows.push([vec![Html::text(&name).sub(object)], facts].concat());
    }
    for archive in retention::archive_list(&state.store, ARCHIVES as i32).await? {
        let name = format!("{} {}", archive.table, archive.month.format("%Y-%m"));
        rows.push([vec![Html::text(&name).sub(&archive.object)], facts(&archive)].concat());
    }
    Ok(Section {
        id: "archived",
        title: "Archived months".to_owned(),
        action: None,
        table: Table {
            label: "Archived months".to_owned(),
            heads: [vec![Head::new("Month and file")], heads()].concat(),
            rows,
        },
        empty: "Everything is still in the database.",
    })
}

fn line(table: &PartitionedTable) -> Vec<Html> {
    let state = match (table.spilt, table.ahead) {
        (0, AHEAD..) => Badge::new("pass", "pass", "as it should be"),
        (0, _) => Badge::new("warning", "warning", "too few months ahead"),
        _ => Badge::new("fail", "fail", "rows without a month"),
    };
    let rows = table.months.iter().map(|month| number(month.rows)).sum();
    let bytes = table.months.iter().map(|month| number(month.bytes)).sum();
    vec![
        Html::text(&table.table),
        Html::of(&state),
        Html::text(&format::count(table.months.len() as u64)),
        Html::text(&table.ahead.to_string()),
        Html::text(&format::count(rows)),
        Html::text(&format::bytes(bytes)),
        Html::text(&format::count(number(table.spilt))),
    ]
}
