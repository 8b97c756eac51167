//! MATLAB files: what `save` and others write is read, and any bytes at all get an answer.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use narrows::data::matlab::{images_of, read_images};
use narrows::data::payload::LIMIT;
use narrows::data::{Catalog, load, load_path, locate, split};
use proptest::prelude::*;

fn header() -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file, by a test".to_vec();
    bytes.resize(124, b' ');
    bytes.extend(*b"\x00\x01IM");
    bytes
}

fn word(value: u32) -> [u8; 4] {
    value.to_le_bytes()
}

fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [word(kind), word(data.len() as u32)].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// An element, inside its tag if it fits.
fn small(kind: u32, data: &[u8]) -> Vec<u8> {
    if data.is_empty() || data.len() > 4 {
        return element(kind, data);
    }
    let mut bytes = word((data.len() as u32) << 16 | kind).to_vec();
    bytes.extend(data);
    bytes.resize(8, 0);
    bytes
}

/// An array whose flags, type and values are given.
fn array(flags: u32, dims: &[u32], name: &str, kind: u32, values: &[u8]) -> Vec<u8> {
    let dims = element(5, &dims.iter().flat_map(|&dim| word(dim)).collect::<Vec<u8>>());
    let flags = element(6, &[word(flags), [0; 4]].concat());
    element(14, &[flags, dims, small(1, name.as_bytes()), small(kind, values)].concat())
}

fn compressed(element: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(element).unwrap();
    let data = encoder.finish().unwrap();
    [&word(15)[..], &word(data.len() as u32), &data].concat()
}

fn file(elements: &[Vec<u8>]) -> Vec<u8> {
    [header(), elements.concat()].concat()
}

const DOUBLE: u32 = 6;
const UINT8: u32 = 9;

fn refused(bytes: &[u8], variable: Option<&str>, because: &str) {
    let sentence = images_of(bytes, variable).expect_err(because).to_string();
    assert!(sentence.contains(because), "{because:?} is not in {sentence:?}");
}

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn what_scipy_writes_is_read_plain_and_compressed_as_greys_and_as_shares() {
    // tests/golden/matlab.py: [9, 4], element k in row-major order is 7·k mod 251; the columns are the images.
    let expected: Vec<u8> =
        (0..4).flat_map(|image| (0..9).map(move |pixel| ((4 * pixel + image) * 7 % 251) as u8)).collect();
    for name in ["plain.mat", "compressed.mat"] {
        let images = read_images(&golden(name), None).unwrap();
        assert_eq!((images.count, images.height, images.width), (4, 3, 3));
        assert_eq!(images.pixels, expected, "{name}");
        let (data, test) = load_path(&golden(name), None).unwrap();
        assert_eq!((data.bytes().unwrap(), &data.labels, test), (&expected[..], &None, None));
    }
}

#[test]
fn what_is_no_array_of_greys_is_refused_by_name() {
    let refused = |variable: Option<&str>, because: &str| {
        let path = golden("strange.mat");
        let error = read_images(&path, variable).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains(because) && sentence.contains("strange.mat"), "{because:?} is not in {sentence:?}");
        assert_eq!(error.is_usage(), because.contains("no array named"), "{sentence}");
    };
    refused(Some("cells"), "the array cells is a cell array; a full array of class uint8 or double is expected");
    refused(Some("record"), "the array record is a struct");
    refused(Some("wave"), "the array wave is complex");
    refused(Some("thin"), "the array thin is sparse");
    refused(Some("stack"), "the array stack is int16");
    refused(Some("mask"), "the array mask is logical");
    refused(Some("cold"), "cold(1, 1) is -3; pixels are numbers from 0 to 255");
    refused(None, "it has no array named X or ff; it has cells (a cell array, 1×2), record (a struct, 1×1)");
    refused(Some("Stack"), "no array named Stack");
    refused(Some("Stack"), "no array named Stack; it has cells");
    let notes = read_images(&golden("plain.mat"), Some("notes")).unwrap_err().to_string();
    assert!(notes.contains("the array notes is text"), "{notes}");
    let all = read_images(&golden("strange.mat"), None).unwrap_err().to_string();
    assert!(all.contains("stack (int16, 2×3×4), mask (logical, 1×3), thin (sparse, 3×3), cold (double, 1×2)"), "{all}");
    assert!(all.contains("`data.variable`"), "{all}");
}

