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
    let width = match start.strip_prefix(MAGIC) {
        Some([1, _]) => 2,
        Some([2 | 3, _]) => 4,
        Some([version, _]) => return Err(payload.refuse(format!("its version is {version}"), "1, 2 and 3 are read")),
        _ => return Err(payload.refuse("it does not begin with the bytes \\x93NUMPY", "")),
    };
    let (mut length, mut header) = (Vec::new(), Vec::new());
    payload.read_up_to(width, &mut length)?;
    let whole = length.len() as u64 == width;
    let promised = if whole { LittleEndian::read_uint(&length, width as usize) } else { width };
    payload.read_up_to(promised.min(LONGEST_HEADER), &mut header)?;
    if (header.len() as u64) < promised {
        let found = format!("its header promises {promised} bytes, but {} are there", header.len());
        return Err(payload.refuse(found, format!("at most {LONGEST_HEADER} are read")));
    }
    let Some((descr, fortran, shape)) = dictionary(&String::from_utf8_lossy(&header)) else {
        return Err(payload.refuse("its header is not a dictionary with descr, fortran_order and shape", ""));
    };
    let element = match descr.as_str() {
        "|u1" | "u1" | "<u1" => 1,
        "<f4" => 4,
        "<f8" => 8,
        other => {
            let found = format!("its elements are {:?}", other.chars().take(40).collect::<String>());
            let accepted = "'|u1', '<f4' and '<f8' are read; convert it with .astype(numpy.float32)";
            return Err(payload.refuse(found, accepted));
        }
    };
    if fortran {
        return Err(payload.refuse("it is in Fortran order", "save numpy.ascontiguousarray of it"));
    }
    let (Some(rows), Some(row @ [_, ..])) = (shape.first(), shape.get(1..)) else {
        let found = format!("it has {} dimension{}", shape.len(), if shape.is_empty() { "s" } else { "" });
        let accepted = "a row for each sample and at least one dimension of values are expected";
        return Err(payload.refuse(found, accepted));
    };
    let product = |dims: &[u64]| dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    // Each is bounded by itself: no rows may have any number of columns, which must still be a size.
    let cols = product(row).filter(|cols| (*rows).max(*cols) <= LIMIT);
    let bytes = cols.and_then(|cols| product(&[*rows, cols, element]));
    let promise = match bytes {
        Some(bytes) => format!("its shape {:?} promises {bytes} bytes of values", shape),
        None => format!("its shape {:?} promises more values than fit in memory", shape),
    };
    let values = payload.body(&promise, bytes)?;
    let shape = (*rows as usize, cols.unwrap_or(0) as usize);
    Ok(match element {
        1 => Array::Bytes(rows_of(shape, values)),
        4 => Array::Single(rows_of(shape, values.chunks_exact(4).map(LittleEndian::read_f32).collect())),
        _ => Array::Double(rows_of(shape, values.chunks_exact(8).map(LittleEndian::read_f64).collect())),
    })
}

fn rows_of<T>(shape: (usize, usize), values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec(shape, values).expect("the number of bytes was checked")
}

/// Writes `array` [rows, columns] of `f32` to `path`, as `numpy.save` does.
pub fn write(path: &Path, array: ArrayView2<'_, f32>) -> Result<(), DataError> {
    let values = array.iter().flat_map(|value| value.to_le_bytes());
    write_values(path, "<f4", &format!("({}, {})", array.nrows(), array.ncols()), values)
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

/// The element type, whether the order is Fortran's, and the shape: of a Python dictionary of a string, a truth value and a
/// tuple of integers.
fn dictionary(text: &str) -> Option<(String, bool, Vec<u64>)> {
    let text = text.trim().strip_prefix('{')?.strip_suffix('}')?.replace('"', "'");
    // Three keys and no other: one that is unknown might change what the values mean.
    if text.matches(':').count() != 3 {
        return None;
    }
    let value = |key: &str| text.split_once(key)?.1.trim_start().strip_prefix(':').map(str::trim_start);
    let (descr, _) = value("'descr'")?.strip_prefix('\'')?.split_once('\'')?;
    let order = value("'fortran_order'")?;
    let fortran = order.starts_with("True");
    let (shape, _) = value("'shape'")?.strip_prefix('(')?.split_once(')')?;
    let inside = shape.trim();
    let dims = inside.strip_suffix(',').unwrap_or(inside).split(',').map(str::trim).filter(|_| !inside.is_empty());
    let shape = dims.map(|dim| dim.parse().ok()).collect::<Option<Vec<u64>>>()?;
    (fortran || order.starts_with("False")).then(|| (descr.to_owned(), fortran, shape))
}
