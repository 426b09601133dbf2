//! The second factor: codes by time (RFC 6238), recovery codes, and a log-in of two steps.

mod code;
mod enrol;
mod half_session;
mod own;
mod qr;
mod recovery;
mod totp;

pub use code::SecondFactorCode;
pub use enrol::{Enrolment, RecoveryCodes};
pub(crate) use half_session::Proof;
pub use half_session::{HalfSession, LogInCode, LoggedIn};
pub use own::{SecondFactorOff, SecondFactorState};