#[test]
fn doubles_are_read_from_doubles_and_from_bytes_as_greys_or_as_shares_of_white() {
    let doubles = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let of = |kind, values: &[u8]| images_of(&file(&[array(DOUBLE, &[1, 4], "X", kind, values)]), None);
    assert_eq!(of(9, &doubles(&[0.0, 1.0, 0.5, 0.001])).unwrap().pixels, [0, 255, 128, 0]);
    assert_eq!(of(9, &doubles(&[0.0, 1.0, 254.5, 12.4])).unwrap().pixels, [0, 1, 255, 12]);
    assert_eq!(of(2, &[0, 1, 254, 12]).unwrap().pixels, [0, 1, 254, 12]);
    assert_eq!(of(2, &[0, 1, 1, 0]).unwrap().pixels, [0, 255, 255, 0]);
    for (value, text) in [(f64::NAN, "NaN"), (-0.5, "-0.5"), (255.5, "255.5"), (f64::INFINITY, "inf")] {
        let sentence = of(9, &doubles(&[3.0, 2.0, value, 1.0])).unwrap_err().to_string();
        assert!(sentence.starts_with(&format!("X(1, 3) is {text}; pixels are numbers from 0 to 255")), "{sentence}");
    }
    assert!(of(3, &[0; 8]).unwrap_err().to_string().contains("has type 3 and 8 bytes; uint8 (2) or double (9)"));
    // One double where eight bytes are promised is not eight greys.
    let single = file(&[array(DOUBLE, &[1, 8], "X", 9, &doubles(&[1.0]))]);
    refused(&single, None, "promise 64 bytes of values, but 8 are stored");
}

#[test]
fn the_first_of_the_two_names_is_taken_and_others_are_passed_over() {
    let other = array(DOUBLE, &[1, 1], "a_longer_name", 2, &[9]);
    let ff = array(UINT8, &[1, 2], "ff", 2, &[5, 6]);
    let x = array(UINT8, &[1, 2], "X", 2, &[7, 8]);
    let file = file(&[compressed(&other), element(2, &[1, 2, 3]), ff, compressed(&x)]);
    assert_eq!(images_of(&file, None).unwrap().pixels, [5, 6]);
    assert_eq!(images_of(&file, Some("X")).unwrap().pixels, [7, 8]);
    // A single white pixel, since no value is above 1 but 9.
    assert_eq!(images_of(&file, Some("a_longer_name")).unwrap().pixels, [9]);
}

#[test]
fn files_of_other_versions_and_headers_that_are_none_say_what_is_expected() {
    let file = file(&[]);
    refused(b"", None, "its header needs 128 bytes, but only 0 are there");
    refused(&file[..127], None, "but only 127 are there");
    refused(&file, None, "it has no arrays at all");
    refused(b"\x89HDF\r\n\x1a\n and so on", None, "version 7.3, which is HDF5; save it with `save(..., '-v7')`");
    let with = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    refused(&with(0, b"MATLAB 7.3"), None, "HDF5");
    refused(&with(124, b"\x00\x02"), None, "HDF5");
    refused(&with(124, b"\x03\x01"), None, "its version is 0x0103");
    refused(&with(126, b"MM"), None, "the bytes 126 and 127 are 0x4d 0x4d");
    refused(&with(0, b"\x00\x00\x00\x00"), None, "version 4");
    let path = golden("matlab.py");
    let sentence = read_images(&path, None).unwrap_err().to_string();
    assert!(sentence.starts_with("cannot read ") && sentence.contains("matlab.py as a MATLAB file"), "{sentence}");
}

#[test]
fn promises_that_are_not_kept_are_refused() {
    let array_of = |dims: &[u32], values: &[u8]| file(&[array(UINT8, dims, "X", 2, values)]);
    refused(&array_of(&[4, 2], &[0; 7]), None, "the dimensions 4×2 of X promise 8 bytes of values, but 7 are stored");
    refused(&array_of(&[1 << 30, u32::MAX], &[0; 7]), None, "promise 4611686017353646080 bytes of values, but 7");
    refused(&array_of(&[u32::MAX, 2], &[0; 7]), None, "the array X is 4294967295×2; expected are");
    refused(&array_of(&[1; 33], &[0; 7]), None, "has type 5 and 132 bytes; at most 32 numbers of int32 (5)");
    refused(&array_of(&[7, 0], &[]), None, "the array X is 7×0");
    refused(&array_of(&[7, 1], &[0; 7]), None, "expected are [pixels × images] with 560 (28×20) or a square number");
    refused(&array_of(&[1, 1, 1, 1], &[0]), None, "the array X is 1×1×1×1");
    let whole = array_of(&[9, 2], &[1; 18]);
    assert!(images_of(&whole, None).is_ok());
    refused(&whole[..whole.len() - 1], None, "the file ends inside an element: ");
    refused(&whole[..130], None, "the file ends inside the tag of an element: 8 bytes are promised, and 2 are there");
    // Something after the values: an imaginary part that the flags do not mention.
    let mut long = array(UINT8, &[9, 2], "X", 2, &[1; 18]);
    long.extend(element(2, &[1; 18]));
    let size = (long.len() - 8) as u32;
    long[4..8].copy_from_slice(&size.to_le_bytes());
    refused(&file(&[long]), None, "followed by more than its values");
}

