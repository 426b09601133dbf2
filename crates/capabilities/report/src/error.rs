//! What can go wrong.

/// A document could not be typeset. It is never the fault of what the document says: all text is data to the template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The document could not be handed to the template.
    #[error("the document cannot be written as data: {0}")]
    Data(#[from] serde_json::Error),
    /// The template or the typesetter refused.
    #[error("the document cannot be typeset: {0}")]
    Typesetter(String),
}
