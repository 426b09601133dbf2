//! The private PostgreSQL that Ephor runs in its data folder when it is given no `DATABASE_URL`.
//!
//! Its parts: which programs (`binaries`), as whom (`account`), where (`layout`), for whom
//! (`credentials`), one at a time (`lock`), made (`initialise`), kept up (`server`), cleaned up after
//! (`leftovers`), bound to Ephor's life (`parent_death`, `watchdog`), moved to a newer version
//! (`upgrade`).

mod account;
mod binaries;
mod credentials;
mod error;
mod initialise;
mod layout;
mod leftovers;
mod lock;
mod parent_death;
mod ready;
mod server;
mod shared;
#[cfg(test)]
mod tests;
mod upgrade;
mod watchdog;

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::Connection;

pub use self::{
    account::Account,
    binaries::{Binaries, OLDEST_MAJOR, SearchPlaces},
    credentials::{DATABASE, SUPERUSER, Urls},
    error::EmbeddedError,
};
use self::{
    credentials::Credentials,
    error::Tried,
    initialise::initialise,
    layout::Layout,
    lock::FolderLock,
    ready::until_ready,
    server::{Launch, Server, State},
    upgrade::Decision,
};
pub(crate) use self::{initialise::run as run_program, shared::shared};
use crate::bootstrap;

/// How to run the private server. The default is right for production.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where to look for PostgreSQL's programs; `None` is [`SearchPlaces::of_this_machine`].
    pub places: Option<SearchPlaces>,
    /// Whom root steps down to; `None` is `postgres`, else `nobody`.
    pub account: Option<String>,
    /// PostgreSQL's own settings, added to ours and stronger than they are.
    pub settings: Vec<(String, String)>,
    /// Do not wait for the disk when the data is made. For tests.
    pub hasty: bool,
}

/// A private server that runs, and ends with this value.
#[derive(Debug)]
pub struct Cluster {
    // Declared before the lock: the server ends first when the value is dropped.
    server: Server,
    urls: Urls,
    layout: Layout,
    binaries: Binaries,
    _lock: FolderLock,
}

impl Cluster {
    /// Starts the server in `data_folder`, making folder, database, roles and logins where they are
    /// missing and moving the data to a newer PostgreSQL where one is installed. Returns when the
    /// server answers. Migrations are the caller's next step.
    ///
    /// Only one process at a time has a data folder; a second one is told which.
    pub async fn start(data_folder: &Path, options: Options) -> Result<Self, EmbeddedError> {
        let installed = options.places.unwrap_or_else(SearchPlaces::of_this_machine).find()?;
        let account = Account::choose(options.account.as_deref())?;
        let layout = Layout::prepare(data_folder, account.as_ref())?;
        let lock = FolderLock::take(&layout.root)?;
        upgrade::recover(&layout)?;
        let credentials = Credentials::load_or_make(&layout)?;
        layout.prepare_socket(account.as_ref())?;
        let urls = Urls::new(layout.socket.clone(), credentials);

        let decision = upgrade::decide(&layout, upgrade::written_by(&layout)?, &installed)?;
        let launch = |binaries: &Binaries| Launch {
            binaries: binaries.clone(),
            account: account.clone(),
            data: layout.data.clone(),
            layout: layout.clone(),
            settings: options.settings.clone(),
        };
        let binaries = match decision {
            Decision::Run(binaries) => binaries,
            Decision::Fresh(binaries) => {
                make_data(&binaries, account.as_ref(), &layout, &urls, !options.hasty).await?;
                binaries
            }
            Decision::Upgrade { from, to } => {
                upgrade::upgrade(launch(&from), to.clone(), &urls, !options.hasty).await?;
                to
            }
        };
        let server = Server::launch(launch(&binaries))?;
        let mut connection = until_ready(&server, &urls).await?;
        bootstrap::prepare_server(&mut connection, &urls).await?;
        connection.close().await?;
        Ok(Self { server, urls, layout, binaries, _lock: lock })
    }

    /// How to reach it, as each of its logins.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// The folder of its socket, for `psql -h`.
    pub fn socket_folder(&self) -> &Path {
        &self.layout.socket
    }

    /// The data folder, without symbolic links.
    pub fn data_folder(&self) -> &Path {
        &self.layout.root
    }

    /// The programs that it runs from, with their version.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The process id of the server, unless it is down at the moment.
    pub fn process_id(&self) -> Option<u32> {
        match *self.server.state().borrow() {
            State::Running(pid) => Some(pid),
            _ => None,
        }
    }

    /// Waits until the server has died too often to be brought back, and says why. A single death
    /// is an accident: the server is started again, and connections come back.
    pub async fn given_up(&self) -> String {
        let mut state = self.server.state();
        loop {
            if let State::Failed(said) = &*state.borrow_and_update() {
                return said.clone();
            }
            if state.changed().await.is_err() {
                return "its thread has ended".to_owned();
            }
        }
    }

    /// Stops it cleanly: open transactions are rolled back, everything else is on disk.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.server.stop().await
    }
}

/// Makes the data beside its place and moves it there when it is whole.
async fn make_data(
    binaries: &Binaries,
    account: Option<&Account>,
    layout: &Layout,
    urls: &Urls,
    durable: bool,
) -> Result<(), EmbeddedError> {
    tracing::info!(version = binaries.version(), folder = %layout.data.display(), "making a database");
    initialise(binaries, account, layout, urls.password(SUPERUSER), durable).await?;
    fs::rename(&layout.unfinished, &layout.data)
        .tried(|| format!("could not put {} in its place", layout.data.display()))
}

/// Where the data folder is when nobody says otherwise: `/var/lib/ephor` as root, whose home is
/// closed to the user that PostgreSQL runs as; else under `XDG_DATA_HOME` or the home folder.
///
/// The arguments are the values of `XDG_DATA_HOME` and `HOME`. `None` when there is neither.
pub fn default_data_folder(data_home: Option<&Path>, home: Option<&Path>) -> Option<PathBuf> {
    let absolute = |path: &&Path| path.is_absolute();
    if nix::unistd::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/ephor"));
    }
    let data_home = data_home.filter(absolute).map(|path| path.join("ephor"));
    data_home.or_else(|| {
        let home = home.filter(absolute)?;
        Some(home.join(if cfg!(target_os = "macos") {
            "Library/Application Support/ephor"
        } else {
            ".local/share/ephor"
        }))
    })
}
