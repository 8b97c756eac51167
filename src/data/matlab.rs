//! MATLAB files of version 5 ("MAT-File Format", level 5; what `save` writes with `-v6` and, compressed, with `-v7`).
//!
//! One array is read from a file: full, of two dimensions, of class uint8 or double, plain or compressed, as the Frey faces
//! are. What else there is, is refused by name. Any bytes at all get an answer: memory grows only as bytes arrive, and
//! never beyond what the header of the array promises.

use std::io::Read;
use std::path::Path;

use byteorder::{ByteOrder, LittleEndian};
use flate2::bufread::ZlibDecoder;

use super::error::{DataError, Fault, times};
use super::idx::Images;
use super::payload::{LIMIT, Payload};

/// The arrays that are looked for where no name is given; the first of them in the file is taken.
pub const NAMES: [&str; 2] = ["X", "ff"];

/// Elements that are looked through; each costs a decompressor's start, so that their number bounds the time.
const MOST_ELEMENTS: usize = 1 << 16;

/// Arrays that a message lists.
const MOST_LISTED: usize = 12;

const HEADER: usize = 128;

/// Bytes with which an HDF5 file begins, and a MATLAB file of version 7.3 goes on after 512 bytes.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

const FORMAT: &str = "a MATLAB file of images";

// Types of data elements (table 1-1), in which numbers are stored.
const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const UTF8: u32 = 16;

/// Classes of arrays in the order of their numbers (table 1-3).
const CLASSES: &str = "of an unknown class|a cell array|a struct|an object|text|sparse|double|single|int8|uint8|int16|uint16|\
                       int32|uint32|int64|uint64|a function|an object";
const OBJECT: u8 = 17;

/// Reads images from the array `variable` of the file at `path`, or from the first named `X` or `ff`.
///
/// The array is [pixels × n] with an image in each column, row by row: of 28×20 pixels where there are 560 rows (Frey faces),
/// and square where the number of rows is a square. Of class uint8 it holds greys; of class double too, rounded to the
/// nearest, halves upwards, unless all are at most 1: then 1 is white.
///
/// Refused: files of other versions or of big-endian machines, other arrays, values outside these ranges, more than
/// [`LIMIT`] bytes.
pub fn read_images(path: &Path, variable: Option<&str>) -> Result<Images, DataError> {
    let mut payload = Payload::open(path, FORMAT)?;
    let mut bytes = Vec::new();
    if payload.read_up_to(LIMIT + 1, &mut bytes)? as u64 > LIMIT {
        return Err(payload.refuse("it is too large", format!("at most {LIMIT} bytes (1 GiB) are accepted")));
    }
    Ok(images_of(&bytes, variable).map_err(|fault| fault.reading(path, FORMAT))?)
}

/// [`read_images`] for the bytes of a file.
pub fn images_of(bytes: &[u8], variable: Option<&str>) -> Result<Images, Fault> {
    check_header(bytes)?;
    let mut array = find(bytes, variable)?;
    let shape = array.shape()?;
    let pixels = array.greys()?;
    Ok(Images { count: array.dims[1] as usize, height: shape.0, width: shape.1, channels: 1, pixels })
}

/// Whether a file that begins with `start` is to be read as MATLAB's rather than IDX, whose first two bytes are zero.
pub(super) fn is_matlab(path: &Path, start: &[u8]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.ends_with(".mat") || name.ends_with(".mat.gz") || start.starts_with(b"MATLAB") || start.starts_with(HDF5)
}

