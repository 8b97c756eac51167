//! The definitions that the fast code is compared with, bit for bit.

use crate::activation::activate_in_place;
use crate::gemm::assert_shapes;
use crate::{Accumulate, Epilogue, Isa, MatMut, MatRef, Real};

/// [`crate::gemm`] as three nested loops.
#[track_caller]
pub fn gemm<T: Real>(
    mut out: MatMut<'_, T>,
    accumulate: Accumulate,
    lhs: MatRef<'_, T>,
    rhs: MatRef<'_, T>,
    epilogue: Epilogue<'_, T>,
) {
    assert_shapes(&out, &lhs, &rhs, &epilogue);
    for i in 0..out.rows() {
        for j in 0..out.cols() {
            let mut chain = match accumulate {
                Accumulate::Overwrite => T::ZERO,
                Accumulate::Add => out.get(i, j),
            };
            for p in 0..lhs.cols() {
                chain = lhs.get(i, p).mul_add(rhs.get(p, j), chain);
            }
            if let Some(bias) = epilogue.bias {
                chain += bias[j];
            }
            let mut element = [chain];
            activate_in_place(Isa::SCALAR, epilogue.activation, &mut element);
            out.set(i, j, element[0]);
        }
    }
}
