//! Scatter charts: points of some groups in a plane, such as codes coloured by class.

use super::axis::{Axis, drawable};
use super::curves::{LABEL, TITLE, WIDTH};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Anchor, Ink, Mark, PALETTE, Scene, Shape};
use super::{FigureError, font, raster, svg};

/// Natural height of the plot itself.
const PLOT: f32 = 520.0;
/// The least height of the plot, whatever stands around it.
const LEAST_PLOT: f32 = 140.0;
/// Between the axes and the outermost points.
const INSET: f32 = 8.0;
/// Half the width of a point.
const RADIUS: f32 = 2.0;
/// More points than this are thinned: they would lie upon each other, and each takes 12 bytes of an SVG.
const MOST_POINTS: usize = 12_000;
/// Points of a group that are drawn at once before the next group has its turn, so that no group hides another.
const TURN: usize = 25;

/// Points in a plane, each of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Its title; may be empty.
    pub title: String,
    /// What the x axis shows.
    pub x_label: String,
    /// What the y axis shows; stands above the axis.
    pub y_label: String,
    /// What the legend calls the groups; no legend where there is none.
    pub groups: Vec<String>,
    /// The points: x, y, and the index of the group. Those that are not finite are left out, and of more than 12,000
    /// every second, third, … is drawn, evenly.
    pub points: Vec<(f64, f64, usize)>,
}

impl Scatter {
    /// The chart as an `svg` element for a page or a file of its own.
    pub fn to_svg(&self) -> String {
        svg::to_svg(&self.scene(|around| around + PLOT))
    }

    /// The chart as a PNG of `width` × `height` pixels on white. At least 600 pixels of width read well.
    pub fn to_png(&self, width: usize, height: usize) -> Result<Vec<u8>, FigureError> {
        let wanted = WIDTH * height as f32 / width.max(1) as f32;
        raster::to_png(&self.scene(|around| wanted.max(around + LEAST_PLOT)), width, height)
    }

    fn drawn(&self) -> Vec<(f64, f64, usize)> {
        let finite: Vec<_> = self.points.iter().filter(|(x, y, _)| drawable(*x) && drawable(*y)).copied().collect();
        let every = finite.len().div_ceil(MOST_POINTS).max(1);
        finite.into_iter().step_by(every).collect()
    }

    fn legend(&self) -> Legend {
        let entry = |(group, label): (usize, &String)| {
            let sample = Sample::Point { ink: Ink::Series(group), shape: shape(group), hollow: false };
            Entry { sample, label: label.clone() }
        };
        Legend::laid_out(&self.groups.iter().enumerate().map(entry).collect::<Vec<_>>(), WIDTH - 24.0)
    }

    fn scene(&self, total: impl Fn(f32) -> f32) -> Scene {
        let points = self.drawn();
        let legend = self.legend();
        let title = font::wrapped(&self.title, TITLE, WIDTH - 24.0);
        let y_label = font::wrapped(&self.y_label, LABEL, WIDTH - 24.0);
        let top = 10.0 + 22.0 * title.len() as f32 + 19.0 * y_label.len() as f32 + 8.0;
        let below = 22.0 + if self.x_label.is_empty() { 0.0 } else { 20.0 };
        let bottom = below + if legend.height() > 0.0 { legend.height() + 8.0 } else { 0.0 } + 10.0;
        let height = total(top + bottom);
        let plot = height - top - bottom;
        let mut scene = Scene { description: self.description(points.len()), width: WIDTH, height, marks: Vec::new() };
        let mut baseline = 10.0;
        for line in &title {
            baseline += 22.0;
            scene.text(12.0, baseline - 6.0, TITLE, Anchor::Start, Ink::Text, line);
        }
        for line in &y_label {
            baseline += 19.0;
            scene.text(12.0, baseline - 5.0, LABEL, Anchor::Start, Ink::Text, line);
        }
        let foot = top + plot;
        if points.is_empty() {
            scene.text(WIDTH / 2.0, top + plot / 2.0, LABEL, Anchor::Middle, Ink::Faint, "no finite points to draw");
        } else {
            draw(&mut scene, &points, top, foot);
        }
        scene.line((12.0, foot), (WIDTH - 12.0, foot), Ink::Axis, 1.0);
        let label = font::shortened(&self.x_label, LABEL, WIDTH - 24.0);
        scene.text(WIDTH / 2.0, foot + 38.0, LABEL, Anchor::Middle, Ink::Text, &label);
        legend.draw(&mut scene, 12.0, foot + below + 8.0);
        scene
    }

    fn description(&self, drawn: usize) -> String {
        let title = if self.title.is_empty() { "Points" } else { &self.title };
        let groups =
            if self.groups.is_empty() { String::new() } else { format!(", coloured by {}", self.groups.join(", ")) };
        format!("{title}: {drawn} points, {} over {}{groups}", self.y_label, self.x_label)
    }
}

/// Groups beyond the palette's length are told apart by their shape.
fn shape(group: usize) -> Shape {
    if (group / PALETTE.len()).is_multiple_of(2) { Shape::Circle } else { Shape::Square }
}

