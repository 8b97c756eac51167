//! Contrastive and adversarial losses, and the tasks that minimise them: gradients, goldens, views.

use narrows::data::{Augmentation, Dataset, Samples};
use narrows::loss::{Contrast, adversarial_loss, contrastive, gradient_penalty};
use narrows::nn::Activation::{LeakyRelu, Linear, Relu, Sigmoid, Softplus, Tanh};
use narrows::nn::{BatchNorm, Draws, Layer, Pass, batch_norm, conv, conv_transpose, dense, reshape};
use narrows::optim::{Adam, Sgd};
use narrows::rng::{Purpose, stream};
use narrows::tape::check::{Input, check_gradients};
use narrows::tape::{ALL, Arena, Tape};
use narrows::tasks::{Gan, GanSpec, Generator as _, Simclr, SimclrSpec, Trainable, TrainedEncoder, Weights};
use narrows::train::{Batch, Metrics, Task};
use narrows_kernels::{Accumulate, Context};
use ndarray::{Array2, Array3};
use serde_json::Value;

use crate::support::numbers;

#[test]
fn contrastive_losses_and_gradients_are_those_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../golden/contrastive_pytorch.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let (z, expected) = (numbers(&case["z"]), numbers(&case["gradient"]));
        let shape = [2 * case["n"].as_u64().unwrap() as usize, case["d"].as_u64().unwrap() as usize];
        let contrast = if case["decoupled"] == true { Contrast::Decoupled } else { Contrast::NtXent };
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &z);
        let codes = tape.parameter(0, shape);
        let loss = contrastive(contrast, case["temperature"].as_f64().unwrap(), &mut tape, codes);
        let (found, wanted) = (tape.scalar(loss), case["loss"].as_f64().unwrap());
        assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{shape:?} {contrast:?}: {found} {wanted}");
        let mut grads = vec![f64::NAN; z.len()];
        tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite).unwrap();
        for (at, (found, wanted)) in grads.iter().zip(&expected).enumerate() {
            assert!((found - wanted).abs() <= 1e-12, "{shape:?} {contrast:?}, element {at}: {found} {wanted}");
        }
    }
}

#[test]
fn the_views_of_a_single_image_are_held_against_nothing() {
    for contrast in Contrast::all() {
        let z = [0.3f32, -0.2, 0.9, 0.5, 0.1, -0.4];
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &z);
        let codes = tape.parameter(0, [2, 3]);
        let loss = contrastive(contrast, 0.1, &mut tape, codes);
        // Logarithms and exponentials of numbers up to 20, in f32.
        assert!(tape.scalar(loss).abs() <= 20.0 * f32::EPSILON, "{contrast:?}: {}", tape.scalar(loss));
        let mut grads = [f32::NAN; 6];
        tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite).unwrap();
        assert!(grads.iter().all(|grad| grad.abs() <= 1e-5), "{contrast:?}: {grads:?}");
    }
}

#[test]
fn gradients_of_contrastive_and_adversarial_losses_are_those_of_central_differences() {
    let mut stream = stream(8, Purpose::Init, 0);
    let codes = Input::random([6, 3], 0.3, 1.2, &mut stream);
    for contrast in Contrast::all() {
        let check = check_gradients(Context::detect(), std::slice::from_ref(&codes), |tape, z| {
            contrastive(contrast, 0.4, tape, z[0])
        });
        assert_eq!(check, Ok(()), "{contrast:?}");
    }
    for target in [0.0, 0.9, 1.0] {
        let check = check_gradients(Context::detect(), std::slice::from_ref(&codes), |tape, z| {
            adversarial_loss(tape, z[0], target)
        });
        assert_eq!(check, Ok(()), "target {target}");
    }
}

