//! The compliance score: 100 - 100 x the sum of what is beyond the thresholds, exact to its two decimals.

/// Decimals that hold any f64 below 2^64 in its shortest form.
const FRACTION: usize = 360;
const WHOLE: usize = 40;

/// The compliance score of scored disparities, as (value, threshold); `None` if there are none.
///
/// Score = max(0, 100 - 100 x sum of max(0, value - threshold)). Numbers count as they are written in decimal (their
/// shortest form, which JSON holds): summed exactly, and rounded half away from zero to two decimals once at the end.
/// Values must be finite and at least 0; the SQL function `calculate_compliance_score` gives the same.
pub fn compliance_score(scored: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let mut sum = Decimal::zero();
    let mut any = false;
    for (value, threshold) in scored {
        any = true;
        if value > threshold {
            sum.add(value, 1);
            sum.add(threshold, -1);
        }
    }
    if !any {
        return None;
    }
    // 100 - 100 x sum, in hundredths: 10 000 - 10 000 x sum.
    let mut rest = Decimal::zero();
    rest.add(1.0, 1);
    for (digit, taken) in rest.digits.iter_mut().zip(&sum.digits) {
        *digit -= taken;
    }
    rest.carry();
    Some(rest.ten_thousandths_rounded().max(0) as f64 / 100.0)
}

/// A decimal number: `digits[0]` has the highest place. Digits may be anything until they are carried.
struct Decimal {
    digits: Vec<i64>,
}

impl Decimal {
    fn zero() -> Self {
        Self { digits: vec![0; WHOLE + FRACTION] }
    }

    /// Adds `sign` x `number`, in its shortest decimal form.
    fn add(&mut self, number: f64, sign: i64) {
        let text = format!("{:e}", number.abs().min(1e30));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if number < 0.0 { -sign } else { sign };
        let exponent: i64 = exponent.parse().unwrap_or(0);
        let places = WHOLE as i64 - 1 - exponent..;
        for (place, digit) in places.zip(mantissa.bytes().filter(u8::is_ascii_digit)) {
            if let Some(sum) =
                usize::try_from(place).ok().and_then(|place| self.digits.get_mut(place))
            {
                *sum += sign * i64::from(digit - b'0');
            }
        }
    }

    /// Brings every digit but the highest into 0..=9; the number's sign is then the highest digit's.
    fn carry(&mut self) {
        let mut carried = 0;
        for digit in self.digits.iter_mut().rev() {
            let value = *digit + carried;
            carried = value.div_euclid(10);
            *digit = value.rem_euclid(10);
        }
        self.digits[0] += carried * 10;
    }

    /// 10 000 times the (carried) number, rounded half away from zero; 0 if it is negative.
    fn ten_thousandths_rounded(&self) -> i64 {
        if self.digits[0] < 0 {
            return 0;
        }
        let whole = self.digits[..WHOLE + 4]
            .iter()
            .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(*digit));
        whole + i64::from(self.digits[WHOLE + 4] >= 5)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounds_once_half_away_from_zero() {
        // 0.1 + 0.00005 beyond: 99.995 -> 100.00; in binary floating point the sum would be a little less than it is.
        assert_eq!(compliance_score([(0.100_05, 0.1)]), Some(100.0));
        assert_eq!(compliance_score([(0.100_051, 0.1)]), Some(99.99));
        assert_eq!(compliance_score([(0.100_15, 0.1)]), Some(99.99));
        assert_eq!(compliance_score([(0.100_025, 0.1), (0.100_025, 0.1)]), Some(100.0));
        assert_eq!(compliance_score([(0.2, 0.1), (0.3, 0.1)]), Some(70.0));
    }

    #[test]
    fn is_between_0_and_100_and_null_without_anything_to_score() {
        assert_eq!(compliance_score([]), None);
        assert_eq!(compliance_score([(0.05, 0.1), (0.0, 0.1)]), Some(100.0));
        assert_eq!(compliance_score([(1.0, 0.1), (1.0, 0.1), (1.0, 0.1)]), Some(0.0));
        assert_eq!(compliance_score([(1e300, 0.1)]), Some(0.0));
        assert_eq!(compliance_score([(5e-324, 0.0)]), Some(100.0));
    }

    proptest! {
        #[test]
        fn agrees_with_decimal_arithmetic(values in prop::collection::vec((0_u32..=100_000, 0_u32..=20_000), 1..12)) {
            // Values and thresholds of at most five decimals: whole hundred-thousandths.
            let scored: Vec<(f64, f64)> = values.iter().map(|(value, threshold)| (f64::from(*value) / 1e5, f64::from(*threshold) / 1e5)).collect();
            let beyond: i64 = values.iter().map(|(value, threshold)| (i64::from(*value) - i64::from(*threshold)).max(0)).sum();
            let left = (100_000 - beyond).max(0);
            let hundredths = (left + 5) / 10;
            prop_assert_eq!(compliance_score(scored), Some(hundredths as f64 / 100.0));
        }
    }
}
