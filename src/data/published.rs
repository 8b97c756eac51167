//! Data sets by name or path, as they were published: with a training part, and perhaps a test part.

use std::path::{Path, PathBuf};

use super::catalog::{Catalog, DRAWN_FACES, DRAWN_SET};
use super::dataset::Dataset;
use super::draw::{self, faces, footwear};
use super::error::{DataError, Fault};
use super::load::{data_dirs, load, load_path, locate, no_variables};
use super::samples::Splits;
use super::split::{Split, split};
use crate::spelling::nearest;

/// The drawn sets are always the same, whatever the seed of a run.
pub const DRAWN_SEED: u64 = 2026;

/// One in so many pictures of a drawn set is for testing.
const DRAWN_TEST: usize = 6;

/// A data set with its published parts, not yet divided.
#[derive(Clone, Debug)]
pub struct Published {
    /// All samples: those of the training part, then those of the test part, if there is one.
    data: Dataset,
    /// How many are of the training part.
    training: usize,
    origin: String,
    stratified: bool,
    block: usize,
}

impl Dataset {
    /// Opens a data set by its name or path: a catalogued set (`narrows data list` names them), which is looked for in
    /// `$NARROWS_DATA_DIR` and `data/`; `"footwear"` or `"drawn-faces"`, which the program draws; or a file or folder as
    /// [`load_path`] reads it.
    ///
    /// ```
    /// use narrows::data::Dataset;
    /// let data = Dataset::open("footwear")?.classes(["Sandal", "Ankle boot"])?.split([5, 1, 1], 2026)?;
    /// assert_eq!((data.train().len(), data.validation().len(), data.test().len()), (10_000, 2_000, 2_000));
    /// assert_eq!(data.shape(), [28, 28, 1]);
    /// # Ok::<(), narrows::data::DataError>(())
    /// ```
    pub fn open(set: &str) -> Result<Published, DataError> {
        Published::open(set, &data_dirs(None), None, draw::DEFAULT_PER_CLASS)
    }
}

impl Published {
    /// [`Dataset::open`] with everything said: catalogued sets are looked for in `data_dirs`, `variable` names the array of a
    /// MATLAB file, and of drawn footwear there are `per_class` pictures of each class.
    ///
    /// The test part of a drawn set is the last sixth of each class, or of all faces.
    pub fn open(
        set: &str,
        data_dirs: &[PathBuf],
        variable: Option<&str>,
        per_class: usize,
    ) -> Result<Published, DataError> {
        let catalog = Catalog::builtin();
        let (known, path) = (catalog.find(set).ok(), Path::new(set));
        match variable.filter(|_| known.is_some() || [DRAWN_SET, DRAWN_FACES].contains(&set)) {
            Some(variable) => return Err(no_variables(set, variable)),
            None if set == DRAWN_SET => return Published::footwear(DRAWN_SEED, per_class),
            None if set == DRAWN_FACES => return Published::faces(DRAWN_SEED),
            None => {}
        }
        if let Some(known) = known {
            let folder = locate(data_dirs, known)?;
            let parts = load(&folder, known)?;
            return Published::join(set, parts, &folder);
        }
        if path.exists() {
            return Published::join(set, load_path(path, variable)?, path);
        }
        let known: Vec<&str> = catalog.sets.iter().map(|set| set.name.as_str()).collect();
        let meant = nearest(set, known.iter().copied().chain([DRAWN_SET, DRAWN_FACES]));
        let meant = meant.map_or(String::new(), |name| format!("did you mean {name:?}?"));
        let known = known.join(", ");
        let found = format!(
            "it is neither a catalogued set ({known}), nor {DRAWN_SET:?} or {DRAWN_FACES:?}, nor a file or folder that exists"
        );
        Err(Fault::new(found, meant).doing(format!("find the data set {set:?}")).asked().into())
    }

    /// The footwear that the program draws from `seed`: `per_class` pictures of each class, the classes in turn.
    pub fn footwear(seed: u64, per_class: usize) -> Result<Published, DataError> {
        let (bytes, labels) = footwear(seed, per_class);
        let data = Dataset::from_bytes(DRAWN_SET, [draw::HEIGHT, draw::WIDTH, 1], bytes)?;
        Ok(Published::drawn(data.with_labels(labels, draw::CLASS_NAMES)?, draw::CLASS_NAMES.len()))
    }

