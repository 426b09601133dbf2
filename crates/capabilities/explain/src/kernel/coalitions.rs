//! Which coalitions are tried.

use rand::{RngExt, seq::index};
use rand_chacha::ChaCha8Rng;

/// Players as bits.
pub(super) type Coalition = Vec<u64>;

/// Sizes that are tried in full, and sizes that are drawn.
pub(super) struct Plan {
    players: usize,
    /// Sizes with the weight of each of their coalitions.
    sizes: Vec<(usize, f64)>,
    /// The other sizes up to the half, with the sum of their weights and of those before.
    drawn: Vec<(usize, f64)>,
    /// The weight of all that is drawn; all sizes together weigh 1.
    pub left: f64,
}

impl Plan {
    /// As shap: sizes from outside in, as long as their share of what may be tried holds all of them.
    pub fn new(players: usize, most: usize) -> Self {
        let all: f64 = (1..players).map(|size| weight(players, size)).sum();
        let (mut room, mut left) = (most as f64, 1.0);
        let (mut sizes, mut drawn) = (Vec::new(), Vec::new());
        let mut sum = 0.0;
        for size in 1..=players / 2 {
            let sides = if 2 * size == players { 1.0 } else { 2.0 };
            let share = sides * weight(players, size) / all;
            let count = sides * choose(players, size);
            if drawn.is_empty() && (size == 1 || room * share / left >= count - 1e-8) {
                sizes.push((size, share / count));
                if sides > 1.0 {
                    sizes.push((players - size, share / count));
                }
                room -= count;
                left -= share;
            } else {
                sum += share;
                drawn.push((size, sum));
            }
        }
        Self { players, sizes, drawn, left: sum }
    }

    /// The coalitions that are tried in any case, with their weights.
    pub fn whole(&self) -> Vec<(Coalition, f64)> {
        let mut all = Vec::new();
        for (size, weight) in &self.sizes {
            let mut chosen: Vec<usize> = (0..*size).collect();
            loop {
                all.push((coalition(self.players, &chosen), *weight));
                // The last member that can still move on does, and those after it follow.
                let movable = (0..*size).rev().find(|at| chosen[*at] < self.players - size + at);
                let Some(at) = movable else { break };
                chosen[at] += 1;
                for after in at + 1..*size {
                    chosen[after] = chosen[after - 1] + 1;
                }
            }
        }
        all
    }

    /// A coalition by chance, and its complement.
    pub fn draw(&self, players: usize, chance: &mut ChaCha8Rng) -> [Coalition; 2] {
        let at = chance.random::<f64>() * self.left;
        let place = self.drawn.partition_point(|(_, sum)| *sum <= at).min(self.drawn.len() - 1);
        let chosen = index::sample(chance, players, self.drawn[place].0).into_vec();
        let one = coalition(players, &chosen);
        let mut other: Coalition = one.iter().map(|word| !word).collect();
        if let Some(last) = other.last_mut()
            && !players.is_multiple_of(64)
        {
            *last &= u64::MAX >> (64 - players % 64);
        }
        [one, other]
    }
}

/// Is the player in it?
pub(super) fn has(coalition: &Coalition, player: usize) -> bool {
    coalition[player / 64] >> (player % 64) & 1 == 1
}

fn coalition(players: usize, members: &[usize]) -> Coalition {
    let mut bits = vec![0; players.div_ceil(64)];
    for member in members {
        bits[member / 64] |= 1 << (member % 64);
    }
    bits
}

/// Of all coalitions of a size together.
fn weight(players: usize, size: usize) -> f64 {
    1.0 / (size as f64 * (players - size) as f64)
}

fn choose(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>().round()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn few_players_are_tried_in_all_coalitions() {
        for players in 2..9 {
            let plan = Plan::new(players, 1 << players);
            let all = plan.whole();
            let different: HashSet<_> = all.iter().map(|(coalition, _)| coalition).collect();
            assert_eq!((different.len(), plan.left), ((1 << players) - 2, 0.0));
            assert!((all.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn many_players_are_tried_in_the_outer_sizes() {
        let plan = Plan::new(70, 2_188);
        assert_eq!(plan.whole().len(), 140);
        let mut chance = crate::chance::chance(1, 0);
        for _ in 0..100 {
            let [one, other] = plan.draw(70, &mut chance);
            assert!((0..70).all(|player| has(&one, player) != has(&other, player)));
            assert_eq!(other[1] >> 6, 0);
        }
    }
}
