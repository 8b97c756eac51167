//! `narrows export --onnx`: what is in the files, and what another runtime makes of them; trained weights
//! applied by PyTorch, Keras and numpy.

use std::process::Command;

use narrows::data::npy;
use narrows::files::protobuf::Message;
use narrows::run::OpenRun;
use ndarray::{Array2, ArrayView4};

use crate::explore::{CONVOLUTIONAL, DENSE, VARIATIONAL, train};
use crate::support::protobuf::{all, bits, fields};
use crate::support::{Place, skipped_in_ci_too};

/// The weights behind its code are one row.
const ONE: &str = "encoder = [{ dense = 1 }]\n\
                   decoder = [{ dense = 5, activation = \"tanh\" }, { dense = \"input\", activation = \"sigmoid\" }]\n";

/// Images that no set has, with values from 0 to 1.
fn images(count: usize) -> Array2<f32> {
    let mut state = 3u64;
    Array2::from_shape_simple_fn((count, 784), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    })
}

/// A script with a Python that has a module: that of the variable, or `python3`. `None` where there is none.
fn python(variable: &str, module: &str) -> Option<Command> {
    let python = std::env::var_os(variable).unwrap_or_else(|| "python3".into());
    let found = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    let has = found.is_ok_and(|output| output.status.success());
    if !has {
        skipped_in_ci_too(&format!("{} has no {module}; {variable} may name one that has", python.display()));
    }
    has.then(|| Command::new(python))
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn script(name: &str) -> String {
    format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn another_runtime_gives_the_same_numbers() {
    let place = Place::new();
    train(&place, "dense", DENSE, "bce");
    train(&place, "variational", VARIATIONAL, "bce-logits");
    train(&place, "convolutional", CONVOLUTIONAL, "mse");
    train(&place, "one", ONE, "mse");
    train(&place, "distribution", &DENSE.replace("\"sigmoid\"", "\"relu\""), "kl");
    npy::write(&place.path("images.npy"), images(10_000).view()).unwrap();
    for name in ["dense", "variational", "convolutional", "one", "distribution"] {
        place
            .narrows(&["export", name, "--onnx", "--out", "onnx"])
            .done()
            .says(&["rows of 784 values", "autoencoder.onnx"]);
        place.narrows(&["export", name, "--onnx", "--out", "twice", "--threads", "2"]).done();
        for file in ["encoder.onnx", "decoder.onnx", "autoencoder.onnx"] {
            assert_eq!(place.read(&format!("onnx/{file}")), place.read(&format!("twice/{file}")), "{name}: {file}");
        }
        holds_the_weights(&place, name);
        place.narrows(&["encode", name, "--images", "images.npy", "--out", "codes.npy"]).done();
        place.narrows(&["decode", name, "codes.npy", "--out", "decoded.npy"]).done();
        // What the autoencoder makes of images with this loss is no decoded code: it has the sum of the image.
        if name == "distribution" {
            has_operators(&place, "autoencoder", &["Relu", "Add", "ReduceSum", "ReduceSum", "Div", "Mul", "Identity"]);
            continue;
        }
        if let Some(mut python) = python("NARROWS_PYTHON", "onnxruntime") {
            let files = ["onnx", "images.npy", "codes.npy", "decoded.npy"];
            succeeds(python.arg(script("check_onnx.py")).args(files).current_dir(place.root()));
        }
    }
}

#[test]
fn frameworks_load_trained_weights() {
    let place = Place::new();
    let model = "encoder = [{ dense = 32, activation = \"relu\" }, { dense = 4, activation = \"tanh\" }]\n\
                 decoder = [{ dense = \"input\", activation = \"sigmoid\" }]\n";
    train(&place, "dense", model, "bce");
    npy::write(&place.path("images.npy"), images(1000).view()).unwrap();
    place.narrows(&["encode", "dense", "--images", "images.npy", "--out", "codes.npy"]).done();
    place.narrows(&["data", "export", "dense", "--out", "exported"]).done();
    for (variable, module, file, data) in [
        ("NARROWS_PYTORCH", "torch, safetensors", "load_pytorch.py", &["images.npy", "codes.npy"][..]),
        ("NARROWS_KERAS", "keras, safetensors", "load_keras.py", &["images.npy", "codes.npy"]),
        ("NARROWS_PYTHON", "numpy, safetensors", "check_weights.py", &["exported/t10k-images-idx3-ubyte"]),
    ] {
        if let Some(mut python) = python(variable, module) {
            succeeds(python.arg(script(file)).arg("dense").args(data).current_dir(place.root()));
        }
    }
}

/// Every tensor of the model is in the file of its part under its name, its numbers in the order that ONNX wants: kernels as
/// [outputs, inputs, height, width], all others as they are; a bias and what batch normalisation has are vectors.
fn holds_the_weights(place: &Place, name: &str) {
    let run = OpenRun::open(&place.path(name), &[]).unwrap();
    let layout = run.prepared.layout();
    for part in ["encoder", "decoder"] {
        let file = place.read(&format!("onnx/{part}.onnx"));
        let model = fields(&file);
        assert_eq!(bits(&model, 1), Some(8));
        let tensors: Vec<_> = all(&fields(all(&model, 7)[0]), 5).into_iter().map(fields).collect();
        let own = layout.iter().filter(|param| param.name.starts_with(part) && !param.name.contains("log_variance"));
        for param in own {
            let tensor = tensors.iter().find(|tensor| all(tensor, 8) == [param.name.as_bytes()]);
            let tensor = tensor.unwrap_or_else(|| panic!("{name}: no {}", param.name));
            let stored = all(tensor, 9)[0].chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
            let own = param.of(&run.params);
            let expected = match *param.shape.dims() {
                [height, width, from, to] => {
                    let kernel = ArrayView4::from_shape([height, width, from, to], own).unwrap();
                    kernel.permuted_axes([3, 2, 0, 1]).iter().copied().collect()
                }
                _ => own.to_vec(),
            };
            assert_eq!(stored.collect::<Vec<_>>(), expected, "{}", param.name);
            let dims = match *param.shape.dims() {
                [height, width, from, to] => vec![to, from, height, width],
                [1, count] if name != "one" || param.name.ends_with("bias") => vec![count],
                ref dims => dims.to_vec(),
            };
            let dims = Message::new().ints(1, dims.into_iter().map(|dim| dim as i64)).into_bytes();
            assert_eq!(all(tensor, 1), all(&fields(&dims), 1), "{}", param.name);
        }
    }
}

/// The last operators of a graph.
fn has_operators(place: &Place, part: &str, last: &[&str]) {
    let file = place.read(&format!("onnx/{part}.onnx"));
    let nodes = all(&fields(all(&fields(&file), 7)[0]), 1);
    let found: Vec<_> = nodes.iter().map(|node| String::from_utf8_lossy(all(&fields(node), 4)[0])).collect();
    assert_eq!(found[found.len() - last.len()..], *last, "{found:?}");
}
