//! Every vector kernel gives the same bits on every instruction set and with any number of threads, and those of the plain
//! loops that define it.

use Accumulate::{Add, Overwrite};
use narrows_kernels::activation::{
    Activation, activate, activate_in_place, activation_derivative, activation_derivative_and_column_sums,
};
use narrows_kernels::elementwise::{self, Binary, Unary};
use narrows_kernels::softmax::{softmax, softmax_cross_entropy_and_gradient};
use narrows_kernels::update::{self, Decay};
use narrows_kernels::{Accumulate, Isa, Real, losses, normalise, reduce};

/// The name of a call and the bits it returned, every NaN one pattern: its sign and payload are no part of the contract.
type Outcome = (String, Vec<u64>);

pub fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| if value.to_f64().is_nan() { u64::MAX } else { value.bits() }).collect()
}

/// Where two runs of the same calls differ first.
fn first_difference(left: &[Outcome], right: &[Outcome]) -> Option<String> {
    if left.len() != right.len() {
        return Some(format!("{} calls against {}", left.len(), right.len()));
    }
    for ((name, left), (other, right)) in left.iter().zip(right) {
        if name != other || left.len() != right.len() {
            return Some(format!("{name} of {} elements against {other} of {}", left.len(), right.len()));
        }
        if let Some(i) = (0..left.len()).find(|&i| left[i] != right[i]) {
            return Some(format!("{name}, element {i}: {:#x} against {:#x}", left[i], right[i]));
        }
    }
    None
}

/// Numbers in (−4, 4); when `wild`, a third of them are special or of any magnitude.
pub fn numbers<T: Real>(len: usize, seed: u64, wild: bool) -> Vec<T> {
    let tiny = T::from_f64(if T::NAME == "f32" { 1e-40 } else { 1e-310 });
    let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.0, -1.0, 3e38, -3e38].map(T::from_f64);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..len)
        .map(|_| {
            let unit = (next() >> 11) as f64 / (1u64 << 53) as f64;
            match next() % 9 {
                0 if wild => special[(unit * 9.0) as usize],
                1 if wild => T::from_f64(unit - 0.5) * tiny,
                2 if wild => T::from_f64((unit - 0.5) * 300.0),
                _ => T::from_f64(unit * 8.0 - 4.0),
            }
        })
        .collect()
}

pub fn activations() -> [Activation; 7] {
    use Activation::*;
    [Linear, Relu, LeakyRelu { slope: 0.3 }, Elu { alpha: 1.5 }, Tanh, Sigmoid, Softplus]
}

