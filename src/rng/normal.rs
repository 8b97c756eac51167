//! Standard normal draws with the same bits on every machine.
//!
//! The ziggurat method of Marsaglia and Tsang in the edition of Doornik ("An improved ziggurat method to generate normal
//! random samples", 2005): the density e^(−x²/2) is covered by 256 layers of equal area, a draw within the part of a layer
//! that lies under the density is taken at once, and only the others (1.49 %) cost an exponential or, in the tail, logarithms. The edges
//! of the layers are constants, exponentials and logarithms those of the crate `libm`, in plain arithmetic: the C library, whose `exp` and `log` differ between
//! versions, takes no part. `rand_distr` has the same method, but takes `exp` and `log` from the C library as soon as any
//! crate of the build asks `num-traits` for `std`.

use std::sync::LazyLock;

use rand::{Rng as _, RngExt as _};

use super::Stream;

/// Layers.
const LAYERS: usize = 256;

/// The right edges of the layers from the lowest up; the first is that of a rectangle with the area of the lowest layer, which
/// has the tail beside it.
static EDGES: [f64; LAYERS + 1] = include!("normal_edges.rs");

/// Where the tail begins.
const R: f64 = 3.654_152_885_361_009;

/// The density at each edge.
static HEIGHTS: LazyLock<[f64; LAYERS + 1]> = LazyLock::new(|| EDGES.map(density));

fn density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0)
}

/// A draw from N(0, 1).
pub fn standard_normal(stream: &mut Stream) -> f64 {
    loop {
        let bits = stream.next_u64();
        let layer = (bits & 0xff) as usize;
        // 52 bits as a number in [2, 4), from which 3 is taken: uniform in [−1, 1).
        let uniform = f64::from_bits((bits >> 12) | 0x4000_0000_0000_0000) - 3.0;
        let x = uniform * EDGES[layer];
        if x.abs() < EDGES[layer + 1] {
            return x;
        }
        if layer == 0 {
            let beyond = tail(stream);
            return if uniform < 0.0 { -beyond } else { beyond };
        }
        let height = &*HEIGHTS;
        let y = height[layer + 1] + (height[layer] - height[layer + 1]) * stream.random::<f64>();
        if y < density(x) {
            return x;
        }
    }
}

/// A draw from the part beyond [`R`] (Marsaglia 1964).
fn tail(stream: &mut Stream) -> f64 {
    loop {
        let x = libm::log(open(stream)) / R;
        let y = libm::log(open(stream));
        if -2.0 * y >= x * x {
            return R - x;
        }
    }
}

/// Uniform in (0, 1): 52 bits as a number in [1, 2), from which 1 − ε/2 is taken.
fn open(stream: &mut Stream) -> f64 {
    f64::from_bits((stream.next_u64() >> 12) | 0x3ff0_0000_0000_0000) - (1.0 - f64::EPSILON / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, stream};
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn every_layer_has_the_same_area() {
        // The top layer takes what the others leave.
        for layer in 1..LAYERS - 1 {
            let area = EDGES[layer] * (density(EDGES[layer + 1]) - density(EDGES[layer]));
            // Fifteen digits of edges and densities, twelve of the area.
            assert!((area - EDGES[0] * density(R)).abs() <= 1e-12, "layer {layer}: {area}");
        }
    }

    /// The same method with the C library's functions: the last bit of a draw from the tail may differ, nothing else.
    #[test]
    fn draws_are_those_of_rand_distr_but_for_the_last_bit_of_the_tail() {
        let (mut ours, mut theirs) = (stream(1, Purpose::Noise, 0), stream(1, Purpose::Noise, 0));
        for draw in 0..2_000_000 {
            let (x, y): (f64, f64) = (standard_normal(&mut ours), StandardNormal.sample(&mut theirs));
            let apart = x.to_bits().abs_diff(y.to_bits());
            assert!(apart <= if x.abs() > R { 4 } else { 0 }, "draw {draw}: {x:e} and {y:e}");
        }
    }
}
