//! What can be bought, what an organization has bought, and what it used.
//!
//! Tiers, products and prices are the same for all organizations; subscriptions, payment methods,
//! invoices and usage belong to one. Stripe leads where it is connected, and the rows mirror it:
//! hence nothing here is written through the API.

mod resources;

pub use resources::RESOURCES;