/// Every public kernel on a, b, c [rows, cols].
fn outcomes<T: Real>(isa: Isa, [a, b, c]: [&[T]; 3], cols: usize) -> Vec<Outcome> {
    let len = a.len();
    let rows = len / cols;
    let s = T::from_f64(0.7);
    let nan = T::from_f64(f64::NAN);
    let mut all: Vec<Outcome> = Vec::new();
    // Outputs that are overwritten begin as NaN: reading them would show.
    let mut with = |name: String, old: &[T], call: &mut dyn FnMut(&mut [T], Accumulate)| {
        for accumulate in [Overwrite, Add] {
            let mut out = if accumulate == Add { old.to_vec() } else { vec![nan; old.len()] };
            call(&mut out, accumulate);
            all.push((format!("{name} {accumulate:?}"), bits(&out)));
        }
    };
    for op in [
        Unary::Exp,
        Unary::Ln,
        Unary::Square,
        Unary::Abs,
        Unary::Sign,
        Unary::Reciprocal,
        Unary::Scale(s),
        Unary::Offset(s),
        Unary::Clamp(-s, s),
        Unary::Between(-s, s),
    ] {
        with(format!("{op:?}"), c, &mut |out, add| elementwise::unary(isa, op, a, out, add));
    }
    for op in [Binary::Add, Binary::Sub, Binary::Mul] {
        with(format!("{op:?}"), c, &mut |out, add| elementwise::binary(isa, op, a, b, out, add));
    }
    with("mul_scalar".into(), c, &mut |out, add| elementwise::mul_scalar(isa, a, s, out, add));
    with("scale_in_place".into(), c, &mut |out, _| {
        out.copy_from_slice(a);
        elementwise::scale_in_place(isa, out, s);
    });
    with("clamp_in_place".into(), c, &mut |out, _| {
        out.copy_from_slice(a);
        elementwise::clamp_in_place(isa, out, -T::ONE, s);
    });
    with("add_row".into(), c, &mut |out, _| elementwise::add_row(isa, a, &b[..cols.min(len)], out));
    with("broadcast_row".into(), c, &mut |out, add| {
        elementwise::broadcast_row(isa, &b[..cols.min(len)], out, add);
    });
    with("broadcast_column".into(), c, &mut |out, add| {
        elementwise::broadcast_column(isa, &b[..rows], cols, out, add);
    });
    for f in activations() {
        with(format!("{f:?}"), c, &mut |out, _| activate(isa, f, a, out));
        with(format!("{f:?} in place"), a, &mut |out, _| {
            out.copy_from_slice(a);
            activate_in_place(isa, f, out);
        });
        for order in 0..4 {
            with(format!("{f:?} derivative {order}"), c, &mut |out, add| {
                activation_derivative(isa, f, order, a, b, out, add);
            });
        }
        let mut products = vec![nan; len];
        with(format!("{f:?} derivative's column sums"), &vec![s; cols], &mut |sums, add| {
            activation_derivative_and_column_sums(isa, f, a, b, cols, &mut products, sums, add);
        });
        with(format!("{f:?} derivative beside its sums"), &products, &mut |out, _| out.copy_from_slice(&products));
    }
    with("row_sums".into(), &c[..rows], &mut |out, add| reduce::row_sums(isa, a, cols, out, add));
    with("column_sums".into(), &vec![s; cols], &mut |out, add| reduce::column_sums(isa, a, cols, out, add));
    // Rows of one number for each column, and the matrices that elementwise operations would make of them.
    let row = |source: &[T], from: usize| {
        source.iter().copied().cycle().skip(from).take(if len == 0 { 0 } else { cols }).collect()
    };
    let [m, f, k, q]: [Vec<T>; 4] = [row(b, 0), row(c, 1), row(b, 2), row(c, 3)];
    with("centred_square_sums".into(), &m, &mut |out, _| normalise::centred_square_sums(isa, a, &m, out));
    for activation in activations() {
        with(format!("{activation:?} normalised"), c, &mut |out, _| {
            normalise::normalise(isa, activation, a, &m, &f, &k, out);
        });
        let mut of_factor = m.clone();
        with(format!("{activation:?}: sums of bias"), &m, &mut |out, add| {
            normalise::bias_and_factor_sums(isa, activation, [c, a], [&m, &f, &q], out, add, &mut of_factor);
        });
        with(format!("{activation:?}: sums of factor"), &of_factor, &mut |out, _| out.copy_from_slice(&of_factor));
        with(format!("{activation:?}: centred_gradient_sums"), &m, &mut |out, _| {
            normalise::centred_gradient_sums(isa, activation, [c, a], [&m, &f, &q, &k], out);
        });
        with(format!("{activation:?}: input_gradient"), c, &mut |out, _| {
            normalise::input_gradient(isa, activation, [c, a], [&m, &f, &q, &k, &q], out);
        });
    }
    with("softmax".into(), c, &mut |out, _| softmax(isa, a, cols, out));
    let mut gradient = vec![nan; len];
    let (mut of_softmax, mut of_squares) = (gradient.clone(), gradient.clone());
    let sums = [
        softmax_cross_entropy_and_gradient(isa, a, b, cols, s, 0.5, &mut of_softmax),
        reduce::sum(isa, a, cols),
        reduce::sum_of_squares(isa, a),
        reduce::sum_of_abs(isa, a),
        reduce::dot(isa, a, b),
        losses::squared_error(isa, a, b, cols, 0.5),
        losses::squared_error_and_gradient(isa, a, b, cols, s, 0.5, &mut of_squares),
        losses::bce_with_logits(isa, a, b, cols, 0.5),
        losses::bce_with_logits_and_gradient(isa, a, b, cols, s, 0.5, &mut gradient),
    ];
    all.push(("sums".into(), bits(&sums)));
    all.push(("fused gradient".into(), bits(&gradient)));
    all.push(("gradient of the softmax cross-entropy".into(), bits(&of_softmax)));
    all.push(("gradient of the squared error".into(), bits(&of_squares)));
    all.push(("is_all_finite".into(), vec![reduce::is_all_finite(isa, a).into()]));
    all.extend(updates(isa, [a, b, c]));
    all
}

