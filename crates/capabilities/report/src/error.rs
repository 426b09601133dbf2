//! What can go wrong.

/// A document could not be typeset, or a figure not be drawn. It is never the fault of what a document says: all text is data to the
/// template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The document could not be handed to the template.
    #[error("the document cannot be written as data: {0}")]
    Data(#[from] serde_json::Error),
    /// The template or the typesetter refused.
    #[error("the document cannot be typeset: {0}")]
    Typesetter(String),
    /// The figure is no SVG, has no size, or is too long.
    #[error("the figure cannot be drawn: {0}")]
    Picture(String),
}
