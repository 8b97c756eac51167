//! Stochastic gradient descent, with momentum μ.

use narrows::optim::Stepper;
use narrows::optim::*;
use narrows_kernels::Isa;

/// w after two steps from 1 with gradients 0.5 and −0.25 and learning rates 0.5 and 0.125; all numbers are exact.
fn two_steps(rule: Sgd) -> f64 {
    let mut stepper = Stepper::<f64>::new(rule, 1).unwrap();
    let mut w = [1.0];
    let whole = 0..1;
    for (gradient, rate) in [(0.5, 0.5), (-0.25, 0.125)] {
        stepper.step(Isa::SCALAR, &mut w, &[gradient], std::slice::from_ref(&whole), rate);
    }
    w[0]
}

#[test]
fn the_semantics_part_when_the_learning_rate_changes() {
    // v = −0.25, then −0.125 + 0.03125.
    assert_eq!(two_steps(Sgd { momentum: 0.5, ..Sgd::keras(1.0) }), 1.0 - 0.25 - 0.125 + 0.03125);
    // v = 0.5, then 0.25 − 0.25 = 0.
    assert_eq!(two_steps(Sgd { momentum: 0.5, ..Sgd::pytorch(1.0) }), 1.0 - 0.25);
}

#[test]
fn dampening_spares_the_first_step() {
    // v = 0.5, then 0.25 − 0.125.
    let rule = Sgd { momentum: 0.5, dampening: 0.5, ..Sgd::pytorch(1.0) };
    assert_eq!(two_steps(rule), 1.0 - 0.25 - 0.125 * 0.125);
}

#[test]
fn weight_decay_is_decoupled_in_keras_and_coupled_in_pytorch() {
    let first = 1.0 - 0.25 - 0.25;
    let keras = two_steps(Sgd { weight_decay: 0.5, ..Sgd::keras(1.0) });
    assert_eq!(keras, first - 0.0625 * first + 0.125 * 0.25);
    let pytorch = two_steps(Sgd { weight_decay: 0.5, ..Sgd::pytorch(1.0) });
    assert_eq!(pytorch, first - 0.125 * (-0.25 + 0.5 * first));
}
