//! A multinomial bootstrap on the cube: its cost depends on the cells, not on the rows.

use std::thread;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};

use super::drawn::{Drawn, Summary};
use crate::{
    lanes::{LANES, Lanes, PLACES},
    tally::Count,
};

/// Draws the counts anew `draws` times and keeps what `statistics` makes of each draw (NaN for undefined).
///
/// `counts` are the rows of each bucket; a draw gives `statistics` the weight of each: with weights, the drawn rows' total is
/// normal around their mean weight, with the bucket's variance. Each thread makes a `statistics` of its own, which may keep
/// its working memory from draw to draw. The result has one vector for each statistic, without undefined draws.
pub fn bootstrap<M, S>(
    counts: &[Count],
    draws: usize,
    seed: u64,
    width: usize,
    statistics: M,
) -> Vec<Vec<f64>>
where
    M: Fn() -> S + Sync,
    S: FnMut(&[f64], &mut [f64]),
{
    let one_by_one = || {
        let mut statistics = statistics();
        let (mut weights, mut values) = (vec![0.0; counts.len()], vec![f64::NAN; width]);
        move |drawn: &[Lanes], out: &mut [Lanes]| {
            for lane in 0..LANES {
                weights.iter_mut().zip(drawn).for_each(|(weight, lanes)| *weight = lanes[lane]);
                values.fill(f64::NAN);
                statistics(&weights, &mut values);
                out.iter_mut().zip(&values).for_each(|(lanes, value)| lanes[lane] = *value);
            }
        }
    };
    let mut values = vec![Vec::new(); width];
    in_rounds(counts, draws, seed, width, one_by_one, |round| {
        for (chunk, asked) in round.chunks() {
            for (values, lanes) in values.iter_mut().zip(chunk) {
                values.extend(lanes[..asked].iter().filter(|value| value.is_finite()));
            }
        }
    });
    values
}

/// What the draws say of each statistic: the same as [`bootstrap`] for `statistics` of as many draws at a time as there are
/// lanes, and without keeping every value.
pub(crate) fn drawn<M, S>(
    counts: &[Count],
    draws: usize,
    seed: u64,
    width: usize,
    confidence: f64,
    statistics: M,
) -> Vec<Option<Drawn>>
where
    M: Fn() -> S + Sync,
    S: FnMut(&[Lanes], &mut [Lanes]),
{
    let mut summaries: Vec<Summary> =
        std::iter::repeat_with(|| Summary::new(draws, confidence)).take(width).collect();
    in_rounds(counts, draws, seed, width, statistics, |round| {
        share_out(&mut summaries, 1, usize::MAX, |first, mine| {
            for (chunk, asked) in round.chunks() {
                for (summary, lanes) in mine.iter_mut().zip(&chunk[first..]) {
                    summary.add(&lanes[..asked]);
                }
            }
        });
    });
    summaries.into_iter().map(Summary::drawn).collect()
}

/// Some chunks, each as many draws as there are lanes, statistic after statistic.
struct Round<'a> {
    values: &'a [Lanes],
    width: usize,
    draws: usize,
}

impl Round<'_> {
    /// Each chunk, and how many of its draws were asked for: of the last one perhaps not all.
    fn chunks(&self) -> impl Iterator<Item = (&[Lanes], usize)> {
        let chunks = self.values.chunks_exact(self.width).enumerate();
        chunks.map(|(at, chunk)| (chunk, (self.draws - at * LANES).min(LANES)))
    }
}

/// How many chunks a round has: its values should stay in the processor's caches until they are summed up.
const ROUND: usize = 32;

/// Bytes that all threads together hold while they draw; of many buckets one thread alone may hold more.
const MOST_HELD: usize = 128 << 20;

