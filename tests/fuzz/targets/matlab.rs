//! MATLAB v5 files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::data::matlab::images_of;

fuzz_target!(|bytes: &[u8]| {
    let _ = images_of(bytes, None);
});
