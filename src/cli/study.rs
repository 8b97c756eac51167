//! `narrows study`.

use std::path::{Path, PathBuf};

use indicatif::MultiProgress;

use super::CliError;
use super::args::StudyArguments;
use super::output::{is_terminal, note, say};
use super::progress::RunProgress;
use super::source;
use super::train::describe_data;
use super::{interrupt, machine};
use crate::config::RunConfig;
use crate::data::data_dirs;
use crate::figures::number::significant;
use crate::run::Executed;
use crate::study::{Observer, Study, default_jobs, prepare_runs, run_study};
use crate::train::Listener;

/// Makes every run of a study.
pub fn run(arguments: StudyArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let data_dirs = data_dirs(arguments.machine.data_dir.as_deref());
    let (source, _) = source::find(&arguments.config)?;
    let config = source::settle(source, &arguments.set, arguments.seed)?.into_study()?;
    let runs = prepare_runs(&config, &data_dirs)?;
    let jobs = arguments.jobs.map_or_else(|| default_jobs(&runs, machine.threads), usize::from).min(runs.len());
    let out = arguments.out.unwrap_or_else(|| next_free(&config.base_run().name));
    if let Some((_, prepared, _)) = runs.first() {
        describe_data(&prepared.loaded);
        say!("\n{}", prepared.model);
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
    let study = run_study(config, runs, &out, machine, jobs, &StudyProgress { bars })?;
    conclude(&study, &out);
    if study.interrupted { Err(CliError::Interrupted) } else { Ok(()) }
}

fn next_free(name: &str) -> PathBuf {
    let base = Path::new("runs").join(format!("{name}-study"));
    let numbered = (2..).map(|number| Path::new("runs").join(format!("{name}-study-{number}")));
    std::iter::once(base).chain(numbered).find(|path| !path.exists()).expect("some number is free")
}

struct StudyProgress {
    bars: Option<MultiProgress>,
}

impl Observer for StudyProgress {
    fn begin(&self, name: &str, config: &RunConfig) -> Box<dyn Listener> {
        Box::new(RunProgress::among(self.bars.as_ref(), name, &config.train))
    }

    fn end(&self, name: &str, executed: &Executed) {
        let epochs = executed.outcome.history.epochs.len();
        let line = format!("{name}: done after {epochs} epochs");
        match &self.bars {
            // Printing above the bars fails only where the terminal is gone, and then nobody reads it.
            Some(bars) => drop(bars.println(line)),
            None => note(&line),
        }
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_asked()
    }
}

fn conclude(study: &Study, out: &Path) {
    let width = study.runs.iter().map(|run| run.name.len()).max().unwrap_or(0).max(4);
    let loss = study.config.base_run().train.loss.name();
    say!(
        "\n  {:<width$}{:>8}{:>12}{:>12}{:>12}{:>12}{:>10}",
        "run",
        "epochs",
        format!("train {loss}"),
        format!("val {loss}"),
        format!("test {loss}"),
        "test mse",
        "seconds"
    );
    for run in &study.runs {
        let history = &run.executed.outcome.history;
        let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| significant(value, 4));
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
        say!("  {:<14}the run folders", "runs/");
    }
}
