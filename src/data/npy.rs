//! NPY files, NumPy's format of one array (NEP 1): what is exchanged with other programs.
//!
//! Read are arrays of `u8`, `f32` and `f64`, little endian, in C order, with a row for each sample and one or more
//! dimensions of values; what is behind the first dimension is taken as one row. Any bytes at all get an answer:
//! memory grows only as bytes arrive, and never beyond what the header promises.

use std::path::Path;

use byteorder::{ByteOrder, LittleEndian};
use ndarray::{Array2, ArrayView2};

use super::error::DataError;
use super::payload::{LIMIT, Payload};
use crate::files::write_whole;

/// The longest header; NumPy's own have 128 bytes.
const LONGEST_HEADER: u64 = 1 << 16;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// An array [rows, columns].
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Of `u8`.
    Bytes(Array2<u8>),
    /// Of `f32`.
    Single(Array2<f32>),
    /// Of `f64`.
    Double(Array2<f64>),
}

impl Array {
    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Array::Bytes(array) => array.dim(),
            Array::Single(array) => array.dim(),
            Array::Double(array) => array.dim(),
        }
    }

    /// Its values as `f32`, doubles rounded.
    pub fn into_f32(self) -> Array2<f32> {
        match self {
            Array::Bytes(array) => array.mapv(f32::from),
            Array::Single(array) => array,
            Array::Double(array) => array.mapv(|value| value as f32),
        }
    }
}

/// Reads the array in the file at `path`.
pub fn read(path: &Path) -> Result<Array, DataError> {
    let mut payload = Payload::open(path, "an NPY file")?;
    let mut start = Vec::new();
    payload.read_up_to(8, &mut start)?;
    let width = match start[..] {
        [ref magic @ .., 1, _] if magic == MAGIC => 2,
        [ref magic @ .., 2 | 3, _] if magic == MAGIC => 4,
        [ref magic @ .., version, _] if magic == MAGIC => {
            return Err(payload.refuse(format!("its version is {version}"), "1, 2 and 3 are read"));
        }
        _ => return Err(payload.refuse("it does not begin with the bytes \\x93NUMPY", "")),
    };
    let mut header = Vec::new();
    payload.read_up_to(width, &mut header)?;
    let promised = if header.len() < width as usize { width } else { LittleEndian::read_uint(&header, width as usize) };
    if header.len() == width as usize {
        header.clear();
        payload.read_up_to(promised.min(LONGEST_HEADER), &mut header)?;
    }
    if (header.len() as u64) < promised {
        let found = format!("its header promises {promised} bytes, but {} are there", header.len());
        return Err(payload.refuse(found, format!("at most {LONGEST_HEADER} are read")));
    }
    let Some(header) = Header::parse(&String::from_utf8_lossy(&header)) else {
        return Err(payload.refuse("its header is not a dictionary with descr, fortran_order and shape", ""));
    };
    let element = match header.descr.as_str() {
        "|u1" | "u1" | "<u1" => 1,
        "<f4" => 4,
        "<f8" => 8,
        other => {
            let found = format!("its elements are {:?}", other.chars().take(40).collect::<String>());
            let accepted = "'|u1', '<f4' and '<f8' are read; convert it with .astype(numpy.float32)";
            return Err(payload.refuse(found, accepted));
        }
    };
    if header.fortran {
        return Err(payload.refuse("it is in Fortran order", "save numpy.ascontiguousarray of it"));
    }
    let [rows, row @ ..] = &header.shape[..] else {
        return Err(payload.refuse("it has 0 dimensions", TWO_DIMENSIONS));
    };
    if row.is_empty() {
        return Err(payload.refuse("it has 1 dimension", TWO_DIMENSIONS));
    }
    let product = |dims: &[u64]| dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    // Each is bounded by itself: no rows may have any number of columns, which must still be a size.
    let cols = product(row).filter(|cols| (*rows).max(*cols) <= LIMIT);
    let bytes = cols.and_then(|cols| product(&[*rows, cols, element]));
    let promise = match bytes {
        Some(bytes) => format!("its shape {:?} promises {bytes} bytes of values", header.shape),
        None => format!("its shape {:?} promises more values than fit in memory", header.shape),
    };
    let values = payload.body(&promise, bytes)?;
    let shape = (*rows as usize, cols.unwrap_or(0) as usize);
    let message = "the number of bytes was checked";
    Ok(match element {
        1 => Array::Bytes(Array2::from_shape_vec(shape, values).expect(message)),
        4 => {
            let values = values.chunks_exact(4).map(LittleEndian::read_f32).collect();
            Array::Single(Array2::from_shape_vec(shape, values).expect(message))
        }
        _ => {
            let values = values.chunks_exact(8).map(LittleEndian::read_f64).collect();
            Array::Double(Array2::from_shape_vec(shape, values).expect(message))
        }
    })
}

const TWO_DIMENSIONS: &str = "a row for each sample and at least one dimension of values are expected";

/// Writes `array` [rows, columns] of `f32` to `path`, as `numpy.save` does.
pub fn write(path: &Path, array: ArrayView2<'_, f32>) -> Result<(), DataError> {
    let values = array.iter().flat_map(|value| value.to_le_bytes());
    write_values(path, "<f4", &format!("({}, {})", array.nrows(), array.ncols()), values)
}

/// Writes `array` [rows, columns] of `f64` to `path`, as `numpy.save` does.
pub fn write_f64(path: &Path, array: ArrayView2<'_, f64>) -> Result<(), DataError> {
    let values = array.iter().flat_map(|value| value.to_le_bytes());
    write_values(path, "<f8", &format!("({}, {})", array.nrows(), array.ncols()), values)
}

/// Writes `column` \[n\] of `u8` to `path`, as `numpy.save` does.
pub fn write_bytes(path: &Path, column: &[u8]) -> Result<(), DataError> {
    write_values(path, "|u1", &format!("({},)", column.len()), column.iter().copied())
}

fn write_values(path: &Path, descr: &str, shape: &str, values: impl Iterator<Item = u8>) -> Result<(), DataError> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // The values begin at a multiple of 64 bytes, behind magic, version, length and a line feed.
    let padded = (header.len() + 11).next_multiple_of(64) - 10;
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = padded - 1).bytes());
    bytes.extend(values);
    Ok(write_whole(path, &bytes)?)
}

#[derive(Debug)]
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads a Python dictionary of a string, a truth value and a tuple of integers.
    fn parse(text: &str) -> Option<Header> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, value) = quoted(rest)?;
            let value = value.trim_start().strip_prefix(':')?.trim_start();
            rest = match key {
                "descr" => {
                    let (text, after) = quoted(value)?;
                    descr = Some(text.to_owned());
                    after
                }
                "fortran_order" => {
                    fortran = Some(value.starts_with("True"));
                    value.strip_prefix("True").or_else(|| value.strip_prefix("False"))?
                }
                "shape" => {
                    let (inside, after) = value.strip_prefix('(')?.split_once(')')?;
                    let inside = inside.trim();
                    let inside = inside.strip_suffix(',').unwrap_or(inside);
                    let dims = inside.split(',').map(str::trim).filter(|_| !inside.is_empty());
                    shape = Some(dims.map(|dim| dim.parse().ok()).collect::<Option<Vec<u64>>>()?);
                    after
                }
                _ => return None,
            }
            .trim_start();
            rest = match rest.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if rest.is_empty() => rest,
                None => return None,
            };
        }
        Some(Header { descr: descr?, fortran: fortran?, shape: shape? })
    }
}

/// The string that `text` begins with, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|&c| c == '\'' || c == '"')?;
    text[1..].split_once(quote)
}
