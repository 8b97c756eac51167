//! A grid of runs and the report that compares them.
//!
//! A study's folder holds `study.toml`, `runs/<run name>/` for each combination, `summary.csv`, `report.html`, and `codes.csv`,
//! `saturation.csv`, `maps.csv`, `generated.csv` and `probe.csv` where the report measures those. Made with several seeds, it holds every
//! run once more for each further seed, under `seeds/<seed>/<run name>/`.

mod facts;
mod figure;
mod repeats;
mod report;
pub mod search;
mod summary;
pub mod workflow;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use narrows_kernels::Context;

pub use repeats::{Paired, Repeats, mean_and_deviation, paired, repeats};

use crate::config::{RunConfig, StudyConfig};
use crate::data::Splits;
use crate::files::{read_whole, write_whole};
use crate::run::{
    Found, Machine, Prepared, REPORT, RunError, RunFolder, RunResult, create_output, execute, find_run, load_data,
    origin, run_config,
};
use crate::tasks::Trained;
use crate::train::{Callback, Stop};

/// A study that is done, or interrupted.
#[derive(Debug)]
pub struct Study {
    /// What its page is about.
    page: Page,
    /// What was asked for.
    pub config: StudyConfig,
    /// How it was computed; the threads are those of all runs together.
    pub machine: Machine,
    /// Runs side by side.
    pub jobs: usize,
    /// Seeds that every run was to be made with.
    pub seeds: usize,
    /// The runs that were made: those of the study's own seed in the order of the grid, then those of the next seed.
    pub runs: Vec<StudyRun>,
    /// Whether it was interrupted before all were made.
    pub interrupted: bool,
    /// What its page says and shows; `None` where no run was begun.
    measured: Option<Measured>,
}

/// What the page of a study says and shows.
#[derive(Debug)]
struct Measured {
    facts: facts::Facts,
    pictures: facts::Pictures,
}

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Page {
    /// A study.
    Study,
    /// One run.
    Run,
    /// Runs that were made apart from each other.
    Comparison,
}

impl Study {
    /// The runs of this name: one for each seed that it was made with.
    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a StudyRun> {
        self.runs.iter().filter(move |run| run.plan.name == name)
    }
}

/// A run of a study, to be made.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name: the labels of its grid values.
    pub name: String,
    /// Which of the study's seeds it takes: 0 for the one that its configuration states, k for k more than that.
    pub repeat: usize,
    /// Its configuration, with its own seed.
    pub config: RunConfig,
    /// Its data and model.
    pub prepared: Prepared,
}

impl Planned {
    /// The name, with the seed where it is not the study's own: "sparse-32, seed 2027".
    pub fn title(&self) -> String {
        match self.repeat {
            0 => self.name.clone(),
            _ => format!("{}, seed {}", self.name, self.config.seed),
        }
    }

    /// Its autoencoder with these parameters. Refuses a run of something else.
    fn trained<'a>(&'a self, params: &'a [f32], context: Context) -> Result<Trained<'a, f32>, RunError> {
        self.prepared.trained(params, context).ok_or_else(|| {
            let (name, task) = (&self.name, self.config.task.name());
            RunError::Unusable(format!("the run {name} trains a {task}; an autoencoder is expected"))
        })
    }

    /// Its folder within that of the study.
    fn folder(&self) -> PathBuf {
        match self.repeat {
            0 => Path::new("runs").join(&self.name),
            _ => Path::new("seeds").join(self.config.seed.to_string()).join(&self.name),
        }
    }
}

/// A run of a study, made.
#[derive(Debug)]
pub struct StudyRun {
    /// What was planned.
    pub plan: Planned,
    /// What it gave.
    pub executed: RunResult,
    /// Its folder.
    pub folder: PathBuf,
}

impl StudyRun {
    /// Its data, divided.
    fn loaded(&self) -> &Arc<Splits> {
        &self.plan.prepared.loaded
    }

