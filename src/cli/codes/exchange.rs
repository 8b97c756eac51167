//! `narrows encode` and `narrows decode`: codes as NPY files.

use super::super::CliError;
use super::super::args::{DecodeArguments, EncodeArguments};
use super::super::machine;
use super::super::output::say;
use super::{codes_in, decoded, images_at, images_in, indices_of, must_end_in, write_images};
use narrows::data::{data_dirs, npy};
use narrows::run::{OpenRun, RunError};

/// Writes the codes of images.
pub fn encode(arguments: EncodeArguments) -> Result<(), CliError> {
    must_end_in(&arguments.out, &["npy"])?;
    if let Some(labels) = &arguments.labels {
        must_end_in(labels, &["npy"])?;
    }
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let loaded = &run.prepared.loaded;
    let (images, labels) = match &arguments.images.images {
        Some(path) => (images_in(&run, path, arguments.images.variable.as_deref())?, None),
        None => {
            let indices = indices_of(&run, arguments.part)?;
            let all = loaded.data.labels.as_ref();
            let labels = all.map(|all| indices.iter().map(|&index| all[index as usize]).collect::<Vec<u8>>());
            (images_at(&run, indices), labels)
        }
    };
    let labels = match (&arguments.labels, labels) {
        (Some(_), None) => {
            return Err(CliError::Usage(format!("{} has no labels; leave --labels out", loaded.data.name)));
        }
        (path, labels) => path.as_ref().zip(labels),
    };
    let codes = machine.run(|| run.trained(machine.context).encode(images.view()))?.map_err(RunError::from)?;
    npy::write(&arguments.out, codes.view())?;
    say!("{} codes of {} values: {}", codes.nrows(), codes.ncols(), arguments.out.display());
    if let Some((path, labels)) = labels {
        npy::write_bytes(path, &labels)?;
        say!("{} labels: {}", labels.len(), path.display());
    }
    Ok(())
}

/// Writes the images that the decoder makes of codes.
pub fn decode(arguments: DecodeArguments) -> Result<(), CliError> {
    must_end_in(&arguments.out, &["npy", "png"])?;
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let codes = codes_in(&run, &arguments.codes)?;
    let images = machine.run(|| decoded(&run.trained(machine.context), codes.view()))?.map_err(RunError::from)?;
    write_images(&run, "", images.view(), &arguments.out)?;
    say!("{} images of {} pixels: {}", images.nrows(), images.ncols(), arguments.out.display());
    Ok(())
}
