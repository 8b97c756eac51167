//! `narrows eval` and `narrows reconstruct`: a finished run looked at again.

use serde_json::Value;

use super::CliError;
use super::args::{ReconstructArguments, RunArguments};
use super::images;
use super::machine;
use super::output::{print, say, table};
use narrows::figures::number::{counted, significant};
use narrows::files::write_whole;
use narrows::run::reconstruction_picture;
use narrows::tape::Arena;
use narrows::tasks::Evaluation;

/// Prints the figures of every part of a run's data.
pub fn evaluate(json: bool, of: &RunArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(of)?;
    let loaded = &run.prepared.loaded;
    let parts: Vec<(&str, Evaluation)> = machine.run(|| {
        let mut arena = Arena::default();
        let parts = loaded.parts().into_iter().filter(|(_, samples)| !samples.is_empty());
        let trained = run.trained(machine.context);
        parts.map(|(name, samples)| (name, trained.evaluate(samples, &mut arena))).collect()
    })?;
    if json {
        let figures = parts.iter().map(|(name, evaluation)| ((*name).to_owned(), evaluation.to_json()));
        print(&format!("{:#}\n", Value::Object(figures.collect())));
    } else {
        show(run.config.model.loss.name(), &parts);
    }
    Ok(())
}

/// Prints the figures of each part; a loss that is the mean squared error stands there once.
pub fn show(loss: &str, parts: &[(&str, Evaluation)]) {
    let errors = if loss == "mse" { &["mse"][..] } else { &[loss, "mse"] };
    let header = [&["", "images"], errors, &["nrmse", "active units", "code L1"]].concat();
    let row = |(name, figures): &(&str, Evaluation)| {
        let errors = [figures.loss, figures.mse].into_iter().skip(2 - errors.len());
        let figure = |value: f64| significant(value, 4);
        let mut row = vec![(*name).to_owned(), figures.images.to_string()];
        row.extend(errors.chain([figures.nrmse]).map(figure));
        row.extend([significant(figures.active_code_units, 3), figure(figures.code_l1)]);
        row
    };
    table(&header, &parts.iter().map(row).collect::<Vec<_>>());
}

/// Draws images above their reconstructions.
pub fn reconstruct(arguments: ReconstructArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(&arguments.of)?;
    let other = images::other(&run, &arguments.images, "reconstruct")?;
    let (label, images) = match &other {
        Some(other) => ("images", other.test()),
        None => arguments.part.of(&run.prepared.loaded),
    };
    if images.is_empty() {
        return Err(CliError::Usage(format!("{} has no {label} images", run.path.display())));
    }
    let images = images.first(arguments.count as usize);
    let png = machine.run(|| reconstruction_picture(&run.trained(machine.context), images))??;
    let out = arguments.out.unwrap_or_else(|| run.path.join(format!("reconstructions-{label}.png")));
    write_whole(&out, &png)?;
    say!("{} of {} above their reconstructions: {}", counted(images.len(), "image"), images.data.name, out.display());
    Ok(())
}
