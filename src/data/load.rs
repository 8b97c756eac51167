//! From names and paths to data sets.

use std::fs;
use std::path::{Path, PathBuf};

use super::catalog::{CatalogFile, CatalogSet, DRAWN_FACES, DRAWN_SET, Format, IDX_FILES};
use super::dataset::{Dataset, check_labels, image_size};
use super::error::{DataError, Fault};
use super::payload::{LIMIT, Payload, stored};
use super::{cifar, idx, matlab, picture};
use crate::files::{FileError, create_folder, write_whole};

/// Names of the classes, one a line, in a folder of one's own; without it the classes are called by their numbers.
pub const CLASS_NAMES: &str = "class-names.txt";

/// Where data are looked for: `explicit` (`--data-dir`), then `$NARROWS_DATA_DIR`, then `data/`.
pub fn data_dirs(explicit: Option<&Path>) -> Vec<PathBuf> {
    let variable = std::env::var_os("NARROWS_DATA_DIR").filter(|value| !value.is_empty());
    explicit.map(Path::to_path_buf).into_iter().chain(variable.map(PathBuf::from)).chain(["data".into()]).collect()
}

/// The folder of the first data directory that holds all files of `set`, each as `NAME.gz` or `NAME`. Where none does,
/// the error names the folders searched, what each lacks, and the command that fetches the set.
pub fn locate(data_dirs: &[PathBuf], set: &CatalogSet) -> Result<PathBuf, DataError> {
    let mut searched = Vec::new();
    for folder in data_dirs.iter().map(|dir| set.folder_in(dir)) {
        let lacking: Vec<&CatalogFile> =
            set.files.iter().filter(|file| stored(&folder, &file.name).is_none()).collect();
        if lacking.is_empty() {
            return Ok(folder);
        }
        let mut entry = folder.display().to_string();
        if lacking.len() < set.files.len() {
            let names: Vec<String> = lacking.iter().map(|file| set.published_name(file)).collect();
            entry += &format!(" (lacks {})", names.join(", "));
        }
        searched.push(entry);
    }
    let (drawn, stand_in) = if set.format == Format::Matlab { ("faces", DRAWN_FACES) } else { ("footwear", DRAWN_SET) };
    let (set, searched) = (&set.name, searched.join(", "));
    let found = format!("it is not (or not whole) in any of the folders searched: {searched}");
    let accepted = format!(
        "`narrows data fetch {set}` downloads it, or train on the {drawn} that the program draws with `--set data.set={stand_in}`"
    );
    Err(Fault::new(found, accepted).doing(format!("load {set}")).into())
}

/// Loads the published training part of `set` from its `folder` (see [`locate`]), and the test part if it is published in
/// two.
///
/// Refused: image shapes that are not the catalogue's; of IDX files also other headers and sizes, counts that differ, labels that are
/// no class. The hashes are not compared: that is [`verify`](super::verify::verify), which takes longer.
pub fn load(folder: &Path, set: &CatalogSet) -> Result<(Dataset, Option<Dataset>), DataError> {
    let path = |file: &CatalogFile| stored(folder, &file.name).ok_or_else(|| missing(folder, &file.name));
    if let [file] = &set.files[..] {
        let path = path(file)?;
        let images = matlab::read_images(&path, None)?;
        check_shape(&path, [set.height, set.width, 1], images.shape())?;
        return Ok((Dataset::from_bytes(set.name.clone(), images.shape(), images.pixels)?, None));
    }
    let parts = ["(train)", "(test)"].into_iter().zip(set.files.as_chunks().0);
    let mut parts = parts.map(|(suffix, files @ [images, labels])| {
        let (name, images, labels) = (format!("{} {suffix}", set.name), path(images)?, path(labels)?);
        let dataset = read_part(&name, &images, Some(&labels), Some(&set.classes), Some(files))?;
        check_shape(&images, [set.height, set.width, 1], dataset.shape()).map(|()| dataset)
    });
    let train = parts.next().unwrap_or_else(|| Err(missing(folder, IDX_FILES[0])))?;
    Ok((train, parts.next().transpose()?))
}

