//! A search and its report.
//!
//! The folder of a search holds `search.toml`, a journal for each sampler with each pruner, `trials.csv`, `best.toml`, `best/` (the best trial
//! made once more, as a run of its own), and `report.html`.

pub(super) mod facts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::{RunConfig, SearchConfig};
use crate::figures::number::counted;
use crate::files::{FileError, read_whole, sha256, write_whole};
use crate::run::{
    FolderLock, Found, Machine, Prepared, RunError, RunFolder, RunResult, Trials, check_vacant, execute, find_run,
    prepare, run_config,
};
use crate::search::{Journal, Outcome, Point, PrunerKind, Running, SamplerKind, Search, Trial, drive};
use crate::study::write_page_of_run;
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
    /// Whether `best.toml` is of the best trial: after an interruption it may be of an earlier one, whose run stands beside it.
    pub is_best_written: bool,
}

/// A sampler and a pruner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    /// The sampler.
    pub sampler: SamplerKind,
    /// The pruner.
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
    /// The sampler and pruner.
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
/// The folder of the run that it describes.
const WINNER: &str = "best";
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
    check_folder(&config, out)?;
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
    let mut result = SearchResult { machine, jobs, arms, interrupted, config, test: None, is_best_written: false };
    if let Some(best) = result.best_run()?.filter(|_| !interrupted) {
        let prepared = prepare(&best, data_dirs)?;
        let executed = make_winner(&result, &best, &prepared, out, observer)?;
        result.interrupted = matches!(executed.outcome.stop, Stop::Interrupted { .. });
        result.test = executed.evaluation("test").filter(|_| !result.interrupted).cloned();
        if !result.interrupted {
            write_page_of_run(best, prepared, executed, &out.join(WINNER), machine)?;
        }
    }
    write_files(&mut result, out)?;
    Ok(result)
}

/// Refuses a folder that this search did not begin, or whose run of the best trial was changed since.
fn check_folder(config: &SearchConfig, out: &Path) -> Result<(), RunError> {
    let file = out.join(SEARCH);
    if !file.is_file() {
        return check_vacant(out);
    }
    let text = read_whole(&file)?;
    let begun = SearchConfig::from_toml(&String::from_utf8_lossy(&text), &file.display().to_string())?;
    if begun.identity() != config.identity() {
        return Err(RunError::Folder(format!(
            "{} is of another search: it differs in more than the number of trials, the samplers and the pruners; nothing was changed. Another \
             search needs another folder (--out)",
            file.display()
        )));
    }
    check_made(config, out)?;
    best_before(out).map(drop)
}

/// Refuses fewer trials than a search in `out` has made by any sampler with any pruner, also by one that is left out now: the others would be
/// missing from the table, and among them perhaps the best.
pub fn check_made(config: &SearchConfig, out: &Path) -> Result<(), RunError> {
    let arms = config.settings.arms();
    let asked: Vec<PathBuf> = arms.iter().map(|&(sampler, pruner)| journal_of(Arm { sampler, pruner }, out)).collect();
    for file in std::fs::read_dir(out).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if file.extension().is_none_or(|extension| extension != "journal") {
            continue;
        }
        let asked = if asked.contains(&file) { config.settings.trials } else { 0 };
        let made = Journal::made(&file);
        if made > asked {
            return Err(RunError::Folder(format!(
                "{} has {} already, and {asked} by this sampler and pruner are asked for; nothing was changed. At least {made} are accepted",
                file.display(),
                counted(made, "trial"),
            )));
        }
    }
    Ok(())
}

fn journal_of(arm: Arm, out: &Path) -> PathBuf {
    out.join(format!("trials-{}-{}.journal", arm.sampler.name(), arm.pruner.name()))
}

/// The run of the best trial so far, if there is one. Refuses a run that is not the one that `best.toml` describes: it would be removed
/// if another trial is the best.
fn best_before(out: &Path) -> Result<Option<RunConfig>, RunError> {
    let (winner, file) = (out.join(WINNER), out.join(BEST));
    if !winner.join("config.toml").is_file() {
        return Ok(None);
    }
    let (found, text) = (run_config(&winner)?, read_whole(&file)?);
    if found == RunConfig::from_toml(&String::from_utf8_lossy(&text), &file.display().to_string())? {
        return Ok(Some(found));
    }
    Err(RunError::Folder(format!(
        "{} is not the run that {} describes; nothing was changed. Move it to another folder, and the best trial is made once more",
        winner.display(),
        file.display()
    )))
}

/// Makes the best trial as a run; the run of a trial that was the best before is removed. What stands in `best.toml` is what is in `best/`.
fn make_winner(
    result: &SearchResult,
    best: &RunConfig,
    prepared: &Prepared,
    out: &Path,
    observer: &dyn SearchObserver,
) -> Result<RunResult, RunError> {
    let path = out.join(WINNER);
    let mut folder = RunFolder::take(&path)?;
    // It may have been changed while the trials were made.
    if best_before(out)?.is_some_and(|before| before != *best) {
        std::fs::remove_dir_all(&path).map_err(FileError::on("remove", &path))?;
        // The lock went with the folder.
        drop(folder);
        folder = RunFolder::take(&path)?;
    }
    write_whole(&out.join(BEST), result.best_toml(best).as_bytes())?;
    match find_run(&folder, best, prepared)? {
        Found::Finished(executed) => Ok(*executed),
        Found::Begun | Found::Absent => {
            let mut callback = observer.winner();
            result.machine.run(|| execute(best, prepared, result.machine, &folder, &mut *callback))?
        }
    }
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
        let path = journal_of(arm, self.out);
        // What the trials depend on, besides how many there are.
        let version = env!("CARGO_PKG_VERSION");
        let gemm = crate::run::checkpoint::gemm_name(self.machine.context.gemm);
        let of = [version, &self.data, gemm, arm.sampler.name(), arm.pruner.name(), self.config.identity()].join("\n");
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
            self.trials.make(running, self.machine.share(running.job, self.jobs), &mut *callback)
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
}

/// Writes `trials.csv`, `report.html` and, unless the run of an earlier best trial stands beside it, `best.toml`.
fn write_files(result: &mut SearchResult, out: &Path) -> Result<(), RunError> {
    write_whole(&out.join("trials.csv"), facts::trials_csv(result).as_bytes())?;
    if let Some(best) = result.best_run()? {
        let (file, text) = (out.join(BEST), result.best_toml(&best));
        if !out.join(WINNER).exists() {
            write_whole(&file, text.as_bytes())?;
        }
        result.is_best_written = read_whole(&file).is_ok_and(|found| found == text.as_bytes());
    }
    super::report::write(facts::SearchFacts::of(result).page(), out)
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
