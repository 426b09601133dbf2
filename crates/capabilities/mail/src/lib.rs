//! Mail by SMTP: in the clear on this machine, else by TLS.
//!
//! [`Mailer::new`] reads a [`MailConfig`]; [`Mailer::send`] hands one [`Mail`] to the server and
//! says by its error whether another try may succeed.

mod config;
mod message;
mod send;
mod server;
mod stream;

pub use config::{MailConfig, MailFault};
pub use message::Mail;
pub use send::{MailError, Mailer};
