//! Line charts: losses over epochs, errors over the size of a code; one chart, or several as panels on one scale.

use super::Chart;
use super::axis::{Axis, drawable, extent};
use super::frame::{Entry, Frame, Plot};
use super::number::{count_or_significant, significant};
use super::scene::{Ink, Mark, PALETTE, Scene, Shape};

/// Natural height of the plot of a chart alone, and of a panel.
const PLOT: [f32; 2] = [300.0, 170.0];
/// Values further apart than this stand on a logarithmic axis: the largest would else press the others flat.
pub const FAR_APART: f64 = 20.0;

/// One curve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// What the legend calls it. Curves of one group with the same label share an entry.
    pub label: String,
    /// Its values. Those that are not finite (or beyond 10²⁹⁰) leave a gap.
    pub values: Vec<f64>,
    /// Where its values stand on the x axis; without, they are the values of epochs 1, 2, 3…
    /// Of two unequal lengths the shorter counts.
    pub at: Option<Vec<f64>>,
    /// For each value the lower and the upper end of a band around the curve; empty without a band.
    pub band: Vec<[f64; 2]>,
    /// Whether it is dashed.
    pub dashed: bool,
    /// Index of its colour. Beyond those of the palette the colours come again, with squares and triangles on the line.
    pub group: usize,
}

impl Curve {
    /// A curve of one value per epoch, from epoch 1.
    pub fn per_epoch(label: impl Into<String>, values: Vec<f64>, dashed: bool, group: usize) -> Curve {
        Curve { label: label.into(), values, dashed, group, ..Curve::default() }
    }

    /// The mean of several runs, one value per epoch each, up to the length of the shortest, in a band from the lowest to the highest; of fewer
    /// than three each by itself, as in [`per_epoch`](Self::per_epoch).
    pub fn of_runs(label: &str, runs: Vec<Vec<f64>>, dashed: bool, group: usize) -> Vec<Curve> {
        if runs.len() < 3 {
            return runs.into_iter().map(|values| Curve::per_epoch(label, values, dashed, group)).collect();
        }
        let length = runs.iter().map(Vec::len).min().unwrap_or(0);
        let at = |epoch: usize| runs.iter().map(move |values| values[epoch]);
        let values = (0..length).map(|epoch| at(epoch).sum::<f64>() / runs.len() as f64).collect();
        let band = |epoch: usize| <[f64; 2]>::from(extent(at(epoch)));
        vec![Curve { band: (0..length).map(band).collect(), ..Curve::per_epoch(label, values, dashed, group) }]
    }

    /// Where the value of this index stands on the x axis.
    fn x(&self, index: usize) -> f64 {
        self.at.as_ref().map_or((index + 1) as f64, |at| at.get(index).copied().unwrap_or(f64::NAN))
    }

    /// The runs of points without a gap.
    fn pieces(&self) -> Vec<Vec<(f64, f64)>> {
        let mut pieces = vec![Vec::new()];
        for (index, &y) in self.values.iter().enumerate() {
            let x = self.x(index);
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

    /// The corners of its band in order, along the lower end and back along the upper one; none where a value is missing.
    fn outline(&self) -> Vec<(f64, f64)> {
        let end = |side: usize| (0..self.band.len()).map(move |index| (self.x(index), self.band[index][side]));
        let corners: Vec<(f64, f64)> = end(0).chain(end(1).rev()).collect();
        if corners.iter().all(|&(x, y)| drawable(x) && drawable(y)) { corners } else { Vec::new() }
    }

    fn draw(&self, scene: &mut Scene, plot: &Plot, width: f32) {
        let ink = Ink::Series(self.group);
        let outline = self.outline();
        if outline.len() > 2 {
            let points = outline.iter().map(|&(x, y)| (plot.x(x), plot.y(y))).collect();
            scene.marks.push(Mark::Area { points, ink, opacity: 0.2 });
        }
        for piece in self.pieces() {
            let points: Vec<(f32, f32)> = piece.iter().map(|&(x, y)| (plot.x(x), plot.y(y))).collect();
            // A value between two gaps has no line to be seen by.
            let every = match (self.at.is_some() || points.len() == 1, self.shape()) {
                (true, _) => 1,
                (false, Some(_)) => points.len().div_ceil(8),
                (false, None) => usize::MAX,
            };
            if every < usize::MAX {
                let (at, shape) = (points.iter().copied().step_by(every), self.shape().unwrap_or(Shape::Circle));
                let (at, hollow) = (at.collect(), self.dashed);
                scene.marks.push(Mark::Points { at, shape, radius: 3.5, ink, hollow, opacity: 1.0 });
            }
            if points.len() > 1 {
                scene.marks.push(Mark::Line { points, ink, width, dashed: self.dashed });
            }
        }
    }
}

/// Curves over common axes, with the legend below them. The y axis is logarithmic where positive values lie more than a factor
/// of 20 apart; a logarithmic axis says so in its label.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// Its curves, in the order of drawing.
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
            curves,
            ..LineChart::default()
        }
    }

    /// Draws the curves, each wider than those of other colours above it that have the same points, so that none lies hidden.
    fn draw(&self, scene: &mut Scene, plot: &Plot) {
        let curves: Vec<_> = self.curves.iter().map(|curve| (curve.group, curve.pieces())).collect();
        for (number, (group, points)) in curves.iter().enumerate() {
            let above = curves[number + 1..].iter().filter(|(other, same)| other != group && same == points);
            self.curves[number].draw(scene, plot, 2.0 + 3.0 * above.count() as f32);
        }
    }

    /// The last value of every curve, in words.
    fn ends(&self) -> String {
        let mut text = String::new();
        for curve in &self.curves {
            if let Some((x, y)) = curve.pieces().last().and_then(|piece| piece.last()) {
                let (x, y) = (count_or_significant(*x), significant(*y, 4));
                let meaning = if curve.dashed { &self.dashed } else { &self.solid };
                let comma = if meaning.is_empty() { "" } else { ", " };
                text += &format!("; {}{comma}{meaning}: {y} at {} {x}", curve.label, self.x_label);
            }
        }
        text
    }
}

