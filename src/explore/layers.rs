//! Layers as `page/layers.js` reads them.

use serde_json::{Value, json};

use crate::nn::{Activation, Layer, Placed, Sequential, Windows};

/// The layers in order, each with its kind, its extents, and where its tensors begin in the flat buffer of parameters. Those that
/// only name another shape, or act only while training, are left out.
pub(super) fn described(part: &Sequential) -> Vec<Value> {
    part.layers().iter().filter_map(described_layer).collect()
}

/// A layer that applies a function to each value.
pub(super) fn function(activation: Activation) -> Value {
    json!({ "kind": "activation", "activation": named(activation) })
}

/// Name and number, rounded to f32 as the kernels do.
fn named(activation: Activation) -> Value {
    let number = match activation {
        Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => number,
        _ => 0.0,
    };
    json!([activation.name(), f64::from(number as f32)])
}

fn described_layer(placed: &Placed) -> Option<Value> {
    let at = |tensor: usize| placed.params[tensor].offset;
    let activation = || named(placed.layer.activation().unwrap_or(Activation::Linear));
    let pool = |kind: &str, scale: fn([usize; 2]) -> f64| match placed.windows {
        Windows::Pooling(of) => Some(json!({
            "kind": kind,
            "image": [of.image[0], of.image[1], of.channels],
            "output": of.output,
            "window": of.window,
            "stride": of.stride,
            "padding": of.padding,
            "scale": f64::from(scale(of.window) as f32),
        })),
        _ => None,
    };
    match placed.layer {
        Layer::Dense { .. } => {
            let shape = placed.params[0].shape;
            Some(json!({
                "kind": "dense",
                "weight": [at(0), shape.rows(), shape.cols()],
                "bias": at(1),
                "activation": activation(),
            }))
        }
        Layer::Conv { .. } | Layer::ConvTranspose { .. } => match placed.windows {
            Windows::Convolution(of) => Some(json!({
                "kind": placed.layer.name(),
                "image": [of.image[0], of.image[1], of.image_channels],
                "output": [of.output[0], of.output[1], of.output_channels],
                "kernel": of.kernel,
                "stride": of.stride,
                "padding": of.padding,
                "weight": at(0),
                "bias": at(1),
                "activation": activation(),
            })),
            _ => None,
        },
        Layer::MaxPool { .. } => pool("max-pool", |_| 1.0),
        // A border: windows of one pixel.
        Layer::ZeroPad { .. } => pool("sum-pool", |_| 1.0),
        Layer::AveragePool { .. } | Layer::GlobalAverage => {
            pool("sum-pool", |window| 1.0 / (window[0] * window[1]) as f64)
        }
        Layer::Upsample { factor } => match placed.windows {
            Windows::Pooling(of) => Some(
                json!({ "kind": "upsample", "output": [of.output[0], of.output[1], of.channels], "factor": factor }),
            ),
            _ => None,
        },
        Layer::BatchNorm { edition, activation } => Some(json!({
            "kind": "batch-norm",
            "channels": placed.params[0].len(),
            "weight": at(0),
            "bias": at(1),
            "mean": at(2),
            "variance": at(3),
            "epsilon": f64::from(edition.epsilon() as f32),
            "activation": named(activation),
        })),
        Layer::Flatten | Layer::Reshape { .. } | Layer::Dropout { .. } | Layer::Noise { .. } => None,
    }
}
