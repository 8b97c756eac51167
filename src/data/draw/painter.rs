#![doc = include_str!("outlines.md")]

use crate::rng::{self, Purpose, Stream};
use rand::Rng;

/// Pixels that `fit` leaves black along every border.
const MARGIN: f32 = 1.0;

/// Straight pieces of one span of a curve. A span is at most 8 pixels long: the sagitta of a sixth of it is below a
/// twentieth of a pixel.
const PIECES: usize = 6;

/// Lines of a row of pixels along which coverage is measured.
const LINES: usize = 16;

/// The random choices of one picture.
pub(super) struct Dice(Stream);

impl Dice {
    /// The dice of picture number `index` of the sets with this `seed`.
    pub(super) fn of(seed: u64, index: u64) -> Dice {
        Dice(rng::stream(seed, Purpose::Draw, index))
    }

    /// Uniform in `[low, high)`, from 24 random bits: every step is exact or correctly rounded.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.0.next_u32() >> 8) as f32 / 16_777_216.0)
    }
}

/// A polynomial: factors and the variables that each multiplies.
struct Number(Vec<(f32, Vec<usize>)>);

impl Number {
    fn parse(text: &str, names: &[&str]) -> Number {
        let term = |term: &str| {
            let mut factor = if term.starts_with('-') { -1.0 } else { 1.0 };
            let mut variables = Vec::new();
            for part in term.trim_start_matches('-').split('*') {
                match names.iter().position(|name| *name == part) {
                    Some(variable) => variables.push(variable),
                    None => factor *= part.parse::<f32>().unwrap_or_else(|_| panic!("{part:?} in {text:?}")),
                }
            }
            (factor, variables)
        };
        Number(text.replace('-', "+-").split('+').filter(|term| !term.is_empty()).map(term).collect())
    }

    fn value(&self, variables: &[f32]) -> f32 {
        let term = |(factor, names): &(f32, Vec<usize>)| names.iter().fold(*factor, |p, &name| p * variables[name]);
        self.0.iter().fold(0.0, |sum, one| sum + term(one))
    }
}

/// A verb and its words: the numbers between commas, and a 1 after those of a word that begins with `~`.
struct Line {
    indent: usize,
    /// `"body"`, `"in"` or nothing.
    role: &'static str,
    verb: &'static str,
    words: Vec<Vec<Number>>,
}

/// A drawing as it was read: one picture for every stream of random numbers.
pub(super) struct Drawing {
    lines: Vec<Line>,
    variables: usize,
}

impl Drawing {
    /// Reads a drawing of this program; a fault of its text panics.
    pub(super) fn parse(text: &'static str) -> Drawing {
        let mut names = vec!["k", "grain"];
        let mut lines = Vec::new();
        for row in text.lines() {
            let mut words = row.split('#').next().unwrap_or("").split_whitespace().peekable();
            let role = words.next_if(|&word| word == "body" || word == "in").unwrap_or("");
            let Some(verb) = words.next() else { continue };
            let words: Vec<&str> = words.collect();
            match verb {
                "any" | "mid" | "path" | "let" => names.push(words[0]),
                "pick" => names.extend(words.iter().step_by(2)),
                _ => {}
            }
            let numbers = |word: &&str| {
                let one = word.starts_with('~').then_some("1");
                let texts = word.trim_start_matches('~').split(',').chain(one);
                texts.map(|text| Number::parse(text, &names)).collect()
            };
            let indent = row.len() - row.trim_start().len();
            lines.push(Line { indent, role, verb, words: words.iter().map(numbers).collect() });
        }
        Drawing { lines, variables: names.len() }
    }

    /// The spans of the paths, in the order in which [`Drawing::paint`] takes their numbers.
    pub(super) fn spans(&self) -> impl Iterator<Item = usize> {
        self.lines.iter().filter(|line| line.verb == "path").map(|line| line.words[1][0].value(&[]) as usize)
    }

