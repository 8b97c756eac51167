//! IDX, the format of MNIST and Fashion-MNIST, plain or gzip.
//!
//! All numbers are big-endian. Two zero bytes, the element type (0x08: unsigned bytes), the rank, one `u32` for each
//! dimension, then the values in row-major order and nothing after them. Images have rank 3 `[n, height, width]`,
//! labels rank 1 `[n]`.

use std::path::Path;

use byteorder::{BigEndian, ByteOrder, WriteBytesExt};

use super::error::{DataError, IdxFault};
use super::payload::Payload;
use crate::files::write_whole;

/// The most values a file may hold. Fashion-MNIST's largest file has 47,040,000.
pub const LIMIT: u64 = 1 << 30;

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
    /// Values `[count, height * width]`, row-major.
    pub pixels: Vec<u8>,
}

/// Reads a file of images. Refused: a wrong header, sides of 0 pixels, a body that is not exactly what the header
/// promises, more than [`LIMIT`] values, damaged gzip.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    let (dims, pixels) = read(&mut Payload::open(path)?, 3, "images")?;
    let [count, height, width] = [dims[0], dims[1], dims[2]];
    if height == 0 || width == 0 {
        return Err(DataError::Idx { path: path.to_path_buf(), fault: IdxFault::EmptyImage { height, width } });
    }
    Ok(Images { count: count as usize, height: height as usize, width: width as usize, pixels })
}

/// Reads a file of labels `[n]`. Refused: a wrong header, a body that is not exactly what the header promises, more
/// than [`LIMIT`] values, damaged gzip.
pub fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    read(&mut Payload::open(path)?, 1, "labels").map(|(_, labels)| labels)
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

fn read(payload: &mut Payload, rank: u8, holds: &'static str) -> Result<(Vec<u32>, Vec<u8>), DataError> {
    let path = payload.path().to_path_buf();
    let refuse = |fault| Err(DataError::Idx { path: path.clone(), fault });

    let mut header = Vec::with_capacity(header_bytes(rank));
    payload.read_up_to(4, &mut header)?;
    if header.len() < 4 {
        return refuse(IdxFault::ShortHeader { needed: header_bytes(rank), found: header.len() });
    }
    if header[..2] != [0, 0] {
        return refuse(IdxFault::Magic { found: [header[0], header[1]] });
    }
    if header[2] != UNSIGNED_BYTES {
        return refuse(IdxFault::ElementType { found: header[2] });
    }
    if header[3] != rank {
        return refuse(IdxFault::Rank { found: header[3], expected: rank, holds });
    }
    payload.read_up_to(4 * u64::from(rank), &mut header)?;
    if header.len() < header_bytes(rank) {
        return refuse(IdxFault::ShortHeader { needed: header_bytes(rank), found: header.len() });
    }
    let dims: Vec<u32> = header[4..].chunks_exact(4).map(BigEndian::read_u32).collect();

    // Three u32 can overflow a u64. A factor of 0 makes the product 0, whatever the others are.
    let product = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(u64::from(dim)));
    let expected = match product {
        _ if dims.contains(&0) => 0,
        Some(product) if product <= LIMIT => product,
        _ => return refuse(IdxFault::TooLarge { dims, limit: LIMIT }),
    };
    // A plain file's size is known: refused before a byte of it is kept.
    if let Some(size) = payload.size() {
        let found = size.saturating_sub(header.len() as u64);
        if found < expected {
            return refuse(IdxFault::ShortBody { dims, expected, found });
        }
        if found > expected {
            return refuse(IdxFault::LongBody { dims, expected });
        }
    }
    let mut values = Vec::new();
    // One byte more than promised: it must not be there, and asking for it makes gzip check its CRC.
    let found = payload.read_up_to(expected + 1, &mut values)? as u64;
    if found < expected {
        return refuse(IdxFault::ShortBody { dims, expected, found });
    }
    if found > expected {
        return refuse(IdxFault::LongBody { dims, expected });
    }
    values.shrink_to_fit();
    Ok((dims, values))
}

