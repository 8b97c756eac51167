//! What no linear code can beat.

use nalgebra::DMatrix;
use narrows::data::Dataset;
use narrows::data::Samples;
use narrows::invert::*;
use narrows_kernels::Context;

/// 40 images of 2×3 pixels, nearly on a plane.
fn images() -> Dataset {
    let pixel = |at: usize| {
        let (sample, pixel) = (at / 6, at % 6);
        let (u, v) = ((sample * 37 % 40) as f64, (sample * 11 % 40) as f64);
        (60.0 + u * (1.0 + pixel as f64 * 0.3) + v * (2.0 - pixel as f64 * 0.4) + ((at * 7919) % 5) as f64) as u8
    };
    Dataset::from_bytes("plane", [2, 3, 1], (0..240).map(pixel).collect()).unwrap()
}

#[test]
fn the_singular_values_that_are_left_are_the_error() {
    let data = images();
    let indices: Vec<u32> = (0..40).collect();
    let images = Samples { data: &data, indices: &indices };
    let floor = PcaFloor::of(Context::detect(), images);
    let sizes = [0, 1, 2, 5, 6, 9];
    let pixels = images.to_array();
    let range = pixels.iter().copied().fold(0.0, f64::max) - pixels.iter().copied().fold(1.0, f64::min);
    let mean: Vec<f64> = pixels.columns().into_iter().map(|column| column.sum() / 40.0).collect();
    let centred = DMatrix::from_fn(40, 6, |i, j| pixels[[i, j]] - mean[j]);
    let singular = centred.svd(false, false).singular_values;
    for (found, size) in floor.nrmse(images, &sizes).iter().zip(sizes) {
        let left: f64 = singular.iter().skip(size).map(|value| value * value).sum();
        let expected = (left / 240.0).sqrt() / range;
        // Differences of squares of order 40 cancel to rounding.
        assert!((found - expected).abs() < 1e-7, "{size}: {found} for {expected}");
    }
    let floors = floor.nrmse(images, &[1, 2]);
    assert!(floors[1] < 0.2 * floors[0], "two dimensions hold nearly everything: {floors:?}");
}
