//! What a run minimises: the loss of the reconstruction, and the penalties.

use narrows_kernels::Real;

use crate::config::{LossKind, ModelConfig, Penalty};
use crate::loss;
use crate::nn::{Autoencoder, Layer, Mode, Pass};
use crate::tape::{Tape, Var, Whole};

/// The loss of the reconstruction, and the penalties on code and weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The loss.
    pub loss: LossKind,
    /// Weights of the activity penalty on the code.
    pub code_penalty: Penalty,
    /// Weight of Σw² over all weight matrices.
    pub weight_l2: f64,
}

/// What a training step minimises, recorded.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// The loss of the reconstruction [1, 1].
    pub loss: Var,
    /// What the penalties add [1, 1]; `None` where there is none.
    pub penalty: Option<Var>,
    /// Their sum [1, 1].
    pub total: Var,
}

impl Objective {
    /// The objective of a configuration.
    pub fn new(loss: LossKind, model: &ModelConfig) -> Self {
        Objective { loss, code_penalty: model.code_penalty, weight_l2: model.weight_penalty.l2 }
    }

    /// Records the model up to what the loss takes: the output, or the logits before its sigmoid.
    pub fn forward<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>, images: Var, mode: Mode) -> Pass {
        let code = model.encode(tape, images, mode);
        let output = if loss::takes_logits(self.loss) {
            model.decode_to_logits(tape, code, mode)
        } else {
            model.decode(tape, code, mode)
        };
        tape.set_scope(model.loss_scope());
        Pass { code, output }
    }

    /// Records what a training step minimises, as far as it concerns `images` [rows, features], a slice of the batch `whole`.
    /// The penalty on weights belongs to the first slice.
    pub fn record<T: Real>(
        &self,
        model: &Autoencoder,
        tape: &mut Tape<'_, T>,
        whole: Whole,
        images: Var,
        mode: Mode,
    ) -> Recorded {
        let is_first = !matches!(mode, Mode::Train { first_row: 1.., .. });
        let pass = self.forward(model, tape, images, mode);
        let loss = loss::record_in(self.loss, tape, whole, pass.output, images);
        let on_code = loss::code_penalty(self.code_penalty, tape, pass.code, whole.rows);
        let on_weights = (is_first && self.weight_l2 != 0.0).then(|| self.weight_penalty(model, tape)).flatten();
        let penalty = loss::total(tape, [on_code, on_weights]);
        let total = match penalty {
            Some(penalty) => tape.add(loss, penalty),
            None => loss,
        };
        Recorded { loss, penalty, total }
    }

    fn weight_penalty<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>) -> Option<Var> {
        model.encoder().iter().chain(model.decoder()).fold(None, |so_far, layer| match layer {
            Layer::Dense { weight, .. } => {
                let weight = weight.on(tape);
                let penalty = loss::weight_penalty(self.weight_l2, tape, weight);
                loss::total(tape, [so_far, penalty])
            }
            Layer::Dropout { .. } | Layer::Noise { .. } => so_far,
        })
    }
}
