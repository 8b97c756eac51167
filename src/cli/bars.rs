//! Bars at the foot of a terminal, redrawn as work goes on.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::output::{colour, duration, note, print_error};

/// Characters of a bar.
const CELLS: usize = 24;
/// A terminal is redrawn no more often than this.
const PAUSE: Duration = Duration::from_millis(50);

/// The bars of a terminal, one below the other.
#[derive(Clone, Default)]
pub struct Bars {
    screen: Arc<Mutex<Screen>>,
}

/// One of the bars; it goes when it is dropped.
pub struct Bar {
    bars: Bars,
    number: usize,
    began: Instant,
}

#[derive(Default)]
struct Screen {
    /// Bars by their number, in the order in which they came.
    lines: Vec<(usize, Line)>,
    /// Bars that there have been.
    count: usize,
    /// Lines that are on the terminal now.
    drawn: usize,
    at: Option<Instant>,
}

/// What stands in the line of a bar: text, the share that is done, text.
#[derive(Default)]
struct Line {
    before: String,
    share: f64,
    after: String,
}

impl Bars {
    /// Adds a bar below the others.
    pub fn add(&self) -> Bar {
        let mut screen = self.screen();
        screen.count += 1;
        let number = screen.count;
        screen.lines.push((number, Line::default()));
        Bar { bars: self.clone(), number, began: Instant::now() }
    }

    /// Prints a line above the bars.
    pub fn print(&self, line: &str) {
        self.screen().redraw(&format!("{line}\n"));
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().expect("nobody panics while holding it")
    }
}

impl Bar {
    /// Shows `before`, how much of `total` is done, and `after`.
    pub fn show(&self, before: &str, done: u64, total: u64, after: &str) {
        let mut screen = self.bars.screen();
        let share = if total == 0 { 0.0 } else { done as f64 / total as f64 };
        if let Some((_, line)) = screen.lines.iter_mut().find(|(number, _)| *number == self.number) {
            *line = Line { before: before.into(), share, after: after.into() };
        }
        if screen.at.is_none_or(|at| at.elapsed() > PAUSE) {
            screen.redraw("");
        }
    }

    /// Shows how many of a known number are done, and the time left at the pace so far.
    pub fn count(&self, before: &str, done: usize, all: usize) {
        let left = self.began.elapsed().as_secs_f64() / done as f64 * all.saturating_sub(done) as f64;
        let left = if done == 0 { String::new() } else { format!(", about {} left", duration(left)) };
        self.show(before, done as u64, all as u64, &format!("{done}/{all}{left}"));
    }

    /// Prints a line above the bars.
    pub fn print(&self, line: &str) {
        self.bars.print(line);
    }

    /// Seconds since the bar was added.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let mut screen = self.bars.screen();
        screen.lines.retain(|(number, _)| *number != self.number);
        screen.redraw("");
    }
}

/// Prints a line above the bars, or where there are none.
pub fn print(bars: Option<&Bars>, line: &str) {
    match bars {
        Some(bars) => bars.print(line),
        None => note(line),
    }
}

impl Screen {
    fn redraw(&mut self, above: &str) {
        let size = terminal_size::terminal_size_of(std::io::stderr());
        let (width, height) = size.map_or((80, 24), |(width, height)| (width.0.into(), height.0.into()));
        print_error(&self.text(above, width, height, colour()));
        self.at = Some(Instant::now());
    }

    /// What turns the terminal of `width` × `height` characters from the lines drawn last to those of now, below `above`.
    fn text(&mut self, above: &str, width: usize, height: usize, colour: bool) -> String {
        // Up to the first line, and all below it erased (ECMA-48, CUU and ED).
        let mut text = if self.drawn > 0 { format!("\x1b[{}A\r\x1b[J", self.drawn) } else { String::new() };
        text += above;
        let shown = self.lines.iter().map(|(_, line)| line.text(width, colour)).take(height.max(2) - 1);
        let shown: Vec<String> = shown.collect();
        self.drawn = shown.len();
        shown.iter().for_each(|line| text += &format!("{line}\n"));
        text
    }
}

impl Line {
    /// The line, cut to `width` characters so that the terminal breaks none.
    fn text(&self, width: usize, colour: bool) -> String {
        let room = width.saturating_sub(CELLS + 2 + self.after.chars().count());
        let before: String = self.before.chars().take(room).collect();
        if room == 0 {
            return format!("{before}{}", self.after).chars().take(width).collect();
        }
        let halves = (self.share.clamp(0.0, 1.0) * 2.0 * CELLS as f64) as usize;
        let done = "━".repeat(halves / 2) + if halves % 2 == 1 { "╸" } else { "" };
        let left = "─".repeat(CELLS - halves.div_ceil(2));
        let [on, then, off] = if colour { ["\x1b[36m", "\x1b[34m", "\x1b[0m"] } else { [""; 3] };
        format!("{before} {on}{done}{then}{left}{off} {}", self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(share: f64) -> Line {
        Line { before: "epoch 3".into(), share, after: "5/8".into() }
    }

    #[test]
    fn a_line_fits_whatever_the_width_and_its_bar_is_as_long_as_what_is_done() {
        assert_eq!(line(0.5).text(80, false), format!("epoch 3 {}{} 5/8", "━".repeat(12), "─".repeat(12)));
        for (share, halves) in [(0.0, 0), (0.02, 0), (0.03, 1), (1.0, 48), (7.0, 48), (f64::NAN, 0)] {
            let text = line(share).text(80, false);
            assert_eq!(2 * text.matches('━').count() + text.matches('╸').count(), halves, "{text}");
            assert_eq!(text.chars().count(), 7 + 1 + CELLS + 1 + 3, "{text}");
            for width in 0..40 {
                assert!(line(share).text(width, false).chars().count() <= width, "{width}");
            }
        }
        assert_eq!(line(0.5).text(80, true).matches("\x1b[").count(), 3);
    }

    #[test]
    fn lines_that_are_drawn_again_replace_the_last_ones() {
        let mut screen = Screen { lines: vec![(1, line(0.0)), (2, line(1.0))], ..Screen::default() };
        let first = screen.text("", 80, 24, false);
        assert!(first.starts_with("epoch 3") && first.matches('\n').count() == 2, "{first:?}");
        let second = screen.text("said\n", 80, 24, false);
        assert!(second.starts_with("\x1b[2A\r\x1b[Jsaid\nepoch 3"), "{second:?}");
        // A terminal of two lines has room for one, and the cursor.
        assert_eq!(screen.text("", 80, 2, false).matches('\n').count(), 1);
        screen.lines.clear();
        assert_eq!([screen.text("", 80, 24, false), screen.text("", 80, 24, false)], ["\x1b[1A\r\x1b[J", ""]);
    }
}
