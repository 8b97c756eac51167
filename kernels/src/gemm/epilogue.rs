//! What happens to an element of a product after its chain.

use crate::Activation;

/// out = activation(chain + bias\[j\]).
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// Added to each row, `[n]`; one rounding after the chain.
    pub bias: Option<&'a [T]>,
    /// Applied last.
    pub activation: Activation,
}

impl<T> Epilogue<'_, T> {
    /// The bare product.
    pub const NONE: Self = Epilogue { bias: None, activation: Activation::Linear };
}
