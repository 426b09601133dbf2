//! What a killed Ephor or a killed server leaves behind: an orphaned server, a stale pid file, a
//! stale socket. Called only under the data folder's lock, so nobody else may rightly run it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    error::{EmbeddedError, Tried},
    layout::PORT,
};

/// How long an orphan gets for each way of being asked to stop.
const PATIENCE: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(30)),
    (Signal::SIGQUIT, Duration::from_secs(10)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// Makes the data folder ready for a server to start in it.
pub(super) async fn clear(data: &Path, socket: &Path) -> Result<(), EmbeddedError> {
    if let Some(pid) = recorded_pid(data) {
        if is_server_of(pid, data) {
            tracing::warn!(
                pid = pid.as_raw(),
                "a PostgreSQL of an earlier run is still there; stopping it"
            );
            stop_orphan(pid, data).await;
        } else if kill(pid, None) != Err(Errno::ESRCH) {
            // The number belongs to another program now. PostgreSQL would take that for a running
            // server; our own number it knows as its parent's, and still checks the shared memory.
            disown(data)?;
        }
    }
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        let path = socket.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = format!("could not remove the stale socket {}", path.display());
                return Err(EmbeddedError::Io { what, source: error });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The process id in the server's pid file.
pub(super) fn recorded_pid(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    (pid > 1).then(|| Pid::from_raw(pid))
}

/// Is the process a server that runs on this very folder? It works in it, which its number alone
/// cannot tell: numbers are used again.
#[cfg(target_os = "linux")]
pub(super) fn is_server_of(pid: Pid, data: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == data)
}

/// As on Linux, but told by the command line.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_server_of(pid: Pid, data: &Path) -> bool {
    std::process::Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|output| {
            let line = String::from_utf8_lossy(&output.stdout).into_owned();
            line.contains("postgres") && line.contains(&format!("-D {}", data.display()))
        })
}

async fn stop_orphan(pid: Pid, data: &Path) {
    for (signal, patience) in PATIENCE {
        if kill(pid, signal).is_err() {
            return;
        }
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if !is_server_of(pid, data) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn disown(data: &Path) -> Result<(), EmbeddedError> {
    let path = data.join("postmaster.pid");
    let tried = || format!("could not correct the stale pid file {}", path.display());
    let text = fs::read_to_string(&path).tried(tried)?;
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    fs::write(&path, format!("{}\n{rest}", std::process::id())).tried(tried)
}