    /// Whether `other` is this run without what `take` takes from its configuration: all else is the same, name aside.
    fn is_without(&self, take: impl Fn(&mut RunConfig) -> bool, other: &StudyRun) -> bool {
        let (mut config, other) = (self.plan.config.clone(), &other.plan.config);
        config.name.clone_from(&other.name);
        take(&mut config) && config == *other
    }

    /// Whether it was interrupted before its end.
    fn is_interrupted(&self) -> bool {
        matches!(self.executed.outcome.stop, Stop::Interrupted { .. })
    }

    /// Its autoencoder, trained. Refuses a run of something else.
    fn trained(&self, machine: Machine) -> Result<Trained<'_, f32>, RunError> {
        self.plan.trained(&self.executed.outcome.params, machine.context)
    }
}

/// Makes the callback of each run.
pub trait Observer: Sync {
    /// Called when a run begins, from the thread that makes it.
    fn begin(&self, run: &Planned) -> Box<dyn Callback<f32>>;
    /// Called in the place of `begin` and `end` for a run that was finished before, and is read back.
    fn kept(&self, run: &Planned);
    /// Called when a run is done or interrupted.
    fn end(&self, run: &Planned, executed: &RunResult);
    /// Called as a run's decoder is run backwards: so many of all images are done.
    fn inverting(&self, run: &Planned, done: usize, all: usize);
    /// Whether no further run is to be begun.
    fn is_interrupted(&self) -> bool;
}

/// How often a waiting run checks for an interruption.
const POLL: Duration = Duration::from_millis(100);

/// Multiply-adds of the forward half of one training step below which a run does not fill a machine. The four runs of the footwear study
/// (428,354 parameters, batches of 32 and 256) take 6.6 s side by side on two cores, against 7.1 to 8.7 s one after the other
/// on both, measured alternately three times.
const SMALL_STEP: usize = 1 << 30;

/// How many runs to make side by side: one for each thread when the steps of all of them are small.
pub fn default_jobs(runs: &[Planned], threads: usize) -> usize {
    let are_small = runs.iter().all(|run| is_small(&run.config, &run.prepared));
    if are_small { threads.min(runs.len()).max(1) } else { 1 }
}

/// Whether the steps of a run are too small to fill a machine.
pub fn is_small(config: &RunConfig, prepared: &Prepared) -> bool {
    let batch = config.train.batch_size.min(prepared.loaded.split.train.len());
    prepared.multiply_adds().saturating_mul(batch) < SMALL_STEP
}

/// Loads the data of every run, once for those that share them, and lays out the models; each run once for each of `seeds`
/// seeds: its own, and those that follow it.
pub fn prepare_runs(config: &StudyConfig, seeds: usize, data_dirs: &[PathBuf]) -> Result<Vec<Planned>, RunError> {
    let mut loaded: Vec<(RunConfig, Arc<Splits>)> = Vec::new();
    let mut planned: Vec<Planned> = Vec::new();
    let config_names: Vec<String> = config.runs().into_iter().map(|(name, _)| name).collect();
    for repeat in 0..seeds {
        for (name, mut config) in config.runs() {
            // TOML's integers end where those of i64 do.
            config.seed = (config.seed + repeat as u64) & i64::MAX as u64;
            let prepared = Prepared::new(&config, shared(&config, &mut loaded, data_dirs)?)?;
            prepared.check_memory()?;
            let plan = Planned { name, repeat, prepared, config };
            if let Some(origin) = origin(&plan.config, &plan.prepared) {
                let is_later = config_names.iter().any(|name| name == origin.run);
                if is_later && source_of(&plan, &planned).is_none() {
                    return Err(RunError::Folder(format!(
                        "the run {} takes weights from {}, which does not stand before it in the study; put it there",
                        plan.name, origin.run
                    )));
                }
            }
            planned.push(plan);
        }
    }
    facts::check(&config.report, &planned)?;
    Ok(planned)
}

