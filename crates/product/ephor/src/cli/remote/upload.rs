//! `ephor resource upload`: a file to wherever the server takes one.

use std::path::PathBuf;

use anyhow::Context as _;
use futures::TryStreamExt as _;
use reqwest::{Body, header};
use serde_json::Value;
use tokio_util::io::ReaderStream;

use super::{
    call::Call,
    client::Client,
    document::{Described, Document},
    input::pairs,
    output,
    resource::Of,
    transfer::{Meter, unless_interrupted},
};
use crate::exit::UsageError;

/// What is read at a time.
const CHUNK: usize = 64 << 10;

/// Send a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor resource upload datasets loans.csv --set name='Loans of 2026' --set description='From the warehouse'
  ephor resource upload model_versions/01930b2e-…/artifacts model.json

TYPE is a kind that files are sent to, or a place below a row: a wrong one is told with all that there are.
The file streams, whatever its size. Ctrl-C gives up: the server keeps nothing of what did not arrive whole.")]
pub struct Upload {
    #[command(flatten)]
    pub(super) of: Of,
    /// The file
    file: PathBuf,
    /// What else to say of it: name=text
    #[arg(long, value_name = "FIELD")]
    set: Vec<String>,
}

impl Upload {
    pub(super) async fn act(self, client: &Client) -> anyhow::Result<()> {
        let mut given = pairs(&self.set)?;
        let unreadable = |why: &dyn std::fmt::Display| {
            UsageError(format!("{} can't be read: {why}", self.file.display()))
        };
        let metadata = tokio::fs::metadata(&self.file).await.map_err(|error| unreadable(&error))?;
        // Who waits for a pipe could not give up: its reading cannot be broken off.
        if !metadata.is_file() {
            return Err(unreadable(&"it is no regular file").into());
        }
        let file = tokio::fs::File::open(&self.file).await.map_err(|error| unreadable(&error))?;

        let document = Document::of(client).await?;
        let uploads = document.uploads();
        let (operation, id) = place(&self.of.kind, &uploads)?;
        let named = operation.fields().iter().any(|field| field.name == "file_name");
        if let Some(name) =
            self.file.file_name().filter(|_| named && !given.contains_key("file_name"))
        {
            given
                .insert("file_name".to_owned(), Value::String(name.to_string_lossy().into_owned()));
        }
        let call = Call::new(operation, id, given, None)?;

        let mut meter = Meter::new(Some(metadata.len()));
        let chunks = ReaderStream::with_capacity(file, CHUNK)
            .inspect_ok(move |bytes| meter.add(bytes.len()));
        let request = client
            .request_with(operation.method.clone(), &call.path, &call.query)?
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::wrap_stream(chunks));
        let sent = async {
            let answer = client.send(request).await?;
            answer
                .json::<Value>()
                .await
                .context("the server's answer broke off; the file may have been kept")
        };
        let given_up = "nothing is kept of a file that did not arrive whole; if all of it had, look whether it is there";
        let mut made = unless_interrupted(sent, given_up).await?;
        if !self.of.json {
            shorten(&mut made);
        }
        output::row(&made, self.of.json)
    }
}

/// What is long is for programs: people look at the file's page.
fn shorten(made: &mut Value) {
    if let Value::Object(fields) = made {
        let is_deep = |value: &Value| {
            value.is_object()
                || value.as_array().is_some_and(|all| all.iter().any(Value::is_object))
        };
        fields.retain(|_, value| !is_deep(value));
    }
}

/// Where a file goes that is sent to `address`, and the row that it goes below.
fn place<'a, 'b>(
    address: &'b str,
    uploads: &'a [Described<'a>],
) -> anyhow::Result<(&'a Described<'a>, Option<&'b str>)> {
    let mut found = uploads.iter().filter_map(|upload| Some((upload, within(address, upload)?)));
    if let (Some((upload, id)), None) = (found.next(), found.next()) {
        return Ok((upload, Some(id).filter(|_| upload.of_row)));
    }
    let places: Vec<String> = uploads.iter().map(typed).collect();
    Err(UsageError(format!(
        "`{address}` is no place that a file is sent to; these are: {}",
        places.join(", ")
    ))
    .into())
}

/// How a place is typed: `datasets`, `model_versions/ID/artifacts`.
pub(super) fn typed(upload: &Described<'_>) -> String {
    if upload.of_row { upload.address() } else { upload.kind.clone() }
}

/// If the address is this place, the row's id; nothing as id where it is about no row.
fn within<'b>(address: &'b str, upload: &Described<'_>) -> Option<&'b str> {
    let rest = address.strip_prefix(upload.kind.as_str())?;
    if !upload.of_row {
        let is_named = rest.strip_prefix('/') == Some(upload.part.as_str());
        return (rest.is_empty() || is_named).then_some("");
    }
    let rest = rest.strip_prefix('/')?;
    let (id, part) = rest.split_once('/').unwrap_or((rest, ""));
    (!id.is_empty() && (part.is_empty() || part == upload.part)).then_some(id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::{super::document::tests::small, *};

    #[test]
    fn a_place_is_found_by_its_kind_or_named_whole() {
        let document = small();
        let uploads = document.uploads();
        for address in ["sets", "sets/upload"] {
            let (found, id) = place(address, &uploads).unwrap();
            assert_eq!((typed(found).as_str(), id), ("sets", None));
        }
        let Err(told) = place("alerts", &uploads) else { unreachable!("alerts take no file") };
        assert!(told.to_string().ends_with("these are: sets"), "{told}");
        assert!(place("sets_of_others", &uploads).is_err());
        let mut below = uploads[0].clone();
        below.of_row = true;
        assert_eq!(within("sets/7/upload", &below), Some("7"));
        assert_eq!(within("sets/7", &below), Some("7"));
        assert_eq!((within("sets", &below), within("sets/7/x", &below)), (None, None));
    }

    #[test]
    fn people_are_shown_what_is_short() {
        let mut made = json!({"id": "1", "schema": [{"a": 1}], "profile": {}, "tags": ["x"]});
        shorten(&mut made);
        assert_eq!(made, json!({"id": "1", "tags": ["x"]}));
    }
}
