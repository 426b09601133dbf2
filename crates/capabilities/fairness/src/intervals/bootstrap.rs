//! A multinomial bootstrap on the cube: its cost depends on the cells, not on the rows.

use std::thread;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};

use crate::tally::Count;

/// Draws of one chunk; each chunk has its own stream of chance, so the number of threads changes nothing.
const CHUNK: usize = 64;

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
    sample(counts, draws, seed, width, statistics).columns().collect()
}

/// The statistics of all draws.
pub(crate) struct Sample {
    width: usize,
    /// By thread, chunk after chunk; within a chunk statistic after statistic, as that is how they are asked for: picked out of
    /// draw after draw, each value would cost a line of the processor's cache.
    parts: Vec<Vec<f64>>,
}

impl Sample {
    /// Each statistic's values, without undefined ones.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Vec<f64>> {
        (0..self.width).map(|statistic| {
            let chunks = self.parts.iter().flat_map(|part| part.chunks(CHUNK * self.width));
            let values = chunks.flat_map(|chunk| {
                let draws = chunk.len() / self.width;
                &chunk[statistic * draws..(statistic + 1) * draws]
            });
            values.copied().filter(|value| value.is_finite()).collect()
        })
    }
}

/// The same as [`bootstrap`], as it comes.
pub(crate) fn sample<M, S>(
    counts: &[Count],
    draws: usize,
    seed: u64,
    width: usize,
    statistics: M,
) -> Sample
where
    M: Fn() -> S + Sync,
    S: FnMut(&[f64], &mut [f64]),
{
    let chunks: Vec<usize> = (0..draws.div_ceil(CHUNK)).collect();
    let threads =
        thread::available_parallelism().map_or(1, usize::from).clamp(1, chunks.len().max(1));
    if width == 0 || draws == 0 {
        return Sample { width, parts: Vec::new() };
    }
    // A thread's draws lie in memory that is taken once: many vectors that grow cost more than the draws.
    let run = |chunks: &[usize]| {
        let mut drawn = vec![0.0; counts.len()];
        let mut statistics = statistics();
        let mut row = vec![f64::NAN; width];
        let made: usize = chunks.iter().map(|chunk| CHUNK.min(draws - chunk * CHUNK)).sum();
        let mut part = vec![f64::NAN; made * width];
        for (chunk, kept) in chunks.iter().zip(part.chunks_mut(CHUNK * width)) {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            chance.set_stream(*chunk as u64);
            let draws = kept.len() / width;
            for place in 0..draws {
                draw(counts, &mut chance, &mut drawn);
                row.fill(f64::NAN);
                statistics(&drawn, &mut row);
                for (values, value) in kept.chunks_exact_mut(draws).zip(&row) {
                    values[place] = *value;
                }
            }
        }
        part
    };
    let parts = thread::scope(|scope| {
        let share = chunks.len().div_ceil(threads);
        let running: Vec<_> = chunks.chunks(share).map(|mine| scope.spawn(|| run(mine))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    Sample { width, parts }
}

/// One multinomial draw, bucket after bucket, each binomial given those before.
fn draw(counts: &[Count], chance: &mut ChaCha8Rng, drawn: &mut [f64]) {
    let mut rows: u64 = counts.iter().map(|count| count.n).sum();
    let mut left = rows;
    for (count, drawn) in counts.iter().zip(drawn) {
        let taken = if count.n == 0 || left == 0 {
            0
        } else if count.n >= rows {
            left
        } else {
            binomial(left, count.n as f64 / rows as f64, chance)
        };
        rows -= count.n;
        left -= taken;
        *drawn = weight(*count, taken, chance);
    }
}

/// From this variance on a binomial is drawn as a normal with the binomial's skew (the second term of its Cornish-Fisher
/// expansion): no probability differs by more than 1 in 10 000.
const NORMAL: f64 = 1_000.0;

fn binomial(n: u64, p: f64, chance: &mut ChaCha8Rng) -> u64 {
    let mean = n as f64 * p;
    let variance = mean * (1.0 - p);
    if variance < NORMAL {
        return Binomial::new(n, p).map_or(0, |binomial| binomial.sample(chance));
    }
    let z: f64 = StandardNormal.sample(chance);
    let skewed = z * variance.sqrt() + (1.0 - 2.0 * p) * (z * z - 1.0) / 6.0;
    ((mean + skewed).round().max(0.0) as u64).min(n)
}

/// The weight of so many rows drawn from a bucket.
fn weight(count: Count, taken: u64, chance: &mut ChaCha8Rng) -> f64 {
    let (n, taken) = (count.n as f64, taken as f64);
    if taken == 0.0 || n == 0.0 {
        return 0.0;
    }
    let mean = count.w / n;
    let variance = (count.w2 / n - mean * mean).max(0.0);
    if variance <= mean * mean * 1e-12 {
        return taken * mean;
    }
    let noise: f64 = StandardNormal.sample(chance);
    (taken * mean + (taken * variance).sqrt() * noise).max(0.0)
}

/// The percentile interval of a bootstrapped statistic. `None` if fewer than nine in ten draws were defined.
pub fn percentiles(values: &mut [f64], draws: usize, confidence: f64) -> Option<(f64, f64)> {
    if values.is_empty() || values.len() * 10 < draws * 9 {
        return None;
    }
    let mut at = |probability: f64| {
        let place = probability * (values.len() - 1) as f64;
        let (_, below, above) =
            values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
        let next = above.iter().copied().fold(f64::INFINITY, f64::min);
        if next.is_finite() { *below + place.fract() * (next - *below) } else { *below }
    };
    Some((at((1.0 - confidence) / 2.0), at(f64::midpoint(1.0, confidence))))
}

/// The variance of a bootstrapped statistic. `None` if fewer than nine in ten draws were defined.
pub fn variance(values: &[f64], draws: usize) -> Option<f64> {
    if values.len() < 2 || values.len() * 10 < draws * 9 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some(values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64)
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
        let mut first = bootstrap(&counts, 4_000, 1, 1, rate);
        assert_eq!(first, bootstrap(&counts, 4_000, 1, 1, rate));
        assert_ne!(first, bootstrap(&counts, 4_000, 2, 1, rate));
        let deviation = variance(&first[0], 4_000).unwrap().sqrt();
        assert!((deviation - (0.3_f64 * 0.7 / 1_000.0).sqrt()).abs() < 5e-4, "{deviation}");
        let (lower, upper) = percentiles(&mut first[0], 4_000, 0.95).unwrap();
        assert!(
            (lower - 0.2716).abs() < 0.003 && (upper - 0.3284).abs() < 0.003,
            "{lower} {upper}"
        );
    }

    #[test]
    fn too_many_undefined_draws_make_no_interval() {
        assert_eq!(percentiles(&mut [0.5; 80], 100, 0.95), None);
        assert!(percentiles(&mut [0.5; 90], 100, 0.95).is_some());
    }
}
