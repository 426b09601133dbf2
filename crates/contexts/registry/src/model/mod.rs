//! A model's life: `draft -> active -> deprecated -> archived`, and back to an earlier version.

mod roll_back;
mod step;

pub use roll_back::model_roll_back;
pub use step::{ModelStatus, model_step};
