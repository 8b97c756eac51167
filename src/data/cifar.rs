//! The binary files of CIFAR-10 (<https://www.cs.toronto.edu/~kriz/cifar.html>): records of 3,073 bytes, a label and then the red,
//! the green and the blue values of 32×32 pixels, row by row.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::error::DataError;
use super::payload::{LIMIT, Payload};

/// Rows and columns of a picture.
const SIZE: usize = 32;
const CHANNELS: usize = 3;
const RECORD: usize = 1 + CHANNELS * SIZE * SIZE;
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Whether a file is to be read as CIFAR-10, by its name.
pub(super) fn is_cifar(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "bin")
}

/// The files of a folder with the names that are published: those of the training part in order, and that of the test part.
pub(super) fn files_in(folder: &Path) -> (Vec<PathBuf>, Option<PathBuf>) {
    let there = |name: String| Some(folder.join(name)).filter(|path| path.is_file());
    let train = (1..=5).filter_map(|number| there(format!("data_batch_{number}.bin"))).collect();
    (train, there("test_batch.bin".to_owned()))
}

/// Reads the pictures of these files as one set of shape [32, 32, 3] with their labels, the last dimension the colour.
///
/// Refused: a file that is no whole number of records, none at all, or more than 1 GiB; a label above 9.
pub(super) fn read(name: &str, files: &[PathBuf]) -> Result<Dataset, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let mut payload = Payload::open(path, "a CIFAR-10 binary file")?;
        let mut bytes = Vec::new();
        let read = payload.read_up_to(LIMIT + 1 - pixels.len() as u64, &mut bytes)?;
        let accepted =
            format!("records of {RECORD} bytes, a label and 3 · 32 · 32 values, at most {LIMIT} bytes in all");
        if read == 0 || read % RECORD != 0 || (pixels.len() + read) as u64 > LIMIT {
            return Err(payload.refuse(format!("it has {read} bytes"), accepted));
        }
        for (number, record) in bytes.chunks_exact(RECORD).enumerate() {
            let (label, planes) = (record[0], &record[1..]);
            if usize::from(label) >= CLASSES.len() {
                let found = format!("its record {number} (counting from 0) has the label {label}");
                return Err(payload.refuse(found, "labels are 0 to 9"));
            }
            labels.push(label);
            let values = SIZE * SIZE;
            pixels.extend((0..CHANNELS * values).map(|at| planes[at % CHANNELS * values + at / CHANNELS]));
        }
    }
    let names = CLASSES.map(str::to_owned).to_vec();
    Dataset::from_bytes(name, [SIZE, SIZE, CHANNELS], pixels)?.with_labels(labels, names)
}
