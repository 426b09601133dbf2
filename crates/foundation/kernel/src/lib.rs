//! Typed ids, principals, scopes, events, money, time and problems: the words that every
//! other crate of Ephor speaks. Nothing here reads or writes anything.

mod clock;
mod event;
mod id;
mod money;
mod permission;
mod principal;
mod problem;
mod quota;
mod scope;

pub use clock::{Clock, FixedClock, SystemClock};
pub use event::DomainEvent;
pub use id::{
    AlertId, AnalysisId, ApiKeyId, ArchiveId, AssistantId, DataExportId, DatasetId, EntryId,
    ExplanationId, InvitationId, JobId, MemberId, MitigationApplicationId, MitigationId,
    ModelArtifactId, ModelId, ModelVersionId, MonitorId, OrganizationId, ParseIdError,
    PaymentMethodId, PostId, RequestId, ResultId, RoleId, RowFeedId, SessionId, TeamId, UserId,
    UserIdentityId,
};
pub use money::{Money, MoneyError};
pub use permission::{ParsePermissionError, Permission, PermissionSet};
pub use principal::{ActorType, Principal, SystemPart};
pub use problem::{Code, Fault, Problem};
pub use quota::Quota;
pub use scope::{RequestContext, Scope};
