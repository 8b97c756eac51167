//! A face that the program draws itself: 2,000 frames of 28×20 grey pixels in which pose and expression vary smoothly.
//!
//! A stand-in for the Frey faces where those are absent, in the same form: one person before a camera, frame after frame,
//! without labels. Turn, nod, tilt, place, light, brows, eyes, gaze and mouth each follow a smooth path of their own
//! through random knots; the picture is a function of these twelve numbers, so that a model of the frames has
//! something to find. The arithmetic is the same on every platform.

use rayon::prelude::*;

use super::frame::Dice;
use super::portrait::{self, Pose};

/// Rows of a frame.
pub const HEIGHT: usize = 28;

/// Columns of a frame.
pub const WIDTH: usize = 20;

/// Frames of the set: about as many as there are Frey faces (1,965).
pub const FRAMES: usize = 2000;

/// Streams of the drawn sets are numbered; those of shoes count up from 0, those of faces down from here.
const LAST_STREAM: u64 = u64::MAX;

/// Largest change that the grain of the camera makes to a pixel, in 0..=1.
const GRAIN: f32 = 0.015;

/// The frames `[FRAMES × HEIGHT × WIDTH]`, each row by row, 0 black to 255. They depend on nothing but `seed`.
pub fn faces(seed: u64) -> Vec<u8> {
    let poses = poses(seed);
    let mut pixels = vec![0; FRAMES * HEIGHT * WIDTH];
    pixels.par_chunks_exact_mut(HEIGHT * WIDTH).zip(&poses).enumerate().for_each(|(number, (frame, pose))| {
        let mut dice = Dice::of(seed, LAST_STREAM - 1000 - number as u64);
        for (pixel, grey) in frame.iter_mut().zip(portrait::paint(pose)) {
            // A cast from float to integer saturates.
            *pixel = ((grey + dice.around(-GRAIN, GRAIN)) * 255.0 + 0.5) as u8;
        }
    });
    pixels
}

/// The pose of every frame.
fn poses(seed: u64) -> Vec<Pose> {
    // Frames between two knots differ from path to path, so that no two paths keep step.
    let spans = [37, 43, 53, 61, 67, 97, 29, 31, 19, 23, 29, 17];
    let paths: Vec<Vec<f32>> = spans.iter().enumerate().map(|(k, &span)| path(seed, k as u64, span)).collect();
    let at = |frame: usize| {
        let value = |k: usize| paths[k][frame];
        Pose {
            turn: value(0),
            nod: value(1),
            tilt: value(2),
            place: [value(3), value(4)],
            light: value(5),
            brows: value(6),
            frown: value(7),
            // Open most of the time: a blink is the lower end of the path.
            eyes: (1.3 + value(8)).clamp(0.0, 1.0),
            gaze: value(9),
            smile: value(10),
            // Closed half of the time.
            open: value(11).max(0.0),
        }
    };
    (0..FRAMES).map(at).collect()
}

/// A smooth path in −1..=1: random knots, `span` frames apart, joined by the cubic step 3t² − 2t³.
fn path(seed: u64, number: u64, span: usize) -> Vec<f32> {
    let mut dice = Dice::of(seed, LAST_STREAM - number);
    let knots: Vec<f32> = (0..FRAMES / span + 2).map(|_| dice.between(-1.0, 1.0)).collect();
    let at = |frame: usize| {
        let (knot, t) = (frame / span, (frame % span) as f32 / span as f32);
        knots[knot] + (knots[knot + 1] - knots[knot]) * t * t * (3.0 - 2.0 * t)
    };
    (0..FRAMES).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_frames_are_those_of_every_platform_and_of_any_number_of_threads() {
        // Made by this module on x86-64 Linux.
        const GOLDEN: &str = "7a1e1cdd44ee8554fae9e25ffca80bb5216f3f586f1497b7bf3d95240b3f0933";
        let digest =
            |pixels: &[u8]| -> String { Sha256::digest(pixels).iter().map(|byte| format!("{byte:02x}")).collect() };
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let pixels = alone.install(|| faces(2026));
        assert_eq!(pixels.len(), FRAMES * 560);
        assert_eq!(digest(&pixels), GOLDEN);
        assert_eq!(digest(&faces(2026)), GOLDEN);
        assert_ne!(digest(&faces(2027)), GOLDEN);
    }

    #[test]
    fn frames_follow_each_other_smoothly_and_yet_go_far() {
        let pixels = faces(2026);
        let frame = |k: usize| &pixels[k * 560..(k + 1) * 560];
        let distance =
            |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 560.0;
        let steps: Vec<f64> = (1..FRAMES).map(|k| distance(frame(k - 1), frame(k))).collect();
        let mean = steps.iter().sum::<f64>() / steps.len() as f64;
        let largest = steps.iter().fold(0.0f64, |most, &step| most.max(step));
        let far = (0..FRAMES / 2).map(|k| distance(frame(k), frame(k + FRAMES / 2))).sum::<f64>() / 1000.0;
        // 1.9, 3.0 and 19.6 greys; in the Frey faces, which jump from one expression to the next, 12.1, 33.8 and 27.8.
        assert!(mean < 3.0 && largest < 6.0 && far > 5.0 * mean, "mean {mean}, largest {largest}, far {far}");
    }

    #[test]
    fn every_path_stays_in_its_range_and_uses_it() {
        for (number, span) in [(0, 37), (11, 17)] {
            let path = path(2026, number, span);
            let (low, high) = path.iter().fold((1.0f32, -1.0f32), |(low, high), &v| (low.min(v), high.max(v)));
            assert!((-1.0..-0.8).contains(&low) && (0.8..=1.0).contains(&high), "{low} {high}");
        }
    }
}
