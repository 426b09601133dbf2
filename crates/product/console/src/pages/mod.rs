//! The pages: one folder each, with its templates, handlers and tests.

pub(crate) mod analysis;
pub(crate) mod audit;
pub(crate) mod dashboard;
pub(crate) mod dataset;
pub(crate) mod resource;
pub(crate) mod settings;
pub(crate) mod sign_in;
