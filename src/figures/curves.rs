//! Line charts: losses over epochs, errors over the size of a code.

use super::axis::{Axis, drawable};
use super::legend::{Entry, Legend, Sample};
use super::scene::{Anchor, Ink, Mark, PALETTE, Scene, Shape};
use super::{FigureError, font, raster, svg};

/// Natural width of a chart.
pub(super) const WIDTH: f32 = 760.0;
/// Units to the em of titles.
pub(super) const TITLE: f32 = 16.0;
/// Units to the em of axis labels and ticks.
pub(super) const LABEL: f32 = 13.0;
/// Natural height of the plot itself.
const PLOT: f32 = 300.0;
/// The least height of the plot, whatever stands around it.
const LEAST_PLOT: f32 = 140.0;
/// Values further apart than this stand on a logarithmic axis: one that leaps would else press all others flat.
const FAR_APART: f64 = 1000.0;
/// Between the axes and the outermost values, so that neither lines nor points are cut.
const INSET: f32 = 8.0;

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What the legend calls it. Curves of one group with the same label share an entry.
    pub label: String,
    /// Its values. Those that are not finite (or beyond 10²⁹⁰) leave a gap.
    pub values: Vec<f64>,
    /// Where its values stand on the x axis; without, they are the values of epochs 1, 2, 3…
    /// Of two unequal lengths the shorter counts.
    pub at: Option<Vec<f64>>,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Index of its colour. Beyond those of the palette the colours come again, with squares and triangles on the line.
    pub group: usize,
}

impl Curve {
    /// A curve of one value per epoch, from epoch 1.
    pub fn per_epoch(label: impl Into<String>, values: Vec<f64>, dashed: bool, group: usize) -> Curve {
        Curve { label: label.into(), values, at: None, dashed, group }
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let x = |index: usize| match &self.at {
            Some(at) => at.get(index).copied().unwrap_or(f64::NAN),
            None => (index + 1) as f64,
        };
        self.values.iter().enumerate().map(move |(index, &y)| (x(index), y))
    }

