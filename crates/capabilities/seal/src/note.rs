//! Signed notes (<https://c2sp.org/signed-note>): text, and Ed25519 signatures on it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Why a text is no signed note, or one that can't be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is not laid out as a note.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// No known key signed it.
    #[error("no key that is trusted here signed it (signed by {0})")]
    UnknownKey(String),
    /// A known key's signature does not fit the text.
    #[error("the signature of {0} does not fit: the text or the signature was altered")]
    WrongSignature(String),
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The first bytes of a hash of name and key.
    pub key_id: [u8; 4],
    /// What the algorithm made; 64 bytes for Ed25519.
    pub bytes: Vec<u8>,
}

/// A text with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed; it ends in a newline.
    pub text: String,
    /// By whom.
    pub signatures: Vec<Signature>,
}

impl Note {
    /// The longest note that is read, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Reads a note. Its signatures are not checked: [`crate::KeyRing`] does.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > Self::MAX_BYTES {
            return Err(NoteError::Malformed("it is longer than 64 kB"));
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed("it holds a control character"));
        }
        let end = note
            .rfind("\n\n")
            .ok_or(NoteError::Malformed("no blank line before the signatures"))?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("the last line does not end in a newline"))?;
        let signatures = lines.split('\n').map(Signature::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }
}

impl Signature {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("a line after the text is not a signature");
        let (name, value) = line
            .strip_prefix("— ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| malformed.clone())?;
        let bytes = STANDARD.decode(value).map_err(|_| malformed.clone())?;
        match bytes.split_first_chunk() {
            Some((key_id, rest)) if is_key_name(name) && !rest.is_empty() => {
                Ok(Self { name: name.to_owned(), key_id: *key_id, bytes: rest.to_vec() })
            }
            _ => Err(malformed),
        }
    }

    /// Key id and signature, as the line encodes them.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.key_id[..], &self.bytes].concat()
    }
}

/// May a key be called so?
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(char::is_whitespace)
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            writeln!(f, "— {} {}", signature.name, STANDARD.encode(signature.to_bytes()))?;
        }
        Ok(())
    }
}
