//! `narrows train`.

use std::path::{Path, PathBuf};

use super::CliError;
use super::args::TrainArguments;
use super::output::{duration, is_terminal, note, say};
use super::progress::RunProgress;
use super::source::{self, Origin};
use super::{interrupt, machine};
use narrows::config::{RunConfig, Source, preset};
use narrows::data::{Catalog, Splits, data_dirs, locate};
use narrows::figures::number::significant;
use narrows::run::{
    DRAWN_SET, Executed, Found, RunError, RunFolder, check_config, execute, find_run, prepare, run_config,
};
use narrows::train::Stop;

/// Trains one run, or goes on with one.
pub fn run(arguments: TrainArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let data_dirs = data_dirs(arguments.machine.data_dir.as_deref());
    let config = match &arguments.resume {
        Some(path) => configure_again(&arguments, path)?,
        None => configure(&arguments, &data_dirs)?,
    };
    let prepared = prepare(&config, &data_dirs)?;
    let folder = match (&arguments.resume, &arguments.out) {
        (Some(path), _) => RunFolder::take(path)?,
        (None, Some(out)) => RunFolder::create(out)?,
        (None, None) => RunFolder::create_next(&Path::new("runs").join(&config.name))?,
    };
    if let Found::Finished(executed) = find_run(&folder, &config, &prepared)? {
        let epochs = executed.outcome.history.epochs.len();
        say!("The run in {} is finished: {epochs} epochs, nothing is left to do.", folder.path().display());
        return Ok(());
    }
    describe_data(&prepared.loaded);
    say!("\n{}", prepared.model());
    let batches = prepared.loaded.split.train.len().div_ceil(config.train.batch_size);
    say!(
        "Training: {} with {} ({}), {batches} batches of {} in an epoch, at most {} epochs, seed {}, {} on {} thread{}\n",
        config.model.loss.name(),
        config.optimizer.rule.name(),
        config.optimizer.rule.semantics().name(),
        config.train.batch_size,
        config.train.max_epochs,
        config.seed,
        machine.context.isa.name(),
        machine.threads,
        if machine.threads == 1 { "" } else { "s" },
    );
    interrupt::listen();
    let mut progress = RunProgress::new(&config.train, is_terminal());
    let executed = machine.run(|| execute(&config, &prepared, machine, &folder, &mut progress))?;
    drop(progress);
    if let Err(RunError::File(_) | RunError::Checkpoint(_)) = &executed
        && folder.has_checkpoint()
    {
        note(&format!("`narrows train --resume {}` goes on from the last checkpoint", folder.path().display()));
    }
    let executed = executed?;
    conclude(&config, &executed, folder.path());
    match executed.outcome.stop {
        Stop::Interrupted { .. } => Err(CliError::Interrupted),
        Stop::LastEpoch | Stop::Early => Ok(()),
    }
}

/// The configuration of the run in `path`, which one that is given with it must not change.
fn configure_again(arguments: &TrainArguments, path: &Path) -> Result<RunConfig, CliError> {
    let begun = run_config(path)?;
    let file = path.join("config.toml").display().to_string();
    let (source, origin) = match &arguments.config {
        Some(name) => source::find(name)?,
        None => (Source::parse(&begun.to_toml(), &file)?, Origin::File),
    };
    let source = source::settle(source, &arguments.set, arguments.seed)?;
    let config = match origin {
        Origin::Preset => source.into_base_run()?,
        Origin::File => source.into_run()?,
    };
    check_config(path, &begun, &config)?;
    Ok(begun)
}

fn configure(arguments: &TrainArguments, data_dirs: &[PathBuf]) -> Result<RunConfig, CliError> {
    let (mut source, origin) = match &arguments.config {
        Some(name) => source::find(name)?,
        None => {
            let footwear = preset("footwear")?.source()?;
            let fashion = Catalog::builtin().find("fashion-mnist").map(|set| locate(data_dirs, set).is_ok());
            if fashion.unwrap_or(false) {
                say!("Data: sandals, sneakers and ankle boots of Fashion-MNIST, which is in the data directory.");
                (footwear, Origin::Preset)
            } else {
                say!(
                    "Data: sandals, sneakers and ankle boots drawn by the program, because Fashion-MNIST is not in the data \
                     directory.\n      `narrows data fetch fashion-mnist` gets the real images; the next run then takes them."
                );
                (footwear.set(&format!("data.set={DRAWN_SET}"))?, Origin::Preset)
            }
        }
    };
    source = source::settle(source, &arguments.set, arguments.seed)?;
    Ok(match origin {
        Origin::Preset => source.into_base_run()?,
        Origin::File => source.into_run()?,
    })
}

/// Says what the data are, and how the classes are distributed over the parts.
pub fn describe_data(loaded: &Splits) {
    let data = &loaded.data;
    say!("{}: {} images of {}×{} pixels, {}", data.name, data.len(), data.height(), data.width(), loaded.origin);
    let distributions = loaded.class_distributions();
    let Some((_, first)) = distributions.first() else {
        for (name, indices) in loaded.parts() {
            say!("  {name:<12}{:>8}", indices.len());
        }
        return;
    };
    let width = |class: &str| class.chars().count().max(6);
    let header: String = first.iter().map(|(class, _)| format!("  {class:>w$}", w = width(class))).collect();
    say!("  {:<12}{:>8}{header}", "", "images");
    for (name, counts) in &distributions {
        let total: usize = counts.iter().map(|(_, count)| count).sum();
        let row: String = counts.iter().map(|(class, count)| format!("  {count:>w$}", w = width(class))).collect();
        say!("  {name:<12}{total:>8}{row}");
    }
}

fn conclude(config: &RunConfig, executed: &Executed, folder: &Path) {
    let outcome = &executed.outcome;
    let epochs = outcome.history.epochs.len();
    let seconds: f64 = outcome.history.epochs.iter().map(|epoch| epoch.seconds).sum();
    let why = match outcome.stop {
        Stop::LastEpoch => "all epochs are done".to_owned(),
        Stop::Early => match outcome.best {
            Some(best) => format!("no better epoch since epoch {}", best.epoch),
            None => "early stopping".to_owned(),
        },
        Stop::Interrupted { epoch, step } => {
            format!(
                "interrupted in epoch {epoch} after step {step}; `narrows train --resume {}` goes on",
                folder.display()
            )
        }
    };
    let kept = match (outcome.restored_best, outcome.best) {
        (true, Some(best)) => format!("; the weights are those of epoch {}", best.epoch),
        _ => String::new(),
    };
    say!("\nTrained {epochs} epochs in {}: {why}{kept}.\n", duration(seconds));
    say!("  {:<12}{:>12}{:>12}{:>12}{:>14}", "", config.model.loss.name(), "mse", "nrmse", "active units");
    for (part, figures) in &executed.evaluations {
        say!(
            "  {part:<12}{:>12}{:>12}{:>12}{:>14}",
            significant(figures.loss, 4),
            significant(figures.mse, 4),
            significant(figures.nrmse, 4),
            significant(figures.active_code_units, 3),
        );
    }
    say!("\nRun folder: {}", folder.display());
    if epochs > 0 {
        say!("  {:<22}training and validation loss", "loss.png");
    }
    say!("  {:<22}the first test images above their reconstructions", "reconstructions.png");
    say!("  {:<22}the weights, SHA-256 {}", "model.safetensors", executed.weights_sha256);
}
