//! Anti-aliased painting on a 28×28 grey canvas: filled outlines, tapered strokes, shades with slope and grain.
//!
//! Only `+ - * /`, `sqrt`, comparisons and exact roundings are used, so that every platform paints the same bits.

use super::frame::{Dice, Frame};
use super::{HEIGHT, WIDTH};

/// Pixels of a picture.
pub(super) const PIXELS: usize = HEIGHT * WIDTH;

/// Points that an [`Outline`] can hold; the longest outline of this module has about half as many.
const CAPACITY: usize = 160;

/// Straight pieces that stand for one span of a curve. A span is at most 8 pixels long: the sagitta of a sixth of it
/// is below a twentieth of a pixel.
const PIECES: usize = 6;

/// How much of each pixel a shape covers, `[HEIGHT × WIDTH]` row by row, in 0..=1.
#[derive(Clone)]
pub(super) struct Coverage([f32; PIXELS]);

impl Coverage {
    /// The part of this shape that lies in `other`.
    pub(super) fn within(mut self, other: &Coverage) -> Coverage {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine *= theirs;
        }
        self
    }
}

/// A polyline or the border of an area, in the coordinates of a [`Frame`], stored in pixels.
#[derive(Clone)]
pub(super) struct Outline {
    frame: Frame,
    points: [[f32; 2]; CAPACITY],
    len: usize,
}

impl Outline {
    /// An outline without points.
    pub(super) fn new(frame: Frame) -> Outline {
        Outline { frame, points: [[0.0; 2]; CAPACITY], len: 0 }
    }

    fn push(&mut self, pixel: [f32; 2]) {
        self.points[self.len] = pixel;
        self.len += 1;
    }

    /// Goes on through `corners` in straight lines.
    pub(super) fn line(mut self, corners: &[[f32; 2]]) -> Outline {
        for &corner in corners {
            self.push(self.frame.pixel(corner));
        }
        self
    }

    /// Goes on from the last point smoothly through `knots`: a uniform Catmull–Rom spline (Catmull and Rom, 1974, with
    /// tension 1/2) whose end knots are doubled.
    pub(super) fn curve(mut self, knots: &[[f32; 2]]) -> Outline {
        let mut before = if self.len == 0 { self.frame.pixel(knots[0]) } else { self.points[self.len - 1] };
        let mut start = before;
        for (k, &knot) in knots.iter().enumerate() {
            let end = self.frame.pixel(knot);
            let after = knots.get(k + 1).map_or(end, |&next| self.frame.pixel(next));
            for piece in 1..=PIECES {
                let t = piece as f32 / PIECES as f32;
                let axis = |d: usize| {
                    let (p0, p1, p2, p3) = (before[d], start[d], end[d], after[d]);
                    let cubic = 3.0 * (p1 - p2) + p3 - p0;
                    let square = 2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3;
                    p1 + 0.5 * t * (p2 - p0 + t * (square + t * cubic))
                };
                let point = [axis(0), axis(1)];
                self.push(point);
            }
            (before, start) = (start, end);
        }
        self
    }

    /// The area inside the outline, which closes itself.
    ///
    /// Exact area coverage by signed accumulation: each edge adds to the pixels it crosses the area at its right, and to
    /// the next pixel what is left of its height; the running sum along a row is then the covered area.
    pub(super) fn fill(&self) -> Coverage {
        let mut area = [0.0; (WIDTH + 2) * HEIGHT];
        let points = &self.points[..self.len];
        for (k, &from) in points.iter().enumerate() {
            add_edge(&mut area, from, points[(k + 1) % points.len()]);
        }
        let mut coverage = Coverage([0.0; PIXELS]);
        for (row, out) in area.chunks_exact(WIDTH + 2).zip(coverage.0.chunks_exact_mut(WIDTH)) {
            let mut sum = 0.0f32;
            for (step, pixel) in row.iter().zip(out) {
                sum += step;
                // Rounding leaves about 1e-6 behind a closed outline: the background must be exactly black.
                let covered = sum.abs().min(1.0);
                *pixel = if covered < 1e-4 { 0.0 } else { covered };
            }
        }
        coverage
    }

    /// A round stroke along the outline, its radius going from `first` to `last` (in units of the frame).
    pub(super) fn stroke(&self, first: f32, last: f32) -> Coverage {
        let mut coverage = Coverage([0.0; PIXELS]);
        let spans = (self.len.max(2) - 1) as f32;
        for (k, ends) in self.points[..self.len].windows(2).enumerate() {
            let along = (k as f32 + 0.5) / spans;
            let radius = (first + (last - first) * along) * self.frame.scale();
            add_capsule(&mut coverage, ends[0], ends[1], radius);
        }
        coverage
    }
}