    /// The runs of points without a gap.
    fn pieces(&self) -> Vec<Vec<(f64, f64)>> {
        let mut pieces = vec![Vec::new()];
        for (x, y) in self.points() {
            if drawable(x) && drawable(y) {
                pieces.last_mut().expect("there is a piece").push((x, y));
            } else {
                pieces.push(Vec::new());
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    fn shape(&self) -> Option<Shape> {
        match self.group / PALETTE.len() {
            0 => self.at.as_ref().map(|_| Shape::Circle),
            1 => Some(Shape::Square),
            _ => Some(Shape::Triangle),
        }
    }
}

/// Curves over common axes, with the legend below them. The y axis is logarithmic where positive values lie more than a factor
/// of 1,000 apart.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// Its title; may be empty.
    pub title: String,
    /// What the x axis shows, with its unit.
    pub x_label: String,
    /// What the y axis shows, with its unit; stands above the axis.
    pub y_label: String,
    /// What a solid line means ("training"); nothing is said where it is empty.
    pub solid: String,
    /// What a dashed line means ("validation").
    pub dashed: String,
    /// Whether the x axis is logarithmic, with a tick at each value.
    pub logarithmic: bool,
    /// Its curves, the undermost first.
    pub curves: Vec<Curve>,
}

impl LineChart {
    /// Losses over epochs: solid for training, dashed for validation. `y_label` names the loss and its unit.
    pub fn losses(title: impl Into<String>, y_label: impl Into<String>, curves: Vec<Curve>) -> LineChart {
        LineChart {
            title: title.into(),
            x_label: "epoch".into(),
            y_label: y_label.into(),
            solid: "training".into(),
            dashed: "validation".into(),
            logarithmic: false,
            curves,
        }
    }

    /// The chart as an `svg` element for a page or a file of its own.
    pub fn to_svg(&self) -> String {
        let plot = if self.axes().is_some() { PLOT } else { LEAST_PLOT };
        svg::to_svg(&self.scene(|around| around + plot))
    }

    /// The chart as a PNG of `width` × `height` pixels on white. What is around the curves keeps its proportion to the
    /// width; a picture too low for it is filled in height instead. At least 600 pixels of width read well.
    pub fn to_png(&self, width: usize, height: usize) -> Result<Vec<u8>, FigureError> {
        let wanted = WIDTH * height as f32 / width.max(1) as f32;
        raster::to_png(&self.scene(|around| wanted.max(around + LEAST_PLOT)), width, height)
    }

    fn axes(&self) -> Option<(Axis, Axis)> {
        let points: Vec<(f64, f64)> = self.curves.iter().flat_map(Curve::pieces).flatten().collect();
        if points.is_empty() {
            return None;
        }
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (low, high) = range(&mut points.iter().map(|point| point.0));
        let epochs = self.curves.iter().all(|curve| curve.at.is_none());
        let x = match epochs {
            true => Axis::epochs(high as usize, 10),
            false => {
                let values: Vec<f64> = points.iter().map(|point| point.0).collect();
                let sizes = self.logarithmic.then(|| Axis::logarithmic(&values)).flatten();
                sizes.unwrap_or_else(|| Axis::covering(low, high, 8))
            }
        };
        let (low, high) = range(&mut points.iter().map(|point| point.1));
        let decades = if high / FAR_APART > low { Axis::decades(low, high, 7) } else { None };
        Some((x, decades.unwrap_or_else(|| Axis::covering(low, high, 6))))
    }

    fn legend(&self) -> Legend {
        // Runs of a single epoch are points, and lines in the legend would be found nowhere in the plot.
        let lines = self.curves.iter().any(|curve| curve.pieces().iter().any(|piece| piece.len() > 1));
        let sample = |ink: Ink, dashed: bool, shape: Option<Shape>| match lines {
            true => Sample::Line { ink, dashed, shape },
            false => Sample::Point { ink, shape: shape.unwrap_or(Shape::Circle), hollow: dashed },
        };
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: Vec<(usize, &str)> = Vec::new();
        for curve in self.curves.iter().filter(|curve| !curve.label.is_empty()) {
            if !seen.contains(&(curve.group, &curve.label)) {
                seen.push((curve.group, &curve.label));
                let shared = |other: &&Curve| other.group == curve.group && other.label == curve.label;
                // An entry for curves of both kinds stands for the run: its sample is solid.
                let dashed = self.curves.iter().filter(shared).all(|other| other.dashed);
                let sample = sample(Ink::Series(curve.group), dashed, curve.shape());
                entries.push(Entry { sample, label: curve.label.clone() });
            }
        }
        let styles = if lines { ["solid", "dashed"] } else { ["filled", "hollow"] };
        for (dashed, meaning) in [(false, &self.solid), (true, &self.dashed)] {
            if !meaning.is_empty() && self.curves.iter().any(|curve| curve.dashed == dashed) {
                let label = format!("{}: {meaning}", styles[dashed as usize]);
                entries.push(Entry { sample: sample(Ink::Axis, dashed, None), label });
            }
        }
        Legend::laid_out(&entries, WIDTH - 24.0)
    }

    /// Lays the chart out; `total` gives its height from the height of what is around the plot.
    fn scene(&self, total: impl Fn(f32) -> f32) -> Scene {
        let axes = self.axes();
        let legend = self.legend();
        let title = font::wrapped(&self.title, TITLE, WIDTH - 24.0);
        let is_logarithmic = axes.as_ref().is_some_and(|(_, y)| y.logarithmic);
        let y_label = if is_logarithmic { format!("{}, logarithmic", self.y_label) } else { self.y_label.clone() };
        let y_label = font::wrapped(&y_label, LABEL, WIDTH - 24.0);
        let top = 10.0 + 22.0 * title.len() as f32 + 19.0 * y_label.len() as f32 + 8.0;
        let below = 22.0 + if self.x_label.is_empty() { 0.0 } else { 20.0 };
        let bottom = below + if legend.height() > 0.0 { legend.height() + 8.0 } else { 0.0 } + 10.0;
        let height = total(top + bottom);
        let plot = height - top - bottom;

        let widest = |axis: &Axis| axis.ticks.iter().map(|(_, label)| font::width(label, LABEL)).fold(0.0, f32::max);
        let left = 12.0 + axes.as_ref().map_or(0.0, |(_, y)| widest(y) + 8.0);
        let right = WIDTH - 12.0 - axes.as_ref().map_or(0.0, |(x, _)| (widest(x) / 2.0 - INSET).max(0.0));

        let mut scene = Scene { description: self.description(), width: WIDTH, height, marks: Vec::new() };
        let mut baseline = 10.0;
        for line in &title {
            baseline += 22.0;
            scene.text(12.0, baseline - 6.0, TITLE, Anchor::Start, Ink::Text, line);
        }
        for line in &y_label {
            baseline += 19.0;
            scene.text(12.0, baseline - 5.0, LABEL, Anchor::Start, Ink::Text, line);
        }
        if let Some((x, y)) = &axes {
            let place = Place { x, y, left, right, top, plot };
            place.draw_axes(&mut scene);
            for curve in &self.curves {
                place.draw_curve(&mut scene, curve);
            }
        } else {
            let middle = (left + right) / 2.0;
            scene.text(middle, top + plot / 2.0, LABEL, Anchor::Middle, Ink::Faint, "no finite values to draw");
        }
        scene.line((left, top + plot), (right, top + plot), Ink::Axis, 1.0);
        if !self.x_label.is_empty() {
            let label = font::shortened(&self.x_label, LABEL, right - left);
            scene.text((left + right) / 2.0, top + plot + 38.0, LABEL, Anchor::Middle, Ink::Text, &label);
        }
        legend.draw(&mut scene, 12.0, top + plot + below + 8.0);
        scene
    }

    /// What the chart is, in words: its title or axes, and the last value of every curve.
    fn description(&self) -> String {
        let mut text = match self.title.is_empty() {
            true => format!("{} over {}", self.y_label, self.x_label),
            false => self.title.clone(),
        };
        for curve in &self.curves {
            if let Some((x, y)) = curve.pieces().last().and_then(|piece| piece.last()) {
                let (x, y) = (super::number::count_or_significant(*x), super::number::significant(*y, 4));
                let meaning = if curve.dashed { &self.dashed } else { &self.solid };
                let comma = if meaning.is_empty() { "" } else { ", " };
                text += &format!("; {}{comma}{meaning}: {y} at {} {x}", curve.label, self.x_label);
            }
        }
        text
    }
}

/// The plot: where values are drawn.
struct Place<'a> {
    x: &'a Axis,
    y: &'a Axis,
    left: f32,
    right: f32,
    top: f32,
    plot: f32,
}

impl Place<'_> {
    fn x_of(&self, value: f64) -> f32 {
        self.left + INSET + self.x.fraction(value) * (self.right - self.left - 2.0 * INSET)
    }

