//! MATLAB files: what `save` and others write is read, and any bytes at all get an answer.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use narrows::data::matlab::{LIMIT, images_of, read_images};
use narrows::data::{Catalog, load, load_path, locate, split};
use proptest::prelude::*;

/// Writes elements of one byte order.
#[derive(Clone, Copy)]
struct Writer {
    big: bool,
}

impl Writer {
    fn word(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn header(self) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file, by a test".to_vec();
        bytes.resize(124, b' ');
        bytes.extend(if self.big { *b"\x01\x00MI" } else { *b"\x00\x01IM" });
        bytes
    }

    fn element(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [self.word(kind), self.word(data.len() as u32)].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn small(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = self.word((data.len() as u32) << 16 | kind).to_vec();
        bytes.extend(data);
        bytes.resize(8, 0);
        bytes
    }

    /// An array whose flags, type and values are given, with its name in a small element if it fits one.
    fn array(self, flags: u32, dims: &[u32], name: &str, kind: u32, values: &[u8]) -> Vec<u8> {
        let mut body = self.element(6, &[self.word(flags), [0; 4]].concat());
        body.extend(self.element(5, &dims.iter().flat_map(|&dim| self.word(dim)).collect::<Vec<u8>>()));
        let fits = (1..=4).contains(&name.len());
        body.extend(if fits { self.small(1, name.as_bytes()) } else { self.element(1, name.as_bytes()) });
        let fits = (1..=4).contains(&values.len());
        body.extend(if fits { self.small(kind, values) } else { self.element(kind, values) });
        self.element(14, &body)
    }

    fn compressed(self, element: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(element).unwrap();
        let data = encoder.finish().unwrap();
        [&self.word(15)[..], &self.word(data.len() as u32), &data].concat()
    }

    fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
        [self.header(), elements.concat()].concat()
    }
}

const LITTLE: Writer = Writer { big: false };
const BOTH: [Writer; 2] = [LITTLE, Writer { big: true }];
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
fn a_stack_of_matrices_is_read_row_by_row() {
    let images = read_images(&golden("strange.mat"), Some("stack")).unwrap();
    assert_eq!((images.count, images.height, images.width), (4, 2, 3));
    // Element (r, c, k) is 12·r + 4·c + k.
    assert_eq!(images.pixels[6..12], [1, 5, 9, 13, 17, 21]);
}

#[test]
fn what_is_true_is_white() {
    let images = read_images(&golden("strange.mat"), Some("mask")).unwrap();
    assert_eq!((images.count, &images.pixels[..]), (3, &[255, 0, 255][..]));
}

#[test]
fn what_is_no_array_of_greys_is_refused_by_name() {
    let refused = |variable: Option<&str>, because: &str| {
        let path = golden("strange.mat");
        let sentence = read_images(&path, variable).unwrap_err().to_string();
        assert!(sentence.contains(because) && sentence.contains("strange.mat"), "{because:?} is not in {sentence:?}");
    };
    refused(Some("cells"), "the array cells is a cell array, but a full array of real numbers is expected");
    refused(Some("record"), "the array record is a struct");
    refused(Some("wave"), "the array wave is complex");
    refused(Some("thin"), "the array thin is sparse");
    refused(Some("cold"), "cold(1, 1) is -3, but pixels are numbers from 0 to 255, or all of them from 0 to 1");
    refused(None, "it has no array named X or ff; it has cells (a cell array, 1×2), record (a struct, 1×1)");
    refused(Some("Stack"), "no array named Stack");
    refused(Some("Stack"), "stack (int16, 2×3×4), mask (logical, 1×3), thin (sparse, 3×3), cold (double, 1×2)");
    refused(Some("Stack"), "`data.variable`");
    let notes = read_images(&golden("plain.mat"), Some("notes")).unwrap_err().to_string();
    assert!(notes.contains("the array notes is text"), "{notes}");
}

