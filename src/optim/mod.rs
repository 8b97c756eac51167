//! Optimizers, learning-rate schedules and gradient clipping, over ranges of a flat parameter buffer.
//!
//! Each rule stands in a file of its own: its equations in both [`Semantics`], its settings, and its step. In the equations
//! w is a parameter, g its gradient, η the learning rate of the step, t the number of the step, counted from 1. Every scalar of
//! a step is computed in `f64` and rounded once; the step itself is one pass over memory ([`narrows_kernels::update`]).
//! [`Optimizer`] is any rule with its settings, [`Stepper`] one at work, with the moments that it keeps between steps.
//!
//! Weight decay λ: in Keras, and in AdamW of both semantics, it is decoupled, w ← w − ηλw before the step; in PyTorch's other
//! optimizers it is coupled, g ← g + λw.
//!
//! ```
//! use narrows::optim::{Nadam, Optimizer, Stepper};
//! use narrows_kernels::Isa;
//!
//! let mut stepper = Stepper::<f32>::new(Nadam { beta_1: 0.8, ..Nadam::keras(1e-3) }, 2)?;
//! let mut params = [1.0, -1.0];
//! stepper.step(Isa::detect(), &mut params, &[0.5, 0.5], &[0..1, 1..2], 1e-3);
//! assert!(params[0] < 1.0 && params[1] < -1.0);
//! # Ok::<(), narrows::settings::Fault>(())
//! ```

pub mod clip;
pub mod schedule;

mod adadelta;
mod adagrad;
mod adam;
mod nadam;
mod rmsprop;
mod sgd;
mod spec;
mod stepper;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use nadam::Nadam;
pub use rmsprop::Rmsprop;
pub use schedule::{Monitor, Schedule};
pub use sgd::Sgd;
pub use spec::OptimizerSpec;
pub use stepper::Stepper;

use std::ops::Range;

use narrows_kernels::update::Decay;
use narrows_kernels::{AlignedVec, Isa, Real};

use crate::settings::{About, Choice, Setting, Settings, Visitor, settings};

settings! {
    /// Whose edition of a rule, and whose defaults.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Semantics {
        /// Keras 3.
        Keras = "keras",
        /// PyTorch 2.
        Pytorch = "pytorch",
    }
}

impl Semantics {
    fn pick<V>(self, of_keras: V, of_pytorch: V) -> V {
        match self {
            Semantics::Keras => of_keras,
            Semantics::Pytorch => of_pytorch,
        }
    }

    /// Weight decay λ in a step of learning rate η, decoupled in Keras and coupled in PyTorch.
    fn decay(self, weight_decay: f64, rate: f64) -> Decay {
        self.pick(decoupled(weight_decay, rate), Decay { coupled: weight_decay, keep: 1.0 })
    }
}

fn decoupled(weight_decay: f64, rate: f64) -> Decay {
    Decay { coupled: 0.0, keep: 1.0 - rate * weight_decay }
}

/// What a rule is told about one step.
struct Step<'a> {
    isa: Isa,
    /// Counted from 1.
    t: u64,
    /// η.
    rate: f64,
    momenta: &'a mut nadam::Momenta,
}

/// The moments of a range of the parameters.
struct Moments<'a, T: Real> {
    all: &'a mut [(String, AlignedVec<T>)],
    at: Range<usize>,
}

impl<'a, T: Real> Moments<'a, T> {
    /// The first N moments; empty slices where the rule has fewer.
    fn take<const N: usize>(self) -> [&'a mut [T]; N] {
        let mut all = self.all.iter_mut();
        std::array::from_fn(|_| all.next().map_or(Default::default(), |(_, values)| &mut values[self.at.clone()]))
    }
}

/// How a rule steps.
trait Rule {
    /// What it keeps of each parameter between steps: names, and what they begin with.
    fn moments(&self) -> Vec<(&'static str, f64)>;

    /// Moves `params` along `grads`; all slices are of one length.
    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>);
}

