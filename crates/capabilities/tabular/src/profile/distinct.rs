//! How many different values there are: `HyperLogLog` with 2^14 registers, standard error 1.04 / sqrt(2^14) = 0.8 %.
//!
//! Flajolet, Fusy, Gandouet, Meunier (2007), with the linear counting of small numbers that they give.

const BITS: u32 = 14;
const REGISTERS: usize = 1 << BITS;

/// A sketch of a set.
#[derive(Debug, Clone)]
pub(crate) struct Sketch(Vec<u8>);

impl Sketch {
    pub(crate) fn new() -> Self {
        Self(vec![0; REGISTERS])
    }

    /// Takes in a value by its hash.
    pub(crate) fn add(&mut self, hash: u64) {
        let hash = mix(hash);
        let register = (hash >> (64 - BITS)) as usize;
        let rest = hash << BITS | 1 << (BITS - 1);
        let rank = rest.leading_zeros() as u8 + 1;
        self.0[register] = self.0[register].max(rank);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (register, rank) in self.0.iter_mut().zip(&other.0) {
            *register = (*register).max(*rank);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        let all = REGISTERS as f64;
        let sum: f64 = self.0.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / all) * all * all / sum;
        let empty = self.0.iter().map(|rank| usize::from(*rank == 0)).sum::<usize>();
        let count =
            if raw <= 2.5 * all && empty > 0 { all * (all / empty as f64).ln() } else { raw };
        count.round() as u64
    }
}

/// Makes every bit of a hash depend on all of them (the finaliser of `SplitMix64`): hashes that are quick enough for
/// tables are not even enough for a sketch.
fn mix(hash: u64) -> u64 {
    let mut mixed = hash;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn counts_within_three_standard_errors() {
        let hasher = hashbrown::DefaultHashBuilder::default();
        for exact in [1_000_u64, 20_000, 300_000] {
            let (mut a, mut b) = (Sketch::new(), Sketch::new());
            for value in 0..exact {
                let half = if value % 2 == 0 { &mut a } else { &mut b };
                half.add(hasher.hash_one(value));
            }
            a.merge(&b);
            let error = (a.count() as f64 - exact as f64).abs() / exact as f64;
            assert!(error < 0.03, "{exact}: {error}");
        }
    }
}
