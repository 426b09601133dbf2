//! Commands that speak to a running server over its API, as anybody's program would.

mod act;
mod call;
mod client;
mod content;
mod credentials;
mod document;
mod go;
mod history;
mod input;
mod kinds;
mod list;
mod login;
mod offer;
mod org;
mod output;
mod replaced;
mod resource;
mod transfer;
mod upload;

pub use login::Args as Login;
pub use org::Command as Org;
pub use resource::Command as Resource;

/// Which server, and who asks.
#[derive(Debug, Clone, clap::Args)]
pub struct Remote {
    /// The server, instead of the one that `ephor login` kept
    #[arg(long, env = "EPHOR_SERVER", value_name = "URL", global = true)]
    server: Option<String>,
    /// An API key, instead of the kept one
    #[arg(long, env = "EPHOR_API_KEY", hide_env_values = true, value_name = "KEY", global = true)]
    api_key: Option<String>,
}