#[test]
fn the_gradient_penalty_is_that_of_central_differences_and_can_be_minimised() {
    let mut draws = stream(9, Purpose::Init, 0);
    let x: Vec<f64> = Input::random([4, 3], 0.2, 1.0, &mut draws).data;
    let inputs = [
        Input::random([3, 5], 0.2, 0.9, &mut draws),
        Input::random([1, 5], 0.1, 0.5, &mut draws),
        Input::random([5, 1], 0.2, 0.9, &mut draws),
        Input::random([1, 1], 0.1, 0.5, &mut draws),
    ];
    let record = |tape: &mut Tape<'_, f64>, params: &[narrows::tape::Var]| {
        let x = tape.constant([4, 3], &x);
        let hidden = tape.dense(x, params[0], params[1], Tanh);
        let logits = tape.dense(hidden, params[2], params[3], Linear);
        let penalty = gradient_penalty(3.0, tape, logits, x);
        // The last bias moves no gradient; the loss beside it does.
        let loss = adversarial_loss(tape, logits, 1.0);
        tape.add(penalty, loss)
    };
    assert_eq!(check_gradients(Context::detect(), &inputs, record), Ok(()));
    // 3/2 · the mean of |∂logit/∂x|², by differences of the logits.
    let flat: Vec<f64> = inputs.iter().flat_map(|input| input.data.clone()).collect();
    let logit = |row: &[f64]| {
        let hidden = |j: usize| libm::tanh((0..3).map(|i| row[i] * flat[5 * i + j]).sum::<f64>() + flat[15 + j]);
        (0..5).map(|j| hidden(j) * flat[20 + j]).sum::<f64>()
    };
    let mut expected = 0.0;
    for row in x.chunks_exact(3) {
        for i in 0..3 {
            let moved = |by: f64| logit(&std::array::from_fn::<f64, 3, _>(|k| row[k] + if k == i { by } else { 0.0 }));
            expected += 1.5 / 4.0 * ((moved(1e-5) - moved(-1e-5)) / 2e-5).powi(2);
        }
    }
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &flat);
    let x = tape.constant([4, 3], &x);
    let (w, b) = (tape.parameter(0, [3, 5]), tape.parameter(15, [1, 5]));
    let hidden = tape.dense(x, w, b, Tanh);
    let (w, b) = (tape.parameter(20, [5, 1]), tape.parameter(25, [1, 1]));
    let logits = tape.dense(hidden, w, b, Linear);
    let penalty = gradient_penalty(3.0, &mut tape, logits, x);
    assert!((tape.scalar(penalty) - expected).abs() <= 1e-8 * expected, "{} {expected}", tape.scalar(penalty));
}

const IMAGE: [usize; 3] = [8, 8, 1];

/// Blots at random places.
fn toys(count: usize) -> Dataset {
    let pixels = Array3::from_shape_fn((count, 8, 8), |(n, row, col)| {
        let (dy, dx) = (row as f32 - (n * 5 % 7) as f32, col as f32 - (n * 3 % 8) as f32);
        1.0 / (1.0 + 0.3 * (dy * dy + dx * dx))
    });
    Dataset::from_array("toys", pixels.view()).unwrap()
}

fn gan(gradient_penalty: f64, smooth: bool) -> Gan {
    let (rising, leaky) = if smooth { (Softplus, Tanh) } else { (Relu, LeakyRelu { slope: 0.2 }) };
    let mut generator = vec![dense(32, Linear), reshape(&[2, 2, 8]), batch_norm(BatchNorm::Pytorch, rising)];
    generator.extend([conv_transpose(4, 4, 2, rising), conv_transpose(1, 4, 2, Sigmoid)]);
    let mut discriminator =
        vec![Layer::Conv { filters: 4, kernel: 4, stride: 2, padding: Default::default(), activation: leaky }];
    discriminator.extend((gradient_penalty == 0.0).then(|| batch_norm(BatchNorm::Pytorch, leaky)));
    discriminator.extend([conv(3, 3, leaky), dense(1, Linear)]);
    let spec = GanSpec { latent: 5, generator, discriminator, gradient_penalty, ..GanSpec::default() };
    let adam = Adam { beta_1: 0.5, ..Adam::pytorch(2e-3) };
    Gan::new(&spec, IMAGE, [adam.into(), adam.into()]).unwrap()
}

fn simclr(contrast: Contrast, smooth: bool) -> Simclr {
    let rising = if smooth { Tanh } else { Relu };
    let encoder = vec![
        Layer::Conv { filters: 4, kernel: 3, stride: 2, padding: Default::default(), activation: Linear },
        batch_norm(BatchNorm::Pytorch, rising),
        dense(6, rising),
    ];
    let augmentation = Augmentation { crop: 0.7, flip: true, shift: 1, brightness: 0.3, blur: 0.8, cutout: 2 };
    let spec = SimclrSpec {
        encoder,
        head: vec![dense(6, rising), dense(4, Linear)],
        contrast,
        augmentation,
        ..SimclrSpec::default()
    };
    Simclr::new(&spec, IMAGE, Adam::keras(1e-2).into()).unwrap()
}