/// Makes every run of `runs` that `out` does not hold already, `jobs` at a time, each with its share of the machine's threads,
/// and writes the study's folder `out`. A run that fails ends the study with its error; what is finished stays.
pub fn run_study(
    config: StudyConfig,
    runs: Vec<Planned>,
    out: &Path,
    machine: Machine,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<Study, RunError> {
    take_folder(&config.to_toml(), out)?;
    let (total, next) = (runs.len(), AtomicUsize::new(0));
    let seeds = runs.iter().map(|run| run.repeat + 1).max().unwrap_or(1);
    let made: Mutex<BTreeMap<usize, Result<StudyRun, RunError>>> = Mutex::default();
    let one_more = Condvar::new();
    let worker = |machine: Machine| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let stopped = made.lock().expect("no run panics while holding it").values().any(Result::is_err);
            let Some(plan) = runs.get(at).filter(|_| !stopped && !observer.is_interrupted()) else {
                return;
            };
            if let Some(source) = source_of(plan, &runs[..at]) {
                // It has been begun, since runs are begun in their order.
                let mut so_far = made.lock().expect("no run panics while holding it");
                while !so_far.contains_key(&source) && so_far.values().all(Result::is_ok) {
                    if observer.is_interrupted() {
                        return;
                    }
                    so_far = one_more.wait_timeout(so_far, POLL).expect("no run panics while holding it").0;
                }
                if so_far.values().any(Result::is_err) || observer.is_interrupted() {
                    return;
                }
            }
            let run = make(plan, out, machine, observer)
                .map_err(|error| RunError::InStudy { run: plan.title(), source: Box::new(error) });
            made.lock().expect("no run panics while holding it").insert(at, run);
            one_more.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for job in 0..jobs {
            scope.spawn(move || worker(machine.share(job, jobs)));
        }
    });
    let made = made.into_inner().expect("no run panicked");
    let runs: Vec<StudyRun> = made.into_values().collect::<Result<_, _>>()?;
    let interrupted = runs.len() < total || runs.iter().any(StudyRun::is_interrupted);
    let mut study = Study { page: Page::Study, config, machine, jobs, seeds, runs, interrupted, measured: None };
    if !study.runs.is_empty() {
        study.measured = Some(write_reports(&study, out, observer)?);
    }
    Ok(study)
}

/// Writes the tables of [`summary::files`] and `report.html`. Codes, saturation, images and inversion are measured only where every run is
/// finished.
fn write_reports(study: &Study, out: &Path, observer: &dyn Observer) -> Result<Measured, RunError> {
    let (facts, pictures) = study.machine.run(|| facts::measured(study, observer))??;
    for (name, text) in summary::files(&facts) {
        write_whole(&out.join(name), text.as_bytes())?;
    }
    report::write(report::page(&facts, &pictures), out)?;
    Ok(Measured { facts, pictures })
}

/// The page about one run, or about several that are no study: setup, figures, curves, reconstructions, and for each autoencoder
/// errors by class, codes and what codes decode to. Runs of one name are repeats with other seeds. Refused: no runs.
pub fn page_of(title: &str, runs: Vec<StudyRun>, machine: Machine) -> Result<String, RunError> {
    let firsts = runs.iter().filter(|run| run.plan.repeat == 0);
    let named = firsts.map(|run| (run.plan.name.clone(), run.plan.config.clone())).collect();
    let page = if runs.len() == 1 { Page::Run } else { Page::Comparison };
    let Some(config) = StudyConfig::of_runs(title, named) else {
        return Err(RunError::Unusable("a page is about a run at least, and there is none".to_owned()));
    };
    let interrupted = runs.iter().any(StudyRun::is_interrupted);
    let seeds = runs.iter().map(|run| run.plan.repeat + 1).max().unwrap_or(1);
    let study = Study { page, config, machine, jobs: 1, seeds, runs, interrupted, measured: None };
    let (facts, pictures) = study.machine.run(|| facts::looked_at(&study))??;
    report::page(&facts, &pictures)
        .map_err(|error| RunError::Unusable(format!("cannot write the page: {}", report::told(&error))))
}

