//! Which columns are compared, and what is wrong with those that are named.

use std::collections::BTreeSet;

use arrow::datatypes::Schema;

use super::{
    ColumnKind, DriftSpec, LISTED, MAX_COLUMNS,
    chunks::{MAX_CHUNKS, MIN_CHUNKS},
    scan::{self, Part, Wanted},
    spec::within_analysis,
};
use crate::{AnalysisError, Fault, analysis::column_faults, fault::nearest};

/// The columns to compare, what as; with every fault of those that the spec names, and notes on what is left out.
pub(super) fn wanted(
    spec: &DriftSpec,
    reference: &Schema,
    current: &Schema,
    faults: &mut Vec<Fault>,
    notes: &mut Vec<String>,
) -> Vec<Wanted> {
    let tables = [(reference, "reference"), (current, "current table")];
    if let Some(analysis) = &spec.analysis {
        for (schema, table) in tables {
            let found = column_faults(analysis, schema).into_iter();
            faults.extend(found.map(|fault| of_table(within_analysis(fault), table)));
        }
    }
    if let Some(chunks) = &spec.chunks {
        faults.extend(missing("/chunks".to_owned(), chunks, reference, "reference"));
    }
    if spec.columns.is_empty() {
        let wanted = all(spec, reference, current, notes);
        if wanted.len() > MAX_COLUMNS {
            let message = format!(
                "The tables have {} columns in common; at most {MAX_COLUMNS} can be compared.",
                wanted.len()
            );
            faults.push(Fault::new("/columns", "too_many", message).hint("Name some of them."));
        }
        if wanted.is_empty() && spec.analysis.is_none() {
            let message = "The tables have no column in common that can be compared.";
            faults.push(Fault::new("/columns", "no_columns", message));
        }
        return wanted;
    }
    let mut wanted = Vec::new();
    for (at, name) in spec.columns.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let place = format!("/columns/{at}");
        let before = faults.len();
        for (schema, table) in tables {
            faults.extend(missing(place.clone(), name, schema, table));
        }
        match scan::common_kind(reference, current, name) {
            Some(kind) => wanted.push(Wanted { name: name.clone(), kind }),
            None if faults.len() == before => {
                let message = format!("`{name}` holds neither numbers nor categories.");
                faults.push(Fault::new(place, "unsupported_type", message));
            }
            None => {}
        }
    }
    wanted
}

fn missing(place: String, name: &str, schema: &Schema, table: &str) -> Option<Fault> {
    if schema.field_with_name(name).is_ok() {
        return None;
    }
    let fault = Fault::new(place, "unknown_column", format!("The {table} has no column `{name}`."));
    Some(match nearest(name, schema.fields().iter().map(|field| field.name().as_str())) {
        Some(near) => fault.hint(format!("Did you mean `{near}`?")),
        None => fault.hint("Columns are compared that both tables have."),
    })
}

/// All columns that both tables have and that can be compared, save times, which differ by nature.
fn all(
    spec: &DriftSpec,
    reference: &Schema,
    current: &Schema,
    notes: &mut Vec<String>,
) -> Vec<Wanted> {
    let names = |schema: &Schema| -> Vec<String> {
        schema.fields().iter().map(|field| field.name().clone()).collect()
    };
    let known: BTreeSet<String> = names(current).into_iter().collect();
    let (mut wanted, mut times, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let both = reference.fields().iter().filter(|field| known.contains(field.name()));
    for field in both.filter(|field| spec.chunks.as_ref() != Some(field.name())) {
        let name = field.name().clone();
        match scan::common_kind(reference, current, &name) {
            Some(ColumnKind::Number) if field.data_type().is_temporal() => times.push(name),
            Some(kind) => wanted.push(Wanted { name, kind }),
            None => others.push(name),
        }
    }
    let only = |these: &Schema, others: &Schema| -> Vec<String> {
        names(these).into_iter().filter(|name| others.field_with_name(name).is_err()).collect()
    };
    let said = [
        ("Times differ by nature, and are compared only where they are named", times),
        ("Not compared, neither numbers nor categories", others),
        ("Only the reference has these columns", only(reference, current)),
        ("Only the current table has these columns", only(current, reference)),
    ];
    notes.extend(
        said.into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what}: {}.", listed(&names))),
    );
    wanted
}

/// The first names, for a note.
pub(super) fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

/// A fault that says of which table it is.
pub(super) fn of_table(mut fault: Fault, table: &str) -> Fault {
    fault.message = format!("In the {table}: {}", fault.message);
    fault
}

/// That the reference has enough chunks, and not too many.
pub(super) fn enough(parts: &[Part], chunks: Option<&str>) -> Result<(), AnalysisError> {
    let Some(name) = chunks else { return Ok(()) };
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    let fault = if parts.len() > MAX_CHUNKS {
        let message = format!("`{name}` divides the reference into more than {MAX_CHUNKS} chunks.");
        Fault::new("/chunks", "too_many_chunks", message)
            .hint("Name a column of months, or the like.")
    } else if parts.len() < MIN_CHUNKS && rows > 0 {
        let message = format!(
            "`{name}` divides the reference into {} chunks; it takes at least {MIN_CHUNKS}.",
            parts.len()
        );
        Fault::new("/chunks", "too_few_chunks", message).hint("Name a column of more values.")
    } else {
        return Ok(());
    };
    Err(AnalysisError::Invalid(vec![fault]))
}

/// That both tables have rows.
pub(super) fn not_empty(rows: [u64; 2]) -> Result<(), AnalysisError> {
    let faults: Vec<Fault> = ["reference", "current table"]
        .into_iter()
        .zip(rows)
        .filter(|(_, rows)| *rows == 0)
        .map(|(table, _)| {
            Fault::new("/", "no_rows", format!("The {table} has no rows."))
                .hint("Check the file, and any filter in front of it.")
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(AnalysisError::Invalid(faults)) }
}
