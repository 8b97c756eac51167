//! `narrows study`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::CliError;
use super::args::StudyArguments;
use super::output::{duration, is_terminal, note, say};
use super::progress::RunProgress;
use super::source;
use super::train::describe_data;
use super::{interrupt, machine};
use narrows::config::RunConfig;
use narrows::data::data_dirs;
use narrows::figures::number::significant;
use narrows::run::{Executed, Prepared};
use narrows::study::{Observer, Study, default_jobs, prepare_runs, run_study};
use narrows::train::Callback;

/// Makes every run of a study.
pub fn run(arguments: StudyArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let data_dirs = data_dirs(arguments.machine.data_dir.as_deref());
    let (source, _) = source::find(&arguments.config)?;
    let source = if arguments.quick { source.quick()? } else { source };
    let config = source::settle(source, &arguments.set, arguments.seed)?.into_study()?;
    let runs = prepare_runs(&config, &data_dirs)?;
    let jobs = arguments.jobs.map_or_else(|| default_jobs(&runs, machine.threads), usize::from).min(runs.len());
    let out = arguments.out.unwrap_or_else(|| next_free(&config.base_run().name));
    if let Some((_, prepared, _)) = runs.first() {
        describe_data(&prepared.loaded);
        say!("\n{}", prepared.model());
    }
    say!(
        "{} runs, {jobs} at a time, on {} thread{} ({})\n",
        runs.len(),
        machine.threads,
        if machine.threads == 1 { "" } else { "s" },
        machine.context.isa.name()
    );
    interrupt::listen();
    let bars = is_terminal().then(MultiProgress::new);
    let progress = StudyProgress::new(&runs, bars);
    let study = run_study(config, runs, &out, machine, jobs, &progress)?;
    conclude(&study, &out);
    if study.interrupted {
        say!("\nThe same command with --out {} makes the runs that are missing.", out.display());
    }
    if study.interrupted { Err(CliError::Interrupted) } else { Ok(()) }
}

fn next_free(name: &str) -> PathBuf {
    let base = Path::new("runs").join(format!("{name}-study"));
    let numbered = (2..).map(|number| Path::new("runs").join(format!("{name}-study-{number}")));
    std::iter::once(base).chain(numbered).find(|path| !path.exists()).expect("some number is free")
}

struct StudyProgress {
    bars: Option<MultiProgress>,
    began: Instant,
    /// Names and work of the runs; work is multiply-adds of training, whatever is left out of that being small beside it.
    work: Mutex<Vec<(String, f64)>>,
    done: Mutex<f64>,
    /// The bar of the decoder that is being run backwards.
    inverting: Mutex<Option<(String, ProgressBar)>>,
}

impl StudyProgress {
    fn new(runs: &[(String, Prepared, RunConfig)], bars: Option<MultiProgress>) -> Self {
        let work = |(name, prepared, config): &(String, Prepared, RunConfig)| {
            let images = prepared.loaded.split.train.len() * config.train.max_epochs;
            (name.clone(), prepared.model().layout().len() as f64 * images as f64)
        };
        let work = Mutex::new(runs.iter().map(work).collect());
        StudyProgress { bars, began: Instant::now(), work, done: Mutex::new(0.0), inverting: Mutex::new(None) }
    }

    fn line(&self, line: &str) {
        match &self.bars {
            // Printing above the bars fails only where the terminal is gone, and then nobody reads it.
            Some(bars) => drop(bars.println(line)),
            None => note(line),
        }
    }

    /// What is left of the study's training at the pace so far, once `name` is done.
    fn time_left(&self, name: &str) -> String {
        let mut done = self.done.lock().expect("nobody panics while holding it");
        let work = self.work.lock().expect("nobody panics while holding it");
        *done += work.iter().find(|(other, _)| other == name).map_or(0.0, |(_, work)| *work);
        let all: f64 = work.iter().map(|(_, work)| work).sum();
        match all - *done {
            left if left > 1e-9 * all => {
                format!("; about {} of training left", duration(self.began.elapsed().as_secs_f64() / *done * left))
            }
            _ => String::new(),
        }
    }
}

impl Observer for StudyProgress {
    fn begin(&self, name: &str, config: &RunConfig) -> Box<dyn Callback<f32>> {
        Box::new(RunProgress::among(self.bars.as_ref(), name, &config.train))
    }

    fn kept(&self, name: &str) {
        self.line(&format!("{name}: finished before, kept"));
        // Its work took no time now, and what is left is judged by the rest.
        self.work.lock().expect("nobody panics while holding it").retain(|(other, _)| other != name);
    }

    fn end(&self, name: &str, executed: &Executed) {
        let epochs = executed.outcome.history.epochs.len();
        self.line(&format!("{name}: done after {epochs} epochs{}", self.time_left(name)));
    }

    fn inverting(&self, name: &str, done: usize, all: usize) {
        let mut inverting = self.inverting.lock().expect("nobody panics while holding it");
        if inverting.as_ref().is_none_or(|(other, _)| other != name) {
            let bar = match &self.bars {
                Some(bars) => bars.add(ProgressBar::new(all as u64)),
                None => ProgressBar::hidden(),
            };
            let style =
                ProgressStyle::with_template("{prefix}: decoder run backwards {bar:24} {pos}/{len}, {eta} left");
            bar.set_style(style.expect("the template is fixed"));
            bar.set_prefix(name.to_owned());
            *inverting = Some((name.to_owned(), bar));
        }
        let Some((_, bar)) = inverting.as_ref() else { return };
        bar.set_position(done as u64);
        if done >= all {
            let taken = duration(bar.elapsed().as_secs_f64());
            bar.finish_and_clear();
            *inverting = None;
            drop(inverting);
            self.line(&format!("{name}: decoder run backwards on {all} images in {taken}"));
        }
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_asked()
    }
}

fn conclude(study: &Study, out: &Path) {
    let width = study.runs.iter().map(|run| run.name.len()).max().unwrap_or(0).max(4);
    say!(
        "\n  {:<width$}{:>8}{:>12}{:>12}{:>12}{:>12}{:>10}",
        "run",
        "epochs",
        "train loss",
        "val loss",
        "test loss",
        "test mse",
        "seconds"
    );
    for run in &study.runs {
        let history = &run.executed.outcome.history;
        let figure = |value: Option<f64>| match value {
            Some(value) if !value.is_nan() => significant(value, 4),
            _ => "-".to_owned(),
        };
        let seconds: f64 = history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let test = run.executed.evaluation("test");
        say!(
            "  {:<width$}{:>8}{:>12}{:>12}{:>12}{:>12}{seconds:>10.2}",
            run.name,
            history.epochs.len(),
            figure(history.last().map(|epoch| epoch.loss)),
            figure(history.last().map(|epoch| epoch.val_loss)),
            figure(test.map(|test| test.loss)),
            figure(test.map(|test| test.mse)),
        );
    }
    say!("\nStudy folder: {}", out.display());
    if !study.runs.is_empty() {
        say!("  {:<14}the comparison: open it in a browser", "report.html");
        say!("  {:<14}a row for each run", "summary.csv");
        if out.join("codes.csv").is_file() {
            say!("  {:<14}what the codes are worth", "codes.csv");
        }
        say!("  {:<14}the run folders", "runs/");
    }
}
