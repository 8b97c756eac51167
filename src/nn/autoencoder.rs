//! An encoder and a decoder, each a sequence of layers.

use narrows_kernels::{AlignedVec, Real};

use super::Activation;
use super::error::ModelError;
use super::layer::{Dense, Layer, Placed, init_layer, rows};
use super::sequential::sized;
use super::{Init, Layout, Param, Pass, Sequential};
use crate::tape::{NonFinite, Shape, Tape, Var};

/// An autoencoder to be built.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoencoderBuilder {
    input: Shape,
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    init: Init,
    is_variational: bool,
}

impl AutoencoderBuilder {
    /// The layers from an image to its code.
    pub fn encoder(self, layers: impl Into<Vec<Layer>>) -> Self {
        Self { encoder: layers.into(), ..self }
    }

    /// The layers from a code to an image; the last has as many outputs as an image has values.
    pub fn decoder(self, layers: impl Into<Vec<Layer>>) -> Self {
        Self { decoder: layers.into(), ..self }
    }

    /// How weights and biases begin; Glorot's uniform weights and biases of zero where nothing is said.
    pub fn init(self, init: Init) -> Self {
        Self { init, ..self }
    }

    /// Makes the code a normal distribution: the encoder's last layer gives its mean, and a second head beside it the logarithm
    /// of its variance.
    pub fn variational(self, is_variational: bool) -> Self {
        Self { is_variational, ..self }
    }

    /// Lays the model out.
    pub fn build(&self) -> Result<Autoencoder, ModelError> {
        for (part, layers) in [("encoder", &self.encoder), ("decoder", &self.decoder)] {
            if !layers.iter().any(|layer| layer.activation().is_some()) {
                return Err(ModelError::NoWeights { part });
            }
        }
        let (mut layout, features) = (Layout::default(), self.input.len());
        let sized = |layers: &[Layer]| sized(layers, features);
        let role = if self.is_variational { ".mean" } else { "" };
        let encoder = Sequential::with_last_role("encoder", self.input, &sized(&self.encoder), role, &mut layout)?;
        let log_variance = if self.is_variational { Some(head(&encoder, &mut layout)?) } else { None };
        let decoder = Sequential::new("decoder", encoder.output(), &sized(&self.decoder), &mut layout)?;
        let found = decoder.output().len();
        if found != features {
            return Err(ModelError::OutputSize { expected: features, found });
        }
        Ok(Autoencoder { encoder, decoder, layout, init: self.init, log_variance })
    }
}

/// The tensors of the head that gives the logarithm of the variance.
fn head(encoder: &Sequential, layout: &mut Layout) -> Result<[Param; 2], ModelError> {
    let last = encoder.layers().last().and_then(Placed::dense);
    let Some(Dense { weight, activation: Activation::Linear, .. }) = last else {
        let found = encoder
            .layers()
            .last()
            .map_or_else(String::new, |last| format!("{} ({})", last.layer.name(), last.layer.detail()));
        return Err(ModelError::NoMean { found });
    };
    let (rows, cols) = (weight.shape.rows(), weight.shape.cols());
    let name = weight.name.replace(".mean.weight", ".log_variance");
    let weight = layout.param(format!("{name}.weight"), [rows, cols]);
    Ok([weight, layout.param(format!("{name}.bias"), [1, cols])])
}

/// An autoencoder: the structure, without the numbers. Parameters live in a flat buffer laid out by [`Autoencoder::layout`],
/// in the groups "encoder" and "decoder".
#[derive(Clone, Debug, PartialEq)]
pub struct Autoencoder {
    encoder: Sequential,
    decoder: Sequential,
    layout: Layout,
    init: Init,
    log_variance: Option<[Param; 2]>,
}

/// What an encoder recorded.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    /// What the last layer was applied to [batch, in], see [`Sequential::record_before_last`].
    pub before: Var,
    /// What it gave [batch, code]; the mean of the code in a variational model.
    pub code: Var,
}

impl Autoencoder {
    /// Begins an autoencoder for samples of this shape.
    #[allow(clippy::new_ret_no_self, reason = "an autoencoder is described layer by layer before it is laid out")]
    pub fn new(input: impl Into<Shape>) -> AutoencoderBuilder {
        let (encoder, decoder) = (Vec::new(), Vec::new());
        AutoencoderBuilder { input: input.into(), encoder, decoder, init: Init::GlorotUniform, is_variational: false }
    }

    /// The layers from data to code.
    pub fn encoder(&self) -> &Sequential {
        &self.encoder
    }

    /// The layers from code to data.
    pub fn decoder(&self) -> &Sequential {
        &self.decoder
    }

