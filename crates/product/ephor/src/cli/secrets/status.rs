//! `ephor secrets status`

use std::io::Write as _;

use ephor_identity::{Identity, SealedCount};
use serde_json::json;

use super::Place;
use crate::{cli::printed, exit::Exit};

/// Tells which keys there are, and how many values each encrypted.
pub(super) async fn status(
    place: &Place,
    identity: &Identity,
    as_json: bool,
) -> anyhow::Result<Exit> {
    let counts = identity.sealed_counts().await?;
    let number =
        |wanted| counts.iter().filter(|one| one.key == wanted).map(|one| one.number).sum::<u64>();
    let mut rows: Vec<(String, &str, u64)> = place
        .keys
        .ids()
        .into_iter()
        .map(|(id, word)| (id.to_string(), word, number(Some(id))))
        .collect();
    // What names no key, any of them may open; what names one that is not here, none.
    let unnamed = number(None);
    if unnamed > 0 {
        rows.push(("not named".to_owned(), "from before keys were named", unnamed));
    }
    let missing = counts.iter().filter(|one| is_missing(place, one));
    rows.extend(missing.filter_map(|one| Some((one.key?.to_string(), "missing", one.number))));
    let outcome =
        if counts.iter().any(|one| is_missing(place, one)) { Exit::Finding } else { Exit::Ok };
    let mut out = std::io::stdout().lock();
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(key, word, number)| json!({ "key": key, "state": word, "values": number }))
            .collect();
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
        return Ok(outcome);
    }
    let rows =
        rows.into_iter().map(|(key, word, number)| vec![key, word.to_owned(), number.to_string()]);
    printed::table(&mut out, &["key", "state", "values"], rows)?;
    Ok(outcome)
}

fn is_missing(place: &Place, one: &SealedCount) -> bool {
    one.key.is_some_and(|id| place.keys.word(id).is_none())
}
