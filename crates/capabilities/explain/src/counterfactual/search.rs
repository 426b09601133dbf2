//! The search for one row.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use rand::{RngExt, seq::index};

use super::{Counterfactual, Goal, Outcome, Settings, Sought, space::Space};
use crate::{ExplainError, Rows, ask::Asked, chance::chance};

/// So many lines of changes are followed at once.
const LINES: usize = 8;
/// So many of the found ones are made smaller.
const POLISHED: usize = 24;
/// Rows drawn from a surrounding before it grows.
const DRAWN: usize = 200;
/// Surroundings: at first a feature changes to its nearest values, at last to any.
const RINGS: usize = 6;
/// So many of the found ones are kept at once, and half of them when there are more.
const KEPT: usize = 1_024;

pub(super) struct Search<'a> {
    asked: &'a Asked<'a>,
    space: &'a Space,
    settings: &'a Settings,
    row: &'a [f64],
    index: usize,
    goal: Goal,
    left: usize,
    found: Vec<Counterfactual>,
    /// The rows that were scored, by their hashes: a row that shares one is left out.
    seen: HashSet<u64>,
}

/// A row that does not get what is wanted yet.
struct Line {
    row: Vec<f64>,
    /// How much nearer it is to what is wanted, for how far it is.
    worth: f64,
}

impl<'a> Search<'a> {
    pub fn new(
        asked: &'a Asked<'a>,
        space: &'a Space,
        settings: &'a Settings,
        row: &'a [f64],
        index: usize,
    ) -> Self {
        Self {
            asked,
            space,
            settings,
            row,
            index,
            goal: settings.goal,
            left: settings.budget,
            found: Vec::new(),
            seen: HashSet::new(),
        }
    }

    pub fn run(mut self) -> Result<Sought, ExplainError> {
        let predicted = self.asked.score(&Rows::new(self.row.to_vec(), self.row.len()))?;
        self.goal = self.settings.goal.fixed(&predicted);
        let ended =
            |outcome, asked, found| Sought { predicted: predicted.clone(), outcome, found, asked };
        if self.goal.beyond(&predicted) >= 0.0 {
            return Ok(ended(Outcome::Already, 0, Vec::new()));
        }
        if self.space.is_fixed() {
            return Ok(ended(Outcome::Nothing, 0, Vec::new()));
        }
        // Half is for the lines, a quarter for the surroundings, and the rest for making the found ones smaller.
        let (lines, rings) = (self.settings.budget / 2, self.settings.budget / 4);
        let start = self.goal.beyond(&predicted);
        self.within(lines, |search| search.follow(start))?;
        self.within(rings, Self::surround)?;
        self.polish()?;
        let found = self.chosen();
        let outcome = if found.is_empty() { Outcome::NoneWithinBudget } else { Outcome::Found };
        Ok(ended(outcome, self.settings.budget - self.left, found))
    }

    /// Works on no more than so many rows.
    fn within(
        &mut self,
        most: usize,
        work: impl FnOnce(&mut Self) -> Result<(), ExplainError>,
    ) -> Result<(), ExplainError> {
        let kept = self.left.saturating_sub(most);
        self.left -= kept;
        work(self)?;
        self.left += kept;
        Ok(())
    }

    /// Scores rows that were not scored before, as many as the budget allows; keeps those that get what is wanted, and hands on the
    /// others with how far they are from it.
    fn ask(
        &mut self,
        rows: impl IntoIterator<Item = Vec<f64>>,
        mut other: impl FnMut(&[f64], f64),
    ) -> Result<(), ExplainError> {
        let Self { asked, space, row: from, goal, left, found, seen, .. } = self;
        let most = *left;
        let fresh = rows.into_iter().filter(|row| seen.insert(hash(row))).take(most);
        let fresh = fresh.inspect(|_| *left -= 1);
        asked.each_row(fresh, |row, predicted| {
            let beyond = goal.beyond(predicted);
            if beyond < 0.0 {
                other(row, beyond);
                return;
            }
            found.push(Counterfactual {
                row: row.to_vec(),
                changed: Space::changed(from, row),
                predicted: predicted.to_vec(),
                distance: space.distance(from, row),
            });
        })
    }

    /// Forgets the farthest of the found ones, when they are many.
    fn trim(&mut self) {
        if self.found.len() > KEPT {
            self.found = self.apart(KEPT / 2);
        }
    }

    /// Adds one change after the other, in the lines that gain most. Made-up rows are scored as they come, batch by batch, and only
    /// lines that may be followed are kept.
    fn follow(&mut self, start: f64) -> Result<(), ExplainError> {
        let (space, own) = (self.space, self.row);
        let mut lines = vec![Line { row: own.to_vec(), worth: 0.0 }];
        for _ in 0..self.settings.changes.min(own.len()) {
            let mut next = lines.iter().flat_map(|line| {
                let free = space.0.iter().enumerate().filter(|(feature, _)| {
                    !super::space::differs(line.row[*feature], own[*feature])
                });
                free.flat_map(move |(feature, axis)| {
                    axis.tried(own[feature]).into_iter().map(move |value| {
                        let mut row = line.row.clone();
                        row[feature] = value;
                        row
                    })
                })
            });
            let (batch, mut best) = (self.asked.batch().min(KEPT), Vec::new());
            loop {
                let part: Vec<Vec<f64>> = next.by_ref().take(batch).collect();
                if part.is_empty() || self.left == 0 {
                    break;
                }
                self.ask(part, |row, beyond| {
                    // What gains nothing is still followed where nothing else does: trees have plains.
                    let worth = (beyond - start) - 1e-9 * space.distance(own, row);
                    best.push(Line { row: row.to_vec(), worth });
                })?;
                best.sort_by(|a: &Line, b: &Line| b.worth.total_cmp(&a.worth));
                self.keep_apart(&mut best);
                self.trim();
            }
            if self.left == 0 || best.is_empty() {
                break;
            }
            best.truncate(LINES);
            lines = best;
        }
        Ok(())
    }

