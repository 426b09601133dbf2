//! From the cube to groups: the cells of one attribute, or of several together, with what is known of each.

use std::collections::{HashMap, HashSet};

use crate::{
    cube::{Binned, Cube, Rows, tenth},
    metrics::Needs,
    tally::{Count, MISSING, POSITIVE, Point, ScoreSums, Tally},
};

/// One cell of the cube as a tally (without its curve), and the rows by score of all cells in ascending order.
pub(crate) struct Cells {
    pub tallies: Vec<Tally>,
    points: Vec<(u32, Point)>,
    /// The cells by the names of their values: the order in which threads met them must not show.
    pub order: Vec<usize>,
    pub probabilities: bool,
    pub everybody: f64,
    pub everybody_selected: f64,
}

/// Groups by some attributes.
pub(crate) struct Groups {
    /// Positions of the attributes in the spec.
    pub attributes: Vec<usize>,
    /// Ordered by name.
    pub all: Vec<GroupTally>,
    /// The group of each cell.
    pub of_cell: Vec<usize>,
}

/// One group.
pub(crate) struct GroupTally {
    pub values: Vec<String>,
    pub name: String,
    /// Values that are counted together and are no group of people: not compared.
    pub is_rest: bool,
    pub tally: Tally,
}

impl Cells {
    /// From a cube and its rows by score, ascending.
    pub(crate) fn new(cube: &Cube, rows: &[Rows]) -> Self {
        let probabilities = cube.score_range.0 >= 0.0 && cube.score_range.1 <= 1.0;
        let mut tallies: Vec<Tally> =
            (0..cube.cells()).map(|cell| tally(cube, cell, probabilities)).collect();
        let order = by_name(cube);
        let everybody = order.iter().map(|cell| tallies[*cell].all.w).sum();
        let everybody_selected: f64 =
            order.iter().map(|cell| tallies[*cell].predicted(POSITIVE).w).sum();
        for tally in &mut tallies {
            (tally.everybody, tally.everybody_selected) = (everybody, everybody_selected);
        }
        if probabilities {
            add_reliability(cube, rows, &mut tallies);
        }
        // Equal ranks are one score, or one bin; in a bin the means differ between cells.
        let (mut rank, mut last) = (0, None);
        let mut points: Vec<(u32, Point)> = Vec::with_capacity(rows.len());
        for rows in rows {
            if last != Some(rows.rank) {
                rank += 1;
                last = Some(rows.rank);
            }
            let cell = rows.slot / 3;
            let mut point = Point { rank, score: rows.score, ..Point::default() };
            match (rows.slot % 3) as usize {
                MISSING => point.unlabelled = rows.n,
                label => (point.n[label], point.w[label]) = (rows.n, rows.w),
            }
            match points.last_mut() {
                Some((before, last)) if *before == cell && last.rank == rank => last.absorb(&point),
                _ => points.push((cell, point)),
            }
        }
        Self { tallies, points, order, probabilities, everybody, everybody_selected }
    }

    /// Everybody together.
    pub(crate) fn overall(&self) -> Tally {
        let mut groups = self.group_by(1, |_| 0);
        groups.pop().unwrap_or_default()
    }

    /// How many groups these attributes make.
    pub(crate) fn count(cube: &Cube, attributes: &[usize]) -> usize {
        let key = |cell| {
            attributes
                .iter()
                .map(|attribute| cube.index.codes(cell)[*attribute])
                .collect::<Vec<u32>>()
        };
        (0..cube.cells()).map(key).collect::<HashSet<_>>().len()
    }

