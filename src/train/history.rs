//! What each epoch gave.

use std::fmt::Write as _;

use crate::optim::Monitor;

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
    /// The learning rate of the first phase in this epoch.
    pub learning_rate: f64,
    /// What the task keeps, in the order of [`History::names`].
    pub scalars: Vec<f64>,
}

/// The epochs of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The columns that the task adds.
    pub names: Vec<String>,
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

    /// Without epochs, with these columns of a task.
    pub fn new(names: Vec<String>) -> Self {
        History { names, epochs: Vec::new() }
    }

    /// The text of `history.csv`: numbers in the shortest form that reads back to the same bits, but for the seconds. After
    /// [`COLUMNS`](Self::COLUMNS) follow those of the task.
    pub fn to_csv(&self) -> String {
        let mut text = Self::COLUMNS.join(",");
        self.names.iter().for_each(|name| put(&mut text, format_args!(",{name}")));
        text.push('\n');
        for e in &self.epochs {
            let val_loss = if e.val_loss.is_nan() { String::new() } else { e.val_loss.to_string() };
            let (seconds, checkpoint_seconds) = (e.seconds, e.checkpoint_seconds);
            put(&mut text, format_args!("{},{},{val_loss},{seconds:.6},{checkpoint_seconds:.6}", e.epoch, e.loss));
            put(&mut text, format_args!(",{},{}", e.penalty, e.learning_rate));
            e.scalars.iter().for_each(|scalar| put(&mut text, format_args!(",{scalar}")));
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
        let mut columns = head.trim_end_matches('\r').split(',');
        let begins = Self::COLUMNS.iter().all(|column| columns.next() == Some(column));
        let names: Vec<String> = columns.map(str::to_owned).collect();
        if !begins || names.iter().any(String::is_empty) {
            return refuse(1, head, format!("a header that begins with {}", Self::COLUMNS.join(",")));
        }
        let columns = Self::COLUMNS.len() + names.len();
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
            epochs.push(EpochRecord::from_numbers(&numbers));
        }
        Ok(History { names, epochs })
    }

    /// The column of this name that the task added, epoch by epoch; `None` where there is none.
    pub fn scalar(&self, name: &str) -> Option<impl Iterator<Item = f64>> {
        let position = self.names.iter().position(|known| known == name)?;
        Some(self.epochs.iter().map(move |epoch| epoch.scalars[position]))
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }
}

impl EpochRecord {
    /// The figure that a schedule or early stopping watches.
    pub(super) fn monitored(&self, monitor: Monitor) -> f64 {
        match monitor {
            Monitor::Loss => self.loss,
            Monitor::ValLoss => self.val_loss,
        }
    }

    /// All numbers in the order of the columns.
    pub fn numbers(&self) -> Vec<f64> {
        let EpochRecord { epoch, loss, val_loss, seconds, checkpoint_seconds, penalty, learning_rate, scalars } = self;
        let mut numbers =
            vec![*epoch as f64, *loss, *val_loss, *seconds, *checkpoint_seconds, *penalty, *learning_rate];
        numbers.extend(scalars);
        numbers
    }

    /// All numbers, each under the name of its column; `names` are those of the columns that the task adds.
    pub fn named<'a>(&self, names: &'a [String]) -> impl Iterator<Item = (&'a str, f64)> + use<'a> {
        History::COLUMNS.into_iter().chain(names.iter().map(String::as_str)).zip(self.numbers())
    }

    /// What [`numbers`](Self::numbers) gives, read back.
    ///
    /// # Panics
    /// When there are fewer than [`History::COLUMNS`].
    pub fn from_numbers(numbers: &[f64]) -> Self {
        EpochRecord {
            epoch: numbers[0] as usize,
            loss: numbers[1],
            val_loss: numbers[2],
            seconds: numbers[3],
            checkpoint_seconds: numbers[4],
            penalty: numbers[5],
            learning_rate: numbers[6],
            scalars: numbers[7..].to_vec(),
        }
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a string does not fail");
}
