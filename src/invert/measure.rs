//! Both inversions of a trained decoder, measured on images.

use std::time::Instant;

use narrows_kernels::alone;
use narrows_kernels::losses::squared_error;
use serde::Serialize;

use super::figures::{PartFigures, Sums};
use super::optimal::{Tolerances, optimal_codes, samples_of_a_task};
use super::walk::Walk;
use super::{Decoder, InvertError};
use crate::data::Samples;
use crate::nn::Placed;
use crate::tasks::Trained;

/// How far the values of an image are pulled into the range of an activation that cannot reach them: half a grey level, which is
/// all that an image of bytes says about its values.
pub const IMAGE_RIM: f64 = 1.0 / 510.0;

/// Images that an estimate of time is taken from.
const ESTIMATED: usize = 16;

/// Images measured at a time; the figures do not depend on it.
const TOGETHER: usize = 4096;

/// A trained model whose decoder is factored in f32 and in f64.
pub struct Inversion<'a> {
    trained: Trained<'a, f32>,
    shape: [usize; 3],
    layers: Vec<LayerFacts>,
    single: Walk<f32>,
    double: Walk<f64>,
}

/// A dense layer of the decoder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerFacts {
    /// "decoder.0".
    pub name: String,
    /// Its inputs.
    pub inputs: usize,
    /// Its outputs.
    pub outputs: usize,
    /// Its activation, as a configuration names it.
    pub activation: String,
    /// The rank of its weight in f32.
    pub rank_f32: usize,
    /// The rank of its weight in f64.
    pub rank_f64: usize,
    /// κ₂ of its weight, in f64.
    pub condition: f64,
}

impl<'a> Inversion<'a> {
    /// Factors the decoder of a model trained on images of `shape` (rows, columns, channels).
    ///
    /// Refuses a decoder with layers that are not dense or that narrow, and weights that are not finite.
    pub fn new(trained: Trained<'a, f32>, shape: [usize; 3]) -> Result<Self, InvertError> {
        let (model, params, loss) = (trained.model, trained.params, trained.objective.loss);
        let single = Walk::new(trained.context, Decoder::of(model, params, loss)?)?;
        let double: Walk<f64> = Walk::new(trained.context, Decoder::of(model, params, loss)?)?;
        let dense = model.decoder().layers().iter().filter_map(Placed::dense);
        let activations = dense.map(|dense| dense.activation.to_string());
        let factors = single.factors().iter().zip(double.factors());
        let layers = double.decoder().layers().iter().zip(activations).zip(factors).map(
            |((dense, activation), (f32s, f64s))| LayerFacts {
                name: dense.name.clone(),
                inputs: dense.inputs,
                outputs: dense.outputs,
                activation,
                rank_f32: f32s.rank(),
                rank_f64: f64s.rank(),
                condition: f64s.condition_number(trained.context),
            },
        );
        let layers = layers.collect();
        Ok(Inversion { trained, shape, layers, single, double })
    }

    /// The decoder's dense layers, from code to image.
    pub fn layers(&self) -> &[LayerFacts] {
        &self.layers
    }

    /// How it is computed.
    pub fn context(&self) -> narrows_kernels::Context {
        self.trained.context
    }

    /// The decoder in f64.
    pub fn decoder(&self) -> &Decoder<f64> {
        self.double.decoder()
    }

    /// Seconds that the search for the optimal codes of `images` may take on the threads of the current pool, by the first
    /// few of them.
    pub fn estimate(&self, images: Samples<'_>, tolerances: Tolerances) -> Result<f64, InvertError> {
        let few = images.first(ESTIMATED);
        let x = few.to_array();
        let codes = self.trained.encode(x.view())?;
        let [x, codes] = [x, codes].map(|array| array.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>());
        let began = Instant::now();
        // One task, which this thread searches without the others: they will have tasks of their own.
        alone(|| optimal_codes(self.trained.context, self.decoder(), &x, &codes, tolerances));
        let taken = began.elapsed().as_secs_f64();
        let tasks = images.len().min(TOGETHER).div_ceil(samples_of_a_task(self.decoder().code_size()));
        let threads = rayon::current_num_threads().min(tasks).max(1);
        Ok(taken * images.len() as f64 / (few.len() * threads).max(1) as f64)
    }

