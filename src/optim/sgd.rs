//! Stochastic gradient descent, with momentum μ.
//!
//! | | Keras | PyTorch |
//! |---|---|---|
//! | plain (μ = 0) | w ← w − ηg | the same |
//! | momentum | v ← μv − ηg; w ← w + v | v ← μv + (1 − δ)g, but v = g in the first step; w ← w − ηv |
//! | Nesterov | v as above; w ← w + μv − ηg | v as above; w ← w − η(g + μv) |
//!
//! δ is the dampening. The velocity holds the learning rate in Keras and not in PyTorch: they part when η changes.

use narrows_kernels::{Real, update};

use super::{Moments, Rule, Semantics, Step};
use crate::settings::{Fault, Range, settings};

settings! {
    /// Stochastic gradient descent.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Sgd(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = semantics.pick(0.01, 1e-3), in Range::ABOVE_ZERO;
        /// The momentum μ; 0 for none.
        pub momentum: f64 = 0.0, in Range::BELOW_ONE;
        /// Whether it looks ahead, with a momentum above 0 and without dampening.
        pub nesterov: bool = false;
        /// The dampening δ: what is withheld of the gradient from the velocity.
        pub dampening: f64 = 0.0, in Range::BELOW_ONE, if |rule| rule.semantics == Semantics::Pytorch;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
    settle settle;
}

impl Sgd {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        let still = self.momentum == 0.0;
        if self.nesterov && (still || self.dampening != 0.0) {
            let found = if still { "true while momentum is 0" } else { "true while dampening is not 0" };
            return Err(Fault::new("nesterov", found, "a momentum above 0 and no dampening; or false"));
        }
        Ok(())
    }
}

impl Rule for Sgd {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        if self.momentum == 0.0 { Vec::new() } else { vec![("velocity", 0.0)] }
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let Step { isa, t, rate, .. } = at;
        let decay = self.semantics.decay(self.weight_decay, rate);
        if self.momentum == 0.0 {
            return update::sgd(isa, &update::Sgd { decay, rate }, params, grads);
        }
        let [velocity] = moments.take();
        let (gradient, step, look_ahead) = match self.semantics {
            Semantics::Keras => (-rate, 1.0, -rate),
            Semantics::Pytorch => (if t == 1 { 1.0 } else { 1.0 - self.dampening }, -rate, 1.0),
        };
        let look_ahead = self.nesterov.then_some(look_ahead);
        let by = update::Momentum { decay, momentum: self.momentum, gradient, step, look_ahead };
        update::momentum(isa, &by, params, grads, velocity);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stepper;
    use super::*;
    use narrows_kernels::Isa;

    /// w after two steps from 1 with gradients 0.5 and −0.25 and learning rates 0.5 and 0.125; all numbers are exact.
    fn two_steps(rule: Sgd) -> f64 {
        let mut stepper = Stepper::<f64>::new(rule, 1).unwrap();
        let mut w = [1.0];
        let whole = 0..1;
        for (gradient, rate) in [(0.5, 0.5), (-0.25, 0.125)] {
            stepper.step(Isa::SCALAR, &mut w, &[gradient], std::slice::from_ref(&whole), rate);
        }
        w[0]
    }

    #[test]
    fn the_semantics_part_when_the_learning_rate_changes() {
        // v = −0.25, then −0.125 + 0.03125.
        assert_eq!(two_steps(Sgd { momentum: 0.5, ..Sgd::keras(1.0) }), 1.0 - 0.25 - 0.125 + 0.03125);
        // v = 0.5, then 0.25 − 0.25 = 0.
        assert_eq!(two_steps(Sgd { momentum: 0.5, ..Sgd::pytorch(1.0) }), 1.0 - 0.25);
    }

    #[test]
    fn dampening_spares_the_first_step() {
        // v = 0.5, then 0.25 − 0.125.
        let rule = Sgd { momentum: 0.5, dampening: 0.5, ..Sgd::pytorch(1.0) };
        assert_eq!(two_steps(rule), 1.0 - 0.25 - 0.125 * 0.125);
    }

    #[test]
    fn weight_decay_is_decoupled_in_keras_and_coupled_in_pytorch() {
        let first = 1.0 - 0.25 - 0.25;
        let keras = two_steps(Sgd { weight_decay: 0.5, ..Sgd::keras(1.0) });
        assert_eq!(keras, first - 0.0625 * first + 0.125 * 0.25);
        let pytorch = two_steps(Sgd { weight_decay: 0.5, ..Sgd::pytorch(1.0) });
        assert_eq!(pytorch, first - 0.125 * (-0.25 + 0.5 * first));
    }
}
