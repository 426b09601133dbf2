//! Gauss-Legendre points and weights on [0, 1]: `n` of them integrate polynomials up to the degree `2n - 1` exactly.

/// The points with their weights.
pub(super) fn gauss_legendre<const N: usize>() -> ([f64; N], [f64; N]) {
    let (mut points, mut weights) = ([0.0; N], [0.0; N]);
    for index in 0..N {
        // Newton's method from a guess that is near (Abramowitz and Stegun, 22.16.6).
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (N as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (value, below) = legendre(N, x);
            slope = N as f64 * (x * value - below) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        points[index] = f64::midpoint(1.0, x);
        weights[index] = 1.0 / ((1.0 - x * x) * slope * slope);
    }
    (points, weights)
}

/// The polynomials of degree `n` and `n - 1` at `x`.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut below, mut value) = (0.0, 1.0);
    for k in 0..n {
        let k = k as f64;
        (below, value) = (value, ((2.0 * k + 1.0) * x * value - k * below) / (k + 1.0));
    }
    (value, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact<const N: usize>() {
        let (points, weights) = gauss_legendre::<N>();
        for power in 0..2 * N {
            let sum: f64 = points
                .iter()
                .zip(&weights)
                .map(|(point, weight)| weight * point.powi(power as i32))
                .sum();
            assert!(
                (sum - 1.0 / (power as f64 + 1.0)).abs() < 1e-14,
                "{N} points, power {power}: {sum}"
            );
        }
    }

    #[test]
    fn powers_are_integrated_exactly() {
        exact::<1>();
        exact::<2>();
        exact::<3>();
        exact::<4>();
        exact::<8>();
        exact::<16>();
        exact::<64>();
    }
}
