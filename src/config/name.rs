//! The names of runs, which are those of their folders.

use crate::settings::Text;

/// Names become folders; file systems allow 255 bytes, and the names of files in progress are longer.
const LONGEST_NAME: usize = 120;

/// The names of runs.
pub(super) const NAME: Text = Text {
    holds: is_name,
    accepted: "a name that can be a folder's: at most 120 bytes of letters, digits, '-', '_', '+' and '.', beginning with a letter \
               or a digit",
    or_number: false,
};

/// Whether `text` can be the name of a run or of its folder.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(char::is_alphanumeric)
        && text.chars().all(|c| c.is_alphanumeric() || "-_+.".contains(c))
}
