//! Images changed at random so that what they show stays: the two views of a contrastive pair.

use std::ops::Bound::{Excluded, Included};

use narrows_kernels::Real;
use rand::RngExt as _;

use crate::rng::Stream;
use crate::settings::{Counts, Range, settings};

const CROP: Range =
    Range { from: Excluded(0.0), to: Included(1.0), accepted: "a share of the sides above 0 and at most 1" };
const FACTOR: Range = Range { from: Included(0.0), to: Included(1.0), accepted: "a number from 0 to 1" };
const BLUR: Range = Range { from: Included(0.0), to: Included(2.0), accepted: "a number of pixels from 0 to 2" };
const PIXELS: Counts = Counts { noun: "pixels", ..Counts::new(0, 1024) };

settings! {
    /// What is done to an image at random, in this order.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Augmentation {
        /// The least share of height and width that a crop keeps; what is kept is enlarged to the whole image. 1 crops nothing.
        pub crop: f64 = 1.0, in CROP;
        /// Whether an image is mirrored, left and right, with probability 1/2.
        pub flip: bool = false;
        /// The most pixels that the image moves up or down, and left or right; what comes in is 0.
        pub shift: usize = 0, in PIXELS;
        /// The most by which the factor of all pixels differs from 1; the product is clipped to [0, 1].
        pub brightness: f64 = 0.0, in FACTOR;
        /// The largest standard deviation in pixels of the Gaussian blur that an image gets with probability 1/2; 0 blurs nothing. The
        /// Gaussian is cut off 3 pixels away.
        pub blur: f64 = 0.0, in BLUR;
        /// The side in pixels of a square that is set to 0, whose centre is any pixel; 0 cuts nothing.
        pub cutout: usize = 0, in PIXELS;
    }
}

/// What was drawn for one image.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drawn {
    /// The share of height and width that is kept, and where of what is left over it begins, from 0 to 1.
    crop: Option<[f64; 3]>,
    shift: [isize; 2],
    flip: bool,
    factor: f64,
    /// The standard deviation.
    blur: Option<f64>,
    /// The centre of the square.
    cutout: Option<[usize; 2]>,
}

impl Augmentation {
    /// As many draws whatever comes out, so that one setting does not change what another draws.
    fn draw(&self, [height, width, _]: [usize; 3], stream: &mut Stream) -> Drawn {
        let mut unit: [f64; 10] = [0.0; 10];
        unit.iter_mut().for_each(|draw| *draw = stream.random());
        let shift = |draw: f64| ((2 * self.shift + 1) as f64 * draw) as isize - self.shift as isize;
        Drawn {
            crop: (self.crop < 1.0).then(|| [self.crop + (1.0 - self.crop) * unit[0], unit[1], unit[2]]),
            shift: [shift(unit[3]), shift(unit[4])],
            flip: self.flip && unit[5] < 0.5,
            factor: 1.0 + self.brightness * (2.0 * unit[6] - 1.0),
            // Half of the images: those of the upper half of the draw.
            blur: (self.blur > 0.0 && unit[7] > 0.5).then(|| self.blur * (2.0 * unit[7] - 1.0)),
            cutout: (self.cutout > 0).then(|| [(height as f64 * unit[8]) as usize, (width as f64 * unit[9]) as usize]),
        }
    }

    /// Changes `image` [height, width, channels], pixels in [0, 1], as `stream` says. `scratch` is as long.
    ///
    /// # Panics
    /// When the lengths are not those of the shape.
    pub fn apply<T: Real>(&self, shape: [usize; 3], image: &mut [T], scratch: &mut [T], stream: &mut Stream) {
        let values: usize = shape.iter().product();
        assert!(image.len() == values && scratch.len() == values, "an image {shape:?} of {} values", image.len());
        let drawn = self.draw(shape, stream);
        if let Some(crop) = drawn.crop {
            enlarge(crop, shape, image, scratch);
        }
        if drawn.shift != [0, 0] || drawn.flip {
            scratch.copy_from_slice(image);
            displace(drawn.shift, drawn.flip, shape, scratch, image);
        }
        if drawn.factor != 1.0 {
            let factor = T::from_f64(drawn.factor);
            image.iter_mut().for_each(|value| *value = clip(*value * factor));
        }
        if let Some(std) = drawn.blur {
            blur(std, shape, image, scratch);
        }
        if let Some(centre) = drawn.cutout {
            cut(centre, self.cutout, shape, image);
        }
    }
}

fn clip<T: Real>(value: T) -> T {
    if value > T::ONE { T::ONE } else { value }
}

/// For a pixel of one axis of `size`, the pixel before its place in the crop, the one after, and the latter's share.
fn source<T: Real>(share: f64, start: f64, size: usize, pixel: usize) -> (usize, usize, T) {
    // Centres of pixels lie at one half: the crop's outer edges become those of the image.
    let at = (pixel as f64 + 0.5) * share + start * (1.0 - share) * size as f64 - 0.5;
    let at = at.clamp(0.0, (size - 1) as f64);
    let before = at as usize;
    (before, (before + 1).min(size - 1), T::from_f64(at - before as f64))
}

