//! The private server, alive: as root, as the users that root can become, and as an ordinary user.
//!
//! Run by root, each test of [`as_everyone`] runs twice: here, stepping down, and once more in a
//! process of the ordinary user `nobody`. Run by an ordinary user, only the second way exists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown, geteuid, getpgid},
};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::*;
use crate::bootstrap::Login;

const DEADLINE: Duration = Duration::from_mins(1);

fn hasty() -> Options {
    Options { hasty: true, ..Options::default() }
}

async fn start(folder: &TempDir) -> Cluster {
    Cluster::start(folder.path(), hasty()).await.unwrap()
}

async fn superuser(urls: &Urls) -> PgConnection {
    PgConnection::connect(&urls.superuser()).await.unwrap()
}

async fn text(connection: &mut PgConnection, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

fn is_alive(pid: u32) -> bool {
    // One that has ended and is not reaped yet is not alive.
    let state = fs::read_to_string(format!("/proc/{pid}/stat"));
    if cfg!(target_os = "linux") {
        state.is_ok_and(|line| !line.contains(") Z "))
    } else {
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), None).is_ok()
    }
}

/// This test binary, to run one of its tests as somebody else or in a process to be killed. A copy,
/// because the build's folder may be closed to that somebody.
fn this_binary(folder: &TempDir) -> std::path::PathBuf {
    let copy = folder.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    copy
}

/// As root, runs the test `name` of this file once more as `nobody`, in a temporary folder of its
/// own. `EPHOR_AS_SOMEBODY` keeps the other process from doing so in turn.
fn as_an_ordinary_user_too(name: &str) {
    if !geteuid().is_root() {
        return;
    }
    let nobody = User::from_name("nobody").unwrap().expect("a user `nobody`");
    let output = run_as(nobody.uid.as_raw(), nobody.gid.as_raw(), name);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "as nobody: {said}");
}

/// Starts a program that was just written. Where tests are threads of one process, another of them may
/// be forking at this moment and so hold the file open for writing until it has called exec.
fn patiently<T>(mut start: impl FnMut() -> std::io::Result<T>) -> T {
    let begun = Instant::now();
    loop {
        match start() {
            Err(error)
                if error.kind() == std::io::ErrorKind::ExecutableFileBusy
                    && begun.elapsed() < DEADLINE => {}
            done => return done.unwrap(),
        }
    }
}

fn run_as(uid: u32, gid: u32, name: &str) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let binary = this_binary(&folder);
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    chown(&temporary, Some(uid.into()), Some(gid.into())).unwrap();
    let mut command = Command::new(binary);
    command
        .args(["--exact", &format!("embedded::tests::{name}"), "--include-ignored"])
        .env("TMPDIR", &temporary)
        .env("HOME", &temporary)
        .env_remove("EPHOR_POSTGRES_BIN")
        .env_remove("NEXTEST")
        .current_dir("/")
        .stdin(Stdio::null())
        .uid(uid)
        .gid(gid);
    patiently(|| command.output())
}

/// Starts another process that starts a server in `folder` and then hangs; returns when the server
/// answers.
async fn another_ephor(folder: &TempDir, binaries: &TempDir) -> (Child, u32) {
    let ready = binaries.path().join("ready");
    let _ = fs::remove_file(&ready);
    let mut command = Command::new(this_binary(binaries));
    command
        .args(["--exact", "embedded::tests::holds_a_server_until_killed", "--ignored"])
        .env("EPHOR_TEST_FOLDER", folder.path())
        .env("EPHOR_TEST_READY", &ready)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = patiently(|| command.spawn());
    let mut server = 0;
    until("the other process starts its server", async || {
        server = fs::read_to_string(&ready).ok().and_then(|pid| pid.parse().ok()).unwrap_or(0);
        server != 0
    })
    .await;
    (child, server)
}

