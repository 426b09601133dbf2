//! A scaler before trees goes into their questions: scaling keeps the order of values, so that each threshold has its place among
//! the values before, found in the numbers of 32 bits in which ONNX's runtime computes.

use super::{Around, Fields};
use crate::{
    Malformed,
    model::{Node, Test},
};

/// What is taken from each feature and what the rest is multiplied by.
pub(super) struct Scale(Vec<(f32, f32)>);

impl Scale {
    /// Of so many features; none without a scaler.
    pub(super) fn read(
        node: Fields<'_>,
        around: &Around,
        features: usize,
    ) -> Result<Option<Self>, Malformed> {
        let Some((offset, scale)) = &around.scaler else { return Ok(None) };
        let of = |list: &[f64], feature: usize| match list {
            [one] => Some(*one as f32),
            all => all.get(feature).map(|one| *one as f32).filter(|_| all.len() == features),
        };
        let each: Option<Vec<_>> = (0..features)
            .map(|feature| Some((of(offset, feature)?, of(scale, feature)?)))
            .collect();
        let each = each.ok_or_else(|| node.fault("the scaler before it has other features"))?;
        if each
            .iter()
            .all(|(offset, scale)| offset.is_finite() && scale.is_finite() && *scale > 0.0)
        {
            Ok(Some(Self(each)))
        } else {
            Err(node
                .fault("the scaler before it turns the order of values, and cannot be read here"))
        }
    }

    /// The same questions of the values before.
    pub(super) fn unscale(&self, nodes: &mut [Node], place: &str) -> Result<(), Malformed> {
        for node in nodes {
            let Node::Inner { split, .. } = node else { continue };
            let Some((offset, scale)) = self.0.get(split.feature) else { continue };
            let scaled = |value: f32| f64::from((value - offset) * scale);
            let last = match &split.test {
                Test::AtMost(threshold) => last(|value| scaled(value) <= *threshold),
                Test::Less(threshold) => last(|value| scaled(value) < *threshold),
                _ => {
                    let message =
                        "it asks for single values behind a scaler, and cannot be read here";
                    return Err(Malformed::new(place, message));
                }
            };
            // Of no value at all it may be true.
            split.test = last.map_or(Test::OneOf(Vec::new()), |last| Test::AtMost(f64::from(last)));
        }
        Ok(())
    }
}

/// The greatest number of which it is true, when it is true of all below and false of all above.
fn last(is: impl Fn(f32) -> bool) -> Option<f32> {
    // Numbers of 32 bits as whole numbers of the same order.
    let number = |place: i64| {
        let bits = place as i32;
        f32::from_bits((bits ^ ((bits >> 31) & i32::MAX)) as u32)
    };
    let place = |number: f32| {
        let bits = number.to_bits() as i32;
        i64::from(bits ^ ((bits >> 31) & i32::MAX))
    };
    let (mut low, mut high) = (place(f32::NEG_INFINITY), place(f32::INFINITY));
    if !is(number(low)) {
        return None;
    }
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if is(number(middle)) { low = middle } else { high = middle - 1 }
    }
    Some(number(low))
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn the_last_is_found_wherever_it_is() {
        for bound in [-1e30, -2.5, -0.0, 1e-40, 0.1, 7.0, f32::MAX, f32::INFINITY] {
            assert_eq!(last(|value| value <= bound), Some(bound));
        }
        assert_eq!(last(|_| false), None);
        assert_eq!(last(|value| value < 1.0), Some(1.0_f32.next_down()));
    }
}
