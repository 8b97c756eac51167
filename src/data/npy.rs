//! NPY files, NumPy's format of one array (NEP 1): what is exchanged with other programs.
//!
//! Read are arrays of `u8`, `f32` and `f64`, little endian, in C order, with a row for each sample and one or more
//! dimensions of values; what is behind the first dimension is taken as one row. Any bytes at all get an answer:
//! memory grows only as bytes arrive, and never beyond what the header promises.

use std::path::Path;

use byteorder::{ByteOrder, LittleEndian};
use ndarray::{Array2, ArrayView2};

use super::error::DataError;
use super::payload::Payload;
use crate::files::write_whole;

/// The most bytes of values.
pub const LIMIT: u64 = 1 << 30;

/// The longest header; NumPy's own have 128 bytes.
const LONGEST_HEADER: usize = 1 << 16;

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

/// A rule that an NPY file breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NpyFault {
    /// It is another kind of file.
    #[error("it does not begin with the bytes \\x93NUMPY")]
    Magic,
    /// A version that does not exist yet.
    #[error("its version is {0}, but 1, 2 and 3 are read")]
    Version(u8),
    /// The header is cut off, or too long.
    #[error("its header promises {promised} bytes, but {found} are there (at most {LONGEST_HEADER} are read)")]
    HeaderSize {
        /// Bytes promised.
        promised: u64,
        /// Bytes there are.
        found: usize,
    },
    /// The header is no dictionary of the three keys.
    #[error("its header is not a dictionary with descr, fortran_order and shape")]
    Header,
    /// Elements that are not read.
    #[error("its elements are {0:?}, but '|u1', '<f4' and '<f8' are read; convert it with .astype(numpy.float32)")]
    Elements(String),
    /// Column-major order.
    #[error("it is in Fortran order; save numpy.ascontiguousarray of it")]
    Fortran,
    /// Another number of dimensions.
    #[error("it has {} dimension{}, but a row for each sample and at least one dimension of values are expected",
            .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Rank(Vec<u64>),
    /// Too many values.
    #[error("its shape {0:?} promises more than the {LIMIT} bytes (1 GiB) that are accepted")]
    TooLarge(Vec<u64>),
    /// Another number of bytes than promised.
    #[error("its shape {shape:?} promises {expected} bytes of values, but {} follow", match found {
        Some(found) => found.to_string(),
        None => "more".to_owned(),
    })]
    Body {
        /// The shape in the header.
        shape: Vec<u64>,
        /// Bytes promised.
        expected: u64,
        /// Bytes that follow; `None` where there are more.
        found: Option<u64>,
    },
}

