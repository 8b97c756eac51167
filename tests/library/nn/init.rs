//! How weights and biases begin.

use narrows::nn::*;
use narrows::rng::{Purpose, stream};

fn drawn(init: Init) -> (Vec<f64>, Vec<f64>) {
    let (mut weight, mut bias) = (vec![f64::NAN; 300 * 200], vec![f64::NAN; 200]);
    init_dense(init, 300, &mut weight, &mut bias, &mut stream(1, Purpose::Init, 0));
    (weight, bias)
}

fn std_of(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}

#[test]
fn standard_deviations_are_those_of_the_definitions() {
    let cases = [
        (Init::GlorotUniform, (2.0f64 / 500.0).sqrt()),
        (Init::GlorotNormal, (2.0f64 / 500.0).sqrt()),
        (Init::HeUniform, (2.0f64 / 300.0).sqrt()),
        (Init::HeNormal, (2.0f64 / 300.0).sqrt()),
        (Init::PytorchLinear, (1.0f64 / 900.0).sqrt()),
        (Init::Normal { std: 0.05, biases: true }, 0.05),
    ];
    for (init, expected) in cases {
        let (weight, _) = drawn(init);
        // 60,000 draws estimate a standard deviation to 0.3 % (one sigma).
        assert!((std_of(&weight) / expected - 1.0).abs() < 0.015, "{init:?}: {} for {expected}", std_of(&weight));
    }
}

#[test]
fn bounds_hold_and_biases_are_what_each_initialiser_says() {
    let (weight, bias) = drawn(Init::GlorotUniform);
    let bound = (6.0f64 / 500.0).sqrt();
    assert!(weight.iter().all(|w| w.abs() <= bound) && weight.iter().any(|w| w.abs() > 0.99 * bound));
    assert!(bias.iter().all(|&b| b == 0.0));
    let (_, bias) = drawn(Init::PytorchLinear);
    assert!(bias.iter().all(|b| b.abs() <= 1.0 / 300f64.sqrt()) && std_of(&bias) > 0.02);
    let (_, bias) = drawn(Init::Normal { std: 0.05, biases: true });
    assert!(std_of(&bias) > 0.03);
    let (_, bias) = drawn(Init::Normal { std: 0.05, biases: false });
    assert!(bias.iter().all(|&b| b == 0.0));
}