    /// The greys of one picture, `[height × width]` row by row, in 0..=1: random numbers come from `dice`, those of the
    /// paths from `given`.
    pub(super) fn paint(&self, dice: &mut Dice, given: &[f32], [height, width]: [usize; 2]) -> Vec<f32> {
        let (variables, map) = (vec![0.0; self.variables], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        let mut scene = Scene { dice, given: given.iter(), size: [height, width], variables, map, shapes: Vec::new() };
        scene.run(&self.lines);
        let grain = scene.variables[1];
        let mut noise: Vec<f32> = (0..height * width).map(|_| scene.dice.between(-grain, grain)).collect();
        blur(&mut noise, width);
        let mut picture = vec![0.0; height * width];
        let mut body = vec![1.0; height * width];
        for Shape { role, grey: [level, opacity, soft, across, down], points } in &scene.shapes {
            let mut covered = coverage(points, [height, width]);
            (0..*soft as usize).for_each(|_| blur(&mut covered, width));
            if *role == "in" {
                covered.iter_mut().zip(&body).for_each(|(mine, body)| *mine *= body);
            }
            for (k, grey) in picture.iter_mut().enumerate().filter(|&(k, _)| covered[k] > 0.0) {
                let middle = |at: usize, size: usize| (2 * at + 1) as f32 / size as f32 - 1.0;
                let slope = across * middle(k % width, width) + down * middle(k / width, height);
                *grey += covered[k] * opacity * ((level + slope + noise[k]).clamp(0.0, 1.0) - *grey);
            }
            if *role == "body" {
                body = covered;
            }
        }
        picture
    }
}

/// A closed polygon and its grey.
struct Shape {
    role: &'static str,
    grey: [f32; 5],
    points: Vec<[f32; 2]>,
}

/// What the lines of a drawing have come to so far.
struct Scene<'a> {
    dice: &'a mut Dice,
    given: std::slice::Iter<'a, f32>,
    size: [usize; 2],
    variables: Vec<f32>,
    map: [f32; 6],
    shapes: Vec<Shape>,
}

impl Scene<'_> {
    fn run(&mut self, mut lines: &[Line]) {
        while let Some((line, after)) = lines.split_first() {
            let (block, rest) = after.split_at(after.iter().take_while(|next| next.indent > line.indent).count());
            lines = rest;
            let word = |numbers: &Vec<Number>| numbers.iter().map(|number| number.value(&self.variables)).collect();
            let values: Vec<Vec<f32>> = line.words.iter().map(word).collect();
            let value = |word: usize| values[word][0];
            let name = |word: usize| line.words[word][0].0[0].1[0];
            match line.verb {
                "any" | "mid" => {
                    let draws = if line.verb == "any" { 1 } else { 3 };
                    let sum = (0..draws).fold(0.0, |sum, _| sum + self.dice.between(value(1), value(2)));
                    self.variables[name(0)] = sum / draws as f32;
                }
                "path" => self.variables[name(0)] = *self.given.next().expect("a number for every path"),
                "let" => {
                    let [low, high] = if values.len() > 2 { [value(2), value(3)] } else { [f32::MIN, f32::MAX] };
                    self.variables[name(0)] = value(1).clamp(low, high);
                }
                "pick" => {
                    let mut at = self.dice.between(0.0, 1.0);
                    for word in (0..values.len()).step_by(2) {
                        self.variables[name(word)] = f32::from((0.0..value(word + 1)).contains(&at));
                        at -= value(word + 1);
                    }
                }
                "if" if value(0) > 0.0 => self.run(block),
                "if" => {}
                "for" => {
                    for k in (0..).map(|k| k as f32).take_while(|&k| k < value(0)) {
                        self.variables[0] = k;
                        self.run(block);
                    }
                }
                "map" => self.map = std::array::from_fn(value),
                "fit" => self.fit(value(0), [value(1), value(2)]),
                "fill" => self.shape(line.role, &values[0], outline(&values[1..])),
                "line" => self.shape(line.role, &values[1], stroke(&outline(&values[2..]), &values[0])),
                "oval" => self.shape(line.role, &values[0], oval(&values[1], &values[2])),
                verb => panic!("a drawing has no verb {verb:?}"),
            }
        }
    }

    fn shape(&mut self, role: &'static str, given: &[f32], mut points: Vec<[f32; 2]>) {
        let mut grey = [0.0, 1.0, 0.0, 0.0, 0.0];
        grey[..given.len()].copy_from_slice(given);
        let [a, b, c, d, e, f] = self.map;
        points.iter_mut().for_each(|point| *point = [a + b * point[0] + c * point[1], d + e * point[0] + f * point[1]]);
        self.shapes.push(Shape { role, grey, points });
    }

    fn fit(&mut self, scale: f32, shift: [f32; 2]) {
        let points = || self.shapes.iter().filter(|shape| shape.role != "in").flat_map(|shape| &shape.points);
        let low = [0, 1].map(|d| points().fold(f32::MAX, |low, point| low.min(point[d])));
        let extent = [0, 1].map(|d| points().fold(f32::MIN, |high, point| high.max(point[d])) - low[d]);
        let room = [1, 0].map(|d| self.size[d] as f32 - 2.0 * MARGIN);
        let scale = scale.min(room[0] / extent[0]).min(room[1] / extent[1]);
        let spare = [0, 1].map(|d| (0.5 * (room[d] - scale * extent[d])).max(0.0));
        let from = [0, 1].map(|d| MARGIN + spare[d] + shift[d].clamp(-spare[d], spare[d]));
        for point in self.shapes.iter_mut().flat_map(|shape| &mut shape.points) {
            *point = [0, 1].map(|d| from[d] + scale * (point[d] - low[d]));
        }
    }
}