/// Writes the page of a finished run into its folder.
pub fn write_page_of_run(
    config: RunConfig,
    prepared: Prepared,
    executed: RunResult,
    folder: &Path,
    machine: Machine,
) -> Result<(), RunError> {
    let (title, plan) = (config.name.clone(), Planned { name: config.name.clone(), repeat: 0, config, prepared });
    let page = page_of(&title, vec![StudyRun { plan, executed, folder: folder.to_path_buf() }], machine)?;
    Ok(write_whole(&folder.join(REPORT), page.as_bytes())?)
}

/// The finished runs in these folders, with the data that they were made with. Each has a name, and a number where it is one of several
/// of that name that differ in their seeds.
pub fn open_runs(
    paths: impl IntoIterator<Item = (String, usize, PathBuf)>,
    data_dirs: &[PathBuf],
) -> Result<Vec<StudyRun>, RunError> {
    let mut loaded = Vec::new();
    let open = paths.into_iter().map(|(name, repeat, path)| {
        let config = run_config(&path)?;
        let prepared = Prepared::new(&config, shared(&config, &mut loaded, data_dirs)?)?;
        let folder = RunFolder::take(&path)?;
        let Found::Finished(executed) = find_run(&folder, &config, &prepared)? else {
            let path = path.display();
            return Err(RunError::Folder(format!(
                "the run in {path} is not finished; the page is about finished runs"
            )));
        };
        let plan = Planned { name, repeat, config, prepared };
        Ok(StudyRun { plan, executed: *executed, folder: path })
    });
    open.collect()
}

/// The data of a run: those that are loaded, where another run has the same.
fn shared(
    config: &RunConfig,
    loaded: &mut Vec<(RunConfig, Arc<Splits>)>,
    data_dirs: &[PathBuf],
) -> Result<Arc<Splits>, RunError> {
    let same = loaded.iter().find(|(other, _)| (&other.data, other.seed) == (&config.data, config.seed));
    if let Some((_, data)) = same {
        return Ok(Arc::clone(data));
    }
    let data = Arc::new(load_data(config, data_dirs)?);
    loaded.push((config.clone(), Arc::clone(&data)));
    Ok(data)
}

/// Takes the folder of a study with this configuration: a new one, or one in which the same study was begun.
fn take_folder(text: &str, out: &Path) -> Result<(), RunError> {
    let file = out.join("study.toml");
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
            Err(RunError::Folder(format!(
                "{} is of another study: it differs from what is asked for in line {line}; nothing was changed. The same \
                 configuration and settings go on with it, another study needs another folder (--out)",
                file.display()
            )))
        }
    }
}

/// The number of the run among those before `plan` that it takes weights from, if it is one of them.
fn source_of(plan: &Planned, before: &[Planned]) -> Option<usize> {
    let origin = origin(&plan.config, &plan.prepared)?;
    before.iter().position(|other| other.repeat == plan.repeat && other.name == origin.run)
}

fn make(plan: &Planned, out: &Path, machine: Machine, observer: &dyn Observer) -> Result<StudyRun, RunError> {
    let folder = RunFolder::take(&out.join(plan.folder()))?;
    let (config, prepared) = (&plan.config, &plan.prepared);
    let executed = match find_run(&folder, config, prepared)? {
        Found::Finished(executed) => {
            observer.kept(plan);
            *executed
        }
        Found::Begun | Found::Absent => {
            let mut callback = observer.begin(plan);
            let executed = machine.run(|| execute(config, prepared, machine, &folder, &mut *callback))??;
            observer.end(plan, &executed);
            executed
        }
    };
    let run = StudyRun { plan: plan.clone(), executed, folder: folder.path().to_path_buf() };
    // A study has its number of epochs: a run of it that has ended is not resumed.
    if !run.is_interrupted() {
        folder.forget_state()?;
    }
    Ok(run)
}
