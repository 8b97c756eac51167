//! Activations as settings: a name, and beside it the number that goes with it.

use std::ops::Bound::{Excluded, Included};

use super::Activation;
use crate::settings::{About, Choice, Range, Setting, Visitor};

const SLOPE: Range = Range {
    from: Excluded(0.0),
    to: Included(1.0),
    accepted: "a number above 0 and at most 1 (for 0 there is \"relu\")",
};

const ALL: [Activation; 7] = [
    Activation::Linear,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.01 },
    Activation::Elu { alpha: 1.0 },
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
];

const NAMES: &[&str] = &["linear", "relu", "leaky-relu", "elu", "tanh", "sigmoid", "softplus"];

impl Choice for Activation {
    fn names(&self) -> &'static [&'static str] {
        NAMES
    }

    fn chosen(&self) -> usize {
        NAMES.iter().position(|name| *name == self.name()).unwrap_or(0)
    }

    fn choose(&mut self, number: usize) {
        *self = ALL[number];
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        let (key, doc, value, range) = match self {
            Activation::LeakyRelu { slope } => ("slope", "The slope below 0.", slope, SLOPE),
            Activation::Elu { alpha } => ("alpha", "What −y approaches far below 0.", alpha, Range::ABOVE_ZERO),
            _ => return,
        };
        visitor.number(&About { key, doc, required: None }, value, range);
    }
}

impl Setting for Activation {
    type Form = ();

    fn show(&mut self, about: &About, (): (), visitor: &mut dyn Visitor) {
        visitor.word(about, self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_activations() {
        assert_eq!(ALL.map(|activation| activation.name()), NAMES);
    }
}
