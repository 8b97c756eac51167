//! The sets that the program draws: the same bits everywhere, shapes that vary, and classes that differ.

use std::collections::BTreeSet;

use narrows::data::draw::{CLASS_NAMES, HEIGHT, WIDTH, faces, footwear, footwear_image};
use narrows::files::sha256;

fn each_of_the_first(count: u64, mut look: impl FnMut(usize, u64, [u8; HEIGHT * WIDTH])) {
    for class in 0..3 {
        for number in 0..count {
            look(class, number, footwear_image(2026, class, number));
        }
    }
}

#[test]
fn the_first_three_hundred_pictures_are_those_of_every_platform() {
    // Made on x86-64 Linux; a change of any picture changes every set trained on it.
    const GOLDEN: &str = "4342c3a2c76d88ec292644b25bf3dc4a86a66055c96363f3c8140d6cf31965c5";
    let (pixels, labels) = footwear(2026, 100);
    assert_eq!((pixels.len(), labels.len()), (300 * HEIGHT * WIDTH, 300));
    assert_eq!(sha256(&pixels), GOLDEN);
}

#[test]
fn a_picture_depends_on_seed_class_and_number_but_not_on_the_size_of_the_set() {
    let (small, _) = footwear(5, 4);
    let (large, labels) = footwear(5, 9);
    assert_eq!(small, large[..small.len()]);
    assert_eq!(labels[..6], [0, 1, 2, 0, 1, 2]);
    for (k, picture) in large.chunks_exact(HEIGHT * WIDTH).enumerate() {
        assert_eq!(picture, footwear_image(5, k % 3, (k / 3) as u64));
        assert_ne!(picture, footwear_image(6, k % 3, (k / 3) as u64));
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
        assert!(seen.insert(picture), "{} {number} repeats an earlier picture", CLASS_NAMES[class]);
    });
}

#[test]
fn every_picture_is_a_shoe_sized_shape_inside_a_black_border() {
    each_of_the_first(2000, |class, number, picture| {
        let what = format!("{} {number}", CLASS_NAMES[class]);
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
        for (sum, grey) in sums[class].iter_mut().zip(picture) {
            sum[0] += u64::from(grey);
            sum[1] += u64::from(grey) * u64::from(grey);
            greys[class][usize::from(grey)] += 1;
        }
    });
    for (class, (mean_range, deviation_range)) in ranges.into_iter().enumerate() {
        let moment = |sum: u64| sum as f64 / count as f64 / 255.0;
        let pixels = (HEIGHT * WIDTH) as f64;
        let sums = &sums[class];
        let mean = sums.iter().map(|sum| moment(sum[0])).sum::<f64>() / pixels;
        let variance = |sum: &[u64; 2]| (moment(sum[1]) / 255.0 - moment(sum[0]) * moment(sum[0])).max(0.0);
        let deviation = sums.iter().map(|sum| variance(sum).sqrt()).sum::<f64>() / pixels;
        assert!(mean_range.contains(&mean), "{}: mean {mean}", CLASS_NAMES[class]);
        assert!(deviation_range.contains(&deviation), "{}: standard deviation {deviation}", CLASS_NAMES[class]);
        assert!(greys[class].iter().all(|&times| times > 0), "{}: a grey never occurs", CLASS_NAMES[class]);
    }
}

#[test]
fn the_nearest_class_mean_tells_most_pictures_but_not_all() {
    let mut means = [[0.0f64; HEIGHT * WIDTH]; 3];
    each_of_the_first(500, |class, _, picture| {
        means[class].iter_mut().zip(picture).for_each(|(sum, grey)| *sum += f64::from(grey) / 500.0);
    });
    let mut right = 0;
    for class in 0..3 {
        for number in 500..1000 {
            let picture = footwear_image(2026, class, number);
            let distance = |mean: &[f64; HEIGHT * WIDTH]| -> f64 {
                mean.iter().zip(picture).map(|(mean, grey)| (mean - f64::from(grey)) * (mean - f64::from(grey))).sum()
            };
            let distances = means.each_ref().map(distance);
            let nearest = (0..3).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
            right += u32::from(nearest == Some(class));
        }
    }
    // 0.81 for the three classes of Fashion-MNIST.
    let share = f64::from(right) / 1500.0;
    assert!((0.8..0.98).contains(&share), "{share}");
}

#[test]
fn the_frames_are_those_of_every_platform_and_of_any_number_of_threads() {
    // Made on x86-64 Linux.
    const GOLDEN: &str = "d44ae96b59c3dd344946169ebbc24793022c82ed408acd1c66e39f684da13a03";
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let pixels = alone.install(|| faces::faces(2026));
    assert_eq!(pixels.len(), faces::FRAMES * 560);
    assert_eq!(sha256(&pixels), GOLDEN);
    assert_eq!(sha256(&faces::faces(2026)), GOLDEN);
    assert_ne!(sha256(&faces::faces(2027)), GOLDEN);
}

#[test]
fn frames_follow_each_other_smoothly_and_yet_go_far() {
    let pixels = faces::faces(2026);
    let frame = |k: usize| &pixels[k * 560..(k + 1) * 560];
    let distance = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 560.0;
    let steps: Vec<f64> = (1..faces::FRAMES).map(|k| distance(frame(k - 1), frame(k))).collect();
    let mean = steps.iter().sum::<f64>() / steps.len() as f64;
    let largest = steps.iter().fold(0.0f64, |most, &step| most.max(step));
    let far = (0..faces::FRAMES / 2).map(|k| distance(frame(k), frame(k + faces::FRAMES / 2))).sum::<f64>() / 1000.0;
    // 1.9, 3.0 and 19.6 greys; in the Frey faces, which jump from one expression to the next, 12.1, 33.8 and 27.8.
    assert!(mean < 3.0 && largest < 6.0 && far > 5.0 * mean, "mean {mean}, largest {largest}, far {far}");
}
