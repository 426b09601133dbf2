//! Parquet's hybrid of runs: a code repeated, or codes of so many bits packed together, in turn.

use bytes::Bytes;

use super::unpack::{Steps, WIDEST};

/// The codes of a page, or the levels that say which rows have a value.
#[derive(Debug)]
pub(super) struct Codes {
    bytes: Bytes,
    /// The next run's place.
    next: usize,
    width: u32,
    run: Run,
}

#[derive(Debug)]
enum Run {
    Repeated {
        code: u32,
        left: usize,
    },
    /// From a place in the bytes on; so many codes are taken.
    Packed {
        start: usize,
        taken: usize,
        left: usize,
    },
}

/// The codes end before the rows do, or are no codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short;

impl Codes {
    /// Runs of codes of so many bits.
    pub(super) fn runs(bytes: Bytes, width: u32) -> Self {
        Self { bytes, next: 0, width, run: Run::Repeated { code: 0, left: 0 } }
    }

    /// Codes packed without a run's head.
    pub(super) fn packed(bytes: Bytes, width: u32, count: usize) -> Self {
        let next = bytes.len();
        Self { bytes, next, width, run: Run::Packed { start: 0, taken: 0, left: count } }
    }

    /// Whether the next codes, so many, are this one: if it takes no more than a look at the next run.
    pub(super) fn are_all(&mut self, code: u32, count: usize) -> bool {
        self.advance().is_ok()
            && matches!(self.run, Run::Repeated { code: found, left } if found == code && left >= count)
    }

    /// Adds to each row what its code stands for.
    pub(super) fn add(&mut self, steps: &mut Steps, mut rows: &mut [u32]) -> Result<(), Short> {
        while !rows.is_empty() {
            self.advance()?;
            let now = match &mut self.run {
                Run::Repeated { left, .. } | Run::Packed { left, .. } => {
                    let now = rows.len().min(*left);
                    *left -= now;
                    now
                }
            };
            let (here, rest) = rows.split_at_mut(now);
            match self.run {
                Run::Repeated { code, .. } => {
                    let step = steps.of(code);
                    for row in here {
                        *row += step;
                    }
                }
                Run::Packed { start, ref mut taken, .. } => {
                    let first = *taken;
                    *taken += now;
                    unpack(&self.bytes[start..], self.width, first, steps, here)?;
                }
            }
            rows = rest;
        }
        Ok(())
    }

    /// Goes to the next run that has codes, unless this one still has.
    fn advance(&mut self) -> Result<(), Short> {
        loop {
            if let Run::Repeated { left: 1.., .. } | Run::Packed { left: 1.., .. } = self.run {
                return Ok(());
            }
            let head = self.varint()?;
            let count = usize::try_from(head >> 1).map_err(|_| Short)?;
            let rest = self.bytes.len() - self.next;
            if head & 1 == 0 || self.width == 0 {
                let count =
                    if head & 1 == 0 { count } else { count.checked_mul(8).ok_or(Short)? };
                let size = (self.width as usize).div_ceil(8);
                let bytes = self.bytes.get(self.next..self.next + size).ok_or(Short)?;
                let mut code = [0; 4];
                code.get_mut(..size).ok_or(Short)?.copy_from_slice(bytes);
                self.run = Run::Repeated { code: u32::from_le_bytes(code), left: count };
                self.next += size;
            } else {
                // Some writers leave out what fills the last group of eight.
                let size = count.checked_mul(self.width as usize).ok_or(Short)?.min(rest);
                let left = count.saturating_mul(8).min(size * 8 / self.width as usize);
                self.run = Run::Packed { start: self.next, taken: 0, left };
                self.next += size;
            }
        }
    }

    fn varint(&mut self) -> Result<u64, Short> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.next).ok_or(Short)?;
            self.next += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Short)
    }
}

/// Adds what packed codes stand for, from the code at place `first` on.
fn unpack(
    bytes: &[u8],
    width: u32,
    first: usize,
    steps: &mut Steps,
    rows: &mut [u32],
) -> Result<(), Short> {
    // One by one up to a group of eight, groups while there are whole ones, and one by one again.
    let head = if width > WIDEST {
        rows.len()
    } else {
        (first.next_multiple_of(8) - first).min(rows.len())
    };
    let (before, rows) = rows.split_at_mut(head);
    let (groups, after) = rows.split_at_mut(rows.len() / 8 * 8);
    for (at, row) in before.iter_mut().enumerate() {
        *row += steps.of(code_at(bytes, width, first + at)?);
    }
    if !groups.is_empty() {
        let start = (first + head) / 8 * width as usize;
        let size = groups.len() / 8 * width as usize;
        let bytes = bytes.get(start..start + size).ok_or(Short)?;
        steps.add_eights(width, bytes, groups);
    }
    let done = first + head + groups.len();
    for (at, row) in after.iter_mut().enumerate() {
        *row += steps.of(code_at(bytes, width, done + at)?);
    }
    Ok(())
}