/// Holds what a phase minimises of five images against differences.
fn check_task(task: &(impl Task<f64> + Task<f32>), phase: usize) {
    let mut draws = stream(31, Purpose::Init, phase as u64);
    let layout = Task::<f64>::layout(task);
    let inputs: Vec<Input> = layout.iter().map(|param| Input::random(param.shape, 0.1, 0.5, &mut draws)).collect();
    let (data, indices) = (toys(5), [0, 1, 2, 3, 4]);
    let record = |tape: &mut Tape<'_, f64>| {
        let batch = Batch::new(Samples { data: &data, indices: &indices });
        let pass = Pass::Train(Draws { seed: 3, step: 2, phase: phase as u8, ..Draws::default() });
        task.record(phase, tape, &batch, pass, &mut Metrics::default()).total
    };
    let flat: Vec<f64> = inputs.iter().flat_map(|input| input.data.clone()).collect();
    let ranges = layout.ranges(&Task::<f64>::phases(task)[phase].groups).unwrap();
    let value = |at: &[f64]| {
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, at);
        let total = record(&mut tape);
        tape.scalar(total)
    };
    let mut grads = vec![f64::NAN; flat.len()];
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &flat);
    let total = record(&mut tape);
    tape.backward(total, &ranges, &mut grads, Accumulate::Overwrite).unwrap();
    let mut largest: f64 = 0.0;
    for at in 0..flat.len() {
        if !ranges.iter().any(|range| range.contains(&at)) {
            assert!(grads[at].is_nan(), "a gradient outside of the phase's groups");
            continue;
        }
        let mut moved = flat.clone();
        moved[at] = flat[at] + 1e-5;
        let above = value(&moved);
        moved[at] = flat[at] - 1e-5;
        let numeric = (above - value(&moved)) / 2e-5;
        largest = largest.max(numeric.abs());
        assert!((grads[at] - numeric).abs() <= 1e-7 * (1.0 + numeric.abs()), "parameter {at}: {} {numeric}", grads[at]);
    }
    assert!(largest > 1e-4, "all gradients are next to nothing: {largest:e}");
}

#[test]
fn gradients_of_each_phase_are_those_of_central_differences() {
    for penalty in [0.0, 2.0] {
        (0..2).for_each(|phase| check_task(&gan(penalty, true), phase));
    }
    Contrast::all().for_each(|contrast| check_task(&simclr(contrast, true), 0));
}

#[test]
fn running_statistics_move_with_every_batch_that_a_step_shows_the_discriminator() {
    let (gan, data) = (gan(0.0, false), toys(8));
    let batch = Batch::new(Samples { data: &data, indices: &[0, 1, 2, 3, 4, 5, 6, 7] });
    let mean = Task::<f32>::layout(&gan).get("discriminator.1.running_mean").unwrap();
    let after_a_step = |begun: f32| {
        let mut params = gan.init(4);
        mean.of_mut(&mut params).fill(begun);
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &params);
        gan.record(0, &mut tape, &batch, Pass::Train(Draws::default()), &mut Metrics::default());
        arena.assign(&mut params);
        mean.of(&params).to_vec()
    };
    // PyTorch keeps 0.9 for the generated images, and of that 0.9 for the real ones.
    for (from_1, from_0) in after_a_step(1.0).iter().zip(after_a_step(0.0)) {
        assert!((from_1 - from_0 - 0.81).abs() <= 1e-6, "{from_1} {from_0}");
    }
}

#[test]
fn a_batch_of_one_image_leaves_the_diversity_to_the_others() {
    let (gan, data) = (gan(1.0, false), toys(501));
    let params = gan.init(5);
    let weights = Weights { params: &params, context: Context::detect() };
    let diversity = |indices: Vec<u32>| {
        let figures = gan.evaluate(weights, Samples { data: &data, indices: &indices }, &mut Arena::default());
        figures["diversity"].as_f64()
    };
    let whole = diversity((0..500).collect());
    assert!(whole > Some(0.0));
    assert_eq!(diversity((0..501).collect()), whole);
    assert_eq!(diversity(vec![7]), None);
}