/// Not a test by itself: what [`another_ephor`] runs.
#[tokio::test]
#[ignore = "the other process of the tests that kill one"]
async fn holds_a_server_until_killed() {
    let Some(folder) = std::env::var_os("EPHOR_TEST_FOLDER") else { return };
    let cluster = Cluster::start(Path::new(&folder), hasty()).await.unwrap();
    let ready = std::path::PathBuf::from(std::env::var_os("EPHOR_TEST_READY").unwrap());
    let unfinished = ready.with_extension("new");
    fs::write(&unfinished, cluster.process_id().unwrap().to_string()).unwrap();
    fs::rename(unfinished, ready).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_server_is_made_as_it_should_be_and_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(&folder).await;
    let mut connection = superuser(cluster.urls()).await;
    assert_eq!(text(&mut connection, "show server_encoding").await, "UTF8");
    assert_eq!(text(&mut connection, "show data_checksums").await, "on");
    assert_eq!(text(&mut connection, "show listen_addresses").await, "");
    assert_eq!(text(&mut connection, "show password_encryption").await, "scram-sha-256");
    assert_eq!(
        // Its column was renamed in PostgreSQL 17.
        text(
            &mut connection,
            "select concat_ws(' ', datlocprovider, to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale', datcollate)
             from pg_database d where datname = current_database()",
        )
        .await,
        "i und C"
    );
    // Nobody gets in without a password, not even on the socket.
    let methods = "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules";
    assert_eq!(text(&mut connection, methods).await, "scram-sha-256");
    for login in Login::ALL {
        let mut connection = PgConnection::connect(&cluster.urls().login(login)).await.unwrap();
        assert_eq!(text(&mut connection, "select current_user::text").await, login.role());
    }
    let wrong = cluster.urls().app().replace(cluster.urls().password(Login::App.role()), "wrong");
    assert!(PgConnection::connect(&wrong).await.is_err());

    let data = fs::metadata(folder.path().join("postgres")).unwrap();
    assert_ne!(data.uid(), 0, "the server's files belong to an ordinary user");
    let socket = fs::metadata(cluster.socket_folder()).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o700);
    sqlx::query("create table public.kept (id int)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    let pid = cluster.process_id().unwrap();
    cluster.stop().await.unwrap();
    assert!(!is_alive(pid));
    assert!(!folder.path().join("postgres/postmaster.pid").exists(), "stopped cleanly");

    let cluster = start(&folder).await;
    let mut connection = superuser(cluster.urls()).await;
    assert_eq!(text(&mut connection, "select count(*)::text from public.kept").await, "0");
    assert_eq!(
        Urls::of_folder(folder.path()).unwrap().app(),
        cluster.urls().app(),
        "`ephor db url` says the same"
    );
    connection.close().await.unwrap();
    cluster.stop().await.unwrap();
    as_an_ordinary_user_too("a_server_is_made_as_it_should_be_and_starts_again");
}

