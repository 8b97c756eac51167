//! A large batch processed in slices gives the bits of the batch in one piece.

use narrows::config::{RunConfig, Source};
use narrows::run::{Prepared, prepare};
use narrows::train::Training;
use narrows_kernels::Context;

const CONFIG: &str = r#"
name = "slices"
seed = 7

[data]
set = "footwear"
merge = true
per_class = 280
split = { train = 5, validation = 1, test = 1 }

[model]
encoder = [{ noise = 0.1 }, { dense = 24, activation = "tanh" }, { dropout = 0.2 }, { dense = 7, activation = "relu" }]
decoder = [{ dense = 20, activation = "elu" }, { dense = "input", activation = "sigmoid" }]
code_penalty = { l1 = 1e-3, l2 = 1e-4 }
weight_penalty = { l2 = 1e-4 }

[train]
loss = "bce"
batch_size = 800
max_epochs = 3

[optimizer]
name = "adam"
learning_rate = 1e-3
"#;

/// Parameters and losses after training with slices of so many rows.
fn trained(config: &RunConfig, prepared: &Prepared, slice_samples: usize) -> (Vec<u32>, Vec<u64>) {
    let training: Training<'_, f32> = Training {
        context: Context::detect(),
        task: &*prepared.task,
        train: prepared.loaded.train(),
        validation: prepared.loaded.validation(),
        settings: &config.train,
        seed: config.seed,
        slice_samples,
    };
    let outcome = training.run(prepared.task.init(config.seed), &mut ()).unwrap();
    let losses = outcome.history.epochs.iter().flat_map(|epoch| [epoch.loss.to_bits(), epoch.val_loss.to_bits()]);
    (outcome.params.iter().map(|p| p.to_bits()).collect(), losses.collect())
}

fn holds(loss: &str, output: &str, settings: &[&str]) {
    let mut config = CONFIG.to_owned();
    if settings.iter().any(|setting| setting.starts_with("model.variational")) {
        config = config.replace("code_penalty = { l1 = 1e-3, l2 = 1e-4 }\n", "");
    }
    let source = Source::parse(&config, "slices.toml").unwrap();
    let source = source.set(&format!("train.loss={loss}")).unwrap();
    let source = settings.iter().try_fold(source, |source, setting| source.set(setting)).unwrap();
    let decoder = format!(
        r#"model.decoder=[{{ dense = 20, activation = "elu" }}, {{ dense = "input", activation = "{output}" }}]"#
    );
    let config = source.set(&decoder).unwrap().into_run().unwrap();
    let prepared = prepare(&config, &[]).unwrap();
    assert_eq!(prepared.loaded.train().len(), 600);
    let whole = trained(&config, &prepared, 1 << 20);
    for slice_samples in [256, 512] {
        let (params, losses) = trained(&config, &prepared, slice_samples);
        assert!(params == whole.0, "{loss}: weights differ with slices of {slice_samples} rows");
        // The KL divergence is a mean of means, whose last bits depend on the slices; no gradient does.
        assert!(loss == "kl" || losses == whole.1, "{loss}: losses differ with slices of {slice_samples} rows");
    }
}

#[test]
fn cross_entropy_noise_dropout_and_penalties_do_not_see_the_slices() {
    holds("bce", "sigmoid", &[]);
}

#[test]
fn nor_do_corrupted_images_and_codes_that_are_drawn() {
    let encoder = r#"model.encoder=[{ dropout = 0.2 }, { dense = 24, activation = "tanh" }, { dense = 7 }]"#;
    holds("bce", "sigmoid", &[encoder, "model.variational={}", "model.corruption={ gaussian = 0.3 }"]);
    holds("mse", "linear", &["model.corruption={ masking = 0.3 }"]);
}

/// They take the whole batch at once: the mean of a code unit needs it, and the chains of gradients over rows would be
/// interrupted at each slice.
#[test]
fn sparse_means_and_contractive_penalties_are_taken_of_the_whole_batch() {
    holds("bce", "sigmoid", &["model.code_penalty={ kl = 1e-3 }"]);
    let encoder = r#"model.encoder=[{ dense = 24, activation = "tanh" }, { dense = 7, activation = "sigmoid" }]"#;
    holds("mse", "linear", &[encoder, "model.contractive={ weight = 1e-3 }"]);
}

/// Convolutions, their gradients by the weights above all: one chain over the pixels of all samples.
#[test]
fn nor_do_convolutions() {
    let layers = r#"[{ conv = 5, stride = 2, activation = "relu" }, { max-pool = 2 }, { dropout = 0.2, by_channel = true }, { conv = 3, activation = "tanh" }, { average-pool = 2 }, { dense = 7 }]"#;
    holds("bce", "sigmoid", &[&format!("model.encoder={layers}")]);
    // Means of images of more pixels than a byte counts.
    holds("mse", "linear", &[r#"model.encoder=[{ conv = 2 }, "global-average", { dense = 5 }]"#, "train.max_epochs=1"]);
    // Statistics of batch normalisation are those of the whole batch.
    let layers = r#"[{ conv = 5, stride = 4, activation = "relu" }, { batch-norm = "keras" }, { dense = 7 }]"#;
    holds("mse", "linear", &[&format!("model.encoder={layers}")]);
}

#[test]
fn nor_do_the_squared_error_and_the_kl_divergence() {
    holds("mse", "leaky-relu", &[]);
    holds("kl", "softplus", &[]);
}
