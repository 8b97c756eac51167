//! What values are held to, as data and as words.

use std::fmt;
use std::ops::Bound::{self, Excluded, Included};
use std::ops::RangeBounds as _;

/// The numbers that are accepted. None accepts NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The lower end.
    pub from: Bound<f64>,
    /// The upper end.
    pub to: Bound<f64>,
    /// Both in words.
    pub accepted: &'static str,
}

const LEAST: Bound<f64> = Included(f64::MIN);
const MOST: Bound<f64> = Included(f64::MAX);

impl Range {
    /// Every number that is finite.
    pub const FINITE: Range = Range { from: LEAST, to: MOST, accepted: "a finite number" };
    /// (0, ∞)
    pub const ABOVE_ZERO: Range = Range { from: Excluded(0.0), to: MOST, accepted: "a finite number above 0" };
    /// [0, ∞)
    pub const NOT_NEGATIVE: Range = Range { from: Included(0.0), to: MOST, accepted: "a finite number of at least 0" };
    /// [0, 1)
    pub const BELOW_ONE: Range =
        Range { from: Included(0.0), to: Excluded(1.0), accepted: "a number of at least 0 and below 1" };
    /// (0, 1)
    pub const INSIDE: Range =
        Range { from: Excluded(0.0), to: Excluded(1.0), accepted: "a number above 0 and below 1" };
    /// [0, 1]
    pub const PROBABILITY: Range =
        Range { from: Included(0.0), to: Included(1.0), accepted: "a probability of at least 0 and at most 1" };

    /// Whether `value` is in it.
    pub fn accepts(&self, value: f64) -> bool {
        (self.from, self.to).contains(&value)
    }
}

impl Default for Range {
    fn default() -> Self {
        Range::FINITE
    }
}

/// The whole numbers that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The least.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// What they count, in the singular.
    pub noun: &'static str,
    /// A word that may stand there instead, and the number that it means.
    pub word: Option<(&'static str, u64)>,
}

impl Counts {
    /// `least` to `most`.
    pub const fn new(least: u64, most: u64) -> Self {
        Counts { least, most, noun: "an integer", word: None }
    }

    /// Whether `value` is one of them.
    pub fn accepts(&self, value: u64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

/// Counts of `least` and more, up to 2³² − 1: more of anything is a typing error, and no `usize` is narrower.
pub const fn at_least(least: u64) -> Counts {
    Counts::new(least, u32::MAX as u64)
}

impl Default for Counts {
    fn default() -> Self {
        at_least(0)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.noun, self.least, self.most)?;
        self.word.iter().try_for_each(|(word, _)| write!(f, ", or \"{word}\""))
    }
}

/// The texts that are accepted.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Whether a text is.
    pub holds: fn(&str) -> bool,
    /// In words.
    pub accepted: &'static str,
    /// Whether a whole number of at least 0 may stand there too, for the text of its digits.
    pub or_number: bool,
}

impl Text {
    /// Any text but the empty one.
    pub const fn not_empty(accepted: &'static str) -> Self {
        Text { holds: |text| !text.is_empty(), accepted, or_number: false }
    }
}

/// What a list is held to.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The least number of items.
    pub least: usize,
    /// The largest.
    pub most: usize,
    /// In words, by example.
    pub accepted: &'static str,
}

/// What a table of settings is held to.
#[derive(Clone, Copy, Debug)]
pub struct TableForm {
    /// In words, by example.
    pub accepted: &'static str,
    /// Whether `false` may stand there for none.
    pub or_false: bool,
}

impl TableForm {
    /// A table.
    pub const fn new(accepted: &'static str) -> Self {
        TableForm { accepted, or_false: false }
    }

    /// A table, or `false` for none.
    pub const fn or_false(accepted: &'static str) -> Self {
        TableForm { accepted, or_false: true }
    }
}
