//! What the resource engine serves of billing's tables.

use ephor_rest::{Include, ResourceSpec};

/// Subscriptions, payment methods, invoices and usage records: all are mirrors or meters, so there
/// is nothing to write. Tiers, products and prices have no organization, hence are not served by
/// the engine, whose every statement names one.
pub const RESOURCES: &[ResourceSpec] = &[SUBSCRIPTIONS, PAYMENT_METHODS, INVOICES, USAGE_RECORDS];

const SUBSCRIPTIONS: ResourceSpec = ResourceSpec::new("subscriptions", "billing.subscriptions")
    .labels("subscription", "subscriptions")
    .search(&["stripe_subscription_id", "stripe_customer_id"])
    .include(&[Include::many("invoices", "invoices", "subscription_id")])
    .reach();

/// Who pays with what is nobody else's business: no reach.
const PAYMENT_METHODS: ResourceSpec =
    ResourceSpec::new("payment_methods", "billing.payment_methods")
        .labels("payment method", "payment methods")
        .search(&["brand", "last4"]);

const INVOICES: ResourceSpec = ResourceSpec::new("invoices", "billing.invoices")
    .labels("invoice", "invoices")
    .search(&["invoice_number", "stripe_invoice_id"])
    .include(&[Include::one("subscription", "subscriptions", "subscription_id")])
    .parent("subscriptions", "subscription_id", "invoices")
    .reach();

const USAGE_RECORDS: ResourceSpec = ResourceSpec::new("usage_records", "billing.usage_records")
    .labels("usage record", "usage records")
    .search(&["endpoint"])
    .reach();
