//! The cube as bytes: how partial aggregates travel between threads and machines.

use super::{
    Cube, CubeError, Layout, ScoreCell, WeightCell,
    dictionary::Dictionary,
    histogram::{Binned, Histogram, MOST_HALVINGS, stride},
    limits::{MAX_CELLS, MAX_VALUES},
    pool::Pooled,
    repeats::Repeats,
    sum::Sum,
    table::{Entry, LAST_LEVEL},
};
use crate::metrics::reliability::BINS;

/// What an entry of the histogram takes.
const ENTRY_BYTES: usize = 5 * 8;
/// Slots of repeated scores: three to a cell, with some to spare.
const MOST_SLOTS: usize = MAX_CELLS * 4;
const MAGIC: [u8; 4] = *b"EFC4";

impl Cube {
    /// Its state.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.counts.len() * 8
            + self.histogram.size()
            + self.unlabelled.size()
            + self.repeats.size()
            + 4096;
        let mut out = Writer(Vec::with_capacity(size));
        out.0.extend(MAGIC);
        // A layout of flags, a number and a short text always serialises.
        out.bytes(&serde_json::to_vec(&self.layout).unwrap_or_default());
        for number in [
            self.rows,
            self.invalid_weights,
            self.invalid_scores,
            self.score_range.0.to_bits(),
            self.score_range.1.to_bits(),
        ] {
            out.number(number);
        }
        for labels in [&self.target.labels, &self.prediction.labels] {
            for set in [&labels.positives, &labels.others] {
                out.number(set.len() as u64);
                for label in set {
                    out.bytes(label.as_bytes());
                }
            }
        }
        for (attribute, pooled) in self.attributes.iter().zip(&self.pooled) {
            out.number(u64::from(pooled.is_some()));
            if let Some(Pooled { values, large }) = pooled {
                out.number(*values);
                out.number(*large);
            }
            let names = attribute.dictionary.names();
            out.number(names.len() as u64);
            names.for_each(|name| out.bytes(name.as_bytes()));
        }
        out.number(self.index.len() as u64);
        for cell in 0..self.index.len() {
            self.index.codes(cell).iter().for_each(|code| out.number(u64::from(*code)));
        }
        out.number(self.counts.len() as u64);
        self.counts.iter().for_each(|count| out.number(*count));
        out.number(self.weights.len() as u64);
        for cell in &self.weights {
            out.sums([cell.weight, cell.weight2]);
        }
        out.number(self.scores.len() as u64);
        for cell in &self.scores {
            out.number(cell.n);
            out.sums([
                cell.weight,
                cell.weight2,
                cell.error,
                cell.error2,
                cell.absolute,
                cell.log_loss,
            ]);
        }
        out.histogram(&self.histogram);
        out.histogram(&self.unlabelled);
        self.write_repeats(&mut out);
        out.0
    }

    /// The cube whose state this is.
    ///
    /// # Errors
    /// [`CubeError::Damaged`] if it is no cube's state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CubeError> {
        let mut from = Reader(bytes);
        if from.take(4)? != MAGIC {
            return Err(CubeError::Damaged("it does not begin like one"));
        }
        let layout: Layout =
            serde_json::from_slice(from.bytes()?).map_err(|_| CubeError::Damaged("its layout"))?;
        layout.check()?;
        let mut cube = Self::new(layout);
        cube.rows = from.number()?;
        cube.invalid_weights = from.number()?;
        cube.invalid_scores = from.number()?;
        cube.score_range = (f64::from_bits(from.number()?), f64::from_bits(from.number()?));
        for labels in [&mut cube.target.labels, &mut cube.prediction.labels] {
            for set in [&mut labels.positives, &mut labels.others] {
                for _ in 0..from.number()? {
                    set.insert(from.text()?.to_owned());
                }
            }
        }
        for (attribute, pooled) in cube.attributes.iter_mut().zip(&mut cube.pooled) {
            (attribute.dictionary, *pooled) = read_dictionary(&mut from)?;
        }
        let bits = || cube.attributes.iter().map(|attribute| attribute.dictionary.bits());
        if bits().sum::<u32>() > u128::BITS {
            return Err(CubeError::Damaged("its dictionaries"));
        }
        cube.index.reserve(bits());
        let cells = from.length(MAX_CELLS, "its number of cells")?;
        for cell in 0..cells {
            let mut codes = Vec::with_capacity(cube.layout.attributes);
            for attribute in &cube.attributes {
                let code = from.number()?;
                if code > attribute.dictionary.names().len() as u64 {
                    return Err(CubeError::Damaged("a cell's code"));
                }
                codes.push(code as u32);
            }
            if cube.index.cell(&codes) != Ok(cell as u32) {
                return Err(CubeError::Damaged("a cell twice"));
            }
        }
        cube.read_sums(&mut from, cells)?;
        let weighted = cube.layout.weight;
        for histogram in [&mut cube.histogram, &mut cube.unlabelled] {
            read_histogram(histogram, &mut from, cells, weighted)?;
        }
        cube.read_repeats(&mut from, cells)?;
        if !from.0.is_empty() {
            return Err(CubeError::Damaged("it is too long"));
        }
        cube.check()?;
        Ok(cube)
    }

    fn write_repeats(&self, out: &mut Writer) {
        let (slots, scores, counts) = self.repeats.parts();
        out.number(u64::from(self.repeats.is_open()));
        if !self.repeats.is_open() {
            return;
        }
        out.number(slots as u64);
        out.number(scores.len() as u64);
        for score in scores {
            out.number(score.to_bits());
        }
        for rows in counts {
            out.0.extend(rows.to_le_bytes());
        }
    }

    fn read_repeats(&mut self, from: &mut Reader<'_>, cells: usize) -> Result<(), CubeError> {
        let damaged = || CubeError::Damaged("its repeated scores");
        if from.number()? == 0 {
            self.repeats.close();
            return Ok(());
        }
        let slots = from.length(MOST_SLOTS, "the slots of its repeated scores")?;
        let length = from.length(from.0.len() / 8, "the number of its repeated scores")?;
        let scores = (0..length)
            .map(|_| from.number().map(f64::from_bits))
            .collect::<Result<Vec<_>, _>>()?;
        let counts = scores.len().checked_mul(slots).ok_or_else(damaged)?;
        let counts = (0..counts)
            .map(|_| from.array().map(u32::from_le_bytes))
            .collect::<Result<Vec<_>, _>>()?;
        self.repeats = Repeats::restore(slots, scores, counts, cells * 3).ok_or_else(damaged)?;
        Ok(())
    }

    fn read_sums(&mut self, from: &mut Reader<'_>, cells: usize) -> Result<(), CubeError> {
        // What the layout has, every cell has, and nothing else.
        let places = |each: usize, is_there: bool| if is_there { cells * each } else { 0 };
        for _ in 0..from.exactly(places(9, true), "its counts")? {
            self.counts.push(from.number()?);
        }
        for _ in 0..from.exactly(places(9, self.layout.weight), "its weights")? {
            self.weights.push(WeightCell { weight: from.sum()?, weight2: from.sum()? });
        }
        for _ in 0..from.exactly(places(3, self.layout.score), "its scores")? {
            self.scores.push(ScoreCell {
                n: from.number()?,
                weight: from.sum()?,
                weight2: from.sum()?,
                error: from.sum()?,
                error2: from.sum()?,
                absolute: from.sum()?,
                log_loss: from.sum()?,
            });
        }
        Ok(())
    }
}