    /// The best of each set of features, and behind them the best of the others: twice as many as are followed.
    fn keep_apart(&self, lines: &mut Vec<Line>) {
        let mut kept: Vec<Line> = Vec::with_capacity(LINES);
        let mut rest = Vec::new();
        let mut sets: HashSet<Vec<usize>> = HashSet::new();
        for line in lines.drain(..) {
            let set = Space::changed(self.row, &line.row);
            if kept.len() < LINES && sets.insert(set) {
                kept.push(line);
            } else if rest.len() < LINES {
                rest.push(line);
            }
        }
        kept.extend(rest);
        *lines = kept;
    }

    /// Rows of growing surroundings: more features, and values that are farther.
    fn surround(&mut self) -> Result<(), ExplainError> {
        let mut chance = chance(self.settings.seed, self.index as u64);
        let own = self.row;
        let axes: Vec<(usize, Vec<f64>)> = self
            .space
            .0
            .iter()
            .enumerate()
            .map(|(feature, axis)| (feature, axis.tried(self.row[feature])))
            .filter(|(_, tried)| !tried.is_empty())
            .collect();
        if axes.is_empty() {
            return Ok(());
        }
        let most = self.settings.changes.min(axes.len());
        let rounds = (self.left / (DRAWN * RINGS)).clamp(1, 8);
        for ring in 1..=RINGS {
            for _ in 0..rounds {
                let rows = (0..DRAWN).map(|_| {
                    let mut row = own.to_vec();
                    let count = chance.random_range(1..=most);
                    for place in index::sample(&mut chance, axes.len(), count) {
                        let (feature, tried) = &axes[place];
                        let near = (tried.len() * ring).div_ceil(RINGS);
                        row[*feature] = tried[chance.random_range(0..near)];
                    }
                    row
                });
                self.ask(rows, |_, _| {})?;
                self.trim();
                if self.left == 0 {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes back what is not needed, and makes smaller what is.
    fn polish(&mut self) -> Result<(), ExplainError> {
        let mut starts = self.apart(POLISHED);
        for start in &mut starts {
            while let Some(less) = self.without_one(start)? {
                *start = less;
            }
            loop {
                let before = self.found.len();
                for feature in start.changed.clone() {
                    self.nearer(start, feature)?;
                }
                if self.found.len() == before || self.left == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The best of those that change one feature less.
    fn without_one(
        &mut self,
        from: &Counterfactual,
    ) -> Result<Option<Counterfactual>, ExplainError> {
        if from.changed.len() < 2 {
            return Ok(None);
        }
        let own = self.row;
        let rows = from.changed.iter().map(|feature| {
            let mut row = from.row.clone();
            row[*feature] = own[*feature];
            row
        });
        let before = self.found.len();
        self.ask(rows, |_, _| {})?;
        let less = self.found[before..].iter().min_by(|a, b| a.distance.total_cmp(&b.distance));
        Ok(less.cloned())
    }

    /// Moves a feature's value to what it was as far as it can: values that are tried first, then by halves.
    fn nearer(&mut self, from: &mut Counterfactual, feature: usize) -> Result<(), ExplainError> {
        let space = self.space;
        let axis = &space.0[feature];
        let own = self.row[feature];
        let tried = axis.tried(own);
        let reach =
            tried.iter().position(|value| *value == from.row[feature]).unwrap_or(tried.len());
        let with = |value: f64| {
            let mut row = from.row.clone();
            row[feature] = value;
            row
        };
        let before = self.found.len();
        self.ask(tried[..reach].iter().map(|value| with(*value)), |_, _| {})?;
        let near = self.found[before..].iter().min_by(|a, b| a.distance.total_cmp(&b.distance));
        if let Some(near) = near {
            *from = near.clone();
        }
        let mut least = own;
        while let Some(middle) = axis.halfway(least, from.row[feature]) {
            if self.left == 0 || !axis.allows(own, middle) {
                break;
            }
            let mut row = from.row.clone();
            row[feature] = middle;
            let before = self.found.len();
            self.ask([row], |_, _| {})?;
            match self.found[before..].first() {
                Some(nearer) => *from = nearer.clone(),
                None => least = middle,
            }
        }
        Ok(())
    }

    /// The nearest of each set of features, the nearest first.
    fn apart(&self, most: usize) -> Vec<Counterfactual> {
        let mut order: Vec<&Counterfactual> = self.found.iter().collect();
        order.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        let mut sets: HashSet<&[usize]> = HashSet::new();
        order.into_iter().filter(|one| sets.insert(&one.changed)).take(most).cloned().collect()
    }

    /// As many as are wanted: none changes all that a nearer one does, and more.
    fn chosen(&self) -> Vec<Counterfactual> {
        let mut chosen: Vec<Counterfactual> = Vec::new();
        for one in self.apart(usize::MAX) {
            let more = chosen
                .iter()
                .any(|nearer| nearer.changed.iter().all(|feature| one.changed.contains(feature)));
            if !more && chosen.len() < self.settings.count {
                chosen.push(one);
            }
        }
        chosen
    }
}

/// Of a row's bits, the same each time.
fn hash(row: &[f64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for value in row {
        value.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}
