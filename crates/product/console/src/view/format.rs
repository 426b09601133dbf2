//! Numbers and names as people read them.

pub use ephor_rest::label;

/// A count with separators: `16,281`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share of one as a percentage with one decimal: `19.6 %`.
pub fn percent(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

/// A value to three decimals, or in scientific notation where that would show nothing.
pub fn decimal(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(0.0005..100_000.0).contains(&size) {
        return format!("{value:.2e}").replace('-', "\u{2212}");
    }
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text.replace('-', "\u{2212}") }
}

/// A number of unknown kind, as short as it can be without losing what matters.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        let whole = count(value.abs() as u64);
        return if value < 0.0 { format!("\u{2212}{whole}") } else { whole };
    }
    if (1_000.0..1e15).contains(&value.abs()) {
        // Beyond a thousand nobody reads the fraction.
        return number(value.round());
    }
    let text = decimal(value);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// An exact number as it is stored, with separators and every digit: amounts lose nothing.
pub fn exact(digits: &str) -> String {
    let (sign, size) = match digits.strip_prefix('-') {
        Some(size) => ("\u{2212}", size),
        None => ("", digits),
    };
    let (whole, fraction) = size.split_once('.').unwrap_or((size, ""));
    let Ok(whole) = whole.parse::<u64>() else { return digits.to_owned() };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.to_owned();
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", count(whole))
}

/// A size in bytes: `1.4 MB`.
pub fn bytes(value: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let mut size = value as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{value} bytes") } else { format!("{size:.1} {}", units[unit]) }
}

/// `1 row`, `2 rows`.
pub fn plural(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// The first letters of a name, for an avatar: `Ada Lovelace` becomes `AL`.
pub fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        for (stored, shown) in [
            ("1234.56", "1,234.56"),
            ("-1234567.10", "\u{2212}1,234,567.10"),
            ("0.000001", "0.000001"),
            ("12", "12"),
            ("1e-7", "1e-7"),
            ("NaN", "NaN"),
        ] {
            assert_eq!(exact(stored), shown);
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(16_281), "16,281");
        assert_eq!(count(999), "999");
        assert_eq!(decimal(-0.1234), "\u{2212}0.123");
        assert_eq!(decimal(-0.0001), "\u{2212}1.00e\u{2212}4");
        assert_eq!(decimal(0.0), "0.000");
        assert_eq!(number(234.5), "234.5");
        assert_eq!(number(40_698.733), "40,699");
        assert_eq!(number(-2000.0), "\u{2212}2,000");
        assert_eq!(bytes(1_420_000), "1.4 MB");
        assert_eq!(percent(0.19566), "19.6 %");
    }

    #[test]
    fn names_become_labels() {
        assert_eq!(label("created_at"), "Created at");
        assert_eq!((label("api_keys"), label("datasets")), ("API keys".into(), "Data sets".into()));
        assert_eq!(initials("Ada King Lovelace"), "AK");
        assert_eq!(plural(1, "row", "rows"), "1 row");
    }
}
