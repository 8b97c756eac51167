//! Footwear that the program draws itself: sandals, sneakers and ankle boots of 28×28 grey pixels.
//!
//! A stand-in for the three footwear classes of Fashion-MNIST where those files are absent, in the same conventions:
//! a side view with the toe to the left, light on black, the brightest pixel 255. `sandal.txt`, `sneaker.txt` and
//! `boot.txt` hold the outlines of their parts (sole, upper, straps, laces, …), whose proportions, shades and place are
//! random. Every picture has a random stream of its own, and the arithmetic is the same on every platform: picture
//! `k` of a class has the same bits whatever the machine, the number of threads and the size of the set.

pub mod faces;
mod painter;

use painter::{Dice, Drawing};
use rayon::prelude::*;
use std::sync::LazyLock;

/// Rows of a picture.
pub const HEIGHT: usize = 28;

/// Columns of a picture.
pub const WIDTH: usize = 28;

/// Pictures of each class in the set of usual size: as many as Fashion-MNIST has in both its parts.
pub const DEFAULT_PER_CLASS: usize = 7000;

/// Names of the classes, by label: those of Fashion-MNIST. Sandals have straps on a flat sole, a wedge or a high heel, sneakers
/// are low and laced on a thick sole, boots end above the ankle and have a flat to high heel.
pub const CLASS_NAMES: [&str; 3] = ["Sandal", "Sneaker", "Ankle boot"];

/// The drawing of each class.
static DRAWINGS: LazyLock<[Drawing; 3]> = LazyLock::new(|| {
    [include_str!("sandal.txt"), include_str!("sneaker.txt"), include_str!("boot.txt")].map(Drawing::parse)
});

/// Picture number `number` (counted from 0, below 2⁶²) of the class with the label `class`, `[HEIGHT × WIDTH]` row by row, 0 black to 255.
///
/// It depends on nothing but the three arguments.
///
/// # Panics
/// If there is no such class.
pub fn footwear_image(seed: u64, class: usize, number: u64) -> [u8; HEIGHT * WIDTH] {
    // The place in the interleaved set; wrapping only concerns numbers beyond the promised range.
    let index = number.wrapping_mul(CLASS_NAMES.len() as u64).wrapping_add(class as u64);
    let grey = DRAWINGS[class].paint(&mut Dice::of(seed, index), &[], [HEIGHT, WIDTH]);
    let brightest = grey.iter().fold(0.0f32, |most, &grey| most.max(grey));
    // A cast from float to integer saturates.
    std::array::from_fn(|k| (grey[k] * (255.0 / brightest) + 0.5) as u8)
}

/// The first `per_class` pictures of each class: pixels `[3·per_class × HEIGHT × WIDTH]` and labels `[3·per_class]`, the
/// classes in turn (0, 1, 2, 0, 1, 2, …).
///
/// A smaller set is the beginning of a larger one. The set takes 2355 bytes per unit of `per_class`; the caller answers
/// for having them.
pub fn footwear(seed: u64, per_class: usize) -> (Vec<u8>, Vec<u8>) {
    let classes = CLASS_NAMES.len();
    let mut pixels = vec![0; per_class * classes * HEIGHT * WIDTH];
    pixels.par_chunks_exact_mut(HEIGHT * WIDTH).enumerate().for_each(|(k, picture)| {
        picture.copy_from_slice(&footwear_image(seed, k % classes, (k / classes) as u64));
    });
    let labels = (0..per_class * classes).map(|k| (k % classes) as u8).collect();
    (pixels, labels)
}
