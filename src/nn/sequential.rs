//! Layers one after the other.

use narrows_kernels::Real;

use super::error::ModelError;
use super::layer::{Layer, Placed, Units};
use super::{Activation, Init, Layout, Pass};
use crate::tape::{Shape, Tape, Var};

/// Layers one after the other: the structure, without the numbers, which lie in a flat buffer laid out by a [`Layout`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    layers: Vec<Placed>,
    input: Shape,
}

/// Layers for data of so many values, which is what [`Units::Input`] stands for.
pub fn sized(layers: &[Layer], features: usize) -> Vec<Layer> {
    let sized = layers.iter().map(|layer| match *layer {
        Layer::Dense { units: Units::Input, activation } => Layer::Dense { units: features.into(), activation },
        other => other,
    });
    sized.collect()
}

impl Sequential {
    /// Lays out layers for samples of shape `input` (`[784]` for a row of values, `[28, 28, 1]` for an image). Their tensors are
    /// appended to `layout`, named "GROUP.0.weight", "GROUP.0.bias", ….
    pub fn new(
        group: &str,
        input: impl Into<Shape>,
        layers: &[Layer],
        layout: &mut Layout,
    ) -> Result<Self, ModelError> {
        Self::with_last_role(group, input.into(), layers, "", layout)
    }

    /// The same, with a role (".mean") in the names of the last layer's tensors.
    pub(super) fn with_last_role(
        group: &str,
        input: Shape,
        layers: &[Layer],
        role: &str,
        layout: &mut Layout,
    ) -> Result<Self, ModelError> {
        let mut placed: Vec<Placed> = Vec::with_capacity(layers.len());
        for (place, layer) in layers.iter().enumerate() {
            let shape = placed.last().map_or(input, |last| last.output);
            let name = format!("{group}.{place}");
            let number = layout.layer(name.clone());
            let role = if place + 1 == layers.len() { role } else { "" };
            placed.push(layer.place(&format!("{name}{role}"), number, shape, layout)?);
        }
        Ok(Sequential { layers: placed, input })
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Placed] {
        &self.layers
    }

    /// The shape of a sample that it takes.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The shape of a sample that it gives.
    pub fn output(&self) -> Shape {
        self.layers.last().map_or(self.input, |last| last.output)
    }

    /// Whether what it gives for a sample depends on the others of its batch while training.
    pub fn needs_whole_batch(&self) -> bool {
        self.layers.iter().any(|placed| matches!(placed.layer, Layer::BatchNorm { .. }))
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Placed::parameters).sum()
    }

    /// Multiplications and additions of a sample.
    pub fn multiply_adds(&self) -> usize {
        self.layers.iter().map(Placed::multiply_adds).sum()
    }

    /// Writes fresh parameters into the flat buffer; every layer draws from a stream of its own.
    pub fn init<T: Real>(&self, init: Init, seed: u64, flat: &mut [T]) {
        self.layers.iter().for_each(|layer| layer.init(init, seed, flat));
    }

    /// Records the layers: x [batch, …input] → [batch, …output].
    pub fn record<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass) -> Var {
        self.record_before_last(tape, x, pass).1
    }

    /// Records the layers, and gives what the last one was applied to and what it gave. A convolution and the maximum pooling of
    /// it that are computed in one are one layer here: before it is what the convolution was applied to.
    pub fn record_before_last<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass) -> (Var, Var) {
        self.record_layers(tape, x, pass, false)
    }

    fn record_layers<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass, to_logits: bool) -> (Var, Var) {
        let last = self.layers.len().saturating_sub(1);
        let (mut before, mut x) = (x, x);
        let mut place = 0;
        while let Some(layer) = self.layers.get(place) {
            before = x;
            if let Some((pool, pooled)) =
                self.layers.get(place + 1).and_then(|pool| Some((pool, layer.pooled_by(pool)?)))
            {
                x = layer.record_pooled(tape, x, pool, pooled);
                place += 2;
            } else {
                x = layer.record(tape, x, pass, to_logits && place == last);
                place += 1;
            }
        }
        (before, x)
    }

    /// Records the layers without the activation of the last one, for a loss that takes logits.
    pub fn record_to_logits<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass) -> Var {
        self.record_layers(tape, x, pass, true).1
    }

    /// The activation of the last layer; linear where that has none.
    pub fn last_activation(&self) -> Activation {
        self.layers.last().and_then(|last| last.layer.activation()).unwrap_or(Activation::Linear)
    }
}
