//! IDX, the format of MNIST and Fashion-MNIST, plain or gzip.
//!
//! All numbers are big-endian. Two zero bytes, the element type (0x08: unsigned bytes), the rank, one `u32` for each
//! dimension, then the values in row-major order and nothing after them. Images have rank 3 `[n, height, width]`,
//! labels rank 1 `[n]`.

use std::path::Path;

use byteorder::{BigEndian, ByteOrder};

use super::error::{DataError, times};
use super::payload::Payload;
use crate::files::write_whole;

const UNSIGNED_BYTES: u8 = 0x08;

/// Images as read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// How many.
    pub count: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// Values of a pixel: 1 for grey; 3 for red, green and blue.
    pub channels: usize,
    /// Values `[count, height * width * channels]`, row-major.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Height, width and channels of each.
    pub fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.channels]
    }
}

/// Reads a file of images. Refused: a wrong header, sides of 0 pixels, a body that is not exactly what the header
/// promises, more than [`LIMIT`](super::payload::LIMIT) values, damaged gzip.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    let (dims, pixels) = read(path, 3, "images")?;
    Ok(Images { count: dims[0], height: dims[1], width: dims[2], channels: 1, pixels })
}

/// Reads a file of labels `[n]`. Refused: a wrong header, a body that is not exactly what the header promises, more
/// than [`LIMIT`](super::payload::LIMIT) values, damaged gzip.
pub fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    read(path, 1, "labels").map(|(_, labels)| labels)
}

/// Writes `pixels` `[n, height * width]` to `path` as plain IDX.
///
/// # Panics
/// If the pixels are not a whole number of images, or a dimension exceeds `u32`.
pub fn write_images(path: &Path, height: usize, width: usize, pixels: &[u8]) -> Result<(), DataError> {
    let features = height * width;
    assert!(features > 0 && pixels.len().is_multiple_of(features), "{} pixels, {height}×{width}", pixels.len());
    write(path, &[pixels.len() / features, height, width], pixels)
}

/// Writes `labels` `[n]` to `path` as plain IDX.
///
/// # Panics
/// If there are more labels than a `u32` counts.
pub fn write_labels(path: &Path, labels: &[u8]) -> Result<(), DataError> {
    write(path, &[labels.len()], labels)
}

/// Bytes of the header of a file of this rank.
pub(crate) const fn header_bytes(rank: u8) -> usize {
    4 + 4 * rank as usize
}

fn read(path: &Path, rank: u8, holds: &str) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut payload = Payload::open(path, "IDX")?;
    let mut header = Vec::new();
    payload.read_up_to(4, &mut header)?;
    if header.len() == 4 {
        if header[..2] != [0, 0] {
            let found = format!("it starts with the bytes {:#04x} {:#04x}", header[0], header[1]);
            return Err(payload.refuse(found, "an IDX file starts with two zero bytes"));
        }
        if header[2] != UNSIGNED_BYTES {
            let found = format!("its element type is {:#04x}", header[2]);
            return Err(payload.refuse(found, "only 0x08 (unsigned bytes) is accepted"));
        }
        if header[3] != rank {
            let found = format!("it has {} dimension(s)", header[3]);
            return Err(payload.refuse(found, format!("a file of {holds} has {rank}")));
        }
        payload.read_up_to(4 * u64::from(rank), &mut header)?;
    }
    if header.len() < header_bytes(rank) {
        let needed = header_bytes(rank);
        return Err(payload.refuse(format!("its header needs {needed} bytes, but only {} are there", header.len()), ""));
    }
    let dims: Vec<u32> = header[4..].chunks_exact(4).map(BigEndian::read_u32).collect();
    if dims[1..].contains(&0) {
        let found = format!("its images are {} pixels", times(&dims[1..], "×"));
        return Err(payload.refuse(found, "both sides must be at least 1"));
    }
    // Three u32 can overflow a u64.
    let count = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(u64::from(dim)));
    let equals = count.map_or(String::new(), |count| format!(" = {count}"));
    let promise = format!("its header promises {}{equals} values", times(&dims, " × "));
    let values = payload.body(&promise, count)?;
    Ok((dims.into_iter().map(|dim| dim as usize).collect(), values))
}

fn write(path: &Path, dims: &[usize], values: &[u8]) -> Result<(), DataError> {
    let mut bytes = Vec::with_capacity(4 + 4 * dims.len() + values.len());
    bytes.extend([0, 0, UNSIGNED_BYTES, dims.len() as u8]);
    for &dim in dims {
        bytes.extend(u32::try_from(dim).expect("a dimension of an IDX file fits u32").to_be_bytes());
    }
    bytes.extend_from_slice(values);
    Ok(write_whole(path, &bytes)?)
}