#[tokio::test]
async fn root_can_step_down_to_nobody() {
    if !geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options { account: Some("nobody".to_owned()), ..hasty() };
    let cluster = Cluster::start(folder.path(), options).await.unwrap();
    let owner = fs::metadata(folder.path().join("postgres")).unwrap().uid();
    assert_eq!(owner, User::from_name("nobody").unwrap().unwrap().uid.as_raw());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_user_without_a_name_is_refused_with_advice() {
    if geteuid().is_root() {
        let output = run_as(54_321, 54_321, "a_user_without_a_name_is_refused_with_advice");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    } else if User::from_uid(geteuid()).unwrap().is_none() {
        let folder = tempfile::tempdir().unwrap();
        let error = Cluster::start(folder.path(), hasty()).await.unwrap_err();
        assert!(matches!(error, EmbeddedError::NamelessUser { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_folder_closed_to_the_servers_user_is_refused_with_advice() {
    if !geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let error = Cluster::start(&folder.path().join("data"), hasty()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("is closed to it") && text.contains("/var/lib/ephor"), "{text}");
}

#[tokio::test]
async fn without_programs_it_says_what_to_install() {
    let (folder, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let places = Some(SearchPlaces::of(vec![empty.path().to_owned()]));
    let error = Cluster::start(folder.path(), Options { places, ..hasty() }).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("PostgreSQL 15 or newer") && text.contains("nstall"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was left behind");
}

#[tokio::test]
async fn a_second_start_says_who_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(&folder).await;
    let text = Cluster::start(folder.path(), hasty()).await.unwrap_err().to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    superuser(cluster.urls()).await.close().await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_is_no_part_of_our_process_group() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(&folder).await;
    let pid = Pid::from_raw(i32::try_from(cluster.process_id().unwrap()).unwrap());
    assert_eq!(getpgid(Some(pid)).unwrap(), pid, "a Ctrl-C does not reach it");
    // And no client is needed for that: the signal of a Ctrl-C goes to a whole group.
    assert_ne!(getpgid(None).unwrap(), pid);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_folder_with_a_long_path_works() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let long = folder.path().join("a-long-name-".repeat(9));
    let cluster = Cluster::start(&long, hasty()).await.unwrap();
    assert!(cluster.socket_folder().starts_with("/tmp"));
    superuser(cluster.urls()).await.close().await.unwrap();
    let socket = cluster.socket_folder().to_owned();
    cluster.stop().await.unwrap();
    fs::remove_dir_all(socket).unwrap();
}

#[tokio::test]
async fn one_that_is_dropped_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(&folder).await;
    let pid = cluster.process_id().unwrap();
    drop(cluster);
    assert!(!is_alive(pid));
    start(&folder).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_comes_back_with_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), hasty()).await.unwrap();
    let mut connection = superuser(cluster.urls()).await;
    sqlx::query("create table public.kept (id int)").execute(&mut connection).await.unwrap();
    let sql = "insert into public.kept select generate_series(1, 1000)";
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    // A backend that is busy holds on to the shared memory for a while after the server's death.
    let busy = cluster.urls().superuser();
    let busy = tokio::spawn(async move {
        let mut connection = PgConnection::connect(&busy).await.unwrap();
        sqlx::query("select pg_sleep(600)").execute(&mut connection).await.is_err()
    });
    let busy_is_there = "select count(*)::text from pg_stat_activity where query like '%pg_sleep(600)%' \
        and pid <> pg_backend_pid()";
    until("the busy backend", async || text(&mut connection, busy_is_there).await == "1").await;

    let killed = cluster.process_id().unwrap();
    signal(killed, Signal::SIGKILL);
    until("a new server", async || {
        cluster.process_id().is_some_and(|pid| pid != killed)
            && PgConnection::connect(&cluster.urls().superuser()).await.is_ok()
    })
    .await;
    assert!(busy.await.unwrap(), "the busy connection was cut");
    let mut connection = superuser(cluster.urls()).await;
    assert_eq!(text(&mut connection, "select count(*)::text from public.kept").await, "1000");
    connection.close().await.unwrap();
    cluster.stop().await.unwrap();
    as_an_ordinary_user_too("a_killed_server_comes_back_with_all_that_was_acknowledged");
}

#[tokio::test]
async fn a_killed_ephor_takes_the_server_with_it() {
    let (folder, binaries) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut ephor, server) = another_ephor(&folder, &binaries).await;
    let text = Cluster::start(folder.path(), hasty()).await.unwrap_err().to_string();
    assert!(text.contains(&format!("process {}", ephor.id())), "{text}");
    ephor.kill().unwrap();
    ephor.wait().unwrap();
    until("the server ends by itself", async || !is_alive(server)).await;
    assert!(!folder.path().join("postgres/postmaster.pid").exists(), "it stopped cleanly");
    start(&folder).await.stop().await.unwrap();
    as_an_ordinary_user_too("a_killed_ephor_takes_the_server_with_it");
}

#[tokio::test]
async fn killing_both_leaves_nothing_in_the_way() {
    let (folder, binaries) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut ephor, server) = another_ephor(&folder, &binaries).await;
    // Stopped, the first cannot bring the server back before it is killed itself.
    signal(ephor.id(), Signal::SIGSTOP);
    signal(server, Signal::SIGKILL);
    ephor.kill().unwrap();
    ephor.wait().unwrap();
    until("the server is gone", async || !is_alive(server)).await;
    let socket = Layout::of(folder.path()).unwrap().socket.join(".s.PGSQL.5432");
    assert!(folder.path().join("postgres/postmaster.pid").exists() && socket.exists(), "stale");
    let cluster = start(&folder).await;
    superuser(cluster.urls()).await.close().await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn an_orphan_that_still_runs_is_stopped_first() {
    let (folder, binaries) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut ephor, server) = another_ephor(&folder, &binaries).await;
    // A stopped server cannot follow the parent-death signal yet.
    signal(server, Signal::SIGSTOP);
    ephor.kill().unwrap();
    ephor.wait().unwrap();
    assert!(is_alive(server));
    let resume = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        signal(server, Signal::SIGCONT);
    });
    let cluster = start(&folder).await;
    resume.await.unwrap();
    assert_ne!(cluster.process_id().unwrap(), server);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_is_not_taken_for_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    start(&folder).await.stop().await.unwrap();
    // The number now belongs to another program of the very user that the server runs as.
    let pid_file = folder.path().join("postgres/postmaster.pid");
    let owner = fs::metadata(folder.path().join("postgres")).unwrap();
    let mut other = Command::new("sleep");
    other.arg("600").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if geteuid().is_root() {
        other.uid(owner.uid()).gid(owner.gid());
    }
    let mut other = other.spawn().unwrap();
    let data = folder.path().join("postgres");
    fs::write(&pid_file, format!("{}\n{}\n1700000000\n5432\n", other.id(), data.display()))
        .unwrap();
    chown(&pid_file, Some(owner.uid().into()), Some(owner.gid().into())).unwrap();

    let cluster = start(&folder).await;
    superuser(cluster.urls()).await.close().await.unwrap();
    cluster.stop().await.unwrap();
    assert!(other.try_wait().unwrap().is_none(), "the other program was left alone");
    other.kill().unwrap();
    other.wait().unwrap();
    as_an_ordinary_user_too("a_stale_pid_file_is_not_taken_for_a_running_server");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    start(&folder).await.stop().await.unwrap();
    fs::remove_file(folder.path().join("postgres/global/pg_control")).unwrap();
    let text = Cluster::start(folder.path(), hasty()).await.unwrap_err().to_string();
    assert!(text.contains("pg_control"), "{text}");
}

