//! The squared Frobenius norm of a two-layer Jacobian, and its gradient, in one pass.
//!
//! A network code = s(s(x·W₁)·W₂) has at sample b the Jacobian J_b = diag(d₂)·W₂ᵀ·diag(d₁)·W₁ᵀ, with d the derivatives of
//! the two activations there. With G = W₁ᵀ·W₁ [hidden, hidden], the inputs drop out:
//!
//! ```text
//! ‖J_b‖² = Σ_j d₂[b,j]² · q[b,j],   q[b,j] = Σ_m Σ_l d₁[b,m] W₂[m,j] G[m,l] d₁[b,l] W₂[l,j]
//! ```
//!
//! Taken literally, sample by sample, the value is a product of batch·code·hidden² multiply-adds and its gradient two more:
//! 3.2 G for a batch of 128 through 784→256→128. Two observations halve that, and the rest is elementwise:
//!
//! ```text
//! Y[b,m,j] = Σ_l d₁[b,l] · (G[m,l] W₂[l,j])          T[m,l,j] = Σ_b d₂[b,j]² d₁[b,m] d₁[b,l]
//! q[b,j]      = Σ_m d₁[b,m] W₂[m,j] Y[b,m,j] = ∂/∂(d₂[b,j]²)
//! ∂/∂d₁[b,m]  = 2 Σ_j d₂[b,j]² W₂[m,j] Y[b,m,j]
//! ∂/∂W₂[m,j]  = 2 Σ_b d₂[b,j]² d₁[b,m] Y[b,m,j]
//! ∂/∂G[m,l]   = Σ_j W₂[m,j] W₂[l,j] T[m,l,j]
//! ```
//!
//! * Y is one matrix product, of d₁ with what is in brackets, which depends on no sample. It gives the value and three of the
//!   four gradients: the form is quadratic in d₁ and in each column of W₂, so that each derivative is twice what multiplies the
//!   variable.
//! * T is a product too, and symmetric in m and l: only l ≥ m is computed, half of it.
//!
//! Blocks of m keep Y and T in the caches; nothing of size batch·hidden·code is ever whole.

use std::ops::Range;

use crate::elementwise::drive::{grain, load, store};
use crate::elementwise::scale_in_place;
use crate::once::once;
use crate::reduce::{column_sums, row_sums};
use crate::{Accumulate, Context, Epilogue, Isa, Kernel, MatMut, MatRef, Real, Simd, gemm, spin};

/// Columns of a block of Y and T: 256 rows of so many f32 are 1 MiB, what a core has for itself.
const WIDTH: usize = 1024;
/// Samples of a block, which bounds the scratch memory whatever the batch.
const ROWS: usize = 512;

/// What ‖J‖² is made of.
#[derive(Clone, Copy, Debug)]
pub struct TwoLayers<'a, T> {
    /// d₁ [batch, hidden].
    pub derivatives: &'a [T],
    /// d₂² [batch, code].
    pub squares: &'a [T],
    /// G = W₁ᵀ·W₁ [hidden, hidden]; only its being symmetric is relied on.
    pub gram: &'a [T],
    /// W₂ [hidden, code].
    pub weight: &'a [T],
    /// Units of the first layer.
    pub hidden: usize,
    /// Units of the second layer.
    pub code: usize,
}

/// The derivatives of Σ_b ‖J_b‖², all overwritten.
#[derive(Debug)]
pub struct NormGradients<'a, T> {
    /// With respect to d₁ [batch, hidden].
    pub derivatives: &'a mut [T],
    /// With respect to d₂² [batch, code]: q, so that ‖J_b‖² = Σ_j d₂² q.
    pub squares: &'a mut [T],
    /// With respect to G [hidden, hidden], symmetric.
    pub gram: &'a mut [T],
    /// With respect to W₂ [hidden, code].
    pub weight: &'a mut [T],
}

/// Elements of scratch that [`jacobian_norm_gradients`] needs for these sizes.
pub fn scratch_len(batch: usize, hidden: usize, code: usize) -> usize {
    let width = units_of(hidden, code) * code;
    let rows = batch.min(ROWS);
    2 * hidden * width + 2 * rows * width + rows.max(hidden) * units_of(hidden, code)
}

