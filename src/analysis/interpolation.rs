//! What a decoder makes of the way from one code to another, beside the blend of its two ends.
//!
//! Codes a and b of two images are interpolated linearly, z(α) = (1 − α)·a + α·b, and decoded. D(z(α)) is compared with the
//! blend of the decoded ends, (1 − α)·D(a) + α·D(b): the peak signal-to-noise ratio in dB with peak 1, −10·log₁₀(MSE), and
//! the distance ‖·‖₂ divided by the square root of the number of pixels. At the ends the two are the same image: ∞ and 0.

use ndarray::{Array2, ArrayView2};

use super::error::AnalysisError;
use crate::rng::{Purpose, stream};
use crate::tasks::{Trained, psnr};
use rand::Rng;

/// Where between its ends a pair is looked at.
pub const ALPHAS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

/// Two images to go between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Index of the image where α = 0.
    pub first: u32,
    /// Index of the image where α = 1.
    pub second: u32,
}

/// How far a decoded image is from the blend of the decoded ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Peak signal-to-noise ratio in dB, peak 1; infinite for equal images.
    pub psnr: f64,
    /// ‖·‖₂ / √pixels.
    pub distance: f64,
}

/// What was found of some pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolation {
    /// For each pair the decoded images [`ALPHAS`.len(), pixels].
    pub decoded: Vec<Array2<f32>>,
    /// For each pair its comparisons, in the order of [`ALPHAS`].
    pub pairs: Vec<[Comparison; ALPHAS.len()]>,
    /// The means over the pairs.
    pub mean: [Comparison; ALPHAS.len()],
}

/// At most `count` pairs of the images at `indices`, no image twice, the two of a pair of different classes where two classes
/// occur. Who is paired follows from the seed. Refused: fewer than two images.
pub fn choose_pairs(
    labels: Option<&[u8]>,
    indices: &[u32],
    count: usize,
    seed: u64,
) -> Result<Vec<Pair>, AnalysisError> {
    if indices.len() < 2 {
        return Err(AnalysisError::Pairs { found: indices.len() });
    }
    let mut order = indices.to_vec();
    let mut stream = stream(seed, Purpose::Pairs, 0);
    for i in (1..order.len()).rev() {
        // The bias of the remainder is below n/2⁶⁴.
        order.swap(i, (stream.next_u64() % (i as u64 + 1)) as usize);
    }
    let class = |index: u32| labels.map(|labels| labels[index as usize]);
    let one_class = order.iter().all(|&index| class(index) == class(order[0]));
    let mut pairs = Vec::new();
    // Images that found no partner yet: all of one class.
    let mut waiting: Vec<u32> = Vec::new();
    for index in order {
        if pairs.len() == count {
            break;
        }
        match waiting.last() {
            Some(&last) if one_class || class(last) != class(index) => {
                waiting.pop();
                pairs.push(Pair { first: last, second: index });
            }
            _ => waiting.push(index),
        }
    }
    Ok(pairs)
}

/// Interpolates between the rows of `first` and of `second`, images [n, pixels] of one number.
pub fn interpolate(
    trained: &Trained<'_, f32>,
    first: ArrayView2<'_, f32>,
    second: ArrayView2<'_, f32>,
) -> Result<Interpolation, AnalysisError> {
    assert_eq!(first.dim(), second.dim(), "as many images on either side");
    let (a, b) = (trained.encode(first)?, trained.encode(second)?);
    let mut interpolation =
        Interpolation { decoded: Vec::new(), pairs: Vec::new(), mean: [Comparison { psnr: 0.0, distance: 0.0 }; 6] };
    for (a, b) in a.rows().into_iter().zip(b.rows()) {
        let codes = Array2::from_shape_fn((ALPHAS.len(), a.len()), |(i, j)| between(ALPHAS[i], a[j], b[j]));
        let decoded = trained.decode_images(codes.view())?;
        let (start, end) = (decoded.row(0), decoded.row(ALPHAS.len() - 1));
        let compared = std::array::from_fn(|i| {
            let blend = start.iter().zip(end).map(|(&start, &end)| between(ALPHAS[i], start, end));
            compare(decoded.row(i).iter().copied().zip(blend))
        });
        interpolation.decoded.push(decoded);
        interpolation.pairs.push(compared);
    }
    let n = interpolation.pairs.len() as f64;
    for (i, mean) in interpolation.mean.iter_mut().enumerate() {
        let of =
            |value: fn(&Comparison) -> f64| interpolation.pairs.iter().map(|pair| value(&pair[i])).sum::<f64>() / n;
        *mean = Comparison { psnr: of(|pair| pair.psnr), distance: of(|pair| pair.distance) };
    }
    Ok(interpolation)
}

/// (1 − α)·a + α·b, which is exactly a where α = 0 and b where α = 1.
fn between(alpha: f64, a: f32, b: f32) -> f32 {
    ((1.0 - alpha) * f64::from(a) + alpha * f64::from(b)) as f32
}

fn compare(pixels: impl Iterator<Item = (f32, f32)>) -> Comparison {
    let (mut squares, mut count) = (0.0, 0);
    for (a, b) in pixels {
        let difference = f64::from(a) - f64::from(b);
        squares += difference * difference;
        count += 1;
    }
    let mse = squares / f64::from(count);
    Comparison { psnr: psnr(mse), distance: mse.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_images_are_infinitely_alike_and_others_have_their_distance() {
        let equal = compare([(0.25, 0.25), (1.0, 1.0)].into_iter());
        assert_eq!((equal.psnr, equal.distance), (f64::INFINITY, 0.0));
        // A tenth everywhere: MSE 0.01, 20 dB.
        let tenth = compare([(0.5, 0.6), (0.2, 0.1), (0.9, 0.8)].into_iter());
        assert!((tenth.psnr - 20.0).abs() < 1e-5 && (tenth.distance - 0.1).abs() < 1e-7, "{tenth:?}");
        assert!(compare([(f32::NAN, 0.0)].into_iter()).psnr.is_nan());
    }

    #[test]
    fn the_ends_are_the_codes_themselves() {
        for (a, b) in [(0.1f32, -7.3), (1e30, 1e-30), (-0.0, 3.0)] {
            assert_eq!(between(0.0, a, b), a);
            assert_eq!(between(1.0, a, b), b);
        }
        assert_eq!(between(0.2, 1.0, 2.0), 1.2);
    }
}
