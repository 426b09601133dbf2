//! The installation as a whole, for who runs it: how it is, which organizations and people there are,
//! and what no organization can do for itself.
//!
//! All of it acts as ephor_system, by functions that are granted to nobody else
//! (migration `0073_platform.sql`); every change is told in the trail of the platform's own organization.

mod erasures;
mod exclusive;
mod organizations;
mod partitions;
mod people;
mod status;

pub use erasures::{Erasure, OpenErasures, erasure_list, erasures_open};
pub use exclusive::{Exclusive, exclusive};
pub use organizations::{
    OrganizationChange, OrganizationSize, TierRow, organization_list, organization_set, tier_list,
};
pub use partitions::{
    PartitionedTable, SlowQueries, SlowQuery, TableSize, partition_list, slow_queries, table_sizes,
};
pub use people::{
    Person, SecondFactorRemoved, UserSet, is_platform_administrator, user_list,
    user_second_factor_remove, user_sessions_end, user_set,
};
pub use status::{PlatformStatus, platform_status};

use ephor_kernel::{OrganizationId, Scope};

/// The scope of what concerns no organization in particular.
fn scope(reason: &str) -> Scope {
    Scope::platform(OrganizationId::PLATFORM, reason)
}