/// Units of the first layer in a block.
fn units_of(hidden: usize, code: usize) -> usize {
    (WIDTH / code.max(1)).clamp(1, hidden.max(1))
}

once! {
    /// The gradients of Σ_b ‖J_b‖², from which the value follows; batch · code · hidden² multiply-adds, which give all but the
    /// gradient of G, and about half as many for that one. `scratch` has [`scratch_len`] elements, whose content does not matter.
    /// The bits depend on the numbers alone.
    ///
    /// # Panics
    /// When the lengths of slices do not agree, or a layer has no units.
    pub fn jacobian_norm_gradients<T: Real>(
        context: Context,
        of: TwoLayers<'_, T>,
        to: NormGradients<'_, T>,
        scratch: &mut [T],
    ) {
        gradients(context, of, to, scratch);
    }
}

fn gradients<T: Real>(context: Context, of: TwoLayers<'_, T>, to: NormGradients<'_, T>, scratch: &mut [T]) {
    let TwoLayers { derivatives, squares, gram, weight, hidden, code } = of;
    assert!(hidden > 0 && code > 0, "layers of {hidden} and {code} units: each must have one at least");
    let batch = derivatives.len() / hidden;
    assert!(derivatives.len() == batch * hidden && squares.len() == batch * code, "derivatives of [{batch}] samples");
    assert!(gram.len() == hidden * hidden && weight.len() == hidden * code, "weights of [{hidden}, {code}]");
    assert!(
        to.derivatives.len() == derivatives.len() && to.squares.len() == squares.len(),
        "gradients of the derivatives"
    );
    assert!(to.gram.len() == gram.len() && to.weight.len() == weight.len(), "gradients of the weights");
    assert!(scratch.len() >= scratch_len(batch, hidden, code), "scratch of scratch_len elements");
    let isa = context.isa;
    to.squares.fill(T::ZERO);
    to.weight.fill(T::ZERO);
    if batch == 0 {
        // That of G is a sum over samples like the others, whose first term overwrites it.
        return to.gram.fill(T::ZERO);
    }
    let units = units_of(hidden, code);
    let rows = batch.min(ROWS);
    let (factors, scratch) = scratch.split_at_mut(hidden * units * code);
    let (pairs, scratch) = scratch.split_at_mut(hidden * units * code);
    let (y, scratch) = scratch.split_at_mut(rows * units * code);
    let (spread, sums) = scratch.split_at_mut(rows * units * code);
    for first in (0..hidden).step_by(units) {
        let block = first..(first + units).min(hidden);
        let width = block.len() * code;
        let own = &weight[block.start * code..block.end * code];
        // What Y multiplies d₁ with: [l, (m, j)] = G[m,l] W₂[l,j].
        let factors = &mut factors[..hidden * width];
        outer(isa, (gram, hidden, block.clone()), weight, code, factors);
        let later = hidden - first;
        let pairs = &mut pairs[..later * width];
        for start in (0..batch).step_by(ROWS) {
            let count = ROWS.min(batch - start);
            let derivatives = &derivatives[start * hidden..(start + count) * hidden];
            let squares = &squares[start * code..(start + count) * code];
            let (y, spread) = (&mut y[..count * width], &mut spread[..count * width]);
            let lhs = MatRef::new(derivatives, count, hidden);
            let out = MatMut::new(y, count, width);
            gemm(context, out, Accumulate::Overwrite, lhs, MatRef::new(factors, hidden, width), Epilogue::NONE);
            // [b, (m, j)] = d₁[b,m] d₂[b,j]².
            outer(isa, (derivatives, hidden, block.clone()), squares, code, spread);
            let accumulate = if start == 0 { Accumulate::Overwrite } else { Accumulate::Add };
            let lhs = MatRef::with_strides(&derivatives[first..], later, count, 1, hidden);
            let out = MatMut::new(pairs, later, width);
            gemm(context, out, accumulate, lhs, MatRef::new(spread, count, width), Epilogue::NONE);
            let norms = &mut to.squares[start * code..(start + count) * code];
            let lhs = Columns { of: derivatives, stride: hidden, first, count: block.len() };
            split(isa, Spread { derivatives: lhs, squares, weight: own, code, y, spread, norms }, grain(count * width));
            let sums = &mut sums[..count * block.len()];
            row_sums(isa, y, code, sums, Accumulate::Overwrite);
            for (sums, row) in
                sums.chunks_exact(block.len()).zip(to.derivatives[start * hidden..].chunks_exact_mut(hidden))
            {
                row[block.clone()].copy_from_slice(sums);
            }
            let out = &mut to.weight[block.start * code..block.end * code];
            column_sums(isa, spread, width, out, Accumulate::Add);
        }
        split(isa, Pairs { pairs, weight: &weight[first * code..], own, code }, grain(later * width));
        let sums = &mut sums[..later * block.len()];
        row_sums(isa, pairs, code, sums, Accumulate::Overwrite);
        for (l, sums) in (first..hidden).zip(sums.chunks_exact(block.len())) {
            for (m, &sum) in block.clone().zip(sums) {
                to.gram[l * hidden + m] = sum;
                to.gram[m * hidden + l] = sum;
            }
        }
    }
    let two = T::from_f64(2.0);
    scale_in_place(isa, to.derivatives, two);
    scale_in_place(isa, to.weight, two);
}

