//! Fused operations give the bits of the operations they are made of.

use narrows::rng::{Purpose, stream};
use narrows::tape::{ALL, Activation, Arena, Tape};
use narrows_kernels::{Accumulate, Context, Isa, Real};
use rand::RngExt as _;

use crate::gradients::ACTIVATIONS;

fn random(count: usize, index: u64) -> Vec<f32> {
    let mut stream = stream(3, Purpose::Init, index);
    (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
}

fn bits(values: &[f32]) -> Vec<u64> {
    values.iter().map(|value| value.bits()).collect()
}

/// Value and parameter gradients of a layer [rows, k] → [rows, n] with an awkward shape, fused or in parts.
fn layer(context: Context, activation: Activation, special: bool, fused: bool) -> (Vec<u64>, Vec<u64>) {
    let (rows, k, n) = (37, 29, 19);
    let params = random(k * n + n, 0);
    let mut inputs = random(rows * k, 1);
    if special {
        // Whole rows of the output become NaN, infinite, huge and zero.
        inputs[0] = f32::NAN;
        inputs[k] = f32::INFINITY;
        inputs[2 * k] = f32::MAX;
        inputs[3 * k..4 * k].fill(-0.0);
    }
    let mut arena = Arena::default();
    let mut tape = Tape::new(context, &mut arena, &params);
    let x = tape.constant([rows, k], &inputs);
    let (weight, bias) = (tape.parameter(0, [k, n]), tape.parameter(k * n, [1, n]));
    let y = if fused {
        tape.dense(x, weight, bias, activation)
    } else {
        let product = tape.matmul(x, weight);
        let shifted = tape.add_row(product, bias);
        tape.activate(shifted, activation)
    };
    let square = tape.square(y);
    let loss = tape.sum(square);
    let value = bits(tape.value(y));
    let mut grads = vec![0.0; params.len()];
    tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite).unwrap();
    (value, bits(&grads))
}

#[test]
fn a_dense_layer_is_its_product_its_bias_and_its_activation() {
    for isa in Isa::available() {
        let context = Context { isa, ..Context::detect() };
        for activation in ACTIVATIONS {
            let (fused, parts) = (layer(context, activation, false, true), layer(context, activation, false, false));
            assert_eq!(fused, parts, "{activation:?} on {}", isa.name());
        }
    }
}

#[test]
fn a_dense_layer_treats_special_values_as_its_parts_do() {
    let is_nan = |bits: &u64| f32::from_bits(*bits as u32).is_nan();
    for isa in Isa::available() {
        let context = Context { isa, ..Context::detect() };
        for activation in ACTIVATIONS {
            let (fused, parts) = (layer(context, activation, true, true).0, layer(context, activation, true, false).0);
            for (at, (fused, parts)) in fused.iter().zip(&parts).enumerate() {
                let same = fused == parts || (is_nan(fused) && is_nan(parts));
                assert!(same, "{activation:?} on {}, element {at}: {fused:#x} and {parts:#x}", isa.name());
            }
        }
    }
}
