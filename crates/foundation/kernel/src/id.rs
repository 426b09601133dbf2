//! Typed ids: a model's id can't be passed where a data set's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a {kind} id; an id is a UUID such as 01930b2e-7c1a-7def-8000-1b2c3d4e5f60"
)]
pub struct ParseIdError {
    /// What the id should have named.
    pub kind: &'static str,
    /// The text as given.
    pub text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id: UUIDv7, so that ids sort by the time they were made.
            #[allow(clippy::new_without_default, reason = "a default id would be a different one each time")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID, as PostgreSQL stores it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| ParseIdError { kind: $kind, text: text.to_owned() })
            }
        }
    )+};
}

ids! {
    /// A way to pay.
    PaymentMethodId = "payment method",
    /// A post of a trust centre.
    PostId = "post",
    /// A tenant.
    OrganizationId = "organization",
    /// A person, who may be a member of many organizations.
    UserId = "user",
    /// A person's membership of one organization.
    MemberId = "member",
    /// An invitation to an organization.
    InvitationId = "invitation",
    /// A team of members.
    TeamId = "team",
    /// A named set of permissions.
    RoleId = "role",
    /// A log-in in one browser.
    SessionId = "session",
    /// A person as a provider of log-ins knows them.
    UserIdentityId = "linked identity",
    /// A key that programs authenticate with.
    ApiKeyId = "API key",
    /// An archive of what is held on a person.
    DataExportId = "data export",
    /// A month of an organization's rows that went to the object store.
    ArchiveId = "archive",
    /// An AI assistant governed as staff.
    AssistantId = "assistant",
    /// A registered model.
    ModelId = "model",
    /// One version of a model.
    ModelVersionId = "model version",
    /// The file of a model's version.
    ModelArtifactId = "model artefact",
    /// A registered data set.
    DatasetId = "dataset",
    /// A bias analysis.
    AnalysisId = "bias analysis",
    /// A mitigation that was computed from an analysis' data.
    MitigationId = "mitigation",
    /// A mitigation's application to a data set.
    MitigationApplicationId = "application of a mitigation",
    /// An explanation of a model.
    ExplanationId = "explanation",
    /// An address to which programs push rows.
    RowFeedId = "row feed",
    /// One metric's result within a bias analysis.
    ResultId = "bias analysis result",
    /// A watch over a model or a data set.
    MonitorId = "monitor",
    /// Something that a monitor found wrong.
    AlertId = "alert",
    /// A piece of background work.
    JobId = "job",
    /// An audit entry.
    EntryId = "audit entry",
    /// One request, from its arrival to its answer.
    RequestId = "request",
}

impl OrganizationId {
    /// The reserved organization in which changes to global rows are booked.
    pub const PLATFORM: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = ModelId::new();
        assert_eq!(id.to_string().parse::<ModelId>().unwrap(), id);
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let ids: Vec<_> = std::iter::repeat_with(DatasetId::new).take(100).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn a_bad_id_is_named_in_the_error() {
        let error = "12".parse::<ModelId>().unwrap_err();
        assert!(error.to_string().contains("`12` is not a model id"));
    }
}