/// Reads the array in the file at `path`.
pub fn read(path: &Path) -> Result<Array, DataError> {
    let refuse = |fault| DataError::Npy { path: path.to_path_buf(), fault };
    let mut payload = Payload::open(path)?;
    let mut start = Vec::new();
    payload.read_up_to(8, &mut start)?;
    let version = match start[..] {
        [ref magic @ .., version, _] if magic == MAGIC => version,
        _ => return Err(refuse(NpyFault::Magic)),
    };
    let width = match version {
        1 => 2,
        2 | 3 => 4,
        other => return Err(refuse(NpyFault::Version(other))),
    };
    let mut length = Vec::new();
    payload.read_up_to(width, &mut length)?;
    if length.len() < width as usize {
        return Err(refuse(NpyFault::HeaderSize { promised: width, found: length.len() }));
    }
    let promised = LittleEndian::read_uint(&length, width as usize);
    let mut header = Vec::new();
    payload.read_up_to(promised.min(LONGEST_HEADER as u64), &mut header)?;
    if (header.len() as u64) < promised {
        return Err(refuse(NpyFault::HeaderSize { promised, found: header.len() }));
    }
    let header = parse(&String::from_utf8_lossy(&header)).ok_or_else(|| refuse(NpyFault::Header))?;
    let size = header.check().map_err(refuse)?;

    let mut values = Vec::new();
    // One byte more than promised, which must not be there.
    let found = payload.read_up_to(size.bytes + 1, &mut values)? as u64;
    if found != size.bytes {
        let found = (found < size.bytes).then_some(found);
        return Err(refuse(NpyFault::Body { shape: header.shape, expected: size.bytes, found }));
    }
    let shape = (size.rows, size.cols);
    let message = "the number of bytes was checked";
    Ok(match size.element {
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

/// Writes `array` [rows, columns] of `f32` to `path`, as `numpy.save` does.
pub fn write(path: &Path, array: ArrayView2<'_, f32>) -> Result<(), DataError> {
    let values = array.iter().flat_map(|value| value.to_le_bytes());
    Ok(write_whole(path, &to_bytes("<f4", &[array.nrows(), array.ncols()], values))?)
}

/// Writes `array` [rows, columns] of `f64` to `path`, as `numpy.save` does.
pub fn write_f64(path: &Path, array: ArrayView2<'_, f64>) -> Result<(), DataError> {
    let values = array.iter().flat_map(|value| value.to_le_bytes());
    Ok(write_whole(path, &to_bytes("<f8", &[array.nrows(), array.ncols()], values))?)
}

/// Writes `column` \[n\] of `u8` to `path`, as `numpy.save` does.
pub fn write_bytes(path: &Path, column: &[u8]) -> Result<(), DataError> {
    Ok(write_whole(path, &to_bytes("|u1", &[column.len()], column.iter().copied()))?)
}

fn to_bytes(descr: &str, shape: &[usize], values: impl Iterator<Item = u8>) -> Vec<u8> {
    let shape = match shape {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // The values begin at a multiple of 64 bytes, behind magic, version, length and a line feed.
    let padded = (header.len() + 11).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', padded - 1 - header.len()));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

#[derive(Debug)]
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<u64>,
}

struct Size {
    rows: usize,
    cols: usize,
    /// Bytes of an element.
    element: u64,
    bytes: u64,
}

impl Header {
    fn check(&self) -> Result<Size, NpyFault> {
        let element = match self.descr.as_str() {
            "|u1" | "u1" | "<u1" => 1,
            "<f4" => 4,
            "<f8" => 8,
            _ => return Err(NpyFault::Elements(self.descr.chars().take(40).collect())),
        };
        if self.fortran {
            return Err(NpyFault::Fortran);
        }
        if self.shape.len() < 2 {
            return Err(NpyFault::Rank(self.shape.clone()));
        }
        let limit = LIMIT / element;
        let times = |dims: &[u64]| {
            let product = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
            product.filter(|&product| product <= limit).ok_or_else(|| NpyFault::TooLarge(self.shape.clone()))
        };
        // Each is bounded by itself: no rows may have any number of columns, which must still be a size.
        let (rows, cols) = (times(&self.shape[..1])?, times(&self.shape[1..])?);
        let count = times(&[rows, cols])?;
        Ok(Size { rows: rows as usize, cols: cols as usize, element, bytes: count * element })
    }
}

/// Reads a Python dictionary of a string, a truth value and a tuple of integers.
fn parse(text: &str) -> Option<Header> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        rest = after.trim_start().strip_prefix(':')?.trim_start();
        match key {
            "descr" => {
                let (value, after) = quoted(rest)?;
                (descr, rest) = (Some(value.to_owned()), after);
            }
            "fortran_order" => {
                let (value, after) = match rest.strip_prefix("True") {
                    Some(after) => (true, after),
                    None => (false, rest.strip_prefix("False")?),
                };
                (fortran, rest) = (Some(value), after);
            }
            "shape" => {
                let (inside, after) = rest.strip_prefix('(')?.split_once(')')?;
                let inside = inside.trim();
                let inside = inside.strip_suffix(',').unwrap_or(inside);
                let dims = inside.split(',').map(str::trim).filter(|_| !inside.is_empty());
                shape = Some(dims.map(|dim| dim.parse().ok()).collect::<Option<Vec<u64>>>()?);
                rest = after;
            }
            _ => return None,
        }
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(Header { descr: descr?, fortran: fortran?, shape: shape? })
}

/// The string that `text` begins with, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|&c| c == '\'' || c == '"')?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn file(header: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> Result<Array, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        fs::write(&path, bytes).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    fn refused(bytes: &[u8], because: &str) {
        let sentence = read_bytes(bytes).unwrap_err();
        assert!(sentence.contains(because) && sentence.contains("a.npy"), "{because:?} is not in {sentence:?}");
    }

    const HEADER: &str = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }";

    #[test]
    fn what_is_written_is_read_back_and_is_what_numpy_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let single = Array2::from_shape_fn((3, 2), |(i, j)| i as f32 - 0.1 * j as f32);
        write(&path, single.t().view()).unwrap();
        assert_eq!(read(&path).unwrap(), Array::Single(single.t().to_owned()));
        let bytes = fs::read(&path).unwrap();
        let mut expected =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        assert_eq!(bytes[..128], expected[..]);
        assert_eq!(bytes.len(), 128 + 24);
        let double = single.mapv(|value| f64::from(value) / 3.0);
        write_f64(&path, double.view()).unwrap();
        assert_eq!(read(&path).unwrap(), Array::Double(double));
        write(&path, Array2::zeros((0, 5)).view()).unwrap();
        assert_eq!(read(&path).unwrap().dim(), (0, 5));
        write_bytes(&path, &[1, 2]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("it has 1 dimension, but"));
    }

    #[test]
    fn bytes_are_read_and_more_dimensions_as_one_row() {
        let stack = file(&HEADER.replace("(2, 3)", "(2, 1, 3)"), &[0, 51, 255, 1, 2, 3]);
        let array = read_bytes(&stack).unwrap();
        assert_eq!(array.dim(), (2, 3));
        assert_eq!(array.into_f32().row(0).to_vec(), [0.0, 51.0, 255.0]);
    }

    #[test]
    fn each_broken_promise_has_its_sentence() {
        refused(b"PK\x03\x04", "does not begin with the bytes \\x93NUMPY");
        refused(b"\x93NUMPY\x04\x00", "its version is 4");
        refused(&file(HEADER, &[0; 6])[..40], "its header promises 59 bytes, but 30 are there");
        refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xffabc", "its header promises 4294967295 bytes, but 3 are there");
        let with = |from: &str, to: &str| file(&HEADER.replace(from, to), &[0; 6]);
        refused(&with("False", "None"), "not a dictionary");
        refused(&with("'shape': (2, 3), ", ""), "not a dictionary");
        refused(&with("(2, 3)", "(2, -3)"), "not a dictionary");
        refused(&with("|u1", ">f4"), "its elements are \">f4\", but '|u1', '<f4' and '<f8' are read");
        refused(&with("False", "True"), "Fortran order");
        refused(&with("(2, 3)", "()"), "it has 0 dimensions");
        refused(&with("(2, 3)", "(2, 4)"), "[2, 4] promises 8 bytes of values, but 6 follow");
        refused(&with("(2, 3)", "(2, 2)"), "[2, 2] promises 4 bytes of values, but more follow");
        refused(&with("(2, 3)", "(99999999999, 99999999999)"), "promises more than the 1073741824 bytes");
        refused(&with("(2, 3)", "(0, 99999999999)"), "promises more than the 1073741824 bytes");
        refused(&with("(2, 3)", "(1073741824, 1)"), "1073741824 bytes of values, but 6 follow");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            header in "[{}'\"(),: a-z0-9<|_TrueFals]{0,40}",
        ) {
            let _ = read_bytes(&bytes);
            let _ = read_bytes(&file(&header, &bytes));
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn bent_headers_give_a_whole_array_or_a_sentence(at in 0usize..59, to in "[0-9',)( ]", body in 0usize..40) {
            let mut header = HEADER.to_owned();
            header.replace_range(at..at + 1, &to);
            if let Ok(array) = read_bytes(&file(&header, &vec![7; body])) {
                prop_assert_eq!(array.dim().0 * array.dim().1, body);
            }
        }
    }
}
