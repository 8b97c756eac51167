//! Loss functions and penalties, recorded on a tape.

use narrows::loss::*;
use narrows::tape::Tape;
use narrows::tape::{ALL, Arena};
use narrows_kernels::{Accumulate, Context};

use crate::support::numbers;

fn with_tape<R>(run: impl FnOnce(&mut Tape<'_, f64>) -> R) -> R {
    run(&mut Tape::new(Context::detect(), &mut Arena::default(), &[]))
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-14 * (1.0 + expected.abs()), "{found} for {expected}");
}

#[test]
fn losses_have_their_textbook_values() {
    with_tape(|tape| {
        let output = tape.constant([2, 2], &[0.2, -1.5, 3.0, 0.0]);
        let target = tape.constant([2, 2], &[1.0, 0.0, 0.25, 0.5]);
        let bce = |z: f64, t: f64| {
            let s = 1.0 / (1.0 + (-z).exp());
            -(t * s.ln() + (1.0 - t) * (1.0 - s).ln())
        };
        let expected = (bce(0.2, 1.0) + bce(-1.5, 0.0) + bce(3.0, 0.25) + bce(0.0, 0.5)) / 4.0;
        let loss = record(Loss::Bce, tape, output, target);
        close(tape.scalar(loss), expected);
        let loss = record(Loss::Mse, tape, output, target);
        close(tape.scalar(loss), (0.64 + 2.25 + 7.5625 + 0.25) / 4.0);
    });
}

#[test]
fn kl_is_zero_for_proportional_images_and_its_reconstruction_has_the_target_s_sum() {
    with_tape(|tape| {
        let target = tape.constant([1, 4], &[0.1, 0.2, 0.3, 0.4]);
        let same = tape.constant([1, 4], &[0.5, 1.0, 1.5, 2.0]);
        let loss = record(Loss::Kl, tape, same, target);
        // ε = 1e-8 shifts both distributions by about that much.
        assert!(tape.scalar(loss).abs() < 1e-8, "{}", tape.scalar(loss));
        let images = reconstruction(Loss::Kl, tape, same, target);
        for (found, expected) in tape.value(images).iter().zip([0.1, 0.2, 0.3, 0.4]) {
            assert!((found - expected).abs() < 1e-7, "{found} for {expected}");
        }
        let other = tape.constant([1, 4], &[0.4, 0.3, 0.2, 0.1]);
        let loss = record(Loss::Kl, tape, other, target);
        assert!(tape.scalar(loss) > 0.1);
    });
}

#[test]
fn the_sparsity_penalty_is_the_divergence_of_means_and_clips_them() {
    with_tape(|tape| {
        let kl = |p: f64, q: f64| p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln();
        let config = Sparsity { weight: 0.5, rho: 0.05 };
        let means = tape.constant([1, 3], &[0.05, 0.3, 0.9]);
        let penalty = sparsity(config, tape, means);
        close(tape.scalar(penalty), 0.5 * (kl(0.05, 0.3) + kl(0.05, 0.9)));
        let outside = tape.constant([1, 2], &[0.0, 7.0]);
        let penalty = sparsity(config, tape, outside);
        let e = SPARSITY_EPSILON;
        // 1 − (1 − ε) is ε to ten digits only.
        let expected = 0.5 * (kl(0.05, e) + kl(0.05, 1.0 - e));
        assert!((tape.scalar(penalty) - expected).abs() < 1e-9, "{} for {expected}", tape.scalar(penalty));
        let gradient = tape.gradient_of(penalty, outside).unwrap();
        assert_eq!(tape.value(gradient), [0.0, 0.0]);
    });
}

#[test]
fn the_divergence_from_the_standard_normal_is_zero_there_alone() {
    with_tape(|tape| {
        let (mean, log_variance) = (tape.constant([1, 2], &[0.0, 2.0]), tape.constant([1, 2], &[0.0, -1.0]));
        let divergence = latent_divergence(tape, mean, log_variance);
        assert_eq!(tape.value(divergence)[0], 0.0);
        close(tape.value(divergence)[1], 0.5 * (4.0 + (-1f64).exp() - 1.0 + 1.0));
    });
}

#[test]
fn penalties_are_scaled_as_keras_scales_them() {
    with_tape(|tape| {
        let code = tape.constant([2, 2], &[1.0, -2.0, 0.0, 4.0]);
        let penalty = code_penalty(CodePenalty { l1: 0.1, l2: 0.01, ..CodePenalty::default() }, tape, code, 2).unwrap();
        close(tape.scalar(penalty), (0.1 * 7.0 + 0.01 * 21.0) / 2.0);
        assert!(code_penalty(CodePenalty::default(), tape, code, 2).is_none());
        let penalty = weight_penalty(0.5, tape, code).unwrap();
        close(tape.scalar(penalty), 0.5 * 21.0);
        assert!(weight_penalty(0.0, tape, code).is_none());
    });
}

#[test]
fn the_softmax_cross_entropy_is_that_of_pytorch() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/cross_entropy_pytorch.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let (labels, smoothing) = (numbers(&case["labels"]), case["smoothing"].as_f64().unwrap());
        let target = labels.iter().flat_map(|&label| {
            let on = move |class: usize| if class as f64 == label { 1.0 - smoothing } else { 0.0 };
            (0..classes).map(move |class| on(class) + smoothing / classes as f64)
        });
        let (mut arena, logits) = (Arena::default(), numbers(&case["logits"]));
        let mut gradient = vec![f64::NAN; logits.len()];
        let mut tape = Tape::new(Context::detect(), &mut arena, &logits);
        let x = tape.parameter(0, [labels.len(), classes]);
        let target = tape.constant([labels.len(), classes], &target.collect::<Vec<_>>());
        let loss = tape.softmax_cross_entropy(x, target);
        // Both sum the products of a row; where logits reach 6,000 those are rounded at 6,000 ε.
        let scale = logits.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        let tolerance = (classes + 4) as f64 * f64::EPSILON * scale;
        let (found, expected) = (tape.scalar(loss), case["loss"].as_f64().unwrap());
        assert!((found - expected).abs() <= tolerance, "{found} for {expected}");
        tape.backward(loss, ALL, &mut gradient, Accumulate::Overwrite).unwrap();
        for (found, expected) in gradient.iter().zip(numbers(&case["gradient"])) {
            assert!((found - expected).abs() <= (classes + 4) as f64 * f64::EPSILON, "{found} for {expected}");
        }
    }
}
