//! Weights as a `safetensors` file, which Python reads with `safetensors.numpy.load_file`.
//!
//! Tensors are named "encoder.0.weight", "encoder.0.bias", …, "decoder.0.weight", …: the group, the position of the layer in
//! it, the role. All are row-major.
//!
//! | layer | weight | bias | others |
//! |---|---|---|---|
//! | dense | [in, out] | \[out\] | |
//! | convolution | [height, width, in, out] | \[out\] | |
//! | transposed convolution | [height, width, out, in] | \[out\] | |
//! | batch normalisation | [1, channels] | \[channels\] | running_mean, running_var [1, channels] |
//!
//! A dense layer computes x·W + b: W is the `kernel` of a Keras `Dense` layer as it is, and the transpose of the `weight` of a
//! `torch.nn.Linear`. Those of convolutions are the `kernel` of Keras, too.
//! The last encoder layer K of a variational model has "encoder.K.mean.weight", "encoder.K.mean.bias",
//! "encoder.K.log_variance.weight" and "encoder.K.log_variance.bias".
//! The metadata entry "narrows" holds a description as JSON, where the model gives one.

use std::collections::HashMap;
use std::path::Path;

use narrows_kernels::{AlignedVec, Real};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{Layout, Param, Params};
use crate::files::{FileError, read_whole, write_whole};

/// Weights that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be reached.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file does not hold what the model needs.
    #[error("cannot read weights from {path}: {fault}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong, and what would be accepted.
        fault: String,
    },
}

/// f32 or f64, as the files call it.
pub fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

/// Little-endian bytes of numbers.
pub fn little_endian<T: Real>(values: &[T]) -> Vec<u8> {
    let wide = size_of::<T>() == 8;
    let mut bytes = Vec::with_capacity(size_of_val(values));
    for value in values {
        let value = value.to_f64();
        // An f32 that was widened is narrowed without loss.
        if wide { bytes.extend(value.to_le_bytes()) } else { bytes.extend((value as f32).to_le_bytes()) }
    }
    bytes
}

/// Numbers from their little-endian bytes; what is left over is ignored.
pub fn from_little_endian<T: Real>(bytes: &[u8]) -> impl Iterator<Item = T> {
    bytes.chunks_exact(size_of::<T>()).map(|chunk| match *chunk {
        [a, b, c, d] => T::from_f64(f32::from_le_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => T::from_f64(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => T::ZERO,
    })
}

/// The file's bytes: a function of the layout, its numbers and the description alone.
pub fn to_bytes<T: Real>(layout: &Layout, params: &[T], description: Option<String>) -> Vec<u8> {
    let tensors: Vec<(&Param, Vec<u8>)> = layout.iter().map(|param| (param, little_endian(param.of(params)))).collect();
    let views = tensors.iter().map(|(param, bytes)| {
        let view = TensorView::new(dtype::<T>(), param.dims().to_vec(), bytes).expect("bytes and shape of one entry");
        (param.name.as_str(), view)
    });
    // One entry only: the order of several would be that of a hash map, and differ from file to file.
    let metadata = description.map(|text| HashMap::from([("narrows".to_owned(), text)]));
    serialize(views, metadata).expect("names are unique and shapes fit")
}

/// Writes the file whole.
pub fn save<T: Real>(
    path: &Path,
    layout: &Layout,
    params: &[T],
    description: Option<String>,
) -> Result<(), WeightsError> {
    Ok(write_whole(path, &to_bytes(layout, params, description))?)
}

/// Reads every tensor of `layout`. Refuses a file that lacks a tensor, has one too many, or one of another shape or type.
pub fn load<T: Real>(path: &Path, layout: &Layout) -> Result<AlignedVec<T>, WeightsError> {
    let mut values = AlignedVec::zeros(layout.len());
    read(path, |file| {
        if let Some(name) = file.names().into_iter().find(|name| layout.get(name).is_none()) {
            return Err(format!("it holds a tensor {name}, which the model does not have"));
        }
        layout.iter().try_for_each(|param| read_tensor(file, layout, param, &param.name, &mut values))
    })?;
    Ok(values)
}

impl<T: Real> Params<T> {
    /// Writes all tensors to a `safetensors` file.
    pub fn save(&self, path: &Path) -> Result<(), WeightsError> {
        save(path, &self.layout, &self.values, None)
    }

    /// Reads every tensor from a `safetensors` file. Refuses a file that lacks one, has one too many, or one of another
    /// shape or type; nothing is changed then.
    pub fn load(&mut self, path: &Path) -> Result<(), WeightsError> {
        self.values = load(path, &self.layout)?;
        Ok(())
    }

    /// Reads the tensors whose names begin with `prefix` ("encoder" or "encoder.0"; all of them where it is empty) from a `safetensors` file, whatever else
    /// it holds, and returns their names in the file. A layer that is the last of a variational encoder there is taken from the one
    /// for its means. Refuses a file that lacks one of them, or has one of another shape or type; nothing is changed then.
    pub fn load_prefix(&mut self, path: &Path, prefix: &str) -> Result<Vec<String>, WeightsError> {
        let begins = |name: &str| {
            name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) || prefix.is_empty()
        };
        let wanted: Vec<&Param> = self.layout.iter().filter(|param| begins(&param.name)).collect();
        let (mut read_values, mut names) = (self.values.clone(), Vec::new());
        read(path, |file| {
            if wanted.is_empty() {
                let groups = self.layout.groups().join(", ");
                return Err(format!("no tensor of the model begins with {prefix:?}; its groups are {groups}"));
            }
            for param in &wanted {
                let own = || param.name.clone();
                let name = name_of_means(&param.name).filter(|means| file.tensor(means).is_ok()).unwrap_or_else(own);
                read_tensor(file, &self.layout, param, &name, &mut read_values)?;
                names.push(name);
            }
            Ok(())
        })?;
        self.values = read_values;
        Ok(names)
    }
}

fn read(path: &Path, take: impl FnOnce(&SafeTensors<'_>) -> Result<(), String>) -> Result<(), WeightsError> {
    let bytes = read_whole(path)?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| format!("{error}; a whole safetensors file is expected"))
        .and_then(|file| take(&file));
    file.map_err(|fault| WeightsError::Content { path: path.display().to_string(), fault })
}

/// What the tensor of a layer is called where the layer gives the means of a variational code.
fn name_of_means(name: &str) -> Option<String> {
    name.rsplit_once('.').map(|(layer, role)| format!("{layer}.mean.{role}"))
}

/// Reads the tensor that the file calls `name`.
fn read_tensor<T: Real>(
    file: &SafeTensors<'_>,
    layout: &Layout,
    param: &Param,
    name: &str,
    values: &mut [T],
) -> Result<(), String> {
    let Ok(tensor) = file.tensor(name) else {
        let expected = layout.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(format!("it has no tensor {name}; the model has {expected}"));
    };
    if tensor.dtype() != dtype::<T>() || tensor.shape() != param.dims() {
        let (found, expected) = (tensor.dtype(), dtype::<T>());
        return Err(format!(
            "{name} is {found:?} {:?}, the model needs {expected:?} {:?}",
            tensor.shape(),
            param.dims()
        ));
    }
    param.of_mut(values).iter_mut().zip(from_little_endian(tensor.data())).for_each(|(value, read)| *value = read);
    Ok(())
}
