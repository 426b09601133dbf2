//! What a feature does to predictions over its values: partial dependence (Friedman 2001), individual conditional expectation
//! (Goldstein et al. 2015) and accumulated local effects (Apley and Zhu 2020).

mod accumulated;
mod grid;
mod partial;
mod similar;

pub use accumulated::{Accumulated, Order, accumulated, accumulated_categories};
pub use grid::Grid;
pub use partial::{Pair, Partial, pair, partial};
