//! A grid of runs and the report that compares them.
//!
//! A study's folder holds `study.toml`, `runs/<run name>/` for each combination, `summary.csv`, `report.html`, and `codes.csv`
//! where the report measures codes.

mod codes;
mod measure;
mod report;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::config::{RunConfig, StudyConfig};
use crate::data::Splits;
use crate::files::{read_whole, write_whole};
use crate::run::{
    Executed, Found, Machine, Prepared, RunError, RunFolder, create_output, execute, find_run, load_data,
};
use crate::train::{Callback, Stop};

pub use codes::Codes;
pub use measure::{Course, Inverted, Inverting};
pub use report::{inversion_report, report};
pub use summary::{codes_csv, summary_csv};

/// A study that is done, or interrupted.
#[derive(Debug)]
pub struct Study {
    /// What was asked for.
    pub config: StudyConfig,
    /// How it was computed; the threads are those of all runs together.
    pub machine: Machine,
    /// Runs side by side.
    pub jobs: usize,
    /// The runs that were made, in the order of the grid.
    pub runs: Vec<StudyRun>,
    /// Whether it was interrupted before all were made.
    pub interrupted: bool,
}

/// A run of a study.
#[derive(Debug)]
pub struct StudyRun {
    /// Its name: the labels of its grid values.
    pub name: String,
    /// Its configuration.
    pub config: RunConfig,
    /// Its data and model.
    pub prepared: Prepared,
    /// What it gave.
    pub executed: Executed,
    /// Its folder.
    pub folder: PathBuf,
}

/// Makes the listener of each run.
pub trait Observer: Sync {
    /// Called when a run begins, from the thread that makes it.
    fn begin(&self, name: &str, config: &RunConfig) -> Box<dyn Callback<f32>>;
    /// Called in the place of `begin` and `end` for a run that was finished before, and is read back.
    fn kept(&self, name: &str);
    /// Called when a run is done.
    fn end(&self, name: &str, executed: &Executed);
    /// Called as a run's decoder is run backwards: so many of all images are done.
    fn inverting(&self, name: &str, done: usize, all: usize);
    /// Whether no further run is to be begun.
    fn is_interrupted(&self) -> bool;
}

/// Multiply-adds of one training step below which a run does not fill a machine. The four runs of the footwear study
/// (428,354 parameters, batches of 32 and 256) take 6.6 s side by side on two cores, against 7.1 to 8.7 s one after the other
/// on both, measured alternately three times.
const SMALL_STEP: usize = 1 << 30;

/// How many runs to make side by side: one for each thread when the steps of all of them are small.
pub fn default_jobs(runs: &[(String, Prepared, RunConfig)], threads: usize) -> usize {
    let is_small = |(_, prepared, config): &(String, Prepared, RunConfig)| {
        let batch = config.train.batch_size.min(prepared.loaded.split.train.len());
        prepared.model().layout().len().saturating_mul(batch) < SMALL_STEP
    };
    if runs.iter().all(is_small) { threads.min(runs.len()).max(1) } else { 1 }
}

/// Loads the data of every run, once for those that share them, and lays out the models.
pub fn prepare_runs(
    config: &StudyConfig,
    data_dirs: &[PathBuf],
) -> Result<Vec<(String, Prepared, RunConfig)>, RunError> {
    let mut loaded: Vec<(RunConfig, Arc<Splits>)> = Vec::new();
    let mut prepared = Vec::new();
    for (name, run) in config.runs() {
        let same = loaded.iter().find(|(other, _)| (&other.data, other.seed) == (&run.data, run.seed));
        let data = match same {
            Some((_, data)) => Arc::clone(data),
            None => {
                let data = Arc::new(load_data(&run, data_dirs)?);
                loaded.push((run.clone(), Arc::clone(&data)));
                data
            }
        };
        prepared.push((name, Prepared::new(&run, data)?, run));
    }
    Ok(prepared)
}

