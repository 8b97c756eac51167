//! The same histories, given to Optuna 5.0 and to us: `tests/golden/search.py`.

use narrows::search::*;
use serde_json::Value;

use crate::support::numbers;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/search.json")).unwrap()
}

fn space(of: &Value) -> Space {
    let parameter = |(name, one): (&String, &Value)| {
        let number = |key: &str| one[key].as_f64().unwrap();
        let made = match (&one["choices"], &one["int"]) {
            (Value::Number(count), _) => Parameter::choices(name, count.as_u64().unwrap() as usize),
            (_, Value::Array(ends)) => Parameter::int(name, ends[0].as_i64().unwrap(), ends[1].as_i64().unwrap()),
            _ => Parameter::float(name, number("low"), number("high")),
        };
        let made = if one["log"] == true { made.log() } else { made };
        match &one["when"] {
            Value::Array(choices) => made.when("optimizer", choices.iter().map(|c| c.as_u64().unwrap() as usize)),
            _ => made,
        }
    };
    Space::new(of.as_object().unwrap().iter().map(parameter)).unwrap()
}

fn point(space: &Space, of: &Value) -> Point {
    space.parameters().iter().map(|parameter| of[&parameter.name].as_f64()).collect()
}

fn outcome(trial: &Value) -> Outcome {
    let end = match trial["state"].as_str().unwrap() {
        "complete" => End::Complete(trial["value"].as_f64().unwrap()),
        "pruned" => End::Pruned,
        _ => End::Failed("a reason".into()),
    };
    Outcome { end, reports: numbers(&trial["reports"]), seconds: 0.0 }
}

fn history(case: &Value) -> Search {
    let space = space(&case["space"]);
    let mut search = Search::new(space.clone(), Sampler::Tpe(TpeSettings::default()), Pruner::None, 1).unwrap();
    for trial in case["trials"].as_array().unwrap() {
        search.add(point(&space, &trial["point"]), Some(outcome(trial)));
    }
    for running in case["running"].as_array().into_iter().flatten() {
        search.add(point(&space, running), None);
    }
    search
}

#[test]
fn densities_of_the_parzen_estimator_are_those_of_optuna() {
    let golden = golden();
    let cases = golden["gains"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let mut search = history(case);
        let space = search.space().clone();
        let mut groups = 0;
        for (name, expected) in case["gains"].as_object().unwrap() {
            let parameter = space.parameters().iter().position(|parameter| parameter.name == *name).unwrap();
            let candidates = case["candidates"].as_array().unwrap().iter().map(|one| point(&space, one));
            let own: Vec<Point> = candidates.filter(|point| point[parameter].is_some()).collect();
            let found = search.gain(parameter, &own).unwrap();
            let expected = numbers(expected);
            assert_eq!(found.len(), expected.len());
            assert!(found.len() >= 5);
            for (found, expected) in found.iter().zip(&expected) {
                let error = (found - expected).abs();
                assert!(error <= 1e-10 * expected.abs(), "{}, {name}: {found} {expected}", case["name"]);
            }
            groups += 1;
        }
        assert_eq!(groups, if case["name"] == "conditional" { 3 } else { 1 });
    }
}

#[test]
fn pruners_give_up_what_those_of_optuna_do() {
    let median = MedianSettings::default();
    let asha = AshaSettings::default();
    let pruners = [
        Pruner::Median(median),
        Pruner::Median(MedianSettings { startup: 8, warmup: 4, interval: 3 }),
        Pruner::Asha(asha),
        Pruner::Asha(AshaSettings { first: 3, factor: 2 }),
    ];
    let space = Space::new([Parameter::float("x", 0.0, 1.0)]).unwrap();
    let golden = golden();
    let cases = golden["pruning"].as_array().unwrap();
    assert_eq!(cases.len(), pruners.len());
    for (case, pruner) in cases.iter().zip(pruners) {
        assert_eq!(case["trials"].as_array().unwrap().len(), 60);
        // Maximising the negative is the same.
        for direction in [Direction::Minimize, Direction::Maximize] {
            let search = Search::new(space.clone(), Sampler::Random, pruner, 1).unwrap();
            let mut search = search.direction(direction);
            for trial in case["trials"].as_array().unwrap() {
                let Next::Trial(number, _) = search.ask() else { panic!("a point is expected") };
                let reports: Vec<f64> = numbers(&trial["reports"]).iter().map(|x| direction.sign() * x).collect();
                let last = reports.len();
                for step in 1..=last {
                    let expected = step == last && trial["given_up"] == true;
                    assert_eq!(search.gives_up(number, &reports[..step]), expected, "{} {number} {step}", case["name"]);
                }
                let end = if trial["given_up"] == true { End::Pruned } else { End::Complete(reports[last - 1]) };
                search.tell(number, Outcome { end, reports, seconds: 0.0 });
            }
        }
    }
}

#[test]
fn importances_are_those_of_optuna() {
    let golden = golden();
    let cases = golden["importances"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let search = history(case);
        let found = importance(search.space(), search.trials(), 1.0);
        assert_eq!((search.space().parameters().len(), found.len()), (5, 5));
        for (parameter, found) in search.space().parameters().iter().zip(&found) {
            let (found, expected) = (found.unwrap(), case["importances"][&parameter.name].as_f64().unwrap());
            let error = (found - expected).abs();
            assert!(error <= 1e-9 * expected, "{}: {found} {expected}", parameter.name);
        }
    }
}
