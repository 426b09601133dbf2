//! What can be bought, what an organization has bought, what it may use of it, and what it used.
//!
//! Tiers, products and prices are the same for all organizations; subscriptions, payment methods,
//! invoices and usage belong to one. Stripe leads where it is connected, and the rows mirror it:
//! hence hardly anything here is written through the API.
//!
//! [`Billing`] meters requests and knows what is in force; [`govern()`] is the layer that holds them
//! against it. How many members, assistants, analyses and deliberations there may be, the database
//! itself keeps, whoever makes one. docs/billing.md tells the whole of it.

mod background;
mod billing;
mod config;
mod default_tier;
mod feature;
mod gauge;
mod govern;
mod limits;
mod meter;
mod operations;
mod payment_method;
mod resources;
mod routes;
mod usage;

pub use billing::Billing;
pub use config::BillingConfig;
pub use feature::{UNGATED, feature_of};
pub use govern::govern;
pub use limits::Limits;
pub use operations::operations;
pub use resources::RESOURCES;
pub use routes::routes;
pub use usage::{DayUsage, EndpointUsage, FeatureUse, LimitUse, Per, Usage};
