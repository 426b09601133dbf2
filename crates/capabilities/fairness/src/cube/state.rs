//! What travels between threads and machines: a cube, or why the data make none.

use serde::{Deserialize, Serialize};

use super::{Cube, CubeError};

/// What a refusal begins with; a cube begins with something else.
const REFUSED: [u8; 4] = *b"EFR1";

/// A cube, or why the data make none.
#[derive(Debug)]
pub(crate) enum State {
    Cube(Box<Cube>),
    Refused(CubeError),
}

/// A refusal, as it is written.
#[derive(Debug, Serialize, Deserialize)]
enum Refusal {
    TooManyValues(usize),
    ValuesTooLong(usize),
    TooManyCells,
    NoLabels(Vec<String>),
    NoPredictions(Vec<String>),
    Unreadable(String),
}

impl State {
    /// The state that tells of a refusal.
    pub(crate) fn refusal(error: &CubeError) -> Vec<u8> {
        let refusal = match error {
            CubeError::TooManyValues { attribute } => Refusal::TooManyValues(*attribute),
            CubeError::ValuesTooLong { attribute } => Refusal::ValuesTooLong(*attribute),
            CubeError::TooManyCells => Refusal::TooManyCells,
            CubeError::NoLabels(values) => Refusal::NoLabels(values.clone()),
            CubeError::NoPredictions(values) => Refusal::NoPredictions(values.clone()),
            CubeError::Unreadable(_) | CubeError::Damaged(_) => {
                Refusal::Unreadable(error.to_string())
            }
        };
        let mut bytes = REFUSED.to_vec();
        // Numbers and texts always serialise.
        bytes.extend(serde_json::to_vec(&refusal).unwrap_or_default());
        bytes
    }

    /// What these bytes are the state of.
    ///
    /// # Errors
    /// [`CubeError::Damaged`] if they are none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, CubeError> {
        let Some(refusal) = bytes.strip_prefix(&REFUSED) else {
            return Ok(Self::Cube(Box::new(Cube::from_bytes(bytes)?)));
        };
        let refusal =
            serde_json::from_slice(refusal).map_err(|_| CubeError::Damaged("its refusal"))?;
        Ok(Self::Refused(match refusal {
            Refusal::TooManyValues(attribute) => CubeError::TooManyValues { attribute },
            Refusal::ValuesTooLong(attribute) => CubeError::ValuesTooLong { attribute },
            Refusal::TooManyCells => CubeError::TooManyCells,
            Refusal::NoLabels(values) => CubeError::NoLabels(values),
            Refusal::NoPredictions(values) => CubeError::NoPredictions(values),
            Refusal::Unreadable(why) => CubeError::Unreadable(why),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cube::Layout;

    #[test]
    fn refusals_travel_whole() {
        for error in [
            CubeError::TooManyValues { attribute: 2 },
            CubeError::ValuesTooLong { attribute: 0 },
            CubeError::TooManyCells,
            CubeError::NoLabels(vec!["a".into(), "\"b\"\n".into()]),
            CubeError::NoPredictions(vec!["é".into()]),
        ] {
            assert!(error.is_refusal());
            match State::from_bytes(&State::refusal(&error)) {
                Ok(State::Refused(told)) => assert_eq!(told, error),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(State::from_bytes(b"EFR1{"), Err(CubeError::Damaged(_))));
        assert!(matches!(State::from_bytes(b"EFR"), Err(CubeError::Damaged(_))));
    }

    #[test]
    fn a_cube_is_a_state() {
        let layout = Layout {
            attributes: 1,
            label: true,
            prediction: false,
            score: false,
            weight: false,
            positive: None,
            threshold: 0.5,
        };
        let bytes = Cube::new(layout).to_bytes();
        assert!(matches!(State::from_bytes(&bytes), Ok(State::Cube(cube)) if cube.rows == 0));
    }
}