#[tokio::test]
async fn a_wrong_setting_is_told_as_postgresql_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let options = Options { settings, ..hasty() };
    let text = Cluster::start(folder.path(), options).await.unwrap_err().to_string();
    assert!(text.contains("no_such_setting"), "{text}");
}

#[tokio::test]
async fn data_moves_to_another_version_with_its_roles_and_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(&folder).await;
    let mut connection = superuser(cluster.urls()).await;
    for sql in [
        "create table public.kept (id int primary key, owner text)",
        "insert into public.kept select g, 'somebody' from generate_series(1, 500) g",
        "create role somebody nologin",
        "alter table public.kept enable row level security",
        "alter table public.kept force row level security",
        "alter table public.kept owner to somebody",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let binaries = cluster.binaries().clone();
    cluster.stop().await.unwrap();

    // Only one major version may be installed here; what moves the data does not care.
    let account = Account::choose(None).unwrap();
    let layout = Layout::of(folder.path()).unwrap();
    let launch = Launch {
        binaries: binaries.clone(),
        account,
        data: layout.data.clone(),
        layout: layout.clone(),
        settings: Vec::new(),
    };
    let urls = Urls::of_folder(folder.path()).unwrap();
    let kept = upgrade::upgrade(launch, binaries.clone(), &urls, false).await.unwrap();
    assert_eq!(kept, layout.root.join(format!("postgres.old-{}", binaries.major())));
    assert!(kept.join("PG_VERSION").exists() && !layout.unfinished.exists());

    let cluster = start(&folder).await;
    let mut connection = superuser(cluster.urls()).await;
    assert_eq!(text(&mut connection, "select count(*)::text from public.kept").await, "500");
    let owner = "select relowner::regrole::text from pg_class where oid = 'public.kept'::regclass";
    assert_eq!(text(&mut connection, owner).await, "somebody");
    for login in Login::ALL {
        PgConnection::connect(&cluster.urls().login(login)).await.unwrap().close().await.unwrap();
    }
    connection.close().await.unwrap();
    cluster.stop().await.unwrap();
}

#[test]
fn the_data_folder_has_a_default_by_user_and_system() {
    let (data, home) = (Path::new("/data"), Path::new("/home/ada"));
    let chosen = |data, home| default_data_folder(data, home);
    if geteuid().is_root() {
        assert_eq!(chosen(Some(data), Some(home)).unwrap(), Path::new("/var/lib/ephor"));
    } else {
        assert_eq!(chosen(Some(data), Some(home)).unwrap(), Path::new("/data/ephor"));
        assert!(chosen(Some(Path::new("relative")), Some(home)).unwrap().starts_with(home));
        assert_eq!(chosen(None, None), None);
    }
}
