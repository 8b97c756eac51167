//! Bars at the foot of a terminal, redrawn as work goes on; they are not drawn where standard error is no such terminal.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use super::output::{BARS, duration};

/// What stands in the line of a bar: text, the bar of [`CELLS`] characters, text.
const TEMPLATE: &str = "{prefix} {bar:24.cyan/blue} {msg}";
/// Characters of a bar.
const CELLS: usize = 24;
/// A cell that is done, half done, begun, and not begun.
const SIGNS: &str = "━╸──";
/// A bar is drawn no more often than this; a step of training may take microseconds.
const PAUSE: Duration = Duration::from_millis(50);

/// A bar below the others; it goes when it is dropped.
pub struct Bar {
    line: ProgressBar,
    shown: Cell<Option<Instant>>,
}

impl Bar {
    /// Adds a bar below the others.
    pub fn new() -> Bar {
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is well formed").progress_chars(SIGNS);
        let line = ProgressBar::no_length().with_style(style).with_finish(ProgressFinish::AndClear);
        Bar { line: BARS.add(line), shown: Cell::new(None) }
    }

    /// Whether a person sees it.
    pub fn is_drawn(&self) -> bool {
        !self.line.is_hidden()
    }

    /// Shows `before`, how much of `total` is done (0 where that is not known), and `after`.
    pub fn show(&self, before: &str, done: u64, total: u64, after: String) {
        if !self.is_drawn() || self.shown.get().is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        self.shown.set(Some(Instant::now()));
        // A line that is too long for the terminal is cut before its bar.
        let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
        let room = width.saturating_sub(CELLS + 2 + after.chars().count());
        if total > 0 {
            self.line.set_length(total);
        }
        self.line.set_position(done);
        self.line.set_message(after);
        self.line.set_prefix(before.chars().take(room).collect::<String>());
        self.line.force_draw();
    }

    /// Shows how many of a known number are done, and the time left at the pace so far.
    pub fn count(&self, before: &str, done: usize, all: usize) {
        let left = self.seconds() / done as f64 * all.saturating_sub(done) as f64;
        let left = if done == 0 { String::new() } else { format!(", about {} left", duration(left)) };
        self.show(before, done as u64, all as u64, format!("{done}/{all}{left}"));
    }

    /// Seconds since the bar was added.
    pub fn seconds(&self) -> f64 {
        self.line.elapsed().as_secs_f64()
    }
}
