//! Parallel coordinates: an axis for each of several quantities, and for each thing a line through its values.

use super::Chart;
use super::axis::Axis;
use super::font;
use super::frame::{Entry, Frame, LABEL};
use super::scene::{Anchor, Ink, Mark, Scene, Shape};

/// Height of the axes.
const PLOT: f32 = 320.0;
/// The widest that what stands at the ends of an axis may be, of its share of the width.
const WIDEST: f32 = 110.0;

/// Lines over several axes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parallel {
    /// Of each axis its name, and what stands at its lower and upper end.
    pub axes: Vec<[String; 3]>,
    /// What the legend calls the groups.
    pub groups: Vec<String>,
    /// Of each line, in the order of drawing, its group and its place on each axis, from 0 at the lower end to 1; past an axis on which it has
    /// none it is dashed.
    pub lines: Vec<(usize, Vec<f64>)>,
}

impl Chart for Parallel {
    fn scene(&self, total: Option<f32>) -> Scene {
        let width = (680.0 / self.axes.len().max(1) as f32).min(WIDEST);
        let ticks =
            self.axes.iter().enumerate().map(|(at, [name, ..])| (at as f64, font::shortened(name, LABEL, width)));
        let x = Axis { low: -0.4, high: self.axes.len() as f64 - 0.6, logarithmic: false, ticks: ticks.collect() };
        let y = Axis { low: -0.1, high: 1.1, logarithmic: false, ticks: Vec::new() };
        let names: Vec<&str> = self.axes.iter().map(|axis| axis[0].as_str()).collect();
        let frame = Frame {
            title: "",
            labels: ["", ""],
            axes: (!self.axes.is_empty()).then_some([x, y]),
            lines: [true, false],
            inset: 0.0,
            beyond: 0.0,
            height: PLOT,
            panels: vec![""],
            legend: self
                .groups
                .iter()
                .enumerate()
                .map(|(at, label)| Entry::of_group(at, Shape::Square, label))
                .collect(),
            description: format!("{} lines over {}", self.lines.len(), names.join(", ")),
        };
        frame.scene(total, |scene, _, plot| {
            for (group, places) in &self.lines {
                for (dashed, piece) in pieces(places) {
                    let points = piece.iter().map(|&(at, place)| (plot.x(at as f64), plot.y(place))).collect();
                    let width = if *group == 0 { 2.0 } else { 0.8 };
                    scene.marks.push(Mark::Line { points, ink: Ink::Series(*group), width, dashed });
                }
            }
            for (at, [_, low, high]) in self.axes.iter().enumerate() {
                for (text, y) in [(low, plot.y(0.0) + 16.0), (high, plot.y(1.0) - 6.0)] {
                    let text = font::shortened(text, LABEL, width);
                    scene.text((plot.x(at as f64), y), LABEL, Anchor::Middle, Ink::Faint, &text);
                }
            }
        })
    }
}

/// Axes with a place of the line on each.
type Piece = Vec<(usize, f64)>;

/// The stretches over neighbouring axes on which a line has places, and those from one of them to the next, which are dashed.
fn pieces(places: &[f64]) -> Vec<(bool, Piece)> {
    let mut pieces: Vec<(bool, Piece)> = Vec::new();
    for (at, &place) in places.iter().enumerate().filter(|(_, place)| place.is_finite()) {
        match pieces.last_mut() {
            Some((_, piece)) if piece.last().is_some_and(|&(last, _)| last + 1 == at) => piece.push((at, place)),
            Some((_, piece)) => {
                let bridge = piece.last().copied().into_iter().chain([(at, place)]).collect();
                pieces.extend([(true, bridge), (false, vec![(at, place)])]);
            }
            None => pieces.push((false, vec![(at, place)])),
        }
    }
    pieces.retain(|(_, piece)| piece.len() > 1);
    pieces
}
