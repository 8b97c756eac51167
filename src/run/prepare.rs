//! From a configuration to data that are loaded and divided, and a model that is laid out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::RunError;
use crate::config::RunConfig;
use crate::data::Scaling;
use crate::data::catalog::Format;
use crate::data::draw::{self, faces, footwear};
use crate::data::{
    Catalog, DataError, Dataset, Split, class_distribution, load, load_path, locate, scale_table, split,
    standard_min_max_table,
};
use crate::nn::Autoencoder;
use crate::spelling::nearest;
use crate::train::{Objective, Trained};
use narrows_kernels::{Context, Real};

/// The name of the set that the program draws.
pub const DRAWN_SET: &str = "footwear";

/// The name of the faces that the program draws.
pub const DRAWN_FACES: &str = "drawn-faces";

/// The drawn sets are always the same, whatever the seed of the run.
pub const DRAWN_SEED: u64 = 2026;

/// Images, loaded and divided; runs of a study share one.
#[derive(Debug)]
pub struct Loaded {
    /// The images, of the classes asked for.
    pub data: Dataset,
    /// Which image belongs to which part.
    pub split: Split,
    /// Where the data came from, for a person.
    pub origin: String,
    /// The value of each grey level.
    pub scale: [f64; 256],
}

/// All that a run needs besides its configuration.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The images.
    pub loaded: Arc<Loaded>,
    /// The model.
    pub model: Autoencoder,
}

impl Prepared {
    /// Lays out the model of `config` for images that are loaded.
    pub fn new(config: &RunConfig, loaded: Arc<Loaded>) -> Result<Self, RunError> {
        let model = config.model.lay_out(loaded.data.features())?;
        Ok(Prepared { loaded, model })
    }

    /// The model of `config` with these parameters, ready to be applied.
    pub fn trained<'a>(&'a self, config: &RunConfig, params: &'a [f32], context: Context) -> Trained<'a, f32> {
        let objective = Objective::new(config.train.loss, &config.model);
        Trained { model: &self.model, params, objective, context }
    }
}

impl Loaded {
    /// The parts with their names.
    pub fn parts(&self) -> [(&'static str, &[u32]); 3] {
        [("train", &self.split.train), ("validation", &self.split.validation), ("test", &self.split.test)]
    }

    /// The value of each grey level, rounded to `T`. That of level / 255 is the correctly rounded quotient: f64 has more than twice
    /// the bits of f32, so that rounding twice is rounding once.
    pub fn scale_table<T: Real>(&self) -> [T; 256] {
        self.scale.map(T::from_f64)
    }

    /// For each part, how many images of each class it holds; nothing where there are no labels.
    pub fn class_distributions(&self) -> Vec<(&'static str, Vec<(String, usize)>)> {
        let Some(labels) = &self.data.labels else { return Vec::new() };
        let count = |indices: &[u32]| class_distribution(labels, indices, &self.data.class_names);
        self.parts().map(|(name, indices)| (name, count(indices))).into()
    }
}

/// Loads and divides the data of `config`, looked for in `data_dirs`, and lays out its model.
pub fn prepare(config: &RunConfig, data_dirs: &[PathBuf]) -> Result<Prepared, RunError> {
    Prepared::new(config, Arc::new(load_data(config, data_dirs)?))
}

/// Loads and divides the data of `config`, looked for in `data_dirs`.
pub fn load_data(config: &RunConfig, data_dirs: &[PathBuf]) -> Result<Loaded, RunError> {
    let (train, test, origin) = find(config, data_dirs)?;
    let select = |part: Dataset| match config.data.classes.as_slice() {
        [] => Ok(part),
        classes => part.filter_classes(classes),
    };
    let train = select(train)?;
    let test = test.map(select).transpose()?;
    let (data, split) = divide(config, train, test)?;
    let split = limited(split, config.data.limit);
    let scale = match config.data.scaling {
        Scaling::Unit => scale_table(),
        Scaling::StandardMinMax => standard_min_max_table(&data, &split.train)
            .ok_or_else(|| RunError::OneGreyLevel { set: config.data.set.clone() })?,
    };
    Ok(Loaded { data, split, origin, scale })
}

/// The training part, the published test part if there is one, and where they are from.
fn find(config: &RunConfig, data_dirs: &[PathBuf]) -> Result<(Dataset, Option<Dataset>, String), RunError> {
    let set = config.data.set.as_str();
    let catalog = Catalog::builtin();
    if let Some(variable) = &config.data.variable
        && (set == DRAWN_SET || set == DRAWN_FACES || catalog.find(set).is_ok())
    {
        return Err(DataError::NoVariables { origin: set.to_owned(), variable: variable.clone() }.into());
    }
    if set == DRAWN_FACES {
        let data =
            Dataset::new(DRAWN_FACES, (faces::HEIGHT, faces::WIDTH), faces::faces(DRAWN_SEED), None, Vec::new())?;
        return Ok((data, None, "drawn by the program".to_owned()));
    }
    if set == DRAWN_SET {
        let (pixels, labels) = footwear(DRAWN_SEED, config.data.per_class);
        let names = draw::CLASS_NAMES.map(str::to_owned).to_vec();
        let data = Dataset::new(DRAWN_SET, (draw::HEIGHT, draw::WIDTH), pixels, Some(labels), names)?;
        return Ok((data, None, "drawn by the program".to_owned()));
    }
    if let Ok(set) = catalog.find(set) {
        let folder = locate(data_dirs, set).map_err(|source| match source {
            DataError::SetAbsent { .. } => {
                let stand_in = if set.format == Format::Matlab { DRAWN_FACES } else { DRAWN_SET };
                RunError::SetAbsent { source, stand_in }
            }
            other => RunError::Data(other),
        })?;
        let (train, test) = load(&folder, set)?;
        return Ok((train, test, format!("from {}", folder.display())));
    }
    let path = Path::new(set);
    if path.exists() {
        let (train, test) = load_path(path, config.data.variable.as_deref())?;
        return Ok((train, test, format!("from {}", path.display())));
    }
    let known: Vec<&str> = catalog.sets.iter().map(|set| set.name.as_str()).collect();
    let candidates = known.iter().copied().chain([DRAWN_SET, DRAWN_FACES]);
    let nearest = nearest(set, candidates).map(str::to_owned);
    Err(RunError::UnknownSet { set: set.to_owned(), known: known.join(", "), nearest })
}

/// Pooled, all images are divided in three; else the published test part stays the test set.
fn divide(config: &RunConfig, train: Dataset, test: Option<Dataset>) -> Result<(Dataset, Split), RunError> {
    let parts = &config.data.split;
    let divide = |data: &Dataset, test: u64| {
        let labels = if parts.stratified { data.labels.as_deref() } else { None };
        split(labels, data.len(), [parts.train, parts.validation, test], labels.is_some(), config.seed)
    };
    if config.data.pool {
        let name = config.data.set.clone();
        let mut all = match test {
            Some(test) => train.concatenate(test)?,
            None => train,
        };
        all.name = name;
        let split = divide(&all, parts.test)?;
        return Ok((all, split));
    }
    let Some(test) = test else { return Err(RunError::NoTestPart { set: train.name }) };
    let mut split = divide(&train, 0)?;
    split.test = (train.len() as u32..(train.len() + test.len()) as u32).collect();
    let mut all = train.concatenate(test)?;
    all.name = config.data.set.clone();
    Ok((all, split))
}

fn limited(mut split: Split, limit: Option<usize>) -> Split {
    if let Some(limit) = limit {
        for part in [&mut split.train, &mut split.validation, &mut split.test] {
            part.truncate(limit);
        }
    }
    split
}
