//! What may be searched, and what samplers make of it.

use std::collections::BTreeSet;

use narrows::search::*;

fn refusal(parameters: impl IntoIterator<Item = Parameter>) -> String {
    Space::new(parameters).unwrap_err().to_string()
}

#[test]
fn bad_spaces_get_a_sentence() {
    let x = || Parameter::float("x", 0.0, 1.0);
    let c = || Parameter::choices("c", 2);
    for (parameters, words) in [
        (vec![], "at least one value that varies"),
        (vec![Parameter::float("x", 1.0, 0.5)], "a range from low = 1 to high = 0.5"),
        (vec![Parameter::float("x", 1.0, f64::NAN)], "finite numbers"),
        (vec![Parameter::float("x", -f64::MAX, f64::MAX)], "whose difference is finite"),
        (vec![x().log()], "a low above 0"),
        (vec![Parameter::int("x", 3, 3)], "a first integer below the second"),
        (vec![Parameter::int("x", 0, 3).log()], "of at least 1"),
        (vec![Parameter::int("x", 0, 1 << 54)], "between -2^53 and 2^53"),
        (vec![Parameter::choices("x", 0)], "1 to 1000 choices"),
        (vec![x(), x()], "every parameter once"),
        (vec![x().when("c", [0])], "which is no parameter with choices"),
        (vec![x(), c().when("x", [0])], "which is no parameter with choices"),
        (vec![c(), x().when("c", [2])], "a value that \"c\" never has"),
        (vec![c().when("d", [0]), Parameter::choices("d", 2).when("c", [1])], "without a circle"),
    ] {
        let said = refusal(parameters);
        assert!(said.contains(words), "{said}");
    }
}

/// A number, a logarithm, an integer, a choice, and what depends on it and on what depends on that.
fn mixed() -> Space {
    Space::new([
        Parameter::choices("inner", 2).when("outer", [1]),
        Parameter::float("number", -1.0, 1.0),
        Parameter::float("rate", 1e-4, 1.0).log(),
        Parameter::int("count", 1, 4),
        Parameter::int("width", 16, 512).log(),
        Parameter::choices("outer", 2),
        Parameter::float("deepest", 0.0, 1.0).when("inner", [0]),
    ])
    .unwrap()
}

fn check(space: &Space, point: &Point) {
    let present: Vec<bool> = point.iter().map(Option::is_some).collect();
    let inner = point[5] == Some(1.0);
    assert_eq!(present, [inner, true, true, true, true, true, inner && point[0] == Some(0.0)]);
    for (parameter, value) in space.parameters().iter().zip(point) {
        assert!(value.is_none_or(|value| parameter.domain.accepts(value)), "{}: {value:?}", parameter.name);
    }
}

#[test]
fn every_sampler_stays_in_the_space_and_begins_the_same_however_many_trials_follow() {
    for sampler in [Sampler::Random, Sampler::Quasi, Sampler::Grid(3), Sampler::Tpe(TpeSettings::default())] {
        let points = |count: usize, seed: u64| {
            let mut search = Search::new(mixed(), sampler, Pruner::None, seed).unwrap();
            for _ in 0..count {
                let Next::Trial(number, point) = search.ask() else { panic!("a point is expected") };
                search.tell(number, Outcome::complete(point[1].unwrap() + libm::log(point[2].unwrap())));
            }
            search.trials().iter().map(|trial| trial.point.clone()).collect::<Vec<_>>()
        };
        let all = points(60, 7);
        all.iter().for_each(|point| check(&mixed(), point));
        assert_eq!(points(20, 7), all[..20]);
        assert_ne!(points(20, 8), all[..20]);
        let different: BTreeSet<String> = all.iter().map(|point| format!("{point:?}")).collect();
        assert!(different.len() > 55, "{sampler:?}: {}", different.len());
    }
}

