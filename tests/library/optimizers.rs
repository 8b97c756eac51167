//! Every optimizer walks the paths that Keras and PyTorch walked, in f64.
//!
//! The golden files hold 30 steps of each framework's own optimizers on grad(w) = A w − b + ½ sin(3w); `source` in them names
//! the framework and its version. PyTorch is held to 1e-12 relative (Nadam to 1e-9: it keeps its product of momenta in
//! float32), Keras to 2e-5 (it rounds learning rate, β, ρ and ε through float32).

use narrows::optim::{Adadelta, Adagrad, Adam, AdamW, Nadam, Optimizer, Rmsprop, Semantics, Sgd, Stepper};
use narrows_kernels::Isa;
use serde_json::Value;

use crate::support::numbers;

struct Problem {
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
    w0: Vec<f64>,
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn golden(semantics: Semantics) -> (Problem, Vec<(String, Value)>) {
    let text = match semantics {
        Semantics::Keras => include_str!("../golden/optimizers_keras.json"),
        Semantics::Pytorch => include_str!("../golden/optimizers_pytorch.json"),
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

    fn walk(&self, optimizer: Optimizer, isa: Isa, steps: usize) -> Vec<Vec<f64>> {
        let mut stepper = Stepper::new(optimizer, self.w0.len()).unwrap();
        let mut w = self.w0.clone();
        let all = 0..w.len();
        let step = |_| {
            let grads = self.gradient(&w);
            stepper.step(isa, &mut w, &grads, std::slice::from_ref(&all), optimizer.learning_rate());
            w.clone()
        };
        (0..steps).map(step).collect()
    }
}

/// The optimizer of a case. Its `config` lists every setting of the rule; a key without a meaning here fails, and where one
/// lacks, NaN is refused.
fn optimizer(semantics: Semantics, name: &str, config: &Value) -> Optimizer {
    let number = |key: &str| config[key].as_f64();
    let either = |key: &str, other: &str| number(key).or(number(other)).unwrap_or(f64::NAN);
    let flag = |key: &str| config[key].as_bool().unwrap_or(false);
    let betas = config["betas"].as_array().map(|_| numbers(&config["betas"]).try_into().unwrap());
    let [beta_1, beta_2] = betas.unwrap_or([either("beta_1", ""), either("beta_2", "")]);
    let (learning_rate, epsilon, rho) =
        (either("lr", "learning_rate"), either("eps", "epsilon"), either("rho", "alpha"));
    // Keras lists neither where it is none.
    let weight_decay = number("weight_decay").unwrap_or(0.0);
    let dampening = number("dampening").unwrap_or(0.0);
    let momentum = either("momentum", "");
    let adam: &[&str] = &["betas", "beta_1", "beta_2", "eps", "epsilon", "amsgrad", "momentum_decay"];
    let (optimizer, keys): (Optimizer, &[&str]) = match name.split('_').next().unwrap() {
        "sgd" => {
            let nesterov = flag("nesterov");
            let rule = Sgd { semantics, learning_rate, momentum, nesterov, dampening, weight_decay };
            (rule.into(), &["momentum", "nesterov", "dampening"])
        }
        "adam" => (Adam { semantics, learning_rate, beta_1, beta_2, epsilon, weight_decay }.into(), adam),
        "adamw" => (AdamW { semantics, learning_rate, beta_1, beta_2, epsilon, weight_decay }.into(), adam),
        "nadam" => {
            let momentum_decay = number("momentum_decay").unwrap_or(Nadam::defaults(semantics).momentum_decay);
            let rule = Nadam { semantics, learning_rate, beta_1, beta_2, epsilon, momentum_decay, weight_decay };
            (rule.into(), adam)
        }
        "adagrad" => {
            let initial_accumulator = either("initial_accumulator_value", "");
            let lr_decay = number("lr_decay").unwrap_or(0.0);
            let rule = Adagrad { semantics, learning_rate, epsilon, initial_accumulator, lr_decay, weight_decay };
            (rule.into(), &["eps", "epsilon", "initial_accumulator_value", "lr_decay"])
        }
        "adadelta" => {
            (Adadelta { semantics, learning_rate, epsilon, rho, weight_decay }.into(), &["rho", "eps", "epsilon"])
        }
        "rmsprop" => {
            let centered = flag("centered");
            let rule = Rmsprop { semantics, learning_rate, momentum, epsilon, rho, centered, weight_decay };
            (rule.into(), &["rho", "alpha", "eps", "epsilon", "momentum", "centered"])
        }
        other => panic!("there is no rule {other}"),
    };
    for key in config.as_object().unwrap().keys() {
        let known = ["lr", "learning_rate", "weight_decay"].iter().chain(keys).any(|known| known == key);
        assert!(known, "{name} has a setting {key}");
    }
    assert!(!flag("amsgrad"));
    optimizer
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

fn tolerance(optimizer: &Optimizer) -> f64 {
    match optimizer {
        Optimizer::Nadam(Nadam { semantics: Semantics::Pytorch, .. }) => 1e-9,
        other if other.semantics() == Semantics::Pytorch => 1e-12,
        _ => 2e-5,
    }
}

fn holds_every_case(semantics: Semantics, expected: usize) {
    let (problem, cases) = golden(semantics);
    assert_eq!(cases.len(), expected);
    for (name, case) in cases {
        let want = rows(&case["trajectory"]);
        assert_eq!(want.len(), 30);
        let optimizer = optimizer(semantics, &name, &case["config"]);
        let scalar = problem.walk(optimizer, Isa::SCALAR, want.len());
        let off = deviation(&scalar, &want);
        println!("{} {name}: {off:.1e}", semantics.name());
        let tolerance = tolerance(&optimizer);
        assert!(
            off <= tolerance,
            "{} {name} is {off:e} off the golden path, more than {tolerance:e}",
            semantics.name()
        );
        for isa in Isa::available() {
            assert_eq!(problem.walk(optimizer, isa, want.len()), scalar, "{name} on {isa:?}");
        }
    }
}

#[test]
fn every_optimizer_walks_the_path_of_keras() {
    holds_every_case(Semantics::Keras, 11);
}

#[test]
fn every_optimizer_walks_the_path_of_pytorch() {
    holds_every_case(Semantics::Pytorch, 12);
}

/// The same hyper-parameters under the other framework's equations must not pass: the tolerances tell them apart. Left out
/// are SGD without weight decay and Adadelta, which are the same functions in both while the learning rate stays.
#[test]
fn the_other_semantics_walk_another_path() {
    let mut seen = 0;
    for (semantics, other) in [(Semantics::Keras, Semantics::Pytorch), (Semantics::Pytorch, Semantics::Keras)] {
        let (problem, cases) = golden(semantics);
        for (name, case) in cases {
            let right = optimizer(semantics, &name, &case["config"]);
            let mut wrong = optimizer(other, &name, &case["config"]);
            match &mut wrong {
                Optimizer::Sgd(Sgd { weight_decay: 0.0, .. }) => continue,
                Optimizer::Adadelta(Adadelta { weight_decay: 0.0, .. }) => continue,
                // An ε of 1e-7 beside sums above 0.1 shows in the eighth digit only; what parts the two is where they start.
                Optimizer::Adagrad(rule) => rule.initial_accumulator = Adagrad::defaults(other).initial_accumulator,
                _ => (),
            }
            let want = rows(&case["trajectory"]);
            let off = deviation(&problem.walk(wrong, Isa::SCALAR, want.len()), &want);
            println!("{name} of {} by {}'s rule: {off:.1e}", semantics.name(), other.name());
            assert!(off > tolerance(&right), "{name} of {} passes as {}'s", semantics.name(), other.name());
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
