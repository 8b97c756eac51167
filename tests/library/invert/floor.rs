//! What no linear code can beat.

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
fn components_take_the_error_away_from_that_of_the_mean_to_none() {
    let data = images();
    let indices: Vec<u32> = (0..40).collect();
    let images = Samples { data: &data, indices: &indices };
    let floor = PcaFloor::of(Context::detect(), images);
    let sizes = [0, 6, 9];
    let pixels = images.to_array();
    let range = pixels.iter().copied().fold(0.0, f64::max) - pixels.iter().copied().fold(1.0, f64::min);
    let columns = pixels.columns().into_iter();
    let squares: f64 =
        columns.map(|column| column.iter().map(|x| (x - column.sum() / 40.0).powi(2)).sum::<f64>()).sum();
    let of_mean = (squares / 240.0).sqrt() / range;
    for (found, expected) in floor.nrmse(images, &sizes).iter().zip([of_mean, 0.0, 0.0]) {
        // Differences of squares of order 40 cancel to rounding.
        assert!((found - expected).abs() < 1e-7, "{found} for {expected}");
    }
    let floors = floor.nrmse(images, &[1, 2]);
    assert!(floors[1] < 0.2 * floors[0], "two dimensions hold nearly everything: {floors:?}");
}
