//! Σ_j p_ij q_ij (y_i − y_j) over the neighbours of every i.

use crate::{Isa, Kernel, Real, Simd, spin};

/// Neighbours whose terms are summed side by side: neighbour k of a point goes to lane k mod 4, so that the chain of additions is
/// no longer than the other work.
const LANES: usize = 4;
/// Points that one thread takes at a time.
const POINTS: usize = 256;

/// A sparse matrix of affinities p, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Affinities<'a> {
    /// Where the neighbours of point i begin in the other two, and behind it where they end \[points + 1\].
    pub starts: &'a [usize],
    /// Numbers of neighbours.
    pub columns: &'a [u32],
    /// Their affinities, as many.
    pub values: &'a [f32],
}

/// Writes Σ_j p_ij q_ij (y_i − y_j), q_ij = 1 / (1 + |y_i − y_j|²), of the points at (`x`, `y`) to `forces`, x and y. Four
/// chains of fused multiply-adds over the neighbours in their order, a neighbour to each in turn, folded (0 + 2) + (1 + 3). On the
/// threads of the current pool; nothing is allocated.
///
/// # Panics
/// When the slices do not agree, or a column is no point.
pub fn attraction(isa: Isa, of: Affinities<'_>, [x, y]: [&[f32]; 2], [fx, fy]: [&mut [f32]; 2]) {
    let points = x.len();
    let lengths = [y.len() + 1, fx.len() + 1, fy.len() + 1, of.starts.len()];
    assert!(lengths == [points + 1; 4], "the attraction of {points} points takes slices as long, not {lengths:?}");
    assert!(of.columns.len() == of.values.len(), "every neighbour has an affinity");
    split(isa, of, [x, y], 0, [fx, fy]);
}

/// Halves the points, `first` their first one, until few are left.
fn split(isa: Isa, of: Affinities<'_>, at: [&[f32]; 2], first: usize, [fx, fy]: [&mut [f32]; 2]) {
    if fx.len() <= POINTS {
        return f32::dispatch(isa, Rows { of, at, first, forces: [fx, fy] });
    }
    let middle = (fx.len() / 2).next_multiple_of(LANES * LANES);
    let ((x0, x1), (y0, y1)) = (fx.split_at_mut(middle), fy.split_at_mut(middle));
    spin::join(|| split(isa, of, at, first, [x0, y0]), || split(isa, of, at, first + middle, [x1, y1]));
}

struct Rows<'a> {
    of: Affinities<'a>,
    at: [&'a [f32]; 2],
    first: usize,
    forces: [&'a mut [f32]; 2],
}

impl Kernel<f32> for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<f32>>(self, _: S) {
        let Rows { of, at: [x, y], first, forces: [fx, fy] } = self;
        for (row, (fx, fy)) in fx.iter_mut().zip(fy).enumerate() {
            let i = first + row;
            let own = of.starts[i]..of.starts[i + 1];
            let (columns, values) = (&of.columns[own.clone()], &of.values[own]);
            let (xi, yi) = (x[i], y[i]);
            let [mut sx, mut sy] = [[0.0f32; LANES]; 2];
            for (columns, values) in columns.chunks(LANES).zip(values.chunks(LANES)) {
                // Lanes without a neighbour add nothing: p = 0 of the point itself.
                let [mut xs, mut ys, mut p] = [[xi; LANES], [yi; LANES], [0.0; LANES]];
                for (lane, (&column, &value)) in columns.iter().zip(values).enumerate() {
                    (xs[lane], ys[lane], p[lane]) = (x[column as usize], y[column as usize], value);
                }
                for lane in 0..LANES {
                    let (dx, dy) = (xi - xs[lane], yi - ys[lane]);
                    let weight = p[lane] / dy.mul_add(dy, dx.mul_add(dx, 1.0));
                    sx[lane] = weight.mul_add(dx, sx[lane]);
                    sy[lane] = weight.mul_add(dy, sy[lane]);
                }
            }
            *fx = (sx[0] + sx[2]) + (sx[1] + sx[3]);
            *fy = (sy[0] + sy[2]) + (sy[1] + sy[3]);
        }
    }
}
