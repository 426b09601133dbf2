//! Keys: making, keeping, replacing and trusting them.
//!
//! A key is written as `golang.org/x/mod/sumdb/note` writes it, so that other tools read it:
//! `PRIVATE+KEY+ephor+<id>+<base 64>` the secret one, `ephor+<id>+<base 64>` the public one.
//! One key signs for many origins, each under the origin's name, as the note format asks.

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use ed25519_dalek::{Signature as Ed25519, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::{
    Checkpoint, Note, NoteError,
    note::{Signature, is_key_name},
};

/// The name under which keys are written down.
pub const KEY_NAME: &str = "ephor";
/// The note format's byte for Ed25519.
const ED25519: u8 = 0x01;

/// Why a key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no key.
    #[error("{0} is not a {1} key; it should look like {2}")]
    Malformed(String, &'static str, &'static str),
    /// Others than the owner may read the file.
    #[error(
        "the key file {path} has mode {mode:03o}, so others may read it; run: chmod 600 {path}",
        path = .0.display(), mode = .1
    )]
    Exposed(PathBuf, u32),
    /// The file can't be read or written.
    #[error("the key file {path}: {source}", path = .0.display(), source = .1)]
    File(PathBuf, #[source] io::Error),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Randomness(String),
}

/// The secret key that seals. Its debug output shows only the public part.
#[derive(Clone)]
pub struct SealKey(SigningKey);

impl SealKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut seed)
            .map_err(|error| KeyError::Randomness(error.to_string()))?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a 32 byte seed (RFC 8032's private key).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads the text of a key, such as `EPHOR_SEAL_KEY` holds.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let wrong = || {
            KeyError::Malformed(
                "the text given".to_owned(),
                "secret",
                "PRIVATE+KEY+ephor+0123abcd+AQ…",
            )
        };
        let rest = text.trim().strip_prefix("PRIVATE+KEY+").ok_or_else(wrong)?;
        let (name, id, seed) = parts(rest).ok_or_else(wrong)?;
        let key = Self::from_seed(&seed);
        if key.public().id(name) == id { Ok(key) } else { Err(wrong()) }
    }

    /// Reads a key file, which nobody but its owner may be able to read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |error| KeyError::File(path.to_owned(), error);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Exposed(path.to_owned(), mode));
            }
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text).map_err(|error| match error {
            KeyError::Malformed(_, kind, form) => {
                KeyError::Malformed(format!("the content of {}", path.display()), kind, form)
            }
            other => other,
        })
    }

    /// Reads a key file, or makes a key and writes it there; says whether it is new.
    pub fn load_or_create(path: &Path) -> Result<(Self, bool), KeyError> {
        match Self::load(path) {
            Err(KeyError::File(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                key.save(path)?;
                Ok((key, true))
            }
            loaded => Ok((loaded?, false)),
        }
    }

    /// Writes the key file with mode 0600, replacing an older one at once or not at all.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |error| KeyError::File(path.to_owned(), error);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let beside = path.with_extension("new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside).map_err(failed)?;
        writeln!(file, "{}", self.to_text()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&beside, path).map_err(failed)?;
        if let Some(folder) = folder {
            fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }

    /// The key's text: a secret.
    pub fn to_text(&self) -> String {
        let public = self.public();
        let id = hex::encode(public.id(KEY_NAME));
        format!("PRIVATE+KEY+{KEY_NAME}+{id}+{}", encode(self.0.as_bytes()))
    }

    /// The public part.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a text, which ends in a newline, under a key name.
    pub fn sign(&self, text: String, name: &str) -> Note {
        let bytes = self.0.sign(text.as_bytes()).to_bytes().to_vec();
        let signature = Signature { name: name.to_owned(), key_id: self.public().id(name), bytes };
        Note { text, signatures: vec![signature] }
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.public())
    }
}