macro_rules! rules {
    ($($rule:ident = $name:literal, $title:literal;)*) => {
        /// A rule of optimization with its settings.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each rule is stated where it is declared")]
        pub enum Optimizer {
            $($rule($rule),)*
        }

        impl Optimizer {
            /// The name of each rule, in order.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Each rule, with the defaults of these semantics.
            pub fn all(semantics: Semantics) -> impl Iterator<Item = Self> {
                [$(Optimizer::$rule($rule::defaults(semantics))),*].into_iter()
            }

            /// Its name in a configuration.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Optimizer::$rule(_) => $name,)*
                }
            }

            /// Its name as its authors write it.
            pub fn title(&self) -> &'static str {
                match self {
                    $(Optimizer::$rule(_) => $title,)*
                }
            }

            /// Whose edition of the rule it is.
            pub fn semantics(&self) -> Semantics {
                match self {
                    $(Optimizer::$rule(rule) => rule.semantics,)*
                }
            }

            /// Buffers of the size of the parameters that it keeps between steps.
            pub fn buffers(&self) -> usize {
                self.moments().len()
            }

            /// η before any schedule.
            pub fn learning_rate(&self) -> f64 {
                match self {
                    $(Optimizer::$rule(rule) => rule.learning_rate,)*
                }
            }

            /// Multiplies η by a factor above 0.
            pub fn scale_learning_rate(&mut self, factor: f64) {
                match self {
                    $(Optimizer::$rule(rule) => rule.learning_rate *= factor,)*
                }
            }

            /// The settings of the rule.
            pub fn settings(&mut self) -> &mut dyn Settings {
                match self {
                    $(Optimizer::$rule(rule) => rule,)*
                }
            }

            fn moments(&self) -> Vec<(&'static str, f64)> {
                match self {
                    $(Optimizer::$rule(rule) => rule.moments(),)*
                }
            }

            fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
                match self {
                    $(Optimizer::$rule(rule) => rule.step(at, params, grads, moments),)*
                }
            }
        }

        $(
            impl From<$rule> for Optimizer {
                fn from(rule: $rule) -> Self {
                    Optimizer::$rule(rule)
                }
            }

            impl $rule {
                /// Keras's edition, with this learning rate and Keras's defaults.
                pub fn keras(learning_rate: f64) -> Self {
                    $rule { learning_rate, ..Self::defaults(Semantics::Keras) }
                }

                /// PyTorch's edition, with this learning rate and PyTorch's defaults.
                pub fn pytorch(learning_rate: f64) -> Self {
                    $rule { learning_rate, ..Self::defaults(Semantics::Pytorch) }
                }
            }
        )*
    };
}

rules! {
    Sgd = "sgd", "SGD";
    Adam = "adam", "Adam";
    AdamW = "adamw", "AdamW";
    Nadam = "nadam", "Nadam";
    Adagrad = "adagrad", "Adagrad";
    Adadelta = "adadelta", "Adadelta";
    Rmsprop = "rmsprop", "RMSprop";
}

impl Choice for Optimizer {
    fn names(&self) -> &'static [&'static str] {
        Self::NAMES
    }

    fn chosen(&self) -> usize {
        Self::NAMES.iter().position(|name| *name == self.name()).unwrap_or(0)
    }

    fn choose(&mut self, number: usize) {
        self.become_rule(number, Semantics::default());
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        let about = About { key: "semantics", doc: "Whose edition of the rule, and whose defaults.", required: None };
        visitor.word(&about, &mut Edition(self));
    }
}

impl Optimizer {
    fn become_rule(&mut self, number: usize, semantics: Semantics) {
        if let Some(rule) = Self::all(semantics).nth(number) {
            *self = rule;
        }
    }
}

/// A rule whose semantics are chosen.
struct Edition<'a>(&'a mut Optimizer);

impl Choice for Edition<'_> {
    fn names(&self) -> &'static [&'static str] {
        Semantics::NAMES
    }

    fn chosen(&self) -> usize {
        self.0.semantics().chosen()
    }

    fn choose(&mut self, number: usize) {
        let mut semantics = Semantics::default();
        semantics.choose(number);
        self.0.become_rule(self.0.chosen(), semantics);
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.0.settings().visit(visitor);
    }
}

impl Setting for Optimizer {
    type Form = ();

    fn show(&mut self, about: &About, (): (), visitor: &mut dyn Visitor) {
        visitor.word(about, self);
    }
}
