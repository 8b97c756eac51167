//! What is measured on a set of images, and how it is added up.
//!
//! Sums go over the images in their order, in f64: the figures are bits like any other.

use std::time::Instant;

use narrows_kernels::Real;
use serde::Serialize;

use super::optimal::{Optimum, Stop};
use super::walk::{LayerTrace, Walked};

/// A walk's codes Ẑ against the codes Z that they stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkFigures {
    /// Samples with a code; the other figures are of these.
    pub identifiable: usize,
    /// ‖Z − Ẑ‖_F.
    pub error: f64,
    /// ‖Z − Ẑ‖_F / ‖Z‖_F.
    pub relative: f64,
    /// The sample, counted from 0, whose ‖z − ẑ‖₂ is largest, and that; none where none has a code.
    pub worst: Option<(usize, f64)>,
    /// From code to image, one for each dense layer.
    pub layers: Vec<LayerTrace>,
}

/// Decoded codes against the images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decoded {
    /// ‖decoder(Z) − X‖_F, in f64.
    pub norm: f64,
    /// √(mean squared error per pixel) / (largest − smallest pixel).
    pub nrmse: f64,
}

/// What the search for optimal codes gave.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimalFigures {
    /// The optimal codes decoded.
    pub decoded: Decoded,
    /// The encoder's NRMSE less that of the optimal codes: the amortisation gap.
    pub gap: f64,
    /// How many samples ended for each reason, in the order of [`Stop::ALL`].
    pub stops: [usize; Stop::ALL.len()],
    /// Steps tried for a sample, on average.
    pub mean_steps: f64,
    /// ‖Jᵀr‖₂ at the end: the median over the samples.
    pub median_gradient: f64,
    /// The largest ‖Jᵀr‖₂.
    pub worst_gradient: f64,
    /// The largest cosine between residual and a column of the Jacobian: the median over the samples.
    pub median_cosine: f64,
    /// The largest of these.
    pub worst_cosine: f64,
}

impl OptimalFigures {
    /// Samples whose search ended without a condition of a minimum, see [`Stop::is_certificate`].
    pub fn without_certificate(&self) -> usize {
        Stop::ALL.iter().zip(self.stops).filter(|(stop, _)| !stop.is_certificate()).map(|(_, count)| count).sum()
    }
}

/// Everything measured on one set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct PartFigures {
    /// "train", "test", …
    pub name: String,
    /// How many images.
    pub images: usize,
    /// ‖Z‖_F of the encoder's codes.
    pub code_norm: f64,
    /// The walk from the decoder's own output decoder(Z), in f32.
    pub own_f32: WalkFigures,
    /// The same in f64: weights and codes converted, the output computed anew.
    pub own_f64: WalkFigures,
    /// The walk from the images X, against the encoder's codes, in f32.
    pub images_f32: WalkFigures,
    /// The same in f64.
    pub images_f64: WalkFigures,
    /// The encoder's codes decoded: the autoencoder.
    pub encoder: Decoded,
    /// The f64 walk's codes decoded, over the samples with a code.
    pub walk: Decoded,
    /// The encoder's codes decoded, over the same samples.
    pub encoder_beside_walk: Decoded,
    /// The optimal codes.
    pub optimal: OptimalFigures,
    /// Codes for pictures and further figures.
    pub codes: PartCodes,
    /// Seconds for each stage: for a person, not for a file.
    pub seconds: Vec<(&'static str, f64)>,
}

/// The codes of one set of images, each [images, code] row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartCodes {
    /// The encoder's.
    pub encoder: Vec<f32>,
    /// The f64 walk's from the images; zeros where there is none.
    pub walk: Vec<f64>,
    /// Which of the walk's are codes.
    pub identifiable: Vec<bool>,
    /// The optimal ones.
    pub optimal: Vec<f64>,
}

/// Figures on their way.
#[derive(Default)]
pub(super) struct Sums {
    pub features: usize,
    pub code: usize,
    pub images: usize,
    pub own_f32: WalkSum,
    pub own_f64: WalkSum,
    pub images_f32: WalkSum,
    pub images_f64: WalkSum,
    /// Σ(decoder(z) − x)² of the encoder's codes, the walk's, the encoder's where the walk has one, the optimal ones.
    pub encoder: f64,
    pub walk: f64,
    pub encoder_beside_walk: f64,
    optimal: f64,
    pub smallest: f64,
    pub largest: f64,
    stops: [usize; Stop::ALL.len()],
    steps: u64,
    gradients: Vec<f64>,
    cosines: Vec<f64>,
    pub codes: PartCodes,
    seconds: Vec<(&'static str, f64)>,
}

impl Sums {
    pub fn new(layers: usize, features: usize, code: usize) -> Self {
        let walk = || WalkSum { layers: vec![LayerTrace::default(); layers], ..WalkSum::default() };
        Sums {
            features,
            code,
            own_f32: walk(),
            own_f64: walk(),
            images_f32: walk(),
            images_f64: walk(),
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            ..Sums::default()
        }
    }

