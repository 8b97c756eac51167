//! Tags, data and headers of arrays, from bytes that promise nothing.

use std::io::{self, Read};

use flate2::bufread::ZlibDecoder;

use super::fault::MatFault;
use super::{LIMIT, times};

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// Types of data elements ("MAT-File Level 5 File Format", table 1-1).
pub(super) const MI_INT8: u32 = 1;
pub(super) const MI_UINT8: u32 = 2;
pub(super) const MI_INT32: u32 = 5;
pub(super) const MI_UINT32: u32 = 6;
pub(super) const MI_MATRIX: u32 = 14;
pub(super) const MI_COMPRESSED: u32 = 15;
const MI_UTF8: u32 = 16;

/// The longest name that is read; MATLAB's own have at most 63 letters.
const LONGEST_NAME: u64 = 1024;

/// Dimensions that an array may have.
const MOST_DIMS: u64 = 32;

/// Type and size of a data element; a small one has its data inside the tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub(super) kind: u32,
    pub(super) bytes: u64,
    small: Option<[u8; 4]>,
}

impl Tag {
    /// Reads the eight bytes of a tag. One whose first word has something in its upper half is small.
    pub(super) fn parse(order: Order, bytes: [u8; 8]) -> Tag {
        let [a, b, c, d, e, f, g, h] = bytes;
        let (first, rest) = (order.u32([a, b, c, d]), [e, f, g, h]);
        match first >> 16 {
            0 => Tag { kind: first, bytes: u64::from(order.u32(rest)), small: None },
            count => Tag { kind: first & 0xffff, bytes: u64::from(count), small: Some(rest) },
        }
    }
}

/// The bytes of one array's element, plain or as they are decompressed: no more of them than its tag states.
pub(super) struct Body<'a> {
    source: Source<'a>,
    order: Order,
    /// Where the element begins in the file.
    pub(super) at: usize,
    /// Bytes of the array's element that are not read yet.
    left: u64,
}