/// A kernel whose rows are independent of each other.
trait ByRows<T>: Kernel<T, Output = ()> + Send + Sized {
    /// Rows, and elements of the largest operand.
    fn extent(&self) -> (usize, usize);
    /// The rows before and from `row` on.
    fn cut(self, row: usize) -> (Self, Self);
}

/// Halves the rows until few elements are left.
fn split<T: Real, K: ByRows<T>>(isa: Isa, kernel: K, grain: usize) {
    let (rows, elements) = kernel.extent();
    if rows < 2 || elements < 2 * grain {
        return T::dispatch(isa, kernel);
    }
    let (above, below) = kernel.cut(rows / 2);
    spin::join(|| split(isa, above, grain), || split(isa, below, grain));
}

/// The columns first .. first + count of a matrix with rows `stride` apart.
#[derive(Clone, Copy)]
struct Columns<'a, T> {
    of: &'a [T],
    stride: usize,
    first: usize,
    count: usize,
}

impl<'a, T> Columns<'a, T> {
    fn row(self, row: usize) -> &'a [T] {
        &self.of[row * self.stride + self.first..][..self.count]
    }

    fn cut(self, row: usize) -> (Self, Self) {
        let (above, below) = self.of.split_at(row * self.stride);
        (Columns { of: above, ..self }, Columns { of: below, ..self })
    }
}

/// out [row, (m, j)] = lhs [row, m] · rhs [row, j], the columns m of lhs being `columns`.
fn outer<T: Real>(
    isa: Isa,
    (lhs, stride, columns): (&[T], usize, Range<usize>),
    rhs: &[T],
    cols: usize,
    out: &mut [T],
) {
    let lhs = Columns { of: lhs, stride, first: columns.start, count: columns.len() };
    let grain = grain(out.len());
    split(isa, Outer { lhs, rhs, cols, out }, grain);
}

struct Outer<'a, T> {
    lhs: Columns<'a, T>,
    rhs: &'a [T],
    cols: usize,
    out: &'a mut [T],
}

impl<T: Real> ByRows<T> for Outer<'_, T> {
    fn extent(&self) -> (usize, usize) {
        (self.out.len() / (self.lhs.count * self.cols), self.out.len())
    }

    fn cut(self, row: usize) -> (Self, Self) {
        let Outer { lhs, rhs, cols, out } = self;
        let (lhs, lhs_below) = lhs.cut(row);
        let (out, out_below) = out.split_at_mut(row * lhs.count * cols);
        let (rhs, rhs_below) = rhs.split_at(row * cols);
        (Outer { lhs, rhs, cols, out }, Outer { lhs: lhs_below, rhs: rhs_below, cols, out: out_below })
    }
}

impl<T: Real> Kernel<T> for Outer<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Outer { lhs, rhs, cols, out } = self;
        for (row, out) in out.chunks_exact_mut(lhs.count * cols).enumerate() {
            let (factors, rhs) = (lhs.row(row), &rhs[row * cols..][..cols]);
            for start in (0..cols).step_by(S::LANES) {
                let count = S::LANES.min(cols - start);
                let x = load(simd, rhs, start, count);
                for (m, &factor) in factors.iter().enumerate() {
                    store(simd, out, m * cols + start, count, simd.mul(simd.splat(factor), x));
                }
            }
        }
    }
}

