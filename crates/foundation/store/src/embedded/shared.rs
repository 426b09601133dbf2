//! A server for tests: shared by all test processes, outliving each, gone when nobody uses it.
//!
//! A test process may end at any moment, and each test may be a process of its own, so none of them
//! can own the server. A small guardian does: it stops the server when no client has been connected
//! for a minute. Nothing here waits for the disk: the data is worth nothing after a crash.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};

use super::{
    Account, SearchPlaces, Urls,
    credentials::{Credentials, SUPERUSER},
    error::{EmbeddedError, Tried},
    initialise::remove_folder,
    layout::Layout,
    leftovers,
    server::Launch,
};
use crate::bootstrap;

const IDLE_SECONDS: u32 = 60;
/// How long a server gets to answer, or one that is stopping to be gone.
const PATIENCE: Duration = Duration::from_mins(1);

/// Arguments: psql, the pid file, the seconds of idleness, then the server's command line.
const GUARDIAN: &str = r#"
psql=$1 pidfile=$2 idle=$3; shift 3
"$@" &
server=$!
trap 'kill -INT $server 2>/dev/null' INT TERM HUP
quiet=0 mute=0
while :; do
    sleep 2
    if users=$("$psql" -XAtq -c "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()" 2>/dev/null); then
        mute=0
        if [ "$users" = 0 ]; then quiet=$((quiet + 2)); else quiet=0; fi
        if [ "$quiet" -ge "$idle" ]; then kill -TERM "$server"; break; fi
    else
        mute=$((mute + 2))
        [ -e "$pidfile" ] && [ "$mute" -lt 120 ] || break
    fi
done
wait "$server"
"#;

/// Finds or starts the shared server in `folder`. The caller holds a lock, so that one process at a
/// time does this.
pub(crate) async fn shared(folder: &Path) -> Result<Urls, EmbeddedError> {
    let account = Account::choose(None)?;
    let layout = Layout::prepare(folder, account.as_ref())?;
    if layout.data.exists() {
        let urls = Urls::of_folder(folder)?;
        if answers(&layout, &urls).await {
            return Ok(urls);
        }
    }
    match start(&layout, account.as_ref()).await {
        // After a crash of the machine the files may be anything: they are made anew, once.
        Err(EmbeddedError::NotReady { .. } | EmbeddedError::Credentials { .. }) => {
            remove_folder(&layout.root)?;
            start(&Layout::prepare(folder, account.as_ref())?, account.as_ref()).await
        }
        done => done,
    }
}

/// Does it answer? One that is just starting will; one that is just stopping is waited for, since
/// other tests may still be connected to it.
async fn answers(layout: &Layout, urls: &Urls) -> bool {
    let begun = Instant::now();
    loop {
        if connect(urls).await.is_ok() {
            return true;
        }
        let running = leftovers::recorded_pid(&layout.data)
            .is_some_and(|pid| leftovers::is_server_of(pid, &layout.data));
        if !running || begun.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn connect(urls: &Urls) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect_with(&urls.options(SUPERUSER, "postgres")).await
}

async fn start(layout: &Layout, account: Option<&Account>) -> Result<Urls, EmbeddedError> {
    let installed = SearchPlaces::of_this_machine().find()?;
    let binaries = installed[0].clone();
    let credentials = Credentials::load_or_make(layout)?;
    let urls = Urls::new(layout.socket.clone(), credentials);
    layout.prepare_socket(account)?;
    if !layout.data.exists() {
        super::make_data(&binaries, account, layout, &urls, false).await?;
    }
    leftovers::clear(&layout.data, &layout.socket).await?;

    let settings = [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("max_wal_size", "1GB"),
        ("checkpoint_timeout", "1h"),
        ("autovacuum", "off"),
        ("max_connections", "400"),
        ("jit", "off"),
    ];
    let launch = Launch {
        binaries: binaries.clone(),
        account: account.cloned(),
        data: layout.data.clone(),
        layout: layout.clone(),
        settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    };
    // The guardian, too, is the server's user, far from this process's group, pipes and folder.
    let mut guardian = std::process::Command::new("/bin/sh");
    guardian
        .args(["-c", GUARDIAN, "ephor-test-guardian"])
        .arg(binaries.program("psql"))
        .arg(layout.data.join("postmaster.pid"))
        .arg(IDLE_SECONDS.to_string())
        .arg(binaries.program("postgres"))
        .args(launch.arguments())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("PGHOST", &layout.socket)
        .env("PGUSER", SUPERUSER)
        .env("PGDATABASE", "postgres")
        .env("PGPASSWORD", urls.password(SUPERUSER))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(account) = account {
        guardian.uid(account.uid.as_raw()).gid(account.gid.as_raw());
    }
    guardian.spawn().tried(|| "could not start the test server's guardian".to_owned())?;

    let begun = Instant::now();
    loop {
        match connect(&urls).await {
            Ok(mut connection) => {
                bootstrap::prepare_server(&mut connection, &urls).await?;
                connection.close().await?;
                return Ok(urls);
            }
            Err(error) if begun.elapsed() > PATIENCE => {
                return Err(EmbeddedError::NotReady {
                    seconds: PATIENCE.as_secs(),
                    said: error.to_string(),
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
