//! What can be wrong with a MATLAB file, each as the end of a sentence.

use super::{LIMIT, MOST_ARRAYS, NAMES};

/// A rule that a MATLAB file breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatFault {
    /// The file is shorter than a header.
    #[error("its header needs 128 bytes, but only {found} are there")]
    ShortHeader {
        /// Bytes there are.
        found: usize,
    },
    /// Version 7.3: an HDF5 file.
    #[error("it is of version 7.3, which is HDF5; save it with `save(..., '-v7')`")]
    Hdf5,
    /// Version 4, or no MATLAB file at all.
    #[error(
        "one of its first four bytes is zero, as in files of version 4, which are not read; version 5 (`save(..., '-v7')` or \
         '-v6') is expected"
    )]
    Version4,
    /// The indicator of the byte order is neither "IM" nor "MI".
    #[error(
        "the bytes 126 and 127 are {:#04x} {:#04x}, but a MATLAB file of version 5 has \"IM\" or \"MI\" there",
        found[0],
        found[1]
    )]
    ByteOrder {
        /// The two bytes.
        found: [u8; 2],
    },
    /// Another version.
    #[error("its version is {found:#06x}, but only 0x0100 (version 5) is read")]
    Version {
        /// The version in the header.
        found: u16,
    },
    /// More than can be read at once.
    #[error("{what} has more than the {LIMIT} bytes (1 GiB) that are accepted")]
    TooLarge {
        /// "the file", or the array.
        what: String,
    },
    /// More elements than any workspace has variables.
    #[error("it has more than the {MOST_ARRAYS} elements that are looked through")]
    TooMany,
    /// The file, or a compressed element, ends too early.
    #[error("{what} ends inside {part}: {needed} bytes are promised, and {found} are there")]
    Truncated {
        /// "the file", "the compressed element at byte 128".
        what: String,
        /// What was being read.
        part: &'static str,
        /// Bytes promised.
        needed: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A compressed element that does not decompress.
    #[error("the compressed element at byte {at} is damaged: {detail}")]
    Damaged {
        /// Where the element begins in the file.
        at: usize,
        /// What the decompressor found.
        detail: String,
    },
    /// Something else where a part of an array must be.
    #[error("{part} of the element at byte {at} has type {kind} and {bytes} bytes, where {expected} is expected")]
    Part {
        /// Where the element begins in the file.
        at: usize,
        /// "the dimensions".
        part: &'static str,
        /// The type found (mi...).
        kind: u32,
        /// The bytes found.
        bytes: u64,
        /// What is accepted.
        expected: &'static str,
    },
    /// No array of the name asked for.
    #[error("it has no array named {}; {}", names(wanted.as_deref()), there(found))]
    NoSuchArray {
        /// The name asked for; without, [`NAMES`] were looked for.
        wanted: Option<String>,
        /// The arrays there are, as "X (double, 560×1965)".
        found: Vec<String>,
    },
    /// An array that has no numbers to be pixels.
    #[error("the array {name} is {what}, but a full array of real numbers is expected")]
    NotNumeric {
        /// Its name.
        name: String,
        /// "a cell array", "sparse", "complex".
        what: String,
    },
    /// Values stored in a type that its class does not hold.
    #[error("the values of {name} are stored as type {kind}, which an array of class {class} cannot be")]
    Storage {
        /// The array.
        name: String,
        /// The type (mi...).
        kind: u32,
        /// The class in words.
        class: &'static str,
    },
    /// Another number of bytes than the dimensions promise.
    #[error("the dimensions {dims} of {name} promise {expected} bytes of values, but {found} are stored")]
    Size {
        /// The array.
        name: String,
        /// As "560×1965".
        dims: String,
        /// Bytes that the dimensions promise.
        expected: u64,
        /// Bytes that the tag of the values states.
        found: u64,
    },
    /// Dimensions that are no images.
    #[error(
        "the array {name} is {dims}; expected are [pixels × images] with 560 (28×20) or a square number of rows, a column \
         being an image row by row, or [height × width × images]"
    )]
    Shape {
        /// The array.
        name: String,
        /// As "560×1965".
        dims: String,
    },
    /// A value that is no grey.
    #[error("{name}({place}) is {value}, but pixels are numbers from 0 to 255, or all of them from 0 to 1")]
    Value {
        /// The array.
        name: String,
        /// Its place as MATLAB writes it, counting from 1: "3, 17".
        place: String,
        /// The value.
        value: String,
    },
}

fn names(wanted: Option<&str>) -> String {
    wanted.map_or_else(|| NAMES.join(" or "), str::to_owned)
}

fn there(found: &[String]) -> String {
    match found {
        [] => "it has no arrays at all".into(),
        found => {
            format!("it has {}. Name one with `data.variable` in a configuration, or with --variable", found.join(", "))
        }
    }
}
