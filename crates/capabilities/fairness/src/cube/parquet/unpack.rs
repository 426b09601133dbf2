//! Bit-packed codes to sums: what each code stands for is added to its row, several rows at once where codes are short.

/// What a code stands for that the dictionary does not have: far beyond any count's place, even several times.
pub(super) const POISON: u32 = 1 << 27;
/// Codes of more bits than this are looked up one by one.
pub(super) const WIDEST: u32 = 16;

/// What each code of a column adds to its row.
#[derive(Debug, Default)]
pub(super) struct Steps {
    by_code: Vec<u32>,
    /// For codes of how many bits the tables below are.
    width: Option<u32>,
    fours: Vec<[u32; 4]>,
    pairs: Vec<[u32; 2]>,
    singles: Vec<[u32; 1]>,
}

impl Steps {
    pub(super) fn new(by_code: Vec<u32>) -> Self {
        Self { by_code, ..Self::default() }
    }

    /// What this code adds.
    #[inline]
    pub(super) fn of(&self, code: u32) -> u32 {
        self.by_code.get(code as usize).copied().unwrap_or(POISON)
    }

    /// Adds what eight codes, and eight more and so on, stand for. `bytes` are whole groups of eight, as `rows` are.
    pub(super) fn add_eights(&mut self, width: u32, bytes: &[u8], rows: &mut [u32]) {
        if self.width != Some(width) {
            self.prepare(width);
        }
        match width {
            1 => add::<1, 4>(bytes, &self.fours, rows),
            2 => add::<2, 4>(bytes, &self.fours, rows),
            3 => add::<3, 2>(bytes, &self.pairs, rows),
            4 => add::<4, 2>(bytes, &self.pairs, rows),
            5 => add::<5, 2>(bytes, &self.pairs, rows),
            6 => add::<6, 1>(bytes, &self.singles, rows),
            7 => add::<7, 1>(bytes, &self.singles, rows),
            8 => add::<8, 1>(bytes, &self.singles, rows),
            9 => add::<9, 1>(bytes, &self.singles, rows),
            10 => add::<10, 1>(bytes, &self.singles, rows),
            11 => add::<11, 1>(bytes, &self.singles, rows),
            12 => add::<12, 1>(bytes, &self.singles, rows),
            13 => add::<13, 1>(bytes, &self.singles, rows),
            14 => add::<14, 1>(bytes, &self.singles, rows),
            15 => add::<15, 1>(bytes, &self.singles, rows),
            16 => add::<16, 1>(bytes, &self.singles, rows),
            _ => debug_assert!(false, "codes of {width} bits are looked up one by one"),
        }
    }

    #[cold]
    fn prepare(&mut self, width: u32) {
        self.width = Some(width);
        match width {
            1..=2 => self.fours = self.groups(width),
            3..=5 => self.pairs = self.groups(width),
            _ => self.singles = self.groups(width),
        }
    }

    /// For each group of codes, as they lie in the bits, what they add.
    fn groups<const G: usize>(&self, width: u32) -> Vec<[u32; G]> {
        let mask = (1_u32 << width) - 1;
        (0..1_u32 << (width * G as u32))
            .map(|bits| std::array::from_fn(|at| self.of(bits >> (width * at as u32) & mask)))
            .collect()
    }
}

#[inline]
fn add<const W: usize, const G: usize>(bytes: &[u8], table: &[[u32; G]], rows: &mut [u32]) {
    let mask = (1_usize << (W * G)) - 1;
    // A length that the compiler knows: nothing is checked for each row.
    let Some(table) = table.get(..=mask) else { return };
    for (bytes, rows) in bytes.chunks_exact(W).zip(rows.chunks_exact_mut(8)) {
        if W <= 8 {
            let mut word = [0; 8];
            word[..W].copy_from_slice(bytes);
            let word = u64::from_le_bytes(word);
            for (at, rows) in rows.chunks_exact_mut(G).enumerate() {
                let group = &table[(word >> (at * W * G)) as usize & mask];
                rows.iter_mut().zip(group).for_each(|(row, step)| *row += step);
            }
        } else {
            let mut word = [0; 16];
            word[..W].copy_from_slice(bytes);
            let word = u128::from_le_bytes(word);
            for (at, row) in rows.iter_mut().enumerate() {
                *row += table[(word >> (at * W)) as usize & mask][0];
            }
        }
    }
}