    fn y_of(&self, value: f64) -> f32 {
        self.top + self.plot - INSET - self.y.fraction(value) * (self.plot - 2.0 * INSET)
    }

    fn draw_axes(&self, scene: &mut Scene) {
        // Labels keep a line's distance on a low plot.
        let room = ((self.plot - 2.0 * INSET) / (self.y.ticks.len().max(2) - 1) as f32).max(1.0);
        let every = (18.0 / room).ceil().max(1.0) as usize;
        for (value, label) in self.y.ticks.iter().step_by(every) {
            let y = self.y_of(*value);
            scene.line((self.left, y), (self.right, y), Ink::Grid, 1.0);
            scene.text(self.left - 8.0, y + 4.5, LABEL, Anchor::End, Ink::Faint, label);
        }
        let foot = self.top + self.plot;
        let mut free_from = f32::NEG_INFINITY;
        for (value, label) in &self.x.ticks {
            let (x, half) = (self.x_of(*value), font::width(label, LABEL) / 2.0);
            scene.line((x, foot), (x, foot + 4.0), Ink::Axis, 1.0);
            if x - half > free_from {
                scene.text(x, foot + 18.0, LABEL, Anchor::Middle, Ink::Faint, label);
                free_from = x + half + 6.0;
            }
        }
    }

