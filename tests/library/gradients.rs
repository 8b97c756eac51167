//! Every operation's gradient, recorded gradient and gradient of the gradient, against central differences in f64.

use narrows::rng::{Purpose, stream};
use narrows::tape::check::{Input, check_gradients};
use narrows::tape::{ALL, Activation, Arena, BackwardError, Tape, Transpose, Var};
use narrows_kernels::conv::pool::Pooling;
use narrows_kernels::{Accumulate, Context, Isa};

/// Random inputs of these shapes with magnitudes in [0.3, 1.2): away from the kinks at zero.
pub fn inputs<const RANK: usize>(shapes: &[[usize; RANK]]) -> Vec<Input> {
    let mut stream = stream(11, Purpose::Init, 0);
    shapes.iter().map(|&shape| Input::random(shape, 0.3, 1.2, &mut stream)).collect()
}

fn positive<const RANK: usize>(shapes: &[[usize; RANK]]) -> Vec<Input> {
    let mut stream = stream(12, Purpose::Init, 0);
    shapes.iter().map(|&shape| Input::positive(shape, 0.3, 1.2, &mut stream)).collect()
}

pub fn check(name: &str, inputs: &[Input], function: impl Fn(&mut Tape<'_, f64>, &[Var]) -> Var) {
    for isa in Isa::available() {
        let context = Context { isa, ..Context::detect() };
        if let Err(mismatch) = check_gradients(context, inputs, &function) {
            panic!("{name} on {}: {mismatch}", isa.name());
        }
    }
}

/// Every activation, with numbers that are not the defaults.
pub const ACTIVATIONS: [Activation; 7] = [
    Activation::Linear,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.5 },
    Activation::Elu { alpha: 1.3 },
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
];

#[test]
fn products_in_every_combination_of_transposes() {
    use Transpose::{No, Yes};
    check("a·b", &inputs(&[[3, 4], [4, 2]]), |t, x| t.matmul_with(x[0], No, x[1], No));
    check("aᵀ·b", &inputs(&[[4, 3], [4, 2]]), |t, x| t.matmul_with(x[0], Yes, x[1], No));
    check("a·bᵀ", &inputs(&[[3, 4], [2, 4]]), |t, x| t.matmul_with(x[0], No, x[1], Yes));
    check("aᵀ·bᵀ", &inputs(&[[4, 3], [2, 4]]), |t, x| t.matmul_with(x[0], Yes, x[1], Yes));
    check("a·a", &inputs(&[[3, 3]]), |t, x| t.matmul(x[0], x[0]));
    check("a·aᵀ", &inputs(&[[3, 4]]), |t, x| t.matmul_with(x[0], No, x[0], Yes));
}

#[test]
fn activations_alone_and_in_dense_layers() {
    for activation in ACTIVATIONS {
        check(&format!("{activation:?}"), &inputs(&[[3, 5]]), |t, x| t.activate(x[0], activation));
        let shapes = [[3, 4], [4, 5], [1, 5]];
        check(&format!("dense, {activation:?}"), &inputs(&shapes), |t, x| t.dense(x[0], x[1], x[2], activation));
    }
}

#[test]
fn elementwise_functions() {
    check("exp", &inputs(&[[2, 3]]), |t, x| t.exp(x[0]));
    check("ln", &positive(&[[2, 3]]), |t, x| t.ln(x[0]));
    check("square", &inputs(&[[2, 3]]), |t, x| t.square(x[0]));
    check("abs", &inputs(&[[2, 3]]), |t, x| t.abs(x[0]));
    check("reciprocal", &inputs(&[[2, 3]]), |t, x| t.reciprocal(x[0]));
    check("scale", &inputs(&[[2, 3]]), |t, x| t.scale(x[0], -1.7));
    check("offset", &inputs(&[[2, 3]]), |t, x| t.offset(x[0], 0.4));
    check("clamp", &inputs(&[[4, 5]]), |t, x| {
        let clamped = t.clamp(x[0], -0.71, 0.62);
        t.square(clamped)
    });
}

#[test]
fn combinations_of_two_values() {
    check("add", &inputs(&[[2, 3], [2, 3]]), |t, x| t.add(x[0], x[1]));
    check("sub", &inputs(&[[2, 3], [2, 3]]), |t, x| t.sub(x[0], x[1]));
    check("mul", &inputs(&[[2, 3], [2, 3]]), |t, x| t.mul(x[0], x[1]));
    check("broadcast bias", &inputs(&[[4, 3], [1, 3]]), |t, x| t.add_row(x[0], x[1]));
    check("product with a scalar", &inputs(&[[4, 3], [1, 1]]), |t, x| t.mul_scalar(x[0], x[1]));
}

