//! `narrows eval` and `narrows reconstruct`: a finished run looked at again.

use serde_json::{Map, Value};

use super::CliError;
use super::args::{EvalArguments, Part, ReconstructArguments};
use super::images::load_like;
use super::machine;
use super::output::{print, say};
use narrows::data::Samples;
use narrows::data::data_dirs;
use narrows::figures::number::significant;
use narrows::files::write_whole;
use narrows::run::{OpenRun, reconstruction_picture};
use narrows::tape::Arena;
use narrows::tasks::Evaluation;

/// Prints the figures of every part of a run's data.
pub fn evaluate(arguments: EvalArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let loaded = &run.prepared.loaded;
    let parts: Vec<(&str, Evaluation)> = machine.run(|| {
        let mut arena = Arena::default();
        let parts = loaded.parts().into_iter().filter(|(_, samples)| !samples.is_empty());
        let trained = run.trained(machine.context);
        parts.map(|(name, samples)| (name, trained.evaluate(samples, &mut arena))).collect()
    })?;
    let loss = run.config.model.loss.name();
    if arguments.json {
        let figures: Map<String, Value> =
            parts.iter().map(|(name, evaluation)| ((*name).to_owned(), evaluation.to_json())).collect();
        print(&format!("{:#}\n", Value::Object(figures)));
        return Ok(());
    }
    say!("  {:<12}{:>8}{loss:>12}{:>12}{:>12}{:>14}{:>12}", "", "images", "mse", "nrmse", "active units", "code L1");
    for (name, figures) in &parts {
        say!(
            "  {name:<12}{:>8}{:>12}{:>12}{:>12}{:>14}{:>12}",
            figures.images,
            significant(figures.loss, 4),
            significant(figures.mse, 4),
            significant(figures.nrmse, 4),
            significant(figures.active_code_units, 3),
            significant(figures.code_l1, 4),
        );
    }
    Ok(())
}

/// Draws images above their reconstructions.
pub fn reconstruct(arguments: ReconstructArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let loaded = &run.prepared.loaded;
    let other = match &arguments.images.images {
        Some(path) => Some(load_like(&run, path, arguments.images.variable.as_deref(), "reconstruct")?),
        None => None,
    };
    let data = other.as_ref().unwrap_or(&loaded.data);
    let (label, part): (&str, &[u32]) = match arguments.part {
        Part::Train => ("train", &loaded.split.train),
        Part::Validation => ("validation", &loaded.split.validation),
        Part::Test => ("test", &loaded.split.test),
    };
    let all: Vec<u32>;
    let (label, indices) = match &other {
        Some(other) => {
            all = (0..other.len() as u32).collect();
            ("images", &all[..])
        }
        None => (label, part),
    };
    if indices.is_empty() {
        return Err(CliError::Usage(format!("{} has no {label} images", arguments.run.display())));
    }
    let indices = &indices[..indices.len().min(arguments.count as usize)];
    let images = Samples { data, indices };
    let png = machine.run(|| reconstruction_picture(&run.trained(machine.context), images))??;
    let out = arguments.out.unwrap_or_else(|| run.path.join(format!("reconstructions-{label}.png")));
    write_whole(&out, &png)?;
    say!("{} images of {} above their reconstructions: {}", indices.len(), data.name, out.display());
    Ok(())
}
