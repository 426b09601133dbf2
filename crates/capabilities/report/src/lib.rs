//! Documents as PDF and figures as PNG, with nothing read from the machine that runs it.
//!
//! A [`Document`] is words, tables and figures. One template, which comes with this crate, says how they look; the document
//! reaches it as data, so that no text of it is ever read as markup. Fonts come with the binary. The same document gives the
//! same bytes, on whatever machine and at whatever time.
//!
//! What is written is PDF/A-2a and PDF/UA-1: it can be archived, and read by those who do not see it.
//!
//! [`png`] draws a figure's SVG as a picture of dots, for programs that take no SVG, with the same fonts.

mod error;
mod fit;
mod model;
mod picture;
mod text;
mod typeset;
mod world;

pub use error::Error;
pub use model::{
    Align, Badge, Block, Cell, Column, Document, Figure, Span, Style, Table, Text, Tone, Verdict,
};
pub use picture::png;
pub use typeset::{Pdf, typeset};
