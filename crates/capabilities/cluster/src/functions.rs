//! The functions that plans may use: the same ones on the scheduler, on executors, and where plans are made.
//!
//! Plans name functions. What ours must know of an analysis is their first argument, a literal, so that nothing of ours needs an
//! encoding of its own.

use std::sync::Arc;

use ballista_core::{
    extension::{
        ballista_aggregate_functions, ballista_scalar_functions, ballista_window_functions,
    },
    optimizer::ballista_default_optimizer_rules,
    registry::BallistaFunctionRegistry,
};
use datafusion::logical_expr::AggregateUDF;
use datafusion::{
    execution::{SessionStateBuilder, runtime_env::RuntimeEnv},
    prelude::SessionConfig,
};
use ephor_fairness::{cube::fair_cube, gather::fair_rows};

/// Our own.
fn ours() -> [Arc<AggregateUDF>; 2] {
    [fair_cube(), fair_rows()]
}

/// What executors look functions up in.
pub(crate) fn registry() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    for function in ours() {
        registry.aggregate_functions.insert(function.name().to_owned(), function);
    }
    registry
}

/// A session that knows the functions.
pub(crate) fn session(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionStateBuilder {
    let mut aggregates = ballista_aggregate_functions();
    aggregates.extend(ours());
    SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_optimizer_rules(ballista_default_optimizer_rules())
        .with_scalar_functions(ballista_scalar_functions())
        .with_aggregate_functions(aggregates)
        .with_window_functions(ballista_window_functions())
}
