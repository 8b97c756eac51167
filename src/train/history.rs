//! What each epoch gave.

use std::fmt::Write as _;

/// One epoch; a row of `history.csv`.
#[derive(Clone, Debug, PartialEq)]
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
    /// The activation of the code, where its mean is penalised.
    pub code: Option<CodeRecord>,
    /// The distribution of the code, in a variational model.
    pub latent: Option<LatentRecord>,
}

/// The code as the epoch's training steps saw it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodeRecord {
    /// The mean over samples and code units.
    pub mean_activation: f64,
    /// The share of code units with a magnitude above [`ACTIVE_ABOVE`](super::ACTIVE_ABOVE), the mean over samples.
    pub active_share: f64,
}

/// The distribution of the code as the epoch's training steps saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentRecord {
    /// The factor of the divergence in this epoch.
    pub beta: f64,
    /// KL(N(μ, σ²) ‖ N(0, I)) in nats, the mean over samples.
    pub kl: f64,
    /// Dimensions whose mean divergence exceeds [`ACTIVE_NATS`](super::ACTIVE_NATS).
    pub active_dimensions: usize,
    /// The part of each dimension in `kl`.
    pub kl_per_dimension: Vec<f64>,
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
    /// The columns that every `history.csv` begins with.
    pub const COLUMNS: [&'static str; 7] =
        ["epoch", "loss", "val_loss", "seconds", "checkpoint_seconds", "penalty", "learning_rate"];

    /// The text of `history.csv`: numbers in the shortest form that reads back to the same bits, but for the seconds. After
    /// [`COLUMNS`](Self::COLUMNS) follow mean_activation and active_share, where the mean of the code is penalised, and beta, kl,
    /// active_dimensions and kl_0, kl_1, … for a variational model.
    pub fn to_csv(&self) -> String {
        let first = self.epochs.first();
        let dimensions = first.and_then(|epoch| epoch.latent.as_ref()).map(|latent| latent.kl_per_dimension.len());
        let mut text = header(first.is_some_and(|epoch| epoch.code.is_some()), dimensions);
        text.push('\n');
        for e in &self.epochs {
            let val_loss = if e.val_loss.is_nan() { String::new() } else { e.val_loss.to_string() };
            let (seconds, checkpoint_seconds) = (e.seconds, e.checkpoint_seconds);
            put(&mut text, format_args!("{},{},{val_loss},{seconds:.6},{checkpoint_seconds:.6}", e.epoch, e.loss));
            put(&mut text, format_args!(",{},{}", e.penalty, e.learning_rate));
            if let Some(CodeRecord { mean_activation, active_share }) = e.code {
                put(&mut text, format_args!(",{mean_activation},{active_share}"));
            }
            if let Some(LatentRecord { beta, kl, active_dimensions, kl_per_dimension }) = &e.latent {
                put(&mut text, format_args!(",{beta},{kl},{active_dimensions}"));
                kl_per_dimension.iter().for_each(|kl| put(&mut text, format_args!(",{kl}")));
            }
            text.push('\n');
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
        let head = head.trim_end_matches('\r');
        let has_code = head.contains(",mean_activation,");
        let columns = head.split(',').count();
        let before = Self::COLUMNS.len() + if has_code { 2 } else { 0 };
        // A variational model has three columns and one for each dimension.
        let dimensions = columns.checked_sub(before + 3);
        if head != header(has_code, dimensions) {
            return refuse(1, head, format!("a header that begins with {}", Self::COLUMNS.join(",")));
        }
        let mut epochs = Vec::new();
        for (row, line) in body.lines().enumerate() {
            let epoch = row + 1;
            let number = |(column, field): (usize, &str)| match field {
                "" if column == 2 => Some(f64::NAN),
                field => field.parse().ok(),
            };
            let numbers: Option<Vec<f64>> = line.split(',').enumerate().map(number).collect();
            let numbers = numbers.filter(|numbers| numbers.len() == columns && numbers[0] == epoch as f64);
            let Some(numbers) = numbers else {
                return refuse(row + 2, line, format!("a row of {columns} numbers for epoch {epoch}"));
            };
            let after = &numbers[before..];
            epochs.push(EpochRecord {
                epoch,
                loss: numbers[1],
                val_loss: numbers[2],
                seconds: numbers[3],
                checkpoint_seconds: numbers[4],
                penalty: numbers[5],
                learning_rate: numbers[6],
                code: has_code.then(|| CodeRecord { mean_activation: numbers[7], active_share: numbers[8] }),
                latent: dimensions.map(|_| LatentRecord {
                    beta: after[0],
                    kl: after[1],
                    active_dimensions: after[2] as usize,
                    kl_per_dimension: after[3..].to_vec(),
                }),
            });
        }
        Ok(History { epochs })
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }
}

/// The first line: the columns that are always there, those of a penalised code, those of so many dimensions.
fn header(has_code: bool, dimensions: Option<usize>) -> String {
    let mut text = History::COLUMNS.join(",");
    if has_code {
        text.push_str(",mean_activation,active_share");
    }
    if let Some(dimensions) = dimensions {
        text.push_str(",beta,kl,active_dimensions");
        (0..dimensions).for_each(|dimension| put(&mut text, format_args!(",kl_{dimension}")));
    }
    text
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a string does not fail");
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
            code: None,
            latent: None,
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
    fn what_codes_were_like_reads_back_too() {
        let mut history = history();
        for epoch in &mut history.epochs {
            epoch.code = Some(CodeRecord { mean_activation: 0.1, active_share: 1.0 / 3.0 });
        }
        assert_eq!(History::from_csv(&history.to_csv()).unwrap(), history);
        for epoch in &mut history.epochs {
            let kl_per_dimension = vec![0.5, 1e-9];
            epoch.latent = Some(LatentRecord { beta: 0.5, kl: 0.5 + 1e-9, active_dimensions: 1, kl_per_dimension });
        }
        assert_eq!(History::from_csv(&history.to_csv()).unwrap(), history);
        history.epochs.iter_mut().for_each(|epoch| epoch.code = None);
        assert_eq!(History::from_csv(&history.to_csv()).unwrap(), history);
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
