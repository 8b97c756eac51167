//! MATLAB files of version 5 ("MAT-File Format", level 5; what `save` writes with `-v6` and, compressed, with `-v7`).
//!
//! One full array of real numbers is read from a file: plain or compressed, of either byte order, of any class of
//! numbers, stored in that class's type or a narrower one. Any bytes at all get an answer: memory grows only as bytes
//! arrive, and never beyond what the header of the array promises.

mod element;
mod fault;
mod values;

use std::path::Path;

use super::error::DataError;
use super::idx::Images;
use super::payload::Payload;
use element::{ArrayHeader, Body, MI_COMPRESSED, MI_MATRIX, Order, Tag};
use values::{Meaning, Stored, greys};

pub use fault::MatFault;

/// The most bytes of a file, and of the values of an array.
pub const LIMIT: u64 = 1 << 30;

/// The arrays that are looked for where no name is given; the first of them in the file is taken.
pub const NAMES: [&str; 2] = ["X", "ff"];

/// Elements that are looked through; each costs a decompressor's start, so that their number bounds the time.
const MOST_ARRAYS: usize = 1 << 16;

/// Arrays that a message lists.
const MOST_LISTED: usize = 12;

const HEADER: usize = 128;

/// Bytes with which an HDF5 file begins, and a MATLAB file of version 7.3 goes on after 512 bytes.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Reads images from the array `variable` of the file at `path`, or from the first named `X` or `ff`.
///
/// An array [pixels × n] has an image in each column, row by row, of 28×20 pixels where it has 560 rows (Frey faces)
/// and square where the number of its rows is a square. An array [height × width × n] has images as MATLAB's matrices.
/// Integers are greys from 0 to 255; floats are greys too, unless all are at most 1: then 1 is white. Floats are
/// rounded to the nearest grey, halves upwards. Of a logical array true is white.
///
/// Refused: files that are not of version 5, arrays that are not full and real, values outside these ranges, other
/// shapes, more than [`LIMIT`] bytes.
pub fn read_images(path: &Path, variable: Option<&str>) -> Result<Images, DataError> {
    let refuse = |fault| DataError::Matlab { path: path.to_path_buf(), fault };
    let too_large = || refuse(MatFault::TooLarge { what: "the file".into() });
    let mut payload = Payload::open(path)?;
    if payload.size().is_some_and(|size| size > LIMIT) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    if payload.read_up_to(LIMIT + 1, &mut bytes)? as u64 > LIMIT {
        return Err(too_large());
    }
    images_of(&bytes, variable).map_err(refuse)
}

/// [`read_images`] for the bytes of a file.
pub fn images_of(bytes: &[u8], variable: Option<&str>) -> Result<Images, MatFault> {
    let order = check_header(bytes)?;
    let (header, body) = find(bytes, order, variable)?;
    let pixels = pixels(&header, body, order)?;
    arrange(&header, pixels)
}

/// Whether a file that begins with `start` is to be read as MATLAB's rather than IDX, whose first two bytes are zero.
pub(super) fn is_matlab(path: &Path, start: &[u8]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.ends_with(".mat") || name.ends_with(".mat.gz") || start.starts_with(b"MATLAB") || start.starts_with(HDF5)
}

fn check_header(bytes: &[u8]) -> Result<Order, MatFault> {
    if bytes.starts_with(HDF5) || bytes.starts_with(b"MATLAB 7.3") || bytes.get(512..520) == Some(HDF5) {
        return Err(MatFault::Hdf5);
    }
    if bytes.len() >= 4 && bytes[..4].contains(&0) {
        return Err(MatFault::Version4);
    }
    let header = bytes.get(..HEADER).ok_or(MatFault::ShortHeader { found: bytes.len() })?;
    let order = match &header[126..] {
        b"IM" => Order::Little,
        b"MI" => Order::Big,
        found => return Err(MatFault::ByteOrder { found: [found[0], found[1]] }),
    };
    match order.u16([header[124], header[125]]) {
        0x0100 => Ok(order),
        0x0200 => Err(MatFault::Hdf5),
        found => Err(MatFault::Version { found }),
    }
}

