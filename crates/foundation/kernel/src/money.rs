//! Money: US dollars in exact decimals, never floats.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An amount of US dollars, exact to ten places as PostgreSQL's `numeric(20,10)` holds it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Money(Decimal);

/// An amount that can't be held exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an amount of money; write dollars with at most 10 decimals, below 10 billion"
)]
pub struct MoneyError(pub String);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The exact decimal.
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Money {
    type Error = MoneyError;

    fn try_from(amount: Decimal) -> Result<Self, MoneyError> {
        let amount = amount.normalize();
        if amount.scale() <= 10 && amount.abs() < Decimal::from(10_000_000_000_u64) {
            Ok(Self(amount))
        } else {
            Err(MoneyError(amount.to_string()))
        }
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        money.0
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Decimal::from_str_exact(text).map_err(|_| MoneyError(text.to_owned()))?.try_into()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} USD", self.0)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tenths_add_up_exactly() {
        let tenth: Money = "0.1".parse().unwrap();
        assert_eq!([tenth; 3].into_iter().sum::<Money>(), "0.3".parse().unwrap());
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        for text in ["0.00000000001", "10000000000", "1e5", "x", ""] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }
}