/// Columns whose places in a crop are found together, once for all rows.
const COLUMNS: usize = 32;

/// Enlarges the crop of an image to all of it, by bilinear interpolation: along rows into `scratch`, and down columns back.
fn enlarge<T: Real>([share, top, left]: [f64; 3], shape: [usize; 3], image: &mut [T], scratch: &mut [T]) {
    let [height, width, channels] = shape;
    let line = width * channels;
    let mut sources = [(0, 0, T::ZERO); COLUMNS];
    for first in (0..width).step_by(COLUMNS) {
        let cols = first..width.min(first + COLUMNS);
        for (to, col) in sources.iter_mut().zip(cols.clone()) {
            let (before, after, right) = source(share, left, width, col);
            *to = (before * channels, after * channels, right);
        }
        for (to, from) in scratch.chunks_exact_mut(line).zip(image.chunks_exact(line)) {
            let to = to[cols.start * channels..cols.end * channels].chunks_exact_mut(channels);
            for (to, &(before, after, right)) in to.zip(&sources) {
                for (channel, to) in to.iter_mut().enumerate() {
                    let (near, far) = (from[before + channel], from[after + channel]);
                    *to = near + right * (far - near);
                }
            }
        }
    }
    for (row, to) in image.chunks_exact_mut(line).enumerate() {
        let (above, below, down) = source::<T>(share, top, height, row);
        let [above, below] = [above, below].map(|row| &scratch[row * line..][..line]);
        for (to, (&near, &far)) in to.iter_mut().zip(above.iter().zip(below)) {
            *to = near + down * (far - near);
        }
    }
}

/// Moves an image down and to the right, mirrored left and right before where it is flipped.
fn displace<T: Real>(
    [down, right]: [isize; 2],
    is_flipped: bool,
    [height, width, channels]: [usize; 3],
    from: &[T],
    to: &mut [T],
) {
    to.fill(T::ZERO);
    for (row, to) in to.chunks_exact_mut(width * channels).enumerate() {
        let Some(source) = row.checked_add_signed(-down).filter(|&row| row < height) else { continue };
        let from = &from[source * width * channels..][..width * channels];
        for (col, to) in to.chunks_exact_mut(channels).enumerate() {
            let Some(at) = col.checked_add_signed(-right).filter(|&col| col < width) else { continue };
            let at = if is_flipped { width - 1 - at } else { at };
            // A loop, since a call to copy one number takes longer.
            to.iter_mut().zip(&from[at * channels..]).for_each(|(to, &from)| *to = from);
        }
    }
}

/// Pixels that a blur reaches to each side, 1.5 times the largest standard deviation.
const REACH: usize = 3;

/// A Gaussian blur, along rows into `scratch` and down columns back; what lies outside is 0.
fn blur<T: Real>(std: f64, [_, width, channels]: [usize; 3], image: &mut [T], scratch: &mut [T]) {
    let weights: [f64; REACH + 1] = std::array::from_fn(|k| libm::exp(-0.5 * (k * k) as f64 / (std * std).max(1e-3)));
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    let weights = weights.map(|weight| T::from_f64(weight / total));
    let line = width * channels;
    for (to, from) in scratch.chunks_exact_mut(line).zip(image.chunks_exact(line)) {
        weighted(&weights, channels, from, to);
    }
    weighted(&weights, line, scratch, image);
}

/// Each value's weighted sum with those `step`, 2 `step`, … before and after it; zeros beyond both ends.
fn weighted<T: Real>(weights: &[T; REACH + 1], step: usize, from: &[T], to: &mut [T]) {
    to.iter_mut().zip(from).for_each(|(to, &value)| *to = weights[0] * value);
    for (distance, &weight) in (1..).zip(&weights[1..]) {
        let Some(rest) = from.get(distance * step..) else { break };
        to.iter_mut().zip(rest).for_each(|(to, &after)| *to += weight * after);
        to[distance * step..].iter_mut().zip(from).for_each(|(to, &before)| *to += weight * before);
    }
}

