//! `narrows invert`: what it writes, and what it refuses.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

const CONFIG: &str = r#"
name = "small"
seed = 1
[data]
set = "footwear"
per_class = 30
merge = true
split = { train = 3, validation = 1, test = 1 }
[model]
encoder = [{ dense = 20, activation = "leaky-relu", slope = 0.5 }, { dense = 4 }]
decoder = [
  { dense = 20, activation = "leaky-relu", slope = 0.5 },
  { dropout = 0.1 },
  { dense = "input", activation = "leaky-relu", slope = 0.5 },
]
[train]
loss = "mse"
batch_size = 16
max_epochs = 3
[optimizer]
name = "adam"
semantics = "pytorch"
learning_rate = 1e-2
"#;

fn narrows(arguments: &[&str]) -> Output {
    Command::cargo_bin("narrows").unwrap().args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn trained(folder: &Path, config: &str) -> PathBuf {
    let (file, run) = (folder.join("small.toml"), folder.join("run"));
    std::fs::write(&file, config).unwrap();
    let output = narrows(&["train", text(&file), "--out", text(&run)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    run
}

/// The exit code and what was said on standard error.
fn refusal(arguments: &[&str]) -> (i32, String) {
    let output = narrows(arguments);
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn inversion(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("inversion.json")).unwrap()).unwrap()
}

#[test]
fn a_run_is_inverted_and_its_files_are_the_same_for_any_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path(), CONFIG);
    let output = narrows(&["invert", text(&run), "--threads", "1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("optimal codes: about "));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in ["decoder.2", "own output", "amortisation gap", "without certificate", "0 of 54", "inversion.png"] {
        assert!(said.contains(expected), "{expected:?} is missing in\n{said}");
    }
    let file = inversion(&run);
    assert_eq!(file["layers"].as_array().unwrap().len(), 2);
    for part in ["train", "test"] {
        let part = &file["parts"][part];
        let number = |pointer: &str| part.pointer(pointer).and_then(Value::as_f64).unwrap();
        assert!(number("/own_output/f64/relative_error") < 1e-12, "{part:#}");
        let single = number("/own_output/f32/relative_error");
        assert!(single > 0.0 && single < 1e-4, "{part:#}");
        let nrmse = |codes: &str| number(&format!("/decoded/{codes}/nrmse"));
        assert!(nrmse("optimal") < nrmse("encoder") && nrmse("optimal") < nrmse("walk"), "{part:#}");
        let gap = number("/optimal/amortisation_gap");
        assert!((gap - (nrmse("encoder") - nrmse("optimal"))).abs() < 1e-15);
        let stops = part.pointer("/optimal/stops").unwrap().as_object().unwrap().values();
        assert_eq!(stops.map(|count| count.as_u64().unwrap()).sum::<u64>(), part["images"].as_u64().unwrap());
        assert_eq!(number("/optimal/without_certificate"), 0.0);
    }
    let rows = std::fs::read_to_string(run.join("inversion.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + 2 * 6, "{rows}");

    let other = folder.path().join("other");
    let output = narrows(&["invert", text(&run), "--threads", "2", "--out", text(&other)]);
    assert!(output.status.success());
    for name in ["inversion.json", "inversion.csv", "inversion.png"] {
        assert!(std::fs::read(run.join(name)).unwrap() == std::fs::read(other.join(name)).unwrap(), "{name} differs");
    }
    let output = narrows(&["invert", text(&run), "--part", "validation", "--count", "7", "--out", text(&other)]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("validation: the first 7 of 18 images (--count all"));
    assert!(refusal(&["invert", text(&run), "--count", "0"]).1.contains("\"all\" is expected"));
    let file = inversion(&other);
    let parts: Vec<&String> = file["parts"].as_object().unwrap().keys().collect();
    assert_eq!(parts, ["validation"]);
    assert_eq!(file["parts"]["validation"]["images"], 7);
}

#[test]
fn weights_that_are_missing_or_altered_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path(), CONFIG);
    let weights = run.join("model.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, altered).unwrap();
    let (code, said) = refusal(&["invert", text(&run)]);
    assert!(code == 1 && said.contains("its SHA-256 is"), "{code}: {said}");
    std::fs::remove_file(&weights).unwrap();
    let (code, said) = refusal(&["invert", text(&run)]);
    assert!(code == 2 && said.contains("it has no model.safetensors"), "{code}: {said}");
}

#[test]
fn a_decoder_that_narrows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path(), &CONFIG.replace("{ dropout = 0.1 }", "{ dense = 10 }"));
    let (code, said) = refusal(&["invert", text(&run)]);
    assert!(code == 2 && said.contains("decoder.1 narrows from 20 to 10 values"), "{code}: {said}");
    assert!(!run.join("inversion.json").exists());
}

#[test]
fn other_images_are_inverted_if_they_have_the_model_s_size() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path(), CONFIG);
    let images = folder.path().join("images-idx3-ubyte");
    let idx = |rows: u32, cols: u32| {
        let mut bytes = vec![0, 0, 8, 3];
        [3, rows, cols].iter().for_each(|dim| bytes.extend_from_slice(&dim.to_be_bytes()));
        bytes.extend((0..3 * rows * cols).map(|at| (at % 251) as u8));
        bytes
    };
    std::fs::write(&images, idx(28, 28)).unwrap();
    let output = narrows(&["invert", text(&run), "--images", text(&images)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(inversion(&run)["parts"]["images"]["images"], 3);
    // As many values, another shape.
    std::fs::write(&images, idx(14, 56)).unwrap();
    let (code, said) = refusal(&["invert", text(&run), "--images", text(&images)]);
    assert!(code == 2 && said.contains("its images are 14×56 pixels, but"), "{said}");
}
