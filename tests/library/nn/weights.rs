//! Weights as a `safetensors` file, which Python reads with `safetensors.numpy.load_file`.

use narrows::nn::{Layout, Params};

#[test]
fn tensors_are_saved_and_loaded_by_name_and_prefix() {
    let mut layout = Layout::default();
    layout.param("encoder.0.weight", [3, 2]);
    layout.param("encoder.0.bias", [1, 2]);
    layout.buffer("encoder.1.mean", [1, 2]);
    layout.param("decoder.0.weight", [2, 3]);
    layout.param("decoder.0.bias", [1, 3]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let mut params = Params::<f64>::zeros(layout.clone());
    params.values.iter_mut().enumerate().for_each(|(i, value)| *value = 1.0 / (1.0 + i as f64));
    params.save(&path).unwrap();
    let mut read = Params::<f64>::zeros(layout.clone());
    assert_eq!(read.load_prefix(&path, "decoder").unwrap(), ["decoder.0.weight", "decoder.0.bias"]);
    assert_eq!(read.get("decoder.0.bias"), params.get("decoder.0.bias"));
    assert_eq!(read.get("encoder.0.bias"), Some(&[0.0, 0.0][..]));
    read.load(&path).unwrap();
    assert_eq!(read, params);
    let mut other = Params::<f32>::zeros(layout);
    let error = other.load(&path).unwrap_err().to_string();
    assert!(error.contains("encoder.0.weight is F64 [3, 2], the model needs F32 [3, 2]"), "{error}");
    assert!(other.load_prefix(&path, "head").unwrap_err().to_string().contains("begins with \"head\""));
}