fn write(path: &Path, dims: &[usize], values: &[u8]) -> Result<(), DataError> {
    let mut bytes = Vec::with_capacity(4 + 4 * dims.len() + values.len());
    bytes.extend([0, 0, UNSIGNED_BYTES, dims.len() as u8]);
    for &dim in dims {
        let dim = u32::try_from(dim).expect("a dimension of an IDX file fits u32");
        bytes.write_u32::<BigEndian>(dim).expect("a vector takes every write");
    }
    bytes.extend_from_slice(values);
    Ok(write_whole(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::fs;
    use std::io::Write;

    fn idx(dims: &[u32], body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, dims.len() as u8];
        bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
        bytes.extend(body);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images_of(bytes: &[u8]) -> Result<Images, String> {
        let folder = tempfile::tempdir().unwrap();
        // The name claims nothing about the content.
        let path = folder.path().join("images.gz");
        fs::write(&path, bytes).unwrap();
        read_images(&path).map_err(|error| {
            let sentence = error.to_string();
            assert!(sentence.contains(path.to_str().unwrap()), "no path in: {sentence}");
            sentence
        })
    }

    fn refused(bytes: &[u8], because: &str) {
        let sentence = images_of(bytes).unwrap_err();
        assert!(sentence.contains(because), "{because:?} is not in {sentence:?}");
    }

    #[test]
    fn plain_and_gzip_read_the_same_whatever_the_name() {
        let bytes = idx(&[2, 2, 3], &(0..12).collect::<Vec<u8>>());
        let images = images_of(&bytes).unwrap();
        assert_eq!((images.count, images.height, images.width), (2, 2, 3));
        assert_eq!(images.pixels, (0..12).collect::<Vec<u8>>());
        assert_eq!(images_of(&gzip(&bytes)).unwrap(), images);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
        write_images(&images, 1, 2, &[9, 8, 7, 6]).unwrap();
        write_labels(&labels, &[3, 1]).unwrap();
        assert_eq!(read_images(&images).unwrap(), Images { count: 2, height: 1, width: 2, pixels: vec![9, 8, 7, 6] });
        assert_eq!(read_labels(&labels).unwrap(), [3, 1]);
    }

    #[test]
    fn each_broken_header_field_has_its_sentence() {
        refused(b"", "needs 16 bytes, but only 0 are there");
        refused(&[0, 0, 8, 3, 0, 0], "needs 16 bytes, but only 6 are there");
        refused(b"PK\x03\x04 and so on", "starts with the bytes 0x50 0x4b");
        refused(&[0, 0, 0x0d, 3, 0, 0, 0, 0], "element type is 0x0d");
        refused(&idx(&[4], &[1, 2, 3, 4]), "1 dimension(s), but a file of images has 3");
        refused(&idx(&[1, 0, 28], &[]), "0×28 pixels");
    }

    #[test]
    fn a_body_that_is_not_what_the_header_promises_is_refused_plain_and_compressed() {
        let short = idx(&[2, 2, 2], &[0; 7]);
        let long = idx(&[2, 2, 2], &[0; 9]);
        for bytes in [short.clone(), gzip(&short)] {
            refused(&bytes, "promises 2 × 2 × 2 = 8 values, but only 7 bytes follow");
        }
        for bytes in [long.clone(), gzip(&long)] {
            refused(&bytes, "promises 2 × 2 × 2 = 8 values, but more bytes follow");
        }
    }

    #[test]
    fn a_header_that_promises_gigabytes_is_refused_without_allocating_them() {
        for dims in [[1 << 26, 8, 8], [u32::MAX; 3]] {
            for bytes in [idx(&dims, &[0; 100]), gzip(&idx(&dims, &[0; 100]))] {
                refused(&bytes, "more than the 1073741824 bytes (1 GiB)");
            }
        }
        // Within the limit, but not within the file. The reader's own buffers stay near what the file holds.
        refused(&gzip(&idx(&[1 << 14, 1 << 8, 1 << 8], &[0; 100])), "= 1073741824 values, but only 100 bytes follow");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        fs::write(&path, gzip(&idx(&[1 << 14, 1 << 8, 1 << 8], &[0; 100]))).unwrap();
        let mut payload = Payload::open(&path).unwrap();
        let mut kept = Vec::new();
        payload.read_up_to(LIMIT, &mut kept).unwrap();
        assert!(kept.capacity() < 4096, "{} bytes allocated for 116", kept.capacity());
    }

    #[test]
    fn damaged_gzip_is_told_from_truncated_gzip() {
        let whole = gzip(&idx(&[2, 2, 2], &[5, 4, 3, 2, 1, 0, 1, 2]));
        for kept in [5, 12, whole.len() - 9, whole.len() - 1] {
            refused(&whole[..kept], "gzip stream is truncated");
        }
        let mut wrong_crc = whole.clone();
        let at = wrong_crc.len() - 8;
        wrong_crc[at] ^= 1;
        refused(&wrong_crc, "cannot decompress");
        let mut followed = whole.clone();
        followed.extend(b"more");
        refused(&followed, "cannot decompress");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = images_of(&bytes);
        }

        #[test]
        fn no_bytes_after_a_good_start_make_the_reader_panic(
            rank in 0u8..5, rest in proptest::collection::vec(0u8..4, 0..60), compressed: bool, cut in 0usize..80
        ) {
            let mut bytes = vec![0, 0, 8, rank];
            bytes.extend(rest);
            let bytes = if compressed { gzip(&bytes) } else { bytes };
            let kept = &bytes[..cut.min(bytes.len())];
            if let Ok(images) = images_of(kept) {
                prop_assert_eq!(images.pixels.len(), images.count * images.height * images.width);
            }
        }
    }
}
