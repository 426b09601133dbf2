//! The passwords of the private server's logins, and the URLs made from them.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rand::{TryRng, rngs::SysRng};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use super::{
    error::{EmbeddedError, Tried},
    layout::{Layout, PORT},
};
use crate::bootstrap::Login;

/// The database that Ephor keeps everything in.
pub const DATABASE: &str = "ephor";
/// The role that owns the private server.
pub const SUPERUSER: &str = "postgres";

/// A random password per login: 192 bits, in hexadecimal, so that it needs no escaping anywhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials(BTreeMap<String, String>);

impl Credentials {
    fn random() -> Result<Self, EmbeddedError> {
        let roles = Login::ALL.iter().map(|login| login.role()).chain([SUPERUSER]);
        roles.map(|role| Ok((role.to_owned(), password()?))).collect::<Result<_, _>>().map(Self)
    }

    /// Reads the passwords, or makes them when there is no database yet either.
    pub(super) fn load_or_make(layout: &Layout) -> Result<Self, EmbeddedError> {
        if layout.data.exists() || layout.credentials.exists() {
            return Self::load(layout);
        }
        let made = Self::random()?;
        made.save(&layout.credentials)?;
        Ok(made)
    }

    /// Reads the passwords.
    pub(super) fn load(layout: &Layout) -> Result<Self, EmbeddedError> {
        let refuse = |reason: String| EmbeddedError::Credentials {
            file: layout.credentials.clone(),
            data: layout.data.clone(),
            reason,
        };
        let text = fs::read(&layout.credentials).map_err(|error| refuse(error.to_string()))?;
        let mut found: BTreeMap<String, String> =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        if !found.contains_key(SUPERUSER) {
            return Err(refuse(format!("it holds no password for `{SUPERUSER}`")));
        }
        // A newer Ephor may know more logins than the one that wrote the file.
        let mut grown = false;
        for login in Login::ALL {
            if !found.contains_key(login.role()) {
                found.insert(login.role().to_owned(), password()?);
                grown = true;
            }
        }
        let credentials = Self(found);
        if grown {
            credentials.save(&layout.credentials)?;
        }
        Ok(credentials)
    }

    /// Writes the file whole or not at all, readable by its owner alone.
    fn save(&self, path: &Path) -> Result<(), EmbeddedError> {
        let tried = || format!("could not write {}", path.display());
        let unfinished = path.with_extension("json.new");
        let _ = fs::remove_file(&unfinished);
        let text = serde_json::to_vec_pretty(&self.0).map_err(std::io::Error::from).tried(tried)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .tried(tried)?;
        file.write_all(&text).and_then(|()| file.sync_all()).tried(tried)?;
        fs::rename(&unfinished, path).tried(tried)
    }

