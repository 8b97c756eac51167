//! What is measured on a set of images, and how it is added up.
//!
//! Sums go over the images in their order, in f64: the figures are bits like any other.

use std::time::Instant;

use narrows_kernels::Real;
use serde::{Serialize, Serializer};

use super::optimal::{Optimum, Stop};
use super::walk::{LayerTrace, Walked};
use crate::figures::number::median;

/// A walk's codes Ẑ against the codes Z that they stand for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WalkFigures {
    /// Samples with a code; the other figures are of these.
    pub identifiable: usize,
    /// ‖Z − Ẑ‖_F.
    pub error: f64,
    /// ‖Z − Ẑ‖_F / ‖Z‖_F.
    #[serde(rename = "relative_error")]
    pub relative: f64,
    /// The sample, counted from 0, whose ‖z − ẑ‖₂ is largest; none where none has a code.
    pub worst_sample: Option<usize>,
    /// Its ‖z − ẑ‖₂.
    pub worst_error: Option<f64>,
    /// From code to image, each dense layer by its name.
    #[serde(serialize_with = "by_name")]
    pub layers: Vec<(String, LayerTrace)>,
}

/// The same in both precisions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BothFigures {
    /// Weights and codes as they are.
    pub f32: WalkFigures,
    /// Weights and codes converted, outputs computed anew.
    pub f64: WalkFigures,
}

/// Decoded codes against the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Decoded {
    /// ‖decoder(Z) − X‖_F, in f64.
    pub norm: f64,
    /// √(mean squared error per pixel) / (largest − smallest pixel).
    pub nrmse: f64,
}

/// The codes of each source decoded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DecodedFigures {
    /// The encoder's codes: the autoencoder.
    pub encoder: Decoded,
    /// The f64 walk's codes, over the samples with a code.
    pub walk: Decoded,
    /// The encoder's codes, over the same samples.
    #[serde(rename = "encoder_where_the_walk_has_a_code")]
    pub encoder_beside_walk: Decoded,
    /// The optimal codes.
    pub optimal: Decoded,
}

/// What the search for optimal codes gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OptimalFigures {
    /// The encoder's NRMSE less that of the optimal codes: the amortisation gap.
    #[serde(rename = "amortisation_gap")]
    pub gap: f64,
    /// Samples whose search ended without a condition of a minimum, see [`Stop::is_certificate`].
    pub without_certificate: usize,
    /// How many samples ended for each reason, in the order of [`Stop::ALL`].
    #[serde(serialize_with = "by_name")]
    pub stops: Vec<(&'static str, usize)>,
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

/// Everything measured on one set of images; as JSON, all but its name, the codes and the seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PartFigures {
    /// "train", "test", …
    #[serde(skip)]
    pub name: String,
    /// How many images.
    pub images: usize,
    /// ‖Z‖_F of the encoder's codes.
    pub code_norm: f64,
    /// The walk from the decoder's own output decoder(Z).
    pub own_output: BothFigures,
    /// The walk from the images X, against the encoder's codes.
    pub images_walked: BothFigures,
    /// Codes decoded.
    pub decoded: DecodedFigures,
    /// The search for optimal codes.
    pub optimal: OptimalFigures,
    /// Codes for pictures and further figures.
    #[serde(skip)]
    pub codes: PartCodes,
    /// Seconds for each stage: for a person, not for a file.
    #[serde(skip)]
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

/// Pairs of a name and a value as an object.
fn by_name<N: Serialize, V: Serialize, S: Serializer>(pairs: &[(N, V)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// Figures on their way: until they are [finished](Sums::finish), norms and errors are squared, and means are sums.
pub(super) struct Sums {
    pub figures: PartFigures,
    pub features: usize,
    pub smallest: f64,
    pub largest: f64,
    gradients: Vec<f64>,
    cosines: Vec<f64>,
}

impl Sums {
    pub fn new(name: &str, layers: impl Iterator<Item = String>, features: usize) -> Self {
        let layers = layers.map(|layer| (layer, LayerTrace::default())).collect();
        let walk = WalkFigures { layers, ..WalkFigures::default() };
        let both = BothFigures { f32: walk.clone(), f64: walk };
        let stops = Stop::ALL.map(|stop| (stop.name(), 0)).to_vec();
        let figures = PartFigures {
            name: name.to_owned(),
            own_output: both.clone(),
            images_walked: both,
            optimal: OptimalFigures { stops, ..OptimalFigures::default() },
            ..PartFigures::default()
        };
        let (smallest, largest) = (f64::INFINITY, f64::NEG_INFINITY);
        Sums { figures, features, smallest, largest, gradients: Vec::new(), cosines: Vec::new() }
    }

    /// Does `work` and adds its time to that of `stage`.
    pub fn time<R>(&mut self, stage: &'static str, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        let taken = start.elapsed().as_secs_f64();
        match self.figures.seconds.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, seconds)) => *seconds += taken,
            None => self.figures.seconds.push((stage, taken)),
        }
        result
    }

    pub fn add_optimum(&mut self, optimum: &Optimum<f64>) {
        let PartFigures { decoded, optimal, codes, .. } = &mut self.figures;
        decoded.optimal.norm += 2.0 * optimum.objective;
        optimal.without_certificate += usize::from(!optimum.stop.is_certificate());
        let stops = optimal.stops.iter_mut().filter(|(name, _)| *name == optimum.stop.name());
        stops.for_each(|(_, count)| *count += 1);
        optimal.mean_steps += f64::from(optimum.steps);
        self.gradients.push(optimum.gradient);
        self.cosines.push(optimum.cosine);
        codes.optimal.extend_from_slice(&optimum.code);
    }

    pub fn finish(mut self) -> PartFigures {
        let (range, features) = (self.largest - self.smallest, self.features);
        let PartFigures { images, code_norm, own_output, images_walked, decoded, optimal, codes, .. } =
            &mut self.figures;
        let known = images_walked.f64.identifiable;
        let DecodedFigures { encoder, walk, encoder_beside_walk, optimal: best } = decoded;
        for (decoded, images) in
            [(&mut *encoder, *images), (walk, known), (encoder_beside_walk, known), (best, *images)]
        {
            decoded.nrmse = (decoded.norm / (images * features) as f64).sqrt() / range;
            decoded.norm = decoded.norm.sqrt();
        }
        *code_norm = codes.encoder.iter().map(|&z| f64::from(z) * f64::from(z)).sum::<f64>().sqrt();
        for walk in [&mut own_output.f32, &mut own_output.f64, &mut images_walked.f32, &mut images_walked.f64] {
            walk.finish();
        }
        optimal.gap = encoder.nrmse - best.nrmse;
        optimal.mean_steps /= *images as f64;
        [optimal.median_gradient, optimal.worst_gradient] = median_and_largest(&self.gradients);
        [optimal.median_cosine, optimal.worst_cosine] = median_and_largest(&self.cosines);
        self.figures
    }
}

