//! The two traits of a kind of task: how a configuration describes it ([`Spec`]), and what a run asks of it once it is built
//! ([`Trainable`]). Runs, checkpoints, studies and commands know these two alone, and no kind.

use std::fmt::Debug;
use std::sync::Arc;

use narrows_kernels::{AlignedVec, Context};
use ndarray::{Array2, ArrayView2};
use serde_json::{Map, Value};

use super::WidthError;
use super::autoencoder::AutoencoderTask;
use crate::data::{Samples, Splits};
use crate::nn::{Init, ModelError, Part, Sequential};
use crate::optim::OptimizerSpec;
use crate::settings::{Fault, Settings, Visitor};
use crate::tape::Arena;
use crate::train::Task;

/// A kind of task as a configuration describes it: the settings of the table `[model]`.
pub trait Spec: Settings {
    /// What a configuration without `[model]` is asked for.
    fn required(&self) -> &'static str;

    /// Shows what stands of the task in the table `[train]`, before the settings that every task has there.
    fn visit_training(&mut self, visitor: &mut dyn Visitor);

    /// Refuses settings at odds with each other that stand in several tables; keys are seen from the whole configuration.
    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// The task for these data. `optimizer` is what `[optimizer]` says; a task of several phases may have settings for the others
    /// in its own table.
    fn build(&self, loaded: &Splits, optimizer: &OptimizerSpec) -> Result<Arc<dyn Trainable>, BuildError>;
}

/// Why a task cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// Its layers do not fit together.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A setting does not fit the data.
    #[error(transparent)]
    Setting(#[from] Fault),
}

/// Parameters of a task, ready to be applied.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// The flat buffer.
    pub params: &'a [f32],
    /// How to compute.
    pub context: Context,
}

/// A table for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What stands above it; may be empty.
    pub title: String,
    /// What stands above each column.
    pub header: Vec<String>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words, or a count.
    Text(String),
    /// A number, and how many significant digits of it are shown.
    Number(f64, usize),
}

impl Cell {
    /// The figure of this key among those of [`Trainable::evaluate`]; NaN where it is none.
    pub fn of(figures: &Value, key: &str, digits: usize) -> Cell {
        Cell::Number(figures[key].as_f64().unwrap_or(f64::NAN), digits)
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::Text(text.to_string())
    }
}

/// A picture in the folder of a run.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its name in the folder.
    pub file: &'static str,
    /// What it shows, for a person.
    pub holds: String,
    /// What is drawn.
    pub content: Content,
}

impl Picture {
    /// Pictures with these names, drawn from these contents.
    pub(super) fn of(files: Vec<(&'static str, String)>, contents: impl IntoIterator<Item = Content>) -> Vec<Picture> {
        files.into_iter().zip(contents).map(|((file, holds), content)| Picture { file, holds, content }).collect()
    }
}

/// What a picture is drawn from.
#[derive(Clone, Debug)]
pub enum Content {
    /// Images above what a model makes of them, [n, values] each, in the shape of the data's.
    Reconstructions {
        /// The images.
        originals: Array2<f32>,
        /// What stands below them.
        reconstructions: Array2<f32>,
    },
    /// Images [n, values] in rows, in the shape of the data's.
    Images {
        /// The images.
        images: Array2<f32>,
        /// How many there are in a row.
        beside: usize,
        /// What stands above the columns; may be empty.
        columns: Vec<String>,
    },
    /// For each class how many of its images were taken for each class.
    Confusion {
        /// What the images are.
        title: String,
        /// The classes.
        classes: Vec<String>,
        /// The counts, row by row.
        counts: Vec<Vec<usize>>,
    },
}

/// Weights that a run begins with in the place of fresh ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The run that they are taken from: a path, or the bare name of a folder beside that of this run.
    pub run: &'a str,
    /// What the names of the tensors begin with: "encoder".
    pub prefix: &'a str,
}

/// A task that a run trains, whatever kind it is.
pub trait Trainable: Task<f32> + Debug + Send {
    /// The networks that are trained, in the order of the buffer, and the groups of their parameters.
    fn parts(&self) -> Vec<Part<'_>>;

    /// How their parameters begin.
    fn initialiser(&self) -> Init;

    /// Fresh parameters.
    fn init(&self, seed: u64) -> AlignedVec<f32> {
        let mut flat = AlignedVec::zeros(self.layout().len());
        self.parts().iter().for_each(|(_, layers)| layers.init(self.initialiser(), seed, &mut flat));
        flat
    }

    /// What a run begins with in the place of some of the fresh parameters.
    fn origin(&self) -> Option<Origin<'_>> {
        None
    }

    /// What files of weights say of the model, as JSON.
    fn description(&self) -> String {
        self.layout().describe_layers(self.parts().into_iter().flat_map(|(_, layers)| layers.layers()))
    }

    /// The layers with shapes and parameters, for a person.
    fn summary(&self) -> String;

    /// The name of the loss, as the history has it in its columns `loss` and `val_loss`.
    fn loss_name(&self) -> &'static str;

    /// What that loss is, with its unit, as an axis says it.
    fn loss_label(&self) -> &'static str;

    /// Columns of the history, beside `loss` and `val_loss`, that `loss.png` draws: losses in the same unit.
    fn further_losses(&self) -> &[&'static str] {
        &[]
    }

    /// What `metrics.json` says of the model besides its parameters.
    fn facts(&self) -> Map<String, Value> {
        Map::new()
    }

    /// The figures of samples, an object.
    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value;

    /// All figures of the part called `part`, what `metrics.json` holds and `narrows eval` gives: those of
    /// [`evaluate`](Self::evaluate), and what else a task measures.
    fn figures(
        &self,
        weights: Weights<'_>,
        part: &str,
        samples: Samples<'_>,
        seed: u64,
        arena: &mut Arena<f32>,
    ) -> Value {
        let _ = (part, seed);
        self.evaluate(weights, samples, arena)
    }

    /// The [`figures`](Self::figures) of each part, as tables for a person.
    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table>;

    /// The names of the pictures of a run, and what each shows, for a person.
    fn picture_files(&self, loaded: &Splits) -> Vec<(&'static str, String)>;

    /// Those pictures, made of the first test images or of what there is.
    fn pictures(&self, weights: Weights<'_>, loaded: &Splits) -> Vec<Picture>;

    /// Images [n, values] of this moment of training, the same number of any weights, where there is something to see: a run keeps
    /// those of every epoch.
    fn snapshot(&self, weights: Weights<'_>) -> Option<Array2<f32>> {
        let _ = weights;
        None
    }

    /// What those of several epochs show beside each other, for a person, where there are some.
    fn snapshots(&self) -> Option<&'static str> {
        None
    }

    /// What makes images of noise alone, where it does.
    fn generator(&self) -> Option<&dyn Generator> {
        None
    }

    /// The autoencoder, where it is one: what can be decoded, run backwards and sampled from.
    fn autoencoder(&self) -> Option<&AutoencoderTask> {
        None
    }

    /// The layers from an image to its code, where there are some: what can be encoded, probed and mapped.
    fn encoder(&self) -> Option<&Sequential> {
        None
    }
}

/// A task whose images follow from noise drawn from N(0, I).
pub trait Generator {
    /// Values of noise of which an image is made.
    fn latent(&self) -> usize;

    /// The images [n, values], in [0, 1], of noise [n, latent].
    fn generate(&self, weights: Weights<'_>, noise: ArrayView2<'_, f32>) -> Result<Array2<f32>, WidthError>;
}