/// Loads files of one's own: the training part, and the test part if there is one.
///
/// `path` is either a folder with `train-images-idx3-ubyte` and perhaps `train-labels-idx1-ubyte`,
/// `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each with or without `.gz`, and perhaps `class-names.txt` with
/// one name a line; or a single file of images, whose labels are looked for beside it under the same name with
/// `images` and `idx3` replaced by `labels` and `idx1`. Without names, classes are called by their numbers.
///
/// A single file may also be MATLAB's or a PNG picture, told by its name or its content, without labels; `variable` names the
/// array of a MATLAB file, see [`matlab::read_images`]. A folder without IDX files may hold PNG pictures of one size, all
/// grey or all in colour, which are taken in the order of their names.
///
/// A file NAME.bin is read as CIFAR-10's, and so is a folder with `data_batch_1.bin` to `data_batch_5.bin`, or some of them, and
/// perhaps `test_batch.bin`: colour pictures of 32×32 pixels with ten classes.
pub fn load_path(path: &Path, variable: Option<&str>) -> Result<(Dataset, Option<Dataset>), DataError> {
    let name = path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned());
    let mut start = Vec::new();
    if path.is_file() {
        Payload::open(path, "a data set")?.read_up_to(8, &mut start)?;
        if matlab::is_matlab(path, &start) {
            let images = matlab::read_images(path, variable)?;
            return Ok((Dataset::from_bytes(name, images.shape(), images.pixels)?, None));
        }
        if variable.is_none() && picture::is_png(path, &start) {
            return Ok((pictures(name, &[path.to_path_buf()])?, None));
        }
    }
    if let Some(variable) = variable.filter(|_| path.exists()) {
        return Err(no_variables(&path.display().to_string(), variable));
    }
    if path.is_file() && cifar::is_cifar(path) {
        return Ok((cifar::read(&name, &[path.to_path_buf()])?, None));
    }
    // An IDX file begins with two zero bytes.
    if start.starts_with(&[0, 0]) {
        return Ok((read_part(&name, path, labels_beside(path).as_deref(), None, None)?, None));
    }
    if !path.is_dir() {
        let found = if path.exists() { "it is of no kind that is read" } else { "there is no such file or folder" };
        let accepted = "an IDX file of images is accepted, a MATLAB, PNG or CIFAR-10 file, or a folder that \
                        holds train-images-idx3-ubyte, data_batch_1.bin or PNG files";
        return Err(Fault::new(found, accepted).doing(format!("load {}", path.display())).asked().into());
    }
    let (batches, test) = cifar::files_in(path);
    if !batches.is_empty() {
        let test = test.map(|test| cifar::read(&name, &[test])).transpose()?;
        return Ok((cifar::read(&name, &batches)?, test));
    }
    let [train_images, train_labels, test_images, test_labels] = IDX_FILES.map(|name| stored(path, name));
    let Some(images) = train_images else {
        let files = pictures_in(path)?;
        if !files.is_empty() {
            return Ok((pictures(name, &files)?, None));
        }
        return Err(missing(path, IDX_FILES[0]));
    };
    let mut names = class_names(path)?;
    let mut train = read_part(&name, &images, train_labels.as_deref(), names.as_deref(), None)?;
    let Some(images) = test_images else {
        return Ok((train, None));
    };
    if names.is_none() && train.labels.is_some() {
        // A class may occur in the test part alone: both parts get the names of the larger count.
        if let Some(labels) = &test_labels {
            let numbered = numbered(&idx::read_labels(labels)?);
            if numbered.len() > train.class_names.len() {
                train.class_names = numbered;
            }
        }
        names = Some(train.class_names.clone());
    }
    let test = read_part(&name, &images, test_labels.as_deref(), names.as_deref(), None)?;
    check_shape(&images, train.shape(), test.shape())?;
    Ok((train, Some(test)))
}

/// The PNG files of a folder by name.
fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(FileError::on("read", folder))?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.is_file() && picture::is_png(file, &[]));
    files.sort();
    Ok(files)
}

/// Pictures of one size, all grey or all in colour, as a set without labels.
fn pictures(name: String, files: &[PathBuf]) -> Result<Dataset, DataError> {
    let (mut first, mut pixels) = (None, Vec::new());
    for file in files {
        let image = picture::read_image(file)?;
        let &mut (shape, like) = first.get_or_insert((image.shape(), file));
        if image.shape() != shape {
            let said = |[height, width, channels]: [usize; 3]| {
                let colours = if channels == 1 { "grey, 1 channel" } else { "in colour, 3 channels" };
                format!("{height}×{width} pixels (height × width), {colours}")
            };
            let (found, like) = (said(image.shape()), like.display());
            let found = format!("it is {found}, while {like} is {}", said(shape));
            let fault = Fault::new(found, "the pictures of a folder must have one size, all grey or all in colour");
            return Err(fault.doing(format!("use {}", file.display())).into());
        }
        if (pixels.len() + image.pixels.len()) as u64 > LIMIT {
            let found = format!("with those before it the pictures have more than {LIMIT} pixels");
            return Err(Fault::new(found, "at most that many are read").reading(file, "a PNG file of an image").into());
        }
        pixels.extend(image.pixels);
    }
    Dataset::from_bytes(name, first.map_or([1, 1, 1], |(shape, _)| shape), pixels)
}

