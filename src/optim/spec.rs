//! An optimizer with what goes on around it.

use std::ops::Range;

use narrows_kernels::{Isa, Real};

use super::{Optimizer, Schedule, Semantics, Sgd, clip};
use crate::settings::{self, Fault, settings};

const SCHEDULE: &str = "\"constant\", { step = 10, factor = 0.5 }, { exponential = 0.95 }, { cosine = 50 } or \
                        { plateau = \"val_loss\", factor = 0.1, patience = 5 }";

settings! {
    /// How a gradient becomes a step: a rule, the way of its learning rate, and what is done to gradients before.
    #[derive(Clone, Debug, PartialEq)]
    pub struct OptimizerSpec {
        /// The rule.
        pub rule("name"): Optimizer = Sgd::defaults(Semantics::Keras).into(),
            required "an optimizer, as in name = \"adam\"";
        /// How the learning rate goes on.
        pub schedule: Schedule = Schedule::Constant, in SCHEDULE;
        /// Scales the whole gradient down to this Euclidean norm. Not together with `clip_value`.
        pub clip_norm: Option<f64> = None, in settings::Range::ABOVE_ZERO;
        /// Clips each value of the gradient to ± this.
        pub clip_value: Option<f64> = None, in settings::Range::ABOVE_ZERO;
    }
    settle settle;
}

impl<O: Into<Optimizer>> From<O> for OptimizerSpec {
    /// With a constant learning rate and without clipping.
    fn from(rule: O) -> Self {
        OptimizerSpec { rule: rule.into(), ..Self::default() }
    }
}

impl OptimizerSpec {
    /// Clips the gradients in `ranges` of `grads`, as is done before each step.
    pub fn clip<T: Real>(&self, isa: Isa, grads: &mut [T], ranges: &[Range<usize>]) {
        if let Some(norm) = self.clip_norm {
            clip::by_global_norm(isa, self.rule.semantics(), grads, ranges, norm);
        } else if let Some(limit) = self.clip_value {
            clip::by_value(isa, grads, ranges, limit);
        }
    }

    /// Multiplies every learning rate by a factor above 0, the floor of the schedule too.
    pub fn scale_learning_rate(&mut self, factor: f64) {
        self.rule.scale_learning_rate(factor);
        if let Schedule::Cosine { floor, .. } | Schedule::Plateau { floor, .. } = &mut self.schedule {
            *floor *= factor;
        }
    }

    fn settle(&mut self, given: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        self.rule.settings().settle(given)?;
        if self.clip_norm.is_some() && self.clip_value.is_some() {
            return Err(Fault::new("clip_value", "given beside clip_norm", "one of the two"));
        }
        if let Schedule::Cosine { floor, .. } | Schedule::Plateau { floor, .. } = self.schedule
            && floor > self.rule.learning_rate()
        {
            let found = format!("{floor} while the learning rate is {}", self.rule.learning_rate());
            return Err(Fault::new("schedule.floor", found, "at most the learning rate"));
        }
        let Schedule::Plateau { threshold: Some(_), min_delta, .. } = self.schedule else { return Ok(()) };
        let found = if self.rule.semantics() == Semantics::Keras {
            "given while the semantics is \"keras\""
        } else if min_delta > 0.0 {
            "given beside min_delta"
        } else {
            return Ok(());
        };
        let accepted = "threshold with semantics = \"pytorch\" alone, or min_delta, which is no share but a difference";
        Err(Fault::new("schedule.threshold", found, accepted))
    }
}