    /// The faces that the program draws from `seed`.
    pub fn faces(seed: u64) -> Result<Published, DataError> {
        let shape = [faces::HEIGHT, faces::WIDTH, 1];
        Ok(Published::drawn(Dataset::from_bytes(DRAWN_FACES, shape, faces::faces(seed))?, 1))
    }

    /// Where `classes` take turns, the last samples are the last of each class.
    fn drawn(data: Dataset, classes: usize) -> Published {
        let training = data.len() - data.len() / classes / DRAWN_TEST * classes;
        Published { data, training, origin: "drawn by the program".into(), stratified: true, block: 1 }
    }

    fn join(set: &str, (train, test): (Dataset, Option<Dataset>), from: &Path) -> Result<Published, DataError> {
        let training = train.len();
        let mut data = match test {
            Some(test) => train.concatenate(test)?,
            None => train,
        };
        data.name = set.to_owned();
        Ok(Published { data, training, origin: format!("from {}", from.display()), stratified: true, block: 1 })
    }

    /// The training part, and the test part if there is one.
    pub fn parts(&self) -> (Dataset, Option<Dataset>) {
        let part = |from: usize, to: usize| self.data.subset(&(from as u32..to as u32).collect::<Vec<_>>());
        let (training, all) = (self.training, self.data.len());
        (part(0, training), (training < all).then(|| part(training, all)))
    }

    /// Keeps the samples of these classes, in their old order. A class is named, whatever its case, or else given by its
    /// number in digits. The classes that remain are renumbered 0, 1, … in the order of their old numbers.
    ///
    /// Refused: a set without labels, an empty list, a class that the set does not have.
    pub fn classes<S: AsRef<str>>(mut self, classes: impl IntoIterator<Item = S>) -> Result<Published, DataError> {
        let classes: Vec<S> = classes.into_iter().collect();
        let (members, kept) = self.data.members_of(&classes)?;
        self.training = members.partition_point(|&old| (old as usize) < self.training);
        self.data.keep(&members);
        self.data = self.data.renumbered(&kept);
        Ok(self)
    }

    /// Whether every part of a division has the same share of each class, as it does unless told otherwise. A set without
    /// labels is divided by chance alone.
    #[must_use]
    pub fn stratified(self, stratified: bool) -> Published {
        Published { stratified, ..self }
    }

    /// How many samples that follow each other a division keeps together; 1 unless told otherwise. See [`split`].
    #[must_use]
    pub fn blocks(self, block: usize) -> Published {
        Published { block, ..self }
    }

    /// Joins the published parts and divides all samples in the ratio `parts` (training : validation : test), drawn by
    /// `seed`; see [`split`].
    pub fn split(self, parts: [u64; 3], seed: u64) -> Result<Splits, DataError> {
        let split = self.divide(self.data.len(), parts, seed)?;
        Ok(Splits { data: self.data, split, origin: self.origin })
    }

    /// Keeps the published test part, and divides the training part in the ratio `parts` (training : validation), drawn by
    /// `seed`; see [`split`]. Refused where there is no published test part.
    pub fn split_training(self, [train, validation]: [u64; 2], seed: u64) -> Result<Splits, DataError> {
        if self.training == self.data.len() {
            let set = self.data.name;
            let accepted = "set data.merge = true and give data.split its parts for train, validation and test";
            let found = "the set has no published test part, and data.merge = false asks for one";
            return Err(Fault::new(found, accepted).doing(format!("test on a part of {set}")).asked().into());
        }
        let mut split = self.divide(self.training, [train, validation, 0], seed)?;
        split.test = (self.training as u32..self.data.len() as u32).collect();
        Ok(Splits { data: self.data, split, origin: self.origin })
    }

    /// Divides the first `count` samples.
    fn divide(&self, count: usize, parts: [u64; 3], seed: u64) -> Result<Split, DataError> {
        let labels = self.data.labels.as_ref().filter(|_| self.stratified).map(|labels| &labels[..count]);
        split(labels, count, parts, self.block, seed)
    }
}