#[test]
fn every_batch_that_is_measured_draws_noise_and_views_of_its_own() {
    // One image again and again: without noise of its own every batch has the same figures.
    let image = Array3::from_elem((1000, 8, 8), 0.5f32);
    let data = Dataset::from_array("toys", image.view()).unwrap();
    let (gan, pairs) = (gan(0.0, false), simclr(Contrast::NtXent, false));
    let indices: Vec<u32> = (0..1000).collect();
    let halves = |measure: &dyn Fn(Samples<'_>) -> f64| {
        let half = |indices: &[u32]| measure(Samples { data: &data, indices });
        [half(&indices[..500]), half(&indices[500..]), half(&indices[..500])]
    };
    let [mut params, of_pairs] = [gan.init(5), pairs.init(5)];
    // A fresh generator makes nearly one image of all noise.
    params.iter_mut().for_each(|value| *value *= 20.0);
    let context = Context::detect();
    let loss = |task: &dyn Trainable, params: &[f32], samples: Samples<'_>| {
        task.evaluate(Weights { params, context }, samples, &mut Arena::default())["loss"].as_f64().unwrap()
    };
    for [first, other, again] in
        [halves(&|samples| loss(&gan, &params, samples)), halves(&|samples| loss(&pairs, &of_pairs, samples))]
    {
        assert!(first == again && first != other, "{first} {other} {again}");
    }
}

#[test]
fn views_differ_from_each_other_and_from_step_to_step_and_stay_the_same_for_a_step() {
    let (data, pairs) = (toys(40), simclr(Contrast::NtXent, false));
    let indices: Vec<u32> = (0..40).collect();
    let views = |step: u64| {
        let mut out = vec![f32::NAN; 2 * 40 * 64];
        let draws = Draws { seed: 1, step, ..Draws::default() };
        pairs.views(Samples { data: &data, indices: &indices }, draws, &mut out);
        out
    };
    let (first, next) = (views(0), views(1));
    assert_eq!(first, views(0));
    let alike = |a: &[f32], b: &[f32]| a.chunks_exact(64).zip(b.chunks_exact(64)).filter(|(a, b)| a == b).count();
    assert_eq!((alike(&first[..40 * 64], &first[40 * 64..]), alike(&first, &next)), (0, 0));
    assert!(first.iter().all(|value| (0.0..=1.0).contains(value)));
}

#[test]
fn generated_images_and_codes_are_the_same_one_by_one() {
    let (gan, pairs) = (gan(0.0, false), simclr(Contrast::NtXent, false));
    let noise = Array2::from_shape_fn((7, 5), |(i, j)| (i as f32 - 3.0) * 0.3 + j as f32 * 0.1);
    let params = gan.init(2);
    let weights = Weights { params: &params, context: Context::detect() };
    let images = gan.generate(weights, noise.view()).unwrap();
    assert!(images.dim() == (7, 64) && images.iter().all(|value| (0.0..=1.0).contains(value)));
    let one = gan.generate(weights, noise.row(3).insert_axis(ndarray::Axis(0))).unwrap();
    assert_eq!(one.row(0), images.row(3));
    let refused = gan.generate(weights, images.view()).unwrap_err().to_string();
    assert_eq!(refused, "cannot generate an array of 64 columns: the model takes rows of 5 values");
    let params = pairs.init(2);
    let encoder = TrainedEncoder { layers: pairs.encoder().unwrap(), params: &params, context: Context::detect() };
    assert_eq!(encoder.encode(images.view()).unwrap().dim(), (7, 6));
}

#[test]
fn networks_that_cannot_play_are_refused() {
    use narrows::settings::check;
    let sound = GanSpec {
        generator: vec![dense(64, Sigmoid)],
        discriminator: vec![dense(8, Relu), dense(1, Linear)],
        ..GanSpec::default()
    };
    let refusal = |spec: GanSpec| check(&mut spec.clone()).map_err(|fault| fault.to_string());
    assert_eq!(refusal(sound.clone()), Ok(()));
    let linear = GanSpec { generator: vec![dense(64, Linear)], ..sound.clone() };
    assert!(refusal(linear).unwrap_err().starts_with("\"generator\" is without a sigmoid at its end; accepted: "));
    let two = GanSpec { discriminator: vec![dense(2, Linear)], ..sound.clone() };
    assert!(refusal(two).unwrap_err().starts_with("\"discriminator\" is without one number at its end"));
    let normalised = GanSpec {
        discriminator: vec![batch_norm(BatchNorm::Keras, Linear), dense(1, Linear)],
        gradient_penalty: 1.0,
        ..sound.clone()
    };
    assert!(refusal(normalised).unwrap_err().starts_with("\"gradient_penalty\" is given while the discriminator has"));
    let sgd: narrows::optim::OptimizerSpec = Sgd::keras(0.1).into();
    let wide = GanSpec { generator: vec![dense(65, Sigmoid)], ..sound };
    assert!(Gan::new(&wide, IMAGE, [sgd.clone(), sgd]).is_err());
}
