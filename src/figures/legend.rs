//! Legends: samples with their meaning, in rows below a chart, where they can cover nothing.

use super::font;
use super::scene::{Anchor, Ink, Mark, Scene, Shape};

/// Units to the em of the text in a legend.
const SIZE: f32 = 13.0;
/// From one row of a legend to the next.
const ROW: f32 = 22.0;
/// From the start of a sample to its text.
const SAMPLE: f32 = 36.0;
/// Between the end of an entry and the next.
const GAP: f32 = 22.0;

/// What stands before the text of an entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// A piece of a curve, with its point where its points are drawn.
    Line {
        /// Its colour.
        ink: Ink,
        /// Whether it is dashed.
        dashed: bool,
        /// Its points.
        shape: Option<Shape>,
    },
    /// A point alone.
    Point {
        /// Its colour.
        ink: Ink,
        /// Its outline.
        shape: Shape,
        /// Whether only the outline is drawn.
        hollow: bool,
    },
    /// A filled square.
    Swatch(Ink),
}

/// A sample and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it looks like.
    pub sample: Sample,
    /// What it means.
    pub label: String,
}

/// Entries with the place of each: x, row, and the text as it fits.
pub struct Legend {
    placed: Vec<(f32, usize, Sample, String)>,
    rows: usize,
}

impl Legend {
    /// Places `entries` in rows of `width`.
    pub fn laid_out(entries: &[Entry], width: f32) -> Legend {
        let mut placed = Vec::new();
        let (mut x, mut row) = (0.0, 0);
        for entry in entries {
            let label = font::shortened(&entry.label, SIZE, width - SAMPLE);
            let needed = SAMPLE + font::width(&label, SIZE);
            if x > 0.0 && x + needed > width {
                (x, row) = (0.0, row + 1);
            }
            placed.push((x, row, entry.sample, label));
            x += needed + GAP;
        }
        Legend { rows: if placed.is_empty() { 0 } else { row + 1 }, placed }
    }

    /// What it takes up; zero without entries.
    pub fn height(&self) -> f32 {
        self.rows as f32 * ROW
    }

    /// Adds it to the scene with its upper left corner at (`left`, `top`).
    pub fn draw(&self, scene: &mut Scene, left: f32, top: f32) {
        for (x, row, sample, label) in &self.placed {
            let (x, middle) = (left + x, top + (*row as f32 + 0.5) * ROW);
            match *sample {
                Sample::Line { ink, dashed, shape } => {
                    let points = vec![(x, middle), (x + SAMPLE - 10.0, middle)];
                    scene.marks.push(Mark::Line { points, ink, width: 2.0, dashed });
                    if let Some(shape) = shape {
                        let at = (x + (SAMPLE - 10.0) / 2.0, middle);
                        scene.marks.push(Mark::Point { at, shape, radius: 3.5, ink, hollow: false });
                    }
                }
                Sample::Point { ink, shape, hollow } => {
                    let at = (x + (SAMPLE - 10.0) / 2.0, middle);
                    scene.marks.push(Mark::Point { at, shape, radius: 3.5, ink, hollow });
                }
                Sample::Swatch(ink) => {
                    scene.marks.push(Mark::Bar { x: x + 14.0, y: middle - 6.0, width: 12.0, height: 12.0, ink });
                }
            }
            scene.text(x + SAMPLE, middle + 4.5, SIZE, Anchor::Start, Ink::Text, label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_within_the_width_and_do_not_touch() {
        let entries: Vec<Entry> = (0..9)
            .map(|i| Entry { sample: Sample::Swatch(Ink::Series(i)), label: "wide entry ".repeat(i * i / 3 + 1) })
            .collect();
        let legend = Legend::laid_out(&entries, 300.0);
        assert_eq!(legend.placed.len(), 9);
        assert!(legend.height() > 3.0 * ROW);
        let mut end = (0, 0.0);
        for (x, row, _, label) in &legend.placed {
            assert!((*row, *x) >= end, "{label}");
            end = (*row, x + SAMPLE + font::width(label, SIZE));
            assert!(end.1 <= 300.0, "{label}");
        }
        assert_eq!(Legend::laid_out(&[], 300.0).height(), 0.0);
    }
}
