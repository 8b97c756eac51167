//! Every optimizer walks the paths that Keras and PyTorch walked, in f64.
//!
//! The golden files hold 30 steps of each framework's own optimizers on grad(w) = A w − b + ½ sin(3w); `source` in them names
//! the framework and its version. PyTorch is held to 1e-12 relative (Nadam to 1e-9: it keeps its product of momenta in
//! float32), Keras to 2e-5 (it rounds learning rate, β, ρ and ε through float32).

use narrows::optim::{Dialect, Optimizer, OptimizerName, OptimizerSpec};
use narrows_kernels::Isa;
use serde_json::Value;

struct Problem {
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
    w0: Vec<f64>,
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn golden(dialect: Dialect) -> (Problem, Vec<(String, Value)>) {
    let text = match dialect {
        Dialect::Keras => include_str!("golden/optimizers_keras.json"),
        Dialect::Pytorch => include_str!("golden/optimizers_pytorch.json"),
    };
    let file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(file["dtype"], "float64");
    println!("{}", file["source"]);
    let problem = Problem { a: rows(&file["A"]), b: numbers(&file["b"]), w0: numbers(&file["w0"]) };
    let cases = file["cases"].as_object().unwrap();
    (problem, cases.iter().map(|(name, case)| (name.clone(), case.clone())).collect())
}

impl Problem {
    fn gradient(&self, w: &[f64]) -> Vec<f64> {
        let product = |row: &[f64]| row.iter().zip(w).map(|(a, w)| a * w).sum::<f64>();
        let rows = self.a.iter().zip(&self.b).zip(w);
        rows.map(|((row, b), w)| product(row) - b + 0.5 * (3.0 * w).sin()).collect()
    }

