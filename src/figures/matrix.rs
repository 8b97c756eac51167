//! Matrices of counts: for each class of a data set what its samples were taken for.

use super::frame::{LABEL, WIDTH};
use super::scene::{Anchor, Ink, Mark, SQUARE, Scene, Shape};
use super::{Chart, font};

/// The widest that names of classes may be.
const WIDEST_NAME: f32 = 150.0;
/// The widest and highest that a cell is.
const WIDEST_CELL: f32 = 64.0;
/// From one line of a name to the next.
const LINE: f32 = 15.0;

/// Counts in rows and columns of classes; a cell is the darker the larger its share of its row.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixChart {
    /// Its title; may be empty.
    pub title: String,
    /// The classes, in the order of rows and of columns.
    pub classes: Vec<String>,
    /// The counts, row by row.
    pub counts: Vec<Vec<usize>>,
}

impl Chart for MatrixChart {
    /// Cells have their natural height, whatever the picture.
    fn scene(&self, _: Option<f32>) -> Scene {
        let names: Vec<String> = self.classes.iter().map(|name| font::shortened(name, LABEL, WIDEST_NAME)).collect();
        let widest = names.iter().map(|name| font::width(name, LABEL)).fold(0.0, f32::max);
        let left = 24.0 + widest;
        let cell = ((WIDTH - left - 12.0) / names.len().max(1) as f32).min(WIDEST_CELL);
        // Names keep a line's distance where cells are lower.
        let every = (18.0 / cell).ceil() as usize;
        let room = cell * every as f32 - 4.0;
        let heads: Vec<Vec<String>> = names.iter().map(|name| font::wrapped(name, LABEL, room)).collect();
        let highest = heads.iter().step_by(every).map(Vec::len).max().unwrap_or(1);
        let label = if self.title.is_empty() { 26.0 } else { 52.0 };
        let top = label + 26.0 + LINE * (highest - 1) as f32;
        let correct: usize = self.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        let all: usize = self.counts.iter().flatten().sum();
        let title = if self.title.is_empty() { "Confusion matrix" } else { &self.title };
        let description = format!("{title}; {correct} of {all} on the diagonal");
        let height = top + cell * names.len() as f32 + 12.0;
        let mut scene = Scene { description, width: WIDTH, height, marks: Vec::new() };
        if !self.title.is_empty() {
            scene.text((12.0, 24.0), 16.0, Anchor::Start, Ink::Text, &self.title);
        }
        scene.text((12.0, label), LABEL, Anchor::Start, Ink::Faint, "class");
        scene.text((left, label), LABEL, Anchor::Start, Ink::Faint, "class with the largest score");
        for (column, head) in heads.iter().enumerate().step_by(every) {
            for (above, line) in head.iter().rev().enumerate() {
                let at = (left + cell * (column as f32 + 0.5), top - 7.0 - LINE * above as f32);
                scene.text(at, LABEL, Anchor::Middle, Ink::Faint, line);
            }
        }
        for (row, (name, counts)) in names.iter().zip(&self.counts).enumerate() {
            let middle = top + cell * (row as f32 + 0.5);
            if row % every == 0 {
                scene.text((left - 8.0, middle + 4.5), LABEL, Anchor::End, Ink::Faint, name);
            }
            let total = counts.iter().sum::<usize>().max(1);
            for (column, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let (x, share) = (left + cell * (column as f32 + 0.5), count as f32 / total as f32);
                let (at, radius) = (vec![(x, middle)], (cell / 2.0 - 1.0) / SQUARE);
                let (shape, ink) = (Shape::Square, Ink::Series(0));
                scene.marks.push(Mark::Points { at, shape, radius, ink, hollow: false, opacity: share });
                let (ink, count) = (if share > 0.5 { Ink::Paper } else { Ink::Text }, count.to_string());
                if cell >= LABEL && font::width(&count, LABEL) <= cell - 2.0 {
                    scene.text((x, middle + 4.5), LABEL, Anchor::Middle, ink, &count);
                }
            }
        }
        scene
    }
}
