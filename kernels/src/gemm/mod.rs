//! Matrix products.

pub(crate) mod blocked;
mod epilogue;
mod matrixmultiply;
pub(crate) mod pack;
pub(crate) mod parallel;
mod plan;
pub(crate) mod product;
pub(crate) mod scratch;
pub(crate) mod tile;

use crate::once::once;
use crate::{Accumulate, Isa, MatMut, MatRef, Real};
use product::Product;
use tile::TileShape;

pub use epilogue::Epilogue;
#[doc(hidden)]
pub use plan::Plan;

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

once! {
    /// out [m, n] = activation(lhs [m, k] · rhs [k, n] (+ old out) + bias `[n]`).
    ///
    /// Every element is one chain of fused multiply-adds over k in ascending order, starting from zero
    /// ([`Accumulate::Overwrite`], `out` is not read) or from the old element ([`Accumulate::Add`]); then the bias is added,
    /// rounded once, then the activation applied. Transposed operands are strides. Panics when shapes disagree.
    ///
    /// Large products use the threads of the rayon pool that the caller runs in; outside of a pool the caller computes alone.
    /// Each thread keeps the memory that it packs operands into, so that products no larger than earlier ones allocate nothing.
    pub fn gemm<T: Real>(
        context: Context,
        out: MatMut<'_, T>,
        accumulate: Accumulate,
        lhs: MatRef<'_, T>,
        rhs: MatRef<'_, T>,
        epilogue: Epilogue<'_, T>,
    ) {
        gemm_with_plan(context, |plan| plan, out, accumulate, lhs, rhs, epilogue);
    }
}

/// [`gemm`] with `adjust` applied to its decisions, for tests and measurements; no plan changes a bit.
#[doc(hidden)]
#[track_caller]
pub fn gemm_with_plan<T: Real>(
    context: Context,
    adjust: impl FnOnce(Plan) -> Plan,
    mut out: MatMut<'_, T>,
    accumulate: Accumulate,
    lhs: MatRef<'_, T>,
    rhs: MatRef<'_, T>,
    epilogue: Epilogue<'_, T>,
) {
    assert_shapes(&out, &lhs, &rhs, &epilogue);
    let product = Product::new(&mut out, accumulate, &lhs, &rhs, &epilogue);
    if product.m == 0 || product.n == 0 {
        return;
    }
    match context.gemm {
        GemmEngine::Narrows => {
            let shape = TileShape::of::<T>(context.isa);
            let plan = adjust(Plan::choose(&product, shape, crate::spin::threads()));
            let product = if plan.transpose { product.transposed() } else { product };
            let (lhs, rhs) = (product.lhs, product.rhs);
            let pack_lhs = plan.pack_lhs || (lhs.row_stride != 1 && lhs.col_stride != 1);
            let plan = Plan { pack_lhs, pack_rhs: plan.pack_rhs || rhs.col_stride != 1, ..plan };
            parallel::run(context.isa, shape, &plan, product);
        }
        GemmEngine::Matrixmultiply => matrixmultiply::run(context.isa, product),
    }
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