    /// All layers, from data to code to data.
    pub fn layers(&self) -> impl Iterator<Item = &Placed> {
        self.encoder.layers().iter().chain(self.decoder.layers())
    }

    /// Weight [in, code] and bias [1, code] of the head that gives the logarithm of the code's variance; a variational model
    /// has one.
    pub fn log_variance_head(&self) -> Option<&[Param; 2]> {
        self.log_variance.as_ref()
    }

    /// Where each parameter lies in the flat buffer.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The shape of an image.
    pub fn input(&self) -> Shape {
        self.encoder.input()
    }

    /// Values of an image.
    pub fn features(&self) -> usize {
        self.input().len()
    }

    /// Values of a code.
    pub fn code_size(&self) -> usize {
        self.encoder.output().len()
    }

    /// Values of an image for each value of its code.
    pub fn compression_ratio(&self) -> f64 {
        self.features() as f64 / self.code_size() as f64
    }

    /// How weights and biases begin.
    pub fn initialiser(&self) -> Init {
        self.init
    }

    /// Fresh parameters.
    pub fn init<T: Real>(&self, seed: u64) -> AlignedVec<T> {
        let mut flat = AlignedVec::zeros(self.layout.len());
        self.encoder.init(self.init, seed, &mut flat);
        self.decoder.init(self.init, seed, &mut flat);
        if let Some([weight, bias]) = &self.log_variance {
            init_layer(self.init, seed, self.layout.loss_scope(), weight, bias, &mut flat);
        }
        flat
    }

    /// Records the encoder: x [batch, …] → code [batch, code], the mean of the code in a variational model.
    pub fn encode<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass) -> Var {
        self.encode_with(tape, x, pass).code
    }

    /// [`encode`](Self::encode), and what its last layer was applied to.
    pub fn encode_with<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass) -> Encoded {
        let (before, code) = self.encoder.record_before_last(tape, x, pass);
        Encoded { before: rows(tape, before), code: rows(tape, code) }
    }

    /// Records the logarithm of the code's variance [batch, code]; `None` unless the model is variational.
    pub fn log_variance<T: Real>(&self, tape: &mut Tape<'_, T>, encoded: Encoded) -> Option<Var> {
        let [weight, bias] = self.log_variance.as_ref()?;
        tape.set_scope(self.encoder.layers().len() as u32 - 1);
        let (weight, bias) = (weight.on(tape), bias.on(tape));
        Some(tape.dense(encoded.before, weight, bias, Activation::Linear))
    }

    /// Records the decoder: code [batch, code] → output [batch, features].
    pub fn decode<T: Real>(&self, tape: &mut Tape<'_, T>, code: Var, pass: Pass) -> Var {
        let output = self.decoder.record(tape, code, pass);
        rows(tape, output)
    }

    /// Records the decoder without the sigmoid of its last layer, for a loss that takes logits.
    ///
    /// # Panics
    /// When the last layer has no sigmoid.
    pub fn decode_to_logits<T: Real>(&self, tape: &mut Tape<'_, T>, code: Var, pass: Pass) -> Var {
        let last = self.decoder.last_activation();
        assert!(last == Activation::Sigmoid, "logits are asked of a decoder that does not end in a sigmoid");
        let logits = self.decoder.record_to_logits(tape, code, pass);
        rows(tape, logits)
    }
}

impl Layout {
    /// What files of weights say of the model that these layers make up, as JSON: the layout of a weight and the activation of every
    /// layer that has one.
    pub fn describe_layers<'a>(&self, layers: impl IntoIterator<Item = &'a Placed>) -> String {
        let activations = layers.into_iter().filter_map(|placed| {
            let activation = placed.layer.applied()?;
            Some((self.layer_name(placed.number).to_owned(), activation.to_string().into()))
        });
        let description = serde_json::json!({
            "layout":
                "weight is [in, out], y = activation(x @ weight + bias): a Keras kernel as it is, a PyTorch weight transposed; of a convolution \
                 [height, width, in, out], of a transposed one [height, width, out, in]: Keras kernels as they are",
            "activations": activations.collect::<serde_json::Map<_, _>>(),
        });
        description.to_string()
    }

    /// Names what [`Tape::first_non_finite`] found: the operation "dense" in encoder.0, or the parameter encoder.0.weight.
    pub fn describe(&self, found: NonFinite) -> String {
        match found.parameter.and_then(|offset| self.at(offset)) {
            Some(param) => format!("the parameter {}", param.name),
            None => format!("the operation \"{}\" in {}", found.operation, self.layer_name(found.scope)),
        }
    }
}
