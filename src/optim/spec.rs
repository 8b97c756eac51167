//! What an optimizer is built from: its kind, its dialect and every hyper-parameter.

use narrows_kernels::update::Decay;

/// Whose definition of an optimizer is meant; they differ in equations and in defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Keras 3.
    Keras,
    /// PyTorch 2.
    PyTorch,
}

impl Dialect {
    /// Both.
    pub const ALL: [Dialect; 2] = [Dialect::Keras, Dialect::PyTorch];

    /// "keras" or "pytorch".
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Keras => "keras",
            Dialect::PyTorch => "pytorch",
        }
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Dialect> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

/// The update rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Stochastic gradient descent, plain or with (Nesterov's) momentum.
    Sgd,
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW,
    /// Adam with Nesterov's momentum (Dozat 2016).
    Nadam,
    /// Adagrad (Duchi, Hazan and Singer 2011).
    Adagrad,
    /// Adadelta (Zeiler 2012).
    Adadelta,
    /// RMSprop (Tieleman and Hinton 2012).
    RmsProp,
}

impl Kind {
    /// Every rule.
    pub const ALL: [Kind; 7] =
        [Kind::Sgd, Kind::Adam, Kind::AdamW, Kind::Nadam, Kind::Adagrad, Kind::Adadelta, Kind::RmsProp];

    /// "sgd", "adam", "adamw", "nadam", "adagrad", "adadelta" or "rmsprop".
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sgd => "sgd",
            Kind::Adam => "adam",
            Kind::AdamW => "adamw",
            Kind::Nadam => "nadam",
            Kind::Adagrad => "adagrad",
            Kind::Adadelta => "adadelta",
            Kind::RmsProp => "rmsprop",
        }
    }

    /// The rule of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The fields of [`OptimizerSpec`] that this rule reads in this dialect, besides `learning_rate` and `weight_decay`,
    /// which all do.
    pub fn reads(self, dialect: Dialect) -> &'static [&'static str] {
        match (self, dialect) {
            (Kind::Sgd, Dialect::Keras) => &["momentum", "nesterov"],
            (Kind::Sgd, Dialect::PyTorch) => &["momentum", "nesterov", "dampening"],
            (Kind::Adam | Kind::AdamW, _) => &["beta_1", "beta_2", "epsilon"],
            (Kind::Nadam, Dialect::Keras) => &["beta_1", "beta_2", "epsilon"],
            (Kind::Nadam, Dialect::PyTorch) => &["beta_1", "beta_2", "epsilon", "momentum_decay"],
            (Kind::Adagrad, Dialect::Keras) => &["initial_accumulator", "epsilon"],
            (Kind::Adagrad, Dialect::PyTorch) => &["initial_accumulator", "epsilon", "learning_rate_decay"],
            (Kind::Adadelta, _) => &["rho", "epsilon"],
            (Kind::RmsProp, _) => &["rho", "momentum", "epsilon", "centered"],
        }
    }
}

/// An optimizer with all its hyper-parameters. A rule ignores the fields that it does not [read](Kind::reads).
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerSpec {
    /// The rule.
    pub kind: Kind,
    /// Whose definition of it.
    pub dialect: Dialect,
    /// η before any schedule, ≥ 0. The optimizer itself takes its learning rate step by step.
    pub learning_rate: f64,
    /// λ ≥ 0; 0 for none.
    pub weight_decay: f64,
    /// μ in \[0, 1); 0 for none.
    pub momentum: f64,
    /// Whether SGD looks ahead with Nesterov's momentum.
    pub nesterov: bool,
    /// What PyTorch's SGD withholds of the gradient from the velocity, in \[0, 1\].
    pub dampening: f64,
    /// β₁ in \[0, 1).
    pub beta_1: f64,
    /// β₂ in \[0, 1).
    pub beta_2: f64,
    /// ε > 0.
    pub epsilon: f64,
    /// ρ in \[0, 1), which PyTorch's RMSprop calls alpha.
    pub rho: f64,
    /// What Adagrad's sum of squares starts from, ≥ 0.
    pub initial_accumulator: f64,
    /// PyTorch's Adagrad divides η by 1 + (t − 1) times this; ≥ 0.
    pub learning_rate_decay: f64,
    /// ψ ≥ 0 of PyTorch's Nadam.
    pub momentum_decay: f64,
    /// Whether RMSprop subtracts the square of the mean gradient.
    pub centered: bool,
}

/// A hyper-parameter out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the optimizer {optimizer} cannot be built with {key} = {value}; accepted is {accepted}")]
pub struct SpecError {
    /// The optimizer's name.
    pub optimizer: &'static str,
    /// The field of [`OptimizerSpec`].
    pub key: &'static str,
    /// What it was.
    pub value: f64,
    /// What it may be.
    pub accepted: &'static str,
}

