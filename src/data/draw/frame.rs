//! Where a shoe stands in the picture, the curve its sole follows, and the dice that vary both.

use crate::rng::{self, Purpose, Stream};
use rand::Rng;

use super::canvas::{Outline, Shade};
use super::{HEIGHT, WIDTH};

/// Pixels left black along every border of a picture.
const MARGIN: f32 = 1.0;

/// The random choices of one picture.
pub(super) struct Dice(Stream);

impl Dice {
    /// The dice of picture number `index` of the sets with this `seed`.
    pub(super) fn of(seed: u64, index: u64) -> Dice {
        Dice(rng::stream(seed, Purpose::Draw, index))
    }

    /// Uniform in `[low, high)`, from 24 random bits: every step is exact or correctly rounded.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.0.next_u32() >> 8) as f32 / 16_777_216.0;
        low + (high - low) * unit
    }

    /// The mean of three uniform draws: like [`Dice::between`], with the middle likelier than the ends.
    pub(super) fn around(&mut self, low: f32, high: f32) -> f32 {
        (self.between(low, high) + self.between(low, high) + self.between(low, high)) / 3.0
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A whole number in `low..=high`.
    pub(super) fn count(&mut self, low: u32, high: u32) -> u32 {
        low + (self.between(0.0, (high - low + 1) as f32) as u32).min(high - low)
    }

    /// A material: light with probability `light`, else of a middle or a dark grey, with mild slopes and grain.
    pub(super) fn shade(&mut self, light: f32) -> Shade {
        let level = match self.between(0.0, 1.0) {
            kind if kind < light => self.between(0.68, 0.95),
            kind if kind < light + 0.65 * (1.0 - light) => self.between(0.42, 0.7),
            _ => self.between(0.2, 0.42),
        };
        let grain = if self.chance(0.15) { self.between(0.1, 0.22) } else { self.between(0.02, 0.09) };
        Shade { level, across: self.around(-0.12, 0.12), down: self.around(-0.16, 0.16), grain }
    }
}

/// The map from shoe coordinates to pixels. In shoe coordinates `u` runs from the toe (0) to the heel (1), `v` upwards
/// from the ground (0), and both have the length of the shoe as unit.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Pixels right for each unit of `u`.
    scale: f32,
    /// Pixels up for each unit of `v`.
    rise: f32,
    /// Pixels right for each unit of `v`: the lean of the whole shoe.
    lean: f32,
    /// Pixels down for each unit of `u`: its tilt.
    tilt: f32,
    origin: [f32; 2],
}

impl Frame {
    /// Sets a shoe whose parts lie in `u` 0..=1 and `v` 0..=`height` down on the canvas: 23 to 26 pixels long unless
    /// its height asks for less, a little tilted, leaning and shifted, and inside the margin.
    pub(super) fn fit(dice: &mut Dice, height: f32) -> Frame {
        let (lean, tilt) = (dice.around(-0.07, 0.07), dice.around(-0.06, 0.06));
        let room = [WIDTH as f32 - 2.0 * MARGIN, HEIGHT as f32 - 2.0 * MARGIN];
        // The box that holds the sheared shoe, for a scale of one.
        let size = [1.0 + lean.abs() * height, height + tilt.abs()];
        let most = (room[0] / size[0]).min(room[1] / size[1]);
        let scale = dice.between(23.0, 26.2).min(most);
        let spare = [0, 1].map(|d| (room[d] - scale * size[d]).max(0.0));
        let mut place = |d: usize| 0.5 * spare[d] + dice.around(-3.0, 3.0).clamp(-0.5 * spare[d], 0.5 * spare[d]);
        let (left, top) = (MARGIN + place(0), MARGIN + place(1));
        let lowest = top + scale * size[1];
        let origin = [left - scale * (lean * height).min(0.0), lowest - scale * tilt.max(0.0)];
        Frame { scale, rise: scale, lean: scale * lean, tilt: scale * tilt, origin }
    }

