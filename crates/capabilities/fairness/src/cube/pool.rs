//! Attributes of more values than there are codes: some values are kept, all others counted together.

use serde::{Deserialize, Serialize};

use super::{Cube, CubeError, Layout, dictionary::Dictionary, limits::MAX_VALUES};

/// The most values that are kept: one code is for all others.
pub(crate) const MAX_KEPT: usize = MAX_VALUES - 1;

/// What is counted together of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pooled {
    /// Different values, the missing one not among them.
    pub values: u64,
    /// Those of them with enough rows to be compared, for which there was no room.
    pub large: u64,
}

/// Which values of an attribute are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// At most [`MAX_KEPT`].
    pub names: Vec<String>,
    /// The others.
    pub others: Pooled,
}

impl Cube {
    /// An empty cube that keeps these values alone of the attributes that have a pool; fewer pools than attributes are none
    /// for the rest.
    ///
    /// # Errors
    /// [`CubeError::Damaged`] if the layout is none of an analysis, there are more pools than attributes, or more values than there
    /// are codes.
    pub(crate) fn with_pools(layout: Layout, pools: &[Option<Pool>]) -> Result<Self, CubeError> {
        layout.check()?;
        let mut cube = Self::new(layout);
        if pools.len() > cube.attributes.len() {
            return Err(CubeError::Damaged("more pools than attributes"));
        }
        for (at, pool) in pools.iter().enumerate() {
            let Some(pool) = pool else { continue };
            let dictionary = Dictionary::closed(pool.names.iter().map(String::as_str));
            let dictionary = dictionary.map_err(|_| CubeError::Damaged("the values of a pool"))?;
            cube.attributes[at].dictionary = dictionary;
            cube.pooled[at] = Some(pool.others);
        }
        Ok(cube)
    }

    /// What is counted together of an attribute; `None` if each of its values is counted by itself.
    pub(crate) fn pooled(&self, attribute: usize) -> Option<Pooled> {
        self.pooled.get(attribute).copied().flatten()
    }

    /// Whether this code of an attribute stands for all values that are not kept.
    pub(crate) fn is_other(&self, attribute: usize, code: u32) -> bool {
        self.dictionary(attribute).is_other(code)
    }
}
