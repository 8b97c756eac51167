//! An optimizer at work.

use std::ops::Range;

use narrows_kernels::{AlignedVec, Isa, Real};

use super::nadam::Momenta;
use super::{Moments, Optimizer, Step};
use crate::settings::{Fault, check};

/// An optimizer with its moments.
pub struct Stepper<T: Real> {
    optimizer: Optimizer,
    len: usize,
    /// Steps taken so far.
    pub steps: u64,
    /// The name and values of each moment, each as long as the parameters. With [`steps`](Self::steps) they are all that a
    /// checkpoint needs.
    pub moments: Vec<(String, AlignedVec<T>)>,
    momenta: Momenta,
}

impl<T: Real> Stepper<T> {
    /// An optimizer of `len` parameters that has taken no step. Refuses a setting out of its range.
    pub fn new(optimizer: impl Into<Optimizer>, len: usize) -> Result<Self, Fault> {
        let mut optimizer = optimizer.into();
        check(optimizer.settings()).map_err(|fault| fault.within("optimizer"))?;
        let moment = |(name, initial): (&str, f64)| {
            let mut values = AlignedVec::zeros(len);
            values.fill(T::from_f64(initial));
            (name.to_owned(), values)
        };
        let moments = optimizer.moments().into_iter().map(moment).collect();
        Ok(Stepper { optimizer, len, steps: 0, moments, momenta: Momenta::new() })
    }

    /// Moves the parameters in `ranges` by one step along their gradients, with this learning rate. `params` and `grads` are
    /// whole buffers of one length; `ranges` is the same in every step.
    ///
    /// # Panics
    ///
    /// When the ranges have not as many parameters as the optimizer was built for, or lie outside the buffers.
    pub fn step(&mut self, isa: Isa, params: &mut [T], grads: &[T], ranges: &[Range<usize>], learning_rate: f64) {
        self.step_by(isa, params, grads, ranges, &vec![1.0; ranges.len()], learning_rate);
    }

    /// [`step`](Self::step) with a learning rate that is multiplied by a factor for each range.
    ///
    /// # Panics
    ///
    /// As [`step`](Self::step) does, and unless there is a factor for each range.
    pub fn step_by(
        &mut self,
        isa: Isa,
        params: &mut [T],
        grads: &[T],
        ranges: &[Range<usize>],
        factors: &[f64],
        learning_rate: f64,
    ) {
        assert_eq!(factors.len(), ranges.len(), "a step takes a factor for each range");
        assert_eq!(params.len(), grads.len(), "an optimizer takes a gradient for each parameter");
        let found: usize = ranges.iter().map(Range::len).sum();
        assert_eq!(found, self.len, "an optimizer steps the parameters that it was built for");
        self.steps += 1;
        let mut start = 0;
        for (ranges, factor) in by_factor(ranges, factors) {
            for range in joined(ranges) {
                let moments = Moments { all: &mut self.moments, at: start..start + range.len() };
                start += range.len();
                let step = Step { isa, t: self.steps, rate: factor * learning_rate, momenta: &mut self.momenta };
                self.optimizer.step(step, &mut params[range.clone()], &grads[range], moments);
            }
        }
    }
}

/// Neighbours among the ranges whose factors are the same, with that factor.
fn by_factor<'a>(ranges: &'a [Range<usize>], factors: &'a [f64]) -> impl Iterator<Item = (&'a [Range<usize>], f64)> {
    let mut rest = ranges;
    factors.chunk_by(|a, b| a == b).map(move |alike| {
        let (these, others) = rest.split_at(alike.len());
        rest = others;
        (these, alike[0])
    })
}

/// The ranges, of which those that touch are one: what is done to parameters does not depend on how they are grouped.
pub(super) fn joined(ranges: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    let mut rest = ranges.iter().peekable();
    std::iter::from_fn(move || {
        let mut whole = rest.next()?.clone();
        while let Some(next) = rest.next_if(|next| next.start == whole.end) {
            whole.end = next.end;
        }
        Some(whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        let found: Vec<_> = joined(&[0..2, 2..5, 5..5, 7..9, 9..10, 20..21]).collect();
        assert_eq!(found, [0..5, 7..10, 20..21]);
    }
}
