//! Words for a person: results to standard output, progress and refusals to standard error.

use std::io::{IsTerminal, Write};

/// Prints a line to standard output. A reader that went away (`narrows … | head`) is no error.
macro_rules! say {
    ($($arg:tt)*) => {
        $crate::cli::output::print(&format!("{}\n", format_args!($($arg)*)))
    };
}
pub(crate) use say;

/// Prints `text` to standard output as it is.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints a line to standard error.
pub fn note(text: &str) {
    print_error(&format!("{text}\n"));
}

/// Prints `text` to standard error as it is.
pub fn print_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Says why the command ends without success.
pub fn complain(text: &str) {
    let (on, off) = if colour() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    note(&format!("{on}narrows:{off} {text}"));
}

/// Whether standard error takes colour: it is such a terminal, and `NO_COLOR` is unset or empty (<https://no-color.org>).
pub fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    is_terminal() && !refused
}

/// Whether progress is shown to a person as it happens: standard error is a terminal that can redraw its lines.
pub fn is_terminal() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    std::io::stderr().is_terminal() && !dumb
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
