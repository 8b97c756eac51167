//! The contract: weights, history and figures are the same bits on every instruction set and number of threads.

use crate::support::{Place, without_seconds};
use narrows_kernels::Isa;

/// 51 + 51 + 51 training images in batches of 100: a last batch of 53. The layers are just large enough that products,
/// elementwise kernels and optimizer steps are split over threads.
const DATA_AND_TRAIN: &str = r#"
seed = 2026
[data]
set = "footwear"
merge = true
per_class = 70
split = { train = 51, validation = 10, test = 9 }
[train]
batch_size = 100
max_epochs = 2
"#;

/// Cross-entropy through a ReLU network, Nadam.
const RELU: &str = r#"
name = "relu"
model.encoder = [{ dense = 96, activation = "relu" }, { dense = 17, activation = "relu" }]
model.decoder = [{ dense = 96, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
model.code_penalty = { l1 = 1e-4 }
train.loss = "bce"
optimizer = { name = "nadam", learning_rate = 1e-3 }
"#;

/// Every function of `exp` and `ln`, both layers that draw random numbers, penalties, clipping by the norm, a schedule.
const CURVED: &str = r#"
name = "curved"
model.init = { normal = 0.05, biases = true }
model.encoder = [{ noise = 0.1 }, { dense = 96, activation = "tanh" }, { dropout = 0.2 }, { dense = 16, activation = "elu" }]
model.decoder = [{ dense = 96, activation = "softplus" }, { dropout = 0.1 }, { dense = "input", activation = "sigmoid" }]
model.code_penalty = { l1 = 1e-4, l2 = 1e-4 }
model.weight_penalty = { l2 = 1e-5 }
train.loss = "mse"
optimizer = { name = "adamw", semantics = "pytorch", learning_rate = 1e-3, clip_norm = 0.05, schedule = { cosine = 2 } }
"#;

/// The divergence of images as distributions, a leaky ReLU, RMSprop with all it can carry.
const DIVERGENCE: &str = r#"
name = "divergence"
model.init = "he-normal"
model.encoder = [{ dense = 96, activation = "leaky-relu" }, { dense = 8, activation = "linear" }]
model.decoder = [{ dense = "input", activation = "softplus" }]
train.loss = "kl"
optimizer = { name = "rmsprop", learning_rate = 1e-3, momentum = 0.9, centered = true, clip_value = 0.01 }
"#;

/// A mean activation drawn to ρ, and the closed form of a Jacobian's norm.
const SPARSE_AND_CONTRACTIVE: &str = r#"
name = "sparse"
model.encoder = [{ dense = 96, activation = "relu" }, { dense = 17, activation = "sigmoid" }]
model.decoder = [{ dense = 96, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
model.code_penalty = { kl = 1e-3, rho = 0.05 }
model.contractive = { weight = 1e-4, method = "gram" }
train.loss = "mse"
optimizer = { name = "adam", learning_rate = 1e-3 }
"#;

/// A Jacobian's norm by passes recorded on the tape, of corrupted images.
const RECORDED: &str = r#"
name = "recorded"
model.encoder = [{ dropout = 0.1 }, { dense = 40, activation = "tanh" }, { dense = 5, activation = "softplus" }]
model.decoder = [{ dense = "input", activation = "sigmoid" }]
model.contractive = { weight = 1e-3, method = "exact" }
model.corruption = { gaussian = 0.3 }
train.loss = "bce"
optimizer = { name = "adam", learning_rate = 1e-3 }
"#;

/// The same from random directions.
const PROBED: &str = r#"
name = "probed"
model.encoder = [{ dense = 40, activation = "elu" }, { dense = 9, activation = "tanh" }]
model.decoder = [{ dense = "input", activation = "linear" }]
model.contractive = { weight = 1e-3, method = "probes", probes = 3 }
model.corruption = { salt-and-pepper = 0.1 }
train.loss = "mse"
optimizer = { name = "adam", learning_rate = 1e-3 }
"#;

/// A distribution of codes, whose divergence is weighed more and more.
const VARIATIONAL: &str = r#"
name = "variational"
model.encoder = [{ dense = 96, activation = "relu" }, { dense = 7 }]
model.decoder = [{ dense = 96, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
model.variational = { beta = 0.5, warmup_epochs = 1 }
model.corruption = { masking = 0.2 }
train.loss = "bce"
optimizer = { name = "adam", learning_rate = 1e-3 }
"#;

/// What a run leaves that must not depend on the machine.
#[derive(Debug, PartialEq)]
struct Bits {
    weights: String,
    history: Vec<Vec<String>>,
    figures: serde_json::Value,
    pictures: String,
}

fn bits(place: &Place, out: &str) -> Bits {
    let metrics = place.json(&format!("{out}/metrics.json"));
    let weights = place.sha256(&format!("{out}/model.safetensors"));
    assert_eq!(metrics["model_sha256"], weights);
    Bits {
        weights,
        history: without_seconds(&place.text(&format!("{out}/history.csv"))),
        figures: metrics["evaluation"].clone(),
        pictures: place.sha256(&format!("{out}/reconstructions.png")),
    }
}

/// Runs the configuration, and returns what it left and what it said.
fn train(place: &Place, model: &str, isa: Isa, threads: usize, more: &[&str]) -> (Bits, String) {
    let out = format!("{}-{threads}-{}", isa.name(), more.join(""));
    let mut command = place.command(&["train", model, "--out", &out, "--threads", &threads.to_string()]);
    let answer = crate::support::answer(command.args(more).env("NARROWS_ISA", isa.name())).done();
    let environment = place.json(&format!("{out}/environment.json"));
    assert_eq!((&environment["isa"], &environment["threads"]), (&isa.name().into(), &threads.into()));
    (bits(place, &out), answer.stdout)
}

/// A folder with `run.toml`: the keys of a model, and what all share.
fn place_with(model: &str) -> Place {
    let place = Place::new();
    let mut document: toml::Table = DATA_AND_TRAIN.parse().unwrap();
    for (table, values) in model.parse::<toml::Table>().unwrap() {
        match (document.get_mut(&table), values) {
            (Some(toml::Value::Table(shared)), toml::Value::Table(own)) => shared.extend(own),
            (_, value) => drop(document.insert(table, value)),
        }
    }
    place.write("run.toml", document.to_string().as_bytes());
    place
}

#[track_caller]
fn one_result_everywhere(name: &str, model: &str) {
    let place = place_with(model);
    let widest = Isa::detect();
    let (expected, _) = train(&place, "run.toml", widest, 1, &[]);
    assert_eq!(expected.history.len(), 3, "two epochs");
    println!("{name}: {} with 1 thread gives {}", widest.name(), expected.weights);
    let isas = Isa::available().into_iter().map(|isa| (isa, 2));
    let threads = [3, 8].map(|threads| (widest, threads));
    for (isa, threads) in isas.chain(threads) {
        let (found, _) = train(&place, "run.toml", isa, threads, &[]);
        assert_eq!(found, expected, "{name} on {} with {threads} threads", isa.name());
        println!("{name}: {} with {threads} threads gives {}", isa.name(), found.weights);
    }
}

#[test]
fn a_relu_network_has_one_result_on_all_instruction_sets_and_threads() {
    one_result_everywhere("relu", RELU);
}

#[test]
fn a_network_of_curved_functions_and_noise_has_one_result_on_all_instruction_sets_and_threads() {
    one_result_everywhere("curved", CURVED);
}

#[test]
fn a_network_of_distributions_has_one_result_on_all_instruction_sets_and_threads() {
    one_result_everywhere("divergence", DIVERGENCE);
}

#[test]
fn sparse_and_contractive_networks_have_one_result_on_all_instruction_sets_and_threads() {
    one_result_everywhere("sparse and contractive", SPARSE_AND_CONTRACTIVE);
}

#[test]
fn recorded_and_probed_jacobians_have_one_result_on_all_instruction_sets_and_threads() {
    one_result_everywhere("recorded", RECORDED);
    one_result_everywhere("probed", PROBED);
}

#[test]
fn a_variational_network_has_one_result_on_all_instruction_sets_and_threads() {
    one_result_everywhere("variational", VARIATIONAL);
}

#[test]
fn another_seed_gives_other_bits_and_the_same_seed_the_same() {
    let place = place_with(RELU);
    let isa = Isa::detect();
    let (first, _) = train(&place, "run.toml", isa, 2, &[]);
    let (other, _) = train(&place, "run.toml", isa, 2, &["--seed=2027"]);
    let (again, _) = train(&place, "run.toml", isa, 2, &["--seed=2026"]);
    assert_ne!(first.weights, other.weights);
    assert_ne!(first.history, other.history);
    assert_eq!(first, again);
}

#[test]
fn products_of_another_crate_are_said_to_be_outside_the_contract() {
    let place = place_with(RELU);
    let isa = Isa::detect();
    let (ours, said) = train(&place, "run.toml", isa, 2, &[]);
    assert!(!said.contains("outside the bit contract"), "{said}");
    let (theirs, said) = train(&place, "run.toml", isa, 2, &["--gemm=matrixmultiply"]);
    assert!(said.contains("matrixmultiply: the results are outside the bit contract"), "{said}");
    for (more, contract, gemm) in [("", true, "narrows"), ("--gemm=matrixmultiply", false, "matrixmultiply")] {
        let out = format!("{}-2-{more}", isa.name());
        let environment = place.json(&format!("{out}/environment.json"));
        assert_eq!((&environment["bit_contract"], &environment["gemm"]), (&contract.into(), &gemm.into()));
        assert_eq!(place.json(&format!("{out}/metrics.json"))["bit_contract"], contract);
    }
    // Other roundings, the same mathematics: a loss near 0.7 after few steps, and f32 has 7 digits.
    let last = |bits: &Bits| bits.history[2][1].parse::<f64>().unwrap();
    assert!((last(&ours) - last(&theirs)).abs() < 1e-3 * last(&ours).abs(), "{ours:?} {theirs:?}");
}
