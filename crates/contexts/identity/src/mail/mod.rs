//! Mails to people: asked for in a transaction, written and sent by a job.
//!
//! A job holds ids alone. The secret of a link is made when its mail is written: it goes into the
//! mail, and its hash into the database, and no row, log or audit entry ever holds it. A mail that
//! is written anew, because the server was away, has a link of its own; the newest one works.

mod handler;
mod letter;
mod queue;

pub use handler::MailHandler;
pub(crate) use queue::{MailJob, no_mail, queue};
