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
    /// Training and validation of this epoch, in seconds, without checkpoints.
    pub seconds: f64,
    /// Saving checkpoints since the last epoch's end, in seconds.
    pub checkpoint_seconds: f64,
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

/// A text that is no `history.csv`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the history is {found:?}; {expected} is expected")]
pub struct HistoryError {
    /// Counted from 1.
    pub line: usize,
    /// What stands there, shortened.
    pub found: String,
    /// What could.
    pub expected: String,
}

impl History {
    /// The columns of `history.csv`.
    pub const COLUMNS: [&'static str; 7] =
        ["epoch", "loss", "val_loss", "seconds", "checkpoint_seconds", "penalty", "learning_rate"];

    /// The text of `history.csv`: numbers in the shortest form that reads back to the same bits, but for the seconds.
    pub fn to_csv(&self) -> String {
        let mut text = Self::COLUMNS.join(",");
        text.push('\n');
        for e in &self.epochs {
            let val_loss = if e.val_loss.is_nan() { String::new() } else { e.val_loss.to_string() };
            writeln!(
                text,
                "{},{},{val_loss},{:.6},{:.6},{},{}",
                e.epoch, e.loss, e.seconds, e.checkpoint_seconds, e.penalty, e.learning_rate
            )
            .expect("writing to a string does not fail");
        }
        text
    }

    /// Reads what [`to_csv`](Self::to_csv) writes. Refused: other columns, a row of another length, a value that is no
    /// number, an epoch out of turn. Memory and time are linear in the text.
    pub fn from_csv(text: &str) -> Result<History, HistoryError> {
        let refuse = |line: usize, found: &str, expected: String| {
            Err(HistoryError { line, found: found.chars().take(100).collect(), expected })
        };
        let (head, body) = text.split_once('\n').unwrap_or((text, ""));
        if head.trim_end_matches('\r') != Self::COLUMNS.join(",") {
            return refuse(1, head, format!("the header {}", Self::COLUMNS.join(",")));
        }
        let mut epochs = Vec::new();
        for (row, line) in body.lines().enumerate() {
            let epoch = row + 1;
            let mut numbers = [0.0; Self::COLUMNS.len()];
            let mut fields = line.split(',');
            for (number, column) in numbers.iter_mut().zip(Self::COLUMNS) {
                let value = match fields.next() {
                    Some("") if column == "val_loss" => Some(f64::NAN),
                    Some(field) => field.parse().ok(),
                    None => None,
                };
                let Some(value) = value else {
                    return refuse(row + 2, line, format!("a row of {} numbers", Self::COLUMNS.len()));
                };
                *number = value;
            }
            if fields.next().is_some() || numbers[0] != epoch as f64 {
                return refuse(row + 2, line, format!("a row of {} numbers for epoch {epoch}", Self::COLUMNS.len()));
            }
            let [_, loss, val_loss, seconds, checkpoint_seconds, penalty, learning_rate] = numbers;
            epochs.push(EpochRecord { epoch, loss, val_loss, seconds, checkpoint_seconds, penalty, learning_rate });
        }
        Ok(History { epochs })
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let record = |epoch: usize| EpochRecord {
            epoch,
            loss: 0.1 + 0.2 * epoch as f64,
            val_loss: 1.0 / 3.0,
            seconds: 1.5,
            checkpoint_seconds: 0.25,
            penalty: 1e-300,
            learning_rate: 1e-4,
        };
        History { epochs: (1..=3).map(record).collect() }
    }

    #[test]
    fn a_history_reads_back_to_the_same_bits() {
        let mut history = history();
        assert_eq!(History::from_csv(&history.to_csv()).unwrap(), history);
        history.epochs[1].val_loss = f64::NAN;
        let read = History::from_csv(&history.to_csv()).unwrap();
        assert!(read.epochs[1].val_loss.is_nan());
        assert_eq!(read.to_csv(), history.to_csv());
        assert_eq!(History::from_csv(&History::default().to_csv()).unwrap(), History::default());
    }

    #[test]
    fn other_texts_are_refused_with_their_line() {
        let text = history().to_csv();
        for (found, replaced, line) in [
            ("epoch,", "epoche,", 1),
            ("\n2,", "\n3,", 3),
            ("\n2,", "\ntwo,", 3),
            ("\n3,", "\n3,3,", 4),
            ("1.500000,0.250000", "1.500000", 2),
        ] {
            let error = History::from_csv(&text.replacen(found, replaced, 1)).unwrap_err();
            assert_eq!(error.line, line, "{error}");
        }
        assert!(History::from_csv("").is_err());
        assert!(History::from_csv(&format!("{text}\n")).is_err());
    }
}
