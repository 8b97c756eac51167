//! Points that fill the space more evenly than random ones: a Halton sequence whose digits are permuted at random.
//!
//! The coordinate of point n in dimension d is n's digits to the base of the d-th prime, mirrored at the point:
//! Σₖ πₖ(digit k) · base^(−k−1), with a permutation πₖ of its own for each digit, leading zeros included, so that
//! neighbouring bases do not line up (A. B. Owen, "A randomized Halton algorithm in R", arXiv 1706.02808).

use super::space::{Point, Space, shuffled};
use crate::rng::{Purpose, Stream, stream_of};

/// Marks the streams of permutations, of which the index is the dimension.
const PART: [u8; 2] = [1, 0];

/// The point `number` of the sequence.
pub(super) fn point(space: &Space, seed: u64, number: usize) -> Point {
    let units: Vec<f64> =
        primes().take(space.len()).enumerate().map(|(at, base)| unit(seed, at, base, number)).collect();
    space.active(|at| space.parameters()[at].domain.at(units[at]))
}

fn unit(seed: u64, dimension: usize, base: usize, mut number: usize) -> f64 {
    let mut permutations: Stream = stream_of(seed, Purpose::Search, dimension as u64, PART);
    let (mut unit, mut scale) = (0.0, 1.0);
    // Digits beyond these change the sum by less than about 1e-16.
    while scale > 1e-16 {
        scale /= base as f64;
        unit += f64::from(shuffled(base, &mut permutations)[number % base]) * scale;
        number /= base;
    }
    unit.min(1.0 - f64::EPSILON)
}

fn primes() -> impl Iterator<Item = usize> {
    (2..).filter(|number| (2..).take_while(|factor| factor * factor <= *number).all(|factor| number % factor != 0))
}
