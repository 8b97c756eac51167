//! IDX files of labels, plain or compressed by gzip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_fuzz::with_file;

fuzz_target!(|bytes: &[u8]| {
    let _ = with_file("-idx1-ubyte", bytes, narrows::data::idx::read_labels);
});