#[test]
fn every_class_is_read_from_every_type_that_is_no_wider_in_both_byte_orders() {
    // (class, type, bytes): single and double as floats, the others as integers.
    let classes = [(8, 1), (9, 1), (10, 2), (11, 2), (12, 4), (13, 4), (14, 8), (15, 8), (7, 4), (DOUBLE, 8)];
    let types = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (6, 4), (12, 8), (13, 8), (7, 4), (9, 8)];
    let greys = [3u8, 100, 0, 127];
    let mut read = 0;
    for writer in BOTH {
        for (class, class_bytes) in classes {
            for (kind, bytes) in types {
                let value = |grey: u8| -> Vec<u8> {
                    let mut value = match kind {
                        7 => f32::from(grey).to_le_bytes().to_vec(),
                        9 => f64::from(grey).to_le_bytes().to_vec(),
                        _ => u64::from(grey).to_le_bytes()[..bytes].to_vec(),
                    };
                    if writer.big {
                        value.reverse();
                    }
                    value
                };
                let values: Vec<u8> = greys.into_iter().flat_map(value).collect();
                let array = writer.array(class, &[4, 1], "X", kind, &values);
                let fits = bytes <= class_bytes && (class <= 7 || kind != 7 && kind != 9);
                for element in [array.clone(), writer.compressed(&array)] {
                    let file = writer.file(&[element]);
                    if fits {
                        assert_eq!(images_of(&file, None).unwrap().pixels, greys, "class {class}, type {kind}");
                        read += 1;
                    } else {
                        refused(&file, None, &format!("are stored as type {kind}, which an array of class"));
                    }
                }
            }
        }
    }
    // int8 and uint8 from 2 types each, 16 bits from 4, 32 from 6, 64 from 8, single from 7, double from 10.
    assert_eq!(read, 4 * (2 * (2 + 4 + 6 + 8) + 7 + 10));
}

#[test]
fn the_first_of_the_two_names_is_taken_and_others_are_passed_over() {
    for writer in BOTH {
        let other = writer.array(DOUBLE, &[1, 1], "a_longer_name", 2, &[9]);
        let ff = writer.array(UINT8, &[1, 2], "ff", 2, &[5, 6]);
        let x = writer.array(UINT8, &[1, 2], "X", 2, &[7, 8]);
        let file = writer.file(&[writer.compressed(&other), writer.element(2, &[1, 2, 3]), ff, writer.compressed(&x)]);
        assert_eq!(images_of(&file, None).unwrap().pixels, [5, 6]);
        assert_eq!(images_of(&file, Some("X")).unwrap().pixels, [7, 8]);
        assert_eq!(images_of(&file, Some("a_longer_name")).unwrap().pixels, [9]);
    }
}

#[test]
fn files_of_other_versions_and_headers_that_are_none_say_what_is_expected() {
    let file = LITTLE.file(&[]);
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
    let array = |dims: &[u32], values: &[u8]| LITTLE.file(&[LITTLE.array(UINT8, dims, "X", 2, values)]);
    refused(&array(&[4, 2], &[0; 7]), None, "the dimensions 4×2 of X promise 8 bytes of values, but 7 are stored");
    refused(&array(&[u32::MAX, 2], &[0; 7]), None, "2 to 32 dimensions of int32 (5), none of them negative");
    refused(&array(&[1 << 30, 2], &[0; 7]), None, "more than the 1073741824 bytes (1 GiB)");
    refused(&array(&[i32::MAX as u32; 32], &[0; 7]), None, "more than the 1073741824 bytes (1 GiB)");
    refused(&array(&[7, 0], &[]), None, "the array X is 7×0");
    refused(&array(&[7, 1], &[0; 7]), None, "expected are [pixels × images] with 560 (28×20) or a square number");
    refused(&array(&[1, 1, 1, 1], &[0]), None, "the array X is 1×1×1×1");
    let whole = array(&[9, 2], &[1; 18]);
    assert!(images_of(&whole, None).is_ok());
    refused(&whole[..whole.len() - 1], None, "the file ends inside an element: ");
    refused(&whole[..130], None, "the file ends inside the tag of an element: 8 bytes are promised, and 2 are there");
    // Something after the values: an imaginary part that the flags do not mention.
    let mut long = LITTLE.array(UINT8, &[9, 2], "X", 2, &[1; 18]);
    long.extend(LITTLE.element(2, &[1; 18]));
    let size = (long.len() - 8) as u32;
    long[4..8].copy_from_slice(&size.to_le_bytes());
    refused(&LITTLE.file(&[long]), None, "followed by more than its values");
}

