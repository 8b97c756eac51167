//! Files of weights.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use narrows::config::Source;
use narrows::nn::{Autoencoder, weights};
use narrows_fuzz::with_file;

const TOML: &str = "name = \"w\"\n[data]\nset = \"footwear\"\npool = true\n[model]\nencoder = [{ dense = 2 }]\n\
                    decoder = [{ dense = \"input\", activation = \"sigmoid\" }]\n[train]\nloss = \"bce\"\nbatch_size = 1\n\
                    max_epochs = 1\n[optimizer]\nname = \"sgd\"\n";

fuzz_target!(|bytes: &[u8]| {
    static MODEL: OnceLock<Autoencoder> = OnceLock::new();
    let model = MODEL.get_or_init(|| {
        let config = Source::parse(TOML, "w.toml").and_then(Source::into_run).expect("the model is fixed");
        config.model.lay_out(3).expect("the model is fixed")
    });
    let _ = with_file(".safetensors", bytes, |path| weights::load(path, model));
});