    /// Inverts `images` both ways. `watch` hears how many are done.
    ///
    /// Refuses images of another size than the model's, and none.
    pub fn measure(
        &self,
        name: &str,
        images: Samples<'_>,
        tolerances: Tolerances,
        watch: &mut dyn FnMut(usize),
    ) -> Result<PartFigures, InvertError> {
        let found = images.data.shape();
        if found != self.shape {
            return Err(InvertError::ImageSize { name: name.to_owned(), shape: self.shape, found });
        }
        if images.indices.is_empty() {
            return Err(InvertError::NoImages { name: name.to_owned() });
        }
        let layers = self.layers.iter().map(|layer| layer.name.clone());
        let mut sums = Sums::new(name, layers, self.trained.model.features());
        for indices in images.indices.chunks(TOGETHER) {
            self.measure_together(Samples { indices, ..images }, tolerances, &mut sums)?;
            watch(indices.len());
        }
        Ok(sums.finish())
    }

    fn measure_together(
        &self,
        images: Samples<'_>,
        tolerances: Tolerances,
        sums: &mut Sums,
    ) -> Result<(), InvertError> {
        let context = self.trained.context;
        let (seen, features, code) = (sums.figures.images, sums.features, self.decoder().code_size());
        let x = images.to_array();
        let codes = sums.time("encode", || self.trained.encode(x.view()))?;
        let x = x.as_slice().expect("a new array is contiguous");
        let z = codes.as_slice().expect("a new array is contiguous");
        let double = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        let (x64, z64) = (double(x), double(z));

        let single = self.single.decoder();
        let y = sums.time("decode f32", || single.decode(context, z));
        let walked = sums.time("walk f32, own output", || self.single.invert(&y, f64::from(f32::EPSILON)));
        sums.figures.own_output.f32.add(seen, z, &walked, code);
        let walked = sums.time("walk f32, images", || self.single.invert(x, IMAGE_RIM));
        sums.figures.images_walked.f32.add(seen, z, &walked, code);

        let y = sums.time("decode f64", || self.decoder().decode(context, &z64));
        let walked = sums.time("walk f64, own output", || self.double.invert(&y, f64::EPSILON));
        sums.figures.own_output.f64.add(seen, &z64, &walked, code);
        let walked = sums.time("walk f64, images", || self.double.invert(&x64, IMAGE_RIM));
        sums.figures.images_walked.f64.add(seen, &z64, &walked, code);

        let decoded = self.decoder().decode(context, &walked.codes);
        let sources = &mut sums.figures.decoded;
        for (sample, &known) in walked.identifiable.iter().enumerate() {
            let row = sample * features..(sample + 1) * features;
            let add = |sum: &mut f64, y: &[f64]| {
                *sum = squared_error(context.isa, &y[row.clone()], &x64[row.clone()], features, *sum);
            };
            add(&mut sources.encoder.norm, &y);
            if known {
                add(&mut sources.walk.norm, &decoded);
                add(&mut sources.encoder_beside_walk.norm, &y);
            }
        }
        let optima = sums.time("optimal codes", || optimal_codes(context, self.decoder(), &x64, &z64, tolerances));
        optima.iter().for_each(|optimum| sums.add_optimum(optimum));
        for &pixel in &x64 {
            sums.smallest = sums.smallest.min(pixel);
            sums.largest = sums.largest.max(pixel);
        }
        let PartFigures { images: measured, codes, .. } = &mut sums.figures;
        codes.encoder.extend_from_slice(z);
        codes.walk.extend_from_slice(&walked.codes);
        codes.identifiable.extend_from_slice(&walked.identifiable);
        *measured += images.indices.len();
        Ok(())
    }
}
