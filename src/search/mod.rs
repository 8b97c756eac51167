//! Search for the best values of parameters: spaces, samplers, pruners, storage, importance. Knows neither models nor files
//! of configuration.
//!
//! [`Search`] is asked for points and told what came of them:
//!
//! ```
//! use narrows::search::{Next, Outcome, Parameter, Pruner, Sampler, Search, Space, TpeSettings};
//!
//! let space = Space::new([Parameter::float("x", -5.0, 5.0), Parameter::float("rate", 1e-4, 1.0).log()])?;
//! let mut search = Search::new(space, Sampler::Tpe(TpeSettings::default()), Pruner::None, 1)?;
//! for _ in 0..40 {
//!     let Next::Trial(number, point) = search.ask() else { break };
//!     let [x, rate] = [0, 1].map(|parameter| point[parameter].unwrap());
//!     search.tell(number, Outcome::complete((x - 1.0).powi(2) + (rate - 0.01).abs()));
//! }
//! let best = search.best().unwrap();
//! assert!(best.value().unwrap() < 0.2);
//! # Ok::<(), narrows::settings::Fault>(())
//! ```
//!
//! # The order of things
//!
//! Trials are numbered, and with a window of w trial n is made from the trials 0 … n − w and from nothing else: their
//! outcomes are what the sampler and the pruner know, whatever others have ended by then. The w − 1 trials between are under
//! way as far as trial n can tell; the Parzen estimator counts their points among the worse ones, so that it does not suggest
//! them again. So up to w trials run side by side, and the table of trials is a function of space, sampler, pruner, seed and
//! window: not of how many run at once, in which order they end, nor of whether the search was killed and went on. With a
//! window of 1 each trial knows all before it.

mod drive;
mod grid;
mod importance;
mod normal;
mod pruner;
mod quasi;
mod sampler;
mod settings;
mod space;
mod storage;
mod tpe;
mod trial;

pub use drive::{Running, drive};
pub use importance::importance;
pub use pruner::{AshaSettings, MedianSettings, Pruner, PrunerKind};
pub use sampler::{Sampler, SamplerKind};
pub use settings::{Direction, SearchSettings};
pub use space::{Domain, Parameter, Point, Space};
pub use storage::{Journal, Opened, StorageError};
pub use tpe::TpeSettings;
pub use trial::{End, Outcome, Trial};

use crate::settings::Fault;
use sampler::Engine;

/// A search by one sampler and one pruner.
#[derive(Clone, Debug)]
pub struct Search {
    space: Space,
    engine: Engine,
    pruner: Pruner,
    seed: u64,
    window: usize,
    /// What objectives are multiplied by to be minimised.
    sign: f64,
    trials: Vec<Trial>,
}

/// What [`Search::ask`] answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The number of the next trial, and its point.
    Trial(usize, Point),
    /// What the next trial is made from is not told yet.
    Wait,
    /// There are no more points.
    Exhausted,
}

impl Search {
    /// A search that minimises, one trial after the other. Refused: a grid with too many points.
    pub fn new(space: Space, sampler: Sampler, pruner: Pruner, seed: u64) -> Result<Search, Fault> {
        let engine = Engine::new(sampler, &space, seed)?;
        Ok(Search { space, engine, pruner, seed, window: 1, sign: 1.0, trials: Vec::new() })
    }

    /// The same with up to `window` trials side by side, at least 1.
    pub fn window(self, window: usize) -> Search {
        Search { window: window.max(1), ..self }
    }

    /// The same, maximising or minimising.
    pub fn direction(self, direction: Direction) -> Search {
        Search { sign: direction.sign(), ..self }
    }

    /// What is searched.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Every trial so far, in order.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How many of the first trials the trial `number` is made from.
    fn known(&self, number: usize) -> usize {
        (number + 1).saturating_sub(self.window)
    }

    /// The next trial, which is under way from now on.
    pub fn ask(&mut self) -> Next {
        let number = self.trials.len();
        let known = self.known(number);
        if self.trials[..known].iter().any(|trial| trial.result.is_none()) {
            return Next::Wait;
        }
        match self.engine.suggest(&self.space, &self.trials, known, self.sign, self.seed) {
            None => Next::Exhausted,
            Some(point) => {
                self.add(point.clone(), None);
                Next::Trial(number, point)
            }
        }
    }

    /// Adds a trial that somebody else made.
    ///
    /// # Panics
    /// When the point is none of the space.
    pub fn add(&mut self, point: Point, result: Option<Outcome>) {
        assert!(self.is_of_space(&point), "{point:?} is no point of the space");
        let number = self.trials.len();
        self.engine.see(number, &point);
        self.trials.push(Trial { number, point, result });
    }

    fn is_of_space(&self, point: &Point) -> bool {
        let is_own = |number: usize| match point[number] {
            Some(value) => {
                self.space.has_meaning(number, point) && self.space.parameters()[number].domain.accepts(value)
            }
            None => !self.space.has_meaning(number, point),
        };
        point.len() == self.space.len() && (0..point.len()).all(is_own)
    }

    /// Takes what came of a trial.
    ///
    /// # Panics
    /// When nobody asked for it, or it was told before.
    pub fn tell(&mut self, number: usize, outcome: Outcome) {
        let trial = self.trials.get_mut(number).filter(|trial| trial.result.is_none());
        trial.expect("a trial that is under way").result = Some(outcome);
    }

    /// Whether the trial `number`, which has reported `reports`, is to be pruned. The answer is known from the moment on in
    /// which the trial was asked for.
    pub fn gives_up(&self, number: usize, reports: &[f64]) -> bool {
        let others = self.trials[..self.known(number)].iter().filter_map(|trial| trial.result.as_ref());
        !reports.is_empty() && self.pruner.gives_up(reports, others, self.sign)
    }

    /// The best of the complete trials, the first of equal ones.
    pub fn best(&self) -> Option<&Trial> {
        let better = |best: Option<&Trial>, trial: &Trial| match (best.and_then(Trial::value), trial.value()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(best), Some(value)) => self.sign * value < self.sign * best,
        };
        self.trials.iter().fold(None, |best, trial| if better(best, trial) { Some(trial) } else { best })
    }

    /// ln l(x) − ln g(x) of the Parzen estimator at `points`, by which it chooses: for the parameters that have a meaning always
    /// together with `parameter`, after all trials so far. None for another sampler.
    pub fn gain(&mut self, parameter: usize, points: &[Point]) -> Option<Vec<f64>> {
        match &mut self.engine {
            Engine::Tpe(tpe) => Some(tpe.gain_at(&self.trials, self.sign, parameter, points)),
            _ => None,
        }
    }
}
