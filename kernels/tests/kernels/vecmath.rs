//! The vector functions are as accurate as their documentation says, and right at every special value.

use narrows_kernels::{Isa, Kernel, Real, Simd, vecmath};
use rayon::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Exp,
    ExpM1,
    Ln,
    Tanh,
    Sigmoid,
    Softplus,
}

use Function::*;

/// What `vecmath` promises, in ULP: (function, f32, f64).
const PROMISES: [(Function, f64, f64); 6] =
    [(Exp, 1.0, 1.5), (ExpM1, 1.5, 1.5), (Ln, 1.0, 1.5), (Tanh, 2.0, 2.5), (Sigmoid, 2.0, 2.5), (Softplus, 2.0, 2.5)];

struct Apply<'a, T>(Function, &'a [T], &'a mut [T]);

impl<T: Real> Kernel<T> for Apply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Apply(function, x, out) = self;
        for (x, out) in x.chunks(S::LANES).zip(out.chunks_mut(S::LANES)) {
            let x = simd.load_partial(x);
            let y = match function {
                Exp => vecmath::exp(simd, x),
                ExpM1 => vecmath::exp_m1(simd, x),
                Ln => vecmath::ln(simd, x),
                Tanh => vecmath::tanh(simd, x),
                Sigmoid => vecmath::sigmoid(simd, x),
                Softplus => vecmath::softplus(simd, x),
            };
            simd.store_partial(out, y);
        }
    }
}

fn apply<T: Real>(isa: Isa, function: Function, x: &[T]) -> Vec<T> {
    let mut out = vec![T::ZERO; x.len()];
    T::dispatch(isa, Apply(function, x, &mut out));
    out
}

/// The function in f64, whose error is invisible in f32.
fn reference(function: Function, x: f64) -> f64 {
    match function {
        Exp => x.exp(),
        ExpM1 => x.exp_m1(),
        Ln => x.ln(),
        Tanh => x.tanh(),
        Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
        Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
    }
}

