//! Start with an existing data folder, and the memory of an idle process.

use std::time::Duration;

use anyhow::Result;

use crate::{
    Options,
    postgres::data_folder,
    report::{Bar, Report, say},
    server::Server,
    times::median,
};

/// How long the process is left alone before it is weighed.
const IDLE: Duration = Duration::from_secs(10);

pub async fn run(options: &Options, report: &mut Report) -> Result<()> {
    let folder = data_folder()?;
    let first = Server::start(&options.ephor, folder.path()).await?;
    let empty = first.first_answer;
    first.stop().await?;

    let mut starts = Vec::new();
    for _ in 0..options.rounds.max(3) {
        let server = Server::start(&options.ephor, folder.path()).await?;
        starts.push(server.first_answer.as_secs_f64());
        server.stop().await?;
    }
    let server = Server::start(&options.ephor, folder.path()).await?;
    tokio::time::sleep(IDLE).await;
    let resident = server.resident().await?;
    server.stop().await?;

    let start = median(starts);
    say(format!(
        "\nStart: {start:.2} s to the first answer with an existing data folder ({:.2} s when the database is made first); {resident:.1} MB resident after {} s of rest",
        empty.as_secs_f64(),
        IDLE.as_secs()
    ))?;
    report.judge("start with an existing data folder", start, "s", Bar::AtMost(1.0));
    report.judge("resident memory when idle", resident, "MB", Bar::AtMost(60.0));
    Ok(())
}