    /// The password of a role.
    pub(super) fn of(&self, role: &str) -> &str {
        self.0.get(role).map_or("", String::as_str)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn password() -> Result<String, EmbeddedError> {
    let mut bytes = [0_u8; 24];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(std::io::Error::other)
        .tried(|| "the system gave no random numbers for a password".to_owned())?;
    Ok(hex::encode(bytes))
}

/// How to reach the private server, as each of its logins. Debug output holds no password.
#[derive(Debug, Clone)]
pub struct Urls {
    socket: PathBuf,
    credentials: Credentials,
}

impl Urls {
    pub(super) fn new(socket: PathBuf, credentials: Credentials) -> Self {
        Self { socket, credentials }
    }

    /// The URLs of the server in a data folder, whether it runs or not: what `ephor db url` prints.
    pub fn of_folder(data_folder: &Path) -> Result<Self, EmbeddedError> {
        let layout = Layout::of(data_folder)?;
        let credentials = Credentials::load(&layout)?;
        Ok(Self::new(layout.socket, credentials))
    }

    /// Serves requests: `DATABASE_URL` of a server elsewhere.
    pub fn app(&self) -> String {
        self.login(Login::App)
    }

    /// Does background work: `EPHOR_DATABASE_SYSTEM_URL`.
    pub fn system(&self) -> String {
        self.login(Login::System)
    }

    /// Seals the audit trail: `EPHOR_DATABASE_SEALER_URL`.
    pub fn sealer(&self) -> String {
        self.login(Login::Sealer)
    }

    /// Runs migrations: `EPHOR_DATABASE_MIGRATE_URL`.
    pub fn migrate(&self) -> String {
        self.login(Login::Migrator)
    }

    /// Reads everything, for backups.
    pub fn backup(&self) -> String {
        self.login(Login::Backup)
    }

    /// The server's own superuser. For set-up and repair, never for serving.
    pub fn superuser(&self) -> String {
        self.url(SUPERUSER, DATABASE)
    }

    /// The URL of one login.
    pub fn login(&self, login: Login) -> String {
        self.url(login.role(), DATABASE)
    }

    /// The URL of any role with a password, and any database.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        let socket: String = self.socket.to_string_lossy().bytes().map(escape).collect();
        let password = self.credentials.of(role);
        format!("postgres://{role}:{password}@{socket}:{PORT}/{database}")
    }

    /// What [`Urls::url`] says, for sqlx.
    pub(crate) fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket)
            .port(PORT)
            .username(role)
            .password(self.credentials.of(role))
            .database(database)
            // These connections set the logins' passwords, which no log may hold.
            .disable_statement_logging()
    }

    /// The folder of the socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The password of a role.
    pub(crate) fn password(&self, role: &str) -> &str {
        self.credentials.of(role)
    }
}

/// Percent-escapes what may not stand in a URL's host, where libpq and sqlx look for a socket's folder.
fn escape(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::of(root.path()).unwrap();
        (root, layout)
    }

    #[test]
    fn passwords_are_kept_to_their_owner_and_read_back() {
        let (_root, layout) = layout();
        let made = Credentials::load_or_make(&layout).unwrap();
        let mode = fs::metadata(&layout.credentials).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Credentials::load_or_make(&layout).unwrap(), made);
        assert_eq!(made.of(Login::App.role()).len(), 48);
        assert_ne!(made.of(Login::App.role()), made.of(Login::System.role()));
    }

    #[test]
    fn a_database_without_its_passwords_is_not_given_new_ones() {
        let (_root, layout) = layout();
        fs::create_dir(&layout.data).unwrap();
        let text = Credentials::load_or_make(&layout).unwrap_err().to_string();
        assert!(text.contains("credentials.json") && text.contains("backup"), "{text}");
    }

    #[test]
    fn a_login_that_is_new_gets_a_password() {
        let (_root, layout) = layout();
        fs::write(&layout.credentials, r#"{"postgres": "x"}"#).unwrap();
        let first = Credentials::load(&layout).unwrap();
        assert_eq!(first.of(SUPERUSER), "x");
        assert_eq!(Credentials::load(&layout).unwrap(), first);
    }

    #[test]
    fn debug_output_holds_no_password() {
        let (_root, layout) = layout();
        let made = Credentials::load_or_make(&layout).unwrap();
        let shown = format!("{:?}", Urls::new(layout.socket, made.clone()));
        assert!(!shown.contains(made.of(SUPERUSER)), "{shown}");
    }

    #[test]
    fn a_url_is_read_by_sqlx_whatever_the_folder_is_called() {
        let (_root, layout) = layout();
        let urls = Urls::new("/tmp/a b&c/ü".into(), Credentials::load_or_make(&layout).unwrap());
        let options: PgConnectOptions = urls.app().parse().unwrap();
        assert_eq!(options.get_socket().unwrap(), Path::new("/tmp/a b&c/ü"));
        assert_eq!(options.get_username(), Login::App.role());
        assert_eq!(options.get_database(), Some(DATABASE));
    }
}
