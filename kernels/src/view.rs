//! Matrices over slices: a shape and two strides.

use std::ops::Range;

/// Refuses a shape whose last element lies outside the slice.
#[track_caller]
fn assert_inside(len: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) {
    if rows == 0 || cols == 0 {
        return;
    }
    let last = (rows - 1)
        .checked_mul(row_stride)
        .and_then(|row| (cols - 1).checked_mul(col_stride).and_then(|col| row.checked_add(col)));
    assert!(
        last.is_some_and(|last| last < len),
        "a [{rows}, {cols}] matrix with strides ({row_stride}, {col_stride}) does not fit into a slice of {len} elements"
    );
}

#[track_caller]
fn assert_contiguous(len: usize, rows: usize, cols: usize) {
    assert!(
        rows.checked_mul(cols) == Some(len),
        "a [{rows}, {cols}] matrix takes {rows} · {cols} elements, the slice has {len}"
    );
}

/// A matrix that is read: element (i, j) is `data[i · row_stride + j · col_stride]`. Strides of 0 repeat an element.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T: Copy> MatRef<'a, T> {
    /// `data` as a row-major matrix [rows, cols]; panics unless it has exactly rows · cols elements.
    #[track_caller]
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_contiguous(data.len(), rows, cols);
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// A matrix [rows, cols] whose rows lie `row_stride` and whose columns lie `col_stride` elements apart; panics when an
    /// element lies outside `data`.
    #[track_caller]
    pub fn with_strides(data: &'a [T], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        assert_inside(data.len(), rows, cols, row_stride, col_stride);
        Self { data, rows, cols, row_stride, col_stride }
    }

    /// The same elements as [cols, rows].
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Elements from a row to the next.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Elements from a column to the next.
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Element (i, j); panics outside the matrix.
    #[track_caller]
    pub fn get(&self, i: usize, j: usize) -> T {
        let Self { rows, cols, .. } = *self;
        assert!(i < rows && j < cols, "element ({i}, {j}) lies outside a [{rows}, {cols}] matrix");
        self.data[i * self.row_stride + j * self.col_stride]
    }

    /// The rows of `range` as [range.len(), cols]; panics when there are fewer rows.
    #[track_caller]
    pub fn row_range(self, range: Range<usize>) -> Self {
        let Self { rows, cols, .. } = self;
        assert!(
            range.start <= range.end && range.end <= rows,
            "rows {}..{} were asked of a [{rows}, {cols}] matrix",
            range.start,
            range.end
        );
        let start = if range.is_empty() || cols == 0 { 0 } else { range.start * self.row_stride };
        Self { data: &self.data[start..], rows: range.len(), ..self }
    }

    /// The first element; valid for reads of all elements of the matrix.
    pub(crate) fn as_ptr(&self) -> *const T {
        self.data.as_ptr()
    }
}

/// A matrix that is written; no two of its elements share memory.
#[derive(Debug)]
pub struct MatMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T: Copy> MatMut<'a, T> {
    /// `data` as a row-major matrix [rows, cols]; panics unless it has exactly rows · cols elements.
    #[track_caller]
    pub fn new(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        assert_contiguous(data.len(), rows, cols);
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// A matrix [rows, cols] whose rows lie `row_stride` and whose columns lie `col_stride` elements apart; panics when an
    /// element lies outside `data`, or when rows overlap (row_stride < (cols − 1) · col_stride + 1) and columns overlap too.
    #[track_caller]
    pub fn with_strides(data: &'a mut [T], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        assert_inside(data.len(), rows, cols, row_stride, col_stride);
        // A stride between one row (or column) and itself is never used.
        let apart = |inner: usize, inner_stride: usize, outer: usize, outer_stride: usize| {
            (inner < 2 || inner_stride > 0) && (outer < 2 || outer_stride > (inner - 1) * inner_stride)
        };
        assert!(
            rows == 0
                || cols == 0
                || apart(cols, col_stride, rows, row_stride)
                || apart(rows, row_stride, cols, col_stride),
            "elements of a [{rows}, {cols}] matrix with strides ({row_stride}, {col_stride}) overlap; rows or columns must \
             lie apart in an output"
        );
        Self { data, rows, cols, row_stride, col_stride }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Elements from a row to the next.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Elements from a column to the next.
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Element (i, j); panics outside the matrix.
    #[track_caller]
    pub fn get(&self, i: usize, j: usize) -> T {
        self.as_ref().get(i, j)
    }

    /// Writes element (i, j); panics outside the matrix.
    #[track_caller]
    pub fn set(&mut self, i: usize, j: usize, value: T) {
        let Self { rows, cols, .. } = *self;
        assert!(i < rows && j < cols, "element ({i}, {j}) lies outside a [{rows}, {cols}] matrix");
        self.data[i * self.row_stride + j * self.col_stride] = value;
    }

    /// The matrix, to be read.
    pub fn as_ref(&self) -> MatRef<'_, T> {
        MatRef {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
        }
    }

    /// The matrix, borrowed again.
    pub fn reborrow(&mut self) -> MatMut<'_, T> {
        MatMut {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
        }
    }

    /// The first element; valid for reads and writes of all elements of the matrix.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.data.as_mut_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_view_reads_the_same_elements() {
        let data = [1, 2, 3, 4, 5, 6];
        let a = MatRef::new(&data, 2, 3);
        for i in 0..2 {
            for j in 0..3 {
                assert_eq!(a.get(i, j), a.transposed().get(j, i));
            }
        }
        assert_eq!(a.row_range(1..2).get(0, 2), 6);
        assert_eq!(a.row_range(2..2).rows(), 0);
    }

    #[test]
    #[should_panic(expected = "a [2, 3] matrix takes 2 · 3 elements, the slice has 5")]
    fn a_slice_of_the_wrong_length_is_refused() {
        MatRef::new(&[0; 5], 2, 3);
    }

    #[test]
    #[should_panic(expected = "a [2, 3] matrix with strides (4, 1) does not fit into a slice of 6 elements")]
    fn strides_that_leave_the_slice_are_refused() {
        MatRef::with_strides(&[0; 6], 2, 3, 4, 1);
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn strides_that_overflow_are_refused() {
        MatRef::with_strides(&[0; 6], 3, 3, usize::MAX, 1);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn an_output_that_repeats_a_row_is_refused() {
        MatMut::with_strides(&mut [0; 6], 2, 3, 0, 1);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn an_output_whose_rows_share_an_element_is_refused() {
        MatMut::with_strides(&mut [0; 6], 2, 3, 2, 1);
    }

    #[test]
    fn outputs_in_either_order_and_with_gaps_are_accepted() {
        let mut data = [0; 32];
        MatMut::with_strides(&mut data, 2, 3, 3, 1);
        MatMut::with_strides(&mut data, 2, 3, 1, 2);
        MatMut::with_strides(&mut data, 2, 3, 16, 2);
        MatMut::with_strides(&mut data, 1, 3, 0, 2);
        MatMut::with_strides(&mut data, 0, 3, 0, 0);
    }

    #[test]
    #[should_panic(expected = "element (2, 0) lies outside a [2, 3] matrix")]
    fn an_element_outside_the_shape_is_refused() {
        MatRef::new(&[0; 6], 2, 3).get(2, 0);
    }

    #[test]
    #[should_panic(expected = "rows 1..3 were asked of a [2, 3] matrix")]
    fn rows_that_do_not_exist_are_refused() {
        MatRef::new(&[0; 6], 2, 3).row_range(1..3);
    }
}
