//! The organization and oneself: members, roles, API keys, sessions, settings.

mod account;
mod api_keys;
mod invitations;
mod members;
mod my_data;
mod organization;
mod permissions;
mod role_field;
mod roles;
pub(crate) mod secret;
pub(crate) mod security;
mod sessions;

use axum::Router;

use crate::ConsoleState;

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(roles::routes())
        .merge(api_keys::routes())
        .merge(sessions::routes())
        .merge(account::routes())
        .merge(security::routes())
        .merge(my_data::routes())
        .merge(organization::routes())
}
