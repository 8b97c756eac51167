//! The table of trials is the same for any number of jobs, whatever ends first, and after a break.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use narrows::search::*;

const PRUNERS: [Pruner; 3] = [
    Pruner::None,
    Pruner::Median(MedianSettings { startup: 3, warmup: 0, interval: 1 }),
    Pruner::Asha(AshaSettings { first: 1, factor: 2 }),
];

fn search(pruner: Pruner) -> Search {
    let space = Space::new([
        Parameter::float("x", -2.0, 2.0),
        Parameter::choices("c", 2),
        Parameter::int("n", 1, 9).when("c", [1]),
    ]);
    let sampler = Sampler::Tpe(TpeSettings { startup: 6, candidates: 24 });
    Search::new(space.unwrap(), sampler, pruner, 5).unwrap().window(4)
}

/// Steps towards the objective, of which some trials take more time than others, each time another.
fn make(running: &Running<'_>, haste: &AtomicUsize) -> Result<Option<End>, Infallible> {
    let x = running.point[0].unwrap();
    let target = x * x + running.point[2].map_or(0.5, |n| 0.1 * n);
    if running.number % 11 == 7 {
        return Ok(Some(End::Failed("a reason".into())));
    }
    for step in 1..=6 {
        let pause = haste.fetch_add(7919, Ordering::Relaxed) % 13;
        std::thread::sleep(Duration::from_micros(20 * pause as u64));
        let value = target + 1.0 / f64::from(step);
        if running.report(value) && step < 6 {
            return Ok(Some(End::Pruned));
        }
    }
    Ok(Some(End::of(target)))
}

/// The trials without their seconds.
fn table(search: &Search) -> Vec<(usize, Point, End, Vec<f64>)> {
    let row = |trial: &Trial| {
        let outcome = trial.result.clone().unwrap();
        (trial.number, trial.point.clone(), outcome.end, outcome.reports)
    };
    search.trials().iter().map(row).collect()
}

fn driven(
    pruner: Pruner,
    trials: usize,
    jobs: usize,
    made: BTreeMap<usize, Outcome>,
) -> (Search, BTreeMap<usize, Outcome>) {
    let (haste, kept) = (AtomicUsize::new(jobs), Mutex::new(made.clone()));
    let keep = |number: usize, _: &Point, outcome: &Outcome| {
        assert!(kept.lock().unwrap().insert(number, outcome.clone()).is_none(), "trial {number} is made twice");
        Ok(())
    };
    let search = drive(search(pruner), trials, jobs, made, |running| make(running, &haste), keep).unwrap();
    (search, kept.into_inner().unwrap())
}

#[test]
fn the_table_is_the_same_for_any_number_of_jobs() {
    for pruner in PRUNERS {
        let (one, kept) = driven(pruner, 50, 1, BTreeMap::new());
        let one = table(&one);
        assert_eq!((one.len(), kept.len()), (50, 50));
        let pruned = one.iter().filter(|row| row.2 == End::Pruned).count();
        assert_eq!(pruned > 0, pruner != Pruner::None);
        for jobs in [2, 4, 7] {
            assert_eq!(table(&driven(pruner, 50, jobs, BTreeMap::new()).0), one, "{pruner:?}, {jobs} jobs");
        }
    }
}

#[test]
fn the_table_is_the_same_after_a_break() {
    for pruner in PRUNERS {
        let whole = table(&driven(pruner, 50, 2, BTreeMap::new()).0);
        let (half, mut kept) = driven(pruner, 25, 4, BTreeMap::new());
        assert_eq!(table(&half), whole[..25]);
        // What was under way when it was killed is not there, whichever that is.
        for lost in [24, 22] {
            kept.remove(&lost);
            assert_eq!(table(&driven(pruner, 50, 4, kept.clone()).0), whole);
        }
    }
}

#[test]
fn a_panic_ends_the_search() {
    let space = Space::new([Parameter::float("x", 0.0, 1.0)]).unwrap();
    let search = Search::new(space, Sampler::Random, Pruner::None, 1).unwrap().window(3);
    let at_three = |running: &Running<'_>| -> Result<Option<End>, Infallible> {
        assert_ne!(running.number, 3, "this panic is meant");
        Ok(Some(End::Complete(1.0)))
    };
    let driven = || drive(search, 50, 2, BTreeMap::new(), at_three, |_, _, _| Ok(()));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(driven)).is_err());
}

#[test]
fn reports_that_are_not_finite_are_kept_as_the_journal_can_keep_them() {
    let space = Space::new([Parameter::float("x", 0.0, 1.0)]).unwrap();
    let search = Search::new(space, Sampler::Random, Pruner::None, 1).unwrap();
    let make = |running: &Running<'_>| -> Result<Option<End>, Infallible> {
        for value in [1.5, f64::INFINITY, f64::NAN] {
            running.report(value);
        }
        Ok(Some(End::Complete(1.0)))
    };
    let driven = drive(search, 1, 1, BTreeMap::new(), make, |_, _, _| Ok(())).unwrap();
    let reports = &driven.trials()[0].result.as_ref().unwrap().reports;
    assert!(reports[0] == 1.5 && reports[1].is_nan() && reports[2].is_nan(), "{reports:?}");
}

#[test]
fn an_error_or_an_interruption_ends_the_search() {
    let space = || Space::new([Parameter::float("x", 0.0, 1.0)]).unwrap();
    let search = || Search::new(space(), Sampler::Random, Pruner::None, 1).unwrap().window(3);
    let at_nine = |running: &Running<'_>| match running.number {
        9 => Err("nine"),
        _ => Ok(Some(End::Complete(1.0))),
    };
    let keep = |_: usize, _: &Point, _: &Outcome| Ok(());
    assert_eq!(drive(search(), 50, 3, BTreeMap::new(), at_nine, keep).unwrap_err(), "nine");
    let interrupted = |running: &Running<'_>| Ok((running.number < 9).then_some(End::Complete(1.0)));
    let ended = drive(search(), 50, 3, BTreeMap::new(), interrupted, |_, _, _| Ok::<(), ()>(())).unwrap();
    assert!((9..=12).contains(&ended.trials().len()), "{}", ended.trials().len());
    assert!(ended.trials()[9].result.is_none());
}
