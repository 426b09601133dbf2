//! The server's process: spawned, watched, brought back and stopped by one dedicated thread.
//!
//! The thread lives as long as the server, because the parent-death signal fires when the forking
//! *thread* ends. It alone reaps the child, so no signal can reach a process that merely has the
//! same number.

use std::{
    collections::VecDeque,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{mpsc, watch},
};
use tracing::Level;

use super::{
    account::Account,
    binaries::Binaries,
    error::{EmbeddedError, Tried},
    layout::{Layout, PORT},
    leftovers, parent_death,
    watchdog::Watchdog,
};

/// A fast shutdown writes everything out; past this the server is made to drop its work.
const FAST_SHUTDOWN: Duration = Duration::from_mins(1);
/// How often the server may die within [`DEATHS_WITHIN`] before it is given up.
const MOST_DEATHS: usize = 5;
const DEATHS_WITHIN: Duration = Duration::from_mins(1);
/// How long processes of a killed server may hold on to its memory before a new one can start.
const SHARED_MEMORY_PATIENCE: Duration = Duration::from_secs(30);
const KEPT_LINES: usize = 20;

/// What it takes to start a server.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) binaries: Binaries,
    pub(super) account: Option<Account>,
    pub(super) layout: Layout,
    /// The folder with the server's files: `layout.data`, or another during an upgrade.
    pub(super) data: PathBuf,
    pub(super) settings: Vec<(String, String)>,
}

impl Launch {
    /// The arguments of the `postgres` program.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-D".to_owned(), self.data.display().to_string()];
        let socket = self.layout.socket.display().to_string();
        let ours = [
            ("listen_addresses", String::new()),
            ("port", PORT.to_string()),
            // A list whose items may hold spaces and commas when quoted.
            ("unix_socket_directories", format!("\"{}\"", socket.replace('"', "\"\""))),
            ("unix_socket_permissions", "0700".to_owned()),
            ("max_connections", "200".to_owned()),
            ("cluster_name", "ephor".to_owned()),
            // What is refused may hold secrets and personal data: the log names the error alone.
            ("log_min_error_statement", "panic".to_owned()),
            ("log_error_verbosity", "terse".to_owned()),
            ("log_line_prefix", String::new()),
            ("lc_messages", "C".to_owned()),
            ("logging_collector", "off".to_owned()),
            ("log_destination", "stderr".to_owned()),
        ];
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
        for (name, value) in ours.chain(self.settings.iter().cloned()) {
            arguments.push("-c".to_owned());
            arguments.push(format!("{name}={value}"));
        }
        arguments
    }
}

/// One of PostgreSQL's programs, run as the server's user in a clean environment.
pub(super) fn program(binaries: &Binaries, name: &str, account: Option<&Account>) -> Command {
    let mut command = Command::new(binaries.program(name));
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir("/")
        .stdin(Stdio::null());
    if let Some(account) = account {
        command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
    }
    command
}

/// Where the server is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It is being spawned, for the first time or again.
    Starting,
    /// It runs with this process id; whether it answers is another question.
    Running(u32),
    /// It was stopped.
    Stopped,
    /// It does not stay up, and why.
    Failed(String),
}

/// The last lines that the server wrote.
#[derive(Debug, Clone, Default)]
struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}

/// A running server and its thread.
#[derive(Debug)]
pub(super) struct Server {
    stop: mpsc::UnboundedSender<()>,
    state: watch::Receiver<State>,
    answered: Arc<AtomicBool>,
    lines: LastLines,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the server and its thread.
    pub(super) fn launch(launch: Launch) -> Result<Self, EmbeddedError> {
        let (stop, stops) = mpsc::unbounded_channel();
        let (states, state) = watch::channel(State::Starting);
        let answered = Arc::new(AtomicBool::new(false));
        let lines = LastLines::default();
        let keeper =
            Keeper { launch, stops, states, answered: answered.clone(), lines: lines.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .tried(|| "could not start the thread of PostgreSQL".to_owned())?;
        let thread = std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || runtime.block_on(keeper.keep()))
            .tried(|| "could not start the thread of PostgreSQL".to_owned())?;
        Ok(Self { stop, state, answered, lines, thread: Some(thread) })
    }

    /// Follows the server's state.
    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// The last lines that the server wrote.
    pub(super) fn last_lines(&self) -> String {
        self.lines.text()
    }

    /// Notes that it has answered: from now on its death is an accident to recover from.
    pub(super) fn note_answered(&self) {
        self.answered.store(true, Ordering::Release);
    }

    /// Stops it and waits for its end.
    pub(super) async fn stop(mut self) -> Result<(), EmbeddedError> {
        let _ = self.stop.send(());
        // An error means that the thread is gone, and with it the server.
        let end = self
            .state
            .wait_for(|state| matches!(state, State::Stopped | State::Failed(_)))
            .await
            .map_or(State::Stopped, |state| state.clone());
        self.join();
        match end {
            State::Failed(said) => Err(EmbeddedError::Died { said }),
            _ => Ok(()),
        }
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of PostgreSQL panicked");
        }
    }
}

impl Drop for Server {
    /// A server that nobody stopped is stopped here; that takes as long as it takes.
    fn drop(&mut self) {
        let _ = self.stop.send(());
        self.join();
    }
}

/// The deaths of late.
#[derive(Debug, Default)]
struct Deaths {
    times: Vec<Instant>,
    /// Since when a start has failed for a killed server's memory that is still held.
    memory_held: Option<Instant>,
}

/// What runs on the thread.
struct Keeper {
    launch: Launch,
    stops: mpsc::UnboundedReceiver<()>,
    states: watch::Sender<State>,
    answered: Arc<AtomicBool>,
    lines: LastLines,
}

