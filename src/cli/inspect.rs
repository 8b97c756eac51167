//! `narrows eval` and `narrows reconstruct`: a finished run looked at again.

use serde_json::{Value, json};

use super::CliError;
use super::args::{ReconstructArguments, RunArguments};
use super::codes::part_of;
use super::images;
use super::machine;
use super::output::{json, path_json, say, table};
use super::paths::{check_target, or_in_run};
use narrows::figures::number::{counted, significant};
use narrows::files::write_whole;
use narrows::run::reconstruction_picture;
use narrows::tape::Arena;
use narrows::tasks::{Cell, Table, Weights};

/// Prints the figures of every part of a run's data.
pub fn evaluate(of: &RunArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(of)?;
    let loaded = &run.prepared.loaded;
    let (task, seed) = (&run.prepared.task, run.config.seed);
    let parts: Vec<(&'static str, Value)> = machine.run(|| {
        let mut arena = Arena::default();
        let parts = loaded.parts().into_iter().filter(|(_, samples)| !samples.is_empty());
        let weights = Weights { params: &run.params, context: machine.context };
        parts.map(|(name, samples)| (name, task.figures(weights, name, samples, seed, &mut arena))).collect()
    })?;
    json(|| Value::Object(parts.iter().map(|(name, figures)| ((*name).to_owned(), figures.clone())).collect()));
    show(&task.tables(&parts));
    Ok(())
}

/// Prints tables, each below its title.
pub fn show(tables: &[Table]) {
    for (number, Table { title, header, rows }) in tables.iter().enumerate() {
        if number > 0 {
            say!("");
        }
        if !title.is_empty() {
            say!("{title}");
        }
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Number(value, digits) => significant(*value, *digits),
        };
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        table(&header, &rows.iter().map(|row| row.iter().map(text).collect()).collect::<Vec<_>>());
    }
}

/// Draws images above their reconstructions.
pub fn reconstruct(arguments: ReconstructArguments) -> Result<(), CliError> {
    check_target(&arguments.out, &["png"], "")?;
    let (machine, run) = machine::open(&arguments.of)?;
    let other = images::other(&run, &arguments.images, "reconstruct")?;
    let (label, images) = match &other {
        Some(other) => ("images", other.test()),
        None => (arguments.part.name(), part_of(&run, arguments.part)?),
    };
    let images = images.first(arguments.count as usize);
    let png = machine.run(|| reconstruction_picture(&run.trained(machine.context)?, images))??;
    let out = or_in_run(arguments.out, &run, &format!("reconstructions-{label}.png"));
    write_whole(&out, &png)?;
    json(|| json!({ "part": label, "images": images.len(), "picture": path_json(&out) }));
    say!("{} of {} above their reconstructions: {}", counted(images.len(), "image"), images.data.name, out.display());
    Ok(())
}
