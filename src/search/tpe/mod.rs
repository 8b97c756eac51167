//! The tree-structured Parzen estimator.
//!
//! The finished trials are divided: the best ⌈n/10⌉, at most 25, and the others with those under way. A [`Mixture`] is fitted to each; 24 candidates are drawn from the first, l, and the one where
//! ln l(x) − ln g(x) is the largest is tried. Parameters that have a meaning always together are drawn together, so that the mixtures see how they
//! depend on each other. The first trials are random. (J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; S. Falkner et al., "BOHB", ICML 2018; S. Watanabe, arXiv 2304.11127.)
//!
//! Of the crates that have it, `optimizer` 1.0.1 takes σ by Scott's rule, and `parzen` 0.3.0 takes logarithms from the C library,
//! which differ between machines.

mod mixture;

use super::space::{Point, Space};
use super::trial::{End, Outcome, Trial};
use crate::rng::Stream;
use crate::settings::{at_least, settings};
use mixture::{Buffers, Kernel, Mixture, Observed};

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
    /// Of the mixtures of the best and of the rest.
    buffers: [Buffers; 2],
}

/// Parameters that have a meaning always together.
#[derive(Clone, Debug)]
struct Group {
    parameters: Vec<usize>,
    /// The trials in which they have one.
    trials: Vec<usize>,
    columns: Vec<Column>,
}

/// The values of one parameter.
#[derive(Clone, Debug, Default)]
struct Column {
    /// As they stand in the range, in the order of the trials.
    values: Vec<f64>,
    /// Their numbers in ascending order.
    order: Vec<u32>,
    /// What was computed for each while it was not among the best.
    kept: Vec<Kernel>,
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
            let columns = parameters.iter().map(|_| Column::default()).collect();
            Group { parameters, trials: Vec::new(), columns }
        };
        Tpe { settings, groups: space.groups().into_iter().map(group).collect(), buffers: Default::default() }
    }

    /// Takes the point of the next trial.
    pub fn see(&mut self, space: &Space, number: usize, point: &Point) {
        for group in &mut self.groups {
            if point[group.parameters[0]].is_none() {
                continue;
            }
            group.trials.push(number);
            for (column, &parameter) in group.columns.iter_mut().zip(&group.parameters) {
                let value = point[parameter].unwrap_or(f64::NAN);
                let value = space.parameters()[parameter].domain.into_range(value);
                let at = column.order.partition_point(|&other| column.values[other as usize] <= value);
                column.order.insert(at, column.values.len() as u32);
                column.values.push(value);
                column.kept.push(Kernel::default());
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
            let [mut best, mut rest] = group.mixtures(space, &sides, &mut self.buffers);
            let drawn: Vec<Vec<f64>> = (0..self.settings.candidates).map(|_| best.draw(stream)).collect();
            let columns: Vec<Vec<f64>> =
                (0..group.parameters.len()).map(|at| drawn.iter().map(|point| point[at]).collect()).collect();
            let gain = gain(&mut best, &mut rest, &columns);
            self.buffers = [best, rest].map(Mixture::into_buffers);
            // The first of equal ones.
            let chosen = (1..gain.len()).fold(0, |chosen, at| if gain[at] > gain[chosen] { at } else { chosen });
            for (&parameter, value) in group.parameters.iter().zip(&drawn[chosen]) {
                values[parameter] = space.parameters()[parameter].domain.out_of_range(*value);
            }
        }
        space.active(|parameter| values[parameter])
    }

    /// ln l(x) − ln g(x) of the group that has `parameter`, at points whose values of its parameters are the columns.
    pub fn gain_at(
        &mut self,
        space: &Space,
        trials: &[Trial],
        sign: f64,
        parameter: usize,
        points: &[Point],
    ) -> Vec<f64> {
        let Some(sides) = sides(trials, sign, 0) else { return Vec::new() };
        let Some(group) = self.groups.iter_mut().find(|group| group.parameters.contains(&parameter)) else {
            return Vec::new();
        };
        let [mut best, mut rest] = group.mixtures(space, &sides, &mut self.buffers);
        let column = |&parameter: &usize| {
            let domain = space.parameters()[parameter].domain;
            points.iter().map(|point| domain.into_range(point[parameter].unwrap_or(f64::NAN))).collect()
        };
        let columns: Vec<Vec<f64>> = group.parameters.iter().map(column).collect();
        gain(&mut best, &mut rest, &columns)
    }
}

fn gain(best: &mut Mixture, rest: &mut Mixture, candidates: &[Vec<f64>]) -> Vec<f64> {
    let [best, rest] = [best, rest].map(|mixture| mixture.log_density(candidates));
    best.iter().zip(&rest).map(|(best, rest)| best - rest).collect()
}

impl Group {
    /// The mixture of the best trials, and that of the rest. Trials beyond the end of `sides` are under way.
    fn mixtures(&mut self, space: &Space, sides: &[Side], buffers: &mut [Buffers; 2]) -> [Mixture; 2] {
        let side = |trial: usize| sides.get(trial).copied().unwrap_or(Side::Rest);
        let own: Vec<Side> = self.trials.iter().map(|&trial| side(trial)).collect();
        let mut buffers = buffers.iter_mut().map(std::mem::take);
        [Side::Best, Side::Rest].map(|side| {
            let members: Vec<u32> = (0..own.len() as u32).filter(|&at| own[at as usize] == side).collect();
            // The number of each of its observations among them.
            let mut among = vec![u32::MAX; own.len()];
            members.iter().zip(0..).for_each(|(&at, number)| among[at as usize] = number);
            let observed = self.columns.iter_mut().zip(&self.parameters).map(|(column, &parameter)| {
                let mut order = Vec::with_capacity(members.len());
                order.extend(column.order.iter().map(|&at| among[at as usize]).filter(|&number| number != u32::MAX));
                Observed {
                    domain: space.parameters()[parameter].domain,
                    values: members.iter().map(|&at| column.values[at as usize]).collect(),
                    order,
                    // Of the best there are few, and what was kept of the rest would be lost.
                    kept: (side == Side::Rest).then_some((&mut column.kept[..], &members[..])),
                }
            });
            Mixture::new(members.len(), observed, buffers.next().unwrap_or_default())
        })
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
