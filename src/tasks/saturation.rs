//! How far the units of sigmoid and tanh layers are from where their activation still has a slope.

use narrows_kernels::Real;

use super::evaluate::{Trained, record_batch};
use crate::data::Samples;
use crate::loss;
use crate::nn::{Activation, Pass};
use crate::tape::{Arena, Tape};

/// A unit counts as saturated for an image where its activation's derivative is below this share of its largest: for the
/// sigmoid outputs below 0.026 or above 0.974, for tanh beyond ±0.949.
pub const SATURATED_BELOW: f64 = 0.1;

/// A layer that can saturate.
#[derive(Clone, Debug, PartialEq)]
pub struct Saturation {
    /// "encoder.0".
    pub layer: String,
    /// The share of units, over all images, whose derivative is below [`SATURATED_BELOW`] of its largest.
    pub saturated: f64,
    /// The mean over units and images of the derivative: of the sigmoid y(1 − y), at most 1/4; of tanh 1 − y², at most 1. A
    /// gradient on its way to the layers below is multiplied by it, unit by unit.
    pub slope: f64,
    /// Whether a gradient passes the slope: not that of an output whose cross-entropy is taken of the logits, where the
    /// derivative of loss and sigmoid together is y − t.
    pub is_passed: bool,
}

impl<T: Real> Trained<'_, T> {
    /// The saturation of every sigmoid and tanh layer on `images`, from the first layer to the last.
    pub fn saturation(&self, images: Samples<'_>) -> Vec<Saturation> {
        let bounded = self.model.layers().filter_map(|layer| match layer.layer.applied()? {
            Activation::Sigmoid => Some((layer.number, true)),
            Activation::Tanh => Some((layer.number, false)),
            _ => None,
        });
        let bounded: Vec<(u32, bool)> = bounded.collect();
        let last = self.model.layers().map(|layer| layer.number).last();
        let mut sums = vec![(0usize, 0usize, 0.0); bounded.len()];
        let mut arena = Arena::default();
        for batch in images.indices.chunks(self.rows()) {
            let mut tape = Tape::new(self.context, &mut arena, self.params);
            let x = record_batch(images, &mut tape, batch);
            let code = self.model.encode(&mut tape, x, Pass::Infer);
            self.model.decode(&mut tape, code, Pass::Infer);
            for (&(scope, is_sigmoid), (values, saturated, slopes)) in bounded.iter().zip(&mut sums) {
                // The last value of a layer is its output.
                let output = tape.nodes().filter(|node| node.scope == scope && !node.is_parameter).last();
                for y in output.into_iter().flat_map(|node| node.value).map(|y| y.to_f64()) {
                    let (slope, largest) = if is_sigmoid { (y * (1.0 - y), 0.25) } else { (1.0 - y * y, 1.0) };
                    *values += 1;
                    *saturated += usize::from(slope < SATURATED_BELOW * largest);
                    *slopes += slope;
                }
            }
        }
        let figures = bounded.into_iter().zip(sums).map(|((scope, _), (values, saturated, slopes))| Saturation {
            layer: self.model.layout().layer_name(scope).to_owned(),
            saturated: saturated as f64 / values as f64,
            slope: slopes / values as f64,
            is_passed: Some(scope) != last || !loss::takes_logits(self.objective.loss),
        });
        figures.collect()
    }
}
