//! What a decoder makes of the way from one code to another, beside the blend of its two ends.
//!
//! Codes a and b of two images are interpolated linearly, z(α) = (1 − α)·a + α·b, and decoded. D(z(α)) is compared with the
//! blend of the decoded ends, (1 − α)·D(a) + α·D(b): the peak signal-to-noise ratio in dB with peak 1, −10·log₁₀(MSE), and
//! the distance ‖·‖₂ divided by the square root of the number of pixels. At the ends the two are the same image: ∞ and 0.
//! It is also compared with what the autoencoder makes of the blend of the images, x(α), and z(α) with the code of x(α).

use ndarray::{Array2, ArrayView1, ArrayView2};

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

/// How far a decoded image is from the blend of the decoded ends, and the way between codes from that between images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Peak signal-to-noise ratio of D(z(α)) beside the blend in dB, peak 1; infinite for equal images.
    pub psnr: f64,
    /// ‖·‖₂ / √pixels of the same.
    pub distance: f64,
    /// Peak signal-to-noise ratio of D(z(α)) beside D(E(x(α))) in dB.
    pub image_psnr: f64,
    /// ‖E(x(α)) − z(α)‖₂.
    pub code_distance: f64,
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
    let way = |a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>| {
        Array2::from_shape_fn((ALPHAS.len(), a.len()), |(i, j)| between(ALPHAS[i], a[j], b[j]))
    };
    let mut interpolation = Interpolation { decoded: Vec::new(), pairs: Vec::new(), mean: Default::default() };
    for pair in 0..first.nrows() {
        let codes = way(a.row(pair), b.row(pair));
        let decoded = trained.decode_images(codes.view())?;
        let blends = way(decoded.row(0), decoded.row(ALPHAS.len() - 1));
        let encoded = trained.encode(way(first.row(pair), second.row(pair)).view())?;
        let of_images = trained.decode_images(encoded.view())?;
        let compared = std::array::from_fn(|i| {
            let mse = |other: &Array2<f32>| squared_distance(decoded.row(i), other.row(i)) / decoded.ncols() as f64;
            Comparison {
                psnr: psnr(mse(&blends)),
                distance: mse(&blends).sqrt(),
                image_psnr: psnr(mse(&of_images)),
                code_distance: squared_distance(encoded.row(i), codes.row(i)).sqrt(),
            }
        });
        interpolation.decoded.push(decoded);
        interpolation.pairs.push(compared);
    }
    let n = interpolation.pairs.len() as f64;
    for (i, mean) in interpolation.mean.iter_mut().enumerate() {
        let of =
            |value: fn(&Comparison) -> f64| interpolation.pairs.iter().map(|pair| value(&pair[i])).sum::<f64>() / n;
        *mean = Comparison {
            psnr: of(|pair| pair.psnr),
            distance: of(|pair| pair.distance),
            image_psnr: of(|pair| pair.image_psnr),
            code_distance: of(|pair| pair.code_distance),
        };
    }
    Ok(interpolation)
}

/// (1 − α)·a + α·b, which is exactly a where α = 0 and b where α = 1, and both where they are equal: rounding would part them.
fn between(alpha: f64, a: f32, b: f32) -> f32 {
    if a == b {
        return a;
    }
    ((1.0 - alpha) * f64::from(a) + alpha * f64::from(b)) as f32
}

/// ‖a − b‖₂².
fn squared_distance(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_the_codes_themselves() {
        for (a, b) in [(0.1f32, -7.3), (1e30, 1e-30), (-0.0, 3.0)] {
            assert_eq!(between(0.0, a, b), a);
            assert_eq!(between(1.0, a, b), b);
        }
        assert_eq!(between(0.2, 1.0, 2.0), 1.2);
        assert_eq!(between(0.6, 0.1, 0.1), 0.1);
    }
}
