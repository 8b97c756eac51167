//! Images spoilt on purpose, for an encoder that learns to undo it.

use narrows_kernels::Real;
use rand::RngExt as _;

use crate::rng::{Purpose, Stream, standard_normal, stream};
use crate::settings::{Range, settings};

settings! {
    /// What is done to an image on its way into the encoder while training; the loss is taken against the clean one.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Corruption tagged {
        /// Normal noise is added, and the pixel clipped to [0, 1].
        Gaussian = "gaussian" {
            /// Standard deviation of the normal noise that is added to each pixel, which is then clipped to [0, 1].
            std("gaussian"): f64 = 0.3, in Range::ABOVE_ZERO;
        },
        /// Each pixel is 0 with some probability.
        Masking = "masking" {
            /// The probability with which a pixel is 0.
            rate("masking"): f64 = 0.3, in Range::PROBABILITY;
        },
        /// Each pixel is 0 or 1, both alike, with some probability.
        SaltAndPepper = "salt-and-pepper" {
            /// The probability with which a pixel is 0 or 1, both alike.
            rate("salt-and-pepper"): f64 = 0.1, in Range::PROBABILITY;
        },
    }
}

impl Corruption {
    /// What is accepted as a corruption, by example.
    pub const ACCEPTED: &'static str = "one of { gaussian = 0.3 }, { masking = 0.3 } and { salt-and-pepper = 0.1 }";
}

/// Writes `clean`, values in [0, 1], corrupted to `out`: one draw from `stream` for each value, in order, and for salt and
/// pepper one more for each value that is hit.
///
/// # Panics
/// When the lengths differ.
pub fn corrupt<T: Real>(corruption: Corruption, clean: &[T], out: &mut [T], stream: &mut Stream) {
    assert_eq!(clean.len(), out.len(), "as many values are written as are read");
    let pairs = out.iter_mut().zip(clean);
    match corruption {
        Corruption::Gaussian { std } => pairs.for_each(|(out, clean)| {
            let normal: f64 = standard_normal(stream);
            *out = T::from_f64((clean.to_f64() + std * normal).clamp(0.0, 1.0));
        }),
        Corruption::Masking { rate } => pairs.for_each(|(out, &clean)| {
            *out = if stream.random::<f64>() < rate { T::ZERO } else { clean };
        }),
        Corruption::SaltAndPepper { rate } => pairs.for_each(|(out, &clean)| {
            *out = match stream.random::<f64>() < rate {
                true if stream.random::<bool>() => T::ONE,
                true => T::ZERO,
                false => clean,
            };
        }),
    }
}

/// Corrupts images that are measured, `clean` and `out` [indices, features]: each image has a stream of its own, named by its
/// index in the data set, so that it is spoilt the same way whenever and among whichever others it is measured.
///
/// # Panics
/// When the lengths do not agree.
pub fn corrupt_measured<T: Real>(corruption: Corruption, seed: u64, indices: &[u32], clean: &[T], out: &mut [T]) {
    assert_eq!(clean.len(), out.len(), "as many values are written as are read");
    let features = clean.len().checked_div(indices.len()).unwrap_or(0);
    assert_eq!(features * indices.len(), clean.len(), "whole images for {} indices", indices.len());
    if features == 0 {
        return;
    }
    let rows = clean.chunks_exact(features).zip(out.chunks_exact_mut(features));
    for (&index, (clean, out)) in indices.iter().zip(rows) {
        corrupt(corruption, clean, out, &mut stream(seed, Purpose::MeasuredCorruption, index.into()));
    }
}