/// Looks through the elements for the array that is wanted.
fn find<'a>(bytes: &'a [u8], order: Order, variable: Option<&str>) -> Result<(ArrayHeader, Body<'a>), MatFault> {
    let wanted = |name: &str| variable.map_or_else(|| NAMES.contains(&name), |variable| variable == name);
    let (mut at, mut seen, mut others, mut unnamed) = (HEADER, 0, Vec::new(), 0);
    while at < bytes.len() {
        seen += 1;
        if seen > MOST_ARRAYS {
            return Err(MatFault::TooMany);
        }
        let rest = &bytes[at..];
        let truncated = |part, needed, found: usize| {
            Err(MatFault::Truncated { what: "the file".into(), part, needed, found: found as u64 })
        };
        let Some((tag, rest)) = rest.split_first_chunk::<8>() else {
            return truncated("the tag of an element", 8, rest.len());
        };
        let tag = Tag::parse(order, *tag);
        if tag.bytes > rest.len() as u64 {
            return truncated("an element", tag.bytes, rest.len());
        }
        let data = &rest[..tag.bytes as usize];
        let body = match tag.kind {
            MI_MATRIX if data.is_empty() => None,
            MI_MATRIX => Some(Body::plain(data, order, at)),
            MI_COMPRESSED => Some(Body::compressed(data, order, at)?),
            _ => None,
        };
        if let Some(mut body) = body {
            let header = body.header()?;
            if wanted(&header.name) {
                return Ok((header, body));
            }
            // The data of objects are kept in an array without a name.
            match header.name.is_empty() {
                false if others.len() < MOST_LISTED => others.push(header.describe()),
                _ => unnamed += 1,
            }
        }
        // Compressed elements are not padded.
        let padding = if tag.kind == MI_COMPRESSED { 0 } else { tag.bytes.wrapping_neg() % 8 };
        at += 8 + (tag.bytes + padding) as usize;
    }
    if unnamed > 0 && !others.is_empty() {
        others.push(format!("{unnamed} more"));
    }
    Err(MatFault::NoSuchArray { wanted: variable.map(str::to_owned), found: others })
}

/// The greys in the order of the file: first dimension fastest.
fn pixels(header: &ArrayHeader, mut body: Body<'_>, order: Order) -> Result<Vec<u8>, MatFault> {
    let name = || header.name.clone();
    let class = header.numeric().map_err(|what| MatFault::NotNumeric { name: name(), what: what.into() })?;
    let count = header.count()?;
    let tag = body.tag("the values")?;
    let stored = Stored::of(tag.kind)
        .filter(|stored| stored.bytes() <= class.bytes && (stored.is_integer() || !class.is_integer))
        .ok_or_else(|| MatFault::Storage { name: name(), kind: tag.kind, class: class.name })?;
    // Both factors are small enough: the count is at most LIMIT.
    let expected = count * stored.bytes();
    if expected > LIMIT {
        return Err(MatFault::TooLarge { what: format!("the array {} of {}", header.name, times(&header.dims)) });
    }
    if tag.bytes != expected {
        let (dims, found) = (times(&header.dims), tag.bytes);
        return Err(MatFault::Size { name: name(), dims, expected, found });
    }
    let bytes = body.data("the values", tag)?;
    body.end(&header.name)?;
    let meaning = match class.is_integer {
        _ if header.is_logical() => Meaning::Logical,
        true => Meaning::Greys,
        false => Meaning::Floats,
    };
    greys(bytes, stored, order, meaning).map_err(|no_grey| MatFault::Value {
        name: name(),
        place: place(&header.dims, no_grey.index),
        value: no_grey.value,
    })
}

/// Subscripts from 1, as MATLAB writes them.
fn place(dims: &[u32], mut index: usize) -> String {
    let subscripts = dims.iter().map(|&dim| {
        let subscript = index % dim as usize;
        index /= dim as usize;
        (subscript + 1).to_string()
    });
    subscripts.collect::<Vec<_>>().join(", ")
}

/// One image after the other, each row by row.
fn arrange(header: &ArrayHeader, pixels: Vec<u8>) -> Result<Images, MatFault> {
    let refuse = || MatFault::Shape { name: header.name.clone(), dims: times(&header.dims) };
    if pixels.is_empty() {
        return Err(refuse());
    }
    let dims: Vec<usize> = header.dims.iter().map(|&dim| dim as usize).collect();
    match dims[..] {
        [560, count] => Ok(Images { count, height: 28, width: 20, pixels }),
        [features, count] => {
            let side = features.isqrt();
            if side * side != features {
                return Err(refuse());
            }
            Ok(Images { count, height: side, width: side, pixels })
        }
        [height, width, count] => {
            let mut arranged = Vec::with_capacity(pixels.len());
            for image in pixels.chunks_exact(height * width) {
                arranged.extend((0..height * width).map(|at| image[at / width + (at % width) * height]));
            }
            Ok(Images { count, height, width, pixels: arranged })
        }
        _ => Err(refuse()),
    }
}

fn times(dims: &[u32]) -> String {
    dims.iter().map(u32::to_string).collect::<Vec<_>>().join("×")
}