    /// Where a point `[u, v]` lies, in pixels from the left and from the top.
    pub(super) fn pixel(&self, [u, v]: [f32; 2]) -> [f32; 2] {
        let x = self.origin[0] + self.scale * u + self.lean * v;
        [x, self.origin[1] + self.tilt * u - self.rise * v]
    }

    /// Pixels per unit of length.
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    /// The frame in which shoe coordinates are pixels, `v` running down.
    #[cfg(test)]
    pub(super) fn pixels() -> Frame {
        Frame { scale: 1.0, rise: -1.0, lean: 0.0, tilt: 0.0, origin: [0.0, 0.0] }
    }
}

/// The curve that the sole of a shoe follows, on which the foot stands: up from the ball of the foot to the heel.
#[derive(Clone, Copy)]
pub(super) struct Arch {
    /// Height of the toe tip above the ball.
    pub(super) spring: f32,
    /// Height of the heel above the ball.
    pub(super) heel: f32,
    /// Where the rise begins.
    pub(super) ball: f32,
    /// Where the rise ends.
    pub(super) seat: f32,
}

impl Arch {
    /// Height above the ball at `u`.
    pub(super) fn at(&self, u: f32) -> f32 {
        if u < self.ball {
            let back = (self.ball - u) / self.ball;
            return self.spring * back * back;
        }
        let t = ((u - self.ball) / (self.seat - self.ball)).min(1.0);
        // Half a straight line, half the cubic smooth step.
        self.heel * (0.5 * t + 0.5 * t * t * (3.0 - 2.0 * t))
    }

    /// Points of the curve from `from` to `to`, raised by `lift`.
    pub(super) fn points(&self, from: f32, to: f32, lift: f32) -> [[f32; 2]; 9] {
        std::array::from_fn(|k| {
            let u = from + (to - from) * k as f32 / 8.0;
            [u, self.at(u) + lift]
        })
    }

    /// The layer between `low` and `high` above the curve.
    pub(super) fn layer(&self, frame: Frame, from: f32, to: f32, low: f32, high: f32) -> Outline {
        Outline::new(frame).line(&self.points(from, to, low)).line(&self.points(to, from, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_frame_keeps_every_corner_of_the_shoe_inside_the_margin() {
        let slack = 1e-4;
        for index in 0..2000 {
            let mut dice = Dice::of(3, index);
            let height = dice.between(0.1, 1.5);
            let frame = Frame::fit(&mut dice, height);
            for corner in [[0.0, 0.0], [1.0, 0.0], [0.0, height], [1.0, height]] {
                let [x, y] = frame.pixel(corner);
                let inside = |at: f32, size: usize| at >= MARGIN - slack && at <= size as f32 - MARGIN + slack;
                assert!(inside(x, WIDTH) && inside(y, HEIGHT), "picture {index}: {corner:?} lies at {x}, {y}");
            }
        }
    }

    #[test]
    fn dice_reach_their_range_and_stay_in_it() {
        let mut dice = Dice::of(4, 0);
        let (mut least, mut most) = (f32::MAX, f32::MIN);
        let mut seen = [0; 3];
        for _ in 0..3000 {
            let value = dice.between(-2.0, 5.0);
            (least, most) = (least.min(value), most.max(value));
            seen[dice.count(1, 3) as usize - 1] += 1;
        }
        assert!((-2.0..-1.9).contains(&least) && (4.9..=5.0).contains(&most), "{least}..{most}");
        // 1000 expected; five standard deviations of a binomial are 130.
        assert!(seen.iter().all(|&count| (870..1130).contains(&count)), "{seen:?}");
    }

    #[test]
    fn the_arch_rises_from_ball_to_seat_and_springs_at_the_toe() {
        let arch = Arch { spring: 0.03, heel: 0.4, ball: 0.3, seat: 0.8 };
        assert_eq!((arch.at(0.0), arch.at(0.3), arch.at(0.8), arch.at(1.0)), (0.03, 0.0, 0.4, 0.4));
        let rise = arch.points(0.3, 0.8, 0.0);
        assert!(rise.windows(2).all(|pair| pair[1][1] > pair[0][1]), "{rise:?}");
    }
}
