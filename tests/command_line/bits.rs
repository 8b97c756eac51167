//! What the weights are a function of: the seed among it, and products of another crate not.

use crate::support::{Place, without_seconds};

const CONFIG: &str = r#"
name = "bits"
seed = 2026
[data]
set = "footwear"
merge = true
per_class = 70
split = { train = 51, validation = 10, test = 9 }
[model]
encoder = [{ dense = 96, activation = "relu" }, { dense = 17, activation = "relu" }]
decoder = [{ dense = 96, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
[train]
loss = "bce"
batch_size = 100
max_epochs = 2
[optimizer]
name = "nadam"
learning_rate = 1e-3
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("run.toml", CONFIG.as_bytes());
    place
}

/// The hash of the weights and the timeless history of a run in `out`, and what was said.
fn train(place: &Place, out: &str, more: &[&str]) -> (String, Vec<Vec<String>>, String) {
    let answer = place.narrows(&[&["train", "run.toml", "--out", out], more].concat()).done();
    let history = without_seconds(&place.text(&format!("{out}/history.csv")));
    (place.sha256(&format!("{out}/model.safetensors")), history, answer.stdout + &answer.stderr)
}

#[test]
fn another_seed_gives_other_bits_and_the_same_seed_the_same() {
    let place = place();
    let (weights, history, _) = train(&place, "first", &[]);
    let (other_weights, other_history, _) = train(&place, "other", &["--seed=2027"]);
    assert!(weights != other_weights && history != other_history);
    let (again, history_again, _) = train(&place, "again", &["--seed=2026"]);
    assert_eq!((again, history_again), (weights, history));
}

#[test]
fn products_of_another_crate_are_said_to_be_outside_the_contract() {
    let place = place();
    let (_, ours, said) = train(&place, "narrows", &[]);
    assert!(!said.contains("outside the bit contract"), "{said}");
    let (_, theirs, said) = train(&place, "matrixmultiply", &["--gemm=matrixmultiply"]);
    assert!(said.contains("matrixmultiply: the results are outside the bit contract"), "{said}");
    for (gemm, contract) in [("narrows", true), ("matrixmultiply", false)] {
        let environment = place.json(&format!("{gemm}/environment.json"));
        assert_eq!((&environment["bit_contract"], &environment["gemm"]), (&contract.into(), &gemm.into()));
        assert_eq!(place.json(&format!("{gemm}/metrics.json"))["bit_contract"], contract);
    }
    // Other roundings, the same mathematics: a loss near 0.7 after few steps, and f32 has 7 digits.
    let [ours, theirs] = [&ours, &theirs].map(|history| history[2][1].parse::<f64>().unwrap());
    assert!((ours - theirs).abs() < 1e-3 * ours.abs(), "{ours} {theirs}");
}
