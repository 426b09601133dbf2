//! A running Ephor, as a user starts it: the binary, in a data folder of its own.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod api;
pub mod authenticator;
pub mod oidc;
pub mod page;
pub mod smtp;

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// The binary under test, with nothing of the tester's own configuration.
pub fn ephor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ephor"));
    command.env_remove("DATABASE_URL").env("EPHOR_LOG_FILTER", "info");
    command
}

/// A data folder that the embedded PostgreSQL's own user can reach when the tests run as root.
pub fn data_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("ephor").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The repository's demo data.
pub fn adult() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../data/demo/adult_predictions.csv")
}

/// A server process; killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// What it printed on standard output before it was ready.
    pub greeting: String,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// `ephor demo` in `data`, on a free port.
    pub fn demo(data: &Path) -> Self {
        Self::start(ephor().arg("demo").arg("--bind").arg("127.0.0.1:0").arg("--data").arg(data))
    }

    /// `ephor serve` in `data`, on a free port.
    pub fn serve(data: &Path) -> Self {
        Self::start(ephor().arg("serve").arg("--bind").arg("127.0.0.1:0").arg("--data").arg(data))
    }

    /// Starts `command` and waits until it says where it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        let url = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let _ = child.wait();
                std::thread::sleep(Duration::from_millis(100));
                panic!("Ephor ended before it listened:\n{greeting}{}", log.lock().unwrap());
            }
            greeting.push_str(&line);
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break url.trim_end_matches('/').to_owned();
            }
        };
        // Read on, so that the server never waits for us, and what is printed is not lost.
        let rest = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let mut log = rest.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, url, greeting, log }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The server's process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Ctrl-C, and how it ended.
    pub fn interrupt(mut self) -> std::process::ExitStatus {
        kill(self.pid(), Signal::SIGINT).unwrap();
        within(Duration::from_secs(30), "the server stops", || self.child.try_wait().unwrap())
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // Gently, so that the embedded PostgreSQL goes too.
            let _ = kill(self.pid(), Signal::SIGINT);
            let deadline = Instant::now() + Duration::from_secs(10);
            while Instant::now() < deadline
                && self.child.try_wait().is_ok_and(|status| status.is_none())
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Asks again and again until there is an answer, or the time is over.
pub fn within<T>(time: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + time;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "after {time:?} still not true: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The same, for questions that wait.
pub async fn within_async<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    // A lost job is handed out again only when its worker is surely dead.
    const TIME: Duration = Duration::from_mins(2);
    let deadline = Instant::now() + TIME;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "after {TIME:?} still not true: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Signs Ada Lovelace up, with an organization of her own.
pub async fn sign_up(client: &reqwest::Client, url: &str, email: &str) -> reqwest::Response {
    client
        .post(format!("{url}/v1/auth/sign-up"))
        .json(&serde_json::json!({
            "email": email, "password": "correct horse battery", "full_name": "Ada Lovelace",
            "organization_name": "Analytical Engines",
        }))
        .send()
        .await
        .unwrap()
}
