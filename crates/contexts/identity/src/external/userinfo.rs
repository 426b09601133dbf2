//! What an ID token leaves out, some providers tell at another address.

use serde_json::{Map, Value};

use super::{provider::Provider, token::Claims};

impl Provider {
    /// Asks for what the claims lack. The answer counts only if it is about the same person.
    pub(super) async fn complete(&self, claims: &mut Claims, access_token: &str) {
        if claims.text("email").is_some() {
            return;
        }
        let Ok(metadata) = self.discovery.metadata().await else { return };
        let Some(address) = &metadata.userinfo_endpoint else { return };
        match self.http.get::<Map<String, Value>>(address, Some(access_token)).await {
            Ok(more) if more.get("sub").and_then(Value::as_str) == claims.text("sub") => {
                claims.or(more);
            }
            Ok(_) => {
                tracing::warn!(provider = self.config.name, "userinfo is about somebody else");
            }
            Err(cause) => {
                tracing::warn!(provider = self.config.name, cause, "userinfo could not be read");
            }
        }
    }
}
