//! `narrows invert`: what it writes, and what it refuses.

use serde_json::Value;

use crate::support::{Place, idx};

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

/// A folder with a run of this configuration in `run`.
fn trained(config: &str) -> Place {
    let place = Place::new();
    place.write("small.toml", config.as_bytes());
    place.narrows(&["train", "small.toml", "--out", "run"]).done();
    place
}

#[test]
fn a_run_is_inverted_and_its_files_are_the_same_for_any_threads() {
    let place = trained(CONFIG);
    let answer = place.narrows(&["invert", "run", "--threads", "1"]).done();
    assert!(answer.stderr.contains("optimal codes: about "), "{}", answer.stderr);
    answer.says(&["decoder.2", "own output", "amortisation gap", "without certificate", "0 of 54", "inversion.png"]);
    let file = place.json("run/inversion.json");
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
    let rows = place.text("run/inversion.csv");
    assert_eq!(rows.lines().count(), 1 + 2 * 6, "{rows}");

    place.narrows(&["invert", "run", "--threads", "2", "--out", "other"]).done();
    for name in ["inversion.json", "inversion.csv", "inversion.png"] {
        assert!(place.read(&format!("run/{name}")) == place.read(&format!("other/{name}")), "{name} differs");
    }
    let few = ["invert", "run", "--part", "validation", "--count", "7", "--out", "other"];
    place.narrows(&few).done().says(&["validation: the first 7 of 18 images (--count all"]);
    place.refuses(&["invert", "run", "--count", "0"], 2, &["\"all\" is expected"]);
    let file = place.json("other/inversion.json");
    let parts: Vec<&String> = file["parts"].as_object().unwrap().keys().collect();
    assert_eq!(parts, ["validation"]);
    assert_eq!(file["parts"]["validation"]["images"], 7);
}

#[test]
fn weights_that_are_missing_or_altered_are_refused() {
    let place = trained(CONFIG);
    let mut weights = place.read("run/model.safetensors");
    *weights.last_mut().unwrap() ^= 1;
    place.write("run/model.safetensors", &weights);
    place.refuses(&["invert", "run"], 1, &["its SHA-256 is"]);
    std::fs::remove_file(place.path("run/model.safetensors")).unwrap();
    place.refuses(&["invert", "run"], 2, &["it has no model.safetensors"]);
}

#[test]
fn a_decoder_that_narrows_or_has_convolutions_is_refused() {
    let place = trained(&CONFIG.replace("{ dropout = 0.1 }", "{ dense = 10 }"));
    place.refuses(&["invert", "run"], 2, &["decoder.1 narrows from 20 to 10 values"]);
    let image = "{ dense = 784 }, { reshape = [28, 28, 1] }, { conv = 1 }";
    let place = trained(&CONFIG.replace("{ dropout = 0.1 }", image));
    place.refuses(&["invert", "run"], 2, &["decoder.3 is a conv layer; layers that are dense"]);
}

#[test]
fn other_images_are_inverted_if_they_have_the_model_s_size() {
    let place = trained(CONFIG);
    let pixels: Vec<u8> = (0..3 * 784).map(|at| (at % 251) as u8).collect();
    place.write("images-idx3-ubyte", &idx(&[3, 28, 28], &pixels));
    let invert = ["invert", "run", "--images", "images-idx3-ubyte"];
    place.narrows(&invert).done();
    assert_eq!(place.json("run/inversion.json")["parts"]["images"]["images"], 3);
    // As many values, another shape.
    place.write("images-idx3-ubyte", &idx(&[3, 14, 56], &pixels));
    place.refuses(&invert, 2, &["its images are 14×56 pixels, but"]);
}