fn draw(scene: &mut Scene, points: &[(f64, f64, usize)], top: f32, foot: f32) {
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (low, high) = range(&mut points.iter().map(|point| point.0));
    let x_axis = Axis::covering(low, high, 8);
    let (low, high) = range(&mut points.iter().map(|point| point.1));
    let y_axis = Axis::covering(low, high, 8);
    let widest = |axis: &Axis| axis.ticks.iter().map(|(_, label)| font::width(label, LABEL)).fold(0.0, f32::max);
    let (left, right) = (20.0 + widest(&y_axis), WIDTH - 12.0 - (widest(&x_axis) / 2.0 - INSET).max(0.0));
    let x_of = |value: f64| left + INSET + x_axis.fraction(value) * (right - left - 2.0 * INSET);
    let y_of = |value: f64| foot - INSET - y_axis.fraction(value) * (foot - top - 2.0 * INSET);
    // Labels keep a line's distance on a low plot.
    let room = ((foot - top - 2.0 * INSET) / (y_axis.ticks.len().max(2) - 1) as f32).max(1.0);
    for (value, label) in y_axis.ticks.iter().step_by((18.0 / room).ceil().max(1.0) as usize) {
        let y = y_of(*value);
        scene.line((left, y), (right, y), Ink::Grid, 1.0);
        scene.text(left - 8.0, y + 4.5, LABEL, Anchor::End, Ink::Faint, label);
    }
    let mut free_from = f32::NEG_INFINITY;
    for (value, label) in &x_axis.ticks {
        let (x, half) = (x_of(*value), font::width(label, LABEL) / 2.0);
        scene.line((x, top), (x, foot), Ink::Grid, 1.0);
        if x - half > free_from {
            scene.text(x, foot + 18.0, LABEL, Anchor::Middle, Ink::Faint, label);
            free_from = x + half + 6.0;
        }
    }
    let groups = points.iter().map(|point| point.2 + 1).max().unwrap_or(0);
    let mut of_group = vec![Vec::new(); groups];
    for &(x, y, group) in points {
        of_group[group].push((x_of(x), y_of(y)));
    }
    let turns = of_group.iter().map(|points| points.len().div_ceil(TURN)).max().unwrap_or(0);
    for turn in 0..turns {
        for (group, points) in of_group.iter().enumerate() {
            if let Some(at) = points.chunks(TURN).nth(turn) {
                let (at, shape) = (at.to_vec(), shape(group));
                scene.marks.push(Mark::Points { at, shape, radius: RADIUS, ink: Ink::Series(group) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::png::decode;
    use super::*;

    fn chart(count: usize, groups: usize) -> Scatter {
        Scatter {
            title: "Codes".into(),
            x_label: "first component".into(),
            y_label: "second component".into(),
            groups: (0..groups).map(|group| group.to_string()).collect(),
            points: (0..count).map(|i| ((i * 37 % 101) as f64, (i * 53 % 97) as f64 - 50.0, i % groups)).collect(),
        }
    }

    #[test]
    fn every_point_is_drawn_once_in_the_colour_of_its_group_and_within_the_plot() {
        let scene = chart(1100, 11).scene(|around| around + PLOT);
        let mut counts = [0; 11];
        for mark in &scene.marks {
            if let Mark::Points { at, shape, ink: Ink::Series(group), .. } = mark {
                counts[*group] += at.len();
                assert_eq!(*shape, if *group < PALETTE.len() { Shape::Circle } else { Shape::Square });
                assert!(at.iter().all(|&(x, y)| x > 12.0 && x < WIDTH - 12.0 && y > 0.0 && y < scene.height));
            }
        }
        assert_eq!(counts, [100; 11]);
    }

    #[test]
    fn ten_thousand_points_make_a_small_file_and_more_are_thinned() {
        let svg = chart(10_000, 10).to_svg();
        assert!(svg.len() < 200_000, "{} bytes", svg.len());
        let many = chart(50_000, 3);
        assert_eq!(many.drawn().len(), 10_000);
        assert!(many.to_svg().len() < 200_000);
        assert_eq!(many.to_svg(), many.to_svg());
    }

    #[test]
    fn a_point_alone_colours_its_pixels() {
        let mut one = chart(1, 1);
        one.points = vec![(0.5, 0.5, 0), (f64::NAN, 1.0, 0), (1.0, f64::INFINITY, 0)];
        assert_eq!(one.drawn().len(), 1);
        let (width, height, pixels) = decode(&one.to_png(760, 600).unwrap());
        assert_eq!((width, height), (760, 600));
        let blue = pixels.chunks_exact(3).filter(|pixel| *pixel == PALETTE[0]).count();
        // A disc of radius 2 in the plot, and one of 3.5 in the legend: some 50 pixels with their soft edges.
        assert!((20..60).contains(&blue), "{blue}");
        one.points.clear();
        assert!(one.to_svg().contains("no finite points to draw"));
        assert!(one.to_png(0, 5).is_err());
    }
}
