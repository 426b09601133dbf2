//! A local Parquet file to a cube, without unpacking what it holds as codes.
//!
//! Protected attributes, labels and rounded scores have few values, which Parquet keeps in a dictionary for each row group,
//! with a code of a few bits for each row. Here a row's codes become the place of one count, and the cube is made of the
//! counts at the end: no value is ever looked at for a row. Row groups that hold something else are read as Arrow arrays.

mod axis;
mod codes;
mod column;
mod joint;
mod kind;
mod page;
mod scan;
mod source;
mod unpack;
mod window;

pub(crate) use scan::Scan;
pub(crate) use source::Source;