/// A call that changes parameters and up to three moments.
type Update<'a, T> = &'a mut dyn FnMut(&mut [T], [&mut [T]; 3]);

fn updates<T: Real>(isa: Isa, [params, grads, moments]: [&[T]; 3]) -> Vec<Outcome> {
    let decay = Decay { coupled: 0.01, keep: 0.98 };
    let positive: Vec<T> = moments.iter().map(|&x| x * x).collect();
    let mut all = Vec::new();
    let mut with = |name: &str, call: Update<'_, T>| {
        let mut w = params.to_vec();
        let (mut x, mut y, mut z) = (moments.to_vec(), positive.clone(), positive.clone());
        call(&mut w, [&mut x, &mut y, &mut z]);
        for (part, values) in ["parameters", "first moment", "second moment", "third moment"].iter().zip([w, x, y, z]) {
            all.push((format!("{name}: {part}"), bits(&values)));
        }
    };
    with("sgd", &mut |w, _| update::sgd(isa, &update::Sgd { decay, rate: 0.1 }, w, grads));
    for look_ahead in [None, Some(0.7)] {
        let by = update::Momentum { decay, momentum: 0.9, gradient: 0.7, step: -0.1, look_ahead };
        with("momentum", &mut |w, [x, ..]| update::momentum(isa, &by, w, grads, x));
    }
    for step_g in [0.0, 0.02] {
        let by = update::Adam { decay, take_m: 0.1, take_v: 0.001, step_m: 0.1, step_g, root: 3.0, epsilon: 1e-7 };
        with("adam", &mut |w, [x, y, _]| update::adam(isa, &by, w, grads, x, y));
    }
    let by = update::Adagrad { decay, rate: 0.1, inside: 1e-7, outside: 1e-10 };
    with("adagrad", &mut |w, [_, y, _]| update::adagrad(isa, &by, w, grads, y));
    let by = update::Adadelta { decay, take: 0.05, rate: 1.0, epsilon: 1e-6 };
    with("adadelta", &mut |w, [_, y, z]| update::adadelta(isa, &by, w, grads, y, z));
    let by = update::RmsProp { decay, take: 0.1, rate: 0.1, momentum: 0.8, gradient: 0.9, inside: 1e-7, outside: 1e-8 };
    with("rms_prop", &mut |w, [_, y, _]| update::rms_prop(isa, &by, w, grads, y, None, None));
    with("rms_prop centred", &mut |w, [x, y, _]| update::rms_prop(isa, &by, w, grads, y, Some(x), None));
    with("rms_prop with momentum", &mut |w, [x, y, _]| update::rms_prop(isa, &by, w, grads, y, None, Some(x)));
    with("rms_prop centred with momentum", &mut |w, [x, y, z]| {
        update::rms_prop(isa, &by, w, grads, y, Some(x), Some(z));
    });
    all
}

