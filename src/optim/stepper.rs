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
        assert_eq!(params.len(), grads.len(), "an optimizer takes a gradient for each parameter");
        let found: usize = ranges.iter().map(Range::len).sum();
        assert_eq!(found, self.len, "an optimizer steps the parameters that it was built for");
        self.steps += 1;
        let mut start = 0;
        for range in joined(ranges) {
            let moments = Moments { all: &mut self.moments, at: start..start + range.len() };
            start += range.len();
            let step = Step { isa, t: self.steps, rate: learning_rate, momenta: &mut self.momenta };
            self.optimizer.step(step, &mut params[range.clone()], &grads[range], moments);
        }
    }
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
    use super::super::{Adam, Rmsprop, Semantics, Sgd};
    use super::*;
    use crate::settings::Choice as _;

    fn gradient(params: &[f64]) -> Vec<f64> {
        params.iter().enumerate().map(|(i, w)| w * (1.0 + i as f64) - 0.3).collect()
    }

    fn every_optimizer() -> impl Iterator<Item = Optimizer> {
        let with_all_moments = [
            Optimizer::from(Sgd { momentum: 0.9, weight_decay: 0.01, ..Sgd::keras(0.01) }),
            Optimizer::from(Rmsprop { momentum: 0.9, centered: true, ..Rmsprop::pytorch(0.01) }),
        ];
        Semantics::all().flat_map(Optimizer::all).chain(with_all_moments)
    }

    #[test]
    fn an_optimizer_restored_from_its_state_continues_to_the_same_bits() {
        for optimizer in every_optimizer() {
            let mut whole = Stepper::<f64>::new(optimizer, 5).unwrap();
            let mut params = [0.5, -1.5, 2.0, 0.1, -0.7];
            let step = |stepper: &mut Stepper<f64>, params: &mut [f64; 5]| {
                let grads = gradient(params);
                stepper.step(Isa::SCALAR, params, &grads, &[0..2, 2..5], 0.01);
            };
            (0..9).for_each(|_| step(&mut whole, &mut params));
            let (mut copy, mut again) = (Stepper::<f64>::new(optimizer, 5).unwrap(), params);
            (copy.steps, copy.moments) = (whole.steps, whole.moments.clone());
            (9..20).for_each(|_| step(&mut whole, &mut params));
            (9..20).for_each(|_| step(&mut copy, &mut again));
            assert_eq!((again, copy.steps), (params, 20), "{optimizer:?}");
        }
    }

    #[test]
    fn parameters_in_ranges_go_where_they_go_alone_and_others_stay() {
        for optimizer in every_optimizer() {
            let mut alone = Stepper::<f64>::new(optimizer, 4).unwrap();
            let mut apart = Stepper::<f64>::new(optimizer, 4).unwrap();
            let mut params = [1.0, -2.0, 3.0, 0.25];
            let mut spread = [9.0, 1.0, -2.0, 9.0, 9.0, 3.0, 0.25, 9.0];
            for _ in 0..5 {
                alone.step(Isa::SCALAR, &mut params, &[0.5, -1.0, 2.0, -0.125], &[0..2, 2..4], 0.01);
                let grads = [7.0, 0.5, -1.0, 7.0, 7.0, 2.0, -0.125, 7.0];
                apart.step(Isa::SCALAR, &mut spread, &grads, &[1..3, 5..7], 0.01);
            }
            let [a, b, c, d] = params;
            assert_eq!(spread, [9.0, a, b, 9.0, 9.0, c, d, 9.0], "{optimizer:?}");
        }
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let found: Vec<_> = joined(&[0..2, 2..5, 5..5, 7..9, 9..10, 20..21]).collect();
        assert_eq!(found, [0..5, 7..10, 20..21]);
    }

    #[test]
    fn every_rule_descends_in_f32() {
        for optimizer in every_optimizer() {
            let mut stepper = Stepper::<f32>::new(optimizer, 1).unwrap();
            let mut w = [1.0f32];
            for _ in 0..50 {
                let grads = [w[0]];
                stepper.step(Isa::detect(), &mut w, &grads, &[0..1, 1..1], 0.01);
            }
            assert!(w[0] < 0.9999 && w[0] > -0.5, "{optimizer:?}: {}", w[0]);
        }
    }

    #[test]
    fn defaults_are_accepted_and_values_out_of_range_refused() {
        for optimizer in every_optimizer() {
            assert!(Stepper::<f32>::new(optimizer, 1).is_ok(), "{optimizer:?}");
        }
        for bad in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            let error = Stepper::<f32>::new(Adam { beta_2: bad, ..Adam::keras(0.1) }, 1).err().unwrap();
            let accepted = "a number of at least 0 and below 1";
            assert_eq!(error.to_string(), format!("\"optimizer.beta_2\" is {bad}; accepted: {accepted}"));
        }
        assert!(Stepper::<f32>::new(Sgd { nesterov: true, ..Sgd::keras(0.1) }, 1).is_err());
    }

    #[test]
    fn a_rule_that_is_chosen_has_its_own_defaults() {
        let mut optimizer = Optimizer::from(Adam::pytorch(3.0));
        optimizer.choose(optimizer.chosen());
        assert_eq!(optimizer, Optimizer::from(Adam::defaults(Semantics::Keras)));
        assert_eq!(optimizer.names().len(), Optimizer::all(Semantics::Keras).count());
    }

    #[test]
    #[should_panic(expected = "built for")]
    fn parameters_of_another_number_are_refused() {
        let mut stepper = Stepper::<f32>::new(Adam::keras(0.1), 3).unwrap();
        stepper.step(Isa::SCALAR, &mut [0.0; 4], &[0.0; 4], &[0..2, 2..4], 0.1);
    }
}