/// The points of an outline through knots `[x, y]`. Up to a knot `[x, y, 1]` it is a uniform Catmull–Rom spline (Catmull and
/// Rom, 1974, with tension 1/2) whose end knots are doubled.
fn outline(knots: &[Vec<f32>]) -> Vec<[f32; 2]> {
    let smooth = |knot: usize| knots.get(knot).is_some_and(|numbers| numbers.len() > 2);
    let mut points = vec![[knots[0][0], knots[0][1]]];
    for end in 1..knots.len() {
        let before = if smooth(end) && smooth(end - 1) && end > 1 { end - 2 } else { end - 1 };
        let after = if smooth(end + 1) { end + 1 } else { end };
        let pieces = if smooth(end) { PIECES } else { 1 };
        for t in (1..=pieces).map(|piece| piece as f32 / pieces as f32) {
            points.push([0, 1].map(|d| {
                let [p0, p1, p2, p3] = [before, end - 1, end, after].map(|knot| knots[knot][d]);
                let cubic = 3.0 * (p1 - p2) + p3 - p0;
                p1 + 0.5 * t * (p2 - p0 + t * (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3 + t * cubic))
            }));
        }
    }
    points
}

/// The border of a stroke along `line`, its radius going from the first of `radii` to the last.
fn stroke(line: &[[f32; 2]], radii: &[f32]) -> Vec<[f32; 2]> {
    let (first, last, end) = (radii[0], radii[radii.len() - 1], line.len() - 1);
    let side = |k: usize, sign: f32| {
        let (from, to) = (line[k.saturating_sub(1)], line[(k + 1).min(end)]);
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let reach = sign * (first + (last - first) * k as f32 / end as f32) / (dx * dx + dy * dy).sqrt().max(1e-6);
        [line[k][0] - reach * dy, line[k][1] + reach * dx]
    };
    (0..=end).map(|k| side(k, 1.0)).chain((0..=end).rev().map(|k| side(k, -1.0))).collect()
}

/// 32 points of an ellipse, from the rational parametrisation of the circle.
fn oval(centre: &[f32], radii: &[f32]) -> Vec<[f32; 2]> {
    let at = |k: usize| {
        let t = (k % 8) as f32 / 8.0;
        let (cos, sin) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
        let [x, y] = [[cos, sin], [-sin, cos], [-cos, -sin], [sin, -cos]][k / 8];
        [centre[0] + radii[0] * x, centre[1] + radii[1] * y]
    };
    (0..32).map(at).collect()
}

