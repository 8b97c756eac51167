//! What each epoch gave.

use std::fmt::Write as _;

/// One epoch; a row of `history.csv`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean over the epoch's samples of the loss at the step that saw them, without penalties.
    pub loss: f64,
    /// The loss on the validation set at the end of the epoch, without penalties; NaN when there is no validation set.
    pub val_loss: f64,
    /// Training and validation of this epoch, in seconds.
    pub seconds: f64,
    /// The mean over the epoch's samples of what penalties add to the loss.
    pub penalty: f64,
    /// The learning rate of this epoch.
    pub learning_rate: f64,
}

/// The epochs of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// In order.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// The columns of `history.csv`.
    pub const COLUMNS: [&'static str; 6] = ["epoch", "loss", "val_loss", "seconds", "penalty", "learning_rate"];

    /// The text of `history.csv`: numbers in the shortest form that reads back to the same bits.
    pub fn to_csv(&self) -> String {
        let mut text = Self::COLUMNS.join(",");
        text.push('\n');
        for e in &self.epochs {
            let val_loss = if e.val_loss.is_nan() { String::new() } else { e.val_loss.to_string() };
            writeln!(text, "{},{},{val_loss},{:.6},{},{}", e.epoch, e.loss, e.seconds, e.penalty, e.learning_rate)
                .expect("writing to a string does not fail");
        }
        text
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }
}
