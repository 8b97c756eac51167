//! How weights and biases begin.
//!
//! Every layer draws from its own stream, so that its weights do not depend on how many draws the layers before it took.
//! fan_in and fan_out are the rows and columns of the weight [in, out] of a dense layer.
//!
//! | initialiser | weight | bias | source |
//! |---|---|---|---|
//! | Glorot uniform | U(±√(6/(fan_in+fan_out))) | 0 | Glorot & Bengio 2010, eq. 16; the default of Keras |
//! | Glorot normal | N(0, 2/(fan_in+fan_out)), cut at two standard deviations | 0 | the same, as Keras draws it |
//! | He uniform | U(±√(6/fan_in)) | 0 | He et al. 2015, eq. 10 |
//! | He normal | N(0, 2/fan_in), cut at two standard deviations | 0 | the same, as Keras draws it |
//! | PyTorch linear | U(±1/√fan_in) | U(±1/√fan_in) | the default of `torch.nn.Linear` |
//! | normal | N(0, σ²) | N(0, σ²) or 0 | |

use crate::rng::standard_normal;
use narrows_kernels::Real;
use rand::RngExt as _;

use crate::rng::Stream;
use crate::settings::{Range, settings};

settings! {
    /// How weights and biases begin. Biases begin at zero unless stated.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Init tagged {
        /// Uniform within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010).
        GlorotUniform = "glorot-uniform",
        /// Normal with variance 2 / (fan in + fan out).
        GlorotNormal = "glorot-normal",
        /// Uniform within ±sqrt(6 / fan in) (He et al. 2015).
        HeUniform = "he-uniform",
        /// Normal with variance 2 / fan in.
        HeNormal = "he-normal",
        /// Uniform within ±1 / sqrt(fan in), weights and biases, as `torch.nn.Linear` begins.
        PytorchLinear = "pytorch-linear",
        /// Normal around zero.
        Normal = "normal" {
            /// Standard deviation of weights drawn from a normal distribution around zero.
            std("normal"): f64 = 0.05, in Range::ABOVE_ZERO, required "a standard deviation, as in normal = 0.05";
            /// Whether the biases are drawn too.
            biases: bool = false;
        },
    }
}

impl Init {
    /// What a configuration may give as one.
    pub const ACCEPTED: &'static str = "\"glorot-uniform\", \"glorot-normal\", \"he-uniform\", \"he-normal\", \"pytorch-linear\" or a table \
                                        such as { normal = 0.05, biases = true }";
}

/// The standard deviation of a standard normal variable cut at ±2, by which the cut draws are divided to restore theirs.
const CUT_NORMAL_STD: f64 = 0.879_625_661_034_239_8;

/// Fills the weight [fan_in, fan_out] and then the bias `[fan_out]` of a dense layer.
pub fn init_dense<T: Real>(init: Init, fan_in: usize, weight: &mut [T], bias: &mut [T], stream: &mut Stream) {
    let fan_out = bias.len();
    init_tensors(init, [fan_in, fan_out], weight, bias, stream);
}

/// Fills a weight and then a bias. Of a convolution, fan_in and fan_out are the channels read and written, times the pixels of the
/// kernel; of a transposed one the other way round, as in Keras and PyTorch.
pub(super) fn init_tensors<T: Real>(
    init: Init,
    [fan_in, fan_out]: [usize; 2],
    weight: &mut [T],
    bias: &mut [T],
    stream: &mut Stream,
) {
    let (fans_in, fans_both) = (fan_in as f64, (fan_in + fan_out) as f64);
    match init {
        Init::GlorotUniform => uniform(weight, (6.0 / fans_both).sqrt(), stream),
        Init::GlorotNormal => cut_normal(weight, (2.0 / fans_both).sqrt(), stream),
        Init::HeUniform => uniform(weight, (6.0 / fans_in).sqrt(), stream),
        Init::HeNormal => cut_normal(weight, (2.0 / fans_in).sqrt(), stream),
        Init::PytorchLinear => uniform(weight, 1.0 / fans_in.sqrt(), stream),
        Init::Normal { std, .. } => normal(weight, std, stream),
    }
    match init {
        Init::PytorchLinear => uniform(bias, 1.0 / fans_in.sqrt(), stream),
        Init::Normal { std, biases: true } => normal(bias, std, stream),
        _ => bias.fill(T::ZERO),
    }
}

fn uniform<T: Real>(out: &mut [T], bound: f64, stream: &mut Stream) {
    out.iter_mut().for_each(|w| *w = T::from_f64(bound * (2.0 * stream.random::<f64>() - 1.0)));
}

fn normal<T: Real>(out: &mut [T], std: f64, stream: &mut Stream) {
    for w in out {
        let draw: f64 = standard_normal(stream);
        *w = T::from_f64(std * draw);
    }
}

fn cut_normal<T: Real>(out: &mut [T], std: f64, stream: &mut Stream) {
    for w in out {
        let draw: f64 = loop {
            let draw: f64 = standard_normal(stream);
            if draw.abs() <= 2.0 {
                break draw;
            }
        };
        *w = T::from_f64(std / CUT_NORMAL_STD * draw);
    }
}
