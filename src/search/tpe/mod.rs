//! The tree-structured Parzen estimator.
//!
//! The finished trials are divided: the best ⌈n/10⌉, at most 25, and the others with those under way. A [`Mixture`] is fitted
//! to each; 24 candidates are drawn from the first, l, and the one where ln l(x) − ln g(x) is the largest is tried.
//! Parameters that have a meaning always together are drawn together, so that the mixtures see how they depend on each other.
//! The first trials are random. (J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; S. Falkner
//! et al., "BOHB", ICML 2018; S. Watanabe, arXiv 2304.11127.)
//!
//! Of the crates that have it, `optimizer` 1.0.1 takes σ by Scott's rule, and `parzen` 0.3.0 takes logarithms from the C library,
//! which differ between machines.

mod column;
mod mixture;

use super::space::{Point, Space};
use super::trial::{End, Outcome, Trial};
use crate::rng::Stream;
use crate::settings::{at_least, settings};
use column::Column;
use mixture::{Buffers, Mixture};

settings! {
    /// How the tree-structured Parzen estimator suggests.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TpeSettings {
        /// Trials before the first that is not random.
        pub startup: usize = 10;
        /// Points that are drawn from the density of the best, of which one is tried.
        pub candidates: usize = 24, in at_least(1);
    }
}

/// Trials that are among the best, at most.
const MOST_BEST: usize = 25;

/// The estimator, with what it keeps of the points that were suggested.
#[derive(Clone, Debug)]
pub(super) struct Tpe {
    settings: TpeSettings,
    groups: Vec<Group>,
    buffers: Buffers,
}

/// Parameters that have a meaning always together.
#[derive(Clone, Debug)]
struct Group {
    parameters: Vec<usize>,
    /// The trials in which they have one.
    trials: Vec<usize>,
    /// On which side each of these was when the kernels were made.
    sides: Vec<Side>,
    columns: Vec<Column>,
    /// Those of the best and those of the rest, by their numbers among `trials`.
    members: [Vec<u32>; 2],
}

/// Where a trial belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Best,
    Rest,
    Neither,
}

impl Tpe {
    pub fn new(space: &Space, settings: TpeSettings) -> Self {
        let group = |parameters: Vec<usize>| {
            let column = |&parameter: &usize| Column::new(space.parameters()[parameter].domain);
            let columns = parameters.iter().map(column).collect();
            Group { parameters, trials: Vec::new(), sides: Vec::new(), columns, members: Default::default() }
        };
        Tpe { settings, groups: space.groups().into_iter().map(group).collect(), buffers: Buffers::default() }
    }

    /// Takes the point of the next trial.
    pub fn see(&mut self, number: usize, point: &Point) {
        for group in &mut self.groups {
            if point[group.parameters[0]].is_none() {
                continue;
            }
            group.trials.push(number);
            for (column, &parameter) in group.columns.iter_mut().zip(&group.parameters) {
                column.push(point[parameter].unwrap_or(f64::NAN));
            }
        }
    }

    /// The next point. Of the trials that were seen, `outcome` says what came of those whose outcome may be known; objectives are
    /// multiplied by `sign` to be minimised.
    pub fn suggest(&mut self, space: &Space, trials: &[Trial], known: usize, sign: f64, stream: &mut Stream) -> Point {
        let sides = match sides(&trials[..known], sign, self.settings.startup) {
            Some(best_and_rest) => best_and_rest,
            None => return space.random(stream),
        };
        let mut values = vec![f64::NAN; space.len()];
        for group in &mut self.groups {
            group.update(&sides);
            let drawn = group.mixture(BEST).draw(self.settings.candidates, stream);
            let columns: Vec<Vec<f64>> =
                (0..group.parameters.len()).map(|at| drawn.iter().map(|point| point[at]).collect()).collect();
            let gain = group.gain(&columns, &mut self.buffers);
            // The first of equal ones.
            let chosen = (1..gain.len()).fold(0, |chosen, at| if gain[at] > gain[chosen] { at } else { chosen });
            for ((column, &parameter), value) in group.columns.iter().zip(&group.parameters).zip(&drawn[chosen]) {
                values[parameter] = column.domain.inverse_transform(*value);
            }
        }
        space.active(|parameter| values[parameter])
    }

