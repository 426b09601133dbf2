//! How identity is set up: the section `[identity]` of ephor.toml.

use serde::{Deserialize, Serialize};

/// Sessions, passwords and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// May anybody sign up, and so open an organization?
    pub open_sign_up: bool,
    /// Are the cookies for https only? True wherever browsers come by https, also through a proxy.
    pub secure_cookies: bool,
    /// The address under which browsers find Ephor, such as `https://ephor.example.org`, when a
    /// proxy changes the `Host` header. Forms are accepted from there.
    pub public_url: Option<String>,
    /// Is mail set up (`[mail]`)? If not, administrators hand over the links that would be mailed.
    pub mail: bool,
    /// After how many minutes without use a session ends.
    pub session_idle_minutes: u32,
    /// After how many hours a session ends in any case.
    pub session_hours: u32,
    /// After how many minutes a session's secret is replaced.
    pub session_rotation_minutes: u32,
    /// For how many days the link works with which an added person joins.
    pub join_days: u32,
    /// Memory of one password hash, in KiB (OWASP's least for two passes: 19456).
    pub password_memory_kib: u32,
    /// Passes over that memory.
    pub password_passes: u32,
    /// How many passwords are hashed at once.
    pub password_at_once: u32,
    /// A refused log-in is answered at a multiple of so many milliseconds after it began, so that its
    /// time does not tell who has an account; 0 answers at once.
    pub refusal_milliseconds: u32,
    /// Log-ins to one account within the window, right or wrong.
    pub log_ins_per_account: u32,
    /// Log-ins from one address within the window.
    pub log_ins_per_address: u32,
    /// Sign-ups from one address within the window.
    pub sign_ups_per_address: u32,
    /// Mails to one e-mail address within the window.
    pub mails_per_account: u32,
    /// Mails that one address may ask for within the window.
    pub mails_per_address: u32,
    /// The window in which attempts are counted, in minutes.
    pub attempt_window_minutes: u32,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            open_sign_up: true,
            secure_cookies: false,
            public_url: None,
            mail: false,
            session_idle_minutes: 8 * 60,
            session_hours: 14 * 24,
            session_rotation_minutes: 60,
            join_days: 7,
            password_memory_kib: 19_456,
            password_passes: 2,
            password_at_once: 2,
            refusal_milliseconds: 500,
            log_ins_per_account: 10,
            log_ins_per_address: 100,
            sign_ups_per_address: 20,
            mails_per_account: 5,
            mails_per_address: 100,
            attempt_window_minutes: 15,
        }
    }
}

impl IdentityConfig {
    pub(crate) fn idle_seconds(&self) -> f64 {
        f64::from(self.session_idle_minutes) * 60.0
    }

    pub(crate) fn session_seconds(&self) -> f64 {
        f64::from(self.session_hours) * 3600.0
    }

    pub(crate) fn rotation_seconds(&self) -> f64 {
        f64::from(self.session_rotation_minutes) * 60.0
    }

    pub(crate) fn join_seconds(&self) -> f64 {
        f64::from(self.join_days) * 86_400.0
    }

    /// A page's address for a mail: the page below the address under which browsers find Ephor.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_deref().unwrap_or_default().trim_end_matches('/'))
    }

    pub(crate) fn window_seconds(&self) -> f64 {
        f64::from(self.attempt_window_minutes) * 60.0
    }
}
