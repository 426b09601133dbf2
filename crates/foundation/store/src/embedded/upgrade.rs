//! Which installed PostgreSQL runs the data, and moving the data to a newer one by dump and restore.

use std::{fs, path::PathBuf, process::Stdio};

use tokio::process::Command;

use super::{
    Urls,
    binaries::Binaries,
    credentials::SUPERUSER,
    error::{EmbeddedError, Tried},
    initialise::{initialise, remove_folder, run},
    layout::{Layout, PORT},
    ready::until_ready,
    server::{Launch, Server},
};

/// What to do with a data folder, given what is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is no data yet: make it with this.
    Fresh(Binaries),
    /// Run the data with what wrote it.
    Run(Binaries),
    /// Move the data from the one to the other.
    Upgrade { from: Binaries, to: Binaries },
}

/// Decides by the major version that wrote the data and by what is installed, newest first.
pub(super) fn decide(
    layout: &Layout,
    written: Option<u32>,
    installed: &[Binaries],
) -> Result<Decision, EmbeddedError> {
    let Some(newest) = installed.first() else {
        return Err(EmbeddedError::NoBinaries { advice: "", too_old: Vec::new() });
    };
    let Some(written) = written else { return Ok(Decision::Fresh(newest.clone())) };
    let Some(writer) = installed.iter().find(|it| it.major() == written) else {
        return Err(EmbeddedError::MissingMajor {
            folder: layout.data.clone(),
            written,
            installed: newest.major(),
        });
    };
    Ok(if newest.major() > written {
        Decision::Upgrade { from: writer.clone(), to: newest.clone() }
    } else {
        Decision::Run(writer.clone())
    })
}

/// The major version that wrote the data, if there is any.
pub(super) fn written_by(layout: &Layout) -> Result<Option<u32>, EmbeddedError> {
    let path = layout.data.join("PG_VERSION");
    if !layout.data.exists() {
        return Ok(None);
    }
    let tried = || format!("{} is not a database folder", layout.data.display());
    let text = fs::read_to_string(&path).tried(tried)?;
    text.trim().parse().map(Some).map_err(std::io::Error::other).tried(tried)
}

/// An upgrade that was cut off between its two renames left the old data beside its place.
pub(super) fn recover(layout: &Layout) -> Result<(), EmbeddedError> {
    if layout.data.exists() {
        return Ok(());
    }
    let entries = fs::read_dir(&layout.root)
        .tried(|| format!("could not read the data folder {}", layout.root.display()))?;
    let mut old: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("postgres.old-"))
        })
        .collect();
    old.sort();
    match old.pop() {
        Some(newest) if layout.unfinished.exists() => fs::rename(&newest, &layout.data)
            .tried(|| format!("could not put {} back", newest.display())),
        _ => Ok(()),
    }
}

/// Moves the data. What was there stays beside it as `postgres.old-MAJOR`, for the operator to
/// remove. Until the last step the old data is in its place and whole.
pub(super) async fn upgrade(
    from: Launch,
    to: Binaries,
    urls: &Urls,
    durable: bool,
) -> Result<PathBuf, EmbeddedError> {
    let layout = from.layout.clone();
    let (old, new) = (from.binaries.major(), to.major());
    tracing::info!(from = old, to = new, "moving the data to a newer PostgreSQL");
    let dumps = layout.root.join("upgrade");
    remove_folder(&dumps)?;
    fs::create_dir(&dumps).tried(|| format!("could not make {}", dumps.display()))?;

    let server = Server::launch(from.clone())?;
    until_ready(&server, urls).await?;
    let databases = dump(&to, urls, &dumps).await?;
    server.stop().await?;

    initialise(&to, from.account.as_ref(), &layout, urls.password(SUPERUSER), durable).await?;
    let data = layout.unfinished.clone();
    let server = Server::launch(Launch { binaries: to.clone(), data, ..from })?;
    until_ready(&server, urls).await?;
    restore(&to, urls, &dumps, &databases).await?;
    server.stop().await?;

    let kept = layout.root.join(format!("postgres.old-{old}"));
    remove_folder(&kept)?;
    let tried = || "could not put the upgraded data in its place".to_owned();
    fs::rename(&layout.data, &kept).tried(tried)?;
    fs::rename(&layout.unfinished, &layout.data).tried(tried)?;
    remove_folder(&dumps)?;
    tracing::info!(kept = %kept.display(), "the data is moved; what it was before may be removed");
    Ok(kept)
}

