//! What a run folder says of its run, read without the data that it was made with.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::error::RunError;
use super::folder::{CONFIG, EARLY, ENVIRONMENT, HISTORY, LAST_EPOCH, METRICS, read_json, run_config};
use super::lock::{CHECKPOINTS, is_taken};
use super::resume::read_history;
use crate::config::RunConfig;
use crate::files::FileError;
use crate::train::History;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// All epochs are done.
    Finished,
    /// Early stopping ran out of patience.
    Stopped,
    /// A person ended it after this step of this epoch, both counted from 1.
    Interrupted {
        /// The epoch.
        epoch: u64,
        /// The step.
        step: u64,
    },
    /// A process is at it.
    UnderWay,
    /// No process is at it, and it has not come to its end: it was killed, or failed.
    Broken,
}

impl RunState {
    /// A word for tables and files.
    pub fn word(self) -> &'static str {
        match self {
            RunState::Finished => "finished",
            RunState::Stopped => "stopped early",
            RunState::Interrupted { .. } => "interrupted",
            RunState::UnderWay => "under way",
            RunState::Broken => "not finished",
        }
    }

    /// Whether the run came to its end.
    pub fn is_done(self) -> bool {
        matches!(self, RunState::Finished | RunState::Stopped)
    }
}

/// A run, as its folder tells of it.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The folder.
    pub path: PathBuf,
    /// The configuration.
    pub config: RunConfig,
    /// How far it is.
    pub state: RunState,
    /// The epochs so far; of a run under way, those that were written.
    pub history: History,
    /// `metrics.json`; null before the run has ended.
    pub metrics: Value,
    /// `environment.json`; null where it is absent.
    pub environment: Value,
    /// When it last wrote something, where the file system says.
    pub written: Option<SystemTime>,
}

impl RunRecord {
    /// Reads the run in `path`, finished or not. Refused: a folder without `config.toml`, files that are not those of a run.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let config = run_config(path)?;
        // Asked before the files are read: a run that ends meanwhile is one under way with all its files.
        let taken = is_taken(path);
        let is_there = |name: &&str| path.join(name).is_file();
        let json = |name| Some(name).filter(is_there).map_or(Ok(Value::Null), |name| read_json(path, name));
        let metrics = json(METRICS)?;
        let history = Some(HISTORY).filter(is_there).map_or(Ok(History::default()), |_| read_history(path))?;
        let interrupted = &metrics["stop"]["interrupted"];
        let count = |key: &str| interrupted[key].as_u64().unwrap_or(0);
        let state = match metrics["stop"].as_str() {
            Some(LAST_EPOCH) => RunState::Finished,
            Some(EARLY) => RunState::Stopped,
            // A resumed run first removes metrics.json.
            _ if interrupted.is_object() => RunState::Interrupted { epoch: count("epoch"), step: count("step") },
            _ if taken => RunState::UnderWay,
            _ => RunState::Broken,
        };
        let environment = json(ENVIRONMENT)?;
        let time = |name: &str| fs::metadata(path.join(name)).and_then(|found| found.modified()).ok();
        let written = [CONFIG, HISTORY, METRICS].into_iter().filter_map(time).max();
        Ok(RunRecord { path: path.to_path_buf(), config, state, history, metrics, environment, written })
    }

    /// The configuration as a tree of values.
    pub fn settings(&self) -> Value {
        toml::from_str(&self.config.to_toml()).unwrap_or_default()
    }

    /// The date and time of the last writing, in UTC: "2026-11-28 14:05"; empty where nobody knows.
    pub fn date(&self) -> String {
        let since = self.written.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.map_or(String::new(), |since| utc(since.as_secs()))
    }

    /// Everything but the history, as `narrows runs --json` prints it.
    pub fn to_json(&self) -> Value {
        json!({
            "folder": self.path.display().to_string(),
            "name": self.config.name,
            "state": self.state.word(),
            "written": self.date(),
            "epochs": self.history.epochs.len(),
            "config": self.settings(),
            "config_sha256": self.config.digest(),
            "environment": self.environment,
            "metrics": self.metrics,
        })
    }

    /// The history by its columns; a cell that is empty is null.
    pub fn columns(&self) -> Value {
        let names = History::COLUMNS.into_iter().chain(self.history.names.iter().map(String::as_str));
        let rows: Vec<Vec<f64>> = self.history.epochs.iter().map(|epoch| epoch.numbers()).collect();
        let column = |(at, name): (usize, &str)| (name.to_owned(), rows.iter().map(|row| json!(row[at])).collect());
        Value::Object(names.enumerate().map(column).collect::<Map<_, _>>())
    }
}

/// The folders of runs in `folder` and below it, those of studies among them, in the order of their paths; `folder` itself, if
/// it is one. Refused: a folder that cannot be read.
pub fn find_runs(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_path_buf(), 0)];
    while let Some((path, depth)) = open.pop() {
        if path.join(CONFIG).is_file() {
            found.push(path);
            continue;
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(FileError::on("read", &path)(error).into()),
            Err(_) => continue,
        };
        // The deepest are those of a workflow's study with several seeds: runs/WORKFLOW/parts/PART/seeds/SEED/RUN.
        if depth < DEEPEST {
            let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let folders = folders.filter(|entry| entry.file_name() != CHECKPOINTS);
            open.extend(folders.map(|entry| (entry.path(), depth + 1)));
        }
    }
    found.sort();
    Ok(found)
}

/// Folders below the one that is asked about in which runs are looked for.
const DEEPEST: usize = 6;

/// Seconds since 1970 as date and time of day in UTC (the proleptic Gregorian calendar, by years that begin in March, of which
/// the leap day is the last).
fn utc(seconds: u64) -> String {
    let (days, minutes) = (seconds / 86_400 + 719_468, seconds % 86_400 / 60);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + 400 * era + u64::from(month > 9), (month + 2) % 12 + 1);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn seconds_become_dates() {
        // By `date -u -d @SECONDS`.
        for (seconds, date) in [
            (0, "1970-01-01 00:00"),
            (951_782_399, "2000-02-28 23:59"),
            (951_782_400, "2000-02-29 00:00"),
            (1_709_251_199, "2024-02-29 23:59"),
            (1_735_689_599, "2024-12-31 23:59"),
            (1_795_874_700, "2026-11-28 14:05"),
            (4_107_542_400, "2100-03-01 00:00"),
        ] {
            assert_eq!(utc(seconds), date);
        }
    }
}
