//! How well the Parzen estimator finds minima, beside Optuna's from the same first points: `tests/golden/search_regret.py`.

use std::f64::consts::{E, PI};

use narrows::search::*;
use serde_json::Value;

// L. C. W. Dixon and G. P. Szegö, 1978.
const A: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const P: [[f64; 6]; 4] = [
    [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
    [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
    [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
    [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
];
const C: [f64; 4] = [1.0, 1.2, 3.0, 3.2];

fn branin(x: &[f64]) -> f64 {
    let [x, y] = [x[0], x[1]];
    let inner = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    inner * inner + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * libm::cos(x) + 10.0
}

fn hartmann6(x: &[f64]) -> f64 {
    let row = |row: usize| {
        let squares = (0..6).map(|at| A[row][at] * (x[at] - 1e-4 * P[row][at]) * (x[at] - 1e-4 * P[row][at]));
        C[row] * libm::exp(-squares.sum::<f64>())
    };
    -(0..4).map(row).sum::<f64>()
}

fn ackley10(x: &[f64]) -> f64 {
    let squares = x.iter().map(|x| x * x).sum::<f64>() / 10.0;
    let waves = x.iter().map(|x| libm::cos(2.0 * PI * x)).sum::<f64>() / 10.0;
    -20.0 * libm::exp(-0.2 * squares.sqrt()) - libm::exp(waves) + 20.0 + E
}

fn rosenbrock4(x: &[f64]) -> f64 {
    x.windows(2).map(|x| 100.0 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1.0 - x[0]) * (1.0 - x[0])).sum()
}

/// Kind, rate, and of kind 1 the momentum, of kind 2 the steps; NaN where there is none.
fn conditional(x: &[f64]) -> f64 {
    let rate = libm::log10(x[1]) + 2.5 + 0.3 * x[0];
    let own = match x[0] as usize {
        1 => 4.0 * (x[2] - 0.9) * (x[2] - 0.9) - 0.2,
        2 => 0.05 * (x[3] - 7.0) * (x[3] - 7.0) - 0.5,
        _ => 0.0,
    };
    rate * rate + own
}

/// Standard errors that the mean difference of two equal samplers exceeds in one of a hundred comparisons, so in one of twenty sets of the five
/// here.
const CHANCE: f64 = 2.33;

type Case = (&'static str, fn(&[f64]) -> f64, Vec<Parameter>);

fn cases() -> [Case; 5] {
    let floats = |count: usize, low: f64, high: f64| {
        (0..count).map(|number| Parameter::float(format!("x{number}"), low, high)).collect()
    };
    [
        ("branin", branin, vec![Parameter::float("x", -5.0, 10.0), Parameter::float("y", 0.0, 15.0)]),
        ("hartmann6", hartmann6, floats(6, 0.0, 1.0)),
        ("ackley10", ackley10, floats(10, -32.768, 32.768)),
        ("rosenbrock4", rosenbrock4, floats(4, -5.0, 10.0)),
        (
            "conditional",
            conditional,
            vec![
                Parameter::choices("kind", 3),
                Parameter::float("rate", 1e-5, 1.0).log(),
                Parameter::float("momentum", 0.0, 1.0).when("kind", [1]),
                Parameter::int("steps", 1, 20).when("kind", [2]),
            ],
        ),
    ]
}

/// The lowest value of so many trials that begin with these points.
fn best(function: fn(&[f64]) -> f64, space: &Space, start: &Value, trials: usize, seed: u64) -> f64 {
    let sampler = Sampler::Tpe(TpeSettings::default());
    let mut search = Search::new(space.clone(), sampler, Pruner::None, seed).unwrap();
    let value = |point: &Point| function(&point.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>());
    for point in start.as_array().unwrap() {
        let point: Point = space.parameters().iter().map(|parameter| point[&parameter.name].as_f64()).collect();
        let outcome = Outcome::complete(value(&point));
        search.add(point, Some(outcome));
    }
    while search.trials().len() < trials {
        let Next::Trial(number, point) = search.ask() else { panic!("a point is expected") };
        search.tell(number, Outcome::complete(value(&point)));
    }
    search.best().unwrap().value().unwrap()
}

#[test]
fn minima_are_found_as_well_as_by_optuna() {
    let golden: Value = serde_json::from_str(include_str!("../../golden/search_regret.json")).unwrap();
    let trials = golden["trials"].as_u64().unwrap() as usize;
    for (name, function, parameters) in cases() {
        let space = Space::new(parameters).unwrap();
        let theirs = golden["results"][name].as_array().unwrap();
        let count = theirs.len() as f64;
        assert_eq!(count, 100.0);
        let one = |(seed, one): (usize, &Value)| {
            let own = best(function, &space, &one["start"], trials, seed as u64);
            (own, own - one["best"].as_f64().unwrap())
        };
        let pairs: Vec<(f64, f64)> = theirs.iter().enumerate().map(one).collect();
        let mean = pairs.iter().map(|pair| pair.1).sum::<f64>() / count;
        let squares = pairs.iter().map(|pair| (pair.1 - mean) * (pair.1 - mean)).sum::<f64>();
        let error = (squares / (count - 1.0) / count).sqrt();
        let own = pairs.iter().map(|pair| pair.0).sum::<f64>() / count;
        println!("{name}: mean lowest value {own:.5}, above Optuna's by {mean:.5} ± {error:.5}");
        assert!(mean <= CHANCE * error, "{name}: {mean} ± {error}");
    }
}
