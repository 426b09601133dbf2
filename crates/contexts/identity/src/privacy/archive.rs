//! The archive: a ZIP of one JSON file for each table, and an index for people.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Write},
};

use serde_json::Value;
use tokio::sync::mpsc::Receiver;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A row that is held.
pub(super) struct Row {
    /// The table.
    pub(super) place: String,
    pub(super) data: Value,
}

/// Writes the archive. Rows of one table come one after the other.
pub(super) struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    open: Option<String>,
    counts: BTreeMap<String, u64>,
}

impl Archive {
    /// Writes all that is received; answers the file and how many rows it holds. Blocks.
    pub(super) fn write(
        mut rows: Receiver<Row>,
        about: &HashMap<String, String>,
    ) -> io::Result<(File, u64)> {
        let file = BufWriter::new(tempfile::tempfile()?);
        let mut archive = Self { zip: ZipWriter::new(file), open: None, counts: BTreeMap::new() };
        while let Some(row) = rows.blocking_recv() {
            archive.row(&row)?;
        }
        archive.end_table()?;
        archive.begin("index.txt")?;
        archive.zip.write_all(index(&archive.counts, about).as_bytes())?;
        let total = archive.counts.values().sum();
        let file = archive.zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((file, total))
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        if self.open.as_ref() == Some(&row.place) {
            self.zip.write_all(b",\n")?;
        } else {
            self.end_table()?;
            self.begin(&format!("{}.json", row.place))?;
            self.zip.write_all(b"[\n")?;
            self.open = Some(row.place.clone());
        }
        *self.counts.entry(row.place.clone()).or_default() += 1;
        Ok(serde_json::to_writer(&mut self.zip, &row.data)?)
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(true);
        Ok(self.zip.start_file(name, options)?)
    }

    fn end_table(&mut self) -> io::Result<()> {
        if self.open.take().is_some() {
            self.zip.write_all(b"\n]\n")?;
        }
        Ok(())
    }
}

fn index(counts: &BTreeMap<String, u64>, about: &HashMap<String, String>) -> String {
    let mut text = String::from(
        "What Ephor holds on you\n\n\
         One file for each table that names you, in JSON: a list of rows, column by column. Of organizations that you\n\
         have left, you see where you are named and not what else the rows say. Passwords and the secrets of keys and\n\
         sessions are kept only as hashes, which are left out.\n\n",
    );
    for (place, count) in counts {
        let about = match place.as_str() {
            "audit.audit_logs" => {
                "What you did, when and from where, and what was done to your account."
            }
            other => about.get(other).map_or("", String::as_str),
        };
        let rows = if *count == 1 { "row" } else { "rows" };
        // Writing to a text can't fail.
        let _ = writeln!(text, "{place}.json  ({count} {rows})\n    {about}");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read as _, Seek as _};

    use serde_json::json;

    use super::*;

    #[test]
    fn an_archive_holds_a_file_for_each_table_and_an_index() {
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        for (place, number) in
            [("identity.users", 1), ("registry.models", 2), ("registry.models", 3)]
        {
            let row = Row { place: place.to_owned(), data: json!({ "n": number }) };
            sender.try_send(row).unwrap();
        }
        drop(sender);
        let about = [("registry.models".to_owned(), "Models.".to_owned())].into();
        let (mut file, rows) = Archive::write(receiver, &about).unwrap();
        assert_eq!(rows, 3);
        file.rewind().unwrap();
        let mut zip = zip::ZipArchive::new(file).unwrap();
        let mut read = |name: &str| {
            let mut text = String::new();
            zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
            text
        };
        let models: Value = serde_json::from_str(&read("registry.models.json")).unwrap();
        assert_eq!(models, json!([{ "n": 2 }, { "n": 3 }]));
        assert!(read("index.txt").contains("registry.models.json  (2 rows)\n    Models."));
    }
}
