//! Matrix products.

mod epilogue;

use crate::{Accumulate, Isa, MatMut, MatRef, Real, reference};

pub use epilogue::Epilogue;
pub(crate) use epilogue::apply_activation_to_row;

/// Who computes matrix products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GemmEngine {
    /// This crate: bits that depend on nothing but the input.
    Narrows,
    /// The crate `matrixmultiply`, to compare with: sums in its own order, so other bits.
    Matrixmultiply,
}

/// How to compute: what a run chooses once.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The instruction set of all kernels.
    pub isa: Isa,
    /// Who computes matrix products.
    pub gemm: GemmEngine,
}

impl Context {
    /// Our own products on the widest instruction set of this CPU.
    pub fn detect() -> Self {
        Context { isa: Isa::detect(), gemm: GemmEngine::Narrows }
    }
}

/// out [m, n] = activation(lhs [m, k] · rhs [k, n] (+ old out) + bias [n]).
///
/// Every element is one chain of fused multiply-adds over k in ascending order, starting from zero
/// ([`Accumulate::Overwrite`], `out` is not read) or from the old element ([`Accumulate::Add`]); then the bias is added,
/// rounded once, then the activation applied. Transposed operands are strides. Panics when shapes disagree.
#[track_caller]
pub fn gemm<T: Real>(
    context: Context,
    out: MatMut<'_, T>,
    accumulate: Accumulate,
    lhs: MatRef<'_, T>,
    rhs: MatRef<'_, T>,
    epilogue: Epilogue<'_, T>,
) {
    assert_shapes(&out, &lhs, &rhs, &epilogue);
    let _ = context;
    reference::gemm(out, accumulate, lhs, rhs, epilogue);
}

#[track_caller]
pub(crate) fn assert_shapes<T: Real>(
    out: &MatMut<'_, T>,
    lhs: &MatRef<'_, T>,
    rhs: &MatRef<'_, T>,
    epilogue: &Epilogue<'_, T>,
) {
    let (m, n, k) = (out.rows(), out.cols(), lhs.cols());
    assert!(
        lhs.rows() == m && rhs.rows() == k && rhs.cols() == n,
        "a product [{}, {k}] · [{}, {}] does not give [{m}, {n}]",
        lhs.rows(),
        rhs.rows(),
        rhs.cols()
    );
    if let Some(bias) = epilogue.bias {
        assert!(bias.len() == n, "a bias of {} elements cannot be added to the {n} columns of [{m}, {n}]", bias.len());
    }
}