fn check_header(bytes: &[u8]) -> Result<(), Fault> {
    let newer = || Fault::new("it is of version 7.3, which is HDF5", "save it with `save(..., '-v7')`");
    if bytes.starts_with(HDF5) || bytes.starts_with(b"MATLAB 7.3") || bytes.get(512..520) == Some(HDF5) {
        return Err(newer());
    }
    if bytes.len() >= 4 && bytes[..4].contains(&0) {
        let found = "one of its first four bytes is zero, as in files of version 4, which are not read";
        return Err(Fault::new(found, "version 5 (`save(..., '-v7')` or '-v6') is expected"));
    }
    let Some(&[low, high, a, b]) = bytes.get(124..).and_then(|end| end.first_chunk()) else {
        return Err(Fault::new(format!("its header needs {HEADER} bytes, but only {} are there", bytes.len()), ""));
    };
    if [a, b] != *b"IM" {
        let found = format!("the bytes 126 and 127 are {a:#04x} {b:#04x}");
        return Err(Fault::new(
            found,
            "a MATLAB file of version 5, saved on a little-endian machine, has \"IM\" there",
        ));
    }
    match u16::from_le_bytes([low, high]) {
        0x0100 => Ok(()),
        0x0200 => Err(newer()),
        other => Err(Fault::new(format!("its version is {other:#06x}"), "only 0x0100 (version 5) is read")),
    }
}

/// Looks through the elements for the array that is wanted.
fn find<'a>(bytes: &'a [u8], variable: Option<&str>) -> Result<Array<'a>, Fault> {
    let wanted = |name: &str| variable.map_or_else(|| NAMES.contains(&name), |variable| variable == name);
    let (mut at, mut seen, mut others, mut unnamed) = (HEADER, 0, Vec::new(), 0);
    while at < bytes.len() {
        seen += 1;
        if seen > MOST_ELEMENTS {
            return Err(Fault::new(
                format!("it has more than {MOST_ELEMENTS} elements"),
                "that many are looked through",
            ));
        }
        let (mut head, place) = (&bytes[at..], "the file".to_owned());
        let mut reader = Element { source: &mut head, place };
        let tag = reader.tag("the tag of an element")?;
        let rest = &bytes[at + 8..];
        if tag.bytes > rest.len() as u64 {
            return Err(reader.truncated("an element", tag.bytes, rest.len()));
        }
        let (data, place) = (&rest[..tag.bytes as usize], format!("the element at byte {at}"));
        let array = match tag.kind {
            MATRIX if !data.is_empty() => Some(Array::begin(Element { source: Box::new(data), place })?),
            COMPRESSED => {
                let mut element = Element { source: Box::new(ZlibDecoder::new(data)) as Box<dyn Read>, place };
                let tag = element.tag("its first tag")?;
                if tag.kind != MATRIX {
                    return Err(element.unexpected("the content", tag, "an array (14)"));
                }
                Some(Array::begin(element)?)
            }
            _ => None,
        };
        match array {
            Some(array) if wanted(&array.name) => return Ok(array),
            // The data of objects are kept in an array without a name.
            Some(array) if !array.name.is_empty() && others.len() < MOST_LISTED => others.push(array.describe()),
            Some(_) => unnamed += 1,
            None => {}
        }
        // Compressed elements are not padded.
        let padding = if tag.kind == COMPRESSED { 0 } else { tag.bytes.wrapping_neg() % 8 };
        at += 8 + (tag.bytes + padding) as usize;
    }
    let accepted = if others.is_empty() {
        "it has no arrays at all".to_owned()
    } else {
        if unnamed > 0 {
            others.push(format!("{unnamed} more"));
        }
        format!("it has {}. Name one with `data.variable` in a configuration, or with --variable", others.join(", "))
    };
    let wanted = variable.map_or_else(|| NAMES.join(" or "), str::to_owned);
    Err(Fault::new(format!("it has no array named {wanted}"), accepted).asked())
}

/// Type and size of a data element; a small one has its data inside the tag.
#[derive(Clone, Copy)]
struct Tag {
    kind: u32,
    bytes: u64,
    small: Option<[u8; 4]>,
}

/// An element of the file, plain or as it is decompressed.
struct Element<R> {
    source: R,
    /// What messages call it: "the element at byte 128".
    place: String,
}