    fn draw_curve(&self, scene: &mut Scene, curve: &Curve) {
        let ink = Ink::Series(curve.group);
        for piece in curve.pieces() {
            let points: Vec<(f32, f32)> = piece.iter().map(|&(x, y)| (self.x_of(x), self.y_of(y))).collect();
            // A value between two gaps has no line to be seen by.
            let every = match (curve.at.is_some() || points.len() == 1, curve.shape()) {
                (true, _) => 1,
                (false, Some(_)) => points.len().div_ceil(8),
                (false, None) => usize::MAX,
            };
            if every != usize::MAX {
                let shape = curve.shape().unwrap_or(Shape::Circle);
                for &at in points.iter().step_by(every) {
                    scene.marks.push(Mark::Point { at, shape, radius: 3.5, ink, hollow: curve.dashed });
                }
            }
            if points.len() > 1 {
                scene.marks.push(Mark::Line { points, ink, width: 2.0, dashed: curve.dashed });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::png::decode;
    use super::*;

    fn chart(curves: Vec<Curve>) -> LineChart {
        LineChart::losses("Losses", "binary cross-entropy (nats per pixel)", curves)
    }

    fn decay(epochs: usize, end: f64) -> Vec<f64> {
        (1..=epochs).map(|epoch| end + 0.4 / epoch as f64).collect()
    }

    /// Every mark of the scene, and the extent of its text, lies within it.
    fn assert_nothing_is_cut(scene: &Scene) {
        let inside = |x: f32, y: f32| {
            assert!((0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y), "({x}, {y}) of {scene:?}");
        };
        for mark in &scene.marks {
            match mark {
                Mark::Line { points, width, .. } => {
                    assert!(points.len() > 1);
                    for &(x, y) in points {
                        inside(x - width, y - width);
                        inside(x + width, y + width);
                    }
                }
                Mark::Point { at: (x, y), radius, .. } => {
                    inside(x - radius, y - radius);
                    inside(x + radius, y + radius);
                }
                Mark::Points { at, radius, .. } => {
                    for (x, y) in at {
                        inside(x - radius, y - radius);
                        inside(x + radius, y + radius);
                    }
                }
                Mark::Bar { x, y, width, height, .. } => {
                    inside(*x, *y);
                    inside(x + width, y + height);
                }
                Mark::Text { x, y, size, anchor, content, .. } => {
                    let width = font::width(content, *size);
                    let start = match anchor {
                        Anchor::Start => *x,
                        Anchor::Middle => x - width / 2.0,
                        Anchor::End => x - width,
                    };
                    inside(start, y - size);
                    inside(start + width, *y + 0.25 * size);
                }
            }
        }
    }

    #[test]
    fn losses_that_leap_stand_on_a_logarithmic_axis() {
        let chart = |values: &[f64]| {
            LineChart::losses("", "loss", vec![Curve::per_epoch("run", values.to_vec(), false, 0)]).to_svg()
        };
        assert!(chart(&[0.2, 175.0, 0.02]).contains("loss, logarithmic"));
        for values in [[0.2, 175.0, 0.2], [0.2, 175.0, 0.0], [0.2, 175.0, -0.02]] {
            assert!(!chart(&values).contains("logarithmic"), "{values:?}");
        }
    }

    #[test]
    fn nothing_is_cut_whatever_the_size_and_the_labels() {
        let long = "a run with a name far longer than anybody would give it ".repeat(4);
        let many: Vec<Curve> = (0..40)
            .map(|i| {
                Curve::per_epoch(format!("run {i}{}", if i == 3 { &long } else { "" }), decay(i, 0.1), i % 2 == 0, i)
            })
            .collect();
        let mut with_title = chart(many);
        with_title.title = long.clone();
        for height in [1.0, 300.0, 2000.0] {
            assert_nothing_is_cut(&with_title.scene(|around| f32::max(height, around + LEAST_PLOT)));
        }
        assert_nothing_is_cut(&chart(vec![Curve::per_epoch("e", vec![1e289, -1e289, 3.0], false, 0)]).scene(|_| 500.0));
    }

    #[test]
    fn training_and_validation_of_a_run_share_an_entry_and_the_styles_are_explained() {
        let svg = chart(vec![
            Curve::per_epoch("batch 128", decay(14, 0.2), false, 0),
            Curve::per_epoch("batch 128", decay(14, 0.3), true, 0),
        ])
        .to_svg();
        assert_eq!(svg.matches(">batch 128</text>").count(), 1);
        assert!(svg.contains(">solid: training</text>") && svg.contains(">dashed: validation</text>"), "{svg}");
        assert!(svg.contains(">epoch</text>") && svg.contains(">binary cross-entropy (nats per pixel)</text>"));
        // The curve and the sample.
        assert_eq!(svg.matches("stroke-dasharray").count(), 2);
    }

    #[test]
    fn values_that_are_not_finite_break_the_line() {
        let values = vec![0.5, 0.4, f64::NAN, 0.3, f64::INFINITY, 0.2, 0.15, 0.1];
        let curve = Curve::per_epoch("run", values, false, 0);
        assert_eq!(curve.pieces().iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 3]);
        let svg = chart(vec![curve]).to_svg();
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn one_epoch_is_a_point_and_no_epoch_is_said_in_words() {
        let one =
            chart(vec![Curve::per_epoch("run", vec![0.3], false, 0), Curve::per_epoch("run", vec![0.4], true, 0)]);
        let svg = one.to_svg();
        // Two values, the run, and the meaning of each style.
        assert_eq!(svg.matches("<circle").count(), 5);
        assert!(svg.contains(">filled: training<") && svg.contains(">hollow: validation<"), "{svg}");
        let nothing = [vec![], vec![Curve::per_epoch("run", vec![f64::NAN], false, 0)]];
        for curves in nothing {
            let chart = chart(curves);
            assert!(chart.to_svg().contains("no finite values to draw"));
            assert!(chart.to_png(640, 400).is_ok());
            assert_nothing_is_cut(&chart.scene(|around| around + PLOT));
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut chart = chart(vec![Curve::per_epoch("<b> & \"c\"", decay(3, 0.1), false, 0)]);
        chart.title = "x < y & \"z\"".into();
        let svg = chart.to_svg();
        assert!(svg.contains("&lt;b&gt; &amp; &quot;c&quot;") && !svg.contains("<b>"), "{svg}");
        assert!(svg.contains(">x &lt; y &amp; &quot;z&quot;</text>"), "{svg}");
    }

    #[test]
    fn curves_with_places_of_their_own_show_their_points() {
        let curve = Curve {
            label: "test".into(),
            values: vec![0.9, 0.5, 0.3, 0.2],
            at: Some(vec![2.0, 8.0, 32.0]),
            dashed: false,
            group: 1,
        };
        let svg = chart(vec![curve]).to_svg();
        // Three points, for the shorter of the two counts, and the sample.
        assert_eq!(svg.matches("<circle").count(), 4);
    }

    #[test]
    fn the_picture_has_the_size_asked_for_and_the_colours_of_its_curves() {
        let chart = chart(vec![
            Curve::per_epoch("a", decay(20, 0.2), false, 0),
            Curve::per_epoch("b", decay(20, 0.3), true, 1),
        ]);
        let bytes = chart.to_png(900, 560).unwrap();
        let (width, height, pixels) = decode(&bytes);
        assert_eq!((width, height), (900, 560));
        for colour in &PALETTE[..2] {
            assert!(pixels.chunks_exact(3).filter(|pixel| pixel == colour).count() > 100);
        }
        assert!(pixels.chunks_exact(3).filter(|pixel| *pixel == [255; 3]).count() > 900 * 560 / 2);
        assert_eq!(bytes, chart.to_png(900, 560).unwrap());
        assert_eq!(chart.to_svg(), chart.to_svg());
        for (width, height) in [(1, 1), (3000, 7), (5, 2000)] {
            assert_eq!(decode(&chart.to_png(width, height).unwrap()).0, width);
        }
        assert!(chart.to_png(0, 10).is_err());
    }
}