/// How much of each pixel the inside of a closed polygon covers, in 0..=1.
///
/// By signed accumulation: where an edge crosses one of the [`LINES`] of a row of pixels, it adds the part of the pixel at
/// its right, and to the next pixel what is left; the running sum along the row is then the covered length.
fn coverage(points: &[[f32; 2]], [height, width]: [usize; 2]) -> Vec<f32> {
    let mut covered = vec![0.0; height * width + 2];
    for (&from, &to) in points.iter().zip(points.iter().cycle().skip(1)) {
        let (weight, top, bottom) = if from[1] < to[1] { (1.0, from, to) } else { (-1.0, to, from) };
        let weight = weight / LINES as f32;
        let line = |y: f32| ((y * LINES as f32 + 0.5) as usize).min(height * LINES);
        for line in line(top[1])..line(bottom[1]) {
            let along = ((line as f32 + 0.5) / LINES as f32 - top[1]) / (bottom[1] - top[1]);
            let x = (top[0] + along * (bottom[0] - top[0])).clamp(0.0, width as f32);
            let cell = line / LINES * width + x as usize;
            let next = weight * (x - (x as usize) as f32);
            covered[cell] += weight - next;
            covered[cell + 1] += next;
        }
    }
    // What closes a row at its right border lies in the first pixel of the next: the sum goes on from row to row.
    covered.truncate(height * width);
    let mut sum = 0.0f32;
    for pixel in &mut covered {
        sum += *pixel;
        // Rounding leaves about 1e-6 behind a closed outline: the background must be exactly black.
        *pixel = if sum.abs() < 1e-4 { 0.0 } else { sum.abs().min(1.0) };
    }
    covered
}

/// Replaces each pixel by the mean of the nine around it, weighted 1 2 1 in both directions.
fn blur(pixels: &mut [f32], width: usize) {
    for (stride, places) in [(1, width), (width, pixels.len() / width)] {
        let old = pixels.to_vec();
        for (k, pixel) in pixels.iter_mut().enumerate() {
            // Beyond a border lies what is at it.
            let place = k / stride % places;
            let before = old[k - if place > 0 { stride } else { 0 }];
            let after = old[k + if place + 1 < places { stride } else { 0 }];
            *pixel = 0.25 * (before + after) + 0.5 * old[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(text: &'static str) -> Vec<f32> {
        Drawing::parse(text).paint(&mut Dice::of(1, 0), &[0.5], [10, 12])
    }

    #[test]
    fn a_rectangle_covers_the_part_of_each_pixel_that_it_overlaps() {
        let text =
            "path half 9\nlet a 4*half+0.25\nbody fill 1 a,3.5 5,3.5 5,a+4 a,a+4\nin fill half 3,0 9,0 9,12 3,12";
        let overlap = |at: usize, low: f32, high: f32| ((at as f32 + 1.0).min(high) - (at as f32).max(low)).max(0.0);
        for (k, grey) in painted(text).into_iter().enumerate() {
            let covered = overlap(k % 12, 2.25, 5.0) * overlap(k / 12, 3.5, 6.25);
            let expected = if k % 12 < 3 { covered } else { covered * (1.5 - covered) };
            assert!((grey - expected).abs() <= 1e-5, "pixel {k}: {grey}, expected {expected}");
        }
    }

    #[test]
    fn a_stroke_passes_through_its_knots_and_is_as_wide_as_it_says() {
        let grey = painted("if 0\n  map 9 9 9 9 9 9\nfor 2\n  line 0.25 1 1.5,2.5+3*k ~6.5,2.5+3*k ~11.5,2.5+3*k");
        assert_eq!([2, 5, 8].map(|row| grey[row * 12 + 6]), [0.5, 0.5, 0.0]);
        // A polygon of 32 corners lacks 0.12 of the area of this ellipse, 6π.
        let area: f32 = painted("oval 1 6,5 3,2").iter().sum();
        assert!((area - 6.0 * std::f32::consts::PI).abs() <= 0.15, "{area}");
    }
    #[test]
    fn each_number_of_a_pose_moves_the_face() {
        let face = Drawing::parse(include_str!("face.txt"));
        let paint = |moved: usize| {
            let pose: [f32; 12] = std::array::from_fn(|number| -f32::from(number == moved));
            face.paint(&mut Dice::of(1, 0), &pose, [28, 20])
        };
        // A mouth at rest is closed and only opens.
        for moved in 0..11 {
            let count = paint(moved).iter().zip(paint(12)).filter(|(a, b)| (*a - *b).abs() > 0.05).count();
            assert!(count >= 4, "number {moved} moves {count} pixels");
        }
    }
}
