//! `narrows replay`.

use super::CliError;
use super::args::ReplayArguments;
use super::machine;
use super::output::say;
use crate::data::data_dirs;
use crate::figures::number::significant;
use crate::run::{prepare, read_fault, replay_fault, run_config};
use crate::train::{Cursor, Seen};

/// Repeats the step at which a run failed.
pub fn run(arguments: ReplayArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let config = run_config(&arguments.run)?;
    let prepared = prepare(&config, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let Some(fault) = read_fault(&arguments.run, &config, &prepared, machine)? else {
        return Err(CliError::Usage(format!(
            "there is nothing to replay in {}: it has no fault.json, which a run leaves that fails on a value that is not finite",
            arguments.run.display()
        )));
    };
    let (said, images) = (fault.error.clone(), fault.images.clone());
    let replay = machine.run(|| replay_fault(&arguments.run, fault, &config, &prepared, machine))??;
    let Cursor { epoch, step } = replay.cursor;
    say!("Epoch {epoch}, after {step} steps, {} images.\n", images.len());
    table("parameter", &replay.parameters);
    say!("");
    table("output of", &replay.layers);
    for (title, rows) in [("gradient of", &replay.gradients), ("after the step", &replay.updated)] {
        if !rows.is_empty() {
            say!("");
            table(title, rows);
        }
    }
    let row = replay.layers.iter().find_map(|layer| layer.first_non_finite).map(|(row, _, _)| row);
    if let Some((row, image)) = row.and_then(|row| Some((row, images.get(row - 1)?))) {
        say!("\nImage {row} of the batch is number {image} of the data set, counted from 0.");
    }
    let Some(error) = replay.error else {
        return Err(CliError::Failed(format!("the step does not fail when it is repeated; the run had said: {said}")));
    };
    say!("\n{error}");
    if error.to_string() != said {
        // An update is noticed by the step after it, unless it is the last of an epoch.
        say!("\nThe run itself said: {said}");
    }
    Ok(())
}

fn table(title: &str, rows: &[Seen]) {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(title.len());
    say!("  {title:<width$}{:>14}{:>14}  first value that is not finite", "min", "max");
    for Seen { name, min, max, first_non_finite } in rows {
        let figure = |value: f64| if value.is_finite() { significant(value, 4) } else { "-".to_owned() };
        let first = match first_non_finite {
            Some((row, col, value)) => format!("{value} in row {row}, column {col}"),
            None => "-".to_owned(),
        };
        say!("  {name:<width$}{:>14}{:>14}  {first}", figure(*min), figure(*max));
    }
}
