//! A trial of a search: a run of which only the objective is kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::environment::Machine;
use super::error::RunError;
use super::execute::fit;
use super::prepare::{Prepared, load_data};
use crate::config::{RunConfig, SearchConfig};
use crate::data::Splits;
use crate::search::{End, Running};
use crate::settings::Fault;
use crate::train::{Callback, Event, Flow, History, Stop, Task};

/// Data sets that are kept for trials to come, or as many as there are folds: where a number of images varies, every trial may have
/// another.
const KEPT: usize = 4;

/// What the trials of a search share: its configuration, and the data, loaded once for those that take the same.
#[derive(Debug)]
pub struct Trials<'a> {
    config: &'a SearchConfig,
    data_dirs: &'a [PathBuf],
    /// Where a run that trials begin with and that is named without a folder is looked for.
    beside: &'a Path,
    /// The least recently used first.
    loaded: Mutex<Vec<(RunConfig, Arc<Splits>)>>,
}

impl<'a> Trials<'a> {
    /// Loads the data of the trial in the middle of the space, for a search in the folder `out`, where the best trial becomes a run.
    /// Refused: an objective that no trial would have.
    pub fn new(config: &'a SearchConfig, data_dirs: &'a [PathBuf], out: &'a Path) -> Result<Self, RunError> {
        let trials = Trials { config, data_dirs, beside: out, loaded: Mutex::default() };
        let run = config.middle_run()?;
        if config.settings.over_folds && run.data.folds.is_none() {
            let found = "true without data.folds";
            return Err(Fault::new("search.over_folds", found, "a number of folds, as in data.folds = 5").into());
        }
        let names = Task::<f32>::scalar_names(&*trials.prepare(&run)?.task);
        let objective = &config.settings.objective;
        let known = History::COLUMNS[1..3].iter().copied().chain(names.iter().map(String::as_str));
        let is_validated = run.data.split.validation > 0 || run.data.folds.is_some();
        let known: Vec<&str> = known.filter(|name| is_validated || !name.starts_with("val_")).collect();
        if !known.contains(&objective.as_str()) {
            let found = format!("{objective:?}, which no trial has");
            return Err(Fault::new("search.objective", found, known.join(", ")).into());
        }
        Ok(trials)
    }

    /// The data and the model of a run.
    pub fn prepare(&self, run: &RunConfig) -> Result<Prepared, RunError> {
        // Held while loading, so that nothing is loaded twice.
        let mut loaded = self.loaded.lock().expect("nobody panics while holding it");
        let same = loaded.iter().position(|(other, _)| (&other.data, other.seed) == (&run.data, run.seed));
        let entry = match same {
            Some(at) => loaded.remove(at),
            None => (run.clone(), Arc::new(load_data(run, self.data_dirs)?)),
        };
        let data = Arc::clone(&entry.1);
        loaded.push(entry);
        if loaded.len() > KEPT.max(run.data.folds.unwrap_or(1)) {
            loaded.remove(0);
        }
        drop(loaded);
        Prepared::new(run, data)
    }

    /// Makes a trial: its end, or none where the callback interrupted it. What is wrong with the trial's own configuration, model or
    /// training is its failure; every other error ends the search, for instance a model that does not fit in
    /// memory.
    pub fn make(
        &self,
        running: &Running<'_>,
        machine: Machine,
        callback: &mut dyn Callback<f32>,
    ) -> Result<Option<End>, RunError> {
        match self.train(running, machine, callback) {
            Err(error @ (RunError::Config(_) | RunError::Model(_) | RunError::Setting(_) | RunError::Train(_))) => {
                Ok(Some(End::Failed(error.to_string())))
            }
            end => end,
        }
    }

    fn train(
        &self,
        running: &Running<'_>,
        machine: Machine,
        callback: &mut dyn Callback<f32>,
    ) -> Result<Option<End>, RunError> {
        let mut run = self.config.run(running.point)?;
        if !self.config.settings.over_folds {
            return self.train_one(&run, Some(running), machine, callback);
        }
        let (folds, mut sum) = (run.data.folds.unwrap_or(1), 0.0);
        for fold in 0..folds {
            run.data.fold = fold;
            match self.train_one(&run, None, machine, callback)? {
                Some(End::Complete(value)) => sum += value,
                end => return Ok(end),
            }
            let is_given_up = running.report(sum / (fold + 1) as f64);
            if is_given_up && fold + 1 < folds {
                return Ok(Some(End::Pruned));
            }
        }
        Ok(Some(End::of(sum / folds as f64)))
    }

    /// Trains one run. After each epoch the objective is reported to `running`, where that is given.
    fn train_one(
        &self,
        run: &RunConfig,
        running: Option<&Running<'_>>,
        machine: Machine,
        callback: &mut dyn Callback<f32>,
    ) -> Result<Option<End>, RunError> {
        let prepared = self.prepare(run)?;
        prepared.check_memory()?;
        let objective = &self.config.settings.objective;
        let epochs = run.train.max_epochs;
        let mut watch = Watch { objective, running, callback, epochs, values: Vec::new(), is_given_up: false };
        let outcome = machine.run(|| fit(run, &prepared, self.beside, machine.context, &mut watch))??;
        let Watch { values, is_given_up, .. } = watch;
        if let Stop::Interrupted { .. } = outcome.stop {
            return Ok(is_given_up.then_some(End::Pruned));
        }
        let kept = outcome.best.filter(|_| outcome.restored_best).map_or(values.len(), |best| best.epoch);
        let value = kept.checked_sub(1).and_then(|at| values.get(at)).copied().unwrap_or(f64::NAN);
        Ok(Some(End::of(value)))
    }
}

/// Reports the objective after each epoch.
struct Watch<'a, 'b> {
    objective: &'a str,
    running: Option<&'a Running<'b>>,
    callback: &'a mut dyn Callback<f32>,
    epochs: usize,
    values: Vec<f64>,
    is_given_up: bool,
}

impl Callback<f32> for Watch<'_, '_> {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::EpochDone { record, names, .. } = event {
            let objective = record.named(names).find(|(name, _)| *name == self.objective);
            let value = objective.map_or(f64::NAN, |(_, value)| value);
            self.values.push(value);
            // A trial that has come to its end is not pruned any more.
            self.is_given_up = self.running.is_some_and(|running| running.report(value)) && record.epoch < self.epochs;
        }
        match self.callback.on_event(event) {
            Flow::Continue if self.is_given_up => Flow::Interrupt,
            Flow::Continue => Flow::Continue,
            Flow::Interrupt => {
                self.is_given_up = false;
                Flow::Interrupt
            }
        }
    }

    fn on_note(&mut self, sentence: &str) {
        self.callback.on_note(sentence);
    }
}
