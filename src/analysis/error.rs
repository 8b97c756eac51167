//! What keeps codes from being analysed, each as a sentence.

use crate::figures::number::counted;
use crate::tasks::WidthError;

/// Codes that cannot be analysed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// Too few codes.
    #[error("cannot {action} {found} codes: at least {least} are needed")]
    TooFew {
        /// "classify", "find the principal components of".
        action: &'static str,
        /// Codes needed.
        least: usize,
        /// Codes there are.
        found: usize,
    },
    /// Another number of labels than of codes.
    #[error("cannot classify {codes} codes with {labels} labels: there must be one for each")]
    Labels {
        /// Codes.
        codes: usize,
        /// Labels.
        labels: usize,
    },
    /// Codes all of one class, or of none.
    #[error("cannot classify codes of {found} class(es): at least two must occur")]
    OneClass {
        /// Classes that occur.
        found: usize,
    },
    /// A code that is no number.
    #[error("cannot {action} codes: value {col} of code {row} (both from 0) is {value}, and all must be finite")]
    NotFinite {
        /// What was being done.
        action: &'static str,
        /// Which code.
        row: usize,
        /// Which of its values.
        col: usize,
        /// The value.
        value: f32,
    },
    /// Codes of another size than those that were learnt from.
    #[error("cannot {action} codes of {found} values: those it was fitted to have {expected}")]
    Width {
        /// What was being done.
        action: &'static str,
        /// Values of a code that were expected.
        expected: usize,
        /// Values of a code that were found.
        found: usize,
    },
    /// A perplexity that the number of codes does not allow.
    #[error(
        "cannot map {} with a perplexity of {}: {}",
        counted(*points, "code"),
        *perplexity as f32,
        accepted(*perplexity, *points)
    )]
    Perplexity {
        /// The perplexity.
        perplexity: f64,
        /// Codes.
        points: usize,
    },
    /// Codes of so few values that a map would show no more.
    #[error("cannot map codes of {found} value(s): at least 2 are needed")]
    Narrow {
        /// Values of a code.
        found: usize,
    },
    /// Another number of points in a map than of codes.
    #[error("cannot compare a map of {points} points with {codes} codes: there must be one for each")]
    Map {
        /// Codes.
        codes: usize,
        /// Points.
        points: usize,
    },
    /// A map whose points do not lie in a plane.
    #[error("cannot measure a map whose points have {found} value(s): each must have 2")]
    Plane {
        /// Values of a point.
        found: usize,
    },
    /// As many neighbours as points, or none.
    #[error(
        "cannot compare {k} neighbours of each of {points} points: there must be more points, and at least one neighbour"
    )]
    Neighbours {
        /// Neighbours.
        k: usize,
        /// Points.
        points: usize,
    },
    /// Too few points to tell how far neighbours can be trusted.
    #[error("the trustworthiness of {k} neighbours takes more than {} points, not {points}", 2 * k)]
    Trustworthiness {
        /// Neighbours.
        k: usize,
        /// Points.
        points: usize,
    },
    /// Too few images for a pair.
    #[error("cannot pair {found} image(s): at least two are needed")]
    Pairs {
        /// Images that there are.
        found: usize,
    },
    /// Images or codes of another size than the model's.
    #[error(transparent)]
    Model(#[from] WidthError),
}

/// Which perplexities so many codes allow, and how many codes the `perplexity` needs.
fn accepted(perplexity: f64, points: usize) -> String {
    let accepted = match points.saturating_sub(1) / 3 {
        0 => "at least 4 codes are needed".to_owned(),
        most => format!("from 1 to {most} is accepted"),
    };
    let needed = (3.0 * perplexity).ceil() + 1.0;
    if perplexity >= 1.0 {
        format!("{accepted}; {} needs at least {needed} codes", perplexity as f32)
    } else {
        accepted
    }
}
