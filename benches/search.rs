//! Time of a suggestion of the Parzen estimator: `cargo bench --bench search [-- --dimensions N] [--trials N]`.
//!
//! A search is given trials at random points with the sum of squares as objective, and asked for more; the median over further
//! trials is reported, for a space of numbers alone and for one of numbers, logarithms, integers and choices in turn.
//! `benches/peers/suggestion.py` does the same with Optuna.

#[path = "harness.rs"]
#[allow(dead_code, reason = "no kernel is timed here")]
mod harness;

use std::time::Instant;

use harness::{median, read_arguments};
use narrows::search::{Next, Outcome, Parameter, Pruner, Sampler, Search, Space, TpeSettings};

fn main() {
    let (mut dimensions, mut trials): (usize, usize) = (40, 1000);
    read_arguments(|argument, value| {
        match argument {
            "--dimensions" => dimensions = value().parse().expect("a number of dimensions"),
            "--trials" => trials = value().parse().expect("a number of trials"),
            _ => return false,
        }
        true
    });
    let number = |name: String, _: usize| Parameter::float(name, -5.0, 5.0);
    let mixed = |name: String, at: usize| match at % 4 {
        0 => Parameter::float(name, -5.0, 5.0),
        1 => Parameter::float(name, 1e-5, 1e-1).log(),
        2 => Parameter::int(name, 1, 64),
        _ => Parameter::choices(name, 4),
    };
    for (what, parameter) in [("numbers", &number as &dyn Fn(String, usize) -> Parameter), ("mixed", &mixed)] {
        let space = Space::new((0..dimensions).map(|at| parameter(format!("x{at}"), at))).expect("the space is valid");
        let mut random = Search::new(space.clone(), Sampler::Random, Pruner::None, 1).expect("it has points");
        let tpe = Sampler::Tpe(TpeSettings::default());
        let mut search = Search::new(space, tpe, Pruner::None, 1).expect("it has points");
        for _ in 0..trials {
            let Next::Trial(_, point) = random.ask() else { break };
            let value = point.iter().flatten().map(|x| x * x).sum();
            random.tell(random.trials().len() - 1, Outcome::complete(value));
            search.add(point, Some(Outcome::complete(value)));
        }
        let mut seconds: Vec<f64> = Vec::new();
        for _ in 0..200 {
            let began = Instant::now();
            let Next::Trial(at, point) = search.ask() else { break };
            seconds.push(began.elapsed().as_secs_f64());
            search.tell(at, Outcome::complete(point.iter().flatten().map(|x| x * x).sum()));
        }
        println!(
            "{dimensions} dimensions ({what}), {trials} trials and 200 more: median {:.3} ms a suggestion, slowest {:.3} ms",
            1e3 * median(seconds.clone()),
            1e3 * seconds.iter().copied().fold(0.0, f64::max)
        );
    }
}
