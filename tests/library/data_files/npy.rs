//! NPY files.

use std::fs;

use narrows::data::npy::{Array, read, write, write_bytes};
use ndarray::Array2;
use proptest::prelude::*;

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
    let mut expected = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".to_vec();
    expected.resize(127, b' ');
    expected.push(b'\n');
    assert_eq!(bytes[..128], expected[..]);
    assert_eq!(bytes.len(), 128 + 24);
    write(&path, Array2::zeros((0, 5)).view()).unwrap();
    assert_eq!(read(&path).unwrap().dim(), (0, 5));
    write_bytes(&path, &[1, 2]).unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("it has 1 dimension; a row for"));
}

#[test]
fn doubles_are_read() {
    let double = Array2::from_shape_fn((2, 3), |(i, j)| (i + j) as f64 / 3.0);
    let values: Vec<u8> = double.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(read_bytes(&file(&HEADER.replace("|u1", "<f8"), &values)).unwrap(), Array::Double(double));
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
    refused(&with("|u1", ">f4"), "its elements are \">f4\"; '|u1', '<f4' and '<f8' are read");
    refused(&with("False", "True"), "Fortran order");
    refused(&with("(2, 3)", "()"), "it has 0 dimensions");
    refused(&with("(2, 3)", "(2, 4)"), "[2, 4] promises 8 bytes of values, but only 6 bytes follow");
    refused(&with("(2, 3)", "(2, 2)"), "[2, 2] promises 4 bytes of values, but more bytes follow");
    refused(&with("(2, 3)", "(99999999999, 99999999999)"), "at most 1073741824 bytes (1 GiB) are accepted");
    refused(&with("(2, 3)", "(0, 99999999999)"), "at most 1073741824 bytes (1 GiB) are accepted");
    refused(&with("(2, 3)", "(1073741824, 1)"), "1073741824 bytes of values, but only 6 bytes follow");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        header in "[{}'\"(),: a-z0-9<|_TrueFals]{0,40}",
    ) {
        let _ = read_bytes(&bytes);
        let _ = read_bytes(&file(&header, &bytes));
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