#[test]
fn a_damaged_or_exploding_stream_is_refused_without_being_kept() {
    let array = LITTLE.array(UINT8, &[9, 2], "X", 2, &[1; 18]);
    let whole = LITTLE.compressed(&array);
    assert!(images_of(&LITTLE.file(std::slice::from_ref(&whole)), None).is_ok());
    for at in 8..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        let file = LITTLE.file(&[damaged]);
        // A flipped bit of the padding or of the window size may leave the values as they are.
        if let Ok(images) = images_of(&file, None) {
            assert_eq!(images.pixels, [1; 18], "byte {at}");
        }
    }
    let mut checksum = whole.clone();
    *checksum.last_mut().unwrap() ^= 1;
    refused(&LITTLE.file(&[checksum]), None, "the compressed element at byte 128 is damaged");

    // 200 MB of zeros in 200 kB, behind a header that promises 18 bytes.
    let mut bomb = array.clone();
    bomb[4..8].copy_from_slice(&(200_000_000u32).to_le_bytes());
    bomb.resize(200_000_000, 0);
    let mut file = LITTLE.file(&[LITTLE.compressed(&bomb)]);
    drop(bomb);
    assert!(file.len() < 300_000);
    refused(&file, None, "followed by more than its values");
    // Its second half is rubbish, which nobody gets to.
    let half = file.len() / 2;
    file[half..].fill(0xff);
    refused(&file, None, "followed by more than its values");

    // A header within the limit, and a body that is not there.
    let mut promise = LITTLE.array(UINT8, &[1 << 15, 1 << 15], "X", 2, &[0; 18]);
    let at = promise.len() - 24 - 4;
    promise[at..at + 4].copy_from_slice(&(LIMIT as u32).to_le_bytes());
    promise[4..8].copy_from_slice(&(LIMIT as u32 + 100).to_le_bytes());
    refused(&LITTLE.file(&[LITTLE.compressed(&promise)]), None, "1073741824 bytes are promised, and 24 are there");
}

#[test]
fn more_elements_than_anyone_has_are_refused_in_little_time() {
    let empty = LITTLE.compressed(&LITTLE.array(UINT8, &[1, 1], "Y", 2, &[0]));
    let file = LITTLE.file(&vec![empty; 70_000]);
    refused(&file, None, "more than the 65536 elements");
}

#[test]
fn frey_faces_are_read_whole_and_split_as_their_study_splits_them() {
    let Some(folder) = std::env::var_os("NARROWS_DATA_DIR").filter(|value| !value.is_empty()) else {
        assert!(std::env::var_os("CI").is_none(), "CI is set and NARROWS_DATA_DIR is not");
        eprintln!("skipped: NARROWS_DATA_DIR is not set, so the real faces are absent");
        return;
    };
    let catalog = Catalog::builtin();
    let set = catalog.find("frey-face").unwrap();
    let folder = locate(&[folder.into()], set).unwrap();
    let (faces, test) = load(&folder, set).unwrap();
    assert_eq!((faces.len(), faces.height(), faces.width(), faces.features()), (1965, 28, 20, 560));
    assert!(faces.labels.is_none() && faces.class_names.is_empty() && test.is_none());
    let (by_path, _) = load_path(&folder.join("freyface.mat"), Some("X")).unwrap();
    assert_eq!(by_path.digest(), faces.digest());
    // The pixel below is 20 pixels on; on average 18 greys apart, and 44 if rows had 28 pixels.
    let apart = |stride: usize| -> u64 {
        let of = |face: &[u8]| (stride..560).map(|k| u64::from(face[k].abs_diff(face[k - stride]))).sum::<u64>();
        faces.bytes().unwrap().chunks_exact(560).map(of).sum()
    };
    assert!(2 * apart(20) < apart(28), "{} {}", apart(20), apart(28));
    let parts = split(None, faces.len(), [1768, 0, 197], false, 1).unwrap();
    assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (1768, 0, 197));
}

/// A file with one array, bent in a few places.
fn bent() -> impl Strategy<Value = Vec<u8>> {
    let values = proptest::collection::vec(any::<u8>(), 0..40);
    let dims = proptest::collection::vec(0u32..7, 1..4);
    let kind = prop_oneof![Just(2u32), Just(1), Just(4), Just(9), 0u32..20];
    let flags = prop_oneof![Just(9u32), Just(6), Just(0x209), 0u32..0x1000];
    let bends = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (any::<bool>(), flags, dims, kind, values, any::<bool>(), bends).prop_map(
        |(big, flags, dims, kind, values, compressed, bends)| {
            let writer = Writer { big };
            let mut array = writer.array(flags, &dims, "X", kind, &values);
            for (at, byte) in &bends {
                let at = at.index(array.len());
                array[at] = *byte;
            }
            writer.file(&[if compressed { writer.compressed(&array) } else { array }])
        },
    )
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = images_of(&bytes, None);
    }

    #[test]
    fn no_bytes_behind_a_good_header_make_the_reader_panic(
        big: bool, rest in proptest::collection::vec(prop_oneof![0u8..20, any::<u8>()], 0..200),
    ) {
        let writer = Writer { big };
        let _ = images_of(&[writer.header(), rest].concat(), None);
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
