//! The flat parameter buffer's table of contents.

use narrows_kernels::Real;

use crate::tape::{Tape, Var};

/// One parameter matrix in the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// "encoder.0.weight", "decoder.1.bias": part, position among all layers of that part, role.
    pub name: String,
    /// First element in the flat buffer.
    pub offset: usize,
    /// Rows: inputs of the layer for a weight, 1 for a bias.
    pub rows: usize,
    /// Columns: outputs of the layer.
    pub cols: usize,
}

impl Param {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its part of a buffer laid out by the table.
    pub fn of<'a, T>(&self, flat: &'a [T]) -> &'a [T] {
        &flat[self.offset..self.offset + self.len()]
    }

    /// Its part of a buffer laid out by the table.
    pub fn of_mut<'a, T>(&self, flat: &'a mut [T]) -> &'a mut [T] {
        &mut flat[self.offset..self.offset + self.len()]
    }

    /// The parameter as a value on `tape`.
    pub fn on<T: Real>(&self, tape: &mut Tape<'_, T>) -> Var {
        tape.parameter(self.offset, [self.rows, self.cols])
    }
}

/// Name → (offset, shape), in the order of the buffer, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamTable {
    entries: Vec<Param>,
    len: usize,
}

impl ParamTable {
    /// Appends a parameter and returns its entry.
    pub fn push(&mut self, name: String, rows: usize, cols: usize) -> Param {
        let param = Param { name, offset: self.len, rows, cols };
        self.len += param.len();
        self.entries.push(param.clone());
        param
    }

    /// Elements of the flat buffer.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The parameters, in the order of the buffer.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.entries.iter()
    }

    /// The parameter at this offset.
    pub fn at(&self, offset: usize) -> Option<&Param> {
        self.entries.iter().find(|param| param.offset == offset)
    }
}
