//! A search and its report.
//!
//! The folder of a search holds `search.toml`, a journal for each sampler with each pruner, `trials.csv`, `best.toml`, `best/` (the best trial
//! made once more, as a run of its own), and `report.html`.

pub(super) mod facts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::{RunConfig, SearchConfig};
use crate::files::{FileError, sha256, write_whole};
use crate::run::{
    FolderLock, Found, Machine, Prepared, REPORT, RunError, RunFolder, RunResult, Trials, execute, find_run, prepare,
    run_config,
};
use crate::search::{Journal, Outcome, Point, PrunerKind, Running, SamplerKind, Search, Trial, drive};
use crate::train::{Callback, Stop};

/// A search that is done, or interrupted.
#[derive(Debug)]
pub struct SearchResult {
    /// What was asked for.
    pub config: SearchConfig,
    /// How it was computed; the threads are those of all trials together.
    pub machine: Machine,
    /// Trials side by side.
    pub jobs: usize,
    /// What each sampler with each pruner did.
    pub arms: Vec<ArmResult>,
    /// Whether it was interrupted before all was done.
    pub interrupted: bool,
    /// The figures of the test images of the best trial, made once more as a run of its own; `None` where there is no best trial or no test
    /// image, and after an interruption.
    pub test: Option<Value>,
}

/// A sampler and a pruner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    /// Who suggests.
    pub sampler: SamplerKind,
    /// Who gives up.
    pub pruner: PrunerKind,
}

impl Arm {
    /// "tpe", or "tpe with median".
    pub fn name(&self) -> String {
        match self.pruner {
            PrunerKind::None => self.sampler.name().to_owned(),
            pruner => format!("{} with {}", self.sampler.name(), pruner.name()),
        }
    }
}

/// What a sampler with a pruner did.
#[derive(Debug)]
pub struct ArmResult {
    /// Which.
    pub arm: Arm,
    /// Its trials.
    pub search: Search,
}

/// Who is told how a search goes on.
pub trait SearchObserver: Sync {
    /// Called when a sampler begins, with what it did before.
    fn arm(&self, arm: Arm, made: usize);
    /// Called when a trial begins, from the thread that makes it.
    fn begin(&self, running: &Running<'_>) -> Box<dyn Callback<f32>>;
    /// Called when the best trial is made as a run of its own.
    fn winner(&self) -> Box<dyn Callback<f32>>;
    /// Called when a trial has ended.
    fn end(&self, number: usize, point: &Point, outcome: &Outcome);
    /// Takes a sentence for a person.
    fn note(&self, sentence: &str);
    /// Whether no further trial is to be begun.
    fn is_interrupted(&self) -> bool;
}

/// The file of the best trial's configuration.
const BEST: &str = "best.toml";
/// The file of a search's configuration in its folder.
pub const SEARCH: &str = "search.toml";

/// Makes every trial that `out` does not hold already, `jobs` at a time, each with its share of the machine's threads, and writes the folder
/// `out` of the search.
pub fn run_search(
    config: SearchConfig,
    data_dirs: &[PathBuf],
    out: &Path,
    machine: Machine,
    jobs: usize,
    observer: &dyn SearchObserver,
) -> Result<SearchResult, RunError> {
    let _lock = FolderLock::take(out)?;
    let trials = Trials::new(&config, data_dirs, out)?;
    let data = trials.prepare(&config.middle_run()?)?.loaded.data.digest();
    write_whole(&out.join(SEARCH), config.to_toml().as_bytes())?;
    let work = Work { config: &config, trials: &trials, data, out, machine, jobs, observer };
    let mut arms = Vec::new();
    for (sampler, pruner) in config.settings.arms() {
        if !observer.is_interrupted() {
            let arm = Arm { sampler, pruner };
            arms.push(ArmResult { arm, search: work.search(arm)? });
        }
    }
    let interrupted = observer.is_interrupted();
    let mut result = SearchResult { machine, jobs, arms, interrupted, config, test: None };
    if let Some(best) = result.best_run()?.filter(|_| !interrupted) {
        write_whole(&out.join(BEST), result.best_toml(&best).as_bytes())?;
        let prepared = prepare(&best, data_dirs)?;
        let executed = make_winner(&best, &prepared, &out.join("best"), machine, observer)?;
        result.interrupted = matches!(executed.outcome.stop, Stop::Interrupted { .. });
        result.test = executed.evaluation("test").filter(|_| !result.interrupted).cloned();
    }
    write_files(&result, out)?;
    Ok(result)
}

/// Makes the best trial as a run in `folder`; the run of a trial that was the best before is removed.
fn make_winner(
    best: &RunConfig,
    prepared: &Prepared,
    folder: &Path,
    machine: Machine,
    observer: &dyn SearchObserver,
) -> Result<RunResult, RunError> {
    if folder.join("config.toml").is_file() && run_config(folder)? != *best {
        std::fs::remove_dir_all(folder).map_err(FileError::on("remove", folder))?;
    }
    let folder = RunFolder::take(folder)?;
    let executed = match find_run(&folder, best, prepared)? {
        Found::Finished(executed) => *executed,
        Found::Begun | Found::Absent => {
            let mut callback = observer.winner();
            machine.run(|| execute(best, prepared, machine, &folder, &mut *callback))??
        }
    };
    Ok(executed)
}

/// What all samplers and pruners of a search work with.
struct Work<'a> {
    config: &'a SearchConfig,
    trials: &'a Trials<'a>,
    /// SHA-256 of the data.
    data: String,
    out: &'a Path,
    machine: Machine,
    jobs: usize,
    observer: &'a dyn SearchObserver,
}

