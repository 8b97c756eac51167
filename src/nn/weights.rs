//! Weights as a `safetensors` file, which Python reads with `safetensors.numpy.load_file`.
//!
//! Tensors are named "encoder.0.weight", "encoder.0.bias", …, "decoder.0.weight", …: the part, the position of the layer in
//! it, the role. A weight is [in, out] row-major f32, so that a layer computes x·W + b: this is the `kernel` of a Keras
//! `Dense` layer as it is, and the transpose of the `weight` of a `torch.nn.Linear`. A bias is `[out]`.
//! The last encoder layer K of a variational model has "encoder.K.mean.weight", "encoder.K.mean.bias",
//! "encoder.K.log_variance.weight" and "encoder.K.log_variance.bias".
//! The metadata entry "narrows" repeats this as JSON, and gives the activation of every layer.

use std::collections::HashMap;
use std::path::Path;

use narrows_kernels::AlignedVec;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{Autoencoder, Layer, Param};
use crate::files::{FileError, read_whole, write_whole};

/// Weights that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be reached.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is no safetensors file, or a damaged one.
    #[error("cannot read weights from {path}: {reason}; a whole safetensors file is expected")]
    Format {
        /// The file.
        path: String,
        /// What the reader says.
        reason: String,
    },
    /// A tensor of the model is absent.
    #[error("cannot read weights from {path}: it has no tensor {name}; the model has {expected}")]
    Missing {
        /// The file.
        path: String,
        /// The tensor's name.
        name: String,
        /// The names the model needs.
        expected: String,
    },
    /// A tensor has another shape or element type than the model's.
    #[error("cannot read weights from {path}: {name} is {found}, the model needs {expected}")]
    Shape {
        /// The file.
        path: String,
        /// The tensor's name.
        name: String,
        /// Type and shape in the file.
        found: String,
        /// Type and shape of the model.
        expected: String,
    },
    /// A tensor that the model does not have.
    #[error("cannot read weights from {path}: it holds a tensor {name}, which the model does not have")]
    Extra {
        /// The file.
        path: String,
        /// The tensor's name.
        name: String,
    },
}

/// A weight is [in, out], a bias [out].
fn shape_of(param: &Param) -> Vec<usize> {
    if param.name.ends_with(".bias") { vec![param.cols] } else { vec![param.rows, param.cols] }
}

/// The file's bytes: a function of the model and its parameters alone.
pub fn to_bytes(model: &Autoencoder, params: &[f32]) -> Vec<u8> {
    let little_endian: Vec<u8> = params.iter().flat_map(|p| p.to_le_bytes()).collect();
    let tensors = model.table().iter().map(|param| {
        let bytes = &little_endian[4 * param.offset..4 * (param.offset + param.len())];
        let view = TensorView::new(Dtype::F32, shape_of(param), bytes).expect("bytes and shape of one table entry");
        (param.name.clone(), view)
    });
    serialize(tensors, Some(metadata(model))).expect("names are unique and shapes fit")
}

/// Writes the file whole.
pub fn save(path: &Path, model: &Autoencoder, params: &[f32]) -> Result<(), WeightsError> {
    Ok(write_whole(path, &to_bytes(model, params))?)
}

/// Reads the parameters of `model`. Refuses a file that lacks a tensor, has one too many, or one of another shape.
pub fn load(path: &Path, model: &Autoencoder) -> Result<AlignedVec<f32>, WeightsError> {
    let bytes = read_whole(path)?;
    let path = path.display().to_string();
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| WeightsError::Format { path: path.clone(), reason: error.to_string() })?;
    if let Some(name) = file.names().into_iter().find(|name| !model.table().iter().any(|param| param.name == **name)) {
        return Err(WeightsError::Extra { path, name: name.to_string() });
    }
    let mut params = AlignedVec::zeros(model.table().len());
    for param in model.table().iter() {
        let Ok(tensor) = file.tensor(&param.name) else {
            let expected = model.table().iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(WeightsError::Missing { path, name: param.name.clone(), expected });
        };
        let expected = shape_of(param);
        if tensor.dtype() != Dtype::F32 || tensor.shape() != expected {
            let found = format!("{:?} {:?}", tensor.dtype(), tensor.shape());
            let expected = format!("F32 {expected:?}");
            return Err(WeightsError::Shape { path, name: param.name.clone(), found, expected });
        }
        for (value, bytes) in param.of_mut(&mut params).iter_mut().zip(tensor.data().chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
    Ok(params)
}

/// One entry only: the order of several would be that of a hash map, and differ from file to file.
fn metadata(model: &Autoencoder) -> HashMap<String, String> {
    let parts = [("encoder", model.encoder()), ("decoder", model.decoder())];
    let activations = parts.into_iter().flat_map(|(part, layers)| {
        layers.iter().enumerate().filter_map(move |(number, layer)| match layer {
            Layer::Dense { activation, .. } => Some((format!("{part}.{number}"), activation.to_string().into())),
            Layer::Dropout { .. } | Layer::Noise { .. } => None,
        })
    });
    let description = serde_json::json!({
        "layout": "weight is [in, out], y = activation(x @ weight + bias): a Keras kernel as it is, a PyTorch weight transposed",
        "activations": activations.collect::<serde_json::Map<_, _>>(),
    });
    HashMap::from([("narrows".to_owned(), description.to_string())])
}