    /// ln l(x) − ln g(x) of the group that has `parameter`, at points whose values of its parameters are the columns.
    pub fn gain_at(&mut self, trials: &[Trial], sign: f64, parameter: usize, points: &[Point]) -> Vec<f64> {
        let Some(sides) = sides(trials, sign, 0) else { return Vec::new() };
        let Some(group) = self.groups.iter_mut().find(|group| group.parameters.contains(&parameter)) else {
            return Vec::new();
        };
        group.update(&sides);
        let column = |(column, &parameter): (&Column, &usize)| {
            points.iter().map(|point| column.domain.transform(point[parameter].unwrap_or(f64::NAN))).collect()
        };
        let columns: Vec<Vec<f64>> = group.columns.iter().zip(&group.parameters).map(column).collect();
        group.gain(&columns, &mut self.buffers)
    }
}

/// The numbers of the mixtures.
const BEST: usize = 0;
const REST: usize = 1;

impl Group {
    /// Brings the kernels of both mixtures up to date. Trials beyond the end of `sides` are under way.
    fn update(&mut self, sides: &[Side]) {
        let side = |trial: &usize| sides.get(*trial).copied().unwrap_or(Side::Rest);
        let sides: Vec<Side> = self.trials.iter().map(side).collect();
        let numbers = 0..sides.len() as u32;
        let changed: Vec<u32> =
            numbers.clone().filter(|&at| self.sides.get(at as usize) != Some(&sides[at as usize])).collect();
        self.columns.iter_mut().for_each(Column::forget);
        for (mixture, side) in [(BEST, Side::Best), (REST, Side::Rest)] {
            let is_member: Vec<bool> = sides.iter().map(|&other| other == side).collect();
            let members = &mut self.members[mixture];
            members.clear();
            members.extend(numbers.clone().filter(|&at| is_member[at as usize]));
            self.columns.iter_mut().for_each(|column| column.update(mixture, &is_member, members, &changed));
        }
        self.sides = sides;
    }

    fn mixture(&self, number: usize) -> Mixture<'_> {
        Mixture { number, columns: &self.columns, members: &self.members[number] }
    }

    /// ln l(x) − ln g(x) at candidates, which are columns, one for each parameter.
    fn gain(&mut self, candidates: &[Vec<f64>], buffers: &mut Buffers) -> Vec<f64> {
        for (column, xs) in self.columns.iter_mut().zip(candidates) {
            xs.iter().for_each(|&x| column.prepare(x));
        }
        let [best, rest] = [BEST, REST].map(|number| self.mixture(number).log_density(candidates, buffers));
        best.iter().zip(&rest).map(|(best, rest)| best - rest).collect()
    }
}

/// On which side each finished trial is; none while fewer than `startup` have ended with a figure.
///
/// Complete trials come before pruned ones, of those the ones that got furthest first, and then the lower objective.
fn sides(trials: &[Trial], sign: f64, startup: usize) -> Option<Vec<Side>> {
    let mut ranked: Vec<(usize, [f64; 3])> = Vec::new();
    let mut sides = vec![Side::Rest; trials.len()];
    for trial in trials {
        let Some(Outcome { end, reports, .. }) = &trial.result else { continue };
        let rank = match end {
            End::Failed(_) => {
                sides[trial.number] = Side::Neither;
                continue;
            }
            End::Complete(value) => [0.0, 0.0, sign * value],
            End::Pruned => {
                let last = reports.last().copied().unwrap_or(0.0);
                let last = if last.is_nan() { f64::INFINITY } else { sign * last };
                [1.0, -(reports.len() as f64), last]
            }
        };
        ranked.push((trial.number, rank));
    }
    if ranked.len() < startup {
        return None;
    }
    let best = ranked.len().div_ceil(10).min(MOST_BEST);
    if best < ranked.len() {
        // Of equal ones the earlier.
        let order = |(a, of_a): &(usize, [f64; 3]), (b, of_b): &(usize, [f64; 3])| {
            of_a.partial_cmp(of_b).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
        };
        ranked.select_nth_unstable_by(best, order);
    }
    for (number, _) in &ranked[..best] {
        sides[*number] = Side::Best;
    }
    Some(sides)
}
