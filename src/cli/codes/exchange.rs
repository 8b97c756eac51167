//! `narrows encode` and `narrows decode`: codes as NPY files.

use std::path::PathBuf;

use serde_json::json;

use super::super::CliError;
use super::super::args::{EncodeArguments, RunArguments};
use super::super::machine;
use super::super::output::{json, path_json, say};
use super::super::paths::{check_target, must_differ};
use super::{codes_in, images_in, must_hold, part_of, write_images};
use narrows::data::npy;
use narrows::figures::number::counted;

/// Writes the codes of images.
pub fn encode(arguments: EncodeArguments) -> Result<(), CliError> {
    let written = || std::iter::once(&arguments.out).chain(&arguments.labels);
    check_target(written(), &["npy"], "")?;
    must_differ(written().chain(&arguments.images.images), "files")?;
    let (machine, run) = machine::open(&arguments.of)?;
    let loaded = &run.prepared.loaded;
    let (images, labels) = match &arguments.images.images {
        Some(path) => (images_in(&run, path, arguments.images.variable.as_deref(), "encode")?, None),
        None => {
            let part = part_of(&run, arguments.part)?;
            (part.to_array(), part.labels().map(|labels| labels.collect::<Vec<u8>>()))
        }
    };
    let labels = match (&arguments.labels, labels) {
        (Some(_), None) => {
            return Err(CliError::Usage(format!("{} has no labels; leave --labels out", loaded.data.name)));
        }
        (path, labels) => path.as_ref().zip(labels),
    };
    let codes = machine.run(|| run.encoder(machine.context)?.encode(images.view()).map_err(CliError::from))??;
    npy::write(&arguments.out, codes.view())?;
    json(
        || json!({ "codes": codes.nrows(), "values": codes.ncols(), "file": path_json(&arguments.out), "labels": arguments.labels.as_ref().map(path_json) }),
    );
    let [count, size] = [(codes.nrows(), "code"), (codes.ncols(), "value")].map(|(n, noun)| counted(n, noun));
    say!("{count} of {size}: {}", arguments.out.display());
    if let Some((path, labels)) = labels {
        npy::write_bytes(path, &labels)?;
        say!("{}: {}", counted(labels.len(), "label"), path.display());
    }
    Ok(())
}

/// Writes the images that the decoder makes of codes.
pub fn decode(of: &RunArguments, codes: &PathBuf, out: &PathBuf) -> Result<(), CliError> {
    check_target([out], &["npy", "png"], "")?;
    must_differ([codes, out], "files")?;
    let (machine, run) = machine::open(of)?;
    let codes = codes_in(&run, machine.context, codes)?;
    must_hold(out, codes.nrows())?;
    let images =
        machine.run(|| run.trained(machine.context)?.decode_images(codes.view()).map_err(CliError::from))??;
    write_images(&run, "", images.view(), out)?;
    json(|| json!({ "images": images.nrows(), "pixels": images.ncols(), "file": path_json(out) }));
    say!("{} of {} pixels: {}", counted(images.nrows(), "image"), images.ncols(), out.display());
    Ok(())
}
