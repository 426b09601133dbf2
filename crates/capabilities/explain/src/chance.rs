//! Chance that can be repeated.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The `stream`-th source of chance of a seed: what a row draws does not hang on the rows before it.
pub(crate) fn chance(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(stream);
    chance
}
