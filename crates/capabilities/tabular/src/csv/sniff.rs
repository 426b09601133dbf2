//! Which byte stands between the fields.

use super::{Dialect, Records};

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
const RECORDS: usize = 200;

/// The delimiter that cuts most of the sample's records into as many fields as the first one has; of those that do
/// so equally well, the one that makes most fields. A comma when nothing is cut at all: a table of one column.
pub(crate) fn delimiter(sample: &str, trim: bool) -> u8 {
    let mut best = (b',', 0.0, 1);
    for candidate in CANDIDATES {
        let (fit, fields) = fit(sample, &Dialect { delimiter: candidate, trim });
        if fields > 1 && (fit, fields) > (best.1, best.2) {
            best = (candidate, fit, fields);
        }
    }
    best.0
}

/// The share of records that have as many fields as the first, and how many that is.
fn fit(sample: &str, dialect: &Dialect) -> (f64, usize) {
    let (mut records, mut fields) = (Records::new(sample, dialect), Vec::new());
    let (mut first, mut all, mut same) = (0, 0_usize, 0_usize);
    // A fault ends the sample: it is told when the file is read.
    while all < RECORDS && records.next(&mut fields).unwrap_or(false) {
        if fields.len() == 1 && fields[0].start == fields[0].end && !fields[0].quoted {
            continue;
        }
        if all == 0 {
            first = fields.len();
        }
        all += 1;
        same += usize::from(fields.len() == first);
    }
    if all == 0 { (0.0, 0) } else { (same as f64 / all as f64, first) }
}

#[cfg(test)]
mod tests {
    use super::delimiter;

    #[test]
    fn the_delimiter_that_fits() {
        assert_eq!(delimiter("a;b\n1,5;2\n3,5;4\n", true), b';');
        assert_eq!(delimiter("a\tb\n1\t2\n", true), b'\t');
        assert_eq!(delimiter("a|b|c\n1|2|3\n", true), b'|');
        assert_eq!(delimiter("name\nSmith, John\n", true), b',');
        assert_eq!(delimiter("a,b\n\"x;y\",2\n", true), b',');
        assert_eq!(delimiter("", true), b',');
    }
}