/// Charts as panels of one figure, on one scale and with one legend: for curves that would cover each other in a single plot.
/// The title of a chart stands above its panel, but for that of a single one; labels and the meaning of lines are those of the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    /// Title of the whole; may be empty.
    pub title: String,
    /// The panels, in rows of two or three.
    pub charts: Vec<LineChart>,
}

impl Chart for LineChart {
    fn scene(&self, total: Option<f32>) -> Scene {
        Panels { title: self.title.clone(), charts: vec![self.clone()] }.scene(total)
    }
}

impl Chart for Panels {
    fn scene(&self, total: Option<f32>) -> Scene {
        let (charts, alone) = (&self.charts[..], self.charts.len() == 1);
        let first = charts.first().cloned().unwrap_or_default();
        let mut description = match self.title.is_empty() {
            true => format!("{} over {}", first.y_label, first.x_label),
            false => self.title.clone(),
        };
        for chart in charts {
            if !alone {
                description += &format!("; {}", chart.title);
            }
            description += &chart.ends();
        }
        let frame = Frame {
            title: &self.title,
            labels: [&first.x_label, &first.y_label],
            axes: axes(charts),
            lines: [false, true],
            inset: 8.0,
            beyond: 0.0,
            height: PLOT[usize::from(!alone)],
            panels: charts.iter().map(|chart| if alone { "" } else { &chart.title }).collect(),
            legend: legend(charts, [&first.solid, &first.dashed]),
            description,
        };
        frame.scene(total, |scene, number, plot| charts[number].draw(scene, plot))
    }
}

/// The axes that cover all curves; `None` without a value to draw.
fn axes(charts: &[LineChart]) -> Option<[Axis; 2]> {
    let curves = || charts.iter().flat_map(|chart| &chart.curves);
    let points: Vec<(f64, f64)> =
        curves().flat_map(|curve| [curve.pieces().concat(), curve.outline()].concat()).collect();
    if points.is_empty() {
        return None;
    }
    let xs = || points.iter().map(|point| point.0);
    let (low, high) = extent(xs());
    let sizes = charts.iter().any(|chart| chart.logarithmic).then(|| Axis::logarithmic(xs().collect())).flatten();
    let x = match sizes {
        _ if curves().all(|curve| curve.at.is_none()) => Axis::epochs(high as usize, 10),
        Some(sizes) => sizes,
        None => Axis::covering(low, high, 8),
    };
    let (low, high) = extent(points.iter().map(|point| point.1));
    let logarithmic = if high / FAR_APART > low { Axis::covering_logarithmic(low, high, 7) } else { None };
    Some([x, logarithmic.unwrap_or_else(|| Axis::covering(low, high, 6))])
}

fn legend(charts: &[LineChart], meanings: [&str; 2]) -> Vec<Entry> {
    let curves = || charts.iter().flat_map(|chart| &chart.curves);
    // Runs of a single epoch are points, and lines in the legend would be found nowhere in the plot.
    let lines = curves().any(|curve| curve.pieces().iter().any(|piece| piece.len() > 1));
    let entry = |ink: Ink, dashed: bool, shape: Option<Shape>, label: String| match lines {
        true => Entry { ink, line: Some(dashed), point: shape.map(|shape| (shape, false)), label },
        false => Entry { ink, line: None, point: Some((shape.unwrap_or(Shape::Circle), dashed)), label },
    };
    let mut entries: Vec<Entry> = Vec::new();
    // The title of a panel already names its curves.
    let named = |chart: &LineChart, curve: &Curve| charts.len() > 1 && chart.title == curve.label;
    let unnamed = charts.iter().flat_map(|chart| chart.curves.iter().filter(move |curve| !named(chart, curve)));
    for curve in unnamed.filter(|curve| !curve.label.is_empty()) {
        let ink = Ink::Series(curve.group);
        if !entries.iter().any(|entry| entry.ink == ink && entry.label == curve.label) {
            let shared = |other: &&Curve| other.group == curve.group && other.label == curve.label;
            // An entry for curves of both kinds stands for the run: its sample is solid.
            let dashed = curves().filter(shared).all(|other| other.dashed);
            entries.push(entry(ink, dashed, curve.shape(), curve.label.clone()));
        }
    }
    let styles = if lines { ["solid", "dashed"] } else { ["filled", "hollow"] };
    for (dashed, meaning) in [(false, meanings[0]), (true, meanings[1])] {
        if !meaning.is_empty() && curves().any(|curve| curve.dashed == dashed) {
            entries.push(entry(Ink::Axis, dashed, None, format!("{}: {meaning}", styles[usize::from(dashed)])));
        }
    }
    entries
}
