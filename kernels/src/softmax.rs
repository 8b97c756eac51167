//! Softmax of rows, and the cross-entropy of targets against it.
//!
//! With m the largest x of a row, eₖ = e^(xₖ − m) cannot overflow and one of them is 1, so that ln Σ e^xₖ = m + ln Σ eₖ is finite for
//! all finite x (Blanchard, Higham and Higham 2021). Sums over a row are those of [`crate::reduce`]: 64 virtual lanes and a fixed
//! tree. A NaN, a +∞ or nothing but −∞ makes a row NaN; −∞ beside finite x has the share 0, and a loss that is no number: infinite,
//! or NaN where its target is 0.

use crate::elementwise::drive::{grain, load, store};
use crate::once::once;
use crate::reduce::{Product, Summand, sum_row, whole_rows};
use crate::{Isa, Kernel, Real, Simd, vecmath};

/// Rows whose losses lie on the stack before they are added up.
const BLOCK: usize = 256;

/// e^(x − m), which is also written.
#[derive(Clone, Copy)]
struct ExpBelow<T>(T);

impl<T: Real> Summand<T, 1, 1> for ExpBelow<T> {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, [x]: [S::V; 1]) -> (S::V, [S::V; 1]) {
        let e = vecmath::exp(simd, simd.sub(x, simd.splat(self.0)));
        (e, [e])
    }
}

/// Rows of one length.
struct Rows<'a, T> {
    x: &'a [T],
    /// Without targets no loss is computed, and `out` becomes the softmax itself.
    targets: Option<&'a [T]>,
    cols: usize,
    scale: T,
    out: &'a mut [T],
    losses: &'a mut [T],
}

impl<T: Real> Kernel<T> for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Rows { x, targets, cols, scale, out, losses } = self;
        for (row, loss) in losses.iter_mut().enumerate() {
            let at = row * cols..(row + 1) * cols;
            let (x, out) = (&x[at.clone()], &mut out[at.clone()]);
            let most = x.iter().copied().fold(x[0], |most, x| if x > most { x } else { most });
            let sum = sum_row(simd, ExpBelow(most), [x], &mut [&mut *out], 0, cols);
            let (sums, scales) = (simd.splat(sum), simd.splat(scale));
            let targets = targets.map(|targets| &targets[at]);
            for first in (0..cols).step_by(S::LANES) {
                let count = S::LANES.min(cols - first);
                let p = simd.div(load(simd, out, first, count), sums);
                let value = match targets {
                    Some(t) => simd.mul(scales, simd.sub(p, load(simd, t, first, count))),
                    None => p,
                };
                store(simd, out, first, count, value);
            }
            if let Some(t) = targets {
                let mut logarithm = [T::ZERO];
                simd.store_partial(&mut logarithm, vecmath::ln(simd, sums));
                *loss = logarithm[0] + (most - sum_row(simd, Product, [x, t], &mut [], 0, cols));
            }
        }
    }
}

/// Halves the rows until few elements are left.
fn split<T: Real>(isa: Isa, rows: Rows<'_, T>, grain: usize) {
    let count = rows.losses.len();
    if count < 2 || rows.x.len() < 2 * grain {
        return T::dispatch(isa, rows);
    }
    let (cols, scale, at) = (rows.cols, rows.scale, count / 2 * rows.cols);
    let (above, below) = rows.x.split_at(at);
    let [t_above, t_below] = match rows.targets.map(|targets| targets.split_at(at)) {
        Some((above, below)) => [Some(above), Some(below)],
        None => [None, None],
    };
    let (out_above, out_below) = rows.out.split_at_mut(at);
    let (losses_above, losses_below) = rows.losses.split_at_mut(count / 2);
    let above = Rows { x: above, targets: t_above, cols, scale, out: out_above, losses: losses_above };
    let below = Rows { x: below, targets: t_below, cols, scale, out: out_below, losses: losses_below };
    crate::spin::join(|| split(isa, above, grain), || split(isa, below, grain));
}

/// All rows; `start` and the losses of the rows, added up in their order.
fn all<T: Real>(isa: Isa, x: &[T], targets: Option<&[T]>, cols: usize, scale: T, start: f64, out: &mut [T]) -> f64 {
    whole_rows(x.len(), cols);
    assert!(targets.is_none_or(|targets| targets.len() == x.len()), "a cross-entropy takes a target for each score");
    assert_eq!(out.len(), x.len(), "a softmax has an output for each input");
    let (mut sum, mut losses, block) = (start, [T::ZERO; BLOCK], (BLOCK * cols).max(1));
    for (number, (x, out)) in x.chunks(block).zip(out.chunks_mut(block)).enumerate() {
        let losses = &mut losses[..x.len() / cols];
        let targets = targets.map(|targets| &targets[number * block..][..x.len()]);
        split(isa, Rows { x, targets, cols, scale, out, losses: &mut *losses }, grain(x.len()));
        losses.iter().for_each(|loss| sum += loss.to_f64());
    }
    sum
}

once! {
    /// out\[i, k\] = e^xᵢₖ / Σⱼ e^xᵢⱼ; x, out [rows, cols].
    pub fn softmax<T: Real>(isa: Isa, x: &[T], cols: usize, out: &mut [T]) {
        all(isa, x, None, cols, T::ONE, 0.0, out);
    }

    /// `start` + Σᵢ (ln Σₖ e^xᵢₖ − Σₖ tᵢₖ·xᵢₖ): for targets t whose rows sum to one the cross-entropy −Σ t ln p, p the softmax of x, in nats.
    /// The gradient scale · (p − t) is written to `out`; x, t, out [rows, cols].
    pub fn softmax_cross_entropy_and_gradient<T: Real>(
        isa: Isa,
        x: &[T],
        t: &[T],
        cols: usize,
        scale: T,
        start: f64,
        out: &mut [T],
    ) -> f64 {
        all(isa, x, Some(t), cols, scale, start, out)
    }
}
