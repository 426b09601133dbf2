//! How it is set up.

use serde::Deserialize;

/// `[billing]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillingConfig {
    /// The code of the tier of organizations that have no other; empty for none, so no limits.
    #[serde(default)]
    pub default_tier: String,
}