    fn walk(&self, spec: &OptimizerSpec, isa: Isa, steps: usize) -> Vec<Vec<f64>> {
        let mut optimizer = Optimizer::new(spec.clone(), self.w0.len()).unwrap();
        let mut w = self.w0.clone();
        let step = |_| {
            let grads = self.gradient(&w);
            optimizer.step(isa, &mut w, &grads, spec.learning_rate);
            w.clone()
        };
        (0..steps).map(step).collect()
    }
}

/// The optimizer of a case, with every hyper-parameter that its `config` lists; a key without a meaning here fails.
fn spec(dialect: Dialect, name: &str, config: &Value) -> OptimizerSpec {
    let rule = name.split('_').next().unwrap();
    let name = OptimizerName::ALL.into_iter().find(|name| name.name() == rule).unwrap();
    let mut spec = OptimizerSpec::defaults(name, dialect);
    for (key, value) in config.as_object().unwrap() {
        let number = || value.as_f64().unwrap();
        match key.as_str() {
            "lr" | "learning_rate" => spec.learning_rate = number(),
            "weight_decay" => spec.weight_decay = number(),
            "momentum" => spec.momentum = number(),
            "nesterov" => spec.nesterov = value.as_bool().unwrap(),
            "dampening" => spec.dampening = number(),
            "betas" => [spec.beta_1, spec.beta_2] = numbers(value).try_into().unwrap(),
            "beta_1" => spec.beta_1 = number(),
            "beta_2" => spec.beta_2 = number(),
            "eps" | "epsilon" => spec.epsilon = number(),
            "rho" | "alpha" => spec.rho = number(),
            "initial_accumulator_value" => spec.initial_accumulator = number(),
            "lr_decay" => spec.lr_decay = number(),
            "momentum_decay" => spec.momentum_decay = number(),
            "centered" => spec.centered = value.as_bool().unwrap(),
            "amsgrad" => assert_eq!(value, false),
            _ => panic!("{name:?} has a hyper-parameter {key}"),
        }
    }
    spec
}

/// The largest |got − want| / max(|want|, 1) along the path, infinite for NaN, another length or another width. The parameters
/// are of the size of 1, and their errors do not shrink where one of them passes through zero.
fn deviation(got: &[Vec<f64>], want: &[Vec<f64>]) -> f64 {
    if got.len() != want.len() || got.iter().zip(want).any(|(got, want)| got.len() != want.len()) {
        return f64::INFINITY;
    }
    let pairs = got.iter().flatten().zip(want.iter().flatten());
    pairs.fold(0.0, |worst, (got, want)| {
        let error = (got - want).abs() / want.abs().max(1.0);
        if error.is_nan() { f64::INFINITY } else { f64::max(worst, error) }
    })
}

fn tolerance(dialect: Dialect, name: OptimizerName) -> f64 {
    match (dialect, name) {
        (Dialect::Keras, _) => 2e-5,
        (Dialect::Pytorch, OptimizerName::Nadam) => 1e-9,
        (Dialect::Pytorch, _) => 1e-12,
    }
}

fn holds_every_case(dialect: Dialect, expected: usize) {
    let (problem, cases) = golden(dialect);
    assert_eq!(cases.len(), expected);
    for (name, case) in cases {
        let want = rows(&case["trajectory"]);
        assert_eq!(want.len(), 30);
        let spec = spec(dialect, &name, &case["config"]);
        let scalar = problem.walk(&spec, Isa::SCALAR, want.len());
        let off = deviation(&scalar, &want);
        println!("{} {name}: {off:.1e}", dialect.name());
        let tolerance = tolerance(dialect, spec.name);
        assert!(off <= tolerance, "{} {name} is {off:e} off the golden path, more than {tolerance:e}", dialect.name());
        for isa in Isa::available() {
            assert_eq!(problem.walk(&spec, isa, want.len()), scalar, "{name} on {isa:?}");
        }
    }
}

#[test]
fn every_optimizer_walks_the_path_of_keras() {
    holds_every_case(Dialect::Keras, 11);
}

#[test]
fn every_optimizer_walks_the_path_of_pytorch() {
    holds_every_case(Dialect::Pytorch, 12);
}

/// The same hyper-parameters under the other framework's equations must not pass: the tolerances tell them apart. Left out
/// are SGD without weight decay and Adadelta, which are the same functions in both while the learning rate stays.
#[test]
fn the_other_dialect_walks_another_path() {
    let mut seen = 0;
    for (dialect, other) in [(Dialect::Keras, Dialect::Pytorch), (Dialect::Pytorch, Dialect::Keras)] {
        let (problem, cases) = golden(dialect);
        for (name, case) in cases {
            let mut spec = spec(dialect, &name, &case["config"]);
            if matches!(spec.name, OptimizerName::Sgd | OptimizerName::Adadelta) && spec.weight_decay == 0.0 {
                continue;
            }
            spec.dialect = other;
            if spec.name == OptimizerName::Adagrad {
                // An ε of 1e-7 beside sums above 0.1 shows in the eighth digit only; what parts the two is where they start.
                spec.initial_accumulator = OptimizerSpec::defaults(spec.name, other).initial_accumulator;
            }
            let want = rows(&case["trajectory"]);
            let off = deviation(&problem.walk(&spec, Isa::SCALAR, want.len()), &want);
            println!("{name} of {} by {}'s rule: {off:.1e}", dialect.name(), other.name());
            assert!(off > tolerance(dialect, spec.name), "{name} of {} passes as {}'s", dialect.name(), other.name());
            seen += 1;
        }
    }
    assert_eq!(seen, 15);
}

#[test]
fn the_comparer_sees_nan_another_length_and_one_bad_element() {
    let good = vec![vec![1.0, 0.0], vec![2.0, -3.0]];
    assert_eq!(deviation(&good, &good), 0.0);
    let mut bad = good.clone();
    bad[1][1] = -3.0 * (1.0 + 3e-12);
    assert!(deviation(&bad, &good) > 1e-12);
    bad[1][1] = f64::NAN;
    assert_eq!(deviation(&bad, &good), f64::INFINITY);
    bad[1][1] = f64::INFINITY;
    assert_eq!(deviation(&bad, &good), f64::INFINITY);
    assert_eq!(deviation(&good[..1], &good), f64::INFINITY);
    assert_eq!(deviation(&[vec![1.0], vec![2.0]], &good), f64::INFINITY);
    assert!(deviation(&[vec![0.0; 2], vec![0.0; 2]], &good) >= 1.0);
}
