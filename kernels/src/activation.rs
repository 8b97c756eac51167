//! Activation functions.

/// A function applied to each element of a layer's output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation<T> {
    /// x.
    Identity,
    /// max(x, 0).
    Relu,
    /// x for x > 0, else slope · x.
    LeakyRelu(T),
    /// x for x > 0, else α · (eˣ − 1).
    Elu(T),
    /// tanh x.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// ln(1 + eˣ).
    Softplus,
}
