//! Permissions: `resource:action`, either of which may be `*`.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Something that one may do: `models:update`, `models:*`, `*:read`, `*:*` (also written `*`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission {
    resource: String,
    action: String,
}

/// A text that is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a permission; one is written resource:action in lower case, such as models:read, models:* or *"
)]
pub struct ParsePermissionError(pub String);

impl Permission {
    /// The resource's word, or `*`.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The action's word, or `*`.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Does it allow all that `other` allows?
    pub fn covers(&self, other: &Self) -> bool {
        self.allows(&other.resource, &other.action)
    }

    fn allows(&self, resource: &str, action: &str) -> bool {
        (self.resource == "*" || self.resource == resource)
            && (self.action == "*" || self.action == action)
    }
}

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(text: &str) -> Result<Self, ParsePermissionError> {
        let word = |word: &str| {
            word == "*"
                || (!word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()))
        };
        let (resource, action) = if text == "*" {
            ("*", "*")
        } else {
            text.split_once(':').ok_or_else(|| ParsePermissionError(text.to_owned()))?
        };
        if word(resource) && word(action) {
            Ok(Self { resource: resource.to_owned(), action: action.to_owned() })
        } else {
            Err(ParsePermissionError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Permission {
    type Error = ParsePermissionError;

    fn try_from(text: String) -> Result<Self, ParsePermissionError> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.to_string()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

/// All that somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermissionSet(BTreeSet<Permission>);

impl PermissionSet {
    /// Every permission there is.
    pub fn all() -> Self {
        Self(BTreeSet::from([Permission { resource: "*".into(), action: "*".into() }]))
    }

    /// Reads a list such as `["models:read", "datasets:*"]`.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ParsePermissionError> {
        words.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    /// May one do `action` to `resource`?
    pub fn allows(&self, resource: &str, action: &str) -> bool {
        self.0.iter().any(|permission| permission.allows(resource, action))
    }

    /// Is every permission of `other` covered by one of these?
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|wanted| self.0.iter().any(|had| had.covers(wanted)))
    }

    /// What both allow: what a key may do is never more than its owner may.
    pub fn intersection(&self, other: &Self) -> Self {
        let meet = |a: &str, b: &str| match (a, b) {
            ("*", word) | (word, "*") => Some(word.to_owned()),
            (a, b) => (a == b).then(|| a.to_owned()),
        };
        let both = self.0.iter().flat_map(|a| {
            other.0.iter().filter_map(move |b| {
                Some(Permission {
                    resource: meet(&a.resource, &b.resource)?,
                    action: meet(&a.action, &b.action)?,
                })
            })
        });
        Self(both.collect())
    }

    /// Of these, what only reads.
    #[must_use]
    pub fn reading(&self) -> Self {
        let read = Permission { resource: "*".into(), action: "read".into() };
        self.intersection(&Self(BTreeSet::from([read])))
    }

    /// The permissions, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        Self(permissions.into_iter().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Vec<String>> {
        let word = prop_oneof![Just("*"), Just("models"), Just("datasets"), Just("roles")];
        let action = prop_oneof![Just("*"), Just("read"), Just("update")];
        prop::collection::vec((word, action).prop_map(|(r, a)| format!("{r}:{a}")), 0..5)
    }

    fn set(words: &[String]) -> PermissionSet {
        PermissionSet::parse(words.iter().map(String::as_str)).unwrap()
    }

    #[test]
    fn a_star_stands_for_every_word() {
        let set = PermissionSet::parse(["models:*", "*:read"]).unwrap();
        assert!(set.allows("models", "delete") && set.allows("roles", "read"));
        assert!(!set.allows("roles", "delete"));
    }

    #[test]
    fn what_only_reads_is_told_apart() {
        let set = PermissionSet::parse(["models:*", "roles:update", "audit:read"]).unwrap();
        let expected = PermissionSet::parse(["models:read", "audit:read"]).unwrap();
        assert_eq!(set.reading(), expected);
        let all = PermissionSet::all().reading();
        assert!(all.allows("models", "read") && !all.allows("models", "update"));
    }

    #[test]
    fn what_is_no_permission_is_refused() {
        for text in
            ["", "models", "models:", ":read", "Models:read", "models:read:x", "models:re ad"]
        {
            assert!(text.parse::<Permission>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_intersection_allows_what_both_allow(a in words(), b in words()) {
            let (a, b) = (set(&a), set(&b));
            let both = a.intersection(&b);
            for resource in ["models", "datasets", "roles", "posts"] {
                for action in ["read", "update", "delete"] {
                    prop_assert_eq!(
                        both.allows(resource, action),
                        a.allows(resource, action) && b.allows(resource, action)
                    );
                }
            }
            prop_assert!(a.covers(&both) && b.covers(&both));
        }
    }
}