#[test]
fn what_an_estimator_keeps_between_suggestions_changes_none() {
    let space = Space::new([
        Parameter::float("number", -1.0, 1.0),
        Parameter::float("rate", 1e-4, 1.0).log(),
        Parameter::int("large", 1, 1_000_000),
        Parameter::int("small", 0, 9),
        Parameter::int("width", 1, 4096).log(),
        Parameter::choices("kind", 3),
    ])
    .unwrap();
    let search = || Search::new(space.clone(), Sampler::Tpe(TpeSettings::default()), Pruner::None, 3).unwrap();
    let mut grown = search();
    for _ in 0..300 {
        let Next::Trial(number, point) = grown.ask() else { panic!("a point is expected") };
        if [12, 31, 75, 98, 99, 150, 299].contains(&number) {
            let mut at_once = search();
            for trial in &grown.trials()[..number] {
                at_once.add(trial.point.clone(), trial.result.clone());
            }
            assert_eq!(at_once.ask(), Next::Trial(number, point.clone()));
        }
        // Now and then a better one, a worse one, and one that failed.
        let value = point[0].unwrap() + libm::log(point[1].unwrap()) - point[2].unwrap() * 1e-6 + (number % 7) as f64;
        grown.tell(number, Outcome::complete(if number % 11 == 5 { f64::NAN } else { value }));
    }
}

#[test]
fn a_grid_has_every_combination_once() {
    let mut search = Search::new(mixed(), Sampler::Grid(3), Pruner::None, 1).unwrap();
    let mut points = BTreeSet::new();
    while let Next::Trial(number, point) = search.ask() {
        check(&mixed(), &point);
        points.insert(format!("{point:?}"));
        search.tell(number, Outcome::complete(0.0));
    }
    // 3 values each of four ranges; outer 0, or outer 1 with inner 1, or with inner 0 and 3 values.
    assert_eq!((points.len(), search.trials().len()), (3 * 3 * 3 * 3 * (1 + 1 + 3), 3 * 3 * 3 * 3 * (1 + 1 + 3)));
    assert_eq!(search.ask(), Next::Exhausted);
    let many: Vec<Parameter> = (0..30).map(|number| Parameter::float(format!("x{number}"), 0.0, 1.0)).collect();
    let refused = Search::new(Space::new(many).unwrap(), Sampler::Grid(3), Pruner::None, 1).unwrap_err().to_string();
    assert!(refused.contains("fewer levels"), "{refused}");
}

#[test]
fn quasi_random_points_are_more_even_than_random_ones() {
    let space = Space::new((0..6).map(|number| Parameter::float(format!("x{number}"), 0.0, 1.0))).unwrap();
    // Mean squared difference between the share of points below a corner and its volume, over 200 corners of each pair of dimensions.
    let unevenness = |sampler: Sampler, seed: u64| {
        let mut search = Search::new(space.clone(), sampler, Pruner::None, seed).unwrap();
        let points: Vec<Point> = (0..128)
            .map(|_| match search.ask() {
                Next::Trial(number, point) => {
                    search.tell(number, Outcome::complete(0.0));
                    point
                }
                _ => panic!("a point is expected"),
            })
            .collect();
        let mut sum = 0.0;
        for corner in 1..=200 {
            let (x, y) = (f64::from(corner % 20) / 20.0, f64::from(corner / 20) / 10.0);
            for (a, b) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)] {
                let below = points.iter().filter(|point| point[a].unwrap() < x && point[b].unwrap() < y).count();
                let difference = below as f64 / 128.0 - x * y;
                sum += difference * difference;
            }
        }
        sum
    };
    for seed in 1..=5 {
        assert!(unevenness(Sampler::Quasi, seed) < 0.5 * unevenness(Sampler::Random, seed), "seed {seed}");
    }
}

#[test]
fn a_failed_trial_is_never_the_best_and_teaches_nothing() {
    let space = Space::new([Parameter::float("x", 0.0, 1.0)]).unwrap();
    let sampler = Sampler::Tpe(TpeSettings { startup: 2, candidates: 24 });
    let mut search = Search::new(space, sampler, Pruner::None, 1).unwrap();
    for value in [f64::NAN, 3.0, f64::NEG_INFINITY, 2.0, 2.0] {
        let Next::Trial(number, _) = search.ask() else { panic!("a point is expected") };
        search.tell(number, Outcome::complete(value));
    }
    assert_eq!(search.trials()[2].result.as_ref().unwrap().end, End::Failed("the objective is -inf".into()));
    // Of two that are equal the first.
    assert_eq!(search.best().unwrap().number, 3);
    assert_eq!(search.clone().direction(Direction::Maximize).best().unwrap().number, 1);
}