fn all_instruction_sets_agree<T: Real>() {
    let widest = Isa::available();
    let rows_of = (0..=3 * 64 + 1).map(|cols| (usize::from(cols > 0), cols.max(1)));
    let matrices = [(5, 1), (3, 7), (33, 65), (70, 17), (7, 200), (65, 64), (300, 3)];
    for (rows, cols) in rows_of.chain(matrices) {
        for wild in [false, true] {
            let operands = [1, 2, 3].map(|seed| numbers::<T>(rows * cols, seed * 1000 + (rows * cols) as u64, wild));
            let operands = operands.each_ref().map(Vec::as_slice);
            let scalar = outcomes(Isa::SCALAR, operands, cols);
            for &isa in &widest {
                let difference = first_difference(&outcomes(isa, operands, cols), &scalar);
                assert_eq!(difference, None, "{} {isa:?} against scalar, [{rows}, {cols}], wild {wild}", T::NAME);
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_bits_of_scalar_code() {
    println!("{:?}", Isa::available());
    all_instruction_sets_agree::<f32>();
    all_instruction_sets_agree::<f64>();
}

fn any_number_of_threads_agrees<T: Real>() {
    for (rows, cols) in [(300, 701), (1, 70_001), (70_001, 1), (257, 256)] {
        let operands = [1, 2, 3].map(|seed| numbers::<T>(rows * cols, seed, false));
        let operands = operands.each_ref().map(Vec::as_slice);
        let run = |threads, isa| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| outcomes(isa, operands, cols))
        };
        let alone = run(1, Isa::SCALAR);
        for threads in [1, 2, 3, 8] {
            let difference = first_difference(&run(threads, Isa::detect()), &alone);
            assert_eq!(difference, None, "{} with {threads} threads, [{rows}, {cols}]", T::NAME);
        }
    }
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    any_number_of_threads_agrees::<f32>();
    any_number_of_threads_agrees::<f64>();
}

#[test]
fn the_comparer_sees_every_difference() {
    let good: Vec<Outcome> = vec![("a".into(), vec![1, 2]), ("b".into(), bits(&[0.0f32]))];
    assert_eq!(first_difference(&good, &good), None);
    for bad in [
        vec![good[0].clone()],
        vec![good[0].clone(), ("c".into(), vec![0])],
        vec![good[0].clone(), ("b".into(), bits(&[-0.0f32]))],
        vec![good[0].clone(), ("b".into(), bits(&[f32::NAN]))],
        vec![good[0].clone(), ("b".into(), vec![])],
        vec![("a".into(), vec![1, 3]), good[1].clone()],
    ] {
        assert!(first_difference(&good, &bad).is_some(), "{bad:?}");
    }
    assert!(first_difference(&[], &good).is_some());
}

/// The definition of a row's sum.
fn row_sum<T: Real>(row: &[T]) -> T {
    let mut lanes = [T::ZERO; 64];
    for (i, &x) in row.iter().enumerate() {
        lanes[i % 64] += x;
    }
    for half in [32, 16, 8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

fn sums_are_their_definitions<T: Real>() {
    for (rows, cols) in [(1, 1), (1, 63), (2, 64), (3, 65), (5, 200), (300, 31), (2, 9000)] {
        let a = numbers::<T>(rows * cols, 5, false);
        let b = numbers::<T>(rows * cols, 6, false);
        let of_rows: Vec<_> = a.chunks(cols).map(row_sum).collect();
        let chained = |cols: usize, terms: &[T]| terms.chunks(cols).fold(0.0, |sum, row| sum + row_sum(row).to_f64());
        let squares: Vec<_> = a.iter().map(|&x| x * x).collect();
        let products: Vec<_> = a.iter().zip(&b).map(|(&x, &y)| x * y).collect();
        let errors: Vec<_> = a.iter().zip(&b).map(|(&x, &y)| (x - y) * (x - y)).collect();
        let mut of_columns = vec![T::ONE; cols];
        for row in a.chunks(cols) {
            of_columns.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
        }
        for isa in Isa::available() {
            let mut out = vec![T::ONE; rows];
            reduce::row_sums(isa, &a, cols, &mut out, Overwrite);
            assert_eq!(out, of_rows);
            let mut out = vec![T::ONE; cols];
            reduce::column_sums(isa, &a, cols, &mut out, Add);
            assert_eq!(out, of_columns);
            assert_eq!(reduce::sum(isa, &a, cols), chained(cols, &a));
            assert_eq!(reduce::sum_of_squares(isa, &a), chained(4096, &squares));
            assert_eq!(reduce::dot(isa, &a, &b), chained(4096, &products));
            assert_eq!(losses::squared_error(isa, &a, &b, cols, 0.0), chained(cols, &errors));
        }
    }
}

#[test]
fn sums_are_64_lanes_a_tree_and_a_chain() {
    sums_are_their_definitions::<f32>();
    sums_are_their_definitions::<f64>();
}

#[test]
fn a_sum_in_slices_of_rows_has_the_bits_of_the_whole() {
    let (isa, cols) = (Isa::detect(), 33);
    let [z, t] = [1, 2].map(|seed| numbers::<f32>(700 * cols, seed, false));
    for rows in [1, 3, 256, 257, 700] {
        let (mut bce, mut softmax, mut gradient) = (0.0, 0.0, vec![0.0; rows * cols]);
        for (z, t) in z.chunks(rows * cols).zip(t.chunks(rows * cols)) {
            bce = losses::bce_with_logits(isa, z, t, cols, bce);
            softmax = softmax_cross_entropy_and_gradient(isa, z, t, cols, 1.0, softmax, &mut gradient[..z.len()]);
        }
        let mut gradient = vec![0.0; z.len()];
        assert_eq!(softmax, softmax_cross_entropy_and_gradient(isa, &z, &t, cols, 1.0, 0.0, &mut gradient));
        assert_eq!(bce, losses::bce_with_logits(isa, &z, &t, cols, 0.0));
    }
}

#[test]
fn minus_infinity_has_no_share_in_a_softmax_unless_it_is_alone() {
    let infinity = f64::INFINITY;
    let mut p = [1.0; 3];
    for (x, expected) in [
        ([0.0, -infinity, 0.0], [0.5, 0.0, 0.5]),
        ([0.0, infinity, 0.0], [f64::NAN; 3]),
        ([0.0, f64::NAN, 0.0], [f64::NAN; 3]),
        ([-infinity; 3], [f64::NAN; 3]),
    ] {
        softmax(Isa::detect(), &x, 3, &mut p);
        let fits = p.iter().zip(expected).all(|(p, expected)| *p == expected || p.is_nan() && expected.is_nan());
        assert!(fits, "{p:?} of {x:?}");
    }
}

#[test]
fn a_softmax_of_any_size_adds_up_to_one_and_does_not_overflow() {
    for cols in [1, 2, 10, 64, 65, 300] {
        let x: Vec<f64> = numbers::<f64>(7 * cols, 3, false).iter().map(|x| x * 300.0).collect();
        let mut p = vec![f64::NAN; x.len()];
        softmax(Isa::detect(), &x, cols, &mut p);
        for (x, p) in x.chunks(cols).zip(p.chunks(cols)) {
            let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = x.iter().map(|x| (x - most).exp()).sum();
            // Each e^(x − m) is within 1.5 ULP, their sum within cols ULP.
            let tolerance = (cols + 4) as f64 * f64::EPSILON;
            for (x, p) in x.iter().zip(p) {
                let expected = (x - most).exp() / total;
                assert!((p - expected).abs() <= tolerance * expected.max(f64::MIN_POSITIVE), "{p} for {expected}");
            }
        }
    }
}

#[test]
fn the_fused_cross_entropy_has_the_bits_of_the_separate_ones() {
    let (isa, cols) = (Isa::detect(), 101);
    let [z, t] = [1, 2].map(|seed| numbers::<f32>(9 * cols, seed, false));
    let (mut fused, mut separate) = (vec![0.0; z.len()], z.clone());
    let value = losses::bce_with_logits_and_gradient(isa, &z, &t, cols, 0.3, 0.0, &mut fused);
    activate_in_place(isa, Activation::Sigmoid, &mut separate);
    separate.iter_mut().zip(&t).for_each(|(p, t)| *p = 0.3 * (*p - t));
    assert_eq!(value, losses::bce_with_logits(isa, &z, &t, cols, 0.0));
    assert_eq!(bits(&fused), bits(&separate));
}

#[test]
fn one_element_that_is_not_finite_is_found_anywhere() {
    for isa in Isa::available() {
        for len in [1, 15, 64, 65, 193] {
            let mut x = vec![f32::MAX; len];
            assert!(reduce::is_all_finite(isa, &x));
            for at in 0..len {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    x[at] = bad;
                    assert!(!reduce::is_all_finite(isa, &x), "{bad} at {at} of {len}");
                }
                x[at] = -0.0;
            }
        }
    }
}

/// f⁽ᵏ⁾ by central differences of f⁽ᵏ⁻¹⁾, and f by those of the activation itself.
#[test]
fn derivatives_are_the_slopes_of_what_they_derive() {
    let (isa, h) = (Isa::detect(), 1e-6);
    let points = [-2.3, -0.6, 0.4, 1.7];
    let of = |f, x: f64| {
        let mut y = [x];
        activate_in_place(isa, f, &mut y);
        y[0]
    };
    let derived = |f, order, y: f64| {
        let mut out = [0.0];
        activation_derivative(isa, f, order, &[y], &[1.0], &mut out, Overwrite);
        out[0]
    };
    for f in activations() {
        for x in points {
            let slope = (of(f, x + h) - of(f, x - h)) / (2.0 * h);
            let got = derived(f, 0, of(f, x));
            assert!((got - slope).abs() <= 1e-8, "{f:?} at {x}: {got} against {slope}");
            let y = of(f, x);
            // relu's y = 0 is a kink of f.
            for order in (1..4).filter(|_| y != 0.0) {
                let slope = (derived(f, order - 1, y + h) - derived(f, order - 1, y - h)) / (2.0 * h);
                let got = derived(f, order, y);
                assert!((got - slope).abs() <= 1e-8, "{f:?}, order {order}, at y = {y}: {got} against {slope}");
            }
        }
    }
    // The check itself must see a wrong rule.
    let slope = (of(Activation::Tanh, 0.4 + h) - of(Activation::Tanh, 0.4 - h)) / (2.0 * h);
    assert!((derived(Activation::Sigmoid, 0, of(Activation::Tanh, 0.4)) - slope).abs() > 1e-2);
}

#[test]
fn activations_are_named_with_their_numbers() {
    let names = activations().map(|f| (f.name(), f.to_string()));
    let expected = ["linear", "relu", "leaky-relu 0.3", "elu 1.5", "tanh", "sigmoid", "softplus"];
    for ((name, text), expected) in names.iter().zip(expected) {
        assert_eq!((*name, text.as_str()), (expected.split(' ').next().unwrap(), expected));
    }
}

#[test]
fn nan_goes_through_every_activation_and_zero_keeps_its_sign_in_relu() {
    for f in activations() {
        let mut x = [f32::NAN, -0.0, 0.0];
        activate_in_place(Isa::detect(), f, &mut x);
        assert!(x[0].is_nan(), "{f:?}");
        if f == Activation::Relu {
            assert!(x[1].is_sign_negative() && x[2].is_sign_positive());
        }
    }
}

#[test]
#[should_panic(expected = "no whole rows")]
fn a_matrix_of_broken_rows_is_refused() {
    reduce::sum(Isa::SCALAR, &[1.0f32; 7], 3);
}

#[test]
#[should_panic(expected = "as long as its output")]
fn slices_of_different_lengths_are_refused() {
    elementwise::binary(Isa::SCALAR, Binary::Add, &[1.0f32; 3], &[1.0; 4], &mut [0.0; 4], Overwrite);
}
