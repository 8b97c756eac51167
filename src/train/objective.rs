//! What a run minimises: the loss of the reconstruction, and the penalties.

use narrows_kernels::Real;

use super::{contractive, denoising, latent};
use crate::data::Corruption;
use crate::loss;
use crate::loss::{CodePenalty, Contractive, Loss, Variational};
use crate::nn::{Autoencoder, Layer, Mode, Pass, step_stream};
use crate::rng::Purpose;
use crate::tape::{Tape, Var, Whole};
use crate::train::AutoencoderSpec;

/// The loss of the reconstruction, and the penalties on code and weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The loss.
    pub loss: Loss,
    /// Weights of the activity penalty on the code.
    pub code_penalty: CodePenalty,
    /// Weight of Σw² over all weight matrices.
    pub weight_l2: f64,
    /// The penalty on the derivative of the code.
    pub contractive: Option<Contractive>,
    /// What the encoder's images go through while training.
    pub corruption: Option<Corruption>,
    /// Whether the code is a distribution, and what its divergence from N(0, I) weighs.
    pub variational: Option<Variational>,
}

/// What a training step minimises, recorded.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// The loss of the reconstruction [1, 1].
    pub loss: Var,
    /// What the penalties add [1, 1]; `None` where there is none.
    pub penalty: Option<Var>,
    /// Their sum [1, 1], times the pixels of an image in a variational model.
    pub total: Var,
    /// The code [rows, code].
    pub code: Var,
    /// The divergence of each dimension of the code [1, code], summed over the rows, in a variational model.
    pub divergences: Option<Var>,
}

impl Objective {
    /// The objective of a configuration.
    pub fn new(loss: Loss, model: &AutoencoderSpec) -> Self {
        Objective {
            loss,
            code_penalty: model.code_penalty,
            weight_l2: model.weight_penalty.l2,
            contractive: model.contractive,
            corruption: model.corruption,
            variational: model.variational,
        }
    }

    /// What is minimised in this epoch, counted from 1: the factor of the divergence may still be rising.
    pub fn at_epoch(self, epoch: usize) -> Self {
        let now = |variational: Variational| Variational { beta: variational.beta_at(epoch), ..variational };
        Objective { variational: self.variational.map(now), ..self }
    }

    /// Whether a step needs all rows of its batch at once. The mean of a code unit over the batch does; and the gradients of
    /// the contractive penalty add to those of the loss, whose chains over rows they would interrupt at each slice.
    pub fn needs_whole_batch(&self) -> bool {
        self.code_penalty.sparsity().is_some() || self.contractive.is_some()
    }

    /// Records the model up to what the loss takes: the output, or the logits before its sigmoid. A variational model draws its
    /// code while training and takes the mean otherwise.
    pub fn forward<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>, images: Var, mode: Mode) -> Pass {
        let encoded = model.encode_with(tape, images, mode);
        let (mut code, mut log_variance) = (encoded.code, None);
        if let Mode::Train { seed, step, first_row } = mode {
            log_variance = model.log_variance(tape, encoded);
            if let Some(log_variance) = log_variance {
                let stream = |block| step_stream(seed, Purpose::Latent, step, first_row, block, 0);
                let normal = tape.normal_like(code, stream);
                code = latent::draw(tape, code, log_variance, normal);
            }
        }
        let output = self.decode(model, tape, code, mode);
        Pass { encoded, code, log_variance, output }
    }

    /// Records the decoder up to what the loss takes.
    pub fn decode<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>, code: Var, mode: Mode) -> Var {
        let output = if loss::takes_logits(self.loss) {
            model.decode_to_logits(tape, code, mode)
        } else {
            model.decode(tape, code, mode)
        };
        tape.set_scope(model.loss_scope());
        output
    }

    /// Records what a training step minimises, as far as it concerns `images` [rows, features], a slice of the batch `whole`.
    /// The penalty on weights belongs to the first slice. The images are corrupted on their way into the encoder, where that is
    /// configured; the loss is taken against them as they are.
    ///
    /// A variational model minimises the loss *summed* over the pixels of an image plus β · KL, averaged over the batch. Loss and
    /// penalty are still recorded per pixel, penalty = β · KL / pixels, so that their sum is what is minimised divided by the
    /// pixels, and losses stay comparable with those of other models.
    ///
    /// # Panics
    /// When a slice is given to an objective that needs the whole batch.
    pub fn record<T: Real>(
        &self,
        model: &Autoencoder,
        tape: &mut Tape<'_, T>,
        whole: Whole,
        images: Var,
        mode: Mode,
    ) -> Recorded {
        let (rows, features) = tape.shape(images);
        assert!(!self.needs_whole_batch() || rows == whole.rows, "{rows} of {} rows are no whole batch", whole.rows);
        let is_first = !matches!(mode, Mode::Train { first_row: 1.., .. });
        let input = self.corruption.map_or(images, |corruption| denoising::record(corruption, tape, images, mode));
        let pass = self.forward(model, tape, input, mode);
        let loss = loss::record_in(self.loss, tape, whole, pass.output, images);
        let on_code = loss::code_penalty(self.code_penalty, tape, pass.code, whole.rows);
        let on_means = self.code_penalty.sparsity().map(|sparsity| {
            let means = tape.column_mean(pass.code);
            loss::sparsity(sparsity, tape, means)
        });
        let on_slopes = self
            .contractive
            .map(|contractive| contractive::penalty(contractive, model, tape, input, pass.encoded, mode));
        let on_weights = (is_first && self.weight_l2 != 0.0).then(|| self.weight_penalty(model, tape)).flatten();
        let divergences = pass.log_variance.map(|log_variance| {
            let divergence = loss::latent_divergence(tape, pass.encoded.code, log_variance);
            tape.column_sum(divergence)
        });
        let on_distribution = divergences.zip(self.variational).map(|(divergences, variational)| {
            let sum = tape.sum(divergences);
            tape.scale(sum, variational.beta / (whole.rows * features) as f64)
        });
        let penalties = [on_code, on_means, on_slopes, on_weights, on_distribution];
        let penalty = penalties.into_iter().fold(None, |so_far, next| loss::total(tape, [so_far, next]));
        let mean = penalty.map_or(loss, |penalty| tape.add(loss, penalty));
        let total = if self.variational.is_some() { tape.scale(mean, features as f64) } else { mean };
        Recorded { loss, penalty, total, code: pass.code, divergences }
    }

    fn weight_penalty<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>) -> Option<Var> {
        let of_layers = model.encoder().iter().chain(model.decoder()).filter_map(|layer| match layer {
            Layer::Dense { weight, .. } => Some(weight),
            Layer::Dropout { .. } | Layer::Noise { .. } => None,
        });
        let all = of_layers.chain(model.log_variance_head().map(|head| &head.weight));
        all.fold(None, |so_far, weight| {
            let weight = weight.on(tape);
            let penalty = loss::weight_penalty(self.weight_l2, tape, weight);
            loss::total(tape, [so_far, penalty])
        })
    }
}
