//! `narrows export`: trained models in the formats of others.

use std::path::PathBuf;

use super::CliError;
use super::args::RunArguments;
use super::machine;
use super::output::{json, path_json, say};
use super::paths::out_folder;
use narrows::files::write_whole;
use narrows::onnx;
use serde_json::json;

/// Writes encoder, decoder and both as ONNX.
pub fn run(out: Option<PathBuf>, of: &RunArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(of)?;
    let trained = run.trained(machine.context)?;
    let (model, params, loss) = (trained.model, trained.params, trained.objective.loss);
    let folder = out_folder(out, &run)?;
    let files = [
        ("encoder.onnx", "images to codes", onnx::encoder(model, params)),
        ("decoder.onnx", "codes to images", onnx::decoder(model, params, loss)),
        ("autoencoder.onnx", "images to reconstructions", onnx::autoencoder(model, params, loss)),
    ];
    say!("Images are rows of {} values, codes of {}. In {}:", model.features(), model.code_size(), folder.display());
    json(|| json!({ "files": files.each_ref().map(|(name, ..)| path_json(folder.join(name))) }));
    for (name, what, bytes) in files {
        write_whole(&folder.join(name), &bytes)?;
        say!("  {name:<18}{what}, {:.1} MB", bytes.len() as f64 / 1e6);
    }
    Ok(())
}
