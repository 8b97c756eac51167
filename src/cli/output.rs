//! Words for a person: results to standard output, progress and refusals to standard error; or results as JSON.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde_json::Value;

/// Whether results are JSON alone.
static IS_JSON: AtomicBool = AtomicBool::new(false);
/// Whether no words are wanted.
static IS_SILENT: AtomicBool = AtomicBool::new(false);
/// Whether no progress is wanted.
static IS_QUIET: AtomicBool = AtomicBool::new(false);
/// Why something could not be written to standard output.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// From now on words for a person are left out of standard output, and [`json`] writes to it.
pub fn speak_json() {
    IS_JSON.store(true, Ordering::Relaxed);
}

/// From now on only refusals, JSON and texts that are the result itself are printed; of a command with `is_text`, all words are such.
pub fn be_quiet(is_text: bool) {
    IS_SILENT.store(!is_text, Ordering::Relaxed);
    IS_QUIET.store(true, Ordering::Relaxed);
    BARS.set_draw_target(ProgressDrawTarget::hidden());
}

fn is(mode: &AtomicBool) -> bool {
    mode.load(Ordering::Relaxed)
}

/// Prints what a command found, where JSON is wanted; it is made only then.
pub fn json(value: impl FnOnce() -> Value) {
    if is(&IS_JSON) {
        print(&format!("{:#}\n", value()));
    }
}

/// The bars of this process, one below the other; hidden unless standard error is a terminal that can redraw its lines.
pub static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Prints a line to standard output.
macro_rules! say {
    ($($arg:tt)*) => {
        $crate::cli::output::print_lines(&format!("{}\n", format_args!($($arg)*)))
    };
}
pub(crate) use say;

/// Prints `text` to standard output as it is.
pub fn print(text: &str) {
    wrote(io::stdout().write_all(text.as_bytes()));
}

/// Remembers that standard output could not be written. A reader that went away (`narrows … | head`) is no error.
pub fn wrote(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The first reason is the one that is told.
        let _ = UNWRITTEN.set(error);
    }
}

/// Why standard output could not be written, if so; what is on its way to it is written first.
pub fn unwritten() -> Option<String> {
    wrote(io::stdout().flush());
    UNWRITTEN.get().map(|error| format!("cannot write to standard output: {error}"))
}

/// Prints lines to standard output; those that are too long for the terminal go on below, broken between words.
pub fn print_lines(text: &str) {
    print_words(&match columns() {
        Some(width) => fitted(text, width),
        None => text.to_owned(),
    });
}

/// Prints a table, its first column to the left and the others to the right; where a row is too long for the terminal, its cells
/// stand below each other.
pub fn table(header: &[&str], rows: &[Vec<String>]) {
    print_words(&laid_out(header, rows, columns()));
}

/// Prints what is for a person, where one listens.
fn print_words(text: &str) {
    if !is(&IS_JSON) && !is(&IS_SILENT) {
        print(text);
    }
}

/// Characters of a line of the terminal, which COLUMNS may make narrower; none where standard output is no terminal and
/// nobody says.
fn columns() -> Option<usize> {
    let variable = std::env::var("COLUMNS").ok().and_then(|width| width.parse().ok());
    variable.or_else(|| terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into()))
}

fn fitted(text: &str, width: usize) -> String {
    let length = |text: &str| text.chars().count();
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if length(line.trim_end()) <= width {
            out += line;
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut row = indent.to_owned();
        for word in line.split_whitespace() {
            let room = width.saturating_sub(length(&row) + 1);
            if row.len() > indent.len() && length(word) > room {
                out += &format!("{row}\n");
                row = format!("{indent}  ");
            } else if row.len() > indent.len() {
                row.push(' ');
            }
            // A rule is as long as the line; words stay whole.
            row.extend(word.chars().take(if word.starts_with('─') { width } else { usize::MAX }));
        }
        out += &format!("{row}\n");
    }
    out
}

fn laid_out(header: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let length = |text: &str| text.chars().count();
    let longest = |at: usize| rows.iter().map(|row| length(&row[at])).fold(length(header[at]), usize::max);
    let widths: Vec<usize> = (0..header.len()).map(longest).collect();
    let mut text = String::new();
    if width.is_some_and(|width| widths.iter().map(|cell| cell + 2).sum::<usize>() > width) {
        for row in rows {
            text += &format!("  {}\n", row[0]);
            header.iter().zip(row).skip(1).for_each(|(name, cell)| text += &format!("    {name}: {cell}\n"));
        }
        return text;
    }
    let header: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    for cells in std::iter::once(&header).chain(rows) {
        text += &format!("  {:<width$}", cells[0], width = widths[0]);
        cells.iter().zip(&widths).skip(1).for_each(|(cell, width)| text += &format!("  {cell:>width$}"));
        text.push('\n');
    }
    text
}

/// Prints a line of progress to standard error, above the bars where there are some.
pub fn note(text: &str) {
    if !is(&IS_QUIET) {
        print_error(text);
    }
}

fn print_error(text: &str) {
    BARS.suspend(|| {
        let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
    });
}

/// Says why the command ends without success.
pub fn complain(text: &str) {
    let (on, off) = if colour() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    print_error(&format!("{on}narrows:{off} {text}"));
}

/// Whether standard error takes colour: it is a terminal with bars, and `NO_COLOR` is unset or empty (<https://no-color.org>).
pub fn colour() -> bool {
    takes_colour(!BARS.is_hidden(), std::env::var_os("NO_COLOR"))
}

fn takes_colour(has_bars: bool, no_color: Option<OsString>) -> bool {
    has_bars && no_color.is_none_or(|value| value.is_empty())
}

/// A path as JSON has it: as text, whatever its bytes are.
pub fn path_json(path: impl AsRef<Path>) -> Value {
    Value::String(path.as_ref().display().to_string())
}

/// A number of seconds as a person says it.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_takes_a_terminal_and_no_refusal() {
        assert!(takes_colour(true, None) && takes_colour(true, Some("".into())));
        assert!(!takes_colour(true, Some("1".into())) && !takes_colour(false, None));
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells_or_as_narrow_as_the_terminal() {
        let rows = [["train", "15000", "0.2182"].map(str::to_owned).to_vec()];
        let header = ["", "images", "bce"];
        let wide = "         images     bce\n  train   15000  0.2182\n";
        assert_eq!([None, Some(40)].map(|width| laid_out(&header, &rows, width)), [wide; 2]);
        assert_eq!(laid_out(&header, &rows, Some(22)), "  train\n    images: 15000\n    bce: 0.2182\n");
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let text = "  decoder.0 dense   (256, relu)  200,960\nshort   as it is\n────────────────────────────\n";
        let expected = "  decoder.0 dense\n    (256, relu)\n    200,960\nshort   as it is\n──────────────────\n";
        assert_eq!(fitted(text, 18), expected);
        assert_eq!(fitted(text, 80), text);
        assert_eq!(fitted("/a/path/that/is/long and more\n", 8), "/a/path/that/is/long\n  and\n  more\n");
    }
}
