//! Weighted least squares whose values sum up to the whole.

use super::{
    coalitions::{Coalition, Plan, has},
    game::Game,
};
use crate::{ExplainError, solve::Factored};

/// Sums over coalitions: `sum w z z'` and `sum w z v`, of those tried in full and of those drawn.
pub(super) struct Fit {
    players: usize,
    whole: Vec<f64>,
    full: Sums,
    drawn: Sums,
    /// The coalitions that were drawn, with the places of their values: one and its complement.
    pairs: Vec<[(Coalition, usize); 2]>,
}

struct Sums {
    matrix: Vec<f64>,
    right: Vec<Vec<f64>>,
}

impl Fit {
    /// By output, `whole` is what the values sum up to.
    fn new(players: usize, whole: &[f64]) -> Self {
        let sums = || Sums {
            matrix: vec![0.0; players * players],
            right: vec![vec![0.0; players]; whole.len()],
        };
        Self { players, whole: whole.to_vec(), full: sums(), drawn: sums(), pairs: Vec::new() }
    }

    /// Of what is tried in full.
    pub fn of(plan: &Plan, game: &mut Game<'_>, whole: &[f64]) -> Result<Self, ExplainError> {
        let mut fit = Self::new(game.players(), whole);
        let (full, weights): (Vec<_>, Vec<_>) = plan.whole().into_iter().unzip();
        let places = game.values(&full)?;
        for ((coalition, weight), place) in full.iter().zip(weights).zip(places) {
            game.go_on()?;
            fit.full.add(&members(coalition, fit.players), fit.players, weight, game.value(place));
        }
        Ok(fit)
    }

    /// Two that were drawn, with the places of their values.
    pub fn draw(&mut self, pair: &[Coalition], places: &[usize], game: &Game<'_>) {
        for (coalition, place) in pair.iter().zip(places) {
            let of = members(coalition, self.players);
            self.drawn.add(&of, self.players, 0.5, game.value(*place));
        }
        self.pairs.push([(pair[0].clone(), places[0]), (pair[1].clone(), places[1])]);
    }

    /// The values, by output, and their standard errors: how the solution moves with each pair that was drawn, to first order.
    #[allow(clippy::type_complexity, reason = "two lists of one length")]
    pub fn solved(
        &self,
        left: f64,
        game: &Game<'_>,
    ) -> Result<(Vec<Vec<f64>>, Vec<Vec<f64>>), ExplainError> {
        let (players, count) = (self.players, self.pairs.len());
        let (factored, right) = self.joined(left);
        let ones = factored.solve(&vec![1.0; players]);
        let all: f64 = ones.iter().sum();
        let each = right.iter().zip(&self.whole).map(|(right, whole)| {
            let free = factored.solve(right);
            let over = (free.iter().sum::<f64>() - whole) / all;
            free.iter().zip(&ones).map(|(free, one)| free - over * one).collect()
        });
        let values: Vec<Vec<f64>> = each.collect();
        if left == 0.0 {
            let none = vec![vec![0.0; players]; values.len()];
            return Ok((values, none));
        }
        let mut errors = Vec::with_capacity(values.len());
        for (output, values) in values.iter().enumerate() {
            let (mut sum, mut products) = (vec![0.0; players], vec![0.0; players * players]);
            for pair in &self.pairs {
                game.go_on()?;
                let mut moved = vec![0.0; players];
                for (coalition, place) in pair {
                    let of = members(coalition, players);
                    let said: f64 = of.iter().map(|player| values[*player]).sum();
                    let residual = (game.value(*place)[output] - said) / 2.0;
                    for player in of {
                        moved[player] += residual;
                    }
                }
                for (one, a) in moved.iter().enumerate() {
                    sum[one] += a;
                    for (product, b) in products[one * players..].iter_mut().zip(&moved) {
                        *product += a * b;
                    }
                }
            }
            let n = count as f64;
            for one in 0..players {
                for two in 0..players {
                    let cell = &mut products[one * players + two];
                    *cell = (*cell - sum[one] * sum[two] / n) / (n * (n - 1.0).max(1.0));
                }
            }
            let mut own = Vec::with_capacity(players);
            for player in 0..players {
                game.go_on()?;
                let mut unit = vec![0.0; players];
                unit[player] = 1.0;
                let mut way = factored.solve(&unit);
                for (way, one) in way.iter_mut().zip(&ones) {
                    *way -= ones[player] * one / all;
                }
                let lines = products.chunks_exact(players).zip(&way);
                let variance: f64 = lines
                    .map(|(line, a)| a * line.iter().zip(&way).map(|(c, b)| c * b).sum::<f64>())
                    .sum();
                own.push(left * variance.max(0.0).sqrt());
            }
            errors.push(own);
        }
        Ok((values, errors))
    }

    /// Both kinds of coalitions together; the drawn ones stand for all that share their weight.
    fn joined(&self, left: f64) -> (Factored, Vec<Vec<f64>>) {
        let share = left / self.pairs.len().max(1) as f64;
        let join = |full: &[f64], drawn: &[f64]| -> Vec<f64> {
            full.iter().zip(drawn).map(|(full, drawn)| full + share * drawn).collect()
        };
        let matrix = join(&self.full.matrix, &self.drawn.matrix);
        let right = self.full.right.iter().zip(&self.drawn.right);
        (
            Factored::new(&matrix, self.players),
            right.map(|(full, drawn)| join(full, drawn)).collect(),
        )
    }
}

impl Sums {
    fn add(&mut self, members: &[usize], players: usize, weight: f64, worth: &[f64]) {
        for one in members {
            for two in members {
                self.matrix[one * players + two] += weight;
            }
        }
        for (right, worth) in self.right.iter_mut().zip(worth) {
            for member in members {
                right[*member] += weight * worth;
            }
        }
    }
}

fn members(coalition: &Coalition, players: usize) -> Vec<usize> {
    (0..players).filter(|player| has(coalition, *player)).collect()
}
