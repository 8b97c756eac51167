//! The table of contents of a flat buffer of parameters, and the buffer with its table.
//!
//! Every tensor has a name whose parts are separated by dots: the first part is its *group* ("encoder", "decoder",
//! "discriminator"). A phase of training names the groups that it updates; the others are constants of that phase.

use std::ops::Range;
use std::path::Path;

use narrows_kernels::{AlignedVec, Real};

use super::weights::{self, WeightsError};
use crate::tape::{Shape, Tape, Var};

/// Whether an optimizer moves a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has a gradient, and an optimizer moves it.
    Trainable,
    /// The model itself keeps it up to date, like the running statistics of a batch normalisation.
    Buffer,
}

/// One tensor in a flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// "encoder.0.weight", "decoder.1.bias": group, position among the layers of the group, role.
    pub name: String,
    /// Whether an optimizer moves it.
    pub kind: Kind,
    /// First element in the flat buffer.
    pub offset: usize,
    /// Its shape: [inputs, outputs] for the weight of a dense layer, [1, outputs] for its bias.
    pub shape: Shape,
}

impl Param {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its elements in a flat buffer.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }

    /// Its part of a buffer laid out by the table.
    pub fn of<'a, T>(&self, flat: &'a [T]) -> &'a [T] {
        &flat[self.range()]
    }

    /// Its part of a buffer laid out by the table.
    pub fn of_mut<'a, T>(&self, flat: &'a mut [T]) -> &'a mut [T] {
        &mut flat[self.range()]
    }

    /// The parameter as a value on `tape`.
    pub fn on<T: Real>(&self, tape: &mut Tape<'_, T>) -> Var {
        tape.parameter(self.offset, self.shape)
    }

    /// Its shape as files give it: a bias is a vector.
    pub fn dims(&self) -> &[usize] {
        match self.shape.dims() {
            [1, rest @ ..] if self.name.ends_with(".bias") => rest,
            dims => dims,
        }
    }

    fn is_of(&self, group: &str) -> bool {
        self.name.split('.').next() == Some(group)
    }
}

/// Name → offset, shape and kind, in the order of the flat buffer, without gaps; and the names of the layers that the
/// tensors belong to, by the numbers that a tape's scopes carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    entries: Vec<Param>,
    layers: Vec<String>,
    len: usize,
}

/// A group that no tensor belongs to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no group of parameters called {name:?}; the model has {}", known.join(", "))]
pub struct UnknownGroup {
    /// The name.
    pub name: String,
    /// The groups that there are.
    pub known: Vec<String>,
}

impl Layout {
    /// Appends a tensor that an optimizer moves, and returns its entry.
    pub fn param(&mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Param {
        self.push(name.into(), Kind::Trainable, shape.into())
    }

    /// Appends a tensor that the model itself keeps up to date.
    pub fn buffer(&mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Param {
        self.push(name.into(), Kind::Buffer, shape.into())
    }

    fn push(&mut self, name: String, kind: Kind, shape: Shape) -> Param {
        let param = Param { name, kind, offset: self.len, shape };
        self.len += param.len();
        self.entries.push(param.clone());
        param
    }

    /// Gives a layer the next number: that of its scope on a tape and of its random streams.
    pub fn layer(&mut self, name: impl Into<String>) -> u32 {
        self.layers.push(name.into());
        self.layers.len() as u32 - 1
    }

    /// "encoder.0", "decoder.1", or "the loss" for a number that no layer has.
    pub fn layer_name(&self, number: u32) -> &str {
        self.layers.get(number as usize).map_or("the loss", String::as_str)
    }

    /// The scope that marks what is recorded after the last layer: the loss.
    pub fn loss_scope(&self) -> u32 {
        self.layers.len() as u32
    }

    /// Elements of the flat buffer.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tensors, in the order of the buffer.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.entries.iter()
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.entries.iter().find(|param| param.name == name)
    }

    /// The tensor at this offset.
    pub fn at(&self, offset: usize) -> Option<&Param> {
        self.entries.iter().find(|param| param.offset == offset)
    }

    /// The groups, in the order of the buffer.
    pub fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for param in &self.entries {
            let group = param.name.split('.').next().unwrap_or_default();
            if !groups.iter().any(|known| known == group) {
                groups.push(group.to_owned());
            }
        }
        groups
    }

