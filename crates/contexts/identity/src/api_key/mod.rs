//! API keys: how programs authenticate.

mod create;
mod list;
mod lookup;
mod revoke;

pub use create::{CreateApiKey, CreatedApiKey};
pub use list::ApiKeySummary;
