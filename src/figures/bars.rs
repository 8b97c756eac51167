//! Bar charts: the classes of a data set, one group a class, one bar a split.
//!
//! Bars lie: names of groups stay horizontal and values stand behind the bars however many there are.

use super::axis::{Axis, drawable, extent};
use super::frame::{Entry, Frame, LABEL};
use super::number::{count_or_significant, typeset};
use super::scene::{Anchor, Ink, Mark, Scene, Shape};
use super::{Chart, font};

/// Height of a bar.
const BAR: f32 = 16.0;
/// Between two groups.
const GAP: f32 = 10.0;
/// The widest that names of groups may be.
const WIDEST_NAME: f32 = 220.0;

/// Bars in groups, every value printed behind its bar.
#[derive(Debug, Clone, PartialEq)]
pub struct BarChart {
    /// Its title; may be empty.
    pub title: String,
    /// What the length of a bar shows, with its unit.
    pub value_label: String,
    /// Names of the bars of a group, in order; a legend is drawn where there are several.
    pub series: Vec<String>,
    /// Name and values of every group, from the top. A value that is not finite has no bar, and is said in words.
    pub groups: Vec<(String, Vec<f64>)>,
}

impl Chart for BarChart {
    /// Bars have their natural height, whatever the picture; its content is centred.
    fn scene(&self, _: Option<f32>) -> Scene {
        let values = || self.groups.iter().flat_map(|(_, values)| values.iter().copied());
        let printed = |value: f64| typeset(&count_or_significant(value));
        let (low, high) = extent(values().filter(|&value| drawable(value)).chain([0.0]));

        // Groups stand along the y axis, which counts units from the top.
        let mut ticks = Vec::new();
        let mut end = f64::from(GAP / 2.0);
        for (name, values) in &self.groups {
            let height = f64::from(group_height(values));
            ticks.push((end + height / 2.0, font::shortened(name, LABEL, WIDEST_NAME)));
            end += height + f64::from(GAP);
        }
        let total = (end - f64::from(GAP / 2.0)).max(30.0);
        let names = Axis { low: total, high: 0.0, logarithmic: false, ticks };

        let entry = |(index, label): (usize, &String)| Entry::of_group(index, Shape::Square, label);
        let legend: Vec<Entry> = self.series.iter().enumerate().map(entry).collect();
        let title = if self.title.is_empty() { &self.value_label } else { &self.title };
        let described = |(name, values): &(String, Vec<f64>)| {
            let values: Vec<String> = values.iter().copied().map(count_or_significant).collect();
            format!("; {name}: {}", values.join(", "))
        };
        let frame = Frame {
            title: &self.title,
            labels: [&self.value_label, ""],
            axes: Some([Axis::covering(low, high, 5), names.clone()]),
            lines: [true, false],
            inset: 0.0,
            beyond: values().map(|value| font::width(&printed(value), LABEL)).fold(0.0, f32::max) + 6.0,
            height: total as f32,
            panels: vec![""],
            legend: if legend.len() > 1 { legend } else { Vec::new() },
            description: title.clone() + &self.groups.iter().map(described).collect::<String>(),
        };
        frame.scene(None, |scene, _, plot| {
            let zero = plot.x(0.0);
            for ((_, values), (middle, _)) in self.groups.iter().zip(&names.ticks) {
                let first = plot.y(*middle) - group_height(values) / 2.0;
                for (index, &value) in values.iter().enumerate() {
                    let top = first + BAR * index as f32;
                    let end = if drawable(value) { plot.x(value) } else { zero };
                    let points = [zero, end].map(|x| (x, top + BAR / 2.0)).to_vec();
                    let bar = Mark::Line { points, ink: Ink::Series(index), width: BAR - 2.0, dashed: false };
                    scene.marks.push(bar);
                    let at = (zero.max(end) + 6.0, top + BAR / 2.0 + 4.5);
                    scene.text(at, LABEL, Anchor::Start, Ink::Text, &printed(value));
                }
            }
            scene.line((zero, plot.top), (zero, plot.bottom), Ink::Axis);
        })
    }
}

fn group_height(values: &[f64]) -> f32 {
    BAR * values.len().max(1) as f32
}
