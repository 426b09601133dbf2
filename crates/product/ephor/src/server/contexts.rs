//! What the contexts bring: their resources and their actions, in the order of the loop.

use ephor_rest::{Operation, ResourceSpec};

/// The resources of all contexts.
pub fn resources() -> impl Iterator<Item = ResourceSpec> {
    [
        ephor_identity::RESOURCES,
        ephor_discovery::RESOURCES,
        ephor_registry::RESOURCES,
        ephor_assurance::resources::RESOURCES,
        ephor_guard::RESOURCES,
        ephor_gateway::RESOURCES,
        ephor_workforce::RESOURCES,
        ephor_deliberation::RESOURCES,
        ephor_risk::RESOURCES,
        ephor_compliance::RESOURCES,
        ephor_billing::RESOURCES,
        ephor_content::RESOURCES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// What is more than storing a row.
pub fn operations() -> impl Iterator<Item = Operation> {
    ephor_identity::operations()
        .into_iter()
        .chain(ephor_registry::operations())
        .chain(ephor_assurance::operations())
        .chain(ephor_billing::operations())
        .chain(ephor_content::operations())
        .chain(super::trail::operations())
        .chain(super::archives::operations())
        .chain(super::system_health::operations())
}
