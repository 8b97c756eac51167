//! Whether steps are computed by all threads or by one: whichever is faster at the moment.
//!
//! Short steps spend their time on what threads tell each other. Every weight that one of them moved has to be fetched by the
//! others in the next step, and that depends on how far apart their cores are: the same two threads of a virtual machine, which its
//! host moves from core to core, were sometimes 32 ns from each other (cores under one L3 cache) and sometimes 165 ns. A step of the
//! footwear model at batch 32 took 0.51 ms in the one case and 1.6 ms in the other, and 0.95 ms on one thread in both. So it is
//! tried again and again. The results do not depend on it.

use std::time::Instant;

use narrows_kernels::alone;

/// Steps from the beginning of one trial to that of the next.
const PERIOD: usize = 1024;
/// Which steps of a trial are computed alone. One of either kind comes first: it finds memory and caches as the other left them.
const TRIAL: [bool; 8] = [false, true, false, false, false, true, true, true];
/// Seconds of a step from which on arithmetic outweighs what threads tell each other, so that one thread is not tried.
const LONG: f64 = 20e-3;
/// One thread has to be this much faster, so that noise does not decide.
const GAIN: f64 = 0.9;

/// How the steps of one training are computed.
pub(super) struct Pace {
    /// Whether there are other threads.
    several: bool,
    step: usize,
    alone: bool,
    /// Seconds of the fastest steps of the trial, with all threads and with one.
    fastest: [f64; 2],
}

impl Pace {
    /// Of the thread pool that the caller is in.
    pub fn new() -> Self {
        Pace::of(rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1)
    }

    fn of(several: bool) -> Self {
        Pace { several, step: 0, alone: TRIAL[0], fastest: [f64::INFINITY; 2] }
    }

    /// Computes a step.
    pub fn step<R>(&mut self, work: impl FnOnce() -> R) -> R {
        if !self.several {
            return work();
        }
        let begun = Instant::now();
        let result = if self.alone { alone(work) } else { work() };
        self.took(begun.elapsed().as_secs_f64());
        result
    }

    /// Decides how the next step is computed.
    fn took(&mut self, seconds: f64) {
        if self.step < TRIAL.len() {
            let fastest = &mut self.fastest[usize::from(self.alone)];
            *fastest = fastest.min(seconds);
        }
        self.step = if self.step == 0 && seconds >= LONG { TRIAL.len() } else { self.step + 1 };
        if self.step == PERIOD {
            *self = Pace::of(self.several);
            return;
        }
        let [together, alone] = self.fastest;
        self.alone = TRIAL.get(self.step).copied().unwrap_or(alone < GAIN * together);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the steps are computed alone, when a step takes so many seconds.
    fn alone(together: f64, alone: f64, steps: usize) -> Vec<bool> {
        let mut pace = Pace::of(true);
        let mut before = None;
        let step = |_| {
            let was = pace.alone;
            // The first step of a kind is slow.
            let first = if before.replace(was) == Some(was) { 0.0 } else { 0.5 * LONG };
            pace.took(first + if was { alone } else { together });
            was
        };
        (0..steps).map(step).collect()
    }

    #[test]
    fn the_faster_way_is_kept_until_the_next_trial() {
        for (seconds, chosen) in [(0.95e-3, true), (1.5e-3, false), (1.7e-3, false)] {
            for period in alone(1.6e-3, seconds, 2 * PERIOD).chunks(PERIOD) {
                let (trial, rest) = period.split_at(TRIAL.len());
                assert_eq!(trial, TRIAL);
                assert!(rest.iter().all(|&alone| alone == chosen), "{seconds}");
            }
        }
    }

    #[test]
    fn long_steps_are_never_computed_alone() {
        assert!(!alone(2.0 * LONG, LONG, 2 * PERIOD).contains(&true));
    }

    #[test]
    fn one_thread_is_no_choice() {
        let mut pace = Pace::of(false);
        (0..20).for_each(|_| pace.step(|| ()));
        assert_eq!(pace.step, 0);
    }
}
