//! Trials side by side, and what was done before taken up again.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::space::Point;
use super::trial::{End, Outcome};
use super::{Next, Search};

/// A trial under way, as it is seen by who makes it.
pub struct Running<'a> {
    /// Counted from 0.
    pub number: usize,
    /// Its values.
    pub point: &'a Point,
    /// Which of the jobs makes it.
    pub job: usize,
    shared: &'a Mutex<Shared>,
    reports: Mutex<Vec<f64>>,
}

impl Running<'_> {
    /// Takes the objective after a step, and says whether the trial is to be pruned.
    pub fn report(&self, value: f64) -> bool {
        let mut reports = self.reports.lock().expect("nobody panics while holding it");
        // The journal keeps no infinity, and a resumed search must decide as this one does.
        reports.push(if value.is_finite() { value } else { f64::NAN });
        self.shared.lock().expect("nobody panics while holding it").search.gives_up(self.number, &reports)
    }
}

struct Shared {
    search: Search,
    is_over: bool,
}

/// Ends the search where a job panics: the others would wait for its trial.
struct EndsOnPanic<'a> {
    shared: &'a Mutex<Shared>,
    changed: &'a Condvar,
}

impl Drop for EndsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Ok(mut shared) = self.shared.lock() {
                shared.is_over = true;
            }
            self.changed.notify_all();
        }
    }
}

/// Goes on with `search` until it has `trials` trials, `jobs` at a time; `jobs` beyond the window of the search have nothing
/// to do.
///
/// `made` are the outcomes of trials that were made before, by number. `make` makes a trial: it gives the end of the trial,
/// nothing where it was interrupted, which ends the search, or an error, which does too. `keep` is given each outcome before
/// any other trial can know it; with an error of its own it ends the search.
///
/// # Panics
/// When `make` or `keep` does.
pub fn drive<E: Send>(
    search: Search,
    trials: usize,
    jobs: usize,
    made: BTreeMap<usize, Outcome>,
    make: impl Fn(&Running<'_>) -> Result<Option<End>, E> + Sync,
    keep: impl Fn(usize, &Point, &Outcome) -> Result<(), E> + Sync,
) -> Result<Search, E> {
    let (shared, changed) = (Mutex::new(Shared { search, is_over: false }), Condvar::new());
    let failed: Mutex<Option<E>> = Mutex::new(None);
    let worker = |job: usize| {
        let _guard = EndsOnPanic { shared: &shared, changed: &changed };
        while let Some((number, point)) = next(&shared, &changed, trials, &made) {
            let running = Running { number, point: &point, job, shared: &shared, reports: Mutex::default() };
            let began = Instant::now();
            let ended = make(&running).and_then(|end| {
                let Some(end) = end else { return Ok(None) };
                let reports = running.reports.into_inner().expect("nobody panics while holding it");
                let outcome = Outcome { end, reports, seconds: began.elapsed().as_secs_f64() };
                keep(number, &point, &outcome).map(|()| Some(outcome))
            });
            let mut shared = shared.lock().expect("nobody panics while holding it");
            match ended {
                Ok(Some(outcome)) => shared.search.tell(number, outcome),
                Ok(None) => shared.is_over = true,
                Err(error) => {
                    shared.is_over = true;
                    failed.lock().expect("nobody panics while holding it").get_or_insert(error);
                }
            }
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for job in 0..jobs.max(1) {
            let worker = &worker;
            scope.spawn(move || worker(job));
        }
    });
    match failed.into_inner().expect("nobody panicked") {
        Some(error) => Err(error),
        None => Ok(shared.into_inner().expect("nobody panicked").search),
    }
}

/// The next trial to be made; none at the end.
fn next(
    shared: &Mutex<Shared>,
    changed: &Condvar,
    trials: usize,
    made: &BTreeMap<usize, Outcome>,
) -> Option<(usize, Point)> {
    let mut shared = shared.lock().expect("nobody panics while holding it");
    while !shared.is_over && shared.search.trials().len() < trials {
        match shared.search.ask() {
            Next::Trial(number, point) => match made.get(&number) {
                Some(outcome) => shared.search.tell(number, outcome.clone()),
                None => return Some((number, point)),
            },
            Next::Wait => shared = changed.wait(shared).expect("nobody panics while holding it"),
            Next::Exhausted => return None,
        }
    }
    None
}
