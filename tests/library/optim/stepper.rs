//! An optimizer at work, and its moments.

use narrows::optim::{Adagrad, Adam, Optimizer, Rmsprop, Semantics, Sgd, Stepper};
use narrows::settings::Choice as _;
use narrows_kernels::Isa;

fn gradient(params: &[f64]) -> Vec<f64> {
    params.iter().enumerate().map(|(i, w)| w * (1.0 + i as f64) - 0.3).collect()
}

fn every_optimizer() -> impl Iterator<Item = Optimizer> {
    let with_all_moments = [
        Optimizer::from(Sgd { momentum: 0.9, weight_decay: 0.01, ..Sgd::keras(0.01) }),
        Optimizer::from(Rmsprop { momentum: 0.9, centered: true, ..Rmsprop::pytorch(0.01) }),
    ];
    Semantics::all().flat_map(Optimizer::all).chain(with_all_moments)
}

#[test]
fn an_optimizer_restored_from_its_state_continues_to_the_same_bits() {
    for optimizer in every_optimizer() {
        let mut whole = Stepper::<f64>::new(optimizer, 5).unwrap();
        let mut params = [0.5, -1.5, 2.0, 0.1, -0.7];
        let step = |stepper: &mut Stepper<f64>, params: &mut [f64; 5]| {
            let grads = gradient(params);
            stepper.step(Isa::SCALAR, params, &grads, &[0..2, 2..5], 0.01);
        };
        (0..9).for_each(|_| step(&mut whole, &mut params));
        let (mut copy, mut again) = (Stepper::<f64>::new(optimizer, 5).unwrap(), params);
        (copy.steps, copy.moments) = (whole.steps, whole.moments.clone());
        (9..20).for_each(|_| step(&mut whole, &mut params));
        (9..20).for_each(|_| step(&mut copy, &mut again));
        assert_eq!((again, copy.steps), (params, 20), "{optimizer:?}");
    }
}

#[test]
fn parameters_in_ranges_go_where_they_go_alone_and_others_stay() {
    for optimizer in every_optimizer() {
        let mut alone = Stepper::<f64>::new(optimizer, 4).unwrap();
        let mut apart = Stepper::<f64>::new(optimizer, 4).unwrap();
        let mut params = [1.0, -2.0, 3.0, 0.25];
        let mut spread = [9.0, 1.0, -2.0, 9.0, 9.0, 3.0, 0.25, 9.0];
        for _ in 0..5 {
            alone.step(Isa::SCALAR, &mut params, &[0.5, -1.0, 2.0, -0.125], &[0..2, 2..4], 0.01);
            let grads = [7.0, 0.5, -1.0, 7.0, 7.0, 2.0, -0.125, 7.0];
            apart.step(Isa::SCALAR, &mut spread, &grads, &[1..3, 5..7], 0.01);
        }
        let [a, b, c, d] = params;
        assert_eq!(spread, [9.0, a, b, 9.0, 9.0, c, d, 9.0], "{optimizer:?}");
    }
}

#[test]
fn defaults_are_accepted_and_values_out_of_range_refused() {
    for optimizer in every_optimizer() {
        assert!(Stepper::<f32>::new(optimizer, 1).is_ok(), "{optimizer:?}");
    }
    for bad in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        let error = Stepper::<f32>::new(Adam { beta_2: bad, ..Adam::keras(0.1) }, 1).err().unwrap();
        let accepted = "a number of at least 0 and below 1";
        assert_eq!(error.to_string(), format!("\"optimizer.beta_2\" is {bad}; accepted: {accepted}"));
    }
    assert!(Stepper::<f32>::new(Sgd { nesterov: true, ..Sgd::keras(0.1) }, 1).is_err());
}

#[test]
fn a_rule_that_is_chosen_has_its_own_defaults() {
    let mut optimizer = Optimizer::from(Adam::pytorch(3.0));
    optimizer.choose(optimizer.chosen());
    assert_eq!(optimizer, Optimizer::from(Adam::defaults(Semantics::Keras)));
    assert_eq!(optimizer.names().len(), Optimizer::all(Semantics::Keras).count());
}

#[test]
#[should_panic(expected = "built for")]
fn parameters_of_another_number_are_refused() {
    let mut stepper = Stepper::<f32>::new(Adam::keras(0.1), 3).unwrap();
    stepper.step(Isa::SCALAR, &mut [0.0; 4], &[0.0; 4], &[0..2, 2..4], 0.1);
}

#[test]
fn pytorch_lowers_its_learning_rate_from_the_second_step_on() {
    let rule = Adagrad { lr_decay: 1.0, epsilon: f64::MIN_POSITIVE, ..Adagrad::pytorch(0.5) };
    let mut stepper = Stepper::<f64>::new(rule, 1).unwrap();
    let mut w = [1.0];
    let mut step = |gradient: f64| {
        stepper.step(Isa::SCALAR, &mut w, &[gradient], std::slice::from_ref(&(0..1)), 0.5);
        w[0]
    };
    assert_eq!(step(3.0), 0.5);
    assert_eq!(step(4.0), 0.5 - 0.25 * (4.0 / 5.0));
}