/// |got − exact| in units in the last place of `exact`; infinite when one is NaN or ±∞ and the other is not.
fn ulps_f32(got: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if got.is_nan() || exact.is_nan() {
        return if got.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got.is_infinite() || rounded.is_infinite() {
        return if got == rounded { 0.0 } else { f64::INFINITY };
    }
    let exponent = ((exact.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(-126) - 23;
    (f64::from(got) - exact).abs() / 2f64.powi(exponent)
}

fn worst_f32(isa: Isa, function: Function, patterns: impl Iterator<Item = u32>) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    let mut x = Vec::with_capacity(4096);
    let mut patterns = patterns.peekable();
    while patterns.peek().is_some() {
        x.clear();
        x.extend(patterns.by_ref().take(4096).map(f32::from_bits));
        for (&x, got) in x.iter().zip(apply(isa, function, &x)) {
            let error = ulps_f32(got, reference(function, x.into()));
            if error > worst.0 {
                worst = (error, x);
            }
        }
    }
    worst
}

#[test]
fn f32_functions_keep_their_ulp_on_every_thousandth_number() {
    for (function, promise, _) in PROMISES {
        let (error, at) = worst_f32(Isa::detect(), function, (0..=u32::MAX / 1009).map(|i| i * 1009));
        println!("f32 {function:?}: {error:.3} ULP at {at:e}");
        assert!(error <= promise, "{function:?} of {at:e} is {error} ULP off, more than {promise}");
    }
}

#[test]
#[ignore = "all 2³² arguments of six functions take minutes in release"]
fn f32_functions_keep_their_ulp_on_every_number() {
    for (function, promise, _) in PROMISES {
        let (error, at) = (0..1u32 << 12)
            .into_par_iter()
            .map(|high| worst_f32(Isa::detect(), function, (0..1u32 << 20).map(|low| high << 20 | low)))
            .reduce(|| (0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
        println!("f32 {function:?}: {error:.4} ULP at {at:e}, of all numbers");
        assert!(error <= promise, "{function:?} of {at:e} is {error} ULP off, more than {promise}");
    }
}

/// (argument, nearest value, what the exact value exceeds it by in ULP) of each stored point.
fn stored(name: &str) -> Vec<(f64, f64, f64)> {
    let bits = |text: &str| f64::from_bits(u64::from_str_radix(text, 16).unwrap());
    include_str!("../golden/vecmath_f64.csv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|fields| fields[0] == name)
        .map(|fields| (bits(fields[1]), bits(fields[2]), fields[3].parse().unwrap()))
        .collect()
}

fn ulps_f64(got: f64, near: f64, excess: f64) -> f64 {
    if !got.is_finite() {
        return f64::INFINITY;
    }
    let exponent = ((near.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(-1022) - 52;
    // The difference is a few ULP, exact; scaled up in two steps since 2¹⁰⁷⁴ is infinite.
    ((got - near) * 2f64.powi(-exponent / 2) * 2f64.powi(-exponent + exponent / 2) - excess).abs()
}

#[test]
fn f64_functions_keep_their_ulp_at_the_stored_points() {
    let names = ["exp", "exp_m1", "ln", "tanh", "sigmoid", "softplus"];
    for ((function, _, promise), name) in PROMISES.into_iter().zip(names) {
        let points = stored(name);
        assert!(points.len() > 1400, "{} points are stored for {name}", points.len());
        let x: Vec<_> = points.iter().map(|point| point.0).collect();
        let mut worst = (0.0, 0.0);
        for (&(x, near, excess), got) in points.iter().zip(apply(Isa::detect(), function, &x)) {
            let error = ulps_f64(got, near, excess);
            if error > worst.0 {
                worst = (error, x);
            }
        }
        println!("f64 {function:?}: {:.3} ULP at {:e}", worst.0, worst.1);
        assert!(worst.0 <= promise, "{function:?} of {:e} is {} ULP off, more than {promise}", worst.1, worst.0);
    }
}

#[test]
fn the_ulp_comparers_see_errors() {
    assert_eq!(ulps_f32(1.0 + f32::EPSILON, 1.0), 1.0);
    assert_eq!(ulps_f32(1.0, 1.0 + f64::from(f32::EPSILON) / 2.0), 0.5);
    assert_eq!(ulps_f32(0.0, f64::from(f32::from_bits(3))), 3.0);
    for (got, exact) in [(f32::NAN, 1.0), (1.0, f64::NAN), (f32::INFINITY, 1.0), (f32::MAX, f64::INFINITY)] {
        assert_eq!(ulps_f32(got, exact), f64::INFINITY);
    }
    assert_eq!(ulps_f64(1.0 + f64::EPSILON, 1.0, 0.25), 0.75);
    assert_eq!(ulps_f64(0.0, f64::from_bits(2), 0.0), 2.0);
    assert_eq!(ulps_f64(f64::NAN, 1.0, 0.0), f64::INFINITY);
}

fn special_values<T: Real>(isa: Isa, infinity: T, nan: T, least: T, most: T) {
    let zero = T::ZERO;
    let one = T::ONE;
    let ln_2 = T::from_f64(std::f64::consts::LN_2);
    let half = T::from_f64(0.5);
    let cases = [
        (
            Exp,
            vec![
                (zero, one),
                (-zero, one),
                (infinity, infinity),
                (-infinity, zero),
                (most, infinity),
                (-most, zero),
                (least, one),
            ],
        ),
        (
            ExpM1,
            vec![
                (zero, zero),
                (-zero, -zero),
                (infinity, infinity),
                (-infinity, -one),
                (most, infinity),
                (-most, -one),
                (least, least),
                (-least, -least),
            ],
        ),
        (
            Ln,
            vec![
                (one, zero),
                (zero, -infinity),
                (-zero, -infinity),
                (infinity, infinity),
                (-infinity, nan),
                (-one, nan),
                (-least, nan),
            ],
        ),
        (
            Tanh,
            vec![
                (zero, zero),
                (-zero, -zero),
                (infinity, one),
                (-infinity, -one),
                (most, one),
                (-most, -one),
                (least, least),
                (-least, -least),
            ],
        ),
        (
            Sigmoid,
            vec![
                (zero, half),
                (-zero, half),
                (infinity, one),
                (-infinity, zero),
                (most, one),
                (-most, zero),
                (least, half),
            ],
        ),
        (
            Softplus,
            vec![
                (zero, ln_2),
                (-zero, ln_2),
                (infinity, infinity),
                (-infinity, zero),
                (most, most),
                (-most, zero),
                (least, ln_2),
            ],
        ),
    ];
    for (function, mut points) in cases {
        points.push((nan, nan));
        let x: Vec<_> = points.iter().map(|point| point.0).collect();
        for (&(x, want), got) in points.iter().zip(apply(isa, function, &x)) {
            let same = got.bits() == want.bits() || got.to_f64().is_nan() && want.to_f64().is_nan();
            assert!(same, "{} {isa:?}: {function:?}({x:?}) is {got:?} instead of {want:?}", T::NAME);
        }
    }
}

#[test]
fn special_values_are_exact_on_every_instruction_set() {
    for isa in Isa::available() {
        println!("{isa:?}");
        special_values(isa, f32::INFINITY, f32::NAN, f32::from_bits(1), f32::MAX);
        special_values(isa, f64::INFINITY, f64::NAN, f64::from_bits(1), f64::MAX);
    }
}