    /// Where the trainable tensors of these groups lie: ascending ranges, neighbours joined.
    pub fn ranges<S: AsRef<str>>(&self, groups: &[S]) -> Result<Vec<Range<usize>>, UnknownGroup> {
        if let Some(group) = groups.iter().find(|group| !self.entries.iter().any(|param| param.is_of(group.as_ref()))) {
            return Err(UnknownGroup { name: group.as_ref().to_owned(), known: self.groups() });
        }
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for param in &self.entries {
            if param.kind != Kind::Trainable || !groups.iter().any(|group| param.is_of(group.as_ref())) {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if last.end == param.offset => last.end += param.len(),
                _ => ranges.push(param.range()),
            }
        }
        Ok(ranges)
    }
}

/// A flat buffer of parameters with its table.
#[derive(Clone, Debug, PartialEq)]
pub struct Params<T: Real> {
    /// Where each tensor lies.
    pub layout: Layout,
    /// The numbers.
    pub values: AlignedVec<T>,
}

impl<T: Real> Params<T> {
    /// All zero.
    pub fn zeros(layout: Layout) -> Self {
        let values = AlignedVec::zeros(layout.len());
        Params { layout, values }
    }

    /// The elements of the tensor of this name, row-major.
    pub fn get(&self, name: &str) -> Option<&[T]> {
        self.layout.get(name).map(|param| param.of(&self.values))
    }

    /// The same, to be written.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut [T]> {
        self.layout.get(name).map(|param| param.of_mut(&mut self.values))
    }

    /// Writes all tensors to a `safetensors` file.
    pub fn save(&self, path: &Path) -> Result<(), WeightsError> {
        weights::save(path, &self.layout, &self.values, None)
    }

    /// Reads every tensor from a `safetensors` file. Refuses a file that lacks one, has one too many, or one of another
    /// shape or type; nothing is changed then.
    pub fn load(&mut self, path: &Path) -> Result<(), WeightsError> {
        self.values = weights::load(path, &self.layout)?;
        Ok(())
    }

    /// Reads the tensors whose names begin with `prefix` ("encoder" or "encoder.0") from a `safetensors` file, whatever else
    /// it holds, and returns their names. Refuses a file that lacks one of them, or has one of another shape or type; nothing
    /// is changed then.
    pub fn load_prefix(&mut self, path: &Path, prefix: &str) -> Result<Vec<String>, WeightsError> {
        weights::load_prefix(path, &self.layout, &mut self.values, prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.param("encoder.0.weight", [3, 2]);
        layout.param("encoder.0.bias", [1, 2]);
        layout.buffer("encoder.1.mean", [1, 2]);
        layout.param("encoder.1.scale", [1, 2]);
        layout.param("decoder.0.weight", [2, 3]);
        layout.param("decoder.0.bias", [1, 3]);
        layout
    }

    #[test]
    fn ranges_leave_out_buffers_and_join_neighbours() {
        let layout = layout();
        assert_eq!(layout.len(), 6 + 2 + 2 + 2 + 6 + 3);
        assert_eq!(layout.groups(), ["encoder", "decoder"]);
        assert_eq!(layout.ranges(&["encoder"]), Ok(vec![0..8, 10..12]));
        assert_eq!(layout.ranges(&["decoder"]).unwrap(), std::slice::from_ref(&(12..21)));
        assert_eq!(layout.ranges(&["decoder", "encoder"]), Ok(vec![0..8, 10..21]));
        let error = layout.ranges(&["head"]).unwrap_err().to_string();
        assert_eq!(error, "there is no group of parameters called \"head\"; the model has encoder, decoder");
    }

    #[test]
    fn tensors_are_saved_and_loaded_by_name_and_prefix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let mut params = Params::<f64>::zeros(layout());
        params.values.iter_mut().enumerate().for_each(|(i, value)| *value = 1.0 / (1.0 + i as f64));
        params.save(&path).unwrap();
        let mut read = Params::<f64>::zeros(layout());
        assert_eq!(read.load_prefix(&path, "decoder").unwrap(), ["decoder.0.weight", "decoder.0.bias"]);
        assert_eq!(read.get("decoder.0.bias"), params.get("decoder.0.bias"));
        assert_eq!(read.get("encoder.0.bias"), Some(&[0.0, 0.0][..]));
        read.load(&path).unwrap();
        assert_eq!(read, params);
        let mut other = Params::<f32>::zeros(layout());
        let error = other.load(&path).unwrap_err().to_string();
        assert!(error.contains("encoder.0.weight is F64 [3, 2], the model needs F32 [3, 2]"), "{error}");
        assert!(other.load_prefix(&path, "head").unwrap_err().to_string().contains("begins with \"head\""));
    }
}
