//! A multinomial bootstrap on the cube: its cost depends on the cells, not on the rows.

use std::{panic::resume_unwind, thread};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};

use super::drawn::{Drawn, Summary};
use crate::{
    lanes::{LANES, Lanes},
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
    let sample = sample(counts, draws, seed, width, one_by_one);
    let defined = |value: &f64| value.is_finite();
    (0..width)
        .map(|statistic| sample.column(statistic).flatten().copied().filter(defined).collect())
        .collect()
}

/// The statistics of all draws.
pub(crate) struct Sample {
    width: usize,
    draws: usize,
    /// By thread, chunk after chunk; within a chunk statistic after statistic.
    parts: Vec<Vec<Lanes>>,
}

/// How many statistics are summed up side by side: their values lie side by side, far from the next ones.
const SIDE_BY_SIDE: usize = 16;

impl Sample {
    /// What the draws say of each statistic.
    pub(crate) fn drawn(&self, confidence: f64) -> Vec<Option<Drawn>> {
        let all: Vec<usize> = (0..self.width).collect();
        let some = |mine: &[usize]| -> Vec<Option<Drawn>> {
            mine.chunks(SIDE_BY_SIDE).flat_map(|some| self.summed_up(some, confidence)).collect()
        };
        shared(&all, some).into_iter().flatten().collect()
    }

    /// The same, of some statistics that follow one another.
    fn summed_up(&self, statistics: &[usize], confidence: f64) -> Vec<Option<Drawn>> {
        let mut summaries: Vec<Option<Summary>> = statistics
            .iter()
            .map(|statistic| Summary::new(self.column(*statistic), confidence))
            .collect();
        for (chunk, draws) in self.chunks() {
            for (statistic, summary) in statistics.iter().zip(&mut summaries) {
                if let Some(summary) = summary {
                    summary.add(&chunk[*statistic][..draws]);
                }
            }
        }
        let told = |(statistic, summary): (&usize, Option<Summary>)| {
            summary?.drawn(self.column(*statistic), self.draws)
        };
        statistics.iter().zip(summaries).map(told).collect()
    }

    /// The values of one statistic, chunk after chunk; NaN where undefined.
    fn column(&self, statistic: usize) -> impl Iterator<Item = &[f64]> + Clone {
        self.chunks().map(move |(chunk, draws)| &chunk[statistic][..draws])
    }

    /// Each chunk, and how many of its draws were asked for: of the last one perhaps not all.
    fn chunks(&self) -> impl Iterator<Item = (&[Lanes], usize)> + Clone {
        let chunks = self.parts.iter().flat_map(|part| part.chunks_exact(self.width));
        chunks.enumerate().map(|(at, chunk)| (chunk, (self.draws - at * LANES).min(LANES)))
    }
}

/// Shares the work among the processor's threads; what they found, in the order of the work.
fn shared<W: Sync, T: Send>(work: &[W], of: impl Fn(&[W]) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = work.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let running: Vec<_> = work.chunks(share).map(|mine| scope.spawn(|| of(mine))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// The same as [`bootstrap`], as it comes, and with as many draws at a time as there are lanes. What `statistics` leaves as it
/// was is 0.
pub(crate) fn sample<M, S>(
    counts: &[Count],
    draws: usize,
    seed: u64,
    width: usize,
    statistics: M,
) -> Sample
where
    M: Fn() -> S + Sync,
    S: FnMut(&[Lanes], &mut [Lanes]),
{
    // Each chunk has its own stream of chance, so that the number of threads changes nothing.
    let chunks: Vec<usize> = (0..draws.div_ceil(LANES)).collect();
    if width == 0 || draws == 0 {
        return Sample { width, draws, parts: Vec::new() };
    }
    let (rows, buckets) = (counts.iter().map(|count| count.n).sum(), Bucket::all(counts));
    // A thread's draws lie in memory that is taken once: many vectors that grow cost more than the draws.
    let run = |chunks: &[usize]| {
        let mut drawn = vec![[0.0; LANES]; buckets.len()];
        let mut statistics = statistics();
        let mut part = vec![[0.0; LANES]; chunks.len() * width];
        for (chunk, kept) in chunks.iter().zip(part.chunks_exact_mut(width)) {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            chance.set_stream(*chunk as u64);
            draw(&buckets, rows, &mut chance, &mut drawn);
            statistics(&drawn, kept);
        }
        part
    };
    Sample { width, draws, parts: shared(&chunks, run) }
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
        let Drawn { variance, lower, upper } =
            Drawn::of([first[0].as_slice()].into_iter(), 4_000, 0.95).unwrap();
        let deviation = variance.sqrt();
        assert!((deviation - (0.3_f64 * 0.7 / 1_000.0).sqrt()).abs() < 5e-4, "{deviation}");
        assert!(
            (lower - 0.2716).abs() < 0.003 && (upper - 0.3284).abs() < 0.003,
            "{lower} {upper}"
        );
    }
}