impl<R: Read> Element<R> {
    /// Exactly `count` bytes; the buffer grows only as bytes arrive.
    fn exactly(&mut self, part: &str, count: u64) -> Result<Vec<u8>, Fault> {
        let bytes = self.up_to(count)?;
        match bytes.len() as u64 == count {
            true => Ok(bytes),
            false => Err(self.truncated(part, count, bytes.len())),
        }
    }

    fn up_to(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let read = self.source.by_ref().take(count).read_to_end(&mut bytes);
        read.map_err(|error| Fault::new(format!("the compressed part of {} is damaged: {error}", self.place), ""))?;
        Ok(bytes)
    }

    fn tag(&mut self, part: &str) -> Result<Tag, Fault> {
        let bytes = self.exactly(part, 8)?;
        let (first, rest) = (LittleEndian::read_u32(&bytes), [bytes[4], bytes[5], bytes[6], bytes[7]]);
        // A first word with something in its upper half is a small element's: its size and its type.
        Ok(match first >> 16 {
            0 => Tag { kind: first, bytes: u64::from(u32::from_le_bytes(rest)), small: None },
            count => Tag { kind: first & 0xffff, bytes: u64::from(count), small: Some(rest) },
        })
    }

    /// Type and data of the next element, which must be of one of these types and have at most `most` bytes.
    fn part(&mut self, part: &str, kinds: &[u32], most: u64, expected: &str) -> Result<(u32, Vec<u8>), Fault> {
        let tag = self.tag_of(part, kinds, most, expected)?;
        Ok((tag.kind, self.data(part, tag)?))
    }

    /// The tag of such an element.
    fn tag_of(&mut self, part: &str, kinds: &[u32], most: u64, expected: &str) -> Result<Tag, Fault> {
        let tag = self.tag(part)?;
        let most = if tag.small.is_some() { most.min(4) } else { most };
        match kinds.contains(&tag.kind) && tag.bytes <= most {
            true => Ok(tag),
            false => Err(self.unexpected(part, tag, expected)),
        }
    }

    /// The data behind a tag.
    fn data(&mut self, part: &str, tag: Tag) -> Result<Vec<u8>, Fault> {
        if let Some(bytes) = tag.small {
            return Ok(bytes[..tag.bytes as usize].to_vec());
        }
        let data = self.exactly(part, tag.bytes)?;
        self.up_to(tag.bytes.wrapping_neg() % 8)?;
        Ok(data)
    }

    fn truncated(&self, part: &str, needed: u64, found: usize) -> Fault {
        let place = &self.place;
        Fault::new(format!("{place} ends inside {part}: {needed} bytes are promised, and {found} are there"), "")
    }

    fn unexpected(&self, part: &str, tag: Tag, expected: &str) -> Fault {
        let found = format!("{part} of {} has type {} and {} bytes", self.place, tag.kind, tag.bytes);
        Fault::new(found, format!("{expected} is expected"))
    }
}

/// An array up to its values, which come next in the element.
struct Array<'a> {
    element: Element<Box<dyn Read + 'a>>,
    class: u8,
    is_complex: bool,
    is_logical: bool,
    dims: Vec<u32>,
    name: String,
}

impl<'a> Array<'a> {
    fn begin(mut element: Element<Box<dyn Read + 'a>>) -> Result<Array<'a>, Fault> {
        let (_, flags) = element.part("the array flags", &[UINT32], 8, "8 bytes of uint32 (6)")?;
        let flags = flags.first_chunk::<4>().map_or(0, |flags| u32::from_le_bytes(*flags));
        let mut array = Array {
            element,
            class: flags as u8,
            is_complex: flags & 0x800 != 0,
            is_logical: flags & 0x200 != 0,
            dims: Vec::new(),
            name: String::new(),
        };
        // An object has its name where the dimensions of the others are.
        if array.class != OBJECT {
            let (_, dims) = array.element.part("the dimensions", &[INT32], 128, "at most 32 numbers of int32 (5)")?;
            array.dims = dims.chunks_exact(4).map(LittleEndian::read_u32).collect();
        }
        let (_, name) = array.element.part("the name", &[INT8, UINT8, UTF8], 1024, "text of at most 1024 bytes")?;
        array.name = String::from_utf8_lossy(&name).into_owned();
        Ok(array)
    }

    fn kind(&self) -> &'static str {
        let known = CLASSES.split('|').nth(self.class.into());
        match known.unwrap_or("of an unknown class") {
            _ if self.is_complex => "complex",
            _ if self.is_logical => "logical",
            class => class,
        }
    }

