//! NPY files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_fuzz::with_file;

fuzz_target!(|bytes: &[u8]| {
    let _ = with_file(".npy", bytes, narrows::data::npy::read);
});
