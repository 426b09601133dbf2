//! Where the kernel has no parent-death signal (macOS), a small child waits for Ephor's end.
//!
//! It reads from a pipe that only Ephor holds open: when Ephor dies, the pipe ends, and the
//! watchdog asks the server to stop.

use std::process::Stdio;

use tokio::process::{Child, Command};

const SCRIPT: &str = r#"trap '' HUP INT TERM; read -r _; kill -INT "$1" 2>/dev/null"#;

/// Watches on behalf of one server process.
#[derive(Debug)]
pub(super) struct Watchdog {
    child: Child,
}

impl Watchdog {
    /// Starts watching for the server with process id `server`.
    pub(super) fn start(server: u32) -> std::io::Result<Self> {
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "ephor-watchdog", &server.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()?;
        Ok(Self { child })
    }

    /// Calls it off, after the server has ended.
    pub(super) async fn dismiss(mut self) {
        // A watchdog that is gone already has nothing left to do.
        let _ = self.child.kill().await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, time::Duration};

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap()
    }

    #[tokio::test]
    async fn the_end_of_the_pipe_interrupts_the_server() {
        let mut server = sleeper();
        let mut watchdog = Watchdog::start(server.id().unwrap()).unwrap();
        drop(watchdog.child.stdin.take());
        let status = tokio::time::timeout(Duration::from_secs(20), server.wait()).await;
        assert_eq!(status.unwrap().unwrap().signal(), Some(2));
        watchdog.dismiss().await;
    }

    #[tokio::test]
    async fn one_that_is_dismissed_leaves_the_server_alone() {
        let mut server = sleeper();
        Watchdog::start(server.id().unwrap()).unwrap().dismiss().await;
        assert!(server.try_wait().unwrap().is_none());
    }
}
