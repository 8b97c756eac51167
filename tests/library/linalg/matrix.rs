//! Column-major matrices: Householder reflections read and write columns.

use narrows::linalg::*;
use narrows_kernels::MatRef;

#[test]
fn a_copy_of_rows_and_its_transpose_hold_the_same_elements() {
    let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let a = Matrix::copy_of(MatRef::new(&data, 2, 3));
    assert_eq!(a.as_slice(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(a.transposed().as_slice(), data);
    assert_eq!(a.block(1..2, 1..3).get(0, 1), 6.0);
    assert_eq!(a.block(2..2, 0..3).rows(), 0);
}

#[test]
fn columns_change_places() {
    let mut a = Matrix::copy_of(MatRef::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3));
    a.swap_cols(2, 0);
    a.swap_cols(1, 1);
    assert_eq!(a.as_slice(), [3.0, 6.0, 2.0, 5.0, 1.0, 4.0]);
}
