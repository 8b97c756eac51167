//! The kinds of tasks: one row each.

use std::sync::Arc;

use super::trainable::{BuildError, Spec, Trainable};
use super::{AutoencoderSpec, ClassifierSpec, GanSpec, SimclrSpec};
use crate::data::Splits;
use crate::optim::OptimizerSpec;
use crate::settings::{About, Choice, Fault, Setting, TableForm, Visitor};

macro_rules! kinds {
    ($($kind:ident($spec:ident) = $name:literal, $get:ident, $get_mut:ident;)*) => {
        /// What is trained, as a configuration describes it: the key `task`, and the table `[model]`.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each kind is stated where it is declared")]
        pub enum TaskSpec {
            $($kind($spec),)*
        }

        impl TaskSpec {
            /// The name of each kind, in order.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Its name in a configuration.
            pub fn name(&self) -> &'static str {
                match self {
                    $(TaskSpec::$kind(_) => $name,)*
                }
            }

            /// The kind of this number with its settings at their defaults.
            fn of(number: usize) -> Option<Self> {
                [$(TaskSpec::$kind($spec::default())),*].into_iter().nth(number)
            }

            fn spec(&self) -> &dyn Spec {
                match self {
                    $(TaskSpec::$kind(spec) => spec,)*
                }
            }

            fn spec_mut(&mut self) -> &mut dyn Spec {
                match self {
                    $(TaskSpec::$kind(spec) => spec,)*
                }
            }

            $(
                #[doc = concat!("The settings of a task \"", $name, "\"; `None` for another kind.")]
                pub fn $get(&self) -> Option<&$spec> {
                    if let TaskSpec::$kind(spec) = self { Some(spec) } else { None }
                }

                #[doc = concat!("The same, to be changed.")]
                pub fn $get_mut(&mut self) -> Option<&mut $spec> {
                    if let TaskSpec::$kind(spec) = self { Some(spec) } else { None }
                }
            )*
        }
    };
}

kinds! {
    Autoencoder(AutoencoderSpec) = "autoencoder", autoencoder, autoencoder_mut;
    Classifier(ClassifierSpec) = "classifier", classifier, classifier_mut;
    Gan(GanSpec) = "gan", gan, gan_mut;
    Simclr(SimclrSpec) = "simclr", simclr, simclr_mut;
}

impl Default for TaskSpec {
    /// An autoencoder without layers.
    fn default() -> Self {
        TaskSpec::Autoencoder(AutoencoderSpec::default())
    }
}

impl TaskSpec {
    /// Shows what stands of the task in the table `[train]`, see [`Spec::visit_training`].
    pub fn visit_training(&mut self, visitor: &mut dyn Visitor) {
        self.spec_mut().visit_training(visitor);
    }

    /// See [`Spec::check`].
    pub fn check(&self) -> Result<(), Fault> {
        self.spec().check()
    }

    /// See [`Spec::build`].
    pub fn build(&self, loaded: &Splits, optimizer: &OptimizerSpec) -> Result<Arc<dyn Trainable>, BuildError> {
        self.spec().build(loaded, optimizer)
    }
}

impl Choice for TaskSpec {
    fn names(&self) -> &'static [&'static str] {
        Self::NAMES
    }

    fn chosen(&self) -> usize {
        Self::NAMES.iter().position(|name| *name == self.name()).unwrap_or(0)
    }

    fn choose(&mut self, number: usize) {
        if let Some(kind) = Self::of(number) {
            *self = kind;
        }
    }

    /// The first kind is meant where nothing is said, and configurations that say nothing stay as they are.
    fn is_written(&self) -> bool {
        self.chosen() > 0
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        let about = About { key: "model", doc: "Which network.", required: Some(self.spec().required()) };
        visitor.table(&about, self.spec_mut(), TableForm::new("a table [model]"));
    }
}

impl Setting for TaskSpec {
    type Form = ();

    fn show(&mut self, about: &About, (): (), visitor: &mut dyn Visitor) {
        visitor.word(about, self);
    }
}
