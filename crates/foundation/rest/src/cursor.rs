//! Where a page ended, sealed so that a caller can neither read meaning into it nor forge it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ephor_kernel::OrganizationId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The values of the order's keys in the last row of a page, as PostgreSQL prints them.
pub type Keys = Vec<Option<String>>;

const TAG_BYTES: usize = 16;
/// Longer ones are refused unread: a key is at most a sorted text or two.
const MAX_CHARACTERS: usize = 16_384;

/// Makes and reads cursors.
#[derive(Clone)]
pub struct Cursors {
    key: [u8; 32],
}

/// What a cursor belongs to. It is worth nothing anywhere else.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The resource's path.
    pub resource: &'a str,
    /// The order, as a text.
    pub order: &'a str,
    /// The organizations that are read, sorted.
    pub organizations: &'a [OrganizationId],
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors(secret)")
    }
}

impl Cursors {
    /// Cursors under a secret key, the same in every process that serves the organization.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The cursor behind the row with these keys.
    pub fn seal(&self, binding: Binding<'_>, keys: &Keys) -> String {
        let payload = serde_json::to_vec(keys).unwrap_or_default();
        let tag = self.mac(binding, &payload).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&tag[..TAG_BYTES], &payload].concat())
    }

    /// The keys, when the cursor was made by [`Cursors::seal`] for the same binding.
    pub fn open(&self, binding: Binding<'_>, cursor: &str) -> Option<Keys> {
        if cursor.len() > MAX_CHARACTERS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG_BYTES)?;
        self.mac(binding, payload).verify_truncated_left(tag).ok()?;
        serde_json::from_slice(payload).ok()
    }

    fn mac(&self, binding: Binding<'_>, payload: &[u8]) -> Hmac<Sha256> {
        // HMAC fills a short key up with zeros to a block.
        let mut block = [0; 64];
        block[..self.key.len()].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in [binding.resource.as_bytes(), binding.order.as_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.update(&(binding.organizations.len() as u64).to_be_bytes());
        for organization in binding.organizations {
            mac.update(organization.uuid().as_bytes());
        }
        mac.update(payload);
        mac
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Keys {
        vec![Some("2026-01-31 12:00:00.123456+00".into()), None, Some("x".into())]
    }

    #[test]
    fn a_cursor_opens_only_where_it_belongs() {
        let cursors = Cursors::new([7; 32]);
        let organizations = [OrganizationId::new(), OrganizationId::new()];
        let here =
            Binding { resource: "models", order: "-created_at,id", organizations: &organizations };
        let cursor = cursors.seal(here, &keys());
        assert_eq!(cursors.open(here, &cursor), Some(keys()));
        for elsewhere in [
            Binding { resource: "datasets", ..here },
            Binding { order: "created_at,id", ..here },
            Binding { organizations: &organizations[..1], ..here },
            Binding { resource: "models-", order: "created_at,id", ..here },
        ] {
            assert_eq!(cursors.open(elsewhere, &cursor), None);
        }
        assert_eq!(Cursors::new([8; 32]).open(here, &cursor), None);
    }

    proptest! {
        #[test]
        fn no_altered_cursor_opens(at in 0_usize..60, letter in "[A-Za-z0-9_-]") {
            let cursors = Cursors::new([7; 32]);
            let here = Binding { resource: "models", order: "id", organizations: &[] };
            let cursor = cursors.seal(here, &keys());
            let mut altered = cursor.clone();
            altered.replace_range(at..=at, &letter);
            prop_assert!(altered == cursor || cursors.open(here, &altered).is_none());
        }

        #[test]
        fn rubbish_is_refused(text in ".{0,200}") {
            let here = Binding { resource: "models", order: "id", organizations: &[] };
            prop_assert_eq!(Cursors::new([7; 32]).open(here, &text), None);
        }
    }
}
