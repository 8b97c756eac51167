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
    /// Values `[count, height * width]`, row-major.
    pub pixels: Vec<u8>,
}

/// Reads a file of images. Refused: a wrong header, sides of 0 pixels, a body that is not exactly what the header
/// promises, more than [`LIMIT`](super::payload::LIMIT) values, damaged gzip.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    let (dims, pixels) = read(path, 3, "images")?;
    Ok(Images { count: dims[0], height: dims[1], width: dims[2], pixels })
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
        refused(&idx(&[4], &[1, 2, 3, 4]), "1 dimension(s); a file of images has 3");
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
                refused(&bytes, "values; at most 1073741824 bytes (1 GiB) are accepted");
            }
        }
        // Within the limit, but not within the file. The reader's own buffers stay near what the file holds.
        refused(&gzip(&idx(&[1 << 14, 1 << 8, 1 << 8], &[0; 100])), "= 1073741824 values, but only 100 bytes follow");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        fs::write(&path, gzip(&idx(&[1 << 14, 1 << 8, 1 << 8], &[0; 100]))).unwrap();
        let mut payload = Payload::open(&path, "IDX").unwrap();
        let mut kept = Vec::new();
        payload.read_up_to(1 << 30, &mut kept).unwrap();
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
        refused(&wrong_crc, "its gzip stream is damaged");
        let mut followed = whole.clone();
        followed.extend(b"more");
        refused(&followed, "gzip stream");
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
