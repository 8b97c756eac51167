//! The walk back through a decoder, layer by layer.
//!
//! From the last layer y = a(x·W + b), W [in, out], to the first:
//!
//! 1. t = a⁻¹(y), see [`undo()`];
//! 2. t ← t − b;
//! 3. x = argmin ‖Wᵀxᵀ − tᵀ‖₂ by [`PivotedQr`] of Wᵀ; out ≥ in, so there is one x where Wᵀ has full rank.
//!
//! On an output of the decoder itself every step is exact but for rounding, and x is the layer's input. On any other image
//! step 3 is a projection: it finds the nearest point to t, not to y, and knows nothing of the layers below. What the walk
//! minimises is the error of each layer for itself, and not the reconstruction error.
//!
//! After relu only the positive outputs say what t was. Each sample is then solved on its own active rows, those with
//! y > √ε·max|y| (ε the type's: what is nearer to zero may be a rounded zero). A sample with fewer active rows than unknowns,
//! or whose active rows have a short rank, is not identifiable: it gets no code, and is counted. So is every sample where the weight
//! of a layer with another activation has a short rank.

use narrows_kernels::elementwise::{Binary, binary};
use narrows_kernels::reduce::sum_of_squares;
use narrows_kernels::{Accumulate, Activation, Context, Epilogue, MatMut, MatRef, Real, gemm};
use rayon::prelude::*;
use serde::Serialize;

use super::decoder::{Decoder, Dense};
use super::{InvertError, undo};
use crate::linalg::{Matrix, PivotedQr};

/// Samples that walk together.
const TOGETHER: usize = 512;

/// A decoder whose layers are factored.
#[derive(Clone, Debug)]
pub struct Walk<T: Real> {
    context: Context,
    decoder: Decoder<T>,
    /// Of each dense layer's Wᵀ, from code to image.
    factors: Vec<PivotedQr<T>>,
}

/// What a walk met in one dense layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LayerTrace {
    /// ‖T − X·W‖_F over the identifiable samples: what of the layer's output no input explains.
    pub residual: f64,
    /// Outputs pulled into the range of the layer's activation.
    pub pulled_in: u64,
    /// Samples that could be followed to this layer's output but not to its input.
    pub not_identifiable: usize,
}

impl LayerTrace {
    pub(super) fn add(&mut self, other: LayerTrace) {
        self.residual += other.residual;
        self.pulled_in += other.pulled_in;
        self.not_identifiable += other.not_identifiable;
    }
}

/// Where a walk ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Walked<T> {
    /// Codes [count, code]; zeros for a sample that is not identifiable.
    pub codes: Vec<T>,
    /// For each sample, whether its code is one.
    pub identifiable: Vec<bool>,
    /// From code to image, one for each dense layer.
    pub layers: Vec<LayerTrace>,
}

