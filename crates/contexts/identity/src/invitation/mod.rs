//! Invitations: asked for by a member, accepted by whoever holds the link.

mod accept;
mod create;
mod link;
mod resend;

pub use accept::{AcceptInvitation, AcceptedInvitation, InvitationOffer};
pub use create::{Invite, Invited};
pub(crate) use link::MadeLink;
