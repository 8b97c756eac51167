//! Whether steps are computed by all threads or by one: whichever is faster at the moment.
//!
//! Short steps spend their time on what threads tell each other. Every weight that one of them moved has to be fetched by the
//! others in the next step, and that depends on how far apart their cores are: the same two threads of a virtual machine, which its
//! host moves from core to core, were sometimes 32 ns from each other (cores under one L3 cache) and sometimes 165 ns. A step of the
//! footwear model at batch 32 took 0.51 ms in the one case and 1.6 ms in the other, and 0.95 ms on one thread in both. So it is
//! tried again and again. The results do not depend on it.

use std::time::Instant;

use narrows_kernels::alone;

/// Steps from one trial to the next.
const PERIOD: u32 = 1024;
/// Steps of a trial with all threads, and as many with one. The first of either finds the caches as the other left them and does
/// not count.
const TRIAL: u32 = 4;
/// Seconds of a step from which on arithmetic outweighs what threads tell each other, so that one thread is not tried.
const LONG: f64 = 5e-3;
/// One thread has to be this much faster, so that noise does not decide.
const GAIN: f64 = 0.9;

/// How the steps of one training are computed.
pub(super) struct Pace {
    /// Whether there are other threads.
    several: bool,
    step: u32,
    alone: bool,
    /// Seconds of the fastest step of the trial, with all threads and with one.
    fastest: [f64; 2],
}

impl Pace {
    /// Of the thread pool that the caller is in.
    pub fn new() -> Self {
        Pace::of(rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1)
    }

    fn of(several: bool) -> Self {
        Pace { several, step: 0, alone: false, fastest: [f64::INFINITY; 2] }
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
        if self.step < 2 * TRIAL && !self.step.is_multiple_of(TRIAL) {
            let fastest = &mut self.fastest[usize::from(self.alone)];
            *fastest = fastest.min(seconds);
        }
        self.step += 1;
        let [together, alone] = self.fastest;
        if self.step == TRIAL && together < LONG {
            self.alone = true;
        } else if self.step == 2 * TRIAL {
            self.alone = alone < GAIN * together;
        } else if self.step == PERIOD {
            *self = Pace::of(self.several);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the steps are computed alone, when a step takes so many seconds.
    fn alone(together: f64, alone: f64, steps: u32) -> Vec<bool> {
        let mut pace = Pace::of(true);
        let step = |_| {
            let was = pace.alone;
            // The first step of a kind is slow.
            let first = if pace.step.is_multiple_of(TRIAL) { 1.0 } else { 0.0 };
            pace.took(first + if was { alone } else { together });
            was
        };
        (0..steps).map(step).collect()
    }

    #[test]
    fn the_faster_way_is_kept_until_the_next_trial() {
        for (seconds, chosen) in [(0.95e-3, true), (1.5e-3, false), (1.7e-3, false)] {
            let found = alone(1.6e-3, seconds, 2 * PERIOD);
            for period in found.chunks(PERIOD as usize) {
                let (trial, rest) = period.split_at(2 * TRIAL as usize);
                assert_eq!(trial, [false, false, false, false, true, true, true, true]);
                assert!(rest.iter().all(|&alone| alone == chosen), "{seconds}");
            }
        }
    }

    #[test]
    fn long_steps_are_never_computed_alone() {
        assert_eq!(alone(2.0 * LONG, LONG, 2 * PERIOD), vec![false; 2 * PERIOD as usize]);
    }

    #[test]
    fn one_thread_is_no_choice() {
        let mut pace = Pace::of(false);
        (0..20).for_each(|_| pace.step(|| ()));
        assert_eq!((pace.step, pace.alone), (0, false));
    }
}
