//! Column-major matrices: Householder reflections read and write columns.

use std::ops::Range;

use narrows_kernels::{MatMut, MatRef, Real};

/// A matrix [rows, cols] that owns its elements; a column is contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix<T> {
    data: Vec<T>,
    rows: usize,
    cols: usize,
}

impl<T: Real> Matrix<T> {
    /// Zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Matrix { data: vec![T::ZERO; rows * cols], rows, cols }
    }

    /// Ones on the diagonal, zeros elsewhere.
    pub fn identity(rows: usize, cols: usize) -> Self {
        let mut identity = Self::zeros(rows, cols);
        for i in 0..rows.min(cols) {
            identity.set(i, i, T::ONE);
        }
        identity
    }

    /// A copy of `source`, whatever its strides.
    pub fn copy_of(source: MatRef<'_, T>) -> Self {
        let mut copy = Self::zeros(source.rows(), source.cols());
        for j in 0..copy.cols {
            copy.col_mut(j).iter_mut().enumerate().for_each(|(i, to)| *to = source.get(i, j));
        }
        copy
    }

    /// The matrix with its rows and columns exchanged.
    pub fn transposed(&self) -> Self {
        Self::copy_of(self.view().transposed())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Element (i, j); panics outside the matrix.
    pub fn get(&self, i: usize, j: usize) -> T {
        assert!(i < self.rows, "row {i} of a matrix of {}", self.rows);
        self.data[i + j * self.rows]
    }

    /// Writes element (i, j); panics outside the matrix.
    pub fn set(&mut self, i: usize, j: usize, value: T) {
        assert!(i < self.rows, "row {i} of a matrix of {}", self.rows);
        self.data[i + j * self.rows] = value;
    }

    /// Column j \[rows\].
    pub fn col(&self, j: usize) -> &[T] {
        &self.data[j * self.rows..(j + 1) * self.rows]
    }

    /// Column j \[rows\], to be written.
    pub fn col_mut(&mut self, j: usize) -> &mut [T] {
        &mut self.data[j * self.rows..(j + 1) * self.rows]
    }

    /// Columns i < j, both to be written.
    pub fn two_cols_mut(&mut self, i: usize, j: usize) -> (&mut [T], &mut [T]) {
        assert!(i < j && j < self.cols, "columns {i} and {j} of a matrix of {}", self.cols);
        let (left, right) = self.data.split_at_mut(j * self.rows);
        (&mut left[i * self.rows..(i + 1) * self.rows], &mut right[..self.rows])
    }

    /// Exchanges two columns.
    pub fn swap_cols(&mut self, i: usize, j: usize) {
        if i != j {
            let (a, b) = self.two_cols_mut(i.min(j), i.max(j));
            a.swap_with_slice(b);
        }
    }

    /// All elements, column after column.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// All elements, column after column, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The matrix as an operand of a product.
    pub fn view(&self) -> MatRef<'_, T> {
        self.block(0..self.rows, 0..self.cols)
    }

    /// A block as an operand of a product.
    pub fn block(&self, rows: Range<usize>, cols: Range<usize>) -> MatRef<'_, T> {
        block(&self.data, self.rows, rows, cols)
    }

    /// A block as the output of a product.
    pub fn block_mut(&mut self, rows: Range<usize>, cols: Range<usize>) -> MatMut<'_, T> {
        block_mut(&mut self.data, self.rows, rows, cols)
    }
}

/// A block of columns that lie `stride` elements apart.
pub(super) fn block<T: Real>(data: &[T], stride: usize, rows: Range<usize>, cols: Range<usize>) -> MatRef<'_, T> {
    let start = if rows.is_empty() || cols.is_empty() { 0 } else { rows.start + cols.start * stride };
    MatRef::with_strides(&data[start..], rows.len(), cols.len(), 1, stride)
}

/// A block, to be written, of columns that lie `stride` elements apart.
pub(super) fn block_mut<T: Real>(
    data: &mut [T],
    stride: usize,
    rows: Range<usize>,
    cols: Range<usize>,
) -> MatMut<'_, T> {
    let start = if rows.is_empty() || cols.is_empty() { 0 } else { rows.start + cols.start * stride };
    MatMut::with_strides(&mut data[start..], rows.len(), cols.len(), 1, stride)
}