enum Source<'a> {
    Plain(&'a [u8]),
    Zlib(ZlibDecoder<&'a [u8]>),
}

impl<'a> Body<'a> {
    /// The body of a plain array.
    pub(super) fn plain(bytes: &'a [u8], order: Order, at: usize) -> Body<'a> {
        Body { source: Source::Plain(bytes), order, at, left: bytes.len() as u64 }
    }

    /// The array inside a compressed element.
    pub(super) fn compressed(bytes: &'a [u8], order: Order, at: usize) -> Result<Body<'a>, MatFault> {
        let mut body = Body { source: Source::Zlib(ZlibDecoder::new(bytes)), order, at, left: 8 };
        let tag = body.tag("its first tag")?;
        if tag.kind != MI_MATRIX || tag.small.is_some() {
            return Err(body.unexpected("the content", tag.kind, tag.bytes, "an array (14)"));
        }
        body.left = tag.bytes;
        Ok(body)
    }

    /// Up to `count` bytes; the buffer grows only as bytes arrive.
    fn up_to(&mut self, count: u64) -> Result<Vec<u8>, MatFault> {
        let mut out = Vec::new();
        let limit = count.min(self.left);
        match &mut self.source {
            Source::Plain(bytes) => {
                let (taken, rest) = bytes.split_at(limit.min(bytes.len() as u64) as usize);
                out.extend_from_slice(taken);
                *bytes = rest;
            }
            Source::Zlib(decoder) => {
                let damaged = |error: io::Error| MatFault::Damaged { at: self.at, detail: error.to_string() };
                decoder.take(limit).read_to_end(&mut out).map_err(damaged)?;
            }
        }
        self.left -= out.len() as u64;
        Ok(out)
    }

    fn exactly(&mut self, part: &'static str, count: u64) -> Result<Vec<u8>, MatFault> {
        let bytes = self.up_to(count)?;
        let found = bytes.len() as u64;
        if found < count {
            let what = format!("the element at byte {}", self.at);
            return Err(MatFault::Truncated { what, part, needed: count, found });
        }
        Ok(bytes)
    }

    pub(super) fn tag(&mut self, part: &'static str) -> Result<Tag, MatFault> {
        let bytes = self.exactly(part, 8)?;
        Ok(Tag::parse(self.order, bytes.try_into().expect("eight bytes were read")))
    }

    /// The data that belong to `tag`, and the padding to a multiple of eight bytes behind them, where it is there.
    pub(super) fn data(&mut self, part: &'static str, tag: Tag) -> Result<Vec<u8>, MatFault> {
        match tag.small {
            Some(bytes) if tag.bytes <= 4 => Ok(bytes[..tag.bytes as usize].to_vec()),
            Some(_) => Err(self.unexpected(part, tag.kind, tag.bytes, "a small element of at most 4 bytes")),
            None => {
                let data = self.exactly(part, tag.bytes)?;
                self.up_to(tag.bytes.wrapping_neg() % 8)?;
                Ok(data)
            }
        }
    }

    /// The data of the next element, which must be of one of these types and have at most `most` bytes.
    fn part(
        &mut self,
        part: &'static str,
        kinds: &[u32],
        most: u64,
        expected: &'static str,
    ) -> Result<Vec<u8>, MatFault> {
        let tag = self.tag(part)?;
        if !kinds.contains(&tag.kind) || tag.bytes > most {
            return Err(self.unexpected(part, tag.kind, tag.bytes, expected));
        }
        self.data(part, tag)
    }

    fn unexpected(&self, part: &'static str, kind: u32, bytes: u64, expected: &'static str) -> MatFault {
        MatFault::Part { at: self.at, part, kind, bytes, expected }
    }

    /// Everything of an array up to its values.
    pub(super) fn header(&mut self) -> Result<ArrayHeader, MatFault> {
        let expected = "8 bytes of uint32 (6)";
        let flags = self.part("the array flags", &[MI_UINT32], 8, expected)?;
        let flags = match flags[..] {
            [a, b, c, d, _, _, _, _] => self.order.u32([a, b, c, d]),
            _ => return Err(self.unexpected("the array flags", MI_UINT32, flags.len() as u64, expected)),
        };
        let mut header = ArrayHeader { flags, dims: Vec::new(), name: String::new() };
        // An opaque object has its name where the dimensions of the others are.
        if header.class() != CLASS_OPAQUE {
            let expected = "2 to 32 dimensions of int32 (5), none of them negative";
            let dims = self.part("the dimensions", &[MI_INT32, MI_UINT32], 4 * MOST_DIMS, expected)?;
            let refused = || self.unexpected("the dimensions", MI_INT32, dims.len() as u64, expected);
            let read = dims.chunks(4).map(|dim| Some(self.order.u32(dim.try_into().ok()?)));
            let read: Option<Vec<u32>> = read.map(|dim| dim.filter(|&dim| dim <= i32::MAX as u32)).collect();
            header.dims = read.filter(|dims| dims.len() >= 2).ok_or_else(refused)?;
        }
        let name = self.part("the name", &[MI_INT8, MI_UINT8, MI_UTF8], LONGEST_NAME, "text of at most 1024 bytes")?;
        header.name = String::from_utf8_lossy(&name).into_owned();
        Ok(header)
    }

    /// Refuses anything behind the values but padding, and lets the checksum of a compressed element be compared.
    pub(super) fn end(mut self, name: &str) -> Result<(), MatFault> {
        let more = self.up_to(8)?;
        self.left = 1;
        let beyond = if more.len() < 8 { self.up_to(1)? } else { Vec::new() };
        if more.len() == 8 || !beyond.is_empty() {
            let what = "followed by more than its values".to_owned();
            return Err(MatFault::NotNumeric { name: name.to_owned(), what });
        }
        Ok(())
    }
}

pub(super) const CLASS_OPAQUE: u8 = 17;
const COMPLEX: u32 = 0x800;
const LOGICAL: u32 = 0x200;

/// What stands before the values of an array.
#[derive(Clone, Debug)]
pub(super) struct ArrayHeader {
    flags: u32,
    pub(super) dims: Vec<u32>,
    pub(super) name: String,
}

impl ArrayHeader {
    /// Class number (table 1-3).
    pub(super) fn class(&self) -> u8 {
        self.flags as u8
    }

    pub(super) fn is_logical(&self) -> bool {
        self.flags & LOGICAL != 0
    }

    /// How many values there are; refuses more than [`LIMIT`].
    pub(super) fn count(&self) -> Result<u64, MatFault> {
        let product = self.dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(u64::from(dim)));
        match product {
            _ if self.dims.contains(&0) => Ok(0),
            Some(count) if count <= LIMIT => Ok(count),
            _ => Err(MatFault::TooLarge { what: format!("the array {} of {}", self.name, times(&self.dims)) }),
        }
    }

    /// The numeric class, or what the array is instead.
    pub(super) fn numeric(&self) -> Result<Class, &'static str> {
        let class = match self.class() {
            1 => return Err("a cell array"),
            2 => return Err("a struct"),
            3 => return Err("an object"),
            4 => return Err("text"),
            5 => return Err("sparse"),
            6 => Class { name: "double", bytes: 8, is_integer: false },
            7 => Class { name: "single", bytes: 4, is_integer: false },
            8 => Class { name: "int8", bytes: 1, is_integer: true },
            9 if self.is_logical() => Class { name: "logical", bytes: 1, is_integer: true },
            9 => Class { name: "uint8", bytes: 1, is_integer: true },
            10 => Class { name: "int16", bytes: 2, is_integer: true },
            11 => Class { name: "uint16", bytes: 2, is_integer: true },
            12 => Class { name: "int32", bytes: 4, is_integer: true },
            13 => Class { name: "uint32", bytes: 4, is_integer: true },
            14 => Class { name: "int64", bytes: 8, is_integer: true },
            15 => Class { name: "uint64", bytes: 8, is_integer: true },
            16 => return Err("a function"),
            CLASS_OPAQUE => return Err("an object"),
            _ => return Err("of an unknown class"),
        };
        if self.flags & COMPLEX != 0 { Err("complex") } else { Ok(class) }
    }

    /// As "X (double, 560×1965)".
    pub(super) fn describe(&self) -> String {
        let class = self.numeric().map_or_else(|what| what, |class| class.name);
        let dims = if self.dims.is_empty() { String::new() } else { format!(", {}", times(&self.dims)) };
        format!("{} ({class}{dims})", self.name)
    }
}

/// A class of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
    pub(super) is_integer: bool,
}
