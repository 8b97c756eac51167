//! One face: from twelve numbers of pose and expression to 28×20 greys.
//!
//! A pixel is the mean of 3×3 points, and a point the topmost of soft-edged parts: background, neck, hair, ears, head with
//! its light, nose, mouth, eyes, brows, fringe. Parts of the face stand on a head that turns: the nearer a part is to
//! the camera, the farther a turn moves it. Only `+ - * /` and `sqrt` are used, so that every platform paints the
//! same bits.

use super::faces::{HEIGHT, WIDTH};

/// Points of a pixel along one side.
const POINTS: usize = 3;

/// What a frame shows; all but `eyes` and `open`, which are in 0..=1, are in −1..=1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pose {
    /// Head turned to the left or to the right.
    pub(super) turn: f32,
    /// Head raised or lowered.
    pub(super) nod: f32,
    /// Head leant to a shoulder.
    pub(super) tilt: f32,
    /// Head moved across and down.
    pub(super) place: [f32; 2],
    /// Light from the left or from the right.
    pub(super) light: f32,
    /// Brows lowered or raised.
    pub(super) brows: f32,
    /// Brows falling towards the nose or away from it.
    pub(super) frown: f32,
    /// Lids closed or open.
    pub(super) eyes: f32,
    /// Irises to the left or to the right.
    pub(super) gaze: f32,
    /// Corners of the mouth down or up.
    pub(super) smile: f32,
    /// Mouth closed or open.
    pub(super) open: f32,
}

/// The greys of a frame, row by row, in 0..=1.
pub(super) fn paint(pose: &Pose) -> [f32; HEIGHT * WIDTH] {
    let head = Head::new(pose);
    std::array::from_fn(|k| {
        let (y, x) = ((k / WIDTH) as f32, (k % WIDTH) as f32);
        let mut sum = 0.0;
        for point in 0..POINTS * POINTS {
            let offset = |part: usize| (part as f32 + 0.5) / POINTS as f32;
            sum += head.grey(x + offset(point % POINTS), y + offset(point / POINTS));
        }
        sum / (POINTS * POINTS) as f32
    })
}

/// A frame's pose as lengths in pixels.
struct Head<'a> {
    pose: &'a Pose,
    centre: [f32; 2],
    /// Cosine and sine of the tilt.
    rotation: [f32; 2],
}

/// `over` on `under`, with soft edges half a pixel wide: `inside` is the distance from the edge, positive inside.
fn lay(under: &mut f32, inside: f32, over: f32) {
    let t = (inside + 0.5).clamp(0.0, 1.0);
    *under += (over - *under) * t * t * (3.0 - 2.0 * t);
}

/// [`lay`] with an edge that is `soft` pixels wide and a part that lets through what is under it.
fn glaze(under: &mut f32, inside: f32, soft: f32, change: f32) {
    let t = (inside / soft + 0.5).clamp(0.0, 1.0);
    *under += change * t * t * (3.0 - 2.0 * t);
}

/// Distance from the edge of an ellipse about the origin, positive inside; exact on the axes near the edge.
fn ellipse(x: f32, y: f32, across: f32, down: f32) -> f32 {
    let (u, v) = (x / across, y / down);
    (1.0 - (u * u + v * v).sqrt()) * across.min(down)
}

