//! One product as shapes, pointers and strides: what the loops below the public function pass around.

use std::ops::Range;

use crate::{Accumulate, Activation, Epilogue, MatMut, MatRef, Real};

/// A matrix that is read: element (i, j) is at `ptr + i · row_stride + j · col_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Source<T> {
    pub ptr: *const T,
    pub row_stride: usize,
    pub col_stride: usize,
}

impl<T> Source<T> {
    pub fn transposed(self) -> Self {
        Source { row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// The address of element (i, j). It may lie outside the matrix as long as nothing is read from it.
    #[inline(always)]
    pub fn at(self, i: usize, j: usize) -> *const T {
        self.ptr.wrapping_add(i * self.row_stride + j * self.col_stride)
    }
}

/// A matrix that is written.
#[derive(Clone, Copy)]
pub(crate) struct Target<T> {
    pub ptr: *mut T,
    pub row_stride: usize,
    pub col_stride: usize,
}

impl<T> Target<T> {
    pub fn transposed(self) -> Self {
        Target { row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// The address of element (i, j). It may lie outside the matrix as long as nothing is accessed through it.
    #[inline(always)]
    pub fn at(self, i: usize, j: usize) -> *mut T {
        self.ptr.wrapping_add(i * self.row_stride + j * self.col_stride)
    }
}

/// Where a bias is added.
#[derive(Clone, Copy)]
pub(crate) enum Bias<T> {
    None,
    /// Element j to all of column j.
    Columns(*const T),
    /// Element i to all of row i.
    Rows(*const T),
}

impl<T> Bias<T> {
    /// The bias of the part that starts at (row, col).
    #[inline(always)]
    pub fn at(self, row: usize, col: usize) -> Self {
        match self {
            Bias::None => Bias::None,
            Bias::Columns(ptr) => Bias::Columns(ptr.wrapping_add(col)),
            Bias::Rows(ptr) => Bias::Rows(ptr.wrapping_add(row)),
        }
    }
}

/// out [m, n] = activation(lhs [m, k] · rhs [k, n] (+ old out) + bias). Pointers are valid for all elements of their
/// matrices for as long as the borrows live that [`Product::new`] was given.
#[derive(Clone, Copy)]
pub(crate) struct Product<T> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub lhs: Source<T>,
    pub rhs: Source<T>,
    pub out: Target<T>,
    pub accumulate: Accumulate,
    pub bias: Bias<T>,
    pub activation: Activation,
}

// SAFETY: the pointers stem from slices of `Send + Sync` numbers; parts given to different threads write disjoint elements.
unsafe impl<T: Real> Send for Product<T> {}
// SAFETY: as above.
unsafe impl<T: Real> Sync for Product<T> {}

impl<T: Real> Product<T> {
    pub fn new(
        out: &mut MatMut<'_, T>,
        accumulate: Accumulate,
        lhs: &MatRef<'_, T>,
        rhs: &MatRef<'_, T>,
        epilogue: &Epilogue<'_, T>,
    ) -> Self {
        // The stride of a dimension of one element is never used: 1 is what the loops do best.
        let stride = |len: usize, stride: usize| if len > 1 { stride } else { 1 };
        let source = |matrix: &MatRef<'_, T>| Source {
            ptr: matrix.as_ptr(),
            row_stride: stride(matrix.rows(), matrix.row_stride()),
            col_stride: stride(matrix.cols(), matrix.col_stride()),
        };
        Product {
            m: out.rows(),
            n: out.cols(),
            k: lhs.cols(),
            lhs: source(lhs),
            rhs: source(rhs),
            out: Target {
                row_stride: stride(out.rows(), out.row_stride()),
                col_stride: stride(out.cols(), out.col_stride()),
                ptr: out.as_mut_ptr(),
            },
            accumulate,
            bias: epilogue.bias.map_or(Bias::None, |bias| Bias::Columns(bias.as_ptr())),
            activation: epilogue.activation,
        }
    }

    /// outᵀ = rhsᵀ · lhsᵀ: the same chains.
    pub fn transposed(self) -> Self {
        Product {
            m: self.n,
            n: self.m,
            lhs: self.rhs.transposed(),
            rhs: self.lhs.transposed(),
            out: self.out.transposed(),
            bias: match self.bias {
                Bias::None => Bias::None,
                Bias::Columns(ptr) => Bias::Rows(ptr),
                Bias::Rows(ptr) => Bias::Columns(ptr),
            },
            ..self
        }
    }

    /// The part of the product that gives these rows and columns of `out`.
    pub fn part(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        Product {
            m: rows.len(),
            n: cols.len(),
            lhs: Source { ptr: self.lhs.at(rows.start, 0), ..self.lhs },
            rhs: Source { ptr: self.rhs.at(0, cols.start), ..self.rhs },
            out: Target { ptr: self.out.at(rows.start, cols.start), ..self.out },
            bias: self.bias.at(rows.start, cols.start),
            ..self
        }
    }
}
