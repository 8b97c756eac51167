//! Weights in safetensors files, read into a small model, whole and by prefix.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::nn::{Activation, Autoencoder, Params, dense};
use narrows_fuzz::with_file;

fuzz_target!(|bytes: &[u8]| {
    let model = Autoencoder::new([4]).encoder([dense(2, Activation::Relu)]).decoder([dense(4, Activation::Sigmoid)]);
    let mut params = Params::<f32>::zeros(model.build().expect("a good model").layout().clone());
    with_file(".safetensors", bytes, |path| {
        let _ = params.load_prefix(path, "encoder");
        let _ = params.load(path);
    });
});
