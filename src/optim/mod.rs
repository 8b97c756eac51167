//! Optimizers, learning-rate schedules and gradient clipping, over flat parameter slices.
//!
//! An optimizer knows one slice of parameters, one of gradients, and as many moments of the same length as its rule needs.
//! Each rule stands in a file of its own that states its equations in both [`Dialect`]s; w is a parameter, g its gradient, η
//! the learning rate of the step, t the number of the step, counted from 1. Every scalar of a step is computed in `f64`
//! and rounded once; the step itself is one pass over memory ([`narrows_kernels::update`]).
//!
//! Weight decay λ: in Keras, and in AdamW of both dialects, it is decoupled, w ← w − ηλw before the step; in PyTorch's other
//! optimizers it is coupled, g ← g + λw.

pub mod clip;
pub mod schedule;

mod adadelta;
mod adagrad;
mod adam;
mod config;
mod nadam;
mod rmsprop;
mod sgd;
mod spec;

pub use clip::Clip;
pub use config::{Dialect, Monitor, OptimizerConfig, OptimizerName, Schedule};
pub use schedule::LearningRate;
pub use spec::{OptimizerSpec, SpecError};

use narrows_kernels::update::Decay;
use narrows_kernels::{AlignedVec, Isa, Real};

fn filled<T: Real>(value: f64, len: usize) -> AlignedVec<T> {
    let mut values = AlignedVec::zeros(len);
    values.fill(T::from_f64(value));
    values
}

/// One slice that a rule keeps between steps.
struct Moment<T: Real> {
    name: &'static str,
    values: AlignedVec<T>,
}

/// What a rule is told about one step.
#[derive(Clone, Copy)]
struct Step<'a> {
    spec: &'a OptimizerSpec,
    isa: Isa,
    /// Counted from 1.
    t: u64,
    /// η.
    rate: f64,
    decay: Decay,
}

/// An optimizer with its moments.
pub struct Optimizer<T: Real> {
    spec: OptimizerSpec,
    len: usize,
    steps: u64,
    moments: Vec<Moment<T>>,
    momenta: nadam::Momenta,
}

impl<T: Real> Optimizer<T> {
    /// An optimizer of `len` parameters that has taken no step. Refuses a hyper-parameter out of its range.
    pub fn new(spec: OptimizerSpec, len: usize) -> Result<Self, SpecError> {
        spec.check()?;
        let moments = match spec.name {
            OptimizerName::Sgd => sgd::moments(&spec),
            OptimizerName::Adam | OptimizerName::Adamw => adam::moments(),
            OptimizerName::Nadam => nadam::moments(),
            OptimizerName::Adagrad => adagrad::moments(&spec),
            OptimizerName::Adadelta => adadelta::moments(),
            OptimizerName::Rmsprop => rmsprop::moments(&spec),
        };
        let moments =
            moments.into_iter().map(|(name, initial)| Moment { name, values: filled(initial, len) }).collect();
        Ok(Optimizer { spec, len, steps: 0, moments, momenta: nadam::Momenta::new() })
    }

    /// What it was built from.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// Moves `params` by one step along `grads` with this learning rate.
    ///
    /// # Panics
    ///
    /// When either slice has not the length the optimizer was built for.
    pub fn step(&mut self, isa: Isa, params: &mut [T], grads: &[T], learning_rate: f64) {
        assert_eq!(params.len(), self.len, "an optimizer steps the parameters that it was built for");
        assert_eq!(grads.len(), self.len, "an optimizer takes a gradient for each parameter");
        self.steps += 1;
        let decay = self.spec.decay(learning_rate);
        let step = Step { spec: &self.spec, isa, t: self.steps, rate: learning_rate, decay };
        let moments = &mut self.moments[..];
        match self.spec.name {
            OptimizerName::Sgd => sgd::step(step, params, grads, moments),
            OptimizerName::Adam | OptimizerName::Adamw => adam::step(step, params, grads, moments),
            OptimizerName::Nadam => nadam::step(step, params, grads, moments, &mut self.momenta),
            OptimizerName::Adagrad => adagrad::step(step, params, grads, moments),
            OptimizerName::Adadelta => adadelta::step(step, params, grads, moments),
            OptimizerName::Rmsprop => rmsprop::step(step, params, grads, moments),
        }
    }

