//! What the resource engine serves of billing's tables.

use ephor_rest::{Include, ResourceSpec};

/// All are mirrors or meters, so there is nothing to write. Tiers, products and prices are the same
/// for all organizations; the rest are each one's own.
pub const RESOURCES: &[ResourceSpec] = &[
    SUBSCRIPTION_TIERS,
    PRODUCTS,
    PRICES,
    SUBSCRIPTIONS,
    PAYMENT_METHODS,
    INVOICES,
    USAGE_RECORDS,
];

const SUBSCRIPTION_TIERS: ResourceSpec =
    ResourceSpec::new("subscription_tiers", "billing.subscription_tiers")
        .labels("subscription tier", "subscription tiers")
        .global()
        .sort("price_monthly,name")
        .search(&["name", "description"])
        .include(&[Include::many("products", "products", "subscription_tier_id")]);

const PRODUCTS: ResourceSpec = ResourceSpec::new("products", "billing.products")
    .labels("product", "products")
    .global()
    .sort("title")
    .search(&["title", "description"])
    .include(&[
        Include::one("subscription_tier", "subscription_tiers", "subscription_tier_id"),
        Include::many("prices", "prices", "product_id"),
    ]);

const PRICES: ResourceSpec = ResourceSpec::new("prices", "billing.prices")
    .labels("price", "prices")
    .global()
    .include(&[Include::one("product", "products", "product_id")])
    .parent("products", "product_id", "prices");

const SUBSCRIPTIONS: ResourceSpec = ResourceSpec::new("subscriptions", "billing.subscriptions")
    .labels("subscription", "subscriptions")
    .search(&["stripe_subscription_id", "stripe_customer_id"])
    .include(&[
        Include::many("invoices", "invoices", "subscription_id"),
        Include::one("subscription_tier", "subscription_tiers", "subscription_tier_id"),
    ])
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