    /// As "X (double, 560×1965)".
    fn describe(&self) -> String {
        let dims = if self.dims.is_empty() { String::new() } else { format!(", {}", times(&self.dims, "×")) };
        format!("{} ({}{dims})", self.name, self.kind())
    }

    /// Height and width of an image.
    fn shape(&self) -> Result<(usize, usize), Fault> {
        if !matches!(self.kind(), "uint8" | "double") {
            let found = format!("the array {} is {}", self.name, self.kind());
            return Err(Fault::new(found, "a full array of class uint8 or double is expected"));
        }
        let side = self.dims.first().map_or(0, |rows| rows.isqrt());
        match self.dims[..] {
            [560, count] if count > 0 => return Ok((28, 20)),
            [rows, count] if rows > 0 && count > 0 && side * side == rows => return Ok((side as usize, side as usize)),
            _ => {}
        }
        let accepted = "expected are [pixels × images] with 560 (28×20) or a square number of rows, a column being an image \
                        row by row";
        Err(Fault::new(format!("the array {} is {}", self.name, times(&self.dims, "×")), accepted))
    }

    /// The values as greys, one image after the other.
    fn greys(&mut self) -> Result<Vec<u8>, Fault> {
        let dims = times(&self.dims, "×");
        let count = u128::from(self.dims[0]) * u128::from(self.dims[1]);
        // A double array of small whole numbers is stored as bytes.
        let (kinds, expected) = match self.kind() {
            "double" => (&[UINT8, DOUBLE][..], "uint8 (2) or double (9) of at most 1 GiB"),
            _ => (&[UINT8][..], "uint8 (2) of at most 1 GiB"),
        };
        let tag = self.element.tag_of("the values", kinds, LIMIT, expected)?;
        let (promised, stored) = (count * if tag.kind == DOUBLE { 8 } else { 1 }, tag.bytes);
        if promised != u128::from(stored) {
            let name = &self.name;
            let found =
                format!("the dimensions {dims} of {name} promise {promised} bytes of values, but {stored} are stored");
            return Err(Fault::new(found, ""));
        }
        let values = self.element.data("the values", tag)?;
        // What follows can only be padding; looking for its end lets the checksum of a compressed element be compared.
        if self.element.up_to(8)?.len() == 8 {
            return Err(Fault::new(format!("the array {} is followed by more than its values", self.name), ""));
        }
        if self.kind() == "uint8" {
            return Ok(values);
        }
        let number = |at: usize| match tag.kind {
            DOUBLE => LittleEndian::read_f64(&values[8 * at..]),
            _ => f64::from(values[at]),
        };
        let numbers = || (0..count as usize).map(number);
        if let Some(at) = numbers().position(|value| !(0.0..=255.0).contains(&value)) {
            let (row, column) = (at as u64 % u64::from(self.dims[0]) + 1, at as u64 / u64::from(self.dims[0]) + 1);
            let found = format!("{}({row}, {column}) is {}", self.name, number(at));
            return Err(Fault::new(found, "pixels are numbers from 0 to 255, or all of them from 0 to 1"));
        }
        let white = if numbers().all(|value| value <= 1.0) { 255.0 } else { 1.0 };
        Ok(numbers().map(|value| (value * white).round() as u8).collect())
    }
}