    /// The name and values of each moment, each as long as the parameters. With [`step_count`](Self::step_count) they are
    /// all that a checkpoint needs.
    pub fn state(&self) -> Vec<(String, &[T])> {
        self.moments.iter().map(|moment| (moment.name.to_owned(), &moment.values[..])).collect()
    }

    /// The same, to be overwritten from a checkpoint.
    pub fn state_mut(&mut self) -> Vec<(String, &mut [T])> {
        self.moments.iter_mut().map(|moment| (moment.name.to_owned(), &mut moment.values[..])).collect()
    }

    /// Steps taken so far.
    pub fn step_count(&self) -> u64 {
        self.steps
    }

    /// Makes the next step number `steps` + 1.
    pub fn set_step_count(&mut self, steps: u64) {
        self.steps = steps;
    }
}

/// The values of each moment, where the rule knows how many it has.
fn parts<T: Real, const N: usize>(moments: &mut [Moment<T>]) -> [&mut [T]; N] {
    let mut all = moments.iter_mut();
    std::array::from_fn(|_| all.next().map_or(Default::default(), |moment| &mut moment.values[..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(params: &[f64]) -> Vec<f64> {
        params.iter().enumerate().map(|(i, w)| w * (1.0 + i as f64) - 0.3).collect()
    }

    #[test]
    fn an_optimizer_restored_from_its_state_continues_to_the_same_bits() {
        let start = [0.5, -1.5, 2.0, 0.1, -0.7];
        for name in OptimizerName::ALL {
            for dialect in Dialect::ALL {
                let mut spec = OptimizerSpec::defaults(name, dialect);
                (spec.momentum, spec.centered, spec.weight_decay) = (0.9, true, 0.01);
                let mut whole = Optimizer::<f64>::new(spec.clone(), 5).unwrap();
                let mut params = start;
                let mut restored = None;
                for step in 0..20 {
                    if step == 9 {
                        let mut copy = Optimizer::<f64>::new(spec.clone(), 5).unwrap();
                        for ((name, to), (of, from)) in copy.state_mut().into_iter().zip(whole.state()) {
                            assert_eq!(name, of);
                            to.copy_from_slice(from);
                        }
                        copy.set_step_count(whole.step_count());
                        restored = Some((copy, params));
                    }
                    let grads = gradient(&params);
                    whole.step(Isa::SCALAR, &mut params, &grads, 0.01);
                }
                let (mut copy, mut again) = restored.unwrap();
                for _ in 9..20 {
                    let grads = gradient(&again);
                    copy.step(Isa::SCALAR, &mut again, &grads, 0.01);
                }
                assert_eq!(again, params, "{name:?} {dialect:?}");
                assert_eq!(copy.step_count(), 20);
            }
        }
    }

    #[test]
    fn every_rule_descends_in_f32() {
        for name in OptimizerName::ALL {
            for dialect in Dialect::ALL {
                let mut optimizer = Optimizer::<f32>::new(OptimizerSpec::defaults(name, dialect), 1).unwrap();
                let mut w = [1.0f32];
                for _ in 0..50 {
                    let grads = [w[0]];
                    optimizer.step(Isa::detect(), &mut w, &grads, 0.01);
                }
                assert!(w[0] < 0.9999 && w[0] > -0.5, "{name:?} {dialect:?}: {}", w[0]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "built for")]
    fn parameters_of_another_length_are_refused() {
        let spec = OptimizerSpec::defaults(OptimizerName::Adam, Dialect::Keras);
        Optimizer::<f32>::new(spec, 3).unwrap().step(Isa::SCALAR, &mut [0.0; 4], &[0.0; 4], 0.1);
    }
}