    /// The groups by these attributes.
    pub(crate) fn groups(&self, cube: &Cube, attributes: &[usize]) -> Groups {
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut keys: Vec<Vec<u32>> = Vec::new();
        let mut of_cell: Vec<usize> = Vec::with_capacity(self.tallies.len());
        for cell in 0..cube.cells() {
            let codes = cube.index.codes(cell);
            let key: Vec<u32> = attributes.iter().map(|attribute| codes[*attribute]).collect();
            let next = keys.len();
            of_cell.push(*known.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                next
            }));
        }
        let tallies = self.group_by(keys.len(), |cell| of_cell[cell]);
        let mut groups: Vec<(usize, GroupTally)> = keys
            .into_iter()
            .zip(tallies)
            .map(|(key, tally)| {
                let is_rest = attributes
                    .iter()
                    .zip(&key)
                    .any(|(attribute, code)| cube.is_other(*attribute, *code));
                let values: Vec<String> = attributes
                    .iter()
                    .zip(key)
                    .map(|(attribute, code)| cube.dictionary(*attribute).name(code).to_owned())
                    .collect();
                GroupTally { name: values.join("|"), values, is_rest, tally }
            })
            .enumerate()
            .filter(|(_, group)| group.tally.all.n > 0)
            .collect();
        groups.sort_by(|left, right| left.1.values.cmp(&right.1.values));
        let mut place = HashMap::new();
        for (new, (old, _)) in groups.iter().enumerate() {
            place.insert(*old, new);
        }
        let of_cell =
            of_cell.into_iter().map(|old| place.get(&old).copied().unwrap_or(usize::MAX)).collect();
        Groups {
            attributes: attributes.to_vec(),
            all: groups.into_iter().map(|(_, group)| group).collect(),
            of_cell,
        }
    }

    fn group_by(&self, count: usize, of_cell: impl Fn(usize) -> usize) -> Vec<Tally> {
        let mut tallies = vec![
            Tally {
                everybody: self.everybody,
                everybody_selected: self.everybody_selected,
                probabilities: self.probabilities,
                ..Tally::default()
            };
            count
        ];
        for cell in self.order.iter().copied() {
            tallies[of_cell(cell)].absorb(&self.tallies[cell]);
        }
        for (cell, point) in &self.points {
            let points = &mut tallies[of_cell(*cell as usize)].points;
            match points.last_mut() {
                Some(last) if last.rank == point.rank => last.absorb(point),
                _ => points.push(*point),
            }
        }
        tallies
    }
}

/// The place of each code of an attribute among the names of its values, in their order.
pub(crate) fn places(cube: &Cube, attribute: usize) -> Vec<u32> {
    let dictionary = cube.dictionary(attribute);
    let mut codes: Vec<u32> = (0..=dictionary.names().len() as u32).collect();
    codes.sort_unstable_by(|left, right| dictionary.name(*left).cmp(dictionary.name(*right)));
    let mut places = vec![0; codes.len()];
    for (place, code) in codes.into_iter().enumerate() {
        places[code as usize] = place as u32;
    }
    places
}

/// The cells in the order of the names of their values.
fn by_name(cube: &Cube) -> Vec<usize> {
    let places: Vec<Vec<u32>> =
        (0..cube.layout.attributes).map(|attribute| places(cube, attribute)).collect();
    let key = |cell: &usize| {
        let codes = cube.index.codes(*cell).iter().zip(&places);
        codes.map(|(code, places)| places[*code as usize]).collect::<Vec<u32>>()
    };
    let mut order: Vec<usize> = (0..cube.cells()).collect();
    order.sort_by_cached_key(key);
    order
}

fn tally(cube: &Cube, cell: usize, probabilities: bool) -> Tally {
    let mut tally = Tally { probabilities, ..Tally::default() };
    for bucket in 0..9 {
        let at = cell * 9 + bucket;
        let n = cube.counts[at];
        let (w, w2) = match cube.weights.get(at) {
            Some(weight) => (weight.weight.value(), weight.weight2.value()),
            None => (n as f64, n as f64),
        };
        let count = Count { n, w, w2 };
        tally.cells[bucket / 3][bucket % 3] = count;
        tally.all += count;
    }
    for label in 0..3 {
        let Some(sums) = cube.scores.get(cell * 3 + label) else { continue };
        let (w, w2) = if cube.layout.weight {
            (sums.weight.value(), sums.weight2.value())
        } else {
            (sums.n as f64, sums.n as f64)
        };
        let positive = if label == POSITIVE { 1.0 } else { 0.0 };
        let (error, error2) = (sums.error.value(), sums.error2.value());
        tally.scores[label] = ScoreSums {
            count: Count { n: sums.n, w, w2 },
            // s = error + y, s² = error² + 2 y error + y²
            score: error + positive * w,
            score2: error2 + positive * (2.0 * error + w),
            squared_error: error2,
            absolute_error: sums.absolute.value() + if positive > 0.0 { -error } else { error },
            log_loss: sums.log_loss.value() * crate::cube::LOSS_UNIT,
        };
    }
    tally
}