fn add_edge(area: &mut [f32], from: [f32; 2], to: [f32; 2]) {
    let (sign, top, bottom) = if from[1] < to[1] { (1.0, from, to) } else { (-1.0, to, from) };
    let height = bottom[1] - top[1];
    if height <= 0.0 {
        return;
    }
    let slope = (bottom[0] - top[0]) / height;
    let (y_first, y_last) = (top[1].max(0.0), bottom[1].min(HEIGHT as f32));
    let mut row = y_first as usize;
    while (row as f32) < y_last {
        let (upper, lower) = (y_first.max(row as f32), y_last.min((row + 1) as f32));
        let at = |y: f32| (top[0] + slope * (y - top[1])).clamp(0.0, WIDTH as f32);
        let (xa, xb) = (at(upper), at(lower));
        let (left, right) = if xa < xb { (xa, xb) } else { (xb, xa) };
        let weight = sign * (lower - upper);
        let cells = &mut area[row * (WIDTH + 2)..(row + 1) * (WIDTH + 2)];
        let mut column = left as usize;
        loop {
            let (near, far) = (left.max(column as f32), right.min((column + 1) as f32));
            let share = if right > left { weight * (far - near) / (right - left) } else { weight };
            let middle = 0.5 * (near + far) - column as f32;
            cells[column] += share * (1.0 - middle);
            cells[column + 1] += share * middle;
            column += 1;
            if column as f32 >= right {
                break;
            }
        }
        row += 1;
    }
}

fn add_capsule(coverage: &mut Coverage, from: [f32; 2], to: [f32; 2], radius: f32) {
    let reach = radius + 0.5;
    let range = |d: usize, limit: usize| {
        let low = (from[d].min(to[d]) - reach - 0.5).max(0.0) as usize;
        let high = (from[d].max(to[d]) + reach + 0.5).max(0.0) as usize;
        low..high.min(limit)
    };
    let direction = [to[0] - from[0], to[1] - from[1]];
    let squared = direction[0] * direction[0] + direction[1] * direction[1];
    // A line thinner than a pixel covers at most its width of one.
    let most = (2.0 * radius).min(1.0);
    for y in range(1, HEIGHT) {
        for x in range(0, WIDTH) {
            let offset = [x as f32 + 0.5 - from[0], y as f32 + 0.5 - from[1]];
            let dot = offset[0] * direction[0] + offset[1] * direction[1];
            let t = if squared > 0.0 { (dot / squared).clamp(0.0, 1.0) } else { 0.0 };
            let (dx, dy) = (offset[0] - t * direction[0], offset[1] - t * direction[1]);
            let covered = (reach - (dx * dx + dy * dy).sqrt()).min(most);
            let pixel = &mut coverage.0[y * WIDTH + x];
            *pixel = pixel.max(covered);
        }
    }
}

/// The grey of a part: a level that may rise across and down the picture, with grain.
#[derive(Clone, Copy)]
pub(super) struct Shade {
    /// Grey at the centre of the picture, in 0..=1.
    pub(super) level: f32,
    /// Change of grey from the centre to the right border.
    pub(super) across: f32,
    /// Change of grey from the centre to the lower border.
    pub(super) down: f32,
    /// Largest change that the grain makes.
    pub(super) grain: f32,
}

impl Shade {
    /// A shade without slope or grain.
    pub(super) fn flat(level: f32) -> Shade {
        Shade { level, across: 0.0, down: 0.0, grain: 0.0 }
    }

    /// The same material, `change` brighter.
    pub(super) fn lighter(self, change: f32) -> Shade {
        Shade { level: (self.level + change).clamp(0.06, 1.0), ..self }
    }
}

/// Parts are painted from back to front.
pub(super) struct Canvas {
    grey: [f32; PIXELS],
    grain: [f32; PIXELS],
}

impl Canvas {
    /// A black canvas with a grain drawn from `dice`: half of it smooth over four pixels, half from pixel to pixel.
    pub(super) fn new(dice: &mut Dice) -> Canvas {
        const KNOTS: usize = WIDTH / 4 + 1;
        let mut knots = [0.0; KNOTS * KNOTS];
        knots.fill_with(|| dice.between(-0.5, 0.5));
        let mut grain = [0.0; PIXELS];
        for (k, value) in grain.iter_mut().enumerate() {
            let (y, x) = (k / WIDTH, k % WIDTH);
            let (fy, fx) = ((y % 4) as f32 / 4.0, (x % 4) as f32 / 4.0);
            let corner = (y / 4) * KNOTS + x / 4;
            let upper = knots[corner] + fx * (knots[corner + 1] - knots[corner]);
            let lower = knots[corner + KNOTS] + fx * (knots[corner + KNOTS + 1] - knots[corner + KNOTS]);
            *value = upper + fy * (lower - upper) + dice.between(-0.5, 0.5);
        }
        Canvas { grey: [0.0; PIXELS], grain }
    }

