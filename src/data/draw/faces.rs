//! A face that the program draws itself: 2,000 frames of 28×20 grey pixels in which pose and expression vary smoothly.
//!
//! A stand-in for the Frey faces where those are absent, in the same form: one person before a camera, frame after frame,
//! without labels. Turn, nod, tilt, place, light, brows, eyes, gaze and mouth each follow a smooth path of their own
//! through random knots; the outlines of `face.txt` are functions of these twelve numbers, so that a model of the frames
//! has something to find. The arithmetic is the same on every platform.

use rayon::prelude::*;

use super::painter::{Dice, Drawing};

/// Rows of a frame.
pub const HEIGHT: usize = 28;

/// Columns of a frame.
pub const WIDTH: usize = 20;

/// Frames of the set: about as many as there are Frey faces (1,965).
pub const FRAMES: usize = 2000;

/// Streams of the drawn sets are numbered; those of shoes count up from 0, those of faces down from here.
const LAST_STREAM: u64 = u64::MAX;

/// The frames `[FRAMES × HEIGHT × WIDTH]`, each row by row, 0 black to 255. They depend on nothing but `seed`.
pub fn faces(seed: u64) -> Vec<u8> {
    let drawing = Drawing::parse(include_str!("face.txt"));
    let paths: Vec<Vec<f32>> = (0..).zip(drawing.spans()).map(|(number, span)| path(seed, number, span)).collect();
    let mut pixels = vec![0; FRAMES * HEIGHT * WIDTH];
    pixels.par_chunks_exact_mut(HEIGHT * WIDTH).enumerate().for_each(|(number, frame)| {
        let pose: Vec<f32> = paths.iter().map(|path| path[number]).collect();
        let mut dice = Dice::of(seed, LAST_STREAM - 1000 - number as u64);
        for (pixel, grey) in frame.iter_mut().zip(drawing.paint(&mut dice, &pose, [HEIGHT, WIDTH])) {
            *pixel = (grey * 255.0 + 0.5) as u8;
        }
    });
    pixels
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
