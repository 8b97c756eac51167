//! `narrows train`.

use std::path::{Path, PathBuf};

use super::CliError;
use super::args::TrainArguments;
use super::events::{Events, Listeners};
use super::output::{self, duration, note, say};
use super::progress::RunProgress;
use super::source::{self, Origin};
use super::{data, dry_run, inspect, interrupt, machine, study};
use narrows::config::{RunConfig, Source};
use narrows::data::{Catalog, DRAWN_SET, data_dirs, locate};
use narrows::figures::number::counted;
use narrows::files::argument;
use narrows::nn::weights::WeightsError;
use narrows::optim::Monitor;
use narrows::run::{
    Found, Machine, Prepared, REPORT, RunError, RunFolder, RunRecord, RunResult, beside, check_config, check_origin,
    check_vacant, execute, find_run, prepare, run_config,
};
use narrows::study::write_page_of_run;
use narrows::train::Stop;

/// Trains one run, or goes on with one.
pub fn run(arguments: TrainArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let data_dirs = data_dirs(arguments.machine.data_dir.as_deref());
    let config = configure(&arguments, &data_dirs)?;
    if let Some(seeds) = arguments.seeds {
        let study = Source::parse(&config.to_toml(), &config.name)?.into_study()?;
        return study::report(study, seeds.into(), arguments.out, None, machine, &data_dirs);
    }
    let prepared = prepare(&config, &data_dirs)?;
    prepared.check_memory()?;
    let base = Path::new("runs").join(&config.name);
    if let Some(out) = &arguments.out {
        check_vacant(out)?;
    }
    if arguments.dry_run {
        describe(&config, &prepared, machine);
        let out = arguments.out.unwrap_or_else(|| study::first_free(&base));
        return dry_run::run(&config, &prepared, machine, out);
    }
    // What is wrong with the command is found before a folder is made.
    if arguments.resume.is_none() {
        let fits = check_origin(&config, &prepared, beside(arguments.out.as_deref().unwrap_or(&base)));
        fits.map_err(|error| match error {
            // Its hash was right: what does not fit is the model that is asked for.
            RunError::Weights(WeightsError::Content { .. }) => CliError::Usage(error.to_string()),
            error => error.into(),
        })?;
    }
    let events = arguments.events.as_deref().map(|path| Events::open(path, arguments.resume.is_some())).transpose()?;
    let folder = match (&arguments.resume, &arguments.out) {
        (Some(path), _) => RunFolder::take(path)?,
        (None, Some(out)) => RunFolder::create(out)?,
        (None, None) => RunFolder::create_next(&base)?,
    };
    if let Found::Finished(executed) = find_run(&folder, &config, &prepared)? {
        let epochs = executed.outcome.history.epochs.len();
        let epochs = counted(epochs, "epoch");
        say!("The run in {} is finished: {epochs}, nothing is left to do.", folder.path().display());
        if folder.has_checkpoint() {
            say!("`--set train.max_epochs=` with a larger number goes on from its end.");
        }
        let record = RunRecord::read(folder.path())?;
        output::json(|| record.to_json());
        // A process that was killed behind its last figures has not written the page.
        if !folder.path().join(REPORT).exists() {
            write_page(config, prepared, *executed, folder.path(), machine)?;
        }
        return Ok(());
    }
    describe(&config, &prepared, machine);
    interrupt::listen();
    let progress = RunProgress::new(String::new(), &config.train);
    let mut listeners = Listeners { progress, events };
    listeners.begin(folder.path(), &config, prepared.steps(&config.train));
    let executed = machine.run(|| execute(&config, &prepared, machine, &folder, &mut listeners))?;
    if let Err(RunError::File(_)) = &executed
        && folder.has_checkpoint()
    {
        note(&format!("`narrows train --resume {}` goes on from the last checkpoint", argument(folder.path())));
    }
    let executed = executed?;
    let record = RunRecord::read(folder.path())?;
    listeners.end(&record);
    drop(listeners);
    conclude(&config, &prepared, &executed, folder.path());
    output::json(|| record.to_json());
    if !record.state.is_done() {
        return Err(CliError::Interrupted);
    }
    write_page(config, prepared, executed, folder.path(), machine)
}

/// Writes the page of a finished run.
fn write_page(
    config: RunConfig,
    prepared: Prepared,
    executed: RunResult,
    folder: &Path,
    machine: Machine,
) -> Result<(), CliError> {
    write_page_of_run(config, prepared, executed, folder, machine)?;
    say!("  {REPORT:<22}all of this and more: open it in a browser");
    Ok(())
}

