//! The public data sets known by name, from `data/catalog.toml`, which is compiled in.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::{DataError, Fault};
use super::payload::LIMIT;
use crate::spelling::nearest;

/// The name of the footwear that the program draws.
pub const DRAWN_SET: &str = "footwear";

/// The name of the faces that the program draws.
pub const DRAWN_FACES: &str = "drawn-faces";

/// The names of the files of MNIST and of sets in its form, without `.gz`: images and labels of the published training part, then
/// of the test part.
pub const IDX_FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// All sets known by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The sets, in the order of the file.
    #[serde(rename = "set")]
    pub sets: Vec<CatalogSet>,
}

/// A public data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogSet {
    /// What configurations and commands call it.
    pub name: String,
    /// One line of what it is and by whom.
    pub title: String,
    /// The terms of its use.
    pub licence: String,
    /// Where its authors describe it.
    pub source: String,
    /// Its folder within a data directory.
    pub folder: String,
    /// The format of its files.
    pub format: Format,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// The classes in the order of their numbers; empty where the set has no labels.
    pub classes: Vec<String>,
    /// Addresses of folders that hold the files, in the order in which they are tried; each ends with `/`.
    pub mirrors: Vec<String>,
    /// The files.
    #[serde(rename = "file")]
    pub files: Vec<CatalogFile>,
}

/// The format of a set's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The four IDX files of MNIST, [`IDX_FILES`], published gzip'd.
    Idx,
    /// One MATLAB file, stored and hashed as it is.
    Matlab,
}

/// A file of a public data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// Its name, without `.gz`.
    pub name: String,
    /// Size of its payload in bytes.
    pub bytes: u64,
    /// SHA-256 of its payload, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl Catalog {
    /// The catalogue that this program was built with.
    pub fn builtin() -> Catalog {
        Catalog::parse(include_str!("../../data/catalog.toml")).expect("a test parses the built-in catalogue")
    }

    /// Reads a catalogue. Refused: unknown keys, files that do not fit the set's format, names that are more than
    /// a name, hashes that are none, mirrors that are no address of a folder.
    pub fn parse(text: &str) -> Result<Catalog, DataError> {
        let catalog: Catalog = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        catalog.sets.iter().try_for_each(CatalogSet::check)?;
        Ok(catalog)
    }

    /// The set of this name. An unknown one is refused with the nearest name that is known.
    pub fn find(&self, name: &str) -> Result<&CatalogSet, DataError> {
        self.sets.iter().find(|set| set.name == name).ok_or_else(|| {
            let known = || self.sets.iter().map(|set| set.name.as_str());
            let meant = nearest(name, known()).map_or(String::new(), |nearest| format!("did you mean `{nearest}`? "));
            let listed = known().collect::<Vec<_>>().join(", ");
            let fault = Fault::new("the catalogue does not list it", format!("{meant}it lists {listed}"));
            fault.doing(format!("find a data set named `{name}`")).asked().into()
        })
    }
}

fn fault(found: String) -> DataError {
    Fault::new(found, "").doing("read the catalogue of data sets").into()
}

impl CatalogSet {
    /// Where the set lies within a data directory.
    pub fn folder_in(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(&self.folder)
    }

    /// The name under which `file` is published, and fetched to.
    pub fn published_name(&self, file: &CatalogFile) -> String {
        match self.format {
            Format::Idx => format!("{}.gz", file.name),
            Format::Matlab => file.name.clone(),
        }
    }

    fn check(&self) -> Result<(), DataError> {
        let found: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        let is_whole = match self.format {
            Format::Idx => found == IDX_FILES,
            Format::Matlab => found.len() == 1,
        };
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_plain = |name: &str| !name.is_empty() && !name.starts_with('.') && name.chars().all(letter);
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let is_hash = |text: &str| text.len() == 64 && text.chars().all(is_hex);
        let is_folder = |mirror: &str| {
            ["http://", "https://"].iter().any(|start| mirror.starts_with(start)) && mirror.ends_with('/')
        };
        let mut names = self.files.iter().map(|file| &file.name).chain([&self.name, &self.folder]);
        let rule = if !is_whole {
            format!("its files must be {IDX_FILES:?}, in this order, or one file of MATLAB, and are {found:?}")
        } else if self.height == 0 || self.width == 0 || self.classes.len() > 256 {
            "its images must have pixels, and its classes must be at most 256".to_owned()
        } else if let Some(name) = names.find(|name| !is_plain(name)) {
            format!("`{name}` must be a plain name of letters, digits, `-`, `_` and `.`")
        } else if let Some(file) = self.files.iter().find(|file| !is_hash(&file.sha256)) {
            format!("the sha256 of {} must be 64 lower-case hexadecimal digits", file.name)
        } else if let Some(file) = self.files.iter().find(|file| file.bytes > LIMIT) {
            format!("{} must have at most {LIMIT} bytes", file.name)
        } else if let Some(mirror) = self.mirrors.iter().find(|mirror| !is_folder(mirror)) {
            format!("the mirror {mirror} must start with http:// or https:// and end with /")
        } else {
            return Ok(());
        };
        Err(fault(format!("the set `{}`: {rule}", self.name)))
    }
}
