//! Bar charts: the classes of a data set, one group a class, one bar a split.
//!
//! Bars lie: names of groups stay horizontal and values stand behind the bars however many there are.

use super::axis::{Axis, drawable};
use super::curves::{LABEL, TITLE, WIDTH};
use super::legend::{Entry, Legend, Sample};
use super::number::count_or_significant;
use super::scene::{Anchor, Ink, Mark, Scene};
use super::{FigureError, font, raster, svg};

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

impl BarChart {
    /// The chart as an `svg` element for a page or a file of its own.
    pub fn to_svg(&self) -> String {
        svg::to_svg(&self.scene())
    }

    /// The chart as a PNG of at most `width` × `height` pixels' content, centred on white.
    pub fn to_png(&self, width: usize, height: usize) -> Result<Vec<u8>, FigureError> {
        raster::to_png(&self.scene(), width, height)
    }

    fn scene(&self) -> Scene {
        let values = || self.groups.iter().flat_map(|(_, values)| values.iter().copied());
        let range = values().filter(|&value| drawable(value));
        let (low, high) = range.fold((0.0f64, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
        let axis = Axis::covering(low, high, 5);

        let swatch = |(index, label): (usize, &String)| Entry {
            sample: Sample::Swatch(Ink::Series(index)),
            label: label.clone(),
        };
        let entries: Vec<Entry> = self.series.iter().enumerate().map(swatch).collect();
        let legend = Legend::laid_out(if entries.len() > 1 { &entries } else { &[] }, WIDTH - 24.0);
        let title = font::wrapped(&self.title, TITLE, WIDTH - 24.0);

        let names: Vec<String> =
            self.groups.iter().map(|(name, _)| font::shortened(name, LABEL, WIDEST_NAME)).collect();
        let widest =
            |texts: &mut dyn Iterator<Item = String>| texts.map(|text| font::width(&text, LABEL)).fold(0.0, f32::max);
        let left = 12.0 + widest(&mut names.iter().cloned()) + 8.0;
        let right = WIDTH - 12.0 - (widest(&mut values().map(count_or_significant)) + 6.0);
        let top = 10.0 + 22.0 * title.len() as f32 + 6.0;
        let bars: f32 = self.groups.iter().map(|(_, values)| group_height(values) + GAP).sum::<f32>().max(3.0 * GAP);
        let foot = top + bars;
        let below = 22.0 + if self.value_label.is_empty() { 0.0 } else { 20.0 };
        let height = foot + below + 10.0 + if legend.height() > 0.0 { legend.height() + 8.0 } else { 0.0 };

        let mut scene = Scene { description: self.description(), width: WIDTH, height, marks: Vec::new() };
        for (index, line) in title.iter().enumerate() {
            scene.text(12.0, 26.0 + 22.0 * index as f32, TITLE, Anchor::Start, Ink::Text, line);
        }
        let x_of = |value: f64| left + axis.fraction(value) * (right - left);
        let mut free_from = f32::NEG_INFINITY;
        for (value, label) in &axis.ticks {
            let (x, half) = (x_of(*value), font::width(label, LABEL) / 2.0);
            scene.line((x, top), (x, foot), Ink::Grid, 1.0);
            if x - half > free_from {
                scene.text(x, foot + 16.0, LABEL, Anchor::Middle, Ink::Faint, label);
                free_from = x + half + 6.0;
            }
        }
        let zero = x_of(0.0);
        let mut y = top + GAP / 2.0;
        for ((_, values), name) in self.groups.iter().zip(&names) {
            let middle = y + group_height(values) / 2.0;
            scene.text(left - 8.0, middle + 4.5, LABEL, Anchor::End, Ink::Text, name);
            for (index, &value) in values.iter().enumerate() {
                let top = y + BAR * index as f32;
                let end = if drawable(value) { x_of(value) } else { zero };
                scene.marks.push(Mark::Bar {
                    x: zero.min(end),
                    y: top + 1.0,
                    width: (end - zero).abs(),
                    height: BAR - 2.0,
                    ink: Ink::Series(index),
                });
                let text = count_or_significant(value);
                scene.text(zero.max(end) + 6.0, top + BAR / 2.0 + 4.5, 12.0, Anchor::Start, Ink::Text, &text);
            }
            y += group_height(values) + GAP;
        }
        scene.line((zero, top), (zero, foot), Ink::Axis, 1.0);
        if !self.value_label.is_empty() {
            let label = font::shortened(&self.value_label, LABEL, WIDTH - 24.0);
            let half = font::width(&label, LABEL) / 2.0;
            let middle = ((left + right) / 2.0).min(WIDTH - 12.0 - half).max(12.0 + half);
            scene.text(middle, foot + 36.0, LABEL, Anchor::Middle, Ink::Text, &label);
        }
        legend.draw(&mut scene, 12.0, foot + below + 8.0);
        scene
    }

    fn description(&self) -> String {
        let title = if self.title.is_empty() { &self.value_label } else { &self.title };
        let group = |(name, values): &(String, Vec<f64>)| {
            let values: Vec<String> = values.iter().copied().map(count_or_significant).collect();
            format!("; {name}: {}", values.join(", "))
        };
        title.clone() + &self.groups.iter().map(group).collect::<String>()
    }
}

fn group_height(values: &[f64]) -> f32 {
    BAR * values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(groups: Vec<(String, Vec<f64>)>) -> BarChart {
        let series = vec!["training".into(), "test".into()];
        BarChart { title: "Classes".into(), value_label: "images".into(), series, groups }
    }

    fn bars(scene: &Scene) -> Vec<f32> {
        let width = |mark: &Mark| match mark {
            Mark::Bar { width, height, .. } if *height == BAR - 2.0 => Some(*width),
            _ => None,
        };
        scene.marks.iter().filter_map(width).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_values_are_printed() {
        let chart = chart(vec![("T-shirt".into(), vec![6000.0, 1000.0]), ("Bag".into(), vec![3000.0, 500.0])]);
        let widths = bars(&chart.scene());
        assert_eq!(widths.len(), 4);
        for (index, ratio) in [1.0, 6.0, 2.0, 12.0].into_iter().enumerate() {
            assert!((widths[0] / widths[index] - ratio).abs() < 1e-3, "{widths:?}");
        }
        let svg = chart.to_svg();
        for text in [">6000<", ">500<", ">training<", ">test<", ">images<", ">T-shirt<"] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg, chart.to_svg());
        assert!(chart.to_png(800, 600).is_ok());
    }

    #[test]
    fn odd_input_is_drawn_too() {
        assert!(chart(Vec::new()).to_svg().contains("Classes"));
        let odd = chart(vec![
            ("a <b> & \"c\"".into(), vec![f64::NAN, -4.5, 2.0]),
            (String::new(), vec![]),
            ("infinite".into(), vec![f64::INFINITY]),
        ]);
        let svg = odd.to_svg();
        assert!(svg.contains("a &lt;b&gt; &amp; &quot;c&quot;") && svg.contains(">not a number<"), "{svg}");
        assert!(!svg.contains("NaN"), "{svg}");
        assert_eq!(bars(&odd.scene()).iter().filter(|&&width| width == 0.0).count(), 2);
        assert!(odd.to_png(300, 300).is_ok());
    }
}
