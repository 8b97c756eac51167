//! `narrows study`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::CliError;
use super::args::StudyArguments;
use super::bars::Bar;
use super::interrupt;
use super::output::{self, duration, note, say, table};
use super::progress::RunProgress;
use super::runs::figure;
use super::source;
use narrows::config::{Difference, Source, StudyConfig};
use narrows::figures::number::{counted, median};
use narrows::files::argument;
use narrows::run::{Machine, RunRecord, RunResult};
use narrows::study::{Observer, Planned, Study, StudyRun, default_jobs, prepare_runs, run_study};
use narrows::train::{Callback, EpochRecord, Stop};

/// Makes every run of the study that `source` describes.
pub fn run(source: Source, arguments: StudyArguments, machine: Machine, data_dirs: &[PathBuf]) -> Result<(), CliError> {
    let source = if arguments.quick { source.quick()? } else { source };
    let config = source::settle(source, &arguments.set, arguments.seed)?.into_study()?;
    let (seeds, jobs) = (arguments.seeds.into(), arguments.jobs.map(usize::from));
    report(config, seeds, arguments.out, jobs, machine, data_dirs)
}

/// Makes every run of `config` with so many seeds, in `out` or in the first free folder of its name, and says how to go on where that was
/// interrupted.
pub fn report(
    config: StudyConfig,
    seeds: usize,
    out: Option<PathBuf>,
    jobs: Option<usize>,
    machine: Machine,
    data_dirs: &[PathBuf],
) -> Result<(), CliError> {
    let out = out.unwrap_or_else(|| first_free(&Path::new("runs").join(format!("{}-study", config.base_run().name))));
    let study = make(config, seeds, &out, jobs, machine, data_dirs)?;
    output::json(|| to_json(&study, &out));
    if study.interrupted {
        say!("\nThe same command with --out {} makes the runs that are missing.", argument(&out));
        return Err(CliError::Interrupted);
    }
    Ok(())
}

/// Makes every run of `config` that `out` does not hold already, with so many seeds, and says what was found.
pub fn make(
    config: StudyConfig,
    seeds: usize,
    out: &Path,
    jobs: Option<usize>,
    machine: Machine,
    data_dirs: &[PathBuf],
) -> Result<Study, CliError> {
    check_begun(&config, out)?;
    let runs = prepare(&config, seeds, data_dirs)?;
    let jobs = jobs.unwrap_or_else(|| default_jobs(&runs, machine.threads)).min(runs.len());
    if let Some(first) = runs.first() {
        super::data::describe(&first.prepared.loaded);
        say!("\n{}", first.prepared.task.summary());
    }
    say!(
        "{}, {jobs} at a time, on {} ({})\n",
        counted(runs.len(), "run"),
        counted(machine.threads, "thread"),
        machine.context.isa.name()
    );
    interrupt::listen();
    let progress = StudyProgress::new(&runs, jobs);
    let study = run_study(config, runs, out, machine, jobs, &progress)?;
    conclude(&study, out);
    Ok(study)
}

/// Refuses to go on with the study in `out` where one of its runs has another setting now, and names the key.
pub fn check_begun(config: &StudyConfig, out: &Path) -> Result<(), CliError> {
    let file = out.join("study.toml");
    // Where it is something else, the folder is refused later.
    let begun = Some(file).filter(|file| file.is_file()).and_then(|file| source::read(&file).ok()?.into_study().ok());
    for (name, begun) in begun.iter().flat_map(StudyConfig::runs) {
        let now = config.runs().into_iter().find(|(other, _)| *other == name);
        if let Some(Difference { key, first, second }) = now.and_then(|(_, now)| begun.difference(&now)) {
            return Err(CliError::Usage(format!(
                "cannot go on with the study in {}: {key} of its run {name} was {first} when it was begun, and is {second} now; nothing was \
                 changed. Another study needs another folder (--out)",
                out.display()
            )));
        }
    }
    Ok(())
}

/// Loads the data of every run and lays out the models, see [`prepare_runs`]. Refuses more seeds than there are from that of a run on.
pub fn prepare(config: &StudyConfig, seeds: usize, data_dirs: &[PathBuf]) -> Result<Vec<Planned>, CliError> {
    let most = i64::MAX as u64 - (seeds as u64 - 1);
    if let Some((_, run)) = config.runs().iter().find(|(_, run)| run.seed > most) {
        let sentence = format!(
            "--seeds {seeds} goes beyond the largest seed from seed {} on; one of at most {most} is expected",
            run.seed
        );
        return Err(CliError::Usage(sentence));
    }
    Ok(prepare_runs(config, seeds, data_dirs)?)
}

/// What was found, for other programs.
pub fn to_json(study: &Study, out: &Path) -> Value {
    let runs = study.runs.iter().map(|run| {
        let record = RunRecord::read(&run.folder);
        record.map_or_else(|error| json!({ "why": error.to_string() }), |record| record.to_json())
    });
    json!({ "folder": out.display().to_string(), "interrupted": study.interrupted, "runs": runs.collect::<Vec<_>>() })
}

/// The first of `base`, `base-2`, `base-3`, … that does not exist.
pub fn first_free(base: &Path) -> PathBuf {
    let numbered = (2..).map(|number| PathBuf::from(format!("{}-{number}", base.display())));
    std::iter::once(base.to_path_buf()).chain(numbered).find(|path| !path.exists()).expect("some number is free")
}