impl Keeper {
    async fn keep(mut self) {
        let end = match self.serve().await {
            Ok(()) => State::Stopped,
            Err(error) => {
                tracing::error!(%error, "PostgreSQL has been given up");
                State::Failed(match error {
                    EmbeddedError::Died { said } => said,
                    other => other.to_string(),
                })
            }
        };
        self.states.send_replace(end);
    }

    /// Keeps the server up until it is told to stop.
    async fn serve(&mut self) -> Result<(), EmbeddedError> {
        let mut deaths = Deaths::default();
        loop {
            leftovers::clear(&self.launch.data, &self.launch.layout.socket).await?;
            self.lines.clear();
            let mut child = self.spawn()?;
            let pid = child.id().unwrap_or_default();
            let watchdog = self.watch_over(pid)?;
            self.states.send_replace(State::Running(pid));
            let status = tokio::select! {
                status = child.wait() => Some(status.tried(|| "could not wait for PostgreSQL".to_owned())?),
                _ = self.stops.recv() => None,
            };
            let Some(status) = status else {
                let stopped = shut_down(&mut child).await;
                dismiss(watchdog).await;
                return stopped;
            };
            dismiss(watchdog).await;
            self.states.send_replace(State::Starting);
            if !self.mourn(status, &mut deaths).await? {
                return Ok(());
            }
        }
    }

    /// After a death that nobody asked for: give up, or wait a little for the next start. False
    /// when the server was told to stop in the meantime.
    async fn mourn(
        &mut self,
        status: ExitStatus,
        deaths: &mut Deaths,
    ) -> Result<bool, EmbeddedError> {
        // What it wrote last may still be on its way through the pipe.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let said = self.lines.text();
        let memory_held = said.contains("shared memory block") && said.contains("still in use");
        let now = Instant::now();
        if memory_held
            && now.duration_since(*deaths.memory_held.get_or_insert(now)) < SHARED_MEMORY_PATIENCE
        {
            tracing::warn!("processes of the killed PostgreSQL are still ending");
        } else {
            deaths.memory_held = None;
            deaths.times.retain(|death| now.duration_since(*death) < DEATHS_WITHIN);
            deaths.times.push(now);
            if !self.answered.load(Ordering::Acquire) || deaths.times.len() >= MOST_DEATHS {
                return Err(EmbeddedError::Died { said: format!("{status}: {said}") });
            }
            tracing::error!(%status, said, "PostgreSQL has died; starting it again");
        }
        let pause = Duration::from_millis(100) * u32::try_from(deaths.times.len()).unwrap_or(1);
        tokio::select! {
            () = tokio::time::sleep(pause.max(Duration::from_millis(100))) => Ok(true),
            _ = self.stops.recv() => Ok(false),
        }
    }

    fn spawn(&self) -> Result<Child, EmbeddedError> {
        let mut command = program(&self.launch.binaries, "postgres", self.launch.account.as_ref());
        // Its own process group: a Ctrl-C is Ephor's to handle, which drains before it stops this.
        command
            .args(self.launch.arguments())
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        parent_death::stop_with_parent(&mut command);
        let path = self.launch.binaries.program("postgres");
        let mut child = command.spawn().tried(|| format!("could not run {}", path.display()))?;
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(read_log(stderr, self.lines.clone()));
        }
        Ok(child)
    }

    #[allow(clippy::unused_self, reason = "a method beside its siblings")]
    fn watch_over(&self, pid: u32) -> Result<Option<Watchdog>, EmbeddedError> {
        if cfg!(target_os = "linux") {
            return Ok(None);
        }
        Watchdog::start(pid).map(Some).tried(|| "could not start PostgreSQL's watchdog".to_owned())
    }
}

async fn dismiss(watchdog: Option<Watchdog>) {
    if let Some(watchdog) = watchdog {
        watchdog.dismiss().await;
    }
}

/// Fast shutdown, then immediate, then the end.
async fn shut_down(child: &mut Child) -> Result<(), EmbeddedError> {
    let waiting = || "could not wait for PostgreSQL".to_owned();
    for (signal, patience) in
        [(Signal::SIGINT, FAST_SHUTDOWN), (Signal::SIGQUIT, Duration::from_secs(10))]
    {
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // The child is not reaped yet, so the number is still its own.
            let _ = kill(Pid::from_raw(pid), signal);
        }
        if let Ok(ended) = tokio::time::timeout(patience, child.wait()).await {
            ended.tried(waiting)?;
            return Ok(());
        }
        tracing::warn!(?signal, "PostgreSQL takes its time to stop; insisting");
    }
    child.kill().await.tried(waiting)
}

/// What ends one connection whenever the server starts or stops.
const ROUTINE: [&str; 4] = [
    "the database system is starting up",
    "the database system is shutting down",
    "terminating connection due to administrator command",
    "connection to client lost",
];

/// FATAL is fatal to one connection, PANIC to the server.
fn level(line: &str) -> Level {
    let (severity, message) = line.split_once(':').unwrap_or_default();
    match severity {
        "PANIC" => Level::ERROR,
        "FATAL" if ROUTINE.contains(&message.trim()) => Level::DEBUG,
        "FATAL" | "WARNING" => Level::WARN,
        _ => Level::DEBUG,
    }
}

/// Passes the server's log on, each line at the level that it has.
async fn read_log(stderr: impl AsyncRead + Unpin, lines: LastLines) {
    let mut reader = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        let text = line.trim();
        match level(text) {
            Level::ERROR => tracing::error!(target: "postgres", "{text}"),
            Level::WARN => tracing::warn!(target: "postgres", "{text}"),
            _ => tracing::debug!(target: "postgres", "{text}"),
        }
        if !text.is_empty() {
            lines.push(text.to_owned());
        }
    }
}
