//! `narrows train --dry-run`: what would be trained, in what memory and time, and which files it would write.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use super::CliError;
use super::output::{self, duration, say};
use super::runs::size;
use narrows::config::RunConfig;
use narrows::figures::number::{counted, median};
use narrows::run::{Machine, Prepared, beside, fit, run_files};
use narrows::tape::Arena;
use narrows::train::{Callback, Event, Flow, Metrics};

/// How long steps are timed.
const LONG_ENOUGH: Duration = Duration::from_secs(1);
/// Validation images that are timed.
const VALIDATED: usize = 500;

/// The times between events of a training that is only looked at.
#[derive(Default)]
struct Stopwatch {
    began: Option<Instant>,
    last: Option<Instant>,
    steps: Vec<f64>,
    epochs: Vec<f64>,
}

impl Callback<f32> for Stopwatch {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        let now = Instant::now();
        match event {
            Event::StepDone { .. } => self.steps.extend(self.last.replace(now).map(|last| (now - last).as_secs_f64())),
            Event::EpochDone { record, .. } => {
                self.epochs.push(record.seconds);
                // What lies between two epochs is no step.
                self.last = None;
            }
        }
        let is_long = self.began.get_or_insert(now).elapsed() >= LONG_ENOUGH;
        let is_enough = self.steps.len() > 1 || self.epochs.len() > 2;
        if is_long && is_enough { Flow::Interrupt } else { Flow::Continue }
    }
}

/// Says what training would be, in the folder `out`, and writes nothing.
pub fn run(config: &RunConfig, prepared: &Prepared, machine: Machine, out: PathBuf) -> Result<(), CliError> {
    let steps = prepared.steps(&config.train);
    let (watch, validation) = machine.run(|| -> Result<_, CliError> {
        let mut watch = Stopwatch::default();
        fit(config, prepared, beside(&out), machine.context, &mut watch)?;
        let (params, mut arena) = (prepared.task.init(config.seed), Arena::default());
        let images = prepared.loaded.validation();
        let some = images.first(VALIDATED);
        let mut timed = || {
            let began = Instant::now();
            prepared.task.validate(machine.context, &params, some, &mut arena, &mut Metrics::default());
            began.elapsed().as_secs_f64()
        };
        // The first time memory is made.
        timed();
        let each = if some.is_empty() { 0.0 } else { timed() / some.len() as f64 };
        Ok((watch, each * images.len() as f64))
    })??;
    // The first epoch and the first step make memory.
    let (epoch, timed) = match watch.epochs.get(1..).and_then(median) {
        Some(seconds) => (Some(seconds), counted(watch.epochs.len() - 1, "timed epoch")),
        None => {
            let epoch = median(&watch.steps).map(|step| step * steps as f64 + validation);
            (epoch, counted(watch.steps.len(), "timed step"))
        }
    };
    let (memory, epochs) = (prepared.training_memory(), config.train.max_epochs);
    let files = run_files(config, prepared);
    output::json(|| {
        json!({
            "folder": out.display().to_string(),
            "parameters": prepared.layout().len(),
            "memory_bytes": memory,
            "steps_per_epoch": steps,
            "max_epochs": epochs,
            "timed_steps": watch.steps.len(),
            "epoch_seconds": epoch,
            "files": files,
        })
    });
    say!("Parameters, gradients and moments: {}; what a batch passes through comes on top", size(memory));
    match epoch {
        Some(seconds) => say!(
            "An epoch: about {}, from {timed}; all {} at most about {}",
            duration(seconds),
            counted(epochs, "epoch"),
            duration(seconds * epochs as f64),
        ),
        None => say!("An epoch: not known, because there is a single step in all"),
    }
    say!("It would write to {}:", out.display());
    files.iter().for_each(|file| say!("  {file}"));
    say!("Nothing was written.");
    Ok(())
}