impl<T: Real> Walk<T> {
    /// Factors every layer of `decoder`. Refuses weights that are not finite.
    pub fn new(context: Context, decoder: Decoder<T>) -> Result<Self, InvertError> {
        let factor = |dense: &Dense<T>| {
            let weight = MatRef::new(&dense.weight, dense.inputs, dense.outputs);
            PivotedQr::factor(context, weight.transposed())
                .map_err(|source| InvertError::Factor { layer: dense.name.clone(), source })
        };
        let factors = decoder.layers().iter().map(factor).collect::<Result<_, _>>()?;
        Ok(Walk { context, decoder, factors })
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder<T> {
        &self.decoder
    }

    /// Of each dense layer's Wᵀ, from code to image.
    pub fn factors(&self) -> &[PivotedQr<T>] {
        &self.factors
    }

    /// Walks back from outputs [count, features], `rim` being the ε of [`undo()`]. Samples do not depend on each
    /// other, and are shared among the threads of the current rayon pool.
    ///
    /// # Panics
    /// When `outputs` is not whole rows of the decoder's width.
    pub fn invert(&self, outputs: &[T], rim: f64) -> Walked<T> {
        let features = self.decoder.features();
        assert!(outputs.len().is_multiple_of(features), "{} values are no rows of {features}", outputs.len());
        let walk = |y: &[T]| self.invert_together(y.to_vec(), rim);
        let parts: Vec<Part<T>> = outputs.par_chunks(TOGETHER * features).map(walk).collect();
        let layers = self.factors.len();
        let mut walked =
            Walked { codes: Vec::new(), identifiable: Vec::new(), layers: vec![LayerTrace::default(); layers] };
        for part in parts {
            walked.codes.extend_from_slice(&part.values);
            walked.identifiable.extend_from_slice(&part.identifiable);
            for (total, trace) in walked.layers.iter_mut().zip(part.layers.iter().rev()) {
                // Squares until the root below.
                total.add(*trace);
            }
        }
        walked.layers.iter_mut().for_each(|layer| layer.residual = layer.residual.sqrt());
        walked
    }

    fn invert_together(&self, y: Vec<T>, rim: f64) -> Part<T> {
        let count = y.len() / self.decoder.features();
        let mut part = Part { values: y, identifiable: vec![true; count], layers: Vec::new() };
        let pulled_in = undo(self.decoder.output(), &mut part.values, rim);
        for (dense, factor) in self.decoder.layers().iter().zip(&self.factors).rev() {
            let trace = match dense.activation {
                Activation::Relu => part.pass_relu(self.context, dense),
                _ => part.pass(self.context, dense, factor, rim),
            };
            part.layers.push(trace);
        }
        // What an activation after the last layer pulled in counts with that layer.
        part.layers[0].pulled_in += pulled_in;
        part
    }
}

/// Samples on their way, from image to code.
struct Part<T> {
    /// [count, width], the width that of where they are.
    values: Vec<T>,
    identifiable: Vec<bool>,
    /// From image to code; residuals are squared.
    layers: Vec<LayerTrace>,
}

impl<T: Real> Part<T> {
    /// Through a layer whose activation has an inverse. Weights of less rank than it has inputs leave no sample identifiable.
    fn pass(&mut self, context: Context, dense: &Dense<T>, factor: &PivotedQr<T>, rim: f64) -> LayerTrace {
        let count = self.identifiable.len();
        let (mut pulled_in, mut not_identifiable) = (0, 0);
        if factor.rank() < dense.inputs {
            not_identifiable = self.identifiable.iter().filter(|known| **known).count();
            self.identifiable.fill(false);
        }
        for (row, &known) in self.values.chunks_exact_mut(dense.outputs).zip(&self.identifiable) {
            pulled_in += if known { undo(dense.activation, row, rim) } else { 0 };
            row.iter_mut().zip(&dense.bias).for_each(|(t, &b)| *t = *t - b);
        }
        let mut x = vec![T::ZERO; count * dense.inputs];
        factor.solve_rows(context, &self.values, &mut x);
        let unknown = x.chunks_exact_mut(dense.inputs).zip(&self.identifiable).filter(|(_, known)| !**known);
        unknown.for_each(|(row, _)| row.fill(T::ZERO));
        let mut explained = vec![T::ZERO; count * dense.outputs];
        gemm(
            context,
            MatMut::new(&mut explained, count, dense.outputs),
            Accumulate::Overwrite,
            MatRef::new(&x, count, dense.inputs),
            MatRef::new(&dense.weight, dense.inputs, dense.outputs),
            Epilogue::NONE,
        );
        let mut difference = vec![T::ZERO; explained.len()];
        binary(context.isa, Binary::Sub, &self.values, &explained, &mut difference, Accumulate::Overwrite);
        let rows = difference.chunks_exact(dense.outputs).zip(&self.identifiable);
        let residual = rows.filter(|(_, known)| **known).map(|(row, _)| sum_of_squares(context.isa, row)).sum();
        self.values = x;
        LayerTrace { residual, pulled_in, not_identifiable }
    }

    /// Through a layer with relu, each sample on its own active rows.
    fn pass_relu(&mut self, context: Context, dense: &Dense<T>) -> LayerTrace {
        let rows = self.values.par_chunks(dense.outputs).zip(&self.identifiable);
        let solved: Vec<Option<(Vec<T>, f64)>> =
            rows.map(|(y, &known)| if known { solve_active(context, dense, y) } else { None }).collect();
        let mut trace = LayerTrace::default();
        let mut x = Vec::with_capacity(solved.len() * dense.inputs);
        for (solution, known) in solved.into_iter().zip(&mut self.identifiable) {
            match solution {
                Some((solution, residual)) => {
                    x.extend_from_slice(&solution);
                    trace.residual += residual;
                }
                None => {
                    x.resize(x.len() + dense.inputs, T::ZERO);
                    trace.not_identifiable += usize::from(*known);
                    *known = false;
                }
            }
        }
        self.values = x;
        trace
    }
}

/// The input that explains the active outputs of one sample best, and the squared norm of what it leaves unexplained.
fn solve_active<T: Real>(context: Context, dense: &Dense<T>, y: &[T]) -> Option<(Vec<T>, f64)> {
    let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.to_f64().abs()));
    let threshold = T::EPSILON.to_f64().sqrt() * largest;
    let active: Vec<usize> = (0..dense.outputs).filter(|&j| y[j].to_f64() > threshold).collect();
    if active.len() < dense.inputs {
        return None;
    }
    let mut rows = Matrix::zeros(active.len(), dense.inputs);
    for i in 0..dense.inputs {
        let weights = &dense.weight[i * dense.outputs..(i + 1) * dense.outputs];
        rows.col_mut(i).iter_mut().zip(&active).for_each(|(to, &j)| *to = weights[j]);
    }
    let t: Vec<T> = active.iter().map(|&j| y[j] - dense.bias[j]).collect();
    let factor = PivotedQr::factor(context, rows.view()).ok()?;
    if factor.rank() < dense.inputs {
        return None;
    }
    let mut x = vec![T::ZERO; dense.inputs];
    factor.solve_rows(context, &t, &mut x);
    let explained = |row: usize| (0..dense.inputs).map(|i| rows.get(row, i).to_f64() * x[i].to_f64()).sum::<f64>();
    let residual = t.iter().enumerate().map(|(row, t)| (t.to_f64() - explained(row)).powi(2)).sum();
    Some((x, residual))
}
