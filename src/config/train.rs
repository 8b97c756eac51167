//! `[train]`: what is minimised, in what steps, and when it ends.

use super::document::Value;
use super::error::ConfigError;
use super::model::output_activation;
use super::read::{FINITE, Field, NOT_NEGATIVE, Reader};
use crate::loss::Loss;
use crate::nn::Activation;
use crate::optim::Monitor;
use crate::tasks::AutoencoderSpec;
use crate::train::{CheckpointRule, EarlyStoppingRule, TrainSettings};

const KEYS: &[&str] = &["loss", "batch_size", "max_epochs", "early_stopping", "checkpoint"];
const CHECKPOINT_KEYS: &[&str] = &["every_epochs", "every_steps"];
const STOPPING_KEYS: &[&str] = &["monitor", "patience", "min_delta", "baseline", "start_from_epoch", "restore_best"];

pub(super) fn read(
    root: &Reader<'_>,
    model: &mut AutoencoderSpec,
    validates: bool,
) -> Result<TrainSettings, ConfigError> {
    let expected = "a table [train] with loss, batch_size and max_epochs";
    let table = root.need("train", expected)?.table(KEYS, "a table [train]")?;
    let field = table.need("loss", "a loss, as in loss = \"bce\"")?;
    let loss = field.choice(&Loss::NAMED)?;
    let sigmoid = output_activation(model) == Activation::Sigmoid;
    if loss == Loss::Bce && !sigmoid {
        let found =
            format!("\"bce\" while the last decoder layer's activation is \"{}\"", output_activation(model).name());
        let accepted =
            "a last layer with activation = \"sigmoid\"; or \"bce-logits\", which applies the sigmoid itself";
        return Err(field.refuse_as(found, accepted));
    }
    if loss == Loss::BceLogits && sigmoid {
        let found = "\"bce-logits\", which applies a sigmoid, while the last decoder layer has applied one already";
        return Err(field.refuse_as(found, "\"bce\"; or a last layer without activation = \"sigmoid\""));
    }
    if loss == Loss::Kl && model.variational.is_some() {
        let found = "\"kl\" in a variational model";
        return Err(field.refuse_as(found, "\"bce\", \"bce-logits\" or \"mse\", which are likelihoods of an image"));
    }
    let early_stopping = table.get("early_stopping").map(|field| read_stopping(&field, validates)).transpose()?;
    model.loss = loss;
    Ok(TrainSettings {
        batch_size: table.need("batch_size", "a number of images, as in batch_size = 256")?.count(1)?,
        max_epochs: table.need("max_epochs", "a number of epochs, as in max_epochs = 50")?.count(1)?,
        early_stopping: early_stopping.flatten(),
        checkpoint: table.get("checkpoint").map_or(Ok(Some(CheckpointRule::default())), |f| read_checkpoint(&f))?,
    })
}

fn read_checkpoint(field: &Field<'_>) -> Result<Option<CheckpointRule>, ConfigError> {
    if matches!(field.node.value, Value::Boolean(false)) {
        return Ok(None);
    }
    let table = field.table(CHECKPOINT_KEYS, "a table such as { every_epochs = 1, every_steps = 1000 }, or false")?;
    Ok(Some(CheckpointRule {
        every_epochs: table.get("every_epochs").map_or(Ok(1), |field| field.count(1))?,
        every_steps: table.get("every_steps").map(|field| field.count(1)).transpose()?,
    }))
}

fn read_stopping(field: &Field<'_>, validates: bool) -> Result<Option<EarlyStoppingRule>, ConfigError> {
    if matches!(field.node.value, Value::Boolean(false)) {
        return Ok(None);
    }
    let table = field.table(STOPPING_KEYS, "a table such as { patience = 5, min_delta = 1e-2 }, or false")?;
    Ok(Some(EarlyStoppingRule {
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
    let monitor = field.as_ref().map_or(Ok(Monitor::ValLoss), |field| field.choice(&Monitor::NAMED))?;
    if monitor == Monitor::ValLoss && !validates {
        let found = "\"val_loss\" while data.split has no validation part";
        return Err(table.refuse(key, found, "\"loss\"; or a data.split.validation of at least 1"));
    }
    Ok(monitor)
}
