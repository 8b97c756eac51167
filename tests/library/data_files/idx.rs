//! IDX files, plain and gzip.

use std::fs;

use narrows::data::idx::{Images, read_images, read_labels, write_images, write_labels};
use proptest::prelude::*;

use crate::support::{gzip, idx};

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
    assert_eq!(
        read_images(&images).unwrap(),
        Images { count: 2, height: 1, width: 2, channels: 1, pixels: vec![9, 8, 7, 6] }
    );
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