/// From Y and d₁ d₂² to what is summed: q += Σ_m d₁ W₂ Y; y ← d₂² W₂ Y; spread ← d₁ d₂² Y.
struct Spread<'a, T> {
    derivatives: Columns<'a, T>,
    squares: &'a [T],
    weight: &'a [T],
    code: usize,
    y: &'a mut [T],
    spread: &'a mut [T],
    norms: &'a mut [T],
}

impl<T: Real> ByRows<T> for Spread<'_, T> {
    fn extent(&self) -> (usize, usize) {
        (self.norms.len() / self.code, self.y.len())
    }

    fn cut(self, row: usize) -> (Self, Self) {
        let Spread { derivatives, squares, weight, code, y, spread, norms } = self;
        let width = weight.len();
        let (derivatives, derivatives_below) = derivatives.cut(row);
        let (squares, squares_below) = squares.split_at(row * code);
        let (norms, norms_below) = norms.split_at_mut(row * code);
        let (y, y_below) = y.split_at_mut(row * width);
        let (spread, spread_below) = spread.split_at_mut(row * width);
        let below = Spread {
            derivatives: derivatives_below,
            squares: squares_below,
            weight,
            code,
            y: y_below,
            spread: spread_below,
            norms: norms_below,
        };
        (Spread { derivatives, squares, weight, code, y, spread, norms }, below)
    }
}

impl<T: Real> Kernel<T> for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Spread { derivatives, squares, weight, code, y, spread, norms } = self;
        let width = weight.len();
        let rows = y.chunks_exact_mut(width).zip(spread.chunks_exact_mut(width)).zip(norms.chunks_exact_mut(code));
        for (row, ((y, spread), norms)) in rows.enumerate() {
            let (derivatives, squares) = (derivatives.row(row), &squares[row * code..][..code]);
            for start in (0..code).step_by(S::LANES) {
                let count = S::LANES.min(code - start);
                let square = load(simd, squares, start, count);
                let mut norm = load(simd, norms, start, count);
                for (m, &derivative) in derivatives.iter().enumerate() {
                    let at = m * code + start;
                    let value = load(simd, y, at, count);
                    let weighted = simd.mul(value, load(simd, weight, at, count));
                    norm = simd.fma(simd.splat(derivative), weighted, norm);
                    store(simd, spread, at, count, simd.mul(value, load(simd, spread, at, count)));
                    store(simd, y, at, count, simd.mul(square, weighted));
                }
                store(simd, norms, start, count, norm);
            }
        }
    }
}

/// pairs [l, (m, j)] ← pairs · W₂[l,j] · W₂[m,j], with `own` the rows m and `weight` the rows l of W₂.
struct Pairs<'a, T> {
    pairs: &'a mut [T],
    weight: &'a [T],
    own: &'a [T],
    code: usize,
}

impl<T: Real> ByRows<T> for Pairs<'_, T> {
    fn extent(&self) -> (usize, usize) {
        (self.pairs.len() / self.own.len(), self.pairs.len())
    }

    fn cut(self, row: usize) -> (Self, Self) {
        let Pairs { pairs, weight, own, code } = self;
        let (pairs, pairs_below) = pairs.split_at_mut(row * own.len());
        let (weight, weight_below) = weight.split_at(row * code);
        (Pairs { pairs, weight, own, code }, Pairs { pairs: pairs_below, weight: weight_below, own, code })
    }
}

impl<T: Real> Kernel<T> for Pairs<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Pairs { pairs, weight, own, code } = self;
        let units = own.len() / code;
        for (row, pairs) in pairs.chunks_exact_mut(own.len()).enumerate() {
            let weight = &weight[row * code..][..code];
            for start in (0..code).step_by(S::LANES) {
                let count = S::LANES.min(code - start);
                let w = load(simd, weight, start, count);
                for m in 0..units {
                    let at = m * code + start;
                    let both = simd.mul(w, load(simd, own, at, count));
                    store(simd, pairs, at, count, simd.mul(both, load(simd, pairs, at, count)));
                }
            }
        }
    }
}
