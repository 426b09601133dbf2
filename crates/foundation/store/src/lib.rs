//! PostgreSQL: the embedded server, tenant-scoped transactions, migrations, jobs, the audit trail and its sealing.

pub mod audit;
pub mod backup;
pub mod bootstrap;
pub mod builtins;
pub mod doctor;
pub mod embedded;
pub mod jobs;
pub mod migrate;
pub mod platform;
pub mod retention;
pub mod testing;

mod background;
mod config;
mod context;
mod door;
mod error;
mod health;
mod live;
mod object_file;
mod outbox;
mod pulse;
mod queue;
mod store;
mod tx;

pub use background::Background;
pub use config::DatabaseConfig;
pub use door::Door;
pub use error::StoreError;
pub use health::{Health, HealthRecord, OrganizationHealth, health_list, organization_health};
pub use live::{Live, LiveUpdate};
pub use pulse::{Heartbeats, Pulse, heartbeats_write};
pub use store::Store;
pub use tx::OrgTx;
