//! The composition root: everything that runs, and how it is joined.

mod app;
mod archives;
pub mod contexts;
mod database;
mod health;
mod key;
mod metrics;
mod proxies;
mod publish;
mod request;
mod retention;
mod router;
mod run;
pub mod secrets_key;
mod system_health;
mod trail;
mod unread;

pub use app::{App, objects, services};
pub use database::Database;
pub use key::{key_file, load as load_key};
pub use run::{run, work};
