//! `[train]`: what is minimised, in what steps, and when it ends.

use serde::{Deserialize, Serialize};

use super::document::Value;
use super::error::ConfigError;
use super::model::{Activation, ModelConfig, output_activation};
use super::read::{FINITE, Field, NOT_NEGATIVE, Reader};

/// How a run trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// What is minimised.
    pub loss: LossKind,
    /// Images in a step; at least 1. A larger number than there are images is all of them.
    pub batch_size: usize,
    /// Epochs at most; at least 1.
    pub max_epochs: usize,
    /// When to end before that; in TOML absent or `false` for never.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// When to save what a resumed run needs; in TOML `false` for only when interrupted. No bit of the result depends on it.
    pub checkpoint: Option<CheckpointConfig>,
}

/// When a run saves all that the rest of it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointConfig {
    /// After how many epochs, at least 1; put off while saving would take a notable part of the time since the last.
    pub every_epochs: usize,
    /// After how many steps of the run, at least 1, whatever it costs; `None` for no such rule.
    pub every_steps: Option<usize>,
}

impl Default for CheckpointConfig {
    /// After each epoch.
    fn default() -> Self {
        CheckpointConfig { every_epochs: 1, every_steps: None }
    }
}

/// What is minimised: averaged over images and values, unless stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Binary cross-entropy of a sigmoid output, in nats.
    Bce,
    /// Binary cross-entropy that applies the sigmoid itself.
    BceLogits,
    /// Mean squared error.
    Mse,
    /// Kullback–Leibler divergence between image and reconstruction, each normalised to sum one.
    Kl,
}

impl LossKind {
    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        LOSSES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// When training ends before its last epoch: Keras's rules. The monitored figure is better than the best so far when
/// it is lower by more than `min_delta`; after `patience` epochs without a better one, training ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStoppingConfig {
    /// The figure that is watched.
    pub monitor: Monitor,
    /// Epochs without improvement that are put up with.
    pub patience: usize,
    /// Least improvement that counts; at least 0.
    pub min_delta: f64,
    /// What the figure has to get below for patience to be renewed.
    pub baseline: Option<f64>,
    /// Epochs before watching begins.
    pub start_from_epoch: usize,
    /// Whether the weights of the best epoch are kept instead of the last.
    pub restore_best: bool,
}

/// A figure of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Of the validation part.
    ValLoss,
    /// Of the training part.
    Loss,
}

impl Monitor {
    /// Its name in a configuration and in `history.csv`.
    pub fn name(self) -> &'static str {
        MONITORS.iter().find(|(_, monitor)| *monitor == self).map_or("", |(name, _)| name)
    }
}

const KEYS: &[&str] = &["loss", "batch_size", "max_epochs", "early_stopping", "checkpoint"];
const CHECKPOINT_KEYS: &[&str] = &["every_epochs", "every_steps"];
const STOPPING_KEYS: &[&str] = &["monitor", "patience", "min_delta", "baseline", "start_from_epoch", "restore_best"];

const LOSSES: [(&str, LossKind); 4] =
    [("bce", LossKind::Bce), ("bce-logits", LossKind::BceLogits), ("mse", LossKind::Mse), ("kl", LossKind::Kl)];

pub(super) const MONITORS: [(&str, Monitor); 2] = [("val_loss", Monitor::ValLoss), ("loss", Monitor::Loss)];

pub(super) fn read(root: &Reader<'_>, model: &ModelConfig, validates: bool) -> Result<TrainConfig, ConfigError> {
    let expected = "a table [train] with loss, batch_size and max_epochs";
    let table = root.need("train", expected)?.table(KEYS, "a table [train]")?;
    let field = table.need("loss", "a loss, as in loss = \"bce\"")?;
    let loss = field.choice(&LOSSES)?;
    let sigmoid = output_activation(model) == Activation::Sigmoid;
    if loss == LossKind::Bce && !sigmoid {
        let found =
            format!("\"bce\" while the last decoder layer's activation is \"{}\"", output_activation(model).name());
        let accepted =
            "a last layer with activation = \"sigmoid\"; or \"bce-logits\", which applies the sigmoid itself";
        return Err(field.refuse_as(found, accepted));
    }
    if loss == LossKind::BceLogits && sigmoid {
        let found = "\"bce-logits\", which applies a sigmoid, while the last decoder layer has applied one already";
        return Err(field.refuse_as(found, "\"bce\"; or a last layer without activation = \"sigmoid\""));
    }
    if loss == LossKind::Kl && model.variational.is_some() {
        let found = "\"kl\" in a variational model";
        return Err(field.refuse_as(found, "\"bce\", \"bce-logits\" or \"mse\", which are likelihoods of an image"));
    }
    let early_stopping = table.get("early_stopping").map(|field| read_stopping(&field, validates)).transpose()?;
    Ok(TrainConfig {
        loss,
        batch_size: table.need("batch_size", "a number of images, as in batch_size = 256")?.count(1)?,
        max_epochs: table.need("max_epochs", "a number of epochs, as in max_epochs = 50")?.count(1)?,
        early_stopping: early_stopping.flatten(),
        checkpoint: table.get("checkpoint").map_or(Ok(Some(CheckpointConfig::default())), |f| read_checkpoint(&f))?,
    })
}

fn read_checkpoint(field: &Field<'_>) -> Result<Option<CheckpointConfig>, ConfigError> {
    if matches!(field.node.value, Value::Boolean(false)) {
        return Ok(None);
    }
    let table = field.table(CHECKPOINT_KEYS, "a table such as { every_epochs = 1, every_steps = 1000 }, or false")?;
    Ok(Some(CheckpointConfig {
        every_epochs: table.get("every_epochs").map_or(Ok(1), |field| field.count(1))?,
        every_steps: table.get("every_steps").map(|field| field.count(1)).transpose()?,
    }))
}

fn read_stopping(field: &Field<'_>, validates: bool) -> Result<Option<EarlyStoppingConfig>, ConfigError> {
    if matches!(field.node.value, Value::Boolean(false)) {
        return Ok(None);
    }
    let table = field.table(STOPPING_KEYS, "a table such as { patience = 5, min_delta = 1e-2 }, or false")?;
    Ok(Some(EarlyStoppingConfig {
        monitor: read_monitor(&table, "monitor", validates)?,
        patience: table.need("patience", "a number of epochs, as in patience = 5")?.count(0)?,
        min_delta: table.number_or("min_delta", NOT_NEGATIVE, 0.0)?,
        baseline: table.number("baseline", FINITE)?,
        start_from_epoch: table.get("start_from_epoch").map_or(Ok(0), |field| field.count(0))?,
        restore_best: table.boolean_or("restore_best", false)?,
    }))
}

/// The figure named at `key` of `table`, `val_loss` where it is absent; `validates` says whether there is such a figure.
pub(super) fn read_monitor(table: &Reader<'_>, key: &str, validates: bool) -> Result<Monitor, ConfigError> {
    let field = table.get(key);
    let monitor = field.as_ref().map_or(Ok(Monitor::ValLoss), |field| field.choice(&MONITORS))?;
    if monitor == Monitor::ValLoss && !validates {
        let found = "\"val_loss\" while data.split has no validation part";
        return Err(table.refuse(key, found, "\"loss\"; or a data.split.validation of at least 1"));
    }
    Ok(monitor)
}
