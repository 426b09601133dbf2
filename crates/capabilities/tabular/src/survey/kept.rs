//! What the first pass keeps of a chunk: each column as codes of its texts, so that there need be no second pass.
//!
//! Which type a column has is known only at the end of the file. But a column of few texts is small as codes, and the type is
//! a matter of its texts alone: they are read as what they are, once each, when the table is.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use hashbrown::{DefaultHashBuilder, HashTable};

/// The code of a field that is missing.
pub(crate) const MISSING: usize = 0;
/// The code of a quoted field without characters.
pub(crate) const EMPTY: usize = 1;
/// The code of the first text.
pub(crate) const FIRST: usize = 2;

/// After so many fields a column that has a different text in every other one is not kept.
const PATIENCE: usize = 1 << 12;
/// What a text takes beside its bytes, in the table and the list of texts.
const TEXT_BYTES: usize = 32;

/// A chunk's columns; `None` where nobody will read the column, or it holds too many texts.
#[derive(Debug)]
pub(crate) struct Kept {
    pub columns: Vec<Option<KeptColumn>>,
}

/// A column of a chunk.
#[derive(Debug)]
pub(crate) struct KeptColumn {
    /// By code, from [`FIRST`] on.
    pub texts: Vec<Box<str>>,
    pub codes: Codes,
}

impl KeptColumn {
    /// Whether a row has this code.
    pub(crate) fn holds(&self, wanted: usize) -> bool {
        let mut is_held = false;
        self.codes.each(0..self.codes.len(), |code| is_held |= code == wanted);
        is_held
    }
}

/// A code for each row.
#[derive(Debug)]
pub(crate) enum Codes {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

impl Codes {
    fn len(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.capacity(),
            Self::Wide(codes) => codes.capacity() * 2,
        }
    }

    fn push(&mut self, code: usize) {
        if let Self::Narrow(codes) = self {
            if let Ok(code) = u8::try_from(code) {
                codes.push(code);
                return;
            }
            *self = Self::Wide(codes.iter().copied().map(u16::from).collect());
        }
        if let Self::Wide(codes) = self {
            codes.push(code as u16);
        }
    }

    /// The codes of some rows, one after another.
    pub(crate) fn each(&self, rows: std::ops::Range<usize>, mut give: impl FnMut(usize)) {
        match self {
            Self::Narrow(codes) => codes[rows].iter().for_each(|code| give(usize::from(*code))),
            Self::Wide(codes) => codes[rows].iter().for_each(|code| give(usize::from(*code))),
        }
    }
}

/// How much may be kept of a file, and whether it is any use.
#[derive(Debug)]
pub(crate) struct Room {
    bytes: AtomicUsize,
    open: AtomicBool,
}

impl Room {
    /// For so many bytes; none: nothing is kept.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes: AtomicUsize::new(bytes), open: AtomicBool::new(bytes > 0) }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Keeps nothing any more: there is too much of it.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    /// Takes so many bytes of it, if there are as many.
    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// A column of a chunk as it grows.
#[derive(Debug)]
pub(crate) struct Keeper {
    texts: Vec<Box<str>>,
    /// Of each text, whether the survey knows it, and as what.
    told: Vec<Told>,
    codes: Codes,
    table: HashTable<u16>,
    hasher: DefaultHashBuilder,
    /// The text of the row before.
    last: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    AsOther,
    AsText,
}

/// What a field is to the survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// It has been told.
    Known,
    /// It is to be told.
    New,
    /// There are too many texts to keep.
    TooMany,
}

impl Keeper {
    pub(crate) fn new(hasher: &DefaultHashBuilder) -> Self {
        Self {
            texts: Vec::new(),
            told: Vec::new(),
            codes: Codes::Narrow(Vec::new()),
            table: HashTable::new(),
            hasher: hasher.clone(),
            last: 0,
        }
    }

    /// Takes in a field that is missing, or a quoted one without characters.
    pub(crate) fn none(&mut self, code: usize) {
        self.codes.push(code);
    }

    /// Takes in a text. `is_text`: the survey takes the column for text by now, and must know the text as one.
    pub(crate) fn text(&mut self, text: &str, is_text: bool) -> Field {
        let wanted = if is_text { Told::AsText } else { Told::AsOther };
        let Some(at) = self.find(text) else { return Field::TooMany };
        self.codes.push(at + FIRST);
        self.last = at;
        let is_new = at == self.told.len();
        if is_new {
            self.told.push(wanted);
            return Field::New;
        }
        if self.told[at] == Told::AsText || self.told[at] == wanted {
            return Field::Known;
        }
        self.told[at] = wanted;
        Field::New
    }