/// Writes a folder that [`load_path`] reads back: plain IDX files under the four names, and `class-names.txt`.
pub fn save(folder: &Path, train: &Dataset, test: Option<&Dataset>) -> Result<(), DataError> {
    save_part(folder, "train", train)?;
    match test {
        Some(test) => save_part(folder, "t10k", test),
        None => Ok(()),
    }
}

/// Writes one part as plain IDX files, `PREFIX-images-idx3-ubyte` and, where there are labels, `PREFIX-labels-idx1-ubyte`
/// and `class-names.txt`.
pub fn save_part(folder: &Path, prefix: &str, part: &Dataset) -> Result<(), DataError> {
    create_folder(folder)?;
    let images = folder.join(format!("{prefix}-images-idx3-ubyte"));
    let ([height, width, 1], Some(bytes)) = (part.shape(), part.bytes()) else {
        let accepted = "IDX files hold images of bytes with one channel";
        let fault = Fault::new(format!("{} has floats or more than one channel", part.name), accepted);
        return Err(fault.doing(format!("write {}", images.display())).into());
    };
    idx::write_images(&images, height, width, bytes)?;
    if let Some(labels) = &part.labels {
        idx::write_labels(&folder.join(format!("{prefix}-labels-idx1-ubyte")), labels)?;
        let names: String = part.class_names.iter().map(|name| format!("{name}\n")).collect();
        write_whole(&folder.join(CLASS_NAMES), names.as_bytes())?;
    }
    Ok(())
}

fn missing(folder: &Path, name: &str) -> DataError {
    let found = format!("neither {name}.gz nor {name} is there, nor any PNG file");
    Fault::new(found, "").doing(format!("load {}", folder.display())).into()
}

pub(super) fn no_variables(origin: &str, variable: &str) -> DataError {
    let fault = Fault::new("only files of MATLAB have named arrays", "leave the name out");
    fault.doing(format!("look for an array named {variable} in {origin}")).asked().into()
}

fn check_shape(origin: &Path, expected: [usize; 3], found: [usize; 3]) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    let fault = Fault::new(
        format!("its images are {} pixels (height × width)", image_size(found)),
        format!("{} is needed", image_size(expected)),
    );
    Err(fault.doing(format!("use {}", origin.display())).into())
}

fn check_size(path: &Path, file: &CatalogFile, rank: u8, values: usize) -> Result<(), DataError> {
    let (found, expected) = ((values + idx::header_bytes(rank)) as u64, file.bytes);
    if found == expected {
        return Ok(());
    }
    let found = format!("its payload is {found} bytes, but the catalogue gives {expected}");
    let fault = Fault::new(found, "`narrows data verify` checks the whole set");
    Err(fault.doing(format!("load {}", path.display())).into())
}

/// One part of a set; `files` are its images and labels in the catalogue, where it is there.
fn read_part(
    name: &str,
    path: &Path,
    labels: Option<&Path>,
    class_names: Option<&[String]>,
    files: Option<&[CatalogFile; 2]>,
) -> Result<Dataset, DataError> {
    let read = idx::read_images(path)?;
    files.map_or(Ok(()), |[file, _]| check_size(path, file, 3, read.pixels.len()))?;
    let shape = read.shape();
    let Some(labels) = labels else { return Dataset::from_bytes(name, shape, read.pixels) };
    let values = idx::read_labels(labels)?;
    files.map_or(Ok(()), |[_, file]| check_size(labels, file, 1, values.len()))?;
    let class_names = class_names.map_or_else(|| numbered(&values), <[String]>::to_vec);
    // Checked here, where the paths are known.
    let paths = [path, labels].map(|path| path.display().to_string());
    check_labels(&paths[0], &paths[1], read.count, &values, class_names.len())?;
    Dataset::from_bytes(name, shape, read.pixels)?.with_labels(values, class_names)
}

fn numbered(labels: &[u8]) -> Vec<String> {
    let classes = labels.iter().max().map_or(0, |&largest| usize::from(largest) + 1);
    (0..classes).map(|class| class.to_string()).collect()
}

fn class_names(folder: &Path) -> Result<Option<Vec<String>>, DataError> {
    let path = folder.join(CLASS_NAMES);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(FileError::on("read", &path))?;
    Ok(Some(text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()))
}

fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    if labels == name { None } else { stored(images.parent()?, &labels) }
}
