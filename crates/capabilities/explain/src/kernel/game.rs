//! What coalitions of a row's features are worth.

use std::collections::HashMap;

use super::coalitions::{Coalition, has};
use crate::{ExplainError, Rows, ask::Asked};

/// The game of one row. Its players are the features in which the row differs from a background row at least.
pub(super) struct Game<'a> {
    asked: &'a Asked<'a>,
    row: &'a [f64],
    background: &'a Rows,
    base: Vec<f64>,
    players: Vec<usize>,
    /// The place of a coalition's values.
    known: HashMap<Coalition, usize>,
    /// By place, by output: how much more than the base is predicted.
    worth: Vec<f64>,
}

impl<'a> Game<'a> {
    /// The mean prediction of the background.
    pub fn base(asked: &Asked<'_>, background: &Rows) -> Result<Vec<f64>, ExplainError> {
        let mut sums = vec![0.0; asked.outputs()];
        asked.each(background.iter().map(<[f64]>::to_vec), |_, predicted| {
            add(&mut sums, predicted);
        })?;
        Ok(sums.into_iter().map(|sum| sum / background.len() as f64).collect())
    }

    pub fn new(asked: &'a Asked<'a>, row: &'a [f64], background: &'a Rows, base: &[f64]) -> Self {
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        let differs =
            |feature: &usize| background.iter().any(|other| !same(other[*feature], row[*feature]));
        let players = (0..row.len()).filter(differs).collect();
        let (known, worth) = (HashMap::new(), Vec::new());
        Self { asked, row, background, base: base.to_vec(), players, known, worth }
    }

    /// Is it still wanted?
    pub fn go_on(&self) -> Result<(), ExplainError> {
        self.asked.go_on()
    }

    pub fn players(&self) -> usize {
        self.players.len()
    }

    /// How many coalitions were asked for.
    pub fn tried(&self) -> usize {
        self.worth.len() / self.base.len().max(1)
    }

    /// By feature, what is given by player; features that are no players have nothing.
    pub fn spread(&self, values: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.row.len()];
        for (player, value) in self.players.iter().zip(values) {
            all[*player] = *value;
        }
        all
    }

    /// Gives a coalition a place; is it a new one?
    pub fn note(&mut self, coalition: &Coalition) -> bool {
        let next = self.known.len();
        *self.known.entry(coalition.clone()).or_insert(next) == next
    }

    /// The places of the coalitions, of which those that are not known are asked for.
    pub fn values(&mut self, coalitions: &[Coalition]) -> Result<Vec<usize>, ExplainError> {
        let mut fresh: Vec<(usize, &Coalition)> = Vec::new();
        let tried = self.tried();
        let mut places = Vec::with_capacity(coalitions.len());
        for coalition in coalitions {
            self.note(coalition);
            places.push(self.known[coalition]);
        }
        for (coalition, place) in coalitions.iter().zip(&places) {
            if *place >= tried {
                fresh.push((*place, coalition));
            }
        }
        fresh.sort_unstable_by_key(|(place, _)| *place);
        fresh.dedup_by_key(|(place, _)| *place);
        let (others, outputs) = (self.background.len(), self.base.len());
        let mut sums = vec![0.0; fresh.len() * outputs];
        let rows = fresh.iter().flat_map(|(_, coalition)| {
            self.background.iter().map(|other| {
                let mut mixed = other.to_vec();
                for (player, feature) in self.players.iter().enumerate() {
                    if has(coalition, player) {
                        mixed[*feature] = self.row[*feature];
                    }
                }
                mixed
            })
        });
        self.asked.each(rows, |index, predicted| {
            let start = index / others * outputs;
            add(&mut sums[start..start + outputs], predicted);
        })?;
        let base = self.base.iter().cycle();
        self.worth.extend(sums.iter().zip(base).map(|(sum, base)| sum / others as f64 - base));
        Ok(places)
    }

    /// What a coalition adds to the base, by output.
    pub fn value(&self, place: usize) -> &[f64] {
        &self.worth[place * self.base.len()..(place + 1) * self.base.len()]
    }
}

fn add(sums: &mut [f64], more: &[f64]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}