/// Says what is trained, and in what steps.
fn describe(config: &RunConfig, prepared: &Prepared, machine: Machine) {
    data::describe(&prepared.loaded);
    say!("\n{}", prepared.task.summary());
    say!(
        "Training: {} with {} ({}), {} of {} in an epoch, at most {}, seed {}, {} on {}\n",
        prepared.task.loss_name(),
        config.optimizer.rule.name(),
        config.optimizer.rule.semantics().name(),
        counted(prepared.steps(&config.train), "batch"),
        config.train.batch_size,
        counted(config.train.max_epochs, "epoch"),
        config.seed,
        machine.context.isa.name(),
        counted(machine.threads, "thread"),
    );
}

/// What the arguments ask for. A run that is resumed has a configuration, which one that is given with it must not change.
fn configure(arguments: &TrainArguments, data_dirs: &[PathBuf]) -> Result<RunConfig, CliError> {
    let is_newcomer = arguments.config.is_none() && arguments.resume.is_none();
    let fashion = Catalog::builtin().find("fashion-mnist").is_ok_and(|set| locate(data_dirs, set).is_ok());
    let begun = arguments.resume.as_ref().map(|path| Ok::<_, CliError>((path, run_config(path)?))).transpose()?;
    let (source, origin) = match (&arguments.config, &begun) {
        (Some(name), _) => source::find(name)?,
        (None, Some((path, begun))) => {
            (Source::parse(&begun.to_toml(), &path.join("config.toml").display().to_string())?, Origin::File)
        }
        (None, None) => {
            let (footwear, origin) = source::find("footwear")?;
            let set = format!("data.set={DRAWN_SET}");
            (if fashion { footwear } else { footwear.set(&set)? }, origin)
        }
    };
    let source = source::settle(source, &arguments.set, arguments.seed)?;
    let config = match origin {
        Origin::Preset => source.into_base_run()?,
        Origin::File => source.into_run()?,
    };
    // What a setting names was not chosen here.
    let is_named = |setting: &String| {
        let key = setting.split('=').next().unwrap_or_default().trim();
        ["data", "data.set", "data.classes"].contains(&key)
    };
    if is_newcomer && !arguments.set.iter().any(is_named) {
        if fashion {
            say!("Data: sandals, sneakers and ankle boots of Fashion-MNIST, which is in the data directory.");
        } else {
            say!(
                "Data: sandals, sneakers and ankle boots drawn by the program, because Fashion-MNIST is not in the data \
                 directory.\n      `narrows data fetch fashion-mnist` gets the real images; the next run then takes them."
            );
        }
    }
    if let Some((path, begun)) = begun {
        check_config(path, &begun, &config)?;
    }
    Ok(config)
}

/// What early stopping saw.
fn not_better_since(config: &RunConfig, epoch: usize) -> String {
    let Some(rule) = &config.train.early_stopping else { return "early stopping".to_owned() };
    let loss = if rule.monitor == Monitor::Loss { "training loss" } else { "validation loss" };
    let least =
        if rule.min_delta > 0.0 { format!(" by more than min_delta = {}", rule.min_delta) } else { String::new() };
    format!("no epoch since {epoch} improved on its {loss}{least}")
}

fn conclude(config: &RunConfig, prepared: &Prepared, executed: &RunResult, folder: &Path) {
    let outcome = &executed.outcome;
    let epochs = outcome.history.epochs.len();
    let seconds: f64 = outcome.history.epochs.iter().map(|epoch| epoch.seconds).sum();
    let why = match outcome.stop {
        Stop::LastEpoch => "all epochs are done".to_owned(),
        Stop::Early => match outcome.best {
            Some(best) => not_better_since(config, best.epoch),
            None => "early stopping".to_owned(),
        },
        Stop::Interrupted { epoch, step } => {
            format!(
                "interrupted in epoch {epoch} after step {step}; `narrows train --resume {}` goes on",
                argument(folder)
            )
        }
    };
    let kept = match (outcome.restored_best, outcome.best) {
        (true, Some(best)) => format!("; the weights are those of epoch {}", best.epoch),
        _ => String::new(),
    };
    say!("\nTrained {} in {}: {why}{kept}.\n", counted(epochs, "epoch"), duration(seconds));
    inspect::show(&prepared.task.tables(&executed.evaluations));
    say!("\nRun folder: {}", folder.display());
    if epochs > 0 {
        say!("  {:<22}training and validation loss", "loss.png");
    }
    for (file, holds) in &executed.pictures {
        say!("  {file:<22}{holds}");
    }
    say!("  {:<22}the weights, SHA-256 {}", "model.safetensors", executed.weights_sha256);
}
