//! The extent of a value in up to four dimensions.

use narrows::tape::*;

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