#[test]
fn a_damaged_or_exploding_stream_is_refused_without_being_kept() {
    let small_one = array(UINT8, &[9, 2], "X", 2, &[1; 18]);
    let whole = compressed(&small_one);
    assert!(images_of(&file(std::slice::from_ref(&whole)), None).is_ok());
    for at in 8..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        let file = file(&[damaged]);
        // A flipped bit of the padding or of the window size may leave the values as they are.
        if let Ok(images) = images_of(&file, None) {
            assert_eq!(images.pixels, [1; 18], "byte {at}");
        }
    }
    let mut checksum = whole.clone();
    *checksum.last_mut().unwrap() ^= 1;
    refused(&file(&[checksum]), None, "the compressed part of the element at byte 128 is damaged");

    // 200 MB of zeros in 200 kB, behind a header that promises 18 bytes.
    let mut bomb = small_one.clone();
    bomb[4..8].copy_from_slice(&(200_000_000u32).to_le_bytes());
    bomb.resize(200_000_000, 0);
    let mut bytes = file(&[compressed(&bomb)]);
    drop(bomb);
    assert!(bytes.len() < 300_000);
    refused(&bytes, None, "followed by more than its values");
    // Its second half is rubbish, which nobody gets to.
    let half = bytes.len() / 2;
    bytes[half..].fill(0xff);
    refused(&bytes, None, "followed by more than its values");

    // A header within the limit, and a body that is not there.
    let mut promise = array(UINT8, &[1 << 16, 1 << 14], "X", 2, &[0; 18]);
    let at = promise.len() - 24 - 4;
    promise[at..at + 4].copy_from_slice(&(LIMIT as u32).to_le_bytes());
    promise[4..8].copy_from_slice(&(LIMIT as u32 + 100).to_le_bytes());
    refused(&file(&[compressed(&promise)]), None, "1073741824 bytes are promised, and 24 are there");
    // A size of the values beside which the dimensions promise 18 bytes: nothing of them is read.
    let mut bomb = small_one;
    let at = bomb.len() - 24 - 4;
    bomb[at..at + 4].copy_from_slice(&(LIMIT as u32).to_le_bytes());
    refused(&file(&[compressed(&bomb)]), None, "9×2 of X promise 18 bytes of values, but 1073741824 are stored");
}

#[test]
fn more_elements_than_anyone_has_are_refused_in_little_time() {
    let empty = compressed(&array(UINT8, &[1, 1], "Y", 2, &[0]));
    let file = file(&vec![empty; 70_000]);
    refused(&file, None, "more than 65536 elements");
}

#[test]
fn frey_faces_are_read_whole_and_split_as_their_study_splits_them() {
    let Some(folder) = crate::support::real_data() else { return };
    let catalog = Catalog::builtin();
    let set = catalog.find("frey-face").unwrap();
    let folder = locate(&[folder], set).unwrap();
    let (faces, test) = load(&folder, set).unwrap();
    assert_eq!((faces.len(), faces.shape()), (1965, [28, 20, 1]));
    assert!(faces.labels.is_none() && faces.class_names.is_empty() && test.is_none());
    let (by_path, _) = load_path(&folder.join("freyface.mat"), Some("X")).unwrap();
    assert_eq!(by_path.digest(), faces.digest());
    // The pixel below is 20 pixels on; on average 18 greys apart, and 44 if rows had 28 pixels.
    let apart = |stride: usize| -> u64 {
        let of = |face: &[u8]| (stride..560).map(|k| u64::from(face[k].abs_diff(face[k - stride]))).sum::<u64>();
        faces.bytes().unwrap().chunks_exact(560).map(of).sum()
    };
    assert!(2 * apart(20) < apart(28), "{} {}", apart(20), apart(28));
    let parts = split(None, faces.len(), [1768, 0, 197], 1, 1).unwrap();
    assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (1768, 0, 197));
}

/// A file with one array, bent in a few places.
fn bent() -> impl Strategy<Value = Vec<u8>> {
    let values = proptest::collection::vec(any::<u8>(), 0..40);
    let dims = proptest::collection::vec(0u32..7, 1..4);
    let kind = prop_oneof![Just(2u32), Just(9), 0u32..20];
    let flags = prop_oneof![Just(9u32), Just(6), Just(0x209), 0u32..0x1000];
    let bends = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let parts = (flags, dims, kind, values, any::<bool>(), bends);
    parts.prop_map(|(flags, dims, kind, values, is_compressed, bends)| {
        let mut array = array(flags, &dims, "X", kind, &values);
        for (at, byte) in &bends {
            let at = at.index(array.len());
            array[at] = *byte;
        }
        file(&[if is_compressed { compressed(&array) } else { array }])
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = images_of(&bytes, None);
    }

    #[test]
    fn no_bytes_behind_a_good_header_make_the_reader_panic(
        rest in proptest::collection::vec(prop_oneof![0u8..20, any::<u8>()], 0..200),
    ) {
        let _ = images_of(&[header(), rest].concat(), None);
    }

    #[test]
    fn bent_and_cut_files_give_whole_images_or_a_sentence(file in bent(), cut in any::<prop::sample::Index>(), whole: bool) {
        let kept = if whole { &file[..] } else { &file[..cut.index(file.len())] };
        match images_of(kept, Some("X")) {
            Ok(images) => prop_assert_eq!(images.pixels.len(), images.count * images.height * images.width),
            Err(fault) => prop_assert!(!fault.to_string().is_empty()),
        }
    }
}