/// Makes all draws, round after round in the same memory, and hands each round on. What `statistics` leaves as it was is that of
/// an earlier round, or 0.
fn in_rounds<M, S>(
    counts: &[Count],
    draws: usize,
    seed: u64,
    width: usize,
    statistics: M,
    mut hand_on: impl FnMut(&Round<'_>),
) where
    M: Fn() -> S + Sync,
    S: FnMut(&[Lanes], &mut [Lanes]),
{
    let chunks = draws.div_ceil(LANES);
    if width == 0 || chunks == 0 {
        return;
    }
    let (rows, buckets) = (counts.iter().map(|count| count.n).sum(), Bucket::all(counts));
    // A thread holds the weights of all buckets, and the tables that they are added up in: a group has a bucket at least.
    let held = buckets.len() * (PLACES + 1) * size_of::<Lanes>();
    let threads = (MOST_HELD / held.max(1)).max(1);
    let mut values = vec![[0.0; LANES]; ROUND.min(chunks) * width];
    for before in (0..chunks).step_by(ROUND) {
        let values = &mut values[..ROUND.min(chunks - before) * width];
        share_out(values, width, threads, |first, mine| {
            let mut statistics = statistics();
            let mut drawn = vec![[0.0; LANES]; buckets.len()];
            for (at, out) in mine.chunks_exact_mut(width).enumerate() {
                // Each chunk has its own stream of chance, so that the number of threads changes nothing.
                let mut chance = ChaCha8Rng::seed_from_u64(seed);
                chance.set_stream((before + first + at) as u64);
                draw(&buckets, rows, &mut chance, &mut drawn);
                statistics(&drawn, out);
            }
        });
        hand_on(&Round { values, width, draws: draws - before * LANES });
    }
}

/// Shares units of so many things among the processor's threads, `most` of them: `of` gets the number of its first unit, and its
/// things.
fn share_out<T: Send>(
    all: &mut [T],
    unit: usize,
    most: usize,
    of: impl Fn(usize, &mut [T]) + Sync,
) {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(most);
    let share = (all.len() / unit).div_ceil(threads).max(1);
    thread::scope(|scope| {
        for (at, mine) in all.chunks_mut(share * unit).enumerate() {
            let of = &of;
            scope.spawn(move || of(at * share, mine));
        }
    });
}

/// What every draw of a bucket needs.
struct Bucket {
    /// Its rows, of those of this bucket and all behind it: 1 in the last that has rows.
    share: f64,
    /// The mean weight of its rows.
    mean: f64,
    /// The variance of their weights; 0 when they are all the same.
    variance: f64,
}

impl Bucket {
    fn all(counts: &[Count]) -> Vec<Self> {
        let mut rows: u64 = counts.iter().map(|count| count.n).sum();
        let bucket = |count: &Count| {
            let (n, behind) = (count.n as f64, rows as f64);
            rows -= count.n;
            if count.n == 0 {
                return Self { share: 0.0, mean: 0.0, variance: 0.0 };
            }
            let mean = count.w / n;
            let variance = count.w2 / n - mean * mean;
            let varies = variance > mean * mean * 1e-12;
            Self { share: n / behind, mean, variance: if varies { variance } else { 0.0 } }
        };
        counts.iter().map(bucket).collect()
    }

    /// How many of the rows that are left fall into it.
    fn taken(&self, left: &Lanes, chance: &mut ChaCha8Rng) -> Lanes {
        let Self { share, .. } = *self;
        if share >= 1.0 || share <= 0.0 {
            return left.map(|left| left * share);
        }
        let spread = share * (1.0 - share);
        if left.iter().copied().fold(f64::INFINITY, f64::min) * spread < NORMAL {
            return left.map(|left| binomial(left, share, chance));
        }
        let normal: Lanes = std::array::from_fn(|_| StandardNormal.sample(chance));
        let skew = (1.0 - 2.0 * share) / 6.0;
        let mut taken = [0.0; LANES];
        for ((taken, left), z) in taken.iter_mut().zip(left).zip(normal) {
            *taken = skewed(*left, share, spread, skew, z);
        }
        taken
    }

    /// The weights of so many rows of it.
    fn weigh(&self, taken: &Lanes, chance: &mut ChaCha8Rng, weights: &mut Lanes) {
        for (weight, taken) in weights.iter_mut().zip(taken) {
            *weight = taken * self.mean;
        }
        if self.variance > 0.0 {
            for (weight, taken) in weights.iter_mut().zip(taken).filter(|(_, taken)| **taken > 0.0)
            {
                let noise: f64 = StandardNormal.sample(chance);
                *weight = (*weight + (taken * self.variance).sqrt() * noise).max(0.0);
            }
        }
    }
}

/// As many multinomial draws as there are lanes, bucket after bucket, each binomial given those before.
fn draw(buckets: &[Bucket], rows: u64, chance: &mut ChaCha8Rng, drawn: &mut [Lanes]) {
    let mut left = [rows as f64; LANES];
    for (bucket, weights) in buckets.iter().zip(drawn) {
        let taken = bucket.taken(&left, chance);
        for (left, taken) in left.iter_mut().zip(&taken) {
            *left -= taken;
        }
        bucket.weigh(&taken, chance, weights);
    }
}

/// From this variance on a binomial is drawn as a normal with the binomial's skew (the second term of its Cornish-Fisher
/// expansion): no probability differs by more than 1 in 10 000.
const NORMAL: f64 = 1_000.0;

/// How many of `n` rows are taken, each with this probability.
fn binomial(n: f64, share: f64, chance: &mut ChaCha8Rng) -> f64 {
    let spread = share * (1.0 - share);
    if n * spread < NORMAL {
        return Binomial::new(n as u64, share).map_or(0.0, |of| of.sample(chance) as f64);
    }
    skewed(n, share, spread, (1.0 - 2.0 * share) / 6.0, StandardNormal.sample(chance))
}

/// The same, by way of a standard normal `z`.
fn skewed(n: f64, share: f64, spread: f64, skew: f64, z: f64) -> f64 {
    /// What this large number is added to loses its fraction, to the nearest whole number.
    const WHOLE: f64 = (1_u64 << 52) as f64;
    let drawn = n * share + z * (n * spread).sqrt() + skew * (z * z - 1.0);
    ((drawn.max(0.0) + WHOLE) - WHOLE).min(n)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn rows(n: u64) -> Count {
        Count { n, w: n as f64, w2: n as f64 }
    }

    #[test]
    fn spreads_as_a_multinomial_does_and_repeats_with_its_seed() {
        let counts = [rows(300), rows(0), rows(700)];
        let rate = || {
            |drawn: &[f64], out: &mut [f64]| {
                assert_eq!(drawn.iter().sum::<f64>(), 1_000.0);
                out[0] = drawn[0] / (drawn[0] + drawn[2]);
            }
        };
        let first = bootstrap(&counts, 4_000, 1, 1, rate);
        assert_eq!(first, bootstrap(&counts, 4_000, 1, 1, rate));
        assert_ne!(first, bootstrap(&counts, 4_000, 2, 1, rate));
        let Drawn { variance, lower, upper } = Drawn::of(&first[0], 4_000, 0.95).unwrap();
        let deviation = variance.sqrt();
        assert!((deviation - (0.3_f64 * 0.7 / 1_000.0).sqrt()).abs() < 5e-4, "{deviation}");
        assert!(
            (lower - 0.2716).abs() < 0.003 && (upper - 0.3284).abs() < 0.003,
            "{lower} {upper}"
        );
    }

    #[test]
    fn what_is_summed_up_is_what_all_values_say() {
        let counts = [rows(30), Count { n: 500, w: 700.0, w2: 1_400.0 }, rows(70_000)];
        // More than a round, and a last chunk of which a part is asked for; and one that is often undefined.
        let draws = ROUND * LANES * 2 + 7;
        let of = |drawn: &[f64], out: &mut [f64]| {
            out[0] = drawn[0] / (drawn[0] + drawn[1]);
            out[1] = if drawn[0] < 32.0 { drawn[1] } else { f64::NAN };
        };
        let all = bootstrap(&counts, draws, 5, 2, || of);
        assert_eq!(all[0].len(), draws);
        let lanes = || {
            |drawn: &[Lanes], out: &mut [Lanes]| {
                for lane in 0..LANES {
                    let mut values = [0.0; 2];
                    of(&[drawn[0][lane], drawn[1][lane], drawn[2][lane]], &mut values);
                    out.iter_mut().zip(values).for_each(|(out, value)| out[lane] = value);
                }
            }
        };
        let found = drawn(&counts, draws, 5, 2, 0.9, lanes);
        assert_eq!(found, [Drawn::of(&all[0], draws, 0.9), None]);
    }
}
