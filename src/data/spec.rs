//! Which images a run sees, and how they are divided and scaled.

/// Which images a run sees.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// A catalogued set (`fashion-mnist`, `mnist`, …), `footwear` (which the program draws), or a path.
    pub set: String,
    /// The array to read where `set` is a MATLAB file; without, the one named `X` or `ff`.
    pub variable: Option<String>,
    /// The classes to keep, by name or by number in decimal; empty keeps all.
    pub classes: Vec<String>,
    /// `true` joins the published training and test part and splits the whole in three; `false` splits the published
    /// training part in two and tests on the published test part.
    pub pool: bool,
    /// The parts.
    pub split: SplitSpec,
    /// Keep only the first so many images of each part, after splitting; at least 1.
    pub limit: Option<usize>,
    /// How grey levels become values in [0, 1].
    pub scaling: Scaling,
    /// How many images of each class to draw, at least 1. Only the drawn set reads it.
    pub per_class: usize,
}

/// How grey levels become values in [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scaling {
    /// level / 255
    #[default]
    Unit,
    /// (level / 255 − mean) / standard deviation of all training pixels, then from the extremes of those to [0, 1].
    StandardMinMax,
}

impl Scaling {
    /// Every one with its name.
    pub const NAMED: [(&'static str, Scaling); 2] =
        [("unit", Scaling::Unit), ("standard-min-max", Scaling::StandardMinMax)];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, scaling)| *scaling == self).map_or("", |(name, _)| name)
    }
}

/// Sizes of the parts, relative to each other: 5, 1, 1 are five sevenths, one seventh and one seventh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitSpec {
    /// Part to train on; at least 1.
    pub train: u64,
    /// Part to validate on.
    pub validation: u64,
    /// Part to test on; 0 where the published test part is not pooled.
    pub test: u64,
    /// Whether every part has the same share of each class.
    pub stratified: bool,
}
