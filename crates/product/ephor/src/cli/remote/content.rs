//! `ephor resource content`: what lies below a row, as a file.

use std::{
    io::{IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use futures::StreamExt as _;
use reqwest::{Response, header};
use serde_json::json;

use super::{
    super::{
        places::{Place, writable},
        whole::Whole,
    },
    Remote,
    call::Call,
    client::Client,
    document::{Described, Document},
    input::pairs,
    kinds::path,
    output,
    transfer::{Meter, unless_interrupted},
};
use crate::exit::UsageError;

/// Download what lies below a row: its file, a report, a result.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor resource content datasets 01930b2e-… --out loans.parquet
  ephor resource content datasets 01930b2e-… rows --accept text/csv
  ephor resource content bias_analyses 01930b2e-… report --set format=pdf --out report.pdf
  ephor resource content models 01930b2e-… card --set format=markdown

Without PART it is the row's file, where there is one; a wrong PART is told with all that there are.
With --out the file is there whole or not at all, also after Ctrl-C.")]
pub struct Content {
    #[command(flatten)]
    pub(super) remote: Remote,
    /// The kind: a name that `ephor resource types` lists
    #[arg(value_name = "TYPE")]
    pub(super) kind: String,
    /// The row's id
    id: String,
    /// Which of its contents: file, report, …
    part: Option<String>,
    /// Where to write it, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The media type to ask for, where there are several
    #[arg(long, value_name = "TYPE")]
    accept: Option<String>,
    /// What else to ask: name=text
    #[arg(long, value_name = "FIELD")]
    set: Vec<String>,
    /// Print what was written as JSON
    #[arg(long, requires = "out")]
    json: bool,
}

impl Content {
    pub(super) async fn act(self, client: &Client) -> anyhow::Result<()> {
        path(&self.kind, Some(&self.id))?;
        writable(Place::out(self.out.as_ref()))?;
        let given = pairs(&self.set)?;
        let document = Document::of(client).await?;
        let contents = document.contents(&self.kind);
        let content = chosen(&self.kind, self.part.as_deref(), &contents)?;
        let call = Call::new(content, Some(&self.id), given, None)?;
        let mut request = client.request_with(content.method.clone(), &call.path, &call.query)?;
        if let Some(accept) = &self.accept {
            request = request.header(header::ACCEPT, accept);
        }
        let got = async {
            let answer = client.send(request).await?;
            match &self.out {
                Some(file) => to_file(answer, file, self.json).await,
                None => to_stdout(answer).await,
            }
        };
        unless_interrupted(got, "nothing was written to a file").await
    }
}

/// The content that is meant.
fn chosen<'a>(
    kind: &str,
    part: Option<&str>,
    contents: &'a [Described<'a>],
) -> Result<&'a Described<'a>, UsageError> {
    let names = || contents.iter().map(Described::name).collect::<Vec<_>>().join(", ");
    if contents.is_empty() {
        return Err(UsageError(format!("rows of `{kind}` have no contents to download")));
    }
    let Some(part) = part else {
        let mut files = contents.iter().filter(|content| content.gives_file());
        return match (files.next(), files.next(), contents) {
            (Some(only), None, _) | (None, None, [only]) => Ok(only),
            _ => Err(UsageError(format!("say which of its contents: {}", names()))),
        };
    };
    contents.iter().find(|content| content.name() == part).ok_or_else(|| {
        UsageError(format!("rows of `{kind}` have no `{part}`; they have {}", names()))
    })
}

/// The file appears once all of it is there.
async fn to_file(answer: Response, path: &Path, as_json: bool) -> anyhow::Result<()> {
    let kind = media_type(&answer);
    let cannot = || format!("{} can't be written", path.display());
    // Gone again when this is given up.
    let mut file = Whole::at(path).with_context(cannot)?;
    let written = copied(answer, &mut file, cannot).await?;
    file.keep().with_context(cannot)?;
    if as_json {
        let told =
            json!({ "file": path.display().to_string(), "bytes": written, "media_type": kind });
        return output::row(&told, true);
    }
    writeln!(std::io::stdout(), "Wrote {} ({written} bytes).", path.display())?;
    Ok(())
}

async fn to_stdout(answer: Response) -> anyhow::Result<()> {
    let kind = media_type(&answer);
    let is_text = kind.starts_with("text/") || kind.contains("json") || kind.contains("xml");
    if !is_text && std::io::stdout().is_terminal() {
        return Err(UsageError(format!("{kind} is not for a terminal: give --out FILE")).into());
    }
    let mut out = std::io::stdout().lock();
    copied(answer, &mut out, || "standard output can't be written".to_owned()).await?;
    out.flush()?;
    Ok(())
}

/// The bytes, as they come.
async fn copied(
    answer: Response,
    out: &mut impl Write,
    cannot: impl Fn() -> String,
) -> anyhow::Result<u64> {
    let mut meter = Meter::new(answer.content_length());
    let mut written = 0;
    let mut body = answer.bytes_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.context("the download broke off; what came is not whole")?;
        out.write_all(&bytes).with_context(&cannot)?;
        written += bytes.len() as u64;
        meter.add(bytes.len());
    }
    Ok(written)
}

fn media_type(answer: &Response) -> String {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.unwrap_or("application/octet-stream").to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::document::tests::small, *};

    #[test]
    fn the_file_is_meant_where_nothing_is_said() {
        let document = small();
        let contents = document.contents("sets");
        assert_eq!(chosen("sets", None, &contents).unwrap().name(), "file");
        assert_eq!(chosen("sets", Some("profile"), &contents).unwrap().name(), "profile");
        let Err(UsageError(told)) = chosen("sets", Some("x"), &contents) else {
            unreachable!("there is no x")
        };
        assert_eq!(told, "rows of `sets` have no `x`; they have file, profile");
        assert!(chosen("alerts", None, &[]).is_err());
    }
}
