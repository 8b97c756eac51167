//! Precision and recall of generated images, and the training image nearest to each.

use narrows_kernels::Context;
use narrows_kernels::losses::squared_error;
use ndarray::{ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::distances::Points;
use super::error::AnalysisError;
use super::standard::check_finite;
use crate::tasks::Rows;

/// How generated images lie among real ones: a set is taken to fill the balls around its members that reach to their k-th
/// nearest neighbours (Kynkäänniemi et al. 2019).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The share of generated images within the set of real ones: how good they are.
    pub precision: f64,
    /// The share of real images within the set of generated ones: how much of the data they reach.
    pub recall: f64,
}

impl Coverage {
    /// That of `generated` [m, d] among `real` [n, d], features of images. Takes time of the order of (m + n)²·d. Refused: k of 0
    /// or from m or n on, features of different sizes or not finite.
    pub fn of(
        context: Context,
        real: ArrayView2<'_, f32>,
        generated: ArrayView2<'_, f32>,
        k: usize,
    ) -> Result<Coverage, AnalysisError> {
        let n = real.nrows();
        for part in [real, generated] {
            if k == 0 || k >= part.nrows() {
                return Err(AnalysisError::Neighbours { k, points: part.nrows() });
            }
            check_finite("compare", part)?;
        }
        let Ok(all) = concatenate(Axis(0), &[real, generated]) else {
            let (expected, found) = (real.ncols(), generated.ncols());
            return Err(AnalysisError::Width { action: "compare", expected, found });
        };
        let points = Points::of(all.view());
        let radii = points.each_row(context, |scratch: &mut Vec<f64>, i, row| {
            scratch.clear();
            scratch.extend_from_slice(if i < n { &row[..n] } else { &row[n..] });
            // A point's distance from itself is ∞, so that the k-th smallest is that of another.
            *scratch.select_nth_unstable_by(k - 1, f64::total_cmp).1
        });
        let is_within = points.each_row(context, |_: &mut (), i, row| {
            let (others, radii) = if i < n { (&row[n..], &radii[n..]) } else { (&row[..n], &radii[..n]) };
            others.iter().zip(radii).any(|(distance, radius)| distance <= radius)
        });
        let share = |within: &[bool]| within.iter().filter(|&&is| is).count() as f64 / within.len() as f64;
        let (real, generated) = is_within.split_at(n);
        Ok(Coverage { precision: share(generated), recall: share(real) })
    }
}

/// Others at a time; no figure depends on it.
const TOGETHER: usize = 512;

/// For each of `images` [m, d] the number of the nearest of `others` [n, d], the first of equally near ones, and the squared
/// distance. Refused: no others, images of different sizes or not finite.
pub fn nearest(
    context: Context,
    images: ArrayView2<'_, f32>,
    others: impl Rows<f32>,
) -> Result<Vec<(usize, f64)>, AnalysisError> {
    let (count, d) = (others.count(), others.width());
    if images.ncols() != d {
        return Err(AnalysisError::Width { action: "compare", expected: d, found: images.ncols() });
    }
    if count == 0 {
        return Err(AnalysisError::Neighbours { k: 1, points: 0 });
    }
    check_finite("compare", images)?;
    let images: Vec<f32> = images.iter().copied().collect();
    let mut best = vec![(0, f64::INFINITY); images.len() / d.max(1)];
    let mut chunk = Vec::new();
    for start in (0..count).step_by(TOGETHER) {
        let rows = start..(start + TOGETHER).min(count);
        chunk.resize(rows.len() * d, 0.0);
        others.copy(rows, &mut chunk);
        if let Some(at) = chunk.iter().position(|value| !value.is_finite()) {
            let (row, col, value) = (start + at / d, at % d, chunk[at]);
            return Err(AnalysisError::NotFinite { action: "compare", row, col, value });
        }
        best.par_iter_mut().zip(images.par_chunks_exact(d.max(1))).for_each(|(best, image)| {
            for (at, other) in chunk.chunks_exact(d.max(1)).enumerate() {
                let distance = squared_error(context.isa, image, other, d, 0.0);
                if distance < best.1 {
                    *best = (start + at, distance);
                }
            }
        });
    }
    Ok(best)
}
