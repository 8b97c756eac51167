//! An encoder and a decoder, each a list of layers.

use narrows_kernels::{AlignedVec, Real};

use super::init_dense;
use super::layer::{Layer, activation_of};
use super::params::{Param, ParamTable};
use crate::config::{self, InitConfig, LayerConfig, ModelConfig, Units};
use crate::rng::{Purpose, stream};
use crate::tape::{Activation, NonFinite, Tape, Var};

/// Whether layers that act only while training act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout and noise draw from the streams of this seed and step.
    Train {
        /// The seed of the run.
        seed: u64,
        /// Optimizer steps taken before this one.
        step: u64,
        /// Rows of the batch before the first one at hand, a multiple of [`NOISE_ROWS`](crate::tape::NOISE_ROWS).
        first_row: usize,
    },
    /// Dropout and noise pass their input on.
    Infer,
}

/// A model whose layers do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The decoder's last layer does not give back the data's shape.
    #[error("the decoder ends in {found} values, but an image has {expected}; end it with {{ dense = \"input\" }}")]
    OutputSize {
        /// Values of an image.
        expected: usize,
        /// Outputs of the last layer.
        found: usize,
    },
    /// A part has no dense layer.
    #[error("the {part} has no dense layer; give it at least one, such as {{ dense = 50 }}")]
    NoDense {
        /// "encoder" or "decoder".
        part: &'static str,
    },
}

/// An autoencoder: the structure, without the numbers. Parameters live in a flat buffer laid out by [`Autoencoder::table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Autoencoder {
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    table: ParamTable,
    features: usize,
    code: usize,
    log_variance: Option<Head>,
}

/// A dense layer without activation beside the last one of the encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// W [in, code].
    pub weight: Param,
    /// b [1, code].
    pub bias: Param,
}

/// What an encoder recorded.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    /// What the last layer was applied to [batch, in].
    pub before: Var,
    /// What it gave [batch, code]; the mean of the code in a variational model.
    pub code: Var,
}

/// What a forward pass recorded.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// What the encoder gave.
    pub encoded: Encoded,
    /// What the decoder was applied to [batch, code]: the encoder's code, or a draw from its distribution.
    pub code: Var,
    /// The logarithm of the variance of each value of the code [batch, code], where it was drawn.
    pub log_variance: Option<Var>,
    /// The output [batch, features]; before its sigmoid when the pass was asked for logits.
    pub output: Var,
}

impl Autoencoder {
    /// Lays out the model for images of `features` values.
    pub fn new(config: &ModelConfig, features: usize) -> Result<Self, ModelError> {
        let mut table = ParamTable::default();
        let last = config.encoder.len().saturating_sub(1);
        let mean = config.variational.map(|_| last);
        let (encoder, code) = lay_out("encoder", &config.encoder, features, features, mean, &mut table)?;
        let log_variance = mean.and_then(|number| {
            let Some(Layer::Dense { weight, .. }) = encoder.last() else { return None };
            let rows = weight.rows;
            let weight = table.push(format!("encoder.{number}.log_variance.weight"), rows, code);
            Some(Head { weight, bias: table.push(format!("encoder.{number}.log_variance.bias"), 1, code) })
        });
        let (decoder, found) = lay_out("decoder", &config.decoder, code, features, None, &mut table)?;
        if found != features {
            return Err(ModelError::OutputSize { expected: features, found });
        }
        Ok(Autoencoder { encoder, decoder, table, features, code, log_variance })
    }

    /// The layers from data to code.
    pub fn encoder(&self) -> &[Layer] {
        &self.encoder
    }

    /// The layers from code to data.
    pub fn decoder(&self) -> &[Layer] {
        &self.decoder
    }

    /// The head that gives the logarithm of the code's variance; a variational model has one.
    pub fn log_variance_head(&self) -> Option<&Head> {
        self.log_variance.as_ref()
    }

    /// Where each parameter lies in the flat buffer.
    pub fn table(&self) -> &ParamTable {
        &self.table
    }

    /// Values of an image.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Values of a code.
    pub fn code_size(&self) -> usize {
        self.code
    }

    /// Values of an image for each value of its code.
    pub fn compression_ratio(&self) -> f64 {
        self.features as f64 / self.code as f64
    }

    /// Fresh parameters.
    pub fn init<T: Real>(&self, init: InitConfig, seed: u64) -> AlignedVec<T> {
        let mut flat = AlignedVec::zeros(self.table.len());
        let of_layers = self.layers().map(|layer| match layer {
            Layer::Dense { weight, bias, .. } => Some((weight, bias)),
            Layer::Dropout { .. } | Layer::Noise { .. } => None,
        });
        let of_head = self.log_variance.iter().map(|Head { weight, bias }| Some((weight, bias)));
        for (number, params) in of_layers.chain(of_head).enumerate() {
            if let Some((weight, bias)) = params {
                // A layer's weight and bias lie side by side.
                let both = &mut flat[weight.offset..bias.offset + bias.len()];
                let (w, b) = both.split_at_mut(weight.len());
                init_dense(init, weight.rows, w, b, &mut stream(seed, Purpose::Init, number as u64));
            }
        }
        flat
    }