/// The median and the largest, not-a-number being larger than any number.
fn median_and_largest(values: &[f64]) -> [f64; 2] {
    let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
    [median(values), values.iter().copied().reduce(larger)].map(|value| value.unwrap_or(f64::NAN))
}

impl WalkFigures {
    /// Adds a walk that should have led to `codes` [count, code], `seen` samples having been added before.
    pub(super) fn add<T: Real>(&mut self, seen: usize, codes: &[T], walked: &Walked<T>, code: usize) {
        let rows = codes.chunks_exact(code).zip(walked.codes.chunks_exact(code)).zip(&walked.identifiable);
        for (sample, ((wanted, found), _)) in (seen..).zip(rows).filter(|(_, (_, known))| **known) {
            let difference = |(wanted, found): (&T, &T)| (wanted.to_f64() - found.to_f64()).powi(2);
            let error: f64 = wanted.iter().zip(found).map(difference).sum();
            self.error += error;
            self.relative += wanted.iter().map(|z| z.to_f64() * z.to_f64()).sum::<f64>();
            self.identifiable += 1;
            let error = error.sqrt();
            // Not-a-number is worse than any number.
            if self.worst_error.is_none_or(|worst| error > worst || (error.is_nan() && !worst.is_nan())) {
                (self.worst_sample, self.worst_error) = (Some(sample), Some(error));
            }
        }
        for ((_, sum), layer) in self.layers.iter_mut().zip(&walked.layers) {
            sum.add(LayerTrace { residual: layer.residual * layer.residual, ..*layer });
        }
    }

    fn finish(&mut self) {
        (self.error, self.relative) = (self.error.sqrt(), (self.error / self.relative).sqrt());
        self.layers.iter_mut().for_each(|(_, layer)| layer.residual = layer.residual.sqrt());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_are_added_up_over_what_is_identifiable() {
        let layers = vec![("decoder.0".to_owned(), LayerTrace::default())];
        let mut figures = WalkFigures { layers, ..WalkFigures::default() };
        let trace = LayerTrace { residual: 3.0, pulled_in: 2, not_identifiable: 1 };
        let walked = Walked { codes: vec![1.0, 2.0, 0.0, 0.0], identifiable: vec![true, false], layers: vec![trace] };
        figures.add(0, &[1.0, 2.5, 9.0, 9.0], &walked, 2);
        let trace = LayerTrace { residual: 4.0, pulled_in: 1, not_identifiable: 0 };
        let walked = Walked { codes: vec![0.0, 1.0], identifiable: vec![true], layers: vec![trace] };
        figures.add(2, &[0.0, 3.0], &walked, 2);
        figures.finish();
        assert_eq!((figures.identifiable, figures.error), (2, 4.25f64.sqrt()));
        assert_eq!((figures.worst_sample, figures.worst_error), (Some(2), Some(2.0)));
        assert_eq!(figures.relative, (4.25f64 / 16.25).sqrt());
        assert_eq!(figures.layers[0].1, LayerTrace { residual: 5.0, pulled_in: 3, not_identifiable: 1 });
    }

    #[test]
    fn a_code_that_is_not_a_number_is_the_worst() {
        let mut figures = WalkFigures::default();
        let walked = Walked { codes: vec![0.0, f64::NAN, 5.0], identifiable: vec![true; 3], layers: Vec::new() };
        figures.add(0, &[1.0, 1.0, 1.0], &walked, 1);
        assert!(figures.worst_sample == Some(1) && figures.worst_error.unwrap().is_nan(), "{figures:?}");
    }
}
