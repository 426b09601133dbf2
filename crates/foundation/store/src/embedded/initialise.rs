//! Making a new database folder.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::Output,
};

use tokio::process::Command;

use super::{
    account::Account,
    binaries::Binaries,
    credentials::SUPERUSER,
    error::{EmbeddedError, Tried},
    layout::Layout,
    server::program,
};

/// Runs `initdb` into `layout.unfinished`; the caller puts it in its place when it is complete.
///
/// UTF-8 and ICU's root collation whatever the machine's language is: a bare container's would give
/// `SQL_ASCII`. Checksums on; passwords by SCRAM, also on the socket.
pub(super) async fn initialise(
    binaries: &Binaries,
    account: Option<&Account>,
    layout: &Layout,
    superuser_password: &str,
    durable: bool,
) -> Result<(), EmbeddedError> {
    remove_folder(&layout.unfinished)?;
    fs::create_dir(&layout.unfinished)
        .tried(|| format!("could not make {}", layout.unfinished.display()))?;
    if let Some(account) = account {
        account.give(&layout.unfinished)?;
    }
    let password_file = layout.root.join("initdb.password");
    write_password(&password_file, superuser_password, account)?;
    let mut command = program(binaries, "initdb", account);
    command
        .arg("-D")
        .arg(&layout.unfinished)
        .args(["-U", SUPERUSER, "-A", "scram-sha-256", "--data-checksums"])
        .args(["-E", "UTF8", "--locale-provider=icu", "--icu-locale=und", "--locale=C"])
        .arg("--no-instructions")
        .arg(format!("--pwfile={}", password_file.display()));
    if !durable {
        command.arg("--no-sync");
    }
    let made = run(command, "initdb").await;
    let removed = fs::remove_file(&password_file);
    made?;
    removed.tried(|| format!("could not remove {}", password_file.display()))
}

fn write_password(
    path: &Path,
    password: &str,
    account: Option<&Account>,
) -> Result<(), EmbeddedError> {
    let tried = || format!("could not write {}", path.display());
    let _ = fs::remove_file(path);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).tried(tried)?;
    file.write_all(password.as_bytes()).tried(tried)?;
    account.map_or(Ok(()), |account| account.give(path))
}

/// Removes a folder and all in it, when it is there.
pub(super) fn remove_folder(folder: &Path) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).tried(|| format!("could not remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Runs a program to its end; a failure carries the last of what it printed.
pub(crate) async fn run(mut command: Command, name: &str) -> Result<Output, EmbeddedError> {
    let output =
        command.kill_on_drop(true).output().await.tried(|| format!("could not run {name}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(EmbeddedError::Program {
        program: name.to_owned(),
        status: output.status.to_string(),
        said: lines[lines.len().saturating_sub(8)..].join("; "),
    })
}
