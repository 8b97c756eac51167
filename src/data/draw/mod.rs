//! Footwear that the program draws itself: sandals, sneakers and ankle boots of 28×28 grey pixels.
//!
//! A stand-in for the three footwear classes of Fashion-MNIST where those files are absent, in the same conventions:
//! a side view with the toe to the left, light on black, the brightest pixel 255. A picture is a handful of anti-aliased
//! parts (sole, upper, straps, laces, …) whose proportions, shades and place are random. Every picture has a random
//! stream of its own, and the arithmetic is the same on every platform: picture `k` of a class has the same bits
//! whatever the machine, the number of threads and the size of the set.

mod boot;
mod canvas;
pub mod faces;
mod frame;
mod portrait;
mod sandal;
mod sneaker;

use frame::Dice;
use rayon::prelude::*;

/// Rows of a picture.
pub const HEIGHT: usize = 28;

/// Columns of a picture.
pub const WIDTH: usize = 28;

/// Pictures of each class in the set of usual size: as many as Fashion-MNIST has in both its parts.
pub const DEFAULT_PER_CLASS: usize = 7000;

/// Names of the classes, by label: those of Fashion-MNIST.
pub const CLASS_NAMES: [&str; 3] = ["Sandal", "Sneaker", "Ankle boot"];

/// A class of footwear. Its label is its place in [`CLASS_NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footwear {
    /// Straps on a flat sole, a wedge or a high heel; label 0.
    Sandal,
    /// A low laced shoe on a thick sole; label 1.
    Sneaker,
    /// A boot that ends above the ankle, with a flat to high heel; label 2.
    AnkleBoot,
}

impl Footwear {
    /// The classes by label.
    pub const ALL: [Footwear; 3] = [Footwear::Sandal, Footwear::Sneaker, Footwear::AnkleBoot];

    /// The label: 0, 1 or 2.
    pub fn label(self) -> u8 {
        self as u8
    }

    /// The name, as in [`CLASS_NAMES`].
    pub fn name(self) -> &'static str {
        CLASS_NAMES[self as usize]
    }
}

/// Picture number `number` (counted from 0, below 2⁶²) of a class, `[HEIGHT × WIDTH]` row by row, 0 black to 255.
///
/// It depends on nothing but the three arguments.
pub fn footwear_image(seed: u64, class: Footwear, number: u64) -> [u8; HEIGHT * WIDTH] {
    // The place in the interleaved set; wrapping only concerns numbers beyond the promised range.
    let index = number.wrapping_mul(CLASS_NAMES.len() as u64).wrapping_add(u64::from(class.label()));
    let mut dice = Dice::of(seed, index);
    match class {
        Footwear::Sandal => sandal::paint(&mut dice),
        Footwear::Sneaker => sneaker::paint(&mut dice),
        Footwear::AnkleBoot => boot::paint(&mut dice),
    }
}

