//! The API over HTTP.

mod account;
mod administration;
mod authenticate;
mod extract;
mod invitations;
mod letters;
mod operations;
mod origin;
mod privacy;
mod resources;
mod security;

pub use authenticate::authenticate;
pub use extract::Context;
pub use operations::operations;
pub use resources::RESOURCES;

use axum::{Router, extract::FromRef};

use crate::identity::Identity;

/// The routes that are more than storing a row; those of [`RESOURCES`] are the resource engine's.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    account::routes()
        .merge(administration::routes())
        .merge(security::routes())
        .merge(invitations::routes())
        .merge(letters::routes())
        .merge(privacy::routes())
}
