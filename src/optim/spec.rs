//! What an optimizer is built from: its name, its dialect and every hyper-parameter.

use narrows_kernels::update::Decay;

use super::{Dialect, OptimizerConfig, OptimizerName};

/// An optimizer with all its hyper-parameters. A rule ignores the fields that are not among
/// its [keys](OptimizerName::keys).
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerSpec {
    /// The rule.
    pub name: OptimizerName,
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
    pub lr_decay: f64,
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
    pub fn defaults(name: OptimizerName, dialect: Dialect) -> Self {
        let keras = dialect == Dialect::Keras;
        let pick = |of_keras: f64, of_pytorch: f64| if keras { of_keras } else { of_pytorch };
        OptimizerSpec {
            name,
            dialect,
            learning_rate: match name {
                OptimizerName::Sgd => pick(0.01, 1e-3),
                OptimizerName::Adam | OptimizerName::Adamw => 1e-3,
                OptimizerName::Nadam => pick(1e-3, 2e-3),
                OptimizerName::Adagrad | OptimizerName::Rmsprop => pick(1e-3, 0.01),
                OptimizerName::Adadelta => pick(1e-3, 1.0),
            },
            weight_decay: if name == OptimizerName::Adamw { pick(0.004, 0.01) } else { 0.0 },
            momentum: 0.0,
            nesterov: false,
            dampening: 0.0,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: match name {
                OptimizerName::Adagrad => pick(1e-7, 1e-10),
                OptimizerName::Adadelta => pick(1e-7, 1e-6),
                _ => pick(1e-7, 1e-8),
            },
            rho: match name {
                OptimizerName::Adadelta => pick(0.95, 0.9),
                _ => pick(0.9, 0.99),
            },
            initial_accumulator: pick(0.1, 0.0),
            lr_decay: 0.0,
            momentum_decay: 4e-3,
            centered: false,
        }
    }

    /// The optimizer of a configuration, which leaves to the dialect's defaults what it does not say.
    pub fn from_config(config: &OptimizerConfig) -> Self {
        let defaults = Self::defaults(config.name, config.dialect);
        OptimizerSpec {
            name: config.name,
            dialect: config.dialect,
            learning_rate: config.learning_rate.unwrap_or(defaults.learning_rate),
            weight_decay: config.weight_decay.unwrap_or(defaults.weight_decay),
            momentum: config.momentum.unwrap_or(defaults.momentum),
            nesterov: config.nesterov.unwrap_or(defaults.nesterov),
            dampening: config.dampening.unwrap_or(defaults.dampening),
            beta_1: config.beta_1.unwrap_or(defaults.beta_1),
            beta_2: config.beta_2.unwrap_or(defaults.beta_2),
            epsilon: config.epsilon.unwrap_or(defaults.epsilon),
            rho: config.rho.unwrap_or(defaults.rho),
            initial_accumulator: config.initial_accumulator.unwrap_or(defaults.initial_accumulator),
            lr_decay: config.lr_decay.unwrap_or(defaults.lr_decay),
            momentum_decay: config.momentum_decay.unwrap_or(defaults.momentum_decay),
            centered: config.centered.unwrap_or(defaults.centered),
        }
    }

    /// `config` with every hyper-parameter that its rule reads written out.
    pub fn resolve(config: &OptimizerConfig) -> OptimizerConfig {
        let spec = Self::from_config(config);
        let keys = config.name.keys(config.dialect);
        let number = |key, value: f64| keys.contains(&key).then_some(value);
        let flag = |key, value: bool| keys.contains(&key).then_some(value);
        OptimizerConfig {
            learning_rate: Some(spec.learning_rate),
            weight_decay: Some(spec.weight_decay),
            momentum: number("momentum", spec.momentum),
            nesterov: flag("nesterov", spec.nesterov),
            dampening: number("dampening", spec.dampening),
            beta_1: number("beta_1", spec.beta_1),
            beta_2: number("beta_2", spec.beta_2),
            epsilon: number("epsilon", spec.epsilon),
            rho: number("rho", spec.rho),
            initial_accumulator: number("initial_accumulator", spec.initial_accumulator),
            lr_decay: number("lr_decay", spec.lr_decay),
            momentum_decay: number("momentum_decay", spec.momentum_decay),
            centered: flag("centered", spec.centered),
            ..config.clone()
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
            ("lr_decay", self.lr_decay, not_negative(self.lr_decay), amount),
            ("momentum_decay", self.momentum_decay, not_negative(self.momentum_decay), amount),
        ];
        let read = self.name.keys(self.dialect);
        for (key, value, good, accepted) in ranges {
            if !good && (read.contains(&key) || ["learning_rate", "weight_decay"].contains(&key)) {
                return Err(SpecError { optimizer: self.name.name(), key, value, accepted });
            }
        }
        Ok(())
    }

    /// What decays the weights in a step of this learning rate.
    pub(super) fn decay(&self, learning_rate: f64) -> Decay {
        match (self.dialect, self.name) {
            (Dialect::Pytorch, name) if name != OptimizerName::Adamw => Decay { coupled: self.weight_decay, keep: 1.0 },
            _ => Decay { coupled: 0.0, keep: 1.0 - learning_rate * self.weight_decay },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_range_is_refused_by_the_rules_that_read_it() {
        for bad in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            for name in OptimizerName::ALL {
                let spec = OptimizerSpec { beta_2: bad, ..OptimizerSpec::defaults(name, Dialect::Keras) };
                assert_eq!(spec.check().is_err(), name.keys(Dialect::Keras).contains(&"beta_2"), "{name:?} {bad}");
            }
        }
        let spec = OptimizerSpec { epsilon: 0.0, ..OptimizerSpec::defaults(OptimizerName::Adam, Dialect::Keras) };
        assert_eq!(
            spec.check().unwrap_err().to_string(),
            "the optimizer adam cannot be built with epsilon = 0; accepted is a positive number"
        );
    }

    #[test]
    fn every_default_is_accepted() {
        for name in OptimizerName::ALL {
            for dialect in Dialect::ALL {
                assert_eq!(OptimizerSpec::defaults(name, dialect).check(), Ok(()));
            }
        }
    }
}
