//! From a resource's specification to its plan, its SQL, its routes and its OpenAPI description.
//!
//! A [`ResourceSpec`] says what the database can't; the [`Catalog`] says the rest. The [`Engine`]
//! holds one against the other at the start, and serves what follows from both:
//! `request -> Plan` ([`plan()`], pure) `-> Statement` ([`list_statement`], pure) `-> PostgreSQL`.

mod body;
mod catalog;
mod cursor;
mod engine;
pub mod filter;
mod form;
mod nearest;
mod openapi;
mod plan;
mod refusal;
mod request;
mod resource;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod sample;
mod shape;
mod spec;
mod sql;
mod web;

pub use body::{MAX_JSON_DEPTH, parse as parse_json};
pub use catalog::{Bounds, Catalog, Column, Constraint, ConstraintKind, Kind, Table, label};
pub use cursor::{Binding, Cursors, Keys};
pub use engine::{Engine, MAX_BULK_ROWS, OfferAnswer, Page};
pub use form::{FormField, Input};
pub use openapi::Operation;
pub use plan::{
    Condition, Inclusion, MAX_ROWS, PAGE_ROWS, Plan, Sort, Target, Tenancy, Test, plan,
};
pub use request::ListRequest;
pub use resource::{Order, Resource, SpecError};
pub use shape::{MAX_JSON_VALUE_BYTES, MAX_JSON_VALUE_DEPTH, Shape};
pub use spec::{Actions, Change, Check, Event, Include, ResourceSpec};
pub use sql::{
    Bound, Statement, count as count_statement, list as list_statement,
    list_of_large as list_of_large_statement,
};
pub use web::{
    ApiError, Authenticated, Body, Id, IfMatch, MAX_BODY_BYTES, Needs, PROBLEM_JSON, Permitted,
    Query, csv_file, csv_table, method_word, name_request,
};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
