//! The crate `matrixmultiply` behind the same interface, to compare with.

use super::product::{Bias, Product};
use crate::activation::activate_in_place;
use crate::{Accumulate, Isa, Real};

/// Computes `product` in another order of summation, on the calling thread.
pub(super) fn run<T: Real>(isa: Isa, product: Product<T>) {
    let Product { m, n, k, lhs, rhs, out, .. } = product;
    let beta = match product.accumulate {
        Accumulate::Overwrite => 0.0,
        Accumulate::Add => 1.0,
    };
    let [rsa, csa, rsb, csb, rsc, csc] =
        [lhs.row_stride, lhs.col_stride, rhs.row_stride, rhs.col_stride, out.row_stride, out.col_stride]
            .map(|stride| isize::try_from(stride).expect("a stride inside a slice fits into isize"));
    // SAFETY: the pointers and strides are those of views that were checked; T is f32 or f64, told apart by its size; out
    // is borrowed uniquely.
    unsafe {
        if size_of::<T>() == size_of::<f32>() {
            let (a, b, c) = (lhs.ptr.cast::<f32>(), rhs.ptr.cast::<f32>(), out.ptr.cast::<f32>());
            matrixmultiply::sgemm(m, k, n, 1.0, a, rsa, csa, b, rsb, csb, beta as f32, c, rsc, csc);
        } else {
            let (a, b, c) = (lhs.ptr.cast::<f64>(), rhs.ptr.cast::<f64>(), out.ptr.cast::<f64>());
            matrixmultiply::dgemm(m, k, n, 1.0, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc);
        }
    }
    for i in 0..m {
        for j in 0..n {
            // SAFETY: element (i, j) of out, and its element of the bias.
            unsafe {
                let x = out.at(i, j);
                match product.bias.at(i, j) {
                    Bias::None => {}
                    Bias::Columns(bias) | Bias::Rows(bias) => *x += *bias,
                }
                activate_in_place(isa, product.activation, std::slice::from_mut(&mut *x));
            }
        }
    }
}