impl Work<'_> {
    /// A search by one sampler and one pruner, of which nothing is done yet.
    fn begin(&self, arm: Arm) -> Result<Search, RunError> {
        let settings = &self.config.settings;
        let (sampler, pruner) = (settings.sampler(arm.sampler), settings.pruner(arm.pruner));
        let search = Search::new(self.config.space.clone(), sampler, pruner, settings.seed);
        let search = search.map_err(|fault| fault.within("search"))?;
        Ok(search.window(settings.window).direction(settings.direction))
    }

    fn search(&self, arm: Arm) -> Result<Search, RunError> {
        let path = self.out.join(format!("trials-{}-{}.journal", arm.sampler.name(), arm.pruner.name()));
        // What the trials depend on, besides how many there are.
        let version = env!("CARGO_PKG_VERSION");
        let of = [version, &self.data, arm.sampler.name(), arm.pruner.name(), self.config.identity()].join("\n");
        let opened = Journal::open(&path, &sha256(of.as_bytes()))?;
        opened.note.iter().for_each(|note| self.observer.note(note));
        let made: BTreeMap<usize, Outcome> =
            opened.made.iter().map(|(number, (_, outcome))| (*number, outcome.clone())).collect();
        self.observer.arm(arm, made.len());
        let make = |running: &Running<'_>| {
            if self.observer.is_interrupted() {
                return Ok(None);
            }
            let mut callback = self.observer.begin(running);
            self.trials.make(running, self.share(running.job), &mut *callback)
        };
        let keep = |number: usize, point: &Point, outcome: &Outcome| {
            opened.journal.add(number, point, outcome)?;
            self.observer.end(number, point, outcome);
            Ok(())
        };
        let search = drive(self.begin(arm)?, self.config.settings.trials, self.jobs, made, make, keep)?;
        let differs = |trial: &&Trial| opened.made.get(&trial.number).is_some_and(|(point, _)| *point != trial.point);
        match search.trials().iter().find(differs) {
            Some(trial) => Err(RunError::Unusable(format!(
                "{}: trial {} was made at another point than the one that is suggested now; what the same version of the program \
                 wrote is expected",
                path.display(),
                trial.number
            ))),
            None => Ok(search),
        }
    }

    /// The machine of a job; the first jobs take the threads that do not divide evenly.
    fn share(&self, job: usize) -> Machine {
        let (threads, jobs) = (self.machine.threads, self.jobs);
        Machine { threads: (threads / jobs + usize::from(job < threads % jobs)).max(1), ..self.machine }
    }
}

/// Writes `trials.csv`, `best.toml` and `report.html`.
fn write_files(result: &SearchResult, out: &Path) -> Result<(), RunError> {
    write_whole(&out.join("trials.csv"), facts::trials_csv(result).as_bytes())?;
    if let Some(best) = result.best_run()? {
        write_whole(&out.join(BEST), result.best_toml(&best).as_bytes())?;
    }
    let file = out.join(REPORT);
    let page = facts::SearchFacts::of(result).page();
    let page = page.map_err(|error| FileError::on("write", &file)(super::report::told(&error)))?;
    Ok(write_whole(&file, page.as_bytes())?)
}

impl SearchResult {
    /// The best trial as a run. Where the objective is a mean over folds, its images are divided as `data.split` says.
    fn best_run(&self) -> Result<Option<RunConfig>, RunError> {
        let Some((_, trial)) = self.best() else { return Ok(None) };
        let mut best = self.config.run(&trial.point)?;
        best.name = format!("{}-best", best.name);
        if self.config.settings.over_folds {
            (best.data.folds, best.data.fold) = (None, 0);
        }
        Ok(Some(best))
    }

    /// The text of `best.toml`.
    fn best_toml(&self, best: &RunConfig) -> String {
        let (number, arm, value) = self.best().map_or((0, String::new(), f64::NAN), |(arm, trial)| {
            (trial.number, arm.name(), trial.value().unwrap_or(f64::NAN))
        });
        let objective = &self.config.settings.objective;
        let comment = format!(
            "# The best trial, number {number} of {arm}: {objective} {value}. `narrows train best.toml` makes the run that is in best/."
        );
        format!("{comment}\n\n{}", best.to_toml())
    }

    /// The best trial of all, the first of equal ones, and who made it.
    pub fn best(&self) -> Option<(Arm, &Trial)> {
        let sign = self.config.settings.direction.sign();
        let all = self.arms.iter().filter_map(|one| Some((one.arm, one.search.best()?)));
        let value = |trial: &Trial| sign * trial.value().unwrap_or(f64::NAN);
        all.reduce(|best, next| if value(next.1) < value(best.1) { next } else { best })
    }
}
