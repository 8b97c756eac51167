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
    /// Training and validation of this epoch, in seconds.
    pub seconds: f64,
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

impl History {
    /// The columns that every `history.csv` begins with.
    pub const COLUMNS: [&'static str; 6] = ["epoch", "loss", "val_loss", "seconds", "penalty", "learning_rate"];

    /// The text of `history.csv`: numbers in the shortest form that reads back to the same bits. After
    /// [`COLUMNS`](Self::COLUMNS) follow mean_activation and active_share, where the mean of the code is penalised, or beta, kl,
    /// active_dimensions and kl_0, kl_1, … for a variational model.
    pub fn to_csv(&self) -> String {
        let mut text = Self::COLUMNS.join(",");
        if self.epochs.iter().any(|epoch| epoch.code.is_some()) {
            text.push_str(",mean_activation,active_share");
        }
        if let Some(latent) = self.epochs.iter().find_map(|epoch| epoch.latent.as_ref()) {
            text.push_str(",beta,kl,active_dimensions");
            (0..latent.kl_per_dimension.len()).for_each(|dimension| put(&mut text, format_args!(",kl_{dimension}")));
        }
        text.push('\n');
        for e in &self.epochs {
            let val_loss = if e.val_loss.is_nan() { String::new() } else { e.val_loss.to_string() };
            let (epoch, loss, seconds, penalty, rate) = (e.epoch, e.loss, e.seconds, e.penalty, e.learning_rate);
            put(&mut text, format_args!("{epoch},{loss},{val_loss},{seconds:.6},{penalty},{rate}"));
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

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a string does not fail");
}
