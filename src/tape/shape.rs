//! The extent of a value in up to four dimensions.

use std::fmt;

/// Dimensions, at most.
const MOST_DIMS: usize = 4;

/// The dimensions of a value, one to four of them; the last one is contiguous in memory, so that images are
/// [samples, height, width, channels].
///
/// Operations that need a matrix see [`rows`](Self::rows) × [`cols`](Self::cols) of the same memory.
///
/// ```
/// use narrows::tape::Shape;
///
/// let images = Shape::from([128, 28, 28, 1]);
/// assert_eq!((images.rows(), images.cols()), (128 * 28 * 28, 1));
/// assert_eq!((images.samples(), images.features()), (128, 784));
/// assert_eq!(images.to_string(), "[128, 28, 28, 1]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Zero behind the rank.
    dims: [usize; MOST_DIMS],
    rank: usize,
}

impl Shape {
    /// [1, 1], what reductions over everything give.
    pub const SCALAR: Shape = Shape { dims: [1, 1, 0, 0], rank: 2 };

    /// The shape with these dimensions, the last one contiguous.
    ///
    /// # Panics
    /// Unless there are one to four.
    pub fn new(dims: &[usize]) -> Self {
        let rank = dims.len();
        assert!((1..=MOST_DIMS).contains(&rank), "a shape of {rank} dimensions {dims:?}: there must be one to four");
        let mut padded = [0; MOST_DIMS];
        padded[..rank].copy_from_slice(dims);
        Shape { dims: padded, rank }
    }

    /// The dimensions, slowest first.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The last dimension: the columns of the value as a matrix.
    pub fn cols(&self) -> usize {
        self.dims[self.rank - 1]
    }

    /// The product of all dimensions but the last: the rows of the value as a matrix.
    pub fn rows(&self) -> usize {
        self.dims[..self.rank - 1].iter().product()
    }

    /// The first dimension.
    pub fn samples(&self) -> usize {
        self.dims[0]
    }

    /// The product of all dimensions but the first: the elements of one sample.
    pub fn features(&self) -> usize {
        self.dims[1..self.rank].iter().product()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same shape with `cols` as its last dimension.
    pub fn with_cols(mut self, cols: usize) -> Self {
        self.dims[self.rank - 1] = cols;
        self
    }

    /// Whether it is one row of `cols` elements: [cols], [1, cols], …
    pub(super) fn is_row_of(&self, cols: usize) -> bool {
        (self.rows(), self.cols()) == (1, cols)
    }
}

impl<const RANK: usize> From<[usize; RANK]> for Shape {
    fn from(dims: [usize; RANK]) -> Self {
        const { assert!(1 <= RANK && RANK <= MOST_DIMS, "a shape has one to four dimensions") };
        Shape::new(&dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_a_matrix_and_a_list_of_samples() {
        for (dims, matrix, samples) in [
            (&[7][..], (1, 7), (7, 1)),
            (&[3, 7], (3, 7), (3, 7)),
            (&[2, 3, 7], (6, 7), (2, 21)),
            (&[2, 3, 5, 7], (30, 7), (2, 105)),
            (&[0, 7], (0, 7), (0, 7)),
        ] {
            let shape = Shape::new(dims);
            assert_eq!((shape.dims(), shape.rank()), (dims, dims.len()));
            assert_eq!((shape.rows(), shape.cols()), matrix, "{shape}");
            assert_eq!((shape.samples(), shape.features()), samples, "{shape}");
            assert_eq!((shape.len(), shape.is_empty()), (matrix.0 * matrix.1, dims[0] == 0), "{shape}");
        }
        assert_eq!(Shape::from([2, 3]), Shape::new(&[2, 3]));
        assert_ne!(Shape::from([6]), Shape::from([1, 6]));
        assert_eq!(Shape::from([2, 3, 4]).with_cols(1), Shape::from([2, 3, 1]));
        assert_eq!(format!("{0} {0:?}", Shape::from([2, 3])), "[2, 3] [2, 3]");
    }

    #[test]
    #[should_panic(expected = "a shape of 5 dimensions [1, 2, 3, 4, 5]: there must be one to four")]
    fn five_dimensions_are_refused() {
        Shape::new(&[1, 2, 3, 4, 5]);
    }
}