#[test]
fn normalisations() {
    for activation in [Activation::Linear, Activation::Tanh, Activation::Softplus] {
        check(&format!("normalisation, {activation:?}"), &inputs(&[[5, 3], [1, 3], [1, 3], [1, 3]]), |t, x| {
            t.normalise(x[0], x[1], x[2], x[3], activation)
        });
        check(&format!("batch normalisation, {activation:?}"), &inputs(&[[6, 3], [1, 3], [1, 3]]), |t, x| {
            t.batch_normalise(x[0], x[1], x[2], 1e-3, activation).output
        });
    }
    check("batch normalisation of an image", &inputs(&[[2, 2, 3, 2]]), |t, x| {
        let [weight, bias] = [0.7, -0.2].map(|value| t.constant_with([1, 2], |row| row.fill(value)));
        t.batch_normalise(x[0], weight, bias, 1e-5, Activation::Sigmoid).output
    });
}

#[test]
fn reductions_and_broadcasts() {
    check("sum", &inputs(&[[4, 3]]), |t, x| t.sum(x[0]));
    check("mean", &inputs(&[[4, 3]]), |t, x| t.mean(x[0]));
    check("row sum", &inputs(&[[4, 3]]), |t, x| t.row_sum(x[0]));
    check("column sum", &inputs(&[[4, 3]]), |t, x| t.column_sum(x[0]));
    check("column mean", &inputs(&[[4, 3]]), |t, x| t.column_mean(x[0]));
    check("broadcast column", &inputs(&[[4, 1]]), |t, x| t.broadcast_column(x[0], 3));
    check("broadcast row", &inputs(&[[1, 4]]), |t, x| t.broadcast_row(x[0], 3));
}

#[test]
fn columns_taken_out() {
    check("slice columns", &inputs(&[[3, 6]]), |t, x| t.slice_columns(x[0], 2, 3));
    check("overlapping slices", &inputs(&[[3, 6]]), |t, x| {
        let (left, right) = (t.slice_columns(x[0], 0, 4), t.slice_columns(x[0], 2, 4));
        t.mul(left, right)
    });
}

#[test]
fn losses() {
    check("mean squared error", &inputs(&[[3, 4], [3, 4]]), |t, x| t.mse(x[0], x[1]));
    check("binary cross-entropy", &inputs(&[[3, 4], [3, 4]]), |t, x| t.bce_with_logits(x[0], x[1]));
    check("softmax cross-entropy", &inputs(&[[3, 4], [3, 4]]), |t, x| t.softmax_cross_entropy(x[0], x[1]));
    check("softmax", &inputs(&[[3, 4]]), |t, x| t.softmax(x[0]));
    check("KL divergence", &positive(&[[3, 4], [3, 4]]), |t, x| t.kl_in(3, x[0], x[1], 1e-8));
    check("loss times loss", &inputs(&[[3, 4], [3, 4]]), |t, x| {
        let (mse, bce) = (t.mse(x[0], x[1]), t.bce_with_logits(x[0], x[1]));
        let both = t.mul(mse, bce);
        let softmax = t.softmax_cross_entropy(x[1], x[0]);
        t.mul(both, softmax)
    });
}

#[test]
fn noise_and_dropout_from_a_named_stream() {
    check("dropout", &inputs(&[[4, 5]]), |t, x| t.dropout(x[0], 0.4, |_| stream(1, Purpose::Noise, 7)));
    check("noise", &inputs(&[[4, 5]]), |t, x| {
        let noisy = t.noise(x[0], 0.3, |_| stream(1, Purpose::Noise, 7));
        t.square(noisy)
    });
}

#[test]
fn values_used_more_than_once() {
    check("x·x", &inputs(&[[2, 3]]), |t, x| t.mul(x[0], x[0]));
    check("x + x", &inputs(&[[2, 3]]), |t, x| t.add(x[0], x[0]));
    check("x − x²", &inputs(&[[2, 3]]), |t, x| {
        let square = t.square(x[0]);
        t.sub(x[0], square)
    });
    check("diamond", &inputs(&[[2, 3]]), |t, x| {
        let (left, right) = (t.activate(x[0], Activation::Tanh), t.exp(x[0]));
        let product = t.mul(left, right);
        let sum = t.add(product, left);
        t.mul(sum, product)
    });
    check("a lent gradient that grows afterwards", &inputs(&[[2, 3], [2, 3]]), |t, x| {
        let sum = t.add(x[0], x[1]);
        let twice = t.add(sum, sum);
        let square = t.square(x[0]);
        t.add(twice, square)
    });
}

