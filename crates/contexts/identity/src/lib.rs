//! Who acts: people, organizations, members, roles, sessions and keys.
//!
//! [`Identity`] is the service: its functions are what the API's routes and the console's pages
//! call. [`authenticate`] is the layer that turns a session cookie or an API key into a
//! [`ephor_kernel::Scope`]; [`routes`], [`RESOURCES`] and [`operations`] are the API.
//! docs/identity.md tells the whole of it.

mod account_details;
mod api_key;
mod background;
mod builtins;
mod config;
mod constraints;
mod cookie;
mod email;
mod external;

mod identity;
mod imported_hash;
mod invitation;
mod key_usage;
mod log_in;
mod mail;
mod me;
mod member;
mod membership;
mod organization;
mod password;
mod password_reset;
pub mod permissions;
mod privacy;
mod refusal_beat;
mod role;
mod saved_view;
mod second_factor;
mod secrets;
mod session;
mod sign_up;
mod suspended;
mod text;
mod throttle;
mod vault;
mod verify_email;
mod web;

pub use api_key::{ApiKeySummary, CreateApiKey, CreatedApiKey};
pub use config::IdentityConfig;
pub use cookie::{COOKIE_NAME, SECURE_COOKIE_NAME, SessionCookie, removal as removed_cookie};
pub use email::Email;
pub use external::{
    Arrival, Callback, Departure, LinkedIdentity, Provider, ProviderConfig, ProviderFault,
    ProviderOffer, departure_cookie,
};
pub use identity::Identity;
pub use invitation::{AcceptInvitation, AcceptedInvitation, InvitationOffer, Invite, Invited};
pub use log_in::LogIn;
pub use mail::MailHandler;
pub use me::{ChangeMe, ChangePassword, Me, MyAccount, MyOrganization};
pub use member::{AddMember, AddedMember, ChangeMember, Join, JoinLink, JoinOffer, MemberSummary};
pub use organization::{OpenSubsidiary, OpenedSubsidiary};
pub use password::Password;
pub use password_reset::{ForgotPassword, ResetPassword};
pub use permissions::{BUILTIN_ROLES, BuiltinRole, CATALOGUE, builtin_roles_json};
pub use privacy::{DataExport, DataExportContent, EraseMe};
pub use role::{ChangeRole, CreateRole, RoleSummary};
pub use second_factor::{
    Enrolment, HalfSession, LogInCode, LoggedIn, RecoveryCodes, SecondFactorCode, SecondFactorOff,
    SecondFactorState,
};
pub use secrets::random as random_key;
pub use secrets::{
    ApiKeyToken, CsrfSecret, CsrfToken, InvitationToken, JoinToken, MailToken, SessionToken,
};
pub use session::{CurrentSession, SessionSummary};
pub use sign_up::{SignUp, SignedUp};
pub use vault::{Follow, KeyId, Resealed, SealedCount, Vault, VaultKeys};
pub use web::{Context, RESOURCES, authenticate, operations, routes};