/// The values of an attribute, and what of them is counted together.
fn read_dictionary(from: &mut Reader<'_>) -> Result<(Dictionary, Option<Pooled>), CubeError> {
    let damaged = |_| CubeError::Damaged("its dictionary");
    let pooled = match from.number()? {
        0 => None,
        _ => Some(Pooled { values: from.number()?, large: from.number()? }),
    };
    let length = from.length(MAX_VALUES, "the number of an attribute's values")?;
    let names = (0..length).map(|_| from.text()).collect::<Result<Vec<&str>, _>>()?;
    let dictionary = if pooled.is_some() {
        // The others come last, there as here.
        Dictionary::closed(names.into_iter()).map_err(damaged)?
    } else {
        let mut dictionary = Dictionary::default();
        for name in names {
            dictionary.code(name).map_err(damaged)?;
        }
        dictionary
    };
    // A value that came twice, or is none, would give those after it another's code.
    if dictionary.names().len() != length {
        return Err(CubeError::Damaged("the values of an attribute"));
    }
    Ok((dictionary, pooled))
}

fn read_histogram(
    histogram: &mut Histogram,
    from: &mut Reader<'_>,
    cells: usize,
    weighted: bool,
) -> Result<(), CubeError> {
    histogram.reserve(cells);
    let slots = histogram.slots(cells);
    let level = from.length(LAST_LEVEL as usize, "its scores")? as u32;
    histogram.table.rise_to(level);
    // No more than the bytes can fill: they may be anybody's.
    let entries = from.length(from.0.len() / ENTRY_BYTES, "the number of its scores")?;
    histogram.expect(entries);
    let mut rows = 0_u64;
    for _ in 0..entries {
        let (slot, key, n) = (from.number()?, from.number()?, from.number()?);
        let (w, score_sum) = (f64::from_bits(from.number()?), f64::from_bits(from.number()?));
        if slot >= slots as u64 {
            return Err(CubeError::Damaged("a score's cell"));
        }
        if level == 0 && !f64::from_bits(key).is_finite() {
            return Err(CubeError::Damaged("a score"));
        }
        // Entries of one place are added up.
        rows = rows.checked_add(n).ok_or(CubeError::Damaged("its rows by score"))?;
        histogram.table.add_entry(Entry { slot: slot as u32, key, n, w, score_sum }, level);
    }
    let is_binned = from.number()? != 0;
    if is_binned != (level > 0) {
        return Err(CubeError::Damaged("its score bins"));
    }
    if !is_binned {
        return Ok(());
    }
    let halvings = from.length(MOST_HALVINGS as usize, "its score bins")? as u32;
    let mut binned = Binned { halvings, ..Binned::default() };
    let length = slots * stride(halvings);
    for _ in 0..length {
        binned.n.push(from.number()?);
    }
    for _ in 0..from.exactly(if weighted { length } else { 0 }, "its score weights")? {
        binned.w.push(f64::from_bits(from.number()?));
    }
    if Binned::calibrated(halvings) {
        for _ in 0..slots {
            let mut sums = [Sum::default(); BINS];
            for sum in &mut sums {
                *sum = from.sum()?;
            }
            binned.sums.push(sums);
        }
    }
    histogram.binned = Some(binned);
    Ok(())
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn histogram(&mut self, histogram: &Histogram) {
        let Histogram { table, binned, .. } = histogram;
        self.number(u64::from(table.level()));
        self.number(table.len() as u64);
        for entry in table.entries() {
            for number in [
                u64::from(entry.slot),
                entry.key,
                entry.n,
                entry.w.to_bits(),
                entry.score_sum.to_bits(),
            ] {
                self.number(number);
            }
        }
        self.number(u64::from(binned.is_some()));
        if let Some(Binned { halvings, n, w, sums }) = binned {
            self.number(u64::from(*halvings));
            for n in n {
                self.number(*n);
            }
            self.number(w.len() as u64);
            for w in w {
                self.number(w.to_bits());
            }
            for sums in sums {
                self.sums(*sums);
            }
        }
    }

    fn sums<const N: usize>(&mut self, sums: [Sum; N]) {
        for sum in sums {
            self.0.extend(sum.to_bytes());
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], CubeError> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or(CubeError::Damaged("it is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CubeError> {
        self.take(N)?.try_into().map_err(|_| CubeError::Damaged("it is too short"))
    }

    fn number(&mut self) -> Result<u64, CubeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number that is at most this.
    fn length(&mut self, most: usize, what: &'static str) -> Result<usize, CubeError> {
        usize::try_from(self.number()?)
            .ok()
            .filter(|length| *length <= most)
            .ok_or(CubeError::Damaged(what))
    }

    /// A number that is this.
    fn exactly(&mut self, wanted: usize, what: &'static str) -> Result<usize, CubeError> {
        let length = self.length(wanted, what)?;
        if length == wanted { Ok(length) } else { Err(CubeError::Damaged(what)) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], CubeError> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| CubeError::Damaged("a length"))?)
    }

    fn text(&mut self) -> Result<&'a str, CubeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| CubeError::Damaged("a text"))
    }

    fn sum(&mut self) -> Result<Sum, CubeError> {
        Ok(Sum::from_bytes(self.array()?))
    }
}