/// The packed code at this place.
fn code_at(bytes: &[u8], width: u32, place: usize) -> Result<u32, Short> {
    let bit = place * width as usize;
    let last = (bit + width as usize).div_ceil(8);
    let bytes = bytes.get(bit / 8..last).ok_or(Short)?;
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    Ok((u64::from_le_bytes(word) >> (bit % 8) & ((1 << width) - 1)) as u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cube::parquet::unpack::POISON;

    /// Runs of codes as a writer may make them: each repeated, or packed in groups of eight.
    fn encode(runs: &[(bool, Vec<u32>)], width: u32) -> (Vec<u8>, Vec<u32>) {
        let (mut bytes, mut codes) = (Vec::new(), Vec::new());
        let varint = |bytes: &mut Vec<u8>, mut value: usize| {
            while value >= 0x80 {
                bytes.push(value as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
        };
        for (packed, run) in runs {
            if *packed {
                varint(&mut bytes, ((run.len() / 8) << 1) | 1);
                let mut bits = vec![0_u8; run.len() / 8 * width as usize];
                for (place, code) in run.iter().take(run.len() / 8 * 8).enumerate() {
                    for bit in 0..width as usize {
                        let at = place * width as usize + bit;
                        bits[at / 8] |= ((code >> bit & 1) as u8) << (at % 8);
                    }
                    codes.push(*code);
                }
                bytes.extend(bits);
            } else {
                varint(&mut bytes, run.len() << 1);
                bytes.extend(&run[0].to_le_bytes()[..(width as usize).div_ceil(8)]);
                codes.extend(vec![run[0]; run.len()]);
            }
        }
        (bytes, codes)
    }

    fn runs() -> impl Strategy<Value = (u32, Vec<(bool, Vec<u32>)>)> {
        (0_u32..=20).prop_flat_map(|width| {
            let code = 0..=(1_u32 << width) - 1;
            let run = (any::<bool>(), prop::collection::vec(code, 1..150));
            (Just(width), prop::collection::vec(run, 1..12))
        })
    }

    proptest! {
        #[test]
        fn gives_what_was_encoded_however_it_is_asked_for(
            (width, runs) in runs(),
            parts in prop::collection::vec(1_usize..200, 1..50),
        ) {
            let (bytes, codes) = encode(&runs, width);
            let most = codes.iter().copied().max().unwrap_or(0);
            // Codes of a dictionary that is a little shorter than what its bits could say.
            let mut steps = Steps::new((0..=most).map(|code| code * 3 + 1).collect());
            let mut found = Codes::runs(bytes.into(), width);
            let mut at = 0;
            for part in parts {
                let part = part.min(codes.len() - at);
                let mut rows: Vec<u32> = (0..part as u32).collect();
                prop_assert_eq!(found.add(&mut steps, &mut rows), Ok(()));
                for (row, sum) in rows.iter().enumerate() {
                    prop_assert_eq!(*sum, row as u32 + codes[at + row] * 3 + 1);
                }
                at += part;
            }
            let mut rest = vec![0; codes.len() - at];
            prop_assert_eq!(found.add(&mut steps, &mut rest), Ok(()));
            prop_assert_eq!(found.add(&mut steps, &mut [0]), Err(Short));
        }

        #[test]
        fn any_bytes_are_codes_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), width in 0_u32..=32, parts in prop::collection::vec(1_usize..900, 1..20)) {
            let mut steps = Steps::new(vec![0, 1, 2]);
            let mut codes = Codes::runs(bytes.into(), width);
            for part in parts {
                let mut rows = vec![0; part];
                if codes.add(&mut steps, &mut rows).is_err() {
                    break;
                }
                prop_assert!(rows.iter().all(|row| *row <= 2 || *row == POISON));
            }
        }
    }

    #[test]
    fn codes_that_the_dictionary_does_not_have_are_poison() {
        for width in [1, 2, 3, 5, 9, 17] {
            let (bytes, _) = encode(&[(true, vec![1; 16])], width);
            let mut steps = Steps::new(vec![7]);
            let mut rows = [0; 16];
            assert_eq!(Codes::runs(bytes.into(), width).add(&mut steps, &mut rows), Ok(()));
            assert_eq!(rows, [POISON; 16]);
        }
    }

    #[test]
    fn a_run_that_covers_all_is_seen_at_once() {
        let (bytes, _) = encode(&[(false, vec![1; 100])], 1);
        let mut codes = Codes::runs(bytes.into(), 1);
        assert!(codes.are_all(1, 100) && !codes.are_all(1, 101) && !codes.are_all(0, 1));
        assert!(!Codes::runs(Bytes::new(), 1).are_all(1, 1));
    }
}