/// The key by which checkpoints are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key's id under a name: the first 4 bytes of `SHA-256(name || "\n" || 0x01 || key)`.
    pub fn id(&self, name: &str) -> [u8; 4] {
        let hash = Sha256::new_with_prefix(name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.0.as_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Reads a verifier key, under whatever name.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let wrong = || KeyError::Malformed(format!("`{text}`"), "public", "ephor+0123abcd+AQ…");
        let (name, id, bytes) = parts(text).ok_or_else(wrong)?;
        let key = Self(VerifyingKey::from_bytes(&bytes).map_err(|_| wrong())?);
        if key.id(name) == id { Ok(key) } else { Err(wrong()) }
    }

    /// The verifier key under a name, for other tools that read notes.
    pub fn named(&self, name: &str) -> String {
        format!("{name}+{}+{}", hex::encode(self.id(name)), encode(self.0.as_bytes()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(KEY_NAME))
    }
}

fn encode(bytes: &[u8; 32]) -> String {
    STANDARD.encode([&[ED25519][..], bytes].concat())
}

/// Name, id and key of `name+id+base64(0x01 || key)`.
fn parts(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (id, data) = rest.split_once('+')?;
    let id = hex::decode(id).ok()?.try_into().ok()?;
    let data: [u8; 33] = STANDARD.decode(data).ok()?.try_into().ok()?;
    let key = data[1..].try_into().ok()?;
    (data[0] == ED25519 && is_key_name(name)).then_some((name, id, key))
}

/// A note by which a key hands over to the next; both sign it, so that whoever trusts one of
/// them may trust the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationNote {
    /// The key that stops.
    pub from: PublicKey,
    /// The key that begins.
    pub to: PublicKey,
    /// The note itself.
    pub note: Note,
}

impl RotationNote {
    const TITLE: &str = "ephor/key-rotation";

    /// Hands over from one key to another.
    pub fn new(from: &SealKey, to: &SealKey, at: DateTime<Utc>) -> Self {
        let (old, new) = (from.public(), to.public());
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("{}\n{old}\n{new}\n{at}\n", Self::TITLE);
        let mut note = from.sign(text.clone(), KEY_NAME);
        note.signatures.extend(to.sign(text, KEY_NAME).signatures);
        Self { from: old, to: new, note }
    }

    /// Reads a note and checks that both keys signed it.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let note = Note::parse(text)?;
        let lines: Vec<_> = note.text.lines().collect();
        let [Self::TITLE, from, to, _] = lines[..] else {
            return Err(NoteError::Malformed("not a rotation of keys"));
        };
        let key = |text| {
            PublicKey::parse(text).map_err(|_| NoteError::Malformed("it names what is no key"))
        };
        let (from, to) = (key(from)?, key(to)?);
        for signer in [from, to] {
            KeyRing::new([signer]).check(&note, KEY_NAME)?;
        }
        Ok(Self { from, to, note })
    }
}

/// The keys that are trusted.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(Vec<PublicKey>);

impl KeyRing {
    /// Trusts these keys.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Trusts every key that a chain of rotations joins to one that is trusted already.
    pub fn follow(&mut self, rotations: &[RotationNote]) {
        let mut grown = true;
        while grown {
            grown = false;
            for rotation in rotations {
                for (known, other) in [(rotation.from, rotation.to), (rotation.to, rotation.from)] {
                    if self.0.contains(&known) && !self.0.contains(&other) {
                        self.0.push(other);
                        grown = true;
                    }
                }
            }
        }
    }

    /// The keys.
    pub fn keys(&self) -> &[PublicKey] {
        &self.0
    }

    /// Checks that a trusted key, under this name, signed the note; gives the key.
    pub fn check(&self, note: &Note, name: &str) -> Result<PublicKey, NoteError> {
        for signature in note.signatures.iter().filter(|signature| signature.name == name) {
            let Some(key) = self.0.iter().find(|key| key.id(name) == signature.key_id) else {
                continue;
            };
            return Ed25519::from_slice(&signature.bytes)
                .and_then(|bytes| key.0.verify_strict(note.text.as_bytes(), &bytes))
                .map(|()| *key)
                .map_err(|_| NoteError::WrongSignature(name.to_owned()));
        }
        let signers = note
            .signatures
            .iter()
            .map(|signature| format!("{}+{}", signature.name, hex::encode(signature.key_id)));
        Err(NoteError::UnknownKey(signers.collect::<Vec<_>>().join(", ")))
    }

    /// Reads a signed checkpoint of the tree with this origin, and checks its signature.
    pub fn checkpoint(&self, note: &str, origin: &str) -> Result<Checkpoint, NoteError> {
        let note = Note::parse(note)?;
        self.check(&note, origin)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        if checkpoint.origin == origin {
            Ok(checkpoint)
        } else {
            Err(NoteError::Malformed("it is another tree's checkpoint"))
        }
    }
}
