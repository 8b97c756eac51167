//! Multinomial logistic regression on clouds of codes.

use narrows::analysis::LogisticRegression;
use narrows::rng::{Purpose, standard_normal, stream};
use narrows_kernels::Context;
use ndarray::Array2;

/// Clouds around `classes` centres, and a value that never varies.
fn clouds(n: usize, d: usize, classes: usize, apart: f32) -> (Array2<f32>, Vec<u8>) {
    let mut stream = stream(5, Purpose::Draw, 0);
    let mut normal = || -> f32 {
        let value: f64 = standard_normal(&mut stream);
        value as f32
    };
    let centres = Array2::from_shape_simple_fn((classes, d), || apart * normal());
    let labels: Vec<u8> = (0..n).map(|i| (i * 7 % classes) as u8 * 3).collect();
    let codes = Array2::from_shape_fn((n, d + 1), |(i, j)| match j {
        0 => 0.1,
        j => centres[[i * 7 % classes, j - 1]] + 3.0 * normal(),
    });
    (codes, labels)
}

#[test]
fn clouds_far_apart_are_told_and_clouds_upon_each_other_are_not() {
    let context = Context::detect();
    let accuracy = |apart: f32| {
        let (codes, labels) = clouds(900, 6, 3, apart);
        let (train, test) = codes.view().split_at(ndarray::Axis(0), 600);
        let fitted = LogisticRegression::fit(context, train, &labels[..600]).unwrap();
        assert!(fitted.minimum().converged, "{:?}", fitted.minimum());
        fitted.accuracy(context, test, &labels[600..]).unwrap()
    };
    assert!(accuracy(30.0) == 1.0);
    let none = accuracy(0.0);
    assert!((0.2..0.47).contains(&none), "{none}");
}

#[test]
fn bits_do_not_depend_on_threads_or_instruction_set() {
    let (codes, labels) = clouds(2000, 20, 5, 1.0);
    let fit = |threads: usize, isa| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let context = Context { isa, ..Context::detect() };
        pool.install(|| LogisticRegression::fit(context, codes.view(), &labels).unwrap())
    };
    let first = fit(1, narrows_kernels::Isa::detect());
    for isa in narrows_kernels::Isa::available() {
        assert!(fit(3, isa) == first, "{}", isa.name());
    }
}

#[test]
fn what_cannot_be_classified_is_refused() {
    let context = Context::detect();
    let (mut codes, labels) = clouds(30, 2, 3, 1.0);
    let fitted = LogisticRegression::fit(context, codes.view(), &labels).unwrap();
    let narrow = fitted.predict(context, codes.view().split_at(ndarray::Axis(1), 1).1).unwrap_err().to_string();
    assert_eq!(narrow, "cannot classify codes of 2 values: those it was fitted to have 3");
    let fit = |labels: &[u8], codes: &Array2<f32>| {
        LogisticRegression::fit(context, codes.view(), labels).unwrap_err().to_string()
    };
    assert!(fit(&labels[1..], &codes).contains("30 codes with 29 labels"));
    assert!(fit(&[4; 30], &codes).contains("codes of 1 class(es)"));
    codes[[7, 2]] = f32::NAN;
    assert!(fit(&labels, &codes).contains("value 2 of code 7 (both from 0) is NaN"));
    assert!(fit(&[], &Array2::zeros((0, 3))).contains("codes of 0 class(es)"));
}
