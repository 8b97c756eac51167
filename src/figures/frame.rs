//! What every chart has around its values: a title, axes with their ticks and labels, and a legend; around one plot, or around
//! several that share all of it.

use super::axis::Axis;
use super::font;
use super::number::glued;
use super::scene::{Anchor, Ink, Mark, Scene, Shape};

/// Natural width of a chart.
pub const WIDTH: f32 = 760.0;
/// Units to the em of labels, ticks and legends.
pub const LABEL: f32 = 13.0;
/// Units to the em of titles.
const TITLE: f32 = 16.0;
/// Left and right of everything.
const MARGIN: f32 = 12.0;
/// Between two plots beside each other.
const GAP: f32 = 20.0;
/// The least height of a plot, whatever stands around it.
const LEAST: f32 = 140.0;
/// A line of the title, of the label above the y axis, and of tick labels.
const LINES: [f32; 3] = [22.0, 19.0, 22.0];

/// A chart without its values.
pub struct Frame<'a> {
    /// Its title; may be empty.
    pub title: &'a str,
    /// What the axes show, x and y, with their units. That of y stands above its axis.
    pub labels: [&'a str; 2],
    /// The axes, x and y; `None` where there is nothing to draw.
    pub axes: Option<[Axis; 2]>,
    /// Whether lines run through the plot at the ticks of x and of y.
    pub lines: [bool; 2],
    /// Between the axes and the outermost values, so that neither lines nor points are cut.
    pub inset: f32,
    /// Room for text right of the plot.
    pub beyond: f32,
    /// Natural height of a plot.
    pub height: f32,
    /// What stands above each plot, one after the other in rows; at least one. Of names between commas as many as fit.
    pub panels: Vec<&'a str>,
    /// Samples and their meaning.
    pub legend: Vec<Entry>,
    /// What a reader who cannot see the chart is told.
    pub description: String,
}

/// The rectangle of a plot, and where values lie in it.
pub struct Plot<'a> {
    axes: &'a [Axis; 2],
    inset: f32,
    pub left: f32,
    pub right: f32,
    pub top: f32,
    pub bottom: f32,
}

impl Plot<'_> {
    pub fn x(&self, value: f64) -> f32 {
        self.left + self.inset + self.axes[0].fraction(value) * (self.right - self.left - 2.0 * self.inset)
    }

    pub fn y(&self, value: f64) -> f32 {
        self.bottom - self.inset - self.axes[1].fraction(value) * (self.bottom - self.top - 2.0 * self.inset)
    }

    /// Draws the ticks of both axes, those of y without labels where it is not the `outermost` of its row.
    fn draw_axes(&self, scene: &mut Scene, lines: [bool; 2], outermost: bool) {
        // Labels keep a line's distance on a low plot.
        let room = (self.bottom - self.top - 2.0 * self.inset) / (self.axes[1].ticks.len().max(2) - 1) as f32;
        let every = (18.0 / room.max(1.0)).ceil().max(1.0) as usize;
        for (value, label) in self.axes[1].ticks.iter().step_by(every) {
            let y = self.y(*value);
            if lines[1] {
                scene.line((self.left, y), (self.right, y), Ink::Grid);
            }
            if outermost {
                scene.text((self.left - 8.0, y + 4.5), LABEL, Anchor::End, Ink::Faint, label);
            }
        }
        let mut free_from = f32::NEG_INFINITY;
        for (value, label) in &self.axes[0].ticks {
            let (x, half) = (self.x(*value), font::width(label, LABEL) / 2.0);
            match lines[0] {
                true => scene.line((x, self.top), (x, self.bottom), Ink::Grid),
                false => scene.line((x, self.bottom), (x, self.bottom + 4.0), Ink::Axis),
            }
            if x - half > free_from {
                scene.text((x, self.bottom + 18.0), LABEL, Anchor::Middle, Ink::Faint, label);
                free_from = x + half + 6.0;
            }
        }
        if !lines[0] {
            scene.line((self.left, self.bottom), (self.right, self.bottom), Ink::Axis);
        }
    }
}

