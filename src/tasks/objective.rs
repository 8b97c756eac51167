//! What an autoencoder is trained for: the loss of the reconstruction, and the penalties.

use narrows_kernels::Real;

use crate::data::Corruption;
use crate::loss::{self, CodePenalty, Contractive, Loss, Variational, WeightPenalty};
use crate::nn::{Activation, Autoencoder, Encoded, Pass};
use crate::rng::Purpose;
use crate::settings::{Fault, Settings, check, check_choice};
use crate::tape::{Tape, Var};

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

/// What a forward pass recorded.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// What the encoder gave.
    pub encoded: Encoded,
    /// What the decoder was applied to [batch, code]: the encoder's code, or a draw from its distribution.
    pub code: Var,
    /// The logarithm of the variance of each value of the code [batch, code], where it was drawn.
    pub log_variance: Option<Var>,
    /// The output [batch, features]; before its sigmoid where the loss takes logits.
    pub output: Var,
}

impl From<Loss> for Objective {
    /// The loss alone.
    fn from(loss: Loss) -> Self {
        let code_penalty = CodePenalty::default();
        Objective { loss, code_penalty, weight_l2: 0.0, contractive: None, corruption: None, variational: None }
    }
}

impl Objective {
    /// Refuses a loss that does not fit a model whose last layer has the activation `output`, or the penalties.
    pub fn check(&self, output: Activation) -> Result<(), Fault> {
        let (found, accepted) = match self.loss {
            Loss::Bce if output != Activation::Sigmoid => (
                format!("\"bce\" while the last decoder layer's activation is \"{}\"", output.name()),
                "a last layer with activation = \"sigmoid\"; or \"bce-logits\", which applies the sigmoid itself",
            ),
            Loss::BceLogits if output == Activation::Sigmoid => (
                "\"bce-logits\", which applies a sigmoid, while the last decoder layer has applied one already".into(),
                "\"bce\"; or a last layer without activation = \"sigmoid\"",
            ),
            Loss::Kl if self.variational.is_some() => (
                "\"kl\" in a variational model".into(),
                "\"bce\", \"bce-logits\" or \"mse\", which are likelihoods of an image",
            ),
            _ => return Ok(()),
        };
        Err(Fault::new("loss", found, accepted))
    }

    /// Refuses weights and noise out of their ranges, and other penalties on a code that is drawn: they would have to say on which.
    pub(super) fn check_settings(&self) -> Result<(), Fault> {
        let (mut copy, mut weights) = (*self, WeightPenalty { l2: self.weight_l2 });
        let parts: [(&str, Option<&mut dyn Settings>); 4] = [
            ("code_penalty", Some(&mut copy.code_penalty)),
            ("weight_penalty", Some(&mut weights)),
            ("contractive", copy.contractive.as_mut().map(|part| part as _)),
            ("variational", copy.variational.as_mut().map(|part| part as _)),
        ];
        for (key, part) in parts {
            part.map_or(Ok(()), check).map_err(|fault| fault.within(key))?;
        }
        let noise = copy.corruption.as_mut().map_or(Ok(()), |noise| check_choice(noise));
        noise.map_err(|fault| fault.within("corruption"))?;
        let others = [("code_penalty", !self.code_penalty.is_none()), ("contractive", self.contractive.is_some())];
        match others.into_iter().find(|(_, is_given)| *is_given && self.variational.is_some()) {
            Some((key, _)) => {
                let accepted = "model.variational without it: the divergence from N(0, I) is the penalty on the code";
                Err(Fault::new(key, "given in a variational model", accepted))
            }
            None => Ok(()),
        }
    }

    /// Whether a step needs all samples of its batch at once. The mean of a code unit over the batch does; and the gradients of
    /// the contractive penalty add to those of the loss, whose chains over rows they would interrupt at each slice.
    pub fn needs_whole_batch(&self) -> bool {
        self.code_penalty.sparsity().is_some() || self.contractive.is_some()
    }

    /// Records the model up to what the loss takes: the output, or the logits before its sigmoid. A variational model draws its
    /// code while training and takes the mean otherwise.
    pub fn forward<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>, images: Var, pass: Pass) -> Forward {
        let encoded = model.encode_with(tape, images, pass);
        let (mut code, mut log_variance) = (encoded.code, None);
        if let Pass::Train(draws) = pass {
            log_variance = model.log_variance(tape, encoded);
            if let Some(log_variance) = log_variance {
                let normal = tape.normal_like(code, draws.streams(Purpose::Latent, 0));
                code = draw(tape, code, log_variance, normal);
            }
        }
        let output = self.decode(model, tape, code, pass);
        Forward { encoded, code, log_variance, output }
    }

    /// Records the decoder up to what the loss takes.
    pub fn decode<T: Real>(&self, model: &Autoencoder, tape: &mut Tape<'_, T>, code: Var, pass: Pass) -> Var {
        let output = if loss::takes_logits(self.loss) {
            model.decode_to_logits(tape, code, pass)
        } else {
            model.decode(tape, code, pass)
        };
        tape.set_scope(model.layout().loss_scope());
        output
    }
}

/// z = μ + ε ∘ exp(½ ln σ²) [batch, code]: a draw that μ and σ can be differentiated through, ε being `normal`.
pub(super) fn draw<T: Real>(tape: &mut Tape<'_, T>, mean: Var, log_variance: Var, normal: Var) -> Var {
    let half = tape.scale(log_variance, 0.5);
    let deviation = tape.exp(half);
    let offset = tape.mul(normal, deviation);
    tape.add(mean, offset)
}