    /// Lays `shade` over what `coverage` covers.
    pub(super) fn paint(&mut self, coverage: &Coverage, shade: Shade) {
        for (y, row) in coverage.0.chunks_exact(WIDTH).enumerate() {
            let down = shade.level + shade.down * (y as f32 - 13.5) / 14.0;
            for (x, &covered) in row.iter().enumerate() {
                if covered > 0.0 {
                    let k = y * WIDTH + x;
                    let slope = shade.across * (x as f32 - 13.5) / 14.0;
                    let target = (down + slope + shade.grain * self.grain[k]).clamp(0.0, 1.0);
                    self.grey[k] += covered * (target - self.grey[k]);
                }
            }
        }
    }

    /// The picture, its brightest pixel raised to 255 as in Fashion-MNIST.
    pub(super) fn finish(&self) -> [u8; PIXELS] {
        let brightest = self.grey.iter().fold(0.0f32, |most, &grey| most.max(grey));
        let gain = if brightest > 0.0 { 255.0 / brightest } else { 0.0 };
        // A cast from float to integer saturates.
        self.grey.map(|grey| (grey * gain + 0.5) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels() -> Frame {
        Frame::pixels()
    }

    #[test]
    fn a_rectangle_covers_the_area_of_each_pixel_it_overlaps() {
        let corners = [[2.25, 3.5], [5.0, 3.5], [5.0, 6.25], [2.25, 6.25]];
        let backwards = [corners[3], corners[2], corners[1], corners[0]];
        for corners in [corners, backwards] {
            let covered = Outline::new(pixels()).line(&corners).fill().0;
            for (k, &got) in covered.iter().enumerate() {
                let overlap = |at: usize, low: f32, high: f32| {
                    ((at + 1) as f32).min(high) - (at as f32).max(low).min(((at + 1) as f32).min(high))
                };
                let expected = overlap(k % WIDTH, 2.25, 5.0) * overlap(k / WIDTH, 3.5, 6.25);
                assert!((got - expected).abs() <= 1e-5, "pixel {k}: {got}, expected {expected}");
            }
        }
    }

    #[test]
    fn the_coverage_of_a_slanted_shape_sums_to_its_area() {
        // Shoelace area of the triangle: |(17·10 − 4·20)| / 2 = 45.
        let covered = Outline::new(pixels()).line(&[[3.3, 2.1], [20.3, 6.1], [23.3, 12.1]]).fill().0;
        let area: f32 = covered.iter().sum();
        let expected = ((17.0f32 * 10.0) - (4.0 * 20.0)).abs() / 2.0;
        assert!((area - expected).abs() <= 1e-3, "{area}, expected {expected}");
    }

    #[test]
    fn an_outline_beyond_the_canvas_is_cut_off_without_a_panic() {
        let corners = [[-9.0, -9.0], [60.0, -9.0], [60.0, 50.0], [-9.0, 50.0]];
        let outline = Outline::new(pixels()).line(&corners);
        assert!(outline.fill().0.iter().all(|&covered| covered == 1.0));
        assert_eq!(outline.stroke(1.0, 1.0).0, [0.0; PIXELS]);
    }

    #[test]
    fn a_curve_passes_through_its_knots() {
        let knots = [[4.0, 9.0], [9.0, 4.0], [15.0, 12.0]];
        let curve = Outline::new(pixels()).line(&[[1.0, 1.0]]).curve(&knots);
        for (k, knot) in knots.iter().enumerate() {
            let point = curve.points[(k + 1) * PIECES];
            assert!((point[0] - knot[0]).abs() <= 1e-5 && (point[1] - knot[1]).abs() <= 1e-5, "{point:?} {knot:?}");
        }
    }

    #[test]
    fn a_thin_stroke_covers_its_width() {
        let covered = Outline::new(pixels()).line(&[[4.5, 10.5], [20.5, 10.5]]).stroke(0.25, 0.25).0;
        assert_eq!(covered[10 * WIDTH + 12], 0.5);
        assert_eq!(covered[12 * WIDTH + 12], 0.0);
    }

    #[test]
    fn the_brightest_pixel_becomes_255_and_the_background_stays_black() {
        let mut canvas = Canvas::new(&mut Dice::of(1, 0));
        canvas.paint(&Outline::new(pixels()).line(&[[4.0, 4.0], [9.0, 4.0], [9.0, 9.0]]).fill(), Shade::flat(0.3));
        let picture = canvas.finish();
        assert_eq!(*picture.iter().max().unwrap(), 255);
        assert_eq!(picture[20 * WIDTH + 20], 0);
    }
}
