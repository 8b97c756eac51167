//! What happens to an element of a product after its chain.

use crate::{Activation, Isa, Real};

/// out = activation(chain + bias\[j\]).
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// Added to each row, [n]; one rounding after the chain.
    pub bias: Option<&'a [T]>,
    /// Applied last.
    pub activation: Activation<T>,
}

impl<T> Epilogue<'_, T> {
    /// The bare product.
    pub const NONE: Self = Epilogue { bias: None, activation: Activation::Identity };
}

/// Replaces each x of `row` by activation(x).
pub(crate) fn apply_activation_to_row<T: Real>(isa: Isa, activation: Activation<T>, row: &mut [T]) {
    let _ = isa;
    let through_f64 = |row: &mut [T], f: fn(f64) -> f64| row.iter_mut().for_each(|x| *x = T::from_f64(f(x.to_f64())));
    match activation {
        Activation::Identity => {}
        Activation::Relu => row.iter_mut().for_each(|x| *x = if T::ZERO > *x { T::ZERO } else { *x }),
        Activation::LeakyRelu(slope) => {
            row.iter_mut().for_each(|x| *x = if *x > T::ZERO { *x } else { slope * *x });
        }
        Activation::Elu(alpha) => row.iter_mut().for_each(|x| {
            if *x <= T::ZERO {
                *x = alpha * T::from_f64(x.to_f64().exp_m1());
            }
        }),
        Activation::Tanh => through_f64(row, f64::tanh),
        Activation::Sigmoid => through_f64(row, |x| 1.0 / (1.0 + (-x).exp())),
        Activation::Softplus => through_f64(row, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
    }
}
