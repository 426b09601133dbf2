//! Members: who belongs to an organization, and as what.

mod add;
mod change;
mod join;
mod remove;
pub(crate) mod role;

pub use add::{AddMember, AddedMember, JoinLink};
pub use change::{ChangeMember, MemberSummary};
pub use join::{Join, JoinOffer};
