//! `--events FILE`: what happens in training, as it happens, a line of JSON each. `docs/output.schema.json` says what they hold.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::CliError;
use super::progress::RunProgress;
use narrows::run::RunRecord;
use narrows::train::{Callback, Event, Flow};

/// Progress for a person, and events for a program where it asked for them.
pub struct Listeners {
    /// For the person.
    pub progress: RunProgress,
    /// For the program.
    pub events: Option<Events>,
}

/// The file that events go to the end of.
pub struct Events {
    file: File,
    name: String,
}

impl Events {
    /// Refused: a file that cannot be written, and one that has something in it, unless its run is resumed.
    pub fn open(path: &Path, is_resumed: bool) -> Result<Events, CliError> {
        let name = path.display().to_string();
        if !is_resumed && path.metadata().is_ok_and(|found| found.is_file() && found.len() > 0) {
            return Err(CliError::Usage(format!(
                "{name} has something in it already; another name is expected for --events"
            )));
        }
        match File::options().append(true).create(true).open(path) {
            Ok(file) => Ok(Events { file, name }),
            Err(error) => Err(CliError::Usage(format!(
                "cannot open {name}: {error}; a file that can be written is expected for --events"
            ))),
        }
    }

    /// A line at once, so that a reader is never behind. A file that can no longer be written is given up with a word.
    fn write(&mut self, event: &Value) -> Result<(), String> {
        let written = self.file.write_all(format!("{event}\n").as_bytes());
        written.map_err(|error| format!("cannot write {}: {error}; training goes on without events", self.name))
    }
}

impl Listeners {
    /// Writes an event.
    pub fn tell(&mut self, event: Value) {
        if let Some(events) = &mut self.events
            && let Err(sentence) = events.write(&event)
        {
            self.events = None;
            self.progress.on_note(&sentence);
        }
    }

    /// The event of a run that begins, of so many steps an epoch.
    pub fn begin(&mut self, folder: &Path, config: &narrows::config::RunConfig, steps: usize) {
        self.tell(json!({
            "event": "begin",
            "folder": folder.display().to_string(),
            "name": config.name,
            "seed": config.seed,
            "config_sha256": config.digest(),
            "max_epochs": config.train.max_epochs,
            "steps": steps,
        }));
    }

    /// The event of a run that has ended, which is then read from its folder.
    pub fn end(&mut self, record: &RunRecord) {
        self.tell(json!({
            "event": "end",
            "state": record.state.word(),
            "epochs": record.history.epochs.len(),
            "evaluation": record.metrics["evaluation"],
        }));
    }
}

impl Callback<f32> for Listeners {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if self.events.is_some() {
            self.tell(match event {
                Event::StepDone { epoch, step, steps, loss } => {
                    json!({ "event": "step", "epoch": epoch, "step": step, "steps": steps, "loss": loss })
                }
                Event::EpochDone { record, names, improved, .. } => {
                    let mut line = Map::from_iter([("event".to_owned(), json!("epoch"))]);
                    line.extend(record.named(names).map(|(name, value)| match name {
                        "epoch" => (name.to_owned(), json!(record.epoch)),
                        _ => (name.to_owned(), json!(value)),
                    }));
                    line.insert("improved".to_owned(), json!(improved));
                    Value::Object(line)
                }
            });
        }
        self.progress.on_event(event)
    }

    fn on_note(&mut self, sentence: &str) {
        self.tell(json!({ "event": "note", "text": sentence }));
        self.progress.on_note(sentence);
    }
}