/// Makes every run of a study that `out` does not hold already, `jobs` at a time, each with its share of the machine's threads, and writes the study's
/// folder `out`. The first run that fails ends the study with its error; what is finished stays.
pub fn run_study(
    config: StudyConfig,
    runs: Vec<(String, Prepared, RunConfig)>,
    out: &Path,
    machine: Machine,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<Study, RunError> {
    begin(&config, out)?;
    let (total, next) = (runs.len(), AtomicUsize::new(0));
    let made: Mutex<Vec<(usize, StudyRun)>> = Mutex::new(Vec::new());
    let failed: Mutex<Option<RunError>> = Mutex::new(None);
    let worker = |machine: Machine| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let stopped = failed.lock().expect("no run panics while holding it").is_some();
            let Some((name, prepared, run)) = runs.get(at).filter(|_| !stopped && !observer.is_interrupted()) else {
                return;
            };
            match make(name, prepared, run, out, machine, observer) {
                Ok(run) => made.lock().expect("no run panics while holding it").push((at, run)),
                Err(error) => {
                    let error = RunError::InStudy { run: name.clone(), source: Box::new(error) };
                    failed.lock().expect("no run panics while holding it").get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for job in 0..jobs {
            // The first jobs take the threads that do not divide evenly.
            let threads = (machine.threads / jobs + usize::from(job < machine.threads % jobs)).max(1);
            scope.spawn(move || worker(Machine { threads, ..machine }));
        }
    });
    if let Some(error) = failed.into_inner().expect("no run panicked") {
        return Err(error);
    }
    let mut made = made.into_inner().expect("no run panicked");
    made.sort_by_key(|(at, _)| *at);
    let runs: Vec<StudyRun> = made.into_iter().map(|(_, run)| run).collect();
    let is_cut = |run: &StudyRun| matches!(run.executed.outcome.stop, Stop::Interrupted { .. });
    let interrupted = runs.len() < total || runs.iter().any(is_cut);
    let study = Study { config, machine, jobs, runs, interrupted };
    if !study.runs.is_empty() {
        write_whole(&out.join("summary.csv"), summary_csv(&study).as_bytes())?;
        let page = match &study.config.report.inversion {
            Some(inversion) if !study.interrupted => {
                inversion_report(&study, inversion, &measure::invert(&study, inversion, observer)?)?
            }
            _ => {
                let codes = codes::measure(&study)?;
                if !codes.is_empty() {
                    write_whole(&out.join("codes.csv"), codes_csv(&codes).as_bytes())?;
                }
                report(&study, &measure::saturation(&study)?, &codes)?
            }
        };
        write_whole(&out.join("report.html"), page.as_bytes())?;
    }
    Ok(study)
}

/// Takes the folder of a study: a new one, or one in which the same study was begun.
fn begin(config: &StudyConfig, out: &Path) -> Result<(), RunError> {
    let (file, text) = (out.join("study.toml"), config.to_toml());
    if !file.is_file() {
        create_output(out)?;
        return Ok(write_whole(&file, text.as_bytes())?);
    }
    let begun = read_whole(&file)?;
    match String::from_utf8_lossy(&begun).lines().zip(text.lines()).position(|(begun, now)| begun != now) {
        None if begun.len() == text.len() => Ok(()),
        line => {
            let line =
                1 + line.unwrap_or(text.lines().count().min(begun.iter().filter(|&&byte| byte == b'\n').count()));
            Err(RunError::OtherStudy { file, line })
        }
    }
}

fn make(
    name: &str,
    prepared: &Prepared,
    config: &RunConfig,
    out: &Path,
    machine: Machine,
    observer: &dyn Observer,
) -> Result<StudyRun, RunError> {
    let folder = RunFolder::take(&out.join("runs").join(name))?;
    let executed = match find_run(&folder, config, prepared)? {
        Found::Finished(executed) => {
            observer.kept(name);
            *executed
        }
        Found::Begun | Found::Absent => {
            let mut listener = observer.begin(name, config);
            let executed = machine.run(|| execute(config, prepared, machine, &folder, &mut *listener))??;
            observer.end(name, &executed);
            executed
        }
    };
    let (name, config, prepared) = (name.to_owned(), config.clone(), prepared.clone());
    Ok(StudyRun { name, config, prepared, executed, folder: folder.path().to_path_buf() })
}
