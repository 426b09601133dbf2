//! Log-in elsewhere: OpenID Connect providers that the operator names, and their tokens.

mod admit;
mod bearer;
mod config;
mod departure;
mod discovery;
mod http;
mod jwk;
mod linked;
mod provider;
mod token;
mod userinfo;

pub use config::{ProviderConfig, ProviderFault};
pub use departure::{Arrival, Callback, Departure, departure_cookie};
pub use linked::LinkedIdentity;
pub use provider::{Provider, ProviderOffer};