struct StudyProgress {
    jobs: usize,
    /// The work of the runs that are left, by their names, and the seconds that each finished run took for a unit of work. Work is
    /// multiply-adds times images, which times of steps go with among networks of a kind; penalties are not counted.
    work: Mutex<(BTreeMap<String, f64>, Vec<f64>)>,
    /// The decoder that is being run backwards: its run, and its bar.
    inverting: Mutex<Option<(String, Bar)>>,
}

impl StudyProgress {
    fn new(runs: &[Planned], jobs: usize) -> Self {
        let work = runs.iter().map(|run| (run.title(), work(run, run.config.train.max_epochs))).collect();
        StudyProgress { jobs, work: Mutex::new((work, Vec::new())), inverting: Mutex::new(None) }
    }

    /// What is left of the study's training, once `run` is done after these epochs, at the median pace of the finished runs.
    fn time_left(&self, run: &Planned, epochs: &[EpochRecord]) -> String {
        let (left, paces) = &mut *self.work.lock().expect("nobody panics while holding it");
        left.remove(&run.title());
        paces.push(epochs.iter().map(|epoch| epoch.seconds).sum::<f64>() / work(run, epochs.len()));
        let pace = median(paces).filter(|pace| pace.is_finite() && !left.is_empty());
        let seconds = |pace| pace * left.values().sum::<f64>() / self.jobs as f64;
        pace.map_or_else(String::new, |pace| format!("; about {} of training left", duration(seconds(pace))))
    }
}

/// The work of so many epochs; a step goes forward and twice back.
fn work(run: &Planned, epochs: usize) -> f64 {
    let split = &run.prepared.loaded.split;
    let images = (3 * split.train.len() + split.validation.len()) * epochs;
    run.prepared.multiply_adds() as f64 * images as f64
}

impl Observer for StudyProgress {
    fn begin(&self, run: &Planned) -> Box<dyn Callback<f32>> {
        Box::new(RunProgress::new(format!("{}: ", run.title()), &run.config.train))
    }

    fn kept(&self, run: &Planned) {
        let name = run.title();
        note(&format!("{name}: finished before, kept"));
        self.work.lock().expect("nobody panics while holding it").0.remove(&name);
    }

    fn end(&self, run: &Planned, executed: &RunResult) {
        let name = run.title();
        if let Stop::Interrupted { epoch, step } = executed.outcome.stop {
            return note(&format!("{name}: interrupted in epoch {epoch} after step {step}"));
        }
        let epochs = &executed.outcome.history.epochs;
        note(&format!("{name}: done after {}{}", counted(epochs.len(), "epoch"), self.time_left(run, epochs)));
    }

    fn inverting(&self, run: &Planned, done: usize, all: usize) {
        let name = run.title();
        let mut inverting = self.inverting.lock().expect("nobody panics while holding it");
        let known = inverting.take().filter(|(other, _)| *other == name);
        let (_, bar) = known.unwrap_or_else(|| (name.clone(), Bar::new()));
        bar.count(&format!("{name}: decoder run backwards"), done, all);
        if done >= all {
            let taken = duration(bar.seconds());
            note(&format!("{name}: decoder run backwards on {} in {taken}", counted(all, "image")));
        } else {
            *inverting = Some((name, bar));
        }
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_asked()
    }
}

fn conclude(study: &Study, out: &Path) {
    let row = |run: &StudyRun| {
        let history = &run.executed.outcome.history;
        let seconds: f64 = history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let test = run.executed.evaluation("test");
        vec![
            run.plan.title(),
            history.epochs.len().to_string(),
            figure(history.last().map(|epoch| epoch.loss)),
            figure(history.last().map(|epoch| epoch.val_loss)),
            figure(test.and_then(|test| test["loss"].as_f64())),
            figure(test.and_then(|test| test["mse"].as_f64())),
            figure(test.and_then(|test| test["accuracy"].as_f64())),
            format!("{seconds:.2}"),
        ]
    };
    say!("");
    let header = ["run", "epochs", "train loss", "val loss", "test loss", "test mse", "test accuracy", "seconds"];
    let rows: Vec<Vec<String>> = study.runs.iter().map(row).collect();
    // A figure that no run has is none of this study.
    let shown: Vec<usize> = (0..header.len())
        .filter(|&at| !header[at].starts_with("test ") || rows.iter().any(|row| row[at] != "-"))
        .collect();
    let rows = rows.iter().map(|row| shown.iter().map(|&at| row[at].clone()).collect());
    table(&shown.iter().map(|&at| header[at]).collect::<Vec<_>>(), &rows.collect::<Vec<_>>());
    say!("\nStudy folder: {}", out.display());
    if !study.runs.is_empty() {
        say!("  {:<16}the comparison: open it in a browser", "report.html");
        say!("  {:<16}a row for each run", "summary.csv");
        for (name, holds) in [
            ("codes.csv", "accuracy, Jacobian and interpolation of codes"),
            ("saturation.csv", "a row for each layer and epoch"),
            ("maps.csv", "accuracy and trustworthiness of maps of the codes"),
            ("generated.csv", "how near images that runs make come to test images"),
            ("probe.csv", "what a linear classifier reads from the codes"),
        ] {
            if out.join(name).is_file() {
                say!("  {name:<16}{holds}");
            }
        }
        say!("  {:<16}the run folders", "runs/");
    }
}
