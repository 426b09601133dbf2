//! What travels between machines: what was kept of rows, or why they were refused.

use std::borrow::Cow;

use crate::{AnalysisError, Fault};

const KEPT: u8 = 0;
const REFUSED: u8 = 1;

/// What was kept of rows, or why they were refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sealed<'a> {
    Kept(&'a [u8]),
    Refused(Cow<'a, [Fault]>),
}

impl<'a> Sealed<'a> {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, AnalysisError> {
        match self {
            Self::Kept(kept) => {
                let mut bytes = Vec::with_capacity(kept.len() + 1);
                bytes.push(KEPT);
                bytes.extend_from_slice(kept);
                Ok(bytes)
            }
            Self::Refused(faults) => {
                let mut bytes = vec![REFUSED];
                serde_json::to_writer(&mut bytes, faults)
                    .map_err(|error| AnalysisError::Engine(error.to_string()))?;
                Ok(bytes)
            }
        }
    }

    pub(super) fn from_bytes(bytes: &'a [u8]) -> Result<Self, AnalysisError> {
        match bytes.split_first() {
            Some((&KEPT, kept)) => Ok(Self::Kept(kept)),
            Some((&REFUSED, faults)) => serde_json::from_slice(faults)
                .map(|faults: Vec<Fault>| Self::Refused(faults.into()))
                .map_err(|error| AnalysisError::Engine(error.to_string())),
            _ => Err(super::damaged("nobody sealed it")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_and_what_is_refused_travel_whole() {
        let fault = Fault::new("/list", "list_too_long", "It is \"long\".").hint("Shorten it.");
        for sealed in [
            Sealed::Kept(&[]),
            Sealed::Kept(&[0, 1, 255]),
            Sealed::Refused(vec![fault, Fault::new("", "x", "é")].into()),
        ] {
            assert_eq!(Sealed::from_bytes(&sealed.to_bytes().unwrap()).unwrap(), sealed);
        }
        for damaged in [&[][..], &[2], &[REFUSED, b'{']] {
            assert!(matches!(Sealed::from_bytes(damaged), Err(AnalysisError::Engine(_))));
        }
    }
}