/// Sets a square of `side` pixels around `centre` to 0, as far as it lies on the image.
fn cut<T: Real>([row, col]: [usize; 2], side: usize, [height, width, channels]: [usize; 3], image: &mut [T]) {
    let within = |centre: usize, size: usize| centre.saturating_sub(side / 2)..(centre + side.div_ceil(2)).min(size);
    let cols = within(col, width);
    for row in within(row, height) {
        image[(row * width + cols.start) * channels..(row * width + cols.end) * channels].fill(T::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, stream};

    const SHAPE: [usize; 3] = [6, 5, 2];

    fn image() -> Vec<f32> {
        (0..60).map(|i| (i * 37 % 60) as f32 / 60.0).collect()
    }

    fn applied(augmentation: Augmentation, index: u64) -> Vec<f32> {
        let (mut image, mut scratch) = (image(), vec![f32::NAN; 60]);
        augmentation.apply(SHAPE, &mut image, &mut scratch, &mut stream(1, Purpose::Augmentation, index));
        image
    }

    #[test]
    fn nothing_is_done_where_nothing_is_asked_for() {
        assert_eq!(applied(Augmentation::default(), 0), image());
    }

    #[test]
    fn an_image_is_mirrored_and_moves_by_whole_pixels() {
        let (from, mut to) = (image(), vec![0.0; 60]);
        displace([2, -1], true, SHAPE, &from, &mut to);
        for row in 0..6 {
            for col in 0..5 {
                for channel in 0..2 {
                    let found = to[(row * 5 + col) * 2 + channel];
                    // Column c of the result is c + 1 of the flipped image, 4 − (c + 1) of the image.
                    let inside = row >= 2 && col < 4;
                    let expected = if inside { from[((row - 2) * 5 + 3 - col) * 2 + channel] } else { 0.0 };
                    assert_eq!(found, expected, "row {row}, column {col}");
                }
            }
        }
    }

    #[test]
    fn shifts_are_all_within_their_bound_and_alike_often() {
        let shifting = Augmentation { shift: 2, ..Augmentation::default() };
        let mut counts = [0; 5];
        for index in 0..1000 {
            let drawn = shifting.draw(SHAPE, &mut stream(3, Purpose::Augmentation, index));
            counts[(drawn.shift[0] + 2) as usize] += 1;
        }
        // 200 each with a standard deviation of 12.6.
        assert!(counts.iter().all(|count| (140..260).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_crop_of_a_ramp_is_a_ramp_between_the_ends_of_the_crop() {
        // The value of a pixel is its column: bilinear interpolation keeps what is linear, away from the edges.
        let ramp: Vec<f64> = (0..8 * 8).map(|i| (i % 8) as f64).collect();
        let (mut image, mut scratch) = (ramp, vec![0.0; 64]);
        enlarge([0.5, 0.25, 0.5], [8, 8, 1], &mut image, &mut scratch);
        for (at, value) in image.iter().enumerate() {
            let expected = (at % 8) as f64 * 0.5 + 0.25 + 0.5 * 0.5 * 8.0 - 0.5;
            assert!((value - expected).abs() < 1e-12, "pixel {at} is {value}, not {expected}");
        }
    }

    #[test]
    fn a_crop_of_a_wide_colour_image_is_interpolated_between_four_pixels() {
        let shape @ [height, width, channels] = [5, 2 * COLUMNS + 3, 3];
        let from: Vec<f64> = (0..height * width * channels).map(|i| (i * 37 % 101) as f64 / 101.0).collect();
        let (mut image, mut scratch) = (from.clone(), vec![f64::NAN; from.len()]);
        enlarge([0.7, 0.2, 0.9], shape, &mut image, &mut scratch);
        for (at, value) in image.iter().enumerate() {
            let (row, col, channel) = (at / channels / width, at / channels % width, at % channels);
            let (above, below, down) = source::<f64>(0.7, 0.2, height, row);
            let (before, after, right) = source::<f64>(0.7, 0.9, width, col);
            let at = |row: usize, col: usize| from[(row * width + col) * channels + channel];
            let along = |row: usize| (1.0 - right) * at(row, before) + right * at(row, after);
            let expected = (1.0 - down) * along(above) + down * along(below);
            assert!((value - expected).abs() < 1e-12, "row {row}, column {col}, channel {channel}");
        }
    }

    #[test]
    fn a_blur_keeps_the_sum_of_what_lies_inside_and_is_the_same_both_ways() {
        let (mut image, mut scratch) = (vec![0.0f64; 15 * 15], vec![0.0; 15 * 15]);
        image[7 * 15 + 7] = 1.0;
        blur(1.0, [15, 15, 1], &mut image, &mut scratch);
        assert!((image.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let at = |row: usize, col: usize| image[row * 15 + col];
        // The outer product of e^(−k²/2) over their sum, 2.50 and a little.
        assert!((at(7, 7) / at(7, 8) - libm::exp(0.5)).abs() < 1e-12 && at(6, 7) == at(8, 7) && at(7, 6) == at(7, 8));
        assert!((at(7, 9) - at(9, 7)).abs() < 1e-15 && at(7, 11) == 0.0);
    }

    #[test]
    fn a_square_is_cut_where_it_lies_on_the_image() {
        let mut image = vec![1.0f32; 60];
        cut([0, 4], 3, SHAPE, &mut image);
        let zeros: Vec<usize> = (0..30).filter(|at| image[2 * at] == 0.0 && image[2 * at + 1] == 0.0).collect();
        assert_eq!(zeros, [3, 4, 8, 9]);
    }

    #[test]
    fn streams_decide_and_pixels_stay_in_range() {
        let all = Augmentation { crop: 0.6, flip: true, shift: 1, brightness: 0.5, blur: 1.0, cutout: 2 };
        assert_eq!(applied(all, 4), applied(all, 4));
        assert_ne!(applied(all, 4), applied(all, 5));
        assert!((0..50).all(|index| applied(all, index).iter().all(|value| (0.0..=1.0).contains(value))));
    }
}