/// The first `per_class` pictures of each class: pixels `[3·per_class × HEIGHT × WIDTH]` and labels `[3·per_class]`, the
/// classes in turn (0, 1, 2, 0, 1, 2, …).
///
/// A smaller set is the beginning of a larger one. The set takes 2355 bytes per unit of `per_class`; the caller answers
/// for having them.
pub fn footwear(seed: u64, per_class: usize) -> (Vec<u8>, Vec<u8>) {
    let classes = Footwear::ALL.len();
    let mut pixels = vec![0; per_class * classes * HEIGHT * WIDTH];
    pixels.par_chunks_exact_mut(HEIGHT * WIDTH).enumerate().for_each(|(k, picture)| {
        picture.copy_from_slice(&footwear_image(seed, Footwear::ALL[k % classes], (k / classes) as u64));
    });
    let labels = (0..per_class * classes).map(|k| Footwear::ALL[k % classes].label()).collect();
    (pixels, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use std::collections::BTreeSet;

    fn each_of_the_first(count: u64, mut look: impl FnMut(Footwear, u64, [u8; HEIGHT * WIDTH])) {
        for class in Footwear::ALL {
            for number in 0..count {
                look(class, number, footwear_image(2026, class, number));
            }
        }
    }

    #[test]
    fn the_first_three_hundred_pictures_are_those_of_every_platform() {
        // Made by this module on x86-64 Linux; a change of any picture changes every set trained on it.
        const GOLDEN: &str = "e75ef447b74c03e13f76c740dbe6d928f7cc2bf3edb85f0b35e3345c6906c4d4";
        let (pixels, labels) = footwear(2026, 100);
        assert_eq!((pixels.len(), labels.len()), (300 * HEIGHT * WIDTH, 300));
        let digest: String = Sha256::digest(&pixels).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, GOLDEN);
    }

    #[test]
    fn a_picture_depends_on_seed_class_and_number_but_not_on_the_size_of_the_set() {
        let (small, _) = footwear(5, 4);
        let (large, labels) = footwear(5, 9);
        assert_eq!(small, large[..small.len()]);
        assert_eq!(labels[..6], [0, 1, 2, 0, 1, 2]);
        for (k, picture) in large.chunks_exact(HEIGHT * WIDTH).enumerate() {
            assert_eq!(picture, footwear_image(5, Footwear::ALL[k % 3], (k / 3) as u64));
            assert_ne!(picture, footwear_image(6, Footwear::ALL[k % 3], (k / 3) as u64));
        }
        assert_eq!(footwear(5, 0), (Vec::new(), Vec::new()));
    }

    #[test]
    fn one_thread_draws_what_many_draw() {
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let many = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
        assert_eq!(alone.install(|| footwear(7, 20)), many.install(|| footwear(7, 20)));
    }

    #[test]
    fn no_two_of_the_first_pictures_of_a_class_are_alike() {
        let mut seen = BTreeSet::new();
        each_of_the_first(500, |class, number, picture| {
            assert!(seen.insert(picture), "{} {number} repeats an earlier picture", class.name());
        });
    }

    #[test]
    fn every_picture_is_a_shoe_sized_shape_inside_a_black_border() {
        each_of_the_first(2000, |class, number, picture| {
            let what = format!("{} {number}", class.name());
            for (k, &grey) in picture.iter().enumerate() {
                let inside = (1..HEIGHT - 1).contains(&(k / WIDTH)) && (1..WIDTH - 1).contains(&(k % WIDTH));
                assert!(inside || grey == 0, "{what} touches the border at row {}, column {}", k / WIDTH, k % WIDTH);
            }
            assert_eq!(picture.iter().max(), Some(&255), "{what}");
            let filled = picture.iter().filter(|&&grey| grey > 0).count();
            assert!((50..500).contains(&filled), "{what} fills {filled} pixels");
        });
    }

    #[test]
    fn each_class_varies_and_uses_the_range_of_greys() {
        // Mean grey and mean per-pixel standard deviation. In the 6000 training pictures of Fashion-MNIST they are
        // 0.137 and 0.191 (sandals), 0.168 and 0.132 (sneakers), 0.301 and 0.193 (ankle boots).
        let ranges = [(0.10..0.17, 0.13..0.20), (0.13..0.20, 0.09..0.14), (0.21..0.32, 0.13..0.20)];
        let count = 1000;
        let mut sums = vec![[[0u64; 2]; HEIGHT * WIDTH]; 3];
        let mut greys = [[0u64; 256]; 3];
        each_of_the_first(count, |class, _, picture| {
            for (sum, grey) in sums[class as usize].iter_mut().zip(picture) {
                sum[0] += u64::from(grey);
                sum[1] += u64::from(grey) * u64::from(grey);
                greys[class as usize][usize::from(grey)] += 1;
            }
        });
        for (class, (mean_range, deviation_range)) in Footwear::ALL.into_iter().zip(ranges) {
            let moment = |sum: u64| sum as f64 / count as f64 / 255.0;
            let pixels = (HEIGHT * WIDTH) as f64;
            let sums = &sums[class as usize];
            let mean = sums.iter().map(|sum| moment(sum[0])).sum::<f64>() / pixels;
            let variance = |sum: &[u64; 2]| (moment(sum[1]) / 255.0 - moment(sum[0]) * moment(sum[0])).max(0.0);
            let deviation = sums.iter().map(|sum| variance(sum).sqrt()).sum::<f64>() / pixels;
            assert!(mean_range.contains(&mean), "{}: mean {mean}", class.name());
            assert!(deviation_range.contains(&deviation), "{}: standard deviation {deviation}", class.name());
            assert!(greys[class as usize].iter().all(|&times| times > 0), "{}: a grey never occurs", class.name());
        }
    }

    #[test]
    fn the_nearest_class_mean_tells_most_pictures_but_not_all() {
        let mut means = [[0.0f64; HEIGHT * WIDTH]; 3];
        each_of_the_first(500, |class, _, picture| {
            means[class as usize].iter_mut().zip(picture).for_each(|(sum, grey)| *sum += f64::from(grey) / 500.0);
        });
        let mut right = 0;
        for class in Footwear::ALL {
            for number in 500..1000 {
                let picture = footwear_image(2026, class, number);
                let distance = |mean: &[f64; HEIGHT * WIDTH]| -> f64 {
                    mean.iter()
                        .zip(picture)
                        .map(|(mean, grey)| (mean - f64::from(grey)) * (mean - f64::from(grey)))
                        .sum()
                };
                let distances = means.each_ref().map(distance);
                let nearest = (0..3).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
                right += u32::from(nearest == Some(class as usize));
            }
        }
        // 0.81 for the three classes of Fashion-MNIST.
        let share = f64::from(right) / 1500.0;
        assert!((0.8..0.98).contains(&share), "{share}");
    }
}