#[test]
fn an_autoencoder_with_tied_weights_and_a_penalty() {
    check("tied autoencoder", &inputs(&[[3, 4], [4, 2], [1, 2], [1, 4]]), |t, x| {
        let code = t.dense(x[0], x[1], x[2], Activation::Sigmoid);
        let decoded = t.matmul_with(code, Transpose::No, x[1], Transpose::Yes);
        let logits = t.add_row(decoded, x[3]);
        let target = t.activate(x[0], Activation::Sigmoid);
        let bce = t.bce_with_logits(logits, target);
        let magnitude = t.abs(code);
        let l1 = t.sum(magnitude);
        let penalty = t.scale(l1, 0.01);
        t.add(bce, penalty)
    });
}

#[test]
fn the_norm_of_an_encoder_jacobian_by_recorded_passes() {
    // ‖∂code/∂x‖² over the batch: one recorded pass for each code unit, then differentiated by the checker.
    check("contractive penalty", &inputs(&[[3, 4], [4, 3], [1, 3], [3, 2], [1, 2]]), |t, x| {
        let hidden = t.dense(x[0], x[1], x[2], Activation::Softplus);
        let code = t.dense(hidden, x[3], x[4], Activation::Sigmoid);
        let mut total = t.zeros([1, 1]);
        for unit in 0..2 {
            let column = t.slice_columns(code, unit, 1);
            let output = t.sum(column);
            let jacobian_row = t.gradient(output, &[x[0]]).unwrap()[0];
            let squares = t.square(jacobian_row);
            let norm = t.sum(squares);
            total = t.add(total, norm);
        }
        total
    });
}

#[test]
fn the_norm_of_a_two_layer_jacobian_in_closed_form() {
    let shapes = [[3, 4], [3, 2], [5, 4], [4, 2]];
    check("closed form", &inputs(&shapes), |t, x| {
        let norm = t.jacobian_norm(x[0], x[1], x[2], x[3], 0.3);
        // Used twice, and with another factor than one.
        t.mul(norm, norm)
    });
}

#[test]
fn derivatives_of_activations() {
    for activation in ACTIVATIONS {
        if matches!(activation, Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. }) {
            // Constant derivatives, which no input influences.
            continue;
        }
        check(&format!("derivative of {activation:?}"), &inputs(&[[3, 4]]), |t, x| {
            let y = t.activate(x[0], activation);
            t.activation_derivative(y, activation)
        });
    }
}

#[test]
fn gradients_overwrite_or_add() {
    let params = [0.5, -1.5, 2.0];
    let mut arena = Arena::default();
    let mut grads = [10.0, 20.0, 30.0];
    for (accumulate, expected) in [(Accumulate::Add, [11.0, 17.0, 34.0]), (Accumulate::Overwrite, [1.0, -3.0, 4.0])] {
        let mut tape = Tape::new(Context::detect(), &mut arena, &params);
        let x = tape.parameter(0, [1, 3]);
        let square = tape.square(x);
        let loss = tape.sum(square);
        tape.backward(loss, ALL, &mut grads, accumulate).unwrap();
        assert_eq!(grads, expected);
    }
}

#[test]
fn a_parameter_without_influence_and_a_loss_that_is_no_scalar_are_refused() {
    let params = [1.0, 2.0, 3.0];
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &params);
    let used = tape.parameter(0, [1, 1]);
    let unused = tape.parameter(1, [1, 2]);
    let loss = tape.square(used);
    let mut grads = [0.0; 3];
    let refused = tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite);
    assert_eq!(refused, Err(BackwardError::NoGradient { offset: 1, shape: [1, 2].into() }));
    let refused = tape.backward(unused, ALL, &mut grads, Accumulate::Overwrite);
    assert_eq!(refused, Err(BackwardError::NotScalar { shape: [1, 2].into() }));
}

#[test]
fn the_first_value_that_is_not_finite_is_found_with_its_scope_and_place() {
    let params = [1.0, -2.0];
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &params);
    let x = tape.parameter(0, [1, 2]);
    assert_eq!(tape.first_non_finite(), None);
    tape.set_scope(3);
    let ln = tape.ln(x);
    tape.set_scope(4);
    tape.exp(ln);
    let found = tape.first_non_finite().unwrap();
    assert_eq!((found.operation, found.scope, found.row, found.col), ("ln", 3, 0, 1));
}

/// Four positions of 255 side by side are a NaN to whoever reads them as a number.
#[test]
fn positions_of_maxima_are_no_numbers() {
    let of = Pooling { image: [16; 2], output: [1; 2], channels: 4, window: [16; 2], stride: [16; 2], padding: [0; 2] };
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
    let image: Vec<f32> = (0..1024).map(|at| at as f32).collect();
    let x = tape.constant([1, 16, 16, 4], &image);
    let y = tape.max_pool(x, of);
    assert_eq!(tape.value(y), [1020.0, 1021.0, 1022.0, 1023.0]);
    assert_eq!(tape.first_non_finite(), None);
    assert!(tape.nodes().flat_map(|node| node.value).all(|value| value.is_finite()));
}