/// Gives each cell its labelled rows by tenths of [0, 1]: exact scores by themselves, binned ones by the sums kept for it.
fn add_reliability(cube: &Cube, rows: &[Rows], tallies: &mut [Tally]) {
    let histogram = &cube.histogram;
    if histogram.binned.as_ref().is_some_and(|binned| !Binned::calibrated(binned.halvings)) {
        return;
    }
    for rows in rows {
        let (cell, label) = ((rows.slot / 3) as usize, (rows.slot % 3) as usize);
        if label == MISSING {
            continue;
        }
        let bin = &mut tallies[cell].reliability.get_or_insert_default()[tenth(rows.score)];
        bin.n += rows.n;
        bin.w[label] += rows.w;
        if histogram.binned.is_none() {
            bin.score += rows.w * rows.score;
        }
    }
    for (slot, sums) in histogram.binned.iter().flat_map(|binned| &binned.sums).enumerate() {
        if let Some(bins) = &mut tallies[slot / 2].reliability {
            bins.iter_mut().zip(sums).for_each(|(bin, sum)| bin.score += sum.value());
        }
    }
}

/// The greatest error that binning can cause in a group's AUC and KS.
pub(crate) fn binning_error(
    cube: &Cube,
    tallies: impl Iterator<Item = impl std::borrow::Borrow<Tally>>,
) -> (f64, f64) {
    if cube.histogram.binned.is_none() {
        return (0.0, 0.0);
    }
    let (mut auc, mut ks) = (0.0_f64, 0.0_f64);
    for tally in tallies {
        let tally = tally.borrow();
        let total = [tally.scores[0].count.w, tally.scores[1].count.w];
        if total[0] <= 0.0 || total[1] <= 0.0 {
            continue;
        }
        let shares =
            tally.points.iter().map(|point| (point.w[0] / total[0], point.w[1] / total[1]));
        // Pairs within a bin count half; truly they could count nothing or whole.
        auc = auc.max(shares.clone().map(|(negative, positive)| negative * positive / 2.0).sum());
        ks = ks.max(shares.map(|(negative, positive)| negative.max(positive)).fold(0.0, f64::max));
    }
    (auc, ks)
}

/// How many groups of one grouping have their metrics computed when they are too small to be compared.
pub(crate) const SMALL_GROUPS_SHOWN: usize = 1_000;

/// Whether scores are binned so coarsely that nothing can be said about calibration.
pub(crate) fn describe_bins(cube: &Cube) -> Option<u32> {
    cube.histogram.bins()
}

/// Which columns the data have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Has {
    pub labels: bool,
    pub predictions: bool,
    pub scores: bool,
}

impl Has {
    /// What such a metric would need and is not there; `None` if these data allow it.
    pub(crate) fn lacks(self, needs: Needs) -> Option<&'static str> {
        let prediction = (self.predictions, "there are no predictions");
        let score = (self.scores, "there are no scores");
        let label = (self.labels, "there are no labels");
        let there = (true, "");
        let needed = match needs {
            Needs::Rows => [there, there],
            Needs::Labels => [label, there],
            Needs::Predictions => [prediction, there],
            Needs::Decisions => [prediction, label],
            Needs::Scores => [score, there],
            Needs::Ranking | Needs::Probabilities => [score, label],
        };
        needed.into_iter().find_map(|(is_there, why)| (!is_there).then_some(why))
    }

    pub(crate) fn allows(self, needs: Needs) -> bool {
        self.lacks(needs).is_none()
    }
}
