//! Corrupted images on their way into the encoder.

use narrows_kernels::losses::squared_error;
use narrows_kernels::{Real, with_spinning_threads};
use serde_json::{Value, json};

use super::evaluate::{Trained, record_batch};
use crate::data::{Corruption, Samples, corrupt, corrupt_measured};
use crate::loss;
use crate::nn::Pass;
use crate::rng::Purpose;
use crate::tape::{Arena, NOISE_SAMPLES, Tape, Var};

/// What a model makes of corrupted images, pixels in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Denoising {
    /// The mean squared error per pixel of the corrupted images.
    pub noisy_mse: f64,
    /// The mean squared error per pixel of the reconstructions from them; both against the clean images.
    pub mse: f64,
}

impl Denoising {
    /// As `metrics.json` holds it.
    pub fn to_json(&self) -> Value {
        json!({
            "noisy_mse": self.noisy_mse,
            "noisy_psnr": psnr(self.noisy_mse),
            "mse": self.mse,
            "psnr": psnr(self.mse),
        })
    }
}

/// The peak signal-to-noise ratio in dB that belongs to a mean squared error of pixels in [0, 1]: −10·log₁₀(mse); ∞ for 0.
pub fn psnr(mse: f64) -> f64 {
    -10.0 * libm::log10(mse)
}

/// Records `clean` [rows, features], a slice of a batch, corrupted from the streams of this step.
pub(super) fn record<T: Real>(corruption: Corruption, tape: &mut Tape<'_, T>, clean: Var, pass: Pass) -> Var {
    let Pass::Train(draws) = pass else { return clean };
    let cols = tape.shape(clean).cols();
    tape.constant_from(clean, |clean, out| {
        let block = (NOISE_SAMPLES * cols).max(1);
        for (number, (out, clean)) in (0..).zip(out.chunks_mut(block).zip(clean.chunks(block))) {
            corrupt(corruption, clean, out, &mut draws.stream(Purpose::Corruption, number, 0));
        }
    })
}

impl<T: Real> Trained<'_, T> {
    /// How well images are restored that were corrupted as [`corrupt_measured`] does.
    pub fn denoise(&self, images: Samples<'_>, corruption: Corruption, seed: u64, arena: &mut Arena<T>) -> Denoising {
        with_spinning_threads(|| {
            let (mut noisy_sum, mut sum) = (0.0, 0.0);
            let features = self.model.features();
            for batch in images.indices.chunks(self.rows()) {
                let mut tape = Tape::new(self.context, arena, self.params);
                let clean = record_batch(images, &mut tape, batch);
                let noisy =
                    tape.constant_from(clean, |clean, out| corrupt_measured(corruption, seed, batch, clean, out));
                let pass = self.objective.forward(self.model, &mut tape, noisy, Pass::Infer);
                let restored = loss::reconstruction(self.objective.loss, &mut tape, pass.output, noisy);
                let isa = self.context.isa;
                noisy_sum = squared_error(isa, tape.value(noisy), tape.value(clean), features, noisy_sum);
                sum = squared_error(isa, tape.value(restored), tape.value(clean), features, sum);
            }
            let elements = (images.indices.len() * features) as f64;
            Denoising { noisy_mse: noisy_sum / elements, mse: sum / elements }
        })
    }
}