    /// Where the text is, or is from now on.
    fn find(&mut self, text: &str) -> Option<usize> {
        if self.texts.get(self.last).is_some_and(|last| **last == *text) {
            return Some(self.last);
        }
        let hash = self.hasher.hash_one(text);
        let texts = &self.texts;
        if let Some(at) = self.table.find(hash, |at| *texts[usize::from(*at)] == *text) {
            return Some(usize::from(*at));
        }
        let (at, rows) = (self.texts.len(), self.codes.len());
        let repeats = rows < PATIENCE || at * 2 < rows;
        if !repeats || at + FIRST > usize::from(u16::MAX) {
            return None;
        }
        self.texts.push(text.into());
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.table.insert_unique(hash, at as u16, |at| hasher.hash_one(&*texts[usize::from(*at)]));
        Some(at)
    }
}

impl Kept {
    /// The columns, if there is room for them.
    pub(crate) fn new(keepers: Vec<Option<Keeper>>, room: &Room) -> Option<Self> {
        let mut columns: Vec<Option<KeptColumn>> = keepers
            .into_iter()
            .map(|keeper| {
                let Keeper { mut texts, mut codes, .. } = keeper?;
                texts.shrink_to_fit();
                match &mut codes {
                    Codes::Narrow(codes) => codes.shrink_to_fit(),
                    Codes::Wide(codes) => codes.shrink_to_fit(),
                }
                Some(KeptColumn { texts, codes })
            })
            .collect();
        columns.shrink_to_fit();
        let kept = Self { columns };
        if room.take(kept.bytes()) {
            return Some(kept);
        }
        room.close();
        None
    }

    fn bytes(&self) -> usize {
        let column = |column: &KeptColumn| {
            let texts: usize = column.texts.iter().map(|text| text.len() + TEXT_BYTES).sum();
            texts + column.codes.bytes()
        };
        let list = self.columns.capacity() * size_of::<Option<KeptColumn>>();
        list + self.columns.iter().flatten().map(column).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(codes: &Codes) -> Vec<usize> {
        let mut all = Vec::new();
        codes.each(0..codes.len(), |code| all.push(code));
        all
    }

    #[test]
    fn texts_are_told_once_and_again_when_they_become_text() {
        let mut keeper = Keeper::new(&DefaultHashBuilder::default());
        assert_eq!(keeper.text("1", false), Field::New);
        assert_eq!(keeper.text("1", false), Field::Known);
        keeper.none(MISSING);
        keeper.none(EMPTY);
        assert_eq!(keeper.text("a", false), Field::New);
        assert_eq!(keeper.text("1", true), Field::New);
        assert_eq!(keeper.text("1", true), Field::Known);
        let room = Room::new(1 << 20);
        let kept = Kept::new(vec![Some(keeper), None], &room).unwrap();
        let column = kept.columns[0].as_ref().unwrap();
        assert_eq!(codes(&column.codes), [2, 2, MISSING, EMPTY, 3, 2, 2]);
        assert_eq!(column.texts.iter().map(|text| &**text).collect::<Vec<_>>(), ["1", "a"]);
        assert!(kept.columns[1].is_none() && room.is_open());
    }

    #[test]
    fn codes_widen_and_what_does_not_repeat_is_given_up() {
        let mut keeper = Keeper::new(&DefaultHashBuilder::default());
        for round in 0..20 {
            for text in 0..1_000 {
                let wanted = if round == 0 { Field::New } else { Field::Known };
                assert_eq!(keeper.text(&text.to_string(), false), wanted);
            }
        }
        let all = codes(&keeper.codes);
        assert!(all.iter().enumerate().all(|(row, code)| *code == row % 1_000 + FIRST));
        assert!(matches!(keeper.codes, Codes::Wide(_)));
        let mut unique = Keeper::new(&DefaultHashBuilder::default());
        let given_up =
            (0..100_000).find(|text| unique.text(&format!("{text}"), true) == Field::TooMany);
        assert_eq!(given_up, Some(PATIENCE));
    }

    #[test]
    fn what_has_no_room_is_not_kept() {
        let room = Room::new(200);
        let column = || {
            let mut keeper = Keeper::new(&DefaultHashBuilder::default());
            keeper.text("some forty bytes of text, more or less.", true);
            vec![Some(keeper)]
        };
        assert!(Kept::new(column(), &room).is_some() && room.is_open());
        assert!(Kept::new(column(), &room).is_none() && !room.is_open());
        assert!(!Room::new(0).is_open());
    }

    #[test]
    fn columns_that_nobody_reads_take_room_too() {
        let room = Room::new(1 << 10);
        assert!(Kept::new((0..1_000).map(|_| None).collect(), &room).is_none());
        assert!(!room.is_open());
    }
}
