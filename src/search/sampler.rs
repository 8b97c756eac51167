//! Who suggests the points of trials.

use super::space::{Point, Space};
use super::tpe::{Tpe, TpeSettings};
use super::trial::Trial;
use super::{grid, quasi};
use crate::rng::{Purpose, stream};
use crate::settings::{Fault, settings};

settings! {
    /// Who suggests the points of trials.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SamplerKind {
        /// The tree-structured Parzen estimator, which learns from the trials before.
        Tpe = "tpe",
        /// Points drawn at random.
        Random = "random",
        /// A sequence that fills the space more evenly than chance: Halton's, with digits permuted at random.
        Quasi = "quasi",
        /// Every combination of a few values, in an order drawn at random.
        Grid = "grid",
    }
}

/// A kind of sampler with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// The tree-structured Parzen estimator.
    Tpe(TpeSettings),
    /// Points drawn at random.
    Random,
    /// A randomised Halton sequence.
    Quasi,
    /// So many values of each range, its ends included, and every choice.
    Grid(usize),
}

/// A sampler at work.
#[derive(Clone, Debug)]
pub(super) enum Engine {
    Tpe(Box<Tpe>),
    Random,
    Quasi,
    Grid(Vec<Point>),
}

impl Engine {
    pub fn new(sampler: Sampler, space: &Space, seed: u64) -> Result<Self, Fault> {
        Ok(match sampler {
            Sampler::Tpe(settings) => Engine::Tpe(Box::new(Tpe::new(space, settings))),
            Sampler::Random => Engine::Random,
            Sampler::Quasi => Engine::Quasi,
            Sampler::Grid(levels) => Engine::Grid(grid::points(space, levels, seed)?),
        })
    }

    /// The point of the trial behind `trials`, from what came of the first `known` of them; none where there are no more.
    pub fn suggest(&mut self, space: &Space, trials: &[Trial], known: usize, sign: f64, seed: u64) -> Option<Point> {
        let number = trials.len();
        match self {
            Engine::Tpe(tpe) => {
                let mut stream = stream(seed, Purpose::Search, number as u64);
                Some(tpe.suggest(space, trials, known, sign, &mut stream))
            }
            Engine::Random => Some(space.random(&mut stream(seed, Purpose::Search, number as u64))),
            Engine::Quasi => Some(quasi::point(space, seed, number)),
            Engine::Grid(points) => points.get(number).cloned(),
        }
    }

    /// Takes the point of the next trial.
    pub fn see(&mut self, number: usize, point: &Point) {
        if let Engine::Tpe(tpe) = self {
            tpe.see(number, point);
        }
    }
}