    /// Does `work` and adds its time to that of `stage`.
    pub fn time<R>(&mut self, stage: &'static str, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        let taken = start.elapsed().as_secs_f64();
        match self.seconds.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, seconds)) => *seconds += taken,
            None => self.seconds.push((stage, taken)),
        }
        result
    }

    pub fn add_optimum(&mut self, optimum: &Optimum<f64>) {
        self.optimal += 2.0 * optimum.objective;
        self.stops[Stop::ALL.iter().position(|&stop| stop == optimum.stop).expect("every reason is listed")] += 1;
        self.steps += u64::from(optimum.steps);
        self.gradients.push(optimum.gradient);
        self.cosines.push(optimum.cosine);
        self.codes.optimal.extend_from_slice(&optimum.code);
    }

    pub fn figures(mut self, name: &str) -> PartFigures {
        let range = self.largest - self.smallest;
        let decoded = |squares: f64, images: usize| Decoded {
            norm: squares.sqrt(),
            nrmse: (squares / (images * self.features) as f64).sqrt() / range,
        };
        let known = self.images_f64.identifiable;
        let (encoder, optimal) = (decoded(self.encoder, self.images), decoded(self.optimal, self.images));
        let (walk, beside) = (decoded(self.walk, known), decoded(self.encoder_beside_walk, known));
        let code_norm = self.codes.encoder.iter().map(|&z| f64::from(z) * f64::from(z)).sum::<f64>().sqrt();
        let [median_gradient, worst_gradient] = median_and_largest(&mut self.gradients);
        let [median_cosine, worst_cosine] = median_and_largest(&mut self.cosines);
        PartFigures {
            name: name.to_owned(),
            images: self.images,
            code_norm,
            own_f32: self.own_f32.figures(),
            own_f64: self.own_f64.figures(),
            images_f32: self.images_f32.figures(),
            images_f64: self.images_f64.figures(),
            encoder,
            walk,
            encoder_beside_walk: beside,
            optimal: OptimalFigures {
                decoded: optimal,
                gap: encoder.nrmse - optimal.nrmse,
                stops: self.stops,
                mean_steps: self.steps as f64 / self.images as f64,
                median_gradient,
                worst_gradient,
                median_cosine,
                worst_cosine,
            },
            codes: self.codes,
            seconds: self.seconds,
        }
    }
}

/// The median (of an even number the upper one) and the largest; sorts.
fn median_and_largest(values: &mut [f64]) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    [values.len() / 2, values.len().saturating_sub(1)].map(|at| values.get(at).copied().unwrap_or(f64::NAN))
}

/// Codes of walks against those they stand for.
#[derive(Default)]
pub(super) struct WalkSum {
    seen: usize,
    identifiable: usize,
    errors: f64,
    codes: f64,
    worst: Option<(usize, f64)>,
    /// Residuals are squared.
    layers: Vec<LayerTrace>,
}

impl WalkSum {
    /// Adds a walk that should have led to `codes` [count, code].
    pub fn add<T: Real>(&mut self, codes: &[T], walked: &Walked<T>, code: usize) {
        let rows = codes.chunks_exact(code).zip(walked.codes.chunks_exact(code)).zip(&walked.identifiable);
        for ((wanted, found), &known) in rows {
            if known {
                let difference = |(wanted, found): (&T, &T)| (wanted.to_f64() - found.to_f64()).powi(2);
                let error: f64 = wanted.iter().zip(found).map(difference).sum();
                self.errors += error;
                self.codes += wanted.iter().map(|z| z.to_f64() * z.to_f64()).sum::<f64>();
                self.identifiable += 1;
                // Not-a-number is worse than any number.
                if self.worst.is_none_or(|(_, worst)| error.sqrt() > worst || (error.is_nan() && !worst.is_nan())) {
                    self.worst = Some((self.seen, error.sqrt()));
                }
            }
            self.seen += 1;
        }
        for (sum, layer) in self.layers.iter_mut().zip(&walked.layers) {
            sum.residual += layer.residual * layer.residual;
            sum.pulled_in += layer.pulled_in;
            sum.not_identifiable += layer.not_identifiable;
        }
    }

    fn figures(self) -> WalkFigures {
        let root = |layer: LayerTrace| LayerTrace { residual: layer.residual.sqrt(), ..layer };
        WalkFigures {
            identifiable: self.identifiable,
            error: self.errors.sqrt(),
            relative: (self.errors / self.codes).sqrt(),
            worst: self.worst,
            layers: self.layers.into_iter().map(root).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_are_added_up_over_what_is_identifiable() {
        let mut sum = WalkSum { layers: vec![LayerTrace::default()], ..WalkSum::default() };
        let trace = LayerTrace { residual: 3.0, pulled_in: 2, not_identifiable: 1 };
        let walked = Walked { codes: vec![1.0, 2.0, 0.0, 0.0], identifiable: vec![true, false], layers: vec![trace] };
        sum.add(&[1.0, 2.5, 9.0, 9.0], &walked, 2);
        let trace = LayerTrace { residual: 4.0, pulled_in: 1, not_identifiable: 0 };
        let walked = Walked { codes: vec![0.0, 1.0], identifiable: vec![true], layers: vec![trace] };
        sum.add(&[0.0, 3.0], &walked, 2);
        let figures = sum.figures();
        assert_eq!((figures.identifiable, figures.error, figures.worst), (2, 4.25f64.sqrt(), Some((2, 2.0))));
        assert_eq!(figures.relative, (4.25f64 / 16.25).sqrt());
        assert_eq!(figures.layers, [LayerTrace { residual: 5.0, pulled_in: 3, not_identifiable: 1 }]);
    }

    #[test]
    fn a_code_that_is_not_a_number_is_the_worst() {
        let mut sum = WalkSum::default();
        let walked = Walked { codes: vec![0.0, f64::NAN, 5.0], identifiable: vec![true; 3], layers: Vec::new() };
        sum.add(&[1.0, 1.0, 1.0], &walked, 1);
        let worst = sum.figures().worst.unwrap();
        assert!(worst.0 == 1 && worst.1.is_nan(), "{worst:?}");
    }
}
