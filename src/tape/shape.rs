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

    /// The number of elements, where it can be counted.
    pub fn checked_len(&self) -> Option<usize> {
        self.dims().iter().try_fold(1_usize, |len, &dim| len.checked_mul(dim))
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