/// A client program, connected as the superuser: its environment holds the password, not its
/// command line, which others can see.
fn client(binaries: &Binaries, name: &str, urls: &Urls, database: &str) -> Command {
    let mut command = super::server::program(binaries, name, None);
    command
        .env("PGHOST", urls.socket())
        .env("PGPORT", PORT.to_string())
        .env("PGUSER", SUPERUSER)
        .env("PGDATABASE", database)
        .env("PGPASSWORD", urls.password(SUPERUSER))
        .stdin(Stdio::null());
    command
}

/// Writes roles and every database but the system's into `dumps`; returns the databases' names.
async fn dump(
    tools: &Binaries,
    urls: &Urls,
    dumps: &std::path::Path,
) -> Result<Vec<String>, EmbeddedError> {
    let mut roles = client(tools, "pg_dumpall", urls, "postgres");
    roles.args(["--roles-only", "--no-password"]);
    let roles = run(roles, "pg_dumpall").await?;
    // initdb makes the superuser, so the new server has it already.
    let text = String::from_utf8_lossy(&roles.stdout);
    let own = format!("CREATE ROLE {SUPERUSER};");
    let kept: Vec<&str> = text.lines().filter(|line| *line != own).collect();
    let path = dumps.join("roles.sql");
    fs::write(&path, kept.join("\n")).tried(|| format!("could not write {}", path.display()))?;

    let mut list = client(tools, "psql", urls, "postgres");
    list.args(["-XAtq", "-c"]).arg(
        "select datname from pg_catalog.pg_database where datallowconn and not datistemplate \
         and datname <> 'postgres' order by datname",
    );
    let listed = run(list, "psql").await?;
    let databases: Vec<String> =
        String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect();
    for (number, database) in databases.iter().enumerate() {
        let mut command = client(tools, "pg_dump", urls, database);
        command.args(["--no-password", "-Fc", "-f"]).arg(dumps.join(format!("{number}.dump")));
        run(command, "pg_dump").await?;
    }
    Ok(databases)
}

async fn restore(
    tools: &Binaries,
    urls: &Urls,
    dumps: &std::path::Path,
    databases: &[String],
) -> Result<(), EmbeddedError> {
    let mut roles = client(tools, "psql", urls, "postgres");
    roles.args(["-Xq", "-v", "ON_ERROR_STOP=1", "-f"]).arg(dumps.join("roles.sql"));
    run(roles, "psql").await?;
    for number in 0..databases.len() {
        let mut command = client(tools, "pg_restore", urls, "postgres");
        command
            .args(["--no-password", "--exit-on-error", "--create", "-d", "postgres"])
            .arg(dumps.join(format!("{number}.dump")));
        run(command, "pg_restore").await?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::Path;

    use super::*;

    fn pretend(major: u32) -> Binaries {
        Binaries::pretend(Path::new("/nowhere"), major)
    }

    fn deciding(written: Option<u32>, installed: &[u32]) -> Result<Decision, EmbeddedError> {
        let layout = Layout::of(Path::new("/")).unwrap();
        decide(&layout, written, &installed.iter().copied().map(pretend).collect::<Vec<_>>())
    }

    #[test]
    fn the_data_decides_which_version_runs_it() {
        assert_eq!(deciding(None, &[18, 15]).unwrap(), Decision::Fresh(pretend(18)));
        assert_eq!(deciding(Some(15), &[15]).unwrap(), Decision::Run(pretend(15)));
        assert_eq!(
            deciding(Some(15), &[18, 15]).unwrap(),
            Decision::Upgrade { from: pretend(15), to: pretend(18) }
        );
    }

    #[test]
    fn an_upgrade_without_the_old_programs_says_to_install_them() {
        let text = deciding(Some(15), &[18]).unwrap_err().to_string();
        assert!(
            text.contains("install PostgreSQL 15") && text.contains("moved to the newer"),
            "{text}"
        );
    }

    #[test]
    fn data_of_a_newer_version_is_left_alone() {
        let text = deciding(Some(18), &[17, 15]).unwrap_err().to_string();
        assert!(text.contains("written by PostgreSQL 18, and only 17"), "{text}");
        assert!(!text.contains("moved"), "{text}");
    }

    #[test]
    fn an_upgrade_that_was_cut_off_is_undone() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::of(root.path()).unwrap();
        fs::create_dir(root.path().join("postgres.old-15")).unwrap();
        fs::create_dir(&layout.unfinished).unwrap();
        recover(&layout).unwrap();
        assert!(layout.data.is_dir());
    }

    #[test]
    fn old_data_that_the_operator_kept_is_not_taken_for_a_cut_off_upgrade() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::of(root.path()).unwrap();
        fs::create_dir(root.path().join("postgres.old-15")).unwrap();
        recover(&layout).unwrap();
        assert!(!layout.data.exists());
    }
}