impl Frame<'_> {
    /// Lays the chart out, `draw` adding the values of each plot by its number. Plots have their natural height, or what a
    /// chart of the height `total` leaves them.
    pub fn scene(&self, total: Option<f32>, mut draw: impl FnMut(&mut Scene, usize, &Plot)) -> Scene {
        let inner = WIDTH - 2.0 * MARGIN;
        let label = |side: usize| match &self.axes {
            Some(axes) if axes[side].logarithmic => glued(&format!("{}, logarithmic scale", self.labels[side])),
            _ => glued(self.labels[side]),
        };
        let head = [font::wrapped(&glued(self.title), TITLE, inner), font::wrapped(&label(1), LABEL, inner)];
        let legend = in_rows(&self.legend, inner);
        let columns = match self.panels.len() {
            0 | 1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        let rows = self.panels.len().div_ceil(columns).max(1);
        let heading = if self.panels.iter().all(|title| title.is_empty()) { 0.0 } else { 30.0 };

        let top = 18.0 + LINES[0] * head[0].len() as f32 + LINES[1] * head[1].len() as f32;
        let x_label = if self.labels[0].is_empty() { 0.0 } else { 20.0 };
        let below = x_label + legend.last().map_or(0.0, |(_, row, ..)| (row + 1) as f32 * ROW + 8.0) + 10.0;
        let around = top + below + rows as f32 * (heading + LINES[2]);
        let natural = if self.axes.is_some() { self.height } else { LEAST };
        let plot = total.map_or(natural, |total| ((total - around) / rows as f32).max(LEAST));
        let height = around + rows as f32 * plot;

        let mut scene = Scene { description: self.description.clone(), width: WIDTH, height, marks: Vec::new() };
        let mut baseline = 4.0;
        for line in &head[0] {
            baseline += LINES[0];
            scene.text((MARGIN, baseline), TITLE, Anchor::Start, Ink::Text, line);
        }
        baseline += 1.0;
        for line in &head[1] {
            baseline += LINES[1];
            scene.text((MARGIN, baseline), LABEL, Anchor::Start, Ink::Text, line);
        }

        let widest = |side: usize| {
            let ticks = self.axes.iter().flat_map(|axes| &axes[side].ticks);
            ticks.map(|(_, label)| font::width(label, LABEL)).fold(0.0, f32::max)
        };
        let left = MARGIN + if widest(1) > 0.0 { widest(1) + 8.0 } else { 0.0 };
        let right = WIDTH - MARGIN - (widest(0) / 2.0 - self.inset).max(self.beyond);
        let width = (right - left - GAP * (columns - 1) as f32) / columns as f32;
        for (number, title) in self.panels.iter().enumerate() {
            let (row, column) = (number / columns, number % columns);
            let left = left + column as f32 * (width + GAP);
            let top = top + row as f32 * (heading + plot + LINES[2]) + heading;
            let title = font::listed(&glued(title), LABEL, width);
            scene.text((left, top - 7.0), LABEL, Anchor::Start, Ink::Text, &title);
            if let Some(axes) = &self.axes {
                let place = Plot { axes, inset: self.inset, left, right: left + width, top, bottom: top + plot };
                place.draw_axes(&mut scene, self.lines, column == 0);
                draw(&mut scene, number, &place);
            }
        }
        if self.axes.is_none() {
            let at = ((left + right) / 2.0, top + plot / 2.0);
            scene.text(at, LABEL, Anchor::Middle, Ink::Faint, "There are no finite values to draw.");
        }
        // Centred below the plots where it fits there.
        let label = font::shortened(&label(0), LABEL, inner);
        let half = font::width(&label, LABEL) / 2.0;
        let middle = ((left + right) / 2.0).min(WIDTH - MARGIN - half).max(MARGIN + half);
        let bottom = height - below;
        scene.text((middle, bottom + 16.0), LABEL, Anchor::Middle, Ink::Text, &label);
        for (x, row, entry, label) in legend {
            let middle = bottom + x_label + 8.0 + (row as f32 + 0.5) * ROW;
            entry.draw(&mut scene, (MARGIN + x, middle), &label);
        }
        scene
    }
}

/// From one row of a legend to the next.
const ROW: f32 = 22.0;
/// Between the end of an entry and the next.
const ENTRY_GAP: f32 = 22.0;

/// A sample and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub ink: Ink,
    /// A piece of a curve, and whether it is dashed.
    pub line: Option<bool>,
    /// A point, and whether only its outline is drawn.
    pub point: Option<(Shape, bool)>,
    pub label: String,
}

impl Entry {
    /// A point for all marks of a group.
    pub fn of_group(group: usize, shape: Shape, label: &str) -> Entry {
        Entry { ink: Ink::Series(group), line: None, point: Some((shape, false)), label: label.into() }
    }

    /// From the start of its sample to its text.
    fn indent(&self) -> f32 {
        if self.line.is_some() { 36.0 } else { 18.0 }
    }

    /// Adds the sample and its text to the scene, from `x` on around the height `middle`.
    fn draw(&self, scene: &mut Scene, (x, middle): (f32, f32), label: &str) {
        let ink = self.ink;
        if let Some(dashed) = self.line {
            scene.marks.push(Mark::Line { points: vec![(x, middle), (x + 26.0, middle)], ink, width: 2.0, dashed });
        }
        if let Some((shape, hollow)) = self.point {
            let (dx, radius) = if self.line.is_some() { (13.0, 3.5) } else { (6.0, 5.0) };
            scene.marks.push(Mark::Points { at: vec![(x + dx, middle)], shape, radius, ink, hollow, opacity: 1.0 });
        }
        scene.text((x + self.indent(), middle + 4.5), LABEL, Anchor::Start, Ink::Text, label);
    }
}

/// Entries in rows of `width`: where each begins, to the right and in rows down, and its text as it fits.
fn in_rows(entries: &[Entry], width: f32) -> Vec<(f32, usize, &Entry, String)> {
    let (mut placed, mut x, mut row) = (Vec::new(), 0.0, 0);
    for entry in entries {
        let label = font::shortened(&glued(&entry.label), LABEL, width - entry.indent());
        let needed = entry.indent() + font::width(&label, LABEL);
        if x > 0.0 && x + needed > width {
            (x, row) = (0.0, row + 1);
        }
        placed.push((x, row, entry, label));
        x += needed + ENTRY_GAP;
    }
    placed
}
