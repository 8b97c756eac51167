//! What the tape promises beside right derivatives: shapes, groups of parameters, constants, scopes.

use narrows::rng::{Purpose, stream};
use narrows::tape::check::{Input, check_gradients};
use narrows::tape::{ALL, Activation, Arena, BackwardError, NOISE_SAMPLES, Shape, Tape, Transpose, Var};
use narrows::{Accumulate, Context};
use rand::RngExt as _;

/// Random inputs of these shapes with magnitudes in [0.3, 1.2): away from the kinks at zero.
fn inputs(shapes: &[Shape]) -> Vec<Input> {
    let mut stream = stream(21, Purpose::Init, 0);
    shapes.iter().map(|&shape| Input::random(shape, 0.3, 1.2, &mut stream)).collect()
}

#[track_caller]
fn check(shapes: &[Shape], function: impl Fn(&mut Tape<'_, f64>, &[Var]) -> Var) {
    assert_eq!(check_gradients(Context::detect(), &inputs(shapes), function), Ok(()));
}

fn random(count: usize) -> Vec<f32> {
    let mut stream = stream(22, Purpose::Init, 0);
    (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
}

#[test]
fn a_reshaped_value_has_the_gradients_of_the_value() {
    check(&[[2, 6].into()], |t, x| {
        let image = t.reshape(x[0], [2, 1, 3, 2]);
        assert_eq!(t.shape(image), Shape::from([2, 1, 3, 2]));
        let square = t.square(image);
        t.reshape(square, [12])
    });
    check(&[[3, 4].into(), [2, 4].into()], |t, x| {
        // A reshaped value beside the value itself, a reshaped reshaped value, and one that is lent on twice.
        let first = t.reshape(x[0], [2, 6]);
        let second = t.reshape(first, [4, 3]);
        let third = t.reshape(second, [3, 4]);
        let product = t.matmul_with(third, Transpose::No, x[1], Transpose::Yes);
        let sum = t.add(x[0], third);
        let product = t.reshape(product, [6]);
        let total = t.sum(product);
        t.mul_scalar(sum, total)
    });
}

#[test]
fn operations_see_a_matrix_in_four_dimensions_and_keep_them() {
    let image = Shape::from([2, 2, 3, 2]);
    check(&[image, [2, 3].into(), [3].into()], |t, x| {
        let y = t.dense(x[0], x[1], x[2], Activation::Tanh);
        assert_eq!(t.shape(y), Shape::from([2, 2, 3, 3]));
        y
    });
    check(&[image, [2, 4].into(), [1, 1, 4].into()], |t, x| {
        let product = t.matmul(x[0], x[1]);
        let shifted = t.add_row(product, x[2]);
        assert_eq!(t.shape(shifted), Shape::from([2, 2, 3, 4]));
        shifted
    });
    check(&[image, [1].into()], |t, x| {
        let column = t.row_sum(x[0]);
        let wide = t.broadcast_column(column, 5);
        let part = t.slice_columns(wide, 1, 3);
        assert_eq!(t.shape(part), Shape::from([2, 2, 3, 3]));
        t.mul_scalar(part, x[1])
    });
    check(&[image, image], |t, x| {
        let mean = t.column_mean(x[0]);
        assert_eq!(t.shape(mean), Shape::from([1, 2]));
        let (mse, kl) = (t.mse(x[0], x[1]), t.kl_in(2, x[0], x[1], 2.0));
        let losses = t.add(mse, kl);
        let mean = t.sum(mean);
        t.add(losses, mean)
    });
    // A weight may have four dimensions, and so does its gradient then.
    check(&[[5, 12].into(), [3, 2, 2, 4].into()], |t, x| {
        let product = t.matmul(x[0], x[1]);
        let penalty = t.square(x[1]);
        let penalty = t.sum(penalty);
        t.mul_scalar(product, penalty)
    });
}

/// Images and their rows of pixels are the same numbers, so that losses and draws must be the same bits.
#[test]
fn sums_losses_and_draws_count_samples_and_not_rows() {
    let samples = NOISE_SAMPLES + 3;
    let (data, target) = (random(samples * 12), random(samples * 12));
    let results = [Shape::from([samples, 12]), Shape::from([samples, 2, 3, 2])].map(|shape| {
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
        let (x, target) = (tape.constant(shape, &data), tape.constant(shape, &target));
        let noisy = tape.noise(x, 0.3, |block| stream(1, Purpose::Noise, block));
        let kept = tape.dropout(noisy, 0.4, |block| stream(2, Purpose::Noise, block));
        let scalars = [tape.sum(x), tape.mse(x, target), tape.bce_with_logits(x, target)];
        let values = [noisy, kept].map(|var| tape.value(var).to_vec());
        (values, scalars.map(|var| tape.scalar(var)), scalars.map(|var| tape.loss_sum(var)))
    });
    assert_eq!(results[0], results[1]);
    // The second block of samples draws from another stream than the first.
    let noise = |at: usize| results[0].0[0][at] - data[at];
    assert!((noise(NOISE_SAMPLES * 12) - noise(0)).abs() > 1e-3);
}

/// Two layers, each a group of parameters: [3, 4] + [4] at 0..16 and [4, 2] + [2] at 16..26.
const GROUPS: [std::ops::Range<usize>; 2] = [0..16, 16..26];

fn two_layers(tape: &mut Tape<'_, f32>) -> Var {
    let x = tape.constant([5, 3], &random(15));
    let (weight, bias) = (tape.parameter(0, [3, 4]), tape.parameter(12, [4]));
    let hidden = tape.dense(x, weight, bias, Activation::Tanh);
    let (weight, bias) = (tape.parameter(16, [4, 2]), tape.parameter(24, [2]));
    let y = tape.dense(hidden, weight, bias, Activation::Sigmoid);
    let square = tape.square(y);
    tape.sum(square)
}

/// NaN where nothing was written.
fn gradients_over(over: &[std::ops::Range<usize>], record: impl Fn(&mut Tape<'_, f32>) -> Var) -> Vec<f32> {
    let (params, mut grads) = (random(26), vec![f32::NAN; 26]);
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &params);
    let loss = record(&mut tape);
    tape.backward(loss, over, &mut grads, Accumulate::Overwrite).unwrap();
    grads
}

#[test]
fn a_group_of_parameters_gets_its_own_gradients_alone() {
    let all = gradients_over(ALL, two_layers);
    assert!(all.iter().all(|grad| grad.is_finite() && *grad != 0.0), "{all:?}");
    assert_eq!(gradients_over(&GROUPS, two_layers), all);
    for group in GROUPS {
        let found = gradients_over(std::slice::from_ref(&group), two_layers);
        assert_eq!(found[group.clone()], all[group.clone()]);
        let outside = found.iter().enumerate().filter(|(at, _)| !group.contains(at));
        assert!(outside.map(|(_, grad)| grad).all(|grad| grad.is_nan()), "{found:?}");
    }
    assert!(gradients_over(&[], two_layers).iter().all(|grad| grad.is_nan()));
}

#[test]
fn only_parameters_of_the_group_must_have_an_influence() {
    let with_idle = |tape: &mut Tape<'_, f32>| {
        let loss = tape.parameter(0, [2, 2]);
        tape.parameter(20, [3]);
        tape.sum(loss)
    };
    let grads = gradients_over(&GROUPS[..1], with_idle);
    assert_eq!(grads[..4], [1.0; 4]);
    let (params, mut arena, mut grads) = (random(26), Arena::default(), vec![0.0; 26]);
    let mut tape = Tape::new(Context::detect(), &mut arena, &params);
    let loss = with_idle(&mut tape);
    let refused = tape.backward(loss, &GROUPS, &mut grads, Accumulate::Overwrite).unwrap_err();
    assert_eq!(refused, BackwardError::NoGradient { offset: 20, shape: [3].into() });
}

#[test]
#[should_panic(expected = "the parameter at offset 0, shape [3, 4], lies only partly in the range 0..7 of a gradient")]
fn a_group_that_cuts_a_parameter_is_refused() {
    gradients_over(std::slice::from_ref(&(0..7)), two_layers);
}

#[test]
fn a_parameter_may_be_the_loss() {
    assert_eq!(gradients_over(ALL, |tape| tape.parameter(7, [1]))[7], 1.0);
}

#[test]
fn one_parameter_in_two_shapes_is_one_parameter() {
    let grads = gradients_over(ALL, |tape| {
        let (matrix, row) = (tape.parameter(0, [2, 3]), tape.parameter(0, [6]));
        let (matrix, row) = (tape.sum(matrix), tape.sum(row));
        tape.add(matrix, row)
    });
    assert_eq!(grads[..6], [2.0; 6]);
}

#[test]
#[should_panic(expected = "the parameter [2] at offset 3 overlaps another one of shape [2, 2]")]
fn parameters_that_overlap_are_refused() {
    gradients_over(ALL, |tape| {
        tape.parameter(0, [2, 2]);
        tape.parameter(3, [2])
    });
}

#[test]
#[should_panic(expected = "a reshape is assigned, which has no numbers of its own")]
fn a_value_that_shows_another_one_is_not_assigned() {
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &[0.0]);
    let x = tape.parameter(0, [1]);
    let moved = tape.scale(x, 2.0);
    tape.assign(0, moved);
    let shown = tape.reshape(moved, [1, 1]);
    tape.assign(0, shown);
}

#[test]
fn a_recorded_pass_leaves_the_scope_as_it_was() {
    let params = [-0.5, 1.0];
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &params);
    let x = tape.parameter(0, [1, 2]);
    tape.set_scope(1);
    let y = tape.exp(x);
    tape.set_scope(2);
    let sum = tape.sum(y);
    tape.set_scope(3);
    let gradient = tape.gradient_of(sum, x).unwrap();
    let negative = tape.scale(gradient, -1.0);
    tape.ln(negative);
    assert_eq!(tape.first_non_finite().map(|found| found.scope), Some(3));
    // One that fails, too: a value with two elements is no scalar.
    tape.gradient(y, &[x]).unwrap_err();
    let last = tape.scale(x, 2.0);
    assert_eq!(tape.nodes().last().map(|node| (node.scope, node.value.to_vec())), Some((3, tape.value(last).to_vec())));
}