impl OptimizerSpec {
    /// The framework's own defaults.
    pub fn defaults(kind: Kind, dialect: Dialect) -> Self {
        let keras = dialect == Dialect::Keras;
        let pick = |of_keras: f64, of_pytorch: f64| if keras { of_keras } else { of_pytorch };
        OptimizerSpec {
            kind,
            dialect,
            learning_rate: match kind {
                Kind::Sgd => pick(0.01, 1e-3),
                Kind::Adam | Kind::AdamW => 1e-3,
                Kind::Nadam => pick(1e-3, 2e-3),
                Kind::Adagrad | Kind::RmsProp => pick(1e-3, 0.01),
                Kind::Adadelta => pick(1e-3, 1.0),
            },
            weight_decay: if kind == Kind::AdamW { pick(0.004, 0.01) } else { 0.0 },
            momentum: 0.0,
            nesterov: false,
            dampening: 0.0,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: match kind {
                Kind::Adagrad => pick(1e-7, 1e-10),
                Kind::Adadelta => pick(1e-7, 1e-6),
                _ => pick(1e-7, 1e-8),
            },
            rho: match kind {
                Kind::Adadelta => pick(0.95, 0.9),
                _ => pick(0.9, 0.99),
            },
            initial_accumulator: pick(0.1, 0.0),
            learning_rate_decay: 0.0,
            momentum_decay: 4e-3,
            centered: false,
        }
    }

    /// Whether every hyper-parameter that the rule reads is in its range.
    pub fn check(&self) -> Result<(), SpecError> {
        let below_one = |x: f64| (0.0..1.0).contains(&x);
        let not_negative = |x: f64| (0.0..=f64::MAX).contains(&x);
        let fraction = "a number from 0 to below 1";
        let amount = "a number that is not negative";
        let ranges = [
            ("learning_rate", self.learning_rate, not_negative(self.learning_rate), amount),
            ("weight_decay", self.weight_decay, not_negative(self.weight_decay), amount),
            ("momentum", self.momentum, below_one(self.momentum), fraction),
            ("dampening", self.dampening, (0.0..=1.0).contains(&self.dampening), "a number from 0 to 1"),
            ("beta_1", self.beta_1, below_one(self.beta_1), fraction),
            ("beta_2", self.beta_2, below_one(self.beta_2), fraction),
            ("epsilon", self.epsilon, self.epsilon > 0.0 && self.epsilon.is_finite(), "a positive number"),
            ("rho", self.rho, below_one(self.rho), fraction),
            ("initial_accumulator", self.initial_accumulator, not_negative(self.initial_accumulator), amount),
            ("learning_rate_decay", self.learning_rate_decay, not_negative(self.learning_rate_decay), amount),
            ("momentum_decay", self.momentum_decay, not_negative(self.momentum_decay), amount),
        ];
        let read = self.kind.reads(self.dialect);
        for (key, value, good, accepted) in ranges {
            if !good && (read.contains(&key) || ["learning_rate", "weight_decay"].contains(&key)) {
                return Err(SpecError { optimizer: self.kind.name(), key, value, accepted });
            }
        }
        Ok(())
    }

    /// What decays the weights in a step of this learning rate.
    pub(super) fn decay(&self, learning_rate: f64) -> Decay {
        match (self.dialect, self.kind) {
            (Dialect::PyTorch, kind) if kind != Kind::AdamW => Decay { coupled: self.weight_decay, keep: 1.0 },
            _ => Decay { coupled: 0.0, keep: 1.0 - learning_rate * self.weight_decay },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_what_they_name() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::named(kind.name()) == Some(kind)));
        assert!(Dialect::ALL.into_iter().all(|dialect| Dialect::named(dialect.name()) == Some(dialect)));
        assert_eq!((Kind::named("Adam"), Dialect::named("tensorflow")), (None, None));
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_the_rules_that_read_it() {
        for bad in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            for kind in Kind::ALL {
                let spec = OptimizerSpec { beta_2: bad, ..OptimizerSpec::defaults(kind, Dialect::Keras) };
                assert_eq!(spec.check().is_err(), kind.reads(Dialect::Keras).contains(&"beta_2"), "{kind:?} {bad}");
            }
        }
        let spec = OptimizerSpec { epsilon: 0.0, ..OptimizerSpec::defaults(Kind::Adam, Dialect::Keras) };
        assert_eq!(
            spec.check().unwrap_err().to_string(),
            "the optimizer adam cannot be built with epsilon = 0; accepted is a positive number"
        );
    }

    #[test]
    fn every_default_is_accepted() {
        for kind in Kind::ALL {
            for dialect in Dialect::ALL {
                assert_eq!(OptimizerSpec::defaults(kind, dialect).check(), Ok(()));
            }
        }
    }
}
