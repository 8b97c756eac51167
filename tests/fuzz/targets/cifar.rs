//! Binary files of CIFAR-10.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::data::load_path;
use narrows_fuzz::with_file;

fuzz_target!(|bytes: &[u8]| {
    let _ = with_file(".bin", bytes, |path| load_path(path, None));
});