    /// Records the encoder: x [batch, features] → code [batch, code], the mean of the code in a variational model.
    pub fn encode<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, mode: Mode) -> Var {
        self.encode_with(tape, x, mode).code
    }

    /// [`encode`](Self::encode), and what its last layer was applied to.
    pub fn encode_with<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, mode: Mode) -> Encoded {
        let numbered = (0..).zip(&self.encoder);
        numbered.fold(Encoded { before: x, code: x }, |so_far, (number, layer)| Encoded {
            before: so_far.code,
            code: layer.apply(tape, so_far.code, number, mode, false),
        })
    }

    /// Records the logarithm of the code's variance [batch, code]; `None` unless the model is variational.
    pub fn log_variance<T: Real>(&self, tape: &mut Tape<'_, T>, encoded: Encoded) -> Option<Var> {
        let head = self.log_variance.as_ref()?;
        tape.set_scope(self.encoder.len() as u32 - 1);
        let (weight, bias) = (head.weight.on(tape), head.bias.on(tape));
        Some(tape.dense(encoded.before, weight, bias, Activation::Linear))
    }

    /// Records the decoder: code [batch, code] → output [batch, features].
    pub fn decode<T: Real>(&self, tape: &mut Tape<'_, T>, code: Var, mode: Mode) -> Var {
        self.decode_with(tape, code, mode, false)
    }

    /// Records the decoder without the sigmoid of its last layer, for a loss that takes logits.
    ///
    /// # Panics
    /// When the last layer is no dense layer with a sigmoid.
    pub fn decode_to_logits<T: Real>(&self, tape: &mut Tape<'_, T>, code: Var, mode: Mode) -> Var {
        assert!(self.ends_in_sigmoid(), "logits are asked of a decoder that does not end in a sigmoid");
        self.decode_with(tape, code, mode, true)
    }

    fn decode_with<T: Real>(&self, tape: &mut Tape<'_, T>, code: Var, mode: Mode, logits: bool) -> Var {
        let first = self.encoder.len() as u32;
        let last = first + self.decoder.len() as u32 - 1;
        let numbered = (first..).zip(&self.decoder);
        numbered.fold(code, |x, (number, layer)| layer.apply(tape, x, number, mode, logits && number == last))
    }

    /// Whether the last layer is dense with a sigmoid.
    pub fn ends_in_sigmoid(&self) -> bool {
        matches!(self.decoder.last(), Some(Layer::Dense { activation: config::Activation::Sigmoid, .. }))
    }

    /// The activation of the last layer, as the tape applies it.
    pub fn output_activation(&self) -> Activation {
        match self.decoder.last() {
            Some(Layer::Dense { activation, .. }) => activation_of(*activation),
            _ => Activation::Linear,
        }
    }

    /// Names what [`Tape::first_non_finite`] found: "dense in encoder.0" or "the parameter encoder.0.weight".
    pub fn describe(&self, found: NonFinite) -> String {
        match found.parameter.and_then(|offset| self.table.at(offset)) {
            Some(param) => format!("the parameter {}", param.name),
            None => format!("the operation \"{}\" in {}", found.operation, self.layer_name(found.scope)),
        }
    }

    /// "encoder.0", "decoder.1" or "the loss", from the number of a scope.
    pub fn layer_name(&self, number: u32) -> String {
        let number = number as usize;
        match number.checked_sub(self.encoder.len()) {
            None => format!("encoder.{number}"),
            Some(in_decoder) if in_decoder < self.decoder.len() => format!("decoder.{in_decoder}"),
            Some(_) => "the loss".to_owned(),
        }
    }

    /// The scope that marks what is recorded after the last layer: the loss.
    pub fn loss_scope(&self) -> u32 {
        (self.encoder.len() + self.decoder.len()) as u32
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.encoder.iter().chain(&self.decoder)
    }
}

/// The layers of a part and the number of its outputs. The layer `mean` gives the mean of a distribution.
fn lay_out(
    part: &'static str,
    layers: &[LayerConfig],
    inputs: usize,
    features: usize,
    mean: Option<usize>,
    table: &mut ParamTable,
) -> Result<(Vec<Layer>, usize), ModelError> {
    let mut size = inputs;
    let mut lay_out_one = |(number, layer): (usize, &LayerConfig)| match *layer {
        LayerConfig::Dense { units, activation } => {
            let outputs = match units {
                Units::Count(count) => count,
                Units::Input => features,
            };
            let head = if mean == Some(number) { ".mean" } else { "" };
            let weight = table.push(format!("{part}.{number}{head}.weight"), size, outputs);
            let bias = table.push(format!("{part}.{number}{head}.bias"), 1, outputs);
            size = outputs;
            Layer::Dense { weight, bias, activation }
        }
        LayerConfig::Dropout { rate } => Layer::Dropout { rate },
        LayerConfig::Noise { std } => Layer::Noise { std },
    };
    let laid_out: Vec<Layer> = layers.iter().enumerate().map(&mut lay_out_one).collect();
    if !laid_out.iter().any(|layer| matches!(layer, Layer::Dense { .. })) {
        return Err(ModelError::NoDense { part });
    }
    Ok((laid_out, size))
}