impl Head<'_> {
    fn new(pose: &Pose) -> Head<'_> {
        let centre = [10.0 + 0.9 * pose.place[0] + 0.8 * pose.turn, 14.2 + 0.8 * pose.place[1] + 0.5 * pose.nod];
        // The rational parametrisation of the circle: an angle of about 0.2 at most, without a sine.
        let t = 0.1 * pose.tilt;
        Head { pose, centre, rotation: [(1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)] }
    }

    /// Where a part that stands `depth` pixels before the head's axis is seen.
    fn seen(&self, x: f32, y: f32, depth: f32) -> [f32; 2] {
        let narrowed = 1.0 - 0.12 * self.pose.turn * self.pose.turn;
        [x * narrowed + 0.26 * depth * self.pose.turn, y + 0.16 * depth * self.pose.nod]
    }

    fn grey(&self, x: f32, y: f32) -> f32 {
        let pose = self.pose;
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let [cos, sin] = self.rotation;
        // In the head's own axes, the chin downwards.
        let (x, y) = (cos * dx + sin * dy, cos * dy - sin * dx);
        let mut grey = 0.42 + 0.01 * (dx + 0.5 * dy);
        lay(&mut grey, (3.7 - (dx + 0.3 * pose.turn).abs()).min(dy - 5.0), 0.48);
        lay(&mut grey, ellipse(dx, dy - 17.5, 12.0, 6.0), 0.2);
        lay(&mut grey, ellipse(x, y + 1.8, 8.1, 11.4), 0.13);
        for side in [-1.0, 1.0] {
            let [ear, level] = self.seen(7.2 * side, 0.6, -2.5);
            lay(&mut grey, ellipse(x - ear, y - level, 1.3, 2.3), 0.56);
        }
        self.skin(&mut grey, x, y);
        grey.clamp(0.0, 1.0)
    }

    fn skin(&self, grey: &mut f32, x: f32, y: f32) {
        let pose = self.pose;
        // The chin goes down as the mouth opens, and the head narrows towards it.
        let long = 11.0 + 0.8 * pose.open;
        let below = (y - 1.0).max(0.0);
        let across = 7.4 - 0.012 * below * below;
        let inside = ellipse(x, y, across, long);
        if inside < -0.5 {
            return;
        }
        let mut skin = 0.82;
        // Round as an ellipsoid: the side away from the light is darker.
        let side = x / 7.2;
        skin += 0.15 * side * (pose.light - 0.5 * pose.turn) - 0.16 * side * side - 0.004 * y;
        let mut glazed = skin;
        self.nose(&mut glazed, x, y);
        self.mouth(&mut glazed, x, y);
        for side in [-1.0, 1.0] {
            self.eye(&mut glazed, x, y, side);
        }
        let [parting, _] = self.seen(1.0, 0.0, 5.0);
        let fringe = -y - 7.0 + 0.1 * (x - parting - 1.5).abs() + 0.03 * (x - parting) * (x - parting);
        lay(&mut glazed, fringe, 0.15);
        lay(grey, inside, glazed);
    }

    fn nose(&self, grey: &mut f32, x: f32, y: f32) {
        let [bridge, top] = self.seen(0.0, -2.0, 6.0);
        let [tip, low] = self.seen(0.0, 2.6, 9.0);
        let along = ((y - top) / (low - top)).clamp(0.0, 1.0);
        let middle = bridge + (tip - bridge) * along;
        let wide = 0.5 + 0.7 * along;
        let shaded = if self.pose.light > 0.0 { -1.0 } else { 1.0 };
        let strength = 0.08 + 0.1 * self.pose.light.abs();
        let on = ellipse(y - (top + low) / 2.0, 0.0, (low - top) / 2.0 + 0.4, 1.0).min(1.0);
        glaze(grey, wide - (x - middle - shaded * wide).abs() + on.min(0.0), 1.2, -strength);
        glaze(grey, wide * 0.6 - (x - middle).abs() + on.min(0.0), 1.2, 0.07);
        for side in [-1.0, 1.0] {
            glaze(grey, ellipse(x - tip - 0.95 * side, y - low - 0.3, 0.8, 0.55), 0.9, -0.3);
        }
    }

    fn mouth(&self, grey: &mut f32, x: f32, y: f32) {
        let pose = self.pose;
        let [middle, level] = self.seen(0.0, 5.6, 7.0);
        let wide = 2.9 + 0.7 * pose.smile - 0.5 * pose.open;
        let u = (x - middle) / wide;
        let reach = (1.0 - u * u).max(0.0);
        // The corners rise as the mouth smiles: a parabola that keeps its mean height.
        let bend = -1.3 * pose.smile * (u * u - 0.35);
        let lip = 0.55 + 0.25 * (1.0 - pose.smile.abs());
        let gap = 1.7 * pose.open * reach;
        let upper = level + bend - 0.35 * gap;
        let lower = level + bend + 0.65 * gap;
        let ends = (1.0 - u.abs()) * wide;
        let lips = (lower + lip * reach - y).min(y - upper + lip * reach).min(ends);
        glaze(grey, lips, 1.0, -0.2);
        lay(grey, (lower + 0.28 - y).min(y - upper + 0.28).min(ends + 0.2), 0.16);
        let teeth = (upper + 0.8 * pose.open - y).min(y - upper + 0.1).min(ends - 0.6);
        if pose.open > 0.2 && pose.smile > -0.3 {
            lay(grey, teeth, 0.86);
        }
        // Folds beside a smile, and the shadow under the lower lip.
        for side in [-1.0, 1.0] {
            let [fold, height] = self.seen(side * (3.9 + 0.4 * pose.smile), 4.0, 6.0);
            let strength = -0.13 * pose.smile.max(0.0);
            glaze(grey, ellipse(x - fold, y - height, 0.8, 2.0), 1.0, strength);
        }
        glaze(grey, ellipse(x - middle, y - lower - 2.0, 1.9, 0.6), 1.0, -0.09);
    }

    fn eye(&self, grey: &mut f32, x: f32, y: f32, side: f32) {
        let pose = self.pose;
        let [middle, level] = self.seen(3.0 * side, -1.9, 5.5);
        let (dx, dy) = (x - middle, y - level);
        glaze(grey, ellipse(dx, dy + 0.2, 2.5, 1.9), 1.6, -0.13);
        // A narrow smile narrows the eyes a little.
        let high = 0.2 + 0.95 * pose.eyes * (1.0 - 0.15 * pose.smile.max(0.0));
        let opening = ellipse(dx, dy, 1.75, high);
        if pose.eyes > 0.15 {
            lay(grey, opening, 0.86);
            let iris = ellipse(dx - 0.65 * pose.gaze, dy, 0.85, 0.95);
            lay(grey, iris.min(opening), 0.08);
        }
        // The upper lid and its lashes; closed, all that is seen.
        let lid = -high * (1.0 - dx * dx / 3.4).max(0.0);
        lay(grey, (0.34 - (dy - lid).abs()).min(1.8 - dx.abs()), 0.18);
        let inner = -dx * side;
        let brow = -2.6 - 0.75 * pose.brows + 0.22 * pose.frown * inner + 0.07 * dx * dx;
        lay(grey, (0.5 - (dy - brow).abs()).min(2.2 - dx.abs()), 0.17);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean of the columns `columns` of the rows `rows`.
    fn mean(grey: &[f32], rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> f32 {
        let count = (rows.len() * columns.len()) as f32;
        rows.flat_map(|y| columns.clone().map(move |x| grey[y * WIDTH + x])).sum::<f32>() / count
    }

    #[test]
    fn a_face_that_looks_straight_ahead_is_symmetric_but_for_light_and_parting() {
        let grey = paint(&Pose { eyes: 1.0, light: 0.0, ..Pose::default() });
        for y in 10..20 {
            for x in 0..4 {
                let (left, right) = (grey[y * WIDTH + x], grey[y * WIDTH + WIDTH - 1 - x]);
                // The background's slope is 0.01 a pixel.
                assert!((left - right).abs() < 0.2, "row {y}, column {x}: {left} {right}");
            }
        }
        assert!(mean(&grey, 3..6, 7..13) < 0.3, "hair");
        assert!(mean(&grey, 15..17, 4..7) > 0.55, "cheek");
    }

    #[test]
    fn each_number_of_the_pose_moves_what_it_says() {
        let rest = Pose { eyes: 1.0, ..Pose::default() };
        let dark = |pose: Pose, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
            mean(&paint(&pose), rows, columns)
        };
        assert!(dark(Pose { eyes: 0.0, ..rest }, 11..14, 5..9) != dark(rest, 11..14, 5..9));
        assert!(dark(Pose { open: 1.0, smile: -0.5, ..rest }, 19..21, 8..12) + 0.05 < dark(rest, 19..21, 8..12));
        assert!(dark(Pose { light: 1.0, ..rest }, 14..18, 3..6) + 0.03 < dark(rest, 14..18, 3..6));
        let all = |pose: Pose| paint(&pose);
        for (name, pose) in [
            ("turn", Pose { turn: 1.0, ..rest }),
            ("nod", Pose { nod: 1.0, ..rest }),
            ("tilt", Pose { tilt: 1.0, ..rest }),
            ("place", Pose { place: [0.0, 1.0], ..rest }),
            ("brows", Pose { brows: 1.0, ..rest }),
            ("frown", Pose { frown: 1.0, ..rest }),
            ("gaze", Pose { gaze: 1.0, ..rest }),
            ("smile", Pose { smile: 1.0, ..rest }),
        ] {
            let moved = all(pose).iter().zip(all(rest)).filter(|(a, b)| (*a - b).abs() > 0.05).count();
            assert!(moved >= 4, "{name} moves {moved} pixels");
        }
    }
}
