//! The same bits everywhere: SHA-256 of every trained tensor of a small run of each kind, held against a committed table. History,
//! figures and pictures are held against those of the same case on the same machine, on the widest instruction set with one thread.
//!
//! Whoever runs these tests on another machine proves the contract on tensors there. A case runs on the widest instruction set with
//! one thread and on three others of the combinations of instruction set and 1, 2, 3 or 7 threads, which take turns: twelve
//! with AVX-512, eight with AVX2 or NEON. NARROWS_GOLDEN=all runs all. NARROWS_GOLDEN=write writes the tables anew, which only a
//! change of what is computed on purpose may do: a commit that does says which lines moved, and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::support::{Place, real_data, sha256, without_seconds};
use narrows_kernels::{Context, Isa};
use safetensors::SafeTensors;
use serde_json::Value;

/// What every case begins with: 153 training images in batches of 100 and 53.
const DRAWN: &str = r#"
name = "golden"
seed = 2026
[data]
set = "footwear"
merge = true
per_class = 70
split = { train = 51, validation = 10, test = 9 }
[model]
encoder = [{ dense = 64, activation = "relu" }, { dense = 9, activation = "relu" }]
decoder = [{ dense = 64, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
[train]
loss = "bce"
batch_size = 100
max_epochs = 2
[optimizer]
name = "adam"
learning_rate = 1e-3
"#;

const CODE_SIGMOID: &str = r#"model.encoder.1.activation="sigmoid""#;
const TANH_THEN_SOFTPLUS: &str =
    r#"model.encoder=[{ dense = 24, activation = "tanh" }, { dense = 5, activation = "softplus" }]"#;
const MEAN: &str = r#"model.encoder=[{ dense = 64, activation = "relu" }, { dense = 7 }]"#;

const CONVOLUTIONS: &str = r#"model.encoder=[{ conv = 8, activation = "relu" }, { max-pool = 2 }, { conv = 17, stride = 2, activation = "relu" }, { dense = 9, activation = "relu" }]"#;
const TRANSPOSED: &str = r#"model.decoder=[{ dense = 147, activation = "relu" }, { reshape = [7, 7, 3] }, { conv-transpose = 6, stride = 2, activation = "relu" }, { conv-transpose = 2, kernel = 4, stride = 2, padding = 1 }, { conv = 1, activation = "sigmoid" }]"#;

const NO_LOSS: &str = "train={ batch_size = 50, max_epochs = 2 }";
const PAIRS: &str = r#"model={ encoder = [{ conv = 6, stride = 2 }, { batch-norm = "pytorch", activation = "relu" }, { conv = 9, stride = 2, activation = "relu" }, "global-average"], head = [{ dense = 7, activation = "relu" }, { dense = 5 }], augmentation = { crop = 0.6, shift = 2, flip = true, brightness = 0.4, blur = 1.0, cutout = 8 } }"#;

const TRAIN_CLASSIFIER: &str = "train={ batch_size = 100, max_epochs = 2 }";
const CLASSIFIER: &[&str] = &[
    r#"task="classifier""#,
    r#"model={ encoder = [{ dense = 64, activation = "relu" }, { dense = 9, activation = "relu" }], head = [{ dropout = 0.1 }] }"#,
    TRAIN_CLASSIFIER,
];

/// Name, and settings that make the case of [`DRAWN`].
const CASES: [(&str, &[&str]); 54] = [
    ("regular", &[]),
    ("sparse", &["model.code_penalty={ l1 = 1e-3, l2 = 1e-4 }", "model.weight_penalty={ l2 = 1e-4 }"]),
    ("kl-sparse", &[CODE_SIGMOID, "model.code_penalty={ kl = 1e-2, rho = 0.05 }", "train.loss=mse"]),
    (
        "contractive-one-layer",
        &[r#"model.encoder=[{ dense = 9, activation = "sigmoid" }]"#, "model.contractive={ weight = 1e-2 }"],
    ),
    ("contractive-gram", &[CODE_SIGMOID, r#"model.contractive={ weight = 1e-2, method = "gram" }"#]),
    ("contractive-exact", &[TANH_THEN_SOFTPLUS, r#"model.contractive={ weight = 1e-2, method = "exact" }"#]),
    ("contractive-probes", &[TANH_THEN_SOFTPLUS, "model.contractive={ weight = 1e-2, probes = 3 }"]),
    ("denoising-gaussian", &["model.corruption={ gaussian = 0.3 }"]),
    ("denoising-masking", &["model.corruption={ masking = 0.3 }"]),
    ("denoising-salt-and-pepper", &["model.corruption={ salt-and-pepper = 0.2 }"]),
    ("variational", &[MEAN, "model.variational={ beta = 0.5, warmup_epochs = 1 }"]),
    ("variational-denoising", &[MEAN, "model.variational={}", "model.corruption={ masking = 0.2 }", "train.loss=mse"]),
    (
        "sigmoid-normal",
        &[
            r#"model.encoder=[{ dense = 32, activation = "sigmoid" }, { dense = 16, activation = "sigmoid" }]"#,
            r#"model.decoder=[{ dense = 32, activation = "sigmoid" }, { dense = "input", activation = "sigmoid" }]"#,
            "model.init={ normal = 0.1, biases = true }",
            "train.loss=mse",
            "optimizer={ name = \"sgd\", learning_rate = 10.0 }",
        ],
    ),
    (
        "dropout-and-noise",
        &[
            r#"model.encoder=[{ noise = 0.1 }, { dense = 48, activation = "tanh" }, { dropout = 0.2 }, { dense = 7, activation = "elu" }]"#,
        ],
    ),
    (
        "sliced",
        &[
            "data.per_class=560",
            "train.batch_size=1200",
            r#"model.encoder=[{ noise = 0.1 }, { dense = 12, activation = "tanh" }, { dropout = 0.2 }, { dense = 5 }]"#,
            "model.corruption={ gaussian = 0.1 }",
        ],
    ),
    ("logits", &["train.loss=bce-logits", r#"model.decoder.1.activation="linear""#]),
    (
        "mse-leaky",
        &["train.loss=mse", r#"model.decoder.1={ dense = "input", activation = "leaky-relu", slope = 0.5 }"#],
    ),
    ("kl", &["train.loss=kl", r#"model.decoder.1.activation="softplus""#]),
    ("convolutional", &[CONVOLUTIONS, TRANSPOSED, "train.loss=mse"]),
    (
        "convolutional-batch-norm",
        &[
            r#"model.encoder=[{ conv = 6, kernel = 5, padding = "valid" }, { batch-norm = "keras" }, { average-pool = 2 }, { dropout = 0.2, by_channel = true }, { conv = 9, activation = "tanh" }, { batch-norm = "pytorch" }, "global-average", { dense = 9 }]"#,
            r#"model.decoder=[{ dense = 98, activation = "relu" }, { reshape = [7, 7, 2] }, { upsample = 4 }, { conv = 1, activation = "sigmoid" }]"#,
        ],
    ),
    (
        "convolutional-sliced",
        &[
            CONVOLUTIONS,
            TRANSPOSED,
            "data.per_class=560",
            "train.batch_size=1200",
            "train.max_epochs=1",
            "model.init=he-normal",
        ],
    ),
    (
        "gan",
        &[
            "task=gan",
            NO_LOSS,
            r#"model={ latent = 9, generator = [{ dense = 98 }, { reshape = [7, 7, 2] }, { batch-norm = "pytorch", activation = "relu" }, { conv-transpose = 5, kernel = 4, stride = 2, activation = "relu" }, { conv-transpose = 1, kernel = 4, stride = 2, activation = "sigmoid" }], discriminator = [{ conv = 6, kernel = 4, stride = 2, activation = "leaky-relu", slope = 0.2 }, { conv = 9, kernel = 4, stride = 2 }, { batch-norm = "keras", activation = "leaky-relu", slope = 0.2 }, { dense = 1 }] }"#,
        ],
    ),
    (
        "gan-penalised",
        &[
            "task=gan",
            NO_LOSS,
            r#"model={ latent = 5, gradient_penalty = 2.0, init = "he-normal", generator = [{ dense = 40, activation = "relu" }, { dense = "input", activation = "sigmoid" }], discriminator = [{ conv = 4, stride = 3, activation = "leaky-relu", slope = 0.2 }, { dense = 20, activation = "tanh" }, { dense = 1 }], discriminator_rate = 0.5 }"#,
        ],
    ),
    ("simclr", &["task=simclr", NO_LOSS, PAIRS]),
    ("simclr-decoupled", &["task=simclr", NO_LOSS, PAIRS, "model.contrast=decoupled", "model.temperature=0.1"]),
    ("classifier", CLASSIFIER),
    (
        "classifier-convolutional",
        &[
            r#"task="classifier""#,
            r#"model={ encoder = [{ conv = 8, activation = "relu" }, { max-pool = 2 }, { batch-norm = "keras" }, { dropout = 0.2 }, { dense = 9, activation = "tanh" }], label_smoothing = 0.1, rates = { encoder = 0.3 } }"#,
            TRAIN_CLASSIFIER,
        ],
    ),
    ("glorot-normal", &["model.init=glorot-normal"]),
    ("he-uniform", &["model.init=he-uniform"]),
    ("he-normal", &["model.init=he-normal"]),
    ("pytorch-linear", &["model.init=pytorch-linear"]),
    ("standard-min-max", &["data.scaling=standard-min-max"]),
    ("limited", &["data.limit=40"]),
    ("faces", &["data.set=drawn-faces", "data.split={ train = 1, validation = 1, test = 10, stratified = false }"]),
    (
        "best-epoch",
        &[
            "train.max_epochs=4",
            "train.early_stopping={ patience = 2, restore_best = true }",
            "optimizer.learning_rate=3.0",
        ],
    ),
    ("clip-norm", &["optimizer.clip_norm=0.01"]),
    ("clip-value", &["optimizer.clip_value=1e-4"]),
    ("schedule-step", &["optimizer.schedule={ step = 1, factor = 0.5 }"]),
    ("schedule-cosine", &["optimizer.schedule={ cosine = 2, floor = 1e-5 }"]),
    (
        "schedule-plateau",
        &[
            "train.max_epochs=4",
            r#"optimizer.schedule={ plateau = "val_loss", factor = 0.1, patience = 0, min_delta = 1.0 }"#,
        ],
    ),
    (
        "sgd-keras",
        &["optimizer={ name = \"sgd\", momentum = 0.9, nesterov = true, learning_rate = 0.1, weight_decay = 1e-3 }"],
    ),
    (
        "sgd-pytorch",
        &[
            "optimizer={ name = \"sgd\", semantics = \"pytorch\", momentum = 0.9, dampening = 0.1, learning_rate = 0.1, weight_decay = 1e-3 }",
        ],
    ),
    ("adam-keras", &["optimizer={ name = \"adam\", weight_decay = 1e-3 }"]),
    ("adam-pytorch", &["optimizer={ name = \"adam\", semantics = \"pytorch\", weight_decay = 1e-3 }"]),
    ("adamw-keras", &["optimizer={ name = \"adamw\" }"]),
    ("adamw-pytorch", &["optimizer={ name = \"adamw\", semantics = \"pytorch\" }"]),
    ("nadam-keras", &["optimizer={ name = \"nadam\" }"]),
    ("nadam-pytorch", &["optimizer={ name = \"nadam\", semantics = \"pytorch\" }"]),
    ("adagrad-keras", &["optimizer={ name = \"adagrad\" }"]),
    ("adagrad-pytorch", &["optimizer={ name = \"adagrad\", semantics = \"pytorch\", lr_decay = 0.1 }"]),
    ("adadelta-keras", &["optimizer={ name = \"adadelta\", learning_rate = 1.0 }"]),
    ("adadelta-pytorch", &["optimizer={ name = \"adadelta\", semantics = \"pytorch\" }"]),
    ("rmsprop-keras", &["optimizer={ name = \"rmsprop\", momentum = 0.9, centered = true }"]),
    (
        "rmsprop-pytorch",
        &[
            "optimizer={ name = \"rmsprop\", semantics = \"pytorch\", momentum = 0.9, centered = true, learning_rate = 1e-3 }",
        ],
    ),
];

const WIDE: &str = r#"model.encoder=[{ dense = 256, activation = "relu" }, { dense = 50, activation = "relu" }]"#;
const MNIST: &[&str] =
    &["data.set=mnist", "data.merge=false", "data.split={ train = 1, validation = 0 }", "data.limit=600"];
const FOOTWEAR: &[&str] = &[
    "data.set=fashion-mnist",
    r#"data.classes=["Sandal", "Sneaker", "Ankle boot"]"#,
    "data.split={ train = 5, validation = 1, test = 1 }",
    "data.limit=700",
    WIDE,
    "optimizer={ name = \"nadam\", learning_rate = 1e-4 }",
];

/// The same of the real sets: name, the settings of the data, those of the case.
const REAL_CASES: [(&str, &[&str], &[&str]); 9] = [
    ("regular-256", FOOTWEAR, &["train.batch_size=256"]),
    ("sparse-32", FOOTWEAR, &["train.batch_size=32", "model.code_penalty={ l1 = 1e-6 }"]),
    ("digits", MNIST, &[WIDE, "model.init=pytorch-linear", "train.loss=mse"]),
    ("digits-kl-sparse", MNIST, &[CODE_SIGMOID, "model.code_penalty={ kl = 1e-3, rho = 0.05 }", "train.loss=mse"]),
    ("digits-contractive", MNIST, &[CODE_SIGMOID, "model.contractive={ weight = 1e-4 }", "train.loss=mse"]),
    ("digits-denoising", MNIST, &["model.corruption={ gaussian = 0.5 }", "train.loss=mse"]),
    (
        "digits-sigmoid",
        MNIST,
        &[
            r#"model.encoder=[{ dense = 256, activation = "sigmoid" }, { dense = 128, activation = "sigmoid" }]"#,
            r#"model.decoder=[{ dense = 256, activation = "sigmoid" }, { dense = "input", activation = "sigmoid" }]"#,
            "model.init={ normal = 0.1, biases = true }",
            "optimizer={ name = \"sgd\", learning_rate = 1.0 }",
        ],
    ),
    (
        "inversion",
        &[
            "data.set=fashion-mnist",
            "data.merge=false",
            "data.split={ train = 1, validation = 0 }",
            "data.limit=600",
            "data.scaling=standard-min-max",
        ],
        &[
            r#"model.encoder=[{ dense = 392, activation = "leaky-relu", slope = 0.5 }, { dense = 8, activation = "leaky-relu", slope = 0.5 }]"#,
            r#"model.decoder=[{ dense = 392, activation = "leaky-relu", slope = 0.5 }, { dense = "input", activation = "leaky-relu", slope = 0.5 }]"#,
            "model.init=pytorch-linear",
            "train.loss=mse",
            "train.batch_size=600",
            "optimizer={ name = \"adam\", semantics = \"pytorch\" }",
        ],
    ),
    (
        "faces-variational",
        &["data.set=frey-face", "data.split={ train = 1768, validation = 0, test = 197, stratified = false }"],
        &[
            r#"model.encoder=[{ dense = 256, activation = "relu" }, { dense = 20 }]"#,
            "model.variational={ beta = 1.0 }",
            "optimizer={ name = \"adam\", semantics = \"pytorch\" }",
        ],
    ),
];

/// More than the machine may have, too.
const THREADS: [usize; 4] = [1, 2, 3, 7];

/// Lines "case tensor sha256" of what a run leaves.
fn tensors(case: &str, bytes: &[u8]) -> String {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    let mut lines = String::new();
    for name in names {
        writeln!(lines, "{case} {name} {}", sha256(file.tensor(name).unwrap().data())).unwrap();
    }
    lines
}

/// What a run leaves that must not depend on the machine.
#[derive(Debug, PartialEq)]
struct Left {
    tensors: String,
    history: Vec<Vec<String>>,
    figures: Value,
    /// Name and SHA-256 of each.
    pictures: BTreeMap<String, String>,
}

fn trained(place: &Place, case: &str, settings: &[&[&str]], (isa, threads): (Isa, usize)) -> Left {
    let mut command = place.command(&["train", "golden.toml", "--out", "run", "--threads", &threads.to_string()]);
    for setting in settings.concat() {
        command.args(["--set", setting]);
    }
    if let Some(folder) = std::env::var_os("NARROWS_DATA_DIR") {
        command.env("NARROWS_DATA_DIR", folder);
    }
    crate::support::answer(command.env("NARROWS_ISA", isa.name())).done();
    let (environment, metrics) = (place.json("run/environment.json"), place.json("run/metrics.json"));
    assert_eq!((&environment["isa"], &environment["threads"]), (&isa.name().into(), &threads.into()));
    assert_eq!(metrics["model_sha256"], place.sha256("run/model.safetensors"));
    let names = fs::read_dir(place.path("run")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pictures = names.filter(|name| name.ends_with(".png"));
    let left = Left {
        tensors: tensors(case, &place.read("run/model.safetensors")),
        history: without_seconds(&place.text("run/history.csv")),
        figures: metrics["evaluation"].clone(),
        pictures: pictures.map(|name| (name.clone(), place.sha256(&format!("run/{name}")))).collect(),
    };
    fs::remove_dir_all(place.path("run")).unwrap();
    left
}

/// Every combination of instruction set and number of threads, the widest with one thread first.
fn combinations() -> Vec<(Isa, usize)> {
    let isas = || Isa::available().into_iter().filter(|isa| *isa != Isa::detect());
    let widest = THREADS.map(|threads| (Isa::detect(), threads)).into_iter();
    widest.chain(isas().flat_map(|isa| THREADS.map(|threads| (isa, threads)))).collect()
}

fn holds<'a>(table: &str, cases: impl Iterator<Item = (&'a str, Vec<&'a [&'a str]>)>) {
    let mode = std::env::var("NARROWS_GOLDEN").unwrap_or_default();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(table);
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let place = Place::new();
    place.write("golden.toml", DRAWN.as_bytes());
    let combinations = combinations();
    let mut written = String::new();
    let mut wrong = Vec::new();
    for (number, (case, settings)) in cases.enumerate() {
        let first = trained(&place, case, &settings, combinations[0]);
        let others = combinations.len() - 1;
        let count = if mode == "all" { others } else { others.min(3) };
        for turn in 0..count {
            let combination = combinations[1 + (3 * number + turn) % others];
            let found = trained(&place, case, &settings, combination);
            assert_eq!(found, first, "{case} with {} and {} threads", combination.0.name(), combination.1);
        }
        let prefix = format!("{case} ");
        let known: String =
            expected.lines().filter(|line| line.starts_with(&prefix)).map(|line| format!("{line}\n")).collect();
        if known != first.tensors {
            wrong.push(case.to_owned());
        }
        written.push_str(&first.tensors);
    }
    println!("{table}: on {} combinations of instruction set and threads", combinations.len());
    if mode == "write" {
        fs::write(&path, written).unwrap();
    } else {
        assert!(wrong.is_empty(), "other bits than in tests/golden/{table}: {}", wrong.join(", "));
        assert_eq!(
            written.lines().count(),
            expected.lines().count(),
            "tests/golden/{table} has cases that are not run"
        );
    }
}

#[test]
fn runs_on_drawn_images_end_in_the_committed_bits() {
    holds("weights_drawn.txt", CASES.iter().map(|(case, settings)| (*case, vec![*settings])));
}

#[test]
fn runs_on_the_public_sets_end_in_the_committed_bits() {
    if real_data().is_none() {
        return;
    }
    holds("weights_public.txt", REAL_CASES.iter().map(|(case, data, settings)| (*case, vec![*data, *settings])));
}

/// f64 is the library's: no command trains in it.
fn trained_in_f64(settings: &[&str], context: Context) -> String {
    use narrows::config::Source;
    use narrows::train::{SLICE_SAMPLES, Training};
    let source = Source::parse(DRAWN, "golden.toml").unwrap();
    let config = settings.iter().fold(source, |source, setting| source.set(setting).unwrap()).into_run().unwrap();
    let prepared = narrows::run::prepare(&config, &[]).unwrap();
    let task = prepared.task.autoencoder().unwrap();
    let training = Training {
        context,
        task,
        train: prepared.loaded.train(),
        validation: prepared.loaded.validation(),
        settings: &config.train,
        seed: config.seed,
        slice_samples: SLICE_SAMPLES,
    };
    let outcome = training.run(task.model().init::<f64>(config.seed), &mut ()).unwrap();
    let bytes = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let table = prepared.layout().iter();
    table.map(|param| format!("{} {}\n", param.name, sha256(&bytes(param.of(&outcome.params))))).collect()
}

#[test]
fn runs_in_f64_end_in_the_committed_bits() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/weights_f64.txt");
    let mut written = String::new();
    for case in
        ["regular", "contractive-exact", "variational", "dropout-and-noise", "denoising-gaussian", "nadam-keras"]
    {
        let settings = CASES.iter().find(|(name, _)| *name == case).unwrap().1;
        let first = trained_in_f64(settings, Context::detect());
        for isa in Isa::available() {
            assert_eq!(
                trained_in_f64(settings, Context { isa, ..Context::detect() }),
                first,
                "{case} with {}",
                isa.name()
            );
        }
        written.extend(first.lines().map(|line| format!("{case} {line}\n")));
    }
    if std::env::var("NARROWS_GOLDEN").is_ok_and(|mode| mode == "write") {
        fs::write(path, written).unwrap();
    } else {
        assert_eq!(written, fs::read_to_string(path).unwrap());
    }
}
